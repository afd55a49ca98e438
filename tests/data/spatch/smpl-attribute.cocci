@@
attribute name __init;
identifier f;
parameter list ps;
@@
-static int __init f(ps)
+static int f(ps)
 {
 ...
 }
