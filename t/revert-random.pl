#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# revert-random: series of reverts in random histories, by vcs-revert-tool and by git.
#
#	revert-random.pl TOOL SEED COUNT
#
# Makes COUNT histories in ./history, one after the other: edits, new and removed files, renames,
# modes, symbolic links. Reverts some of the commits, newest first, by `git revert` one at a time, and
# all at once by the tool: what becomes of each commit, the stages of conflicts, the text that is
# left in the files and the tree in the end have to be the same. Dies at the first that is not, and
# names its seed; prints how often what was seen.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);

my ($tool, $first, $count) = @ARGV;
my @known = ('a', 'b/c', 'b/d', 'e/f/g', 'h');
my @other = ('n1', 'b/n2', 'x/n3', 'n4', 'm1', 'b/m2', 'y/m3', 'm4', 'with blank');

sub one_of { return $_[int rand @_] }

sub read_all {
	my ($git, $fail_is_fine, @command) = @_;
	open my $pipe, '-|', @command or die "@command: $!";
	local $/;
	my $out = <$pipe>;
	close $pipe;
	die "@command: $?" if $? && !$fail_is_fine;
	return defined $out ? $out : '';
}
sub git { return read_all(1, 0, 'git', @_) }

sub git_may_fail {
	my $out = `git @_ 2>&1`;
	return ($?, $out);
}

sub slurp { open my $f, '<', $_[0] or die "$_[0]: $!"; local $/; my $text = <$f>; return defined $text ? $text : '' }

sub put {
	my ($path, $text) = @_;
	make_path($1) if $path =~ m{\A(.*)/}s;
	open my $f, '>', $path or die "$path: $!";
	print $f $text;
	close $f or die;
}

sub lines { return map { 'line ' . int(rand 1e6) } 1 .. $_[0] }
sub files { return split /\0/, git('ls-files', '-z') }

sub edit {
	my $path = one_of(files()) or return;
	if (-l $path) { unlink $path; symlink 't' . int(rand 9), $path; return }
	my @text = split /\n/, slurp($path), -1;
	my $at = int rand @text + 1;
	my $gone = int rand 3;
	$gone = @text - $at if $gone > @text - $at;
	splice @text, $at, $gone, lines(int rand 3);
	put($path, join "\n", @text);
}

sub change {
	my $dice = rand;
	my $path = one_of(files());
	my $new = one_of(@other);
	if ($dice < 0.6 || !defined $path) { edit() if defined $path }
	elsif ($dice < 0.7) {
		return if -l $new || -e _;
		if (rand() < 0.2) { make_path($1) if $new =~ m{\A(.*)/}; symlink 't', $new }
		else { put($new, join("\n", lines(3 + int rand 9)) . "\n") }
	}
	elsif ($dice < 0.8) { git('rm', '-q', '-f', '--', $path) if files() > 2 }
	elsif ($dice < 0.9) { chmod one_of(0644, 0755), $path unless -l $path }
	elsif (!-l $new && !-e _) { make_path($1) if $new =~ m{\A(.*)/}; git('mv', $path, $new) }
	git('add', '-A');
}

sub make_history {
	my ($seed) = @_;
	chdir '/' if 0;
	remove_tree('history');
	git('init', '-q', '-b', 'main', $seed % 7 ? '--object-format=sha1' : '--object-format=sha256', 'history');
	chdir 'history' or die;
	git('config', 'merge.conflictStyle', ('merge', 'diff3', 'zdiff3')[$seed % 3]);
	put($_, join("\n", lines(3 + int rand 22)) . "\n") for @known;
	git('add', '-A');
	git('commit', '-q', '-m', 'base');
	my @commits;
	for my $i (1 .. 4 + int rand 9) {
		change() for 1 .. 1 + int rand 3;
		git('add', '-A');
		git('commit', '-q', '--allow-empty', '-m', "c$i \"x\"");
		push @commits, scalar git('rev-parse', 'HEAD');
		chomp $commits[-1];
	}
	return reverse grep { rand() < 0.5 } @commits;
}

sub by_tool {
	my (@commits) = @_;
	my (@steps, $tree);
	remove_tree('../text');
	make_path("../text/$_") for 'b', 'e/f', 'x', 'y';
	for (split /\n/, read_all(0, 0, $tool, '--stop', '--write', '--text=../text', @commits)) {
		if (/\Astep (\S+)/) { push @steps, { outcome => $1, stages => {}, kinds => '' } }
		elsif (/\Aconflict (\S+)/) { $steps[-1]{kinds} .= " $1" }
		elsif (/\Astage (\d) (\S+ \S+) "?(.*?)"?\z/) { $steps[-1]{stages}{"$1 $3"} = $2 }
		elsif (/\Atree (\S+)/) { $tree = $1 }
	}
	return ($tree, @steps);
}

sub tree_of { my $tree = git('rev-parse', "$_[0]^{tree}"); chomp $tree; return $tree }

sub check_conflict {
	my ($step) = @_;
	my %stages;
	for (split /\0/, git('ls-files', '-u', '-z')) {
		$stages{"$3 $4"} = "$1 $2" if /\A(\d+) (\S+) (\d)\t(.*)\z/s;
	}
	my $git = join "\n", map { "$_ $stages{$_}" } sort keys %stages;
	my $ours = join "\n", map { "$_ $step->{stages}{$_}" } sort keys %{ $step->{stages} };
	die "stages, by git:\n$git\nby us:\n$ours\n" if $git ne $ours;
	for my $path (map { s/\A\d //r } keys %stages) {
		next if !-e "../text/$path" || !-e $path || $step->{kinds} =~ m{rename/rename};
		die "the text of $path differs\n" if slurp("../text/$path") ne slurp($path);
	}
}

sub by_git {
	my ($commit) = @_;
	my $before = tree_of('HEAD');
	my ($failed) = git_may_fail('-c', 'merge.directoryRenames=false', 'revert', '--no-edit', $commit);
	return tree_of('HEAD') eq $before ? 'empty' : 'clean' if !$failed;
	return 'conflict' if git('ls-files', '-u') ne '';
	git_may_fail('revert', '--skip');
	return 'empty';
}

sub check_history {
	my ($seed) = @_;
	my @commits = make_history($seed);
	return 'nothing' if !@commits;
	my ($tree, @steps) = by_tool(@commits);
	for my $step (@steps) {
		my $commit = shift @commits;
		my $outcome = by_git($commit);
		die "$commit: '$outcome' by git, '$step->{outcome}' by us\n" if $outcome ne $step->{outcome};
		next if $outcome ne 'conflict';
		check_conflict($step);
		return "conflict$step->{kinds}";
	}
	die "the trees differ\n" if tree_of('HEAD') ne $tree;
	return 'clean';
}

my %seen;
for my $seed ($first .. $first + $count - 1) {
	srand $seed;
	my $seen = eval { check_history($seed) };
	die "seed $seed: $@" if $@;
	$seen{$seen}++;
	chdir '..';
}
print "$seen{$_} $_\n" for sort keys %seen;
