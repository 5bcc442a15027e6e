#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# revert-property: a unit of work that is reverted leaves what there would be without it.
#
#	revert-property.pl TOOL SEED COUNT
#
# Makes COUNT random histories in ./history: units on files of their own (of text with line ends of either
# kind, binary, symbolic links), their commits in any order,
# some of them on a branch that is merged. The commits of one unit, but no merges, are reverted by the
# flow-revert-tool, one by one or squashed, with local changes to files of nobody. Then each file has to
# be what it is in the same history without that unit, in the tree, the index and on disk; and after
# `git checkpoint undo` what it was. Dies at the first that is not, and names its seed.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);

my ($tool, $first, $count) = @ARGV;

sub one_of { return $_[int rand @_] }

sub run {
	my (@command) = @_;
	open my $pipe, '-|', @command or die "@command: $!";
	local $/;
	my $out = <$pipe> // "";
	close $pipe or die "@command: $?\n";
	$out =~ s{\n\z}{};
	return $out;
}
sub git { return run('git', @_) }

sub put {
	my ($path, $text) = @_;
	make_path($1) if $path =~ m{\A(.*)/}s;
	unlink $path;
	open my $f, '>', $path or die "$path: $!";
	print $f $text;
	close $f or die;
}
sub slurp { open my $f, '<', $_[0] or die "$_[0]: $!"; local $/; return scalar <$f> }

# What one commit of a unit does, as a list of [deed, path, more]: it can be done again elsewhere.
sub plan_commit {
	my ($unit, $has) = @_;
	my @deeds;
	for (1 .. 1 + int rand 3) {
		my @all = sort keys %$has;
		my @there = grep { $has->{$_} == 1 } @all; # files, and no links
		my $dice = rand;
		if ($dice < 0.06) {
			my $path = one_of(@all && rand() < 0.5 ? @all : "$unit-link-" . int rand 100);
			$has->{$path} = 2;
			push @deeds, [ 'link', $path, 'target-' . int rand 100 ];
		} elsif (!@there || $dice < 0.3) {
			my $path = one_of("$unit", "dir/$unit", "dir/$unit-d/deep") . '-' . int rand 100;
			next if $has->{$path};
			$has->{$path} = 1;
			my ($first, $end) = (rand() < 0.15 ? "\0" : '', rand() < 0.15 ? "\r\n" : "\n");
			push @deeds, [ 'write', $path, join $end, $first, map { "$unit $path " . int(rand 1e9) } 1 .. 5 + int rand 20 ];
		} elsif ($dice < 0.7) {
			push @deeds, [ 'line', one_of(@there), "$unit " . int(rand 1e9) . "\n", int rand 1e6 ];
		} elsif ($dice < 0.8) {
			my $path = one_of(@all);
			delete $has->{$path};
			push @deeds, [ 'remove', $path ];
		} elsif ($dice < 0.9) {
			push @deeds, [ 'mode', one_of(@there), one_of(0644, 0755) ];
		} else {
			my ($from, $to) = (one_of(@all), "$unit-renamed-" . int rand 1000);
			next if $has->{$to};
			$has->{$to} = delete $has->{$from};
			push @deeds, [ 'rename', $from, $to ];
		}
	}
	return \@deeds;
}

sub carry_out {
	for my $deed (@{ $_[0] }) {
		my ($what, $path, $value, $number) = @$deed;
		if ($what eq 'write') { put($path, $value) }
		elsif ($what eq 'remove') { unlink $path }
		elsif ($what eq 'link') { unlink $path; symlink $value, $path or die "$path: $!" }
		elsif ($what eq 'mode') { chmod $value, $path }
		elsif ($what eq 'rename') { rename $path, $value or die "$path: $!" }
		else {
			my @lines = split /^/, slurp($path);
			my $mode = (stat $path)[2] & 07777;
			$number % 3 ? ($lines[ $number % @lines ] = $value) : splice(@lines, $number % @lines, 0, $value);
			put($path, join '', @lines);
			chmod $mode, $path;
		}
	}
	git('add', '-A');
}

# "side" commits go to a branch that is merged behind the last of them.
sub make_history {
	my ($folder, $plan, $without) = @_;
	my (@commits, $on_side);
	remove_tree($folder);
	git('init', '-q', '-b', 'main', $folder);
	chdir $folder or die;
	git('config', 'merge.directoryRenames', 'false'); # where all files of a folder go, git would ask
	put('nobody', "one\ntwo\nthree\n");
	git('add', '-A');
	git('commit', '-q', '-m', 'base');
	for my $step (@$plan, { unit => '' }) {
		if ($on_side && !$step->{side}) {
			git('switch', '-q', 'main');
			git('commit', '-q', '--allow-empty', '-m', 'main goes on');
			git('merge', '-q', '--no-ff', '-m', 'merge', 'side');
			git('branch', '-q', '-d', 'side');
			$on_side = 0;
		}
		next if $step->{unit} eq '' || $step->{unit} eq $without;
		git('switch', '-q', '-c', 'side'), $on_side = 1 if $step->{side} && !$on_side;
		carry_out($step->{deeds});
		git('commit', '-q', '--allow-empty', '-m', "unit $step->{unit}");
		unshift @commits, [ $step->{unit}, git('rev-parse', 'HEAD') ];
	}
	chdir '..';
	return @commits;
}

sub state_of { return join "\n", git('ls-files', '-s'), git('status', '--porcelain=v2', '-uall') }

sub check {
	my @units = map { "u$_" } 1 .. 2 + int rand 3;
	my (%has, @plan);
	my $side = 0;
	for (1 .. 6 + int rand 14) {
		my $unit = one_of(@units);
		$side = rand() < 0.3 if rand() < 0.4;
		push @plan, { unit => $unit, side => $side, deeds => plan_commit($unit, $has{$unit} //= {}) };
	}
	my $gone = $plan[ int rand @plan ]{unit};
	my @commits = make_history('history', \@plan, '');
	make_history('without', \@plan, $gone);
	chdir 'history' or die;
	put('nobody', "one\nlocal\nthree\n");
	put('untracked', "mine\n");
	my $before = state_of();
	my @wanted = map { $_->[1] } grep { $_->[0] eq $gone } @commits;
	my $tree = git('rev-parse', 'HEAD^{tree}');
	run($tool, 'run', (rand() < 0.3 ? '--squash' : ()), @wanted);
	my $expect = git('-C', '../without', 'rev-parse', 'HEAD^{tree}');
	my $is = git('rev-parse', 'HEAD^{tree}');
	die "the tree is not what there would be without $gone\n" . git('diff', '--stat', $tree, 'HEAD') if $is ne $expect;
	my $status = git('status', '--porcelain', '-uall');
	die "files or index are not as the tree: $status\n" if $status ne " M nobody\n?? untracked";
	return if $is eq $tree;
	git('checkpoint', 'undo', '-q', '--yes');
	die "undo did not bring it back\n" if state_of() ne $before;
}

for my $seed ($first .. $first + $count - 1) {
	srand $seed;
	eval { check(); 1 } or die "seed $seed: $@";
	chdir '..';
}
print "$count histories\n";
