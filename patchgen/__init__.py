"""Templated Coccinelle semantic patches, from a kernel tree to a series for git send-email."""

# SPDX-License-Identifier: GPL-2.0-or-later
