#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# worktree-random: changes the worktree and index of the git repository it is run in, at random.
#
#	worktree-random.pl SEED COUNT [--no-flags]
#
# does COUNT things: writes, appends, removes, renames, turns files into folders and back, makes
# symlinks, changes modes, stages all or half of it, unstages, edits ignore files. Without --no-flags
# it also sets the flags of index entries that hide edits. The same seed does the same to the same
# state. What it is about to do is printed, one thing a line.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);

my ($seed, $count, $option) = @ARGV;
srand $seed;
my $flags = !$option || $option ne '--no-flags';
my @parts = ('a', 'b', 'c', 'sub', 'x.o', 'with blank', "line\nend", "\xff\xfe", 'q"uote', 'zz');

sub one_of { return $_[int rand @_] }

sub some_path { return join '/', map { one_of(@parts) } 1 .. 1 + int rand 3 }

# Mostly one that there is.
sub some_file {
	return some_path() if rand() < 0.2;
	my @found = split /\0/, `git ls-files -z -c -o`;
	return @found ? one_of(@found) : some_path();
}

sub git { return !system 'git', @_ }

sub is_tracked {
	open my $git, '-|', 'git', 'ls-files', '-z', '-s', '--', ":(literal)$_[0]" or die;
	local $/ = "\0";
	return grep { /\A\d+ \S+ 0\t\Q$_[0]\E\0\z/ } <$git>;
}

sub is_file { return -f $_[0] && !-l $_[0] }

# No symlink is followed, and what is in the way goes.
sub make_room {
	my ($path) = @_;
	my $above = '';
	for my $part (split m{/}, $path) {
		unlink $above if $above ne '' && (-l $above || (-e _ && !-d _));
		$above = $above eq '' ? $part : "$above/$part";
	}
	remove_tree($path) if -d $path && !-l $path;
	make_path($1) if $path =~ m{\A(.*)/}s && !-d $1;
}

sub put {
	my ($mode, $path, $text) = @_;
	open my $file, $mode, $path or die "$path: $!";
	print $file $text;
	close $file or die "$path: $!";
}

sub rename_to {
	my ($from, $to) = @_;
	return if !-e $from || !index("$to/", "$from/") || !index("$from/", "$to/");
	make_room($to);
	rename $from, $to;
}

# How often, a name, and what it does to a path.
my @deeds = (
	[ 8, write => sub { make_room($_[0]); unlink $_[0]; put('>', $_[0], 'text ' . int(rand 1000) . "\n") } ],
	[ 4, append => sub { put('>>', $_[0], "more\n") if is_file($_[0]) } ],
	[ 3, same_size => sub { put('>', $_[0], scalar reverse 1 x -s _) if is_file($_[0]) } ],
	[ 4, remove => sub { unlink $_[0] } ],
	[ 2, rename => sub { rename_to($_[0], some_path()) } ],
	[ 2, symlink => sub { make_room($_[0]); unlink $_[0]; symlink one_of('a', '../b', 'nowhere'), $_[0] } ],
	[ 2, folder => sub { make_room($_[0]); unlink $_[0]; make_path($_[0]) } ],
	[ 2, mode => sub { chmod one_of(0644, 0755), $_[0] if is_file($_[0]) } ],
	[ 6, stage => sub { git('add', '-f', '--', $_[0]) if -l $_[0] || -f $_[0] } ],
	[ 2, stage_all => sub { git('add', '-A') } ],
	[ 1, stage_tracked => sub { git('add', '-u') } ],
	[ 2, unstage => sub { git('rm', '-q', '-r', '--cached', '--ignore-unmatch', '--', $_[0]) } ],
	[ 2, git_remove => sub { git('rm', '-q', '-r', '-f', '--ignore-unmatch', '--', $_[0]) } ],
	[ 2, ignore => sub { my $to = one_of('', 'a/', 'sub/') . '.gitignore'; make_room($to); unlink $to if -l $to; put('>>', $to, one_of('*.o', 'zz', '/c', '!x.o', 'sub/') . "\n") } ],
	[ 1, intent => sub { git('add', '-f', '-N', '--', $_[0]) if is_file($_[0]) } ],
	[ 1, commit => sub { git('commit', '-q', '-m', 'random') if git('diff', '--cached', '--quiet') == 0 } ],
	[ 1, hide => sub { git('update-index', one_of('--assume-unchanged', '--skip-worktree'), '--', $_[0]) if $flags && is_tracked($_[0]) } ],
);

my @bag = map { ($_) x $_->[0] } @deeds;
for (1 .. $count) {
	my $deed = one_of(@bag);
	my $path = some_file();
	(my $shown = $path) =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
	print "$deed->[1] $shown\n";
	$deed->[2]->($path);
}
