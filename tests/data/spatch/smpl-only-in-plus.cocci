@pg_twin_r@
identifier i;
position p;
@@
 g@p(...);
@pg_witness_pg_twin_r@
position pg_twin_r.p;
symbol pg_never_in_any_file;
@@
 pg_never_in_any_file@p

@r@
identifier i;
position p;
@@
-g@p(...);
+k(i);
