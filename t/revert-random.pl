#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# revert-random: series of reverts in random histories, by vcs-revert-tool and by git.
#
#	revert-random.pl TOOL SEED COUNT
#
# Makes COUNT histories in ./history, one after the other: edits, new and removed files, renames of
# files and folders, modes, symbolic links, binary files, line ends, files with merge drivers of git's
# and of one's own; and settings of merges. Reverts some of the commits, newest first, by `git revert` one at a time, and
# all at once by the tool: what becomes of each commit, the stages of conflicts, the text that is
# left in the files and the tree in the end have to be the same. Dies at the first that is not, and
# names its seed; prints how often what was seen.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);

my ($tool, $first, $count) = @ARGV;
my @known = ('a', 'b/c', 'b/d', 'e/f/g', 'h', 'union', 'own', 'ends', 'binary');
my @other = ('n1', 'b/n2', 'x/n3', 'n4', 'm1', 'b/m2', 'y/m3', 'm4', 'with blank', 'e/n5', 'x/union', 'own.2');
my @folders = ('b', 'e', 'e/f', 'x', 'y', 'z', 'z/b');

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
sub files { return split /\0/, git('ls-files', '-z', '--', @_) }

sub edit {
	my $path = one_of(files()) or return;
	if (-l $path) { unlink $path; symlink 't' . int(rand 9), $path; return }
	my @text = split /\n/, slurp($path), -1;
	my $at = int rand @text + 1;
	my $gone = int rand 3;
	$gone = @text - $at if $gone > @text - $at;
	splice @text, $at, $gone, lines(int rand 3);
	if ($path =~ /ends/ && rand() < 0.4) {
		my $cr = rand() < 0.5 ? "\r" : '';
		s/\r?\z/$cr/ for @text;
	}
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
	elsif ($dice < 0.83) {
		my ($from, $to) = (one_of(@folders), one_of(@folders));
		return if !-d $from || !files($from) || -e $to || "$to/" =~ m{\A\Q$from\E/};
		make_path($1) if $to =~ m{(.*)/};
		git('mv', $from, $to);
	}
	elsif ($dice < 0.9) { chmod one_of(0644, 0755), $path unless -l $path }
	elsif (!-l $new && !-e _) { make_path($1) if $new =~ m{\A(.*)/}; git('mv', $path, $new) }
	git('add', '-A');
}

# The driver of one's own takes all lines, sorted, and gives up where theirs has a certain one.
sub set_up {
	my ($seed) = @_;
	put('.git/info/attributes', "union merge=union\nown* merge=own\nh -merge\ngone merge=gone\n");
	git('config', 'merge.own.driver', 'sort -u -o %A %A %B && ! grep -q 99 %B && echo %P is merged');
	git('config', 'merge.directoryRenames', one_of('true', 'false', 'conflict')) if $seed % 4;
	git('config', 'merge.renormalize', 'true') if $seed % 5 == 0;
	git('config', one_of('merge.renames', 'diff.renames'), 'false') if $seed % 11 == 0;
}

sub make_history {
	my ($seed) = @_;
	chdir '/' if 0;
	remove_tree('history');
	git('init', '-q', '-b', 'main', $seed % 7 ? '--object-format=sha1' : '--object-format=sha256', 'history');
	chdir 'history' or die;
	git('config', 'merge.conflictStyle', ('merge', 'diff3', 'zdiff3')[$seed % 3]);
	set_up($seed);
	put($_, join("\n", lines(3 + int rand 22)) . "\n") for @known;
	put('binary', "\0" . slurp('binary'));
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
	# What was stored before does not know of it.
	put('.git/info/attributes', slurp('.git/info/attributes') . "ends text\n") if $seed % 5 == 0;
	return reverse grep { rand() < 0.5 } @commits;
}

sub by_tool {
	my (@commits) = @_;
	my (@steps, $tree);
	remove_tree('../text');
	make_path('../text');
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
		my ($file, $stage, $path) = /\A(\d+ \S+) (\d)\t(.*)\z/s or die;
		$path =~ s/~(HEAD|parent of .*)\z// if $step->{kinds} =~ /type/; # git makes them two files
		$stages{"$stage $path"} = $file;
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
	my ($failed, $says) = git_may_fail('revert', '--no-edit', $commit);
	return 'refused' if $says =~ /would be overwritten/;
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
		return "git sees changes" if $outcome eq 'refused'; # that are none: those of line ends
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
