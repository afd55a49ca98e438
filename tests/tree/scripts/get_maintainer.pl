#!/usr/bin/env perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Print who maintains what a patch changes, one "ADDRESS (ROLE:SECTION)" a line. It takes the
# options that patchgen passes to the kernel's script of this name, and knows M, R, L and F only.
use strict;
use warnings;

my @patches = grep { !/^--/ } @ARGV;
my @paths;
for my $patch (@patches) {
	open(my $in, '<', $patch) or die "$patch: $!\n";
	while (<$in>) {
		push @paths, $1 if m{^\+\+\+ b/(\S+)};
	}
}

my %role = (M => 'maintainer', R => 'reviewer', L => 'open list');
my ($section, @people, %printed);

sub finish {
	for my $line (@people) {
		print "$line\n" unless $printed{$line}++;
	}
}

open(my $in, '<', 'MAINTAINERS') or die "MAINTAINERS: $!\n";
my @candidates;
while (<$in>) {
	chomp;
	if (/^([MRLF]):\s*(.*)$/) {
		my ($kind, $value) = ($1, $2);
		if ($kind eq 'F') {
			if (grep { index($_, $value) == 0 } @paths) {
				push @people, @candidates;
				@candidates = ();
			}
		} else {
			push @candidates, "$value ($role{$kind}:$section)";
		}
	} elsif (/\S/) {
		$section = $_;
		@candidates = ();
	}
}
finish();
