@r@
expression e;
@@
-g(e);

-h2(e);
...
+k(e);
