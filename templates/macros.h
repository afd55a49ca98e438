/*
 * What hides functions from spatch's parser: a macro that expands to a string inside asm(), and an
 * attribute that is a macro.
 */
#define ALTERNATIVE(oldinstr, newinstr, feature) "x"
#define noinstr
