@pg_twin_r@
expression e;
position p;
@@
 f(...) {
 ... when != k(e)
 g@p(e);
 ... when != h(e)
 }
@pg_witness_pg_twin_r@
position pg_twin_r.p;
symbol pg_never_in_any_file;
@@
 pg_never_in_any_file@p

@r@
expression e;
position p;
@@
 f(...) {
 ... when != k(e)
-g@p(e);
 ... when != h(e)
 }
