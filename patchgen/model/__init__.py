"""The values that flow through patchgen: frozen, without input or output of their own."""
