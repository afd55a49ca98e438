@a@
expression e;
@@
 g(e);
@pg_twin_r@
expression b.e;
position p;
@@
 g@p(e);
@pg_witness_pg_twin_r@
position pg_twin_r.p;
symbol pg_never_in_any_file;
@@
 pg_never_in_any_file@p

@r@
expression b.e;
position p;
@@
-g@p(e);
