@a@
expression e;
@@
 g(e);
@pg_twin_r@
expression a.x;
position p;
@@
 g@p(x);
@pg_witness_pg_twin_r@
position pg_twin_r.p;
symbol pg_never_in_any_file;
@@
 pg_never_in_any_file@p

@r@
expression a.x;
position p;
@@
-g@p(x);
