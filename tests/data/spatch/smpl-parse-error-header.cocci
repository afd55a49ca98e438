@r depends an x@
expression e;
@@
-g(e);
