// SPDX-License-Identifier: GPL-2.0-or-later
/// Drop no_llseek from file operations
///
/// llseek fails for a file whose operations have no llseek, so no_llseek has no
/// effect.
// Needs: fs/open.c: !f->f_op->llseek
// Confidence: High
// Options: --no-includes --include-headers

@no_llseek@
identifier type, ops;
@@
 struct type ops = {
-.llseek = no_llseek,
 };

@nested@
identifier type, ops;
expression size;
@@
 struct type ops[size] = {
 ...,
 {
-.llseek = no_llseek,
 },
 ...,
 };

@indexed@
identifier type, ops;
expression index;
@@
 struct type ops[...] = {
 [index] = {
-.llseek = no_llseek,
 },
 };
