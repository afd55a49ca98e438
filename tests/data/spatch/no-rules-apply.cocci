@r@
expression e;
position p;
@@
 g@p(e);
@pg_witness_r@
position r.p;
symbol pg_never_in_any_file;
@@
 pg_never_in_any_file@p

