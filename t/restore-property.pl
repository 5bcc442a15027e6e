#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# restore-property: random states of a repository, kept, changed, restored and taken back.
#
#	restore-property.pl SEED ROUNDS [FIRST]
#
# In the present folder, which is an empty one, makes a repository, and in each round: changes it at
# random, `git checkpoint`; changes it at random, `git checkpoint restore`; then HEAD, index and files
# must be what they were. `git checkpoint undo`; then all must be what it was before the restore.
# Each round has a seed of its own, made from SEED and its number: FIRST begins with that round, on
# an empty repository.
#
# What must hold after a restore: what the checkpoint has is there, byte for byte; what it has not is
# there only if it was ignored before the restore, or would be by the checkpoint's own rules, and then
# as it was; and nothing ignored is gone but what stood in the way.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);

my ($seed, $rounds, $first) = @ARGV;
$first ||= 1;
my $branches = 0;
my $step = '';
my @log;

# ---- Running git ---------------------------------------------------------------------------------

sub git {
	my (@args) = @_;
	push @log, join ' ', 'git', map { show($_) } @args;
	local $ENV{GIT_LITERAL_PATHSPECS} = 1 if $args[0] eq 'add' || $args[0] eq 'rm';
	open my $out, '-|', 'git', @args or die "cannot run git: $!";
	local $/;
	my $text = <$out> // '';
	close $out or return undef;
	return $text;
}

sub git_with_input {
	my ($input, @args) = @_;
	push @log, join(' ', 'git', @args) . ' <<' . show($input);
	open my $in, '|-', 'git', @args or die "cannot run git: $!";
	print $in $input;
	return close $in;
}

sub git_must {
	my $text = git(@_);
	fail("git $_[0] ended with status " . ($? >> 8)) if !defined $text;
	return $text;
}

sub show {
	my ($text) = @_;
	$text =~ s/([^\x21-\x7e])/sprintf '\\x%02x', ord $1/ge;
	return $text;
}

sub fail {
	print "# round $step: $_[0]\n";
	print "#   $_\n" for @log;
	print "# again: restore-property.pl $seed $rounds\n";
	exit 1;
}

# ---- What there is -------------------------------------------------------------------------------

# Every file below as "<mode> <content>", every folder as "folder"; but no repository's own.
sub files {
	my ($folder, $to) = @_;
	opendir my $dir, $folder eq '' ? '.' : $folder or fail("cannot open folder '$folder': $!");
	for my $name (readdir $dir) {
		next if $name eq '.' || $name eq '..' || ($folder eq '' && $name eq '.git');
		my $path = $folder eq '' ? $name : "$folder/$name";
		my @stat = lstat $path;
		if (-l _) {
			$to->{$path} = 'link ' . readlink $path;
		} elsif (-d _) {
			$to->{$path} = 'folder';
			files($path, $to);
		} else {
			open my $in, '<', $path or fail("cannot open '$path': $!");
			binmode $in;
			local $/;
			my $text = <$in> // '';
			$to->{$path} = ($stat[2] & 0100 ? 'executable ' : 'file ') . $text;
		}
	}
	closedir $dir;
	return $to;
}

sub state_now {
	my %state;
	my $status = git_must('status', '--porcelain=v2', '-z', '--branch', '--untracked-files=all',
		'--ignored=matching');
	my @parts = split /\0/, $status;
	while (defined(my $part = shift @parts)) {
		if ($part =~ /^# branch\.(oid|head) (.*)/s) {
			$state{$1} = $2;
		} elsif ($part =~ /^! (.*)/s) {
			$state{ignored}{$1} = 1;
		} elsif ($part =~ /^\? (.*)/s) {
			$state{untracked}{$1} = 1;
		} elsif ($part =~ /^2 /) {
			$state{tracked} .= $part . '<-' . shift(@parts) . "\n";
		} else {
			$state{tracked} .= "$part\n";
		}
	}
	$state{tracked} //= '';
	$state{index} = git_must('ls-files', '--stage', '-v', '-z');
	$state{files} = files('', {});
	for my $name (qw(MERGE_HEAD MERGE_MSG)) {
		my $text = '';
		if (open my $in, '<', ".git/$name") {
			local $/;
			$text = 'is ' . <$in>;
		}
		$state{state}{$name} = $text;
	}
	# An empty folder that is ignored is nowhere in git's status, nor is what lies in an ignored folder
	# that has the name of a tracked file.
	my @all = grep { $_ !~ m{^nested/} } keys %{$state{files}};
	$state{ignored}{$_} = 1 for grep { !$state{untracked}{$_} } keys %{ignored_by_rules(@all)};
	return \%state;
}

sub is_ignored {
	my ($state, $path) = @_;
	for (my $at = $path;; $at =~ s{/[^/]*$}{} or last) {
		return 1 if $state->{ignored}{$at} || $state->{ignored}{"$at/"};
	}
	return 0;
}

# ---- Comparing -----------------------------------------------------------------------------------

sub same {
	my ($what, $expect, $actual) = @_;
	return if $expect eq $actual;
	fail("$what: expected '" . show($expect) . "', is '" . show($actual) . "'");
}

sub same_git {
	my ($expect, $actual) = @_;
	same('HEAD', $expect->{oid}, $actual->{oid});
	same('branch', $expect->{head}, $actual->{head});
	same('index', $expect->{index}, $actual->{index});
	same('status', $expect->{tracked}, $actual->{tracked});
	same($_, $expect->{state}{$_}, $actual->{state}{$_}) for keys %{$expect->{state}};
}

sub is_empty {
	my ($files, $folder) = @_;
	return !grep { index($_, "$folder/") == 0 } keys %$files;
}

# What of the state a checkpoint keeps: all but ignored files and folders that are not empty.
sub kept {
	my ($state) = @_;
	my %kept;
	for my $path (keys %{$state->{files}}) {
		my $is = $state->{files}{$path};
		next if is_ignored($state, $path) && ($is eq 'folder' || !$state->{in_index}{$path});
		next if $is eq 'folder' && !is_empty($state->{files}, $path);
		$kept{$path} = $is;
	}
	return \%kept;
}

# Of the paths, those that the rules ignore which are in force now.
sub ignored_by_rules {
	my (@paths) = @_;
	return {} if !@paths;
	open my $in, '>', '.git/paths' or die;
	print $in map { "./$_\0" } @paths;
	close $in;
	my $text = qx{git check-ignore --no-index -z --stdin <.git/paths};
	return { map { (substr($_, 2) => 1) } split /\0/, $text };
}

sub check_restored {
	my ($then, $before, $now) = @_;
	my $kept = kept($then);
	same_git($then, $now);
	for my $path (sort keys %$kept) {
		my $is = $now->{files}{$path} // 'nothing';
		same("'" . show($path) . "'", $kept->{$path}, $is);
	}
	my @more = grep { !exists $kept->{$_} && $now->{files}{$_} ne 'folder' && $_ !~ m{^nested/} }
		keys %{$now->{files}};
	my $protected = ignored_by_rules(@more);
	for my $path (sort @more) {
		fail("'" . show($path) . "' should be gone")
			if !is_ignored($before, $path) && !$protected->{$path};
		same("ignored '" . show($path) . "'", $before->{files}{$path} // 'nothing',
			$now->{files}{$path});
	}
	for my $path (sort keys %{$before->{files}}) {
		next if exists $now->{files}{$path} || !is_ignored($before, $path);
		next if $before->{in_index}{$path} || $before->{files}{$path} eq 'folder';
		next if $then->{in_index}{$path}; # tracked, and deleted
		my $in_the_way = grep { index($_, "$path/") == 0 || index($path, "$_/") == 0 } keys %$kept;
		fail("ignored '" . show($path) . "' is gone") if !$in_the_way;
	}
}

sub check_undone {
	my ($before, $now) = @_;
	same_git($before, $now);
	for my $path (sort keys %{$before->{files}}) {
		my $is = $now->{files}{$path} // 'nothing';
		# Of folders, those count that are empty and not ignored; the others follow from what is in them.
		next if $before->{files}{$path} eq 'folder' &&
			(is_ignored($before, $path) || !is_empty($before->{files}, $path));
		same("'" . show($path) . "'", $before->{files}{$path}, $is);
	}
	for my $path (sort keys %{$now->{files}}) {
		fail("'" . show($path) . "' should not be there") if !exists $before->{files}{$path};
	}
}

# ---- Changing ------------------------------------------------------------------------------------

my @names = ('a', 'b', 'c', 'a b', 'x.log', 'y.log', 'keep.log', 'out', 'build', "\xc3\xbc", '-dash', "tab\tx",
	'quote"', 'back\\slash', "new\nline", ':colon', '*', "\xff", 'end ', '.hidden', 'f1', 'f2', 'f3');
my @rules = ('*.log', 'build', 'build/', 'out/', '/a', 'b', '!keep.log', '*', '!*', 'f?', '.gitignore', '!/c',
	'**/x.log', 'c/*', '# nothing', '.hidden');

sub any { return $_[int rand @_] }

sub random_path {
	my $depth = any(1, 1, 1, 2, 2, 3);
	return join '/', map { any(@names) } 1 .. $depth;
}

sub existing {
	my ($files) = @_;
	my @paths = sort grep { $files->{$_} ne 'folder' && $_ !~ m{^nested/} } keys %$files;
	return @paths ? any(@paths) : undef;
}

# Takes away what stands where the folders of the path have to be.
sub make_way {
	my ($path) = @_;
	my $at = '';
	my @parts = split m{/}, $path;
	pop @parts;
	for my $part (@parts) {
		$at = $at eq '' ? $part : "$at/$part";
		unlink $at if -l $at || -f $at;
		mkdir $at;
	}
}

sub remove {
	my ($path) = @_;
	if (-d $path && !-l $path) {
		opendir my $dir, $path or return;
		remove("$path/$_") for grep { $_ ne '.' && $_ ne '..' } readdir $dir;
		closedir $dir;
		rmdir $path;
	} else {
		unlink $path;
	}
}

sub write_file {
	my ($path, $text) = @_;
	make_way($path);
	remove($path) if -l $path || -d $path;
	open my $out, '>', $path or return;
	binmode $out;
	print $out $text;
	close $out;
	push @log, 'write ' . show($path) . ' ' . show($text);
}

sub random_text { return join '', map { int(rand 10) . "\n" } 0 .. rand 4 }

sub change_once {
	my $files = files('', {});
	my $path = existing($files);
	my $kind = any(qw(new new new edit edit same delete rename mode link folder file empty rules rules
		stage stage stage_all part unstage intent commit unmerged assume merge));
	push @log, $kind . (defined $path ? ' ' . show($path) : '');
	if ($kind eq 'new') {
		write_file(random_path(), random_text());
	} elsif ($kind eq 'rules') {
		my $folder = any('', '', 'a/', 'b/', 'c/', 'build/');
		write_file("$folder.gitignore", join '', map { any(@rules) . "\n" } 0 .. rand 3);
	} elsif ($kind eq 'empty') {
		my $folder = random_path();
		make_way("$folder/x") if !-e $folder;
	} elsif ($kind eq 'commit') {
		git('add', '-A', '.') if rand() < 0.4;
		git('commit', '-q', '--allow-empty', '-m', 'c');
	} elsif ($kind eq 'stage_all') {
		git('add', '-A', '.');
	} elsif ($kind eq 'merge') {
		if (-e '.git/MERGE_HEAD') {
			unlink '.git/MERGE_HEAD', '.git/MERGE_MSG';
		} elsif (my $head = git('rev-parse', '-q', '--verify', 'HEAD')) {
			write_file('.git/MERGE_HEAD', $head);
			write_file('.git/MERGE_MSG', "merge\n");
		}
	}
	return if !defined $path;
	if ($kind eq 'edit') {
		write_file($path, random_text());
	} elsif ($kind eq 'same') {
		write_file($path, $files->{$path} =~ /^file (.*)/s ? reverse $1 : 'x') if !-l $path;
	} elsif ($kind eq 'delete') {
		remove($path);
	} elsif ($kind eq 'rename') {
		my $to = random_path();
		make_way($to);
		rename $path, $to if !-d $to;
	} elsif ($kind eq 'mode') {
		chmod any(0644, 0755), $path if !-l $path;
	} elsif ($kind eq 'link') {
		remove($path);
		symlink any('z', 'z/c', '..', '/nowhere', 'nested'), $path; # no loops: git takes what would be in one for unchanged
	} elsif ($kind eq 'folder') {
		remove($path);
		write_file("$path/" . any(@names), random_text());
	} elsif ($kind eq 'file') {
		my ($top) = split m{/}, $path;
		remove($top);
		write_file($top, random_text());
	} elsif ($kind eq 'stage') {
		git('add', '-f', '--', $path);
	} elsif ($kind eq 'part') {
		write_file($path, random_text());
		git('add', '-f', '--', $path);
		write_file($path, random_text());
	} elsif ($kind eq 'unstage') {
		git('rm', '-q', '--cached', '-f', '--ignore-unmatch', '--', $path);
	} elsif ($kind eq 'intent') {
		git('add', '-f', '-N', '--', $path);
	} elsif ($kind eq 'assume' && rand() < 0.3) {
		git('update-index', any('--assume-unchanged', '--no-assume-unchanged'), '--', $path);
	} elsif ($kind eq 'unmerged' && rand() < 0.4) {
		my @oid = map { my $text = random_text(); open my $out, '>', '.git/blob'; print $out $text; close $out;
			my $oid = git('hash-object', '-w', '.git/blob'); chomp $oid; $oid } 1 .. 3;
		my $zero = '0' x length $oid[0];
		git_with_input("0 $zero 0\t$path\0" . join('', map { "100644 $oid[$_ - 1] $_\t$path\0" }
			grep { rand() < 0.8 } 1 .. 3), 'update-index', '-z', '--index-info');
	}
}

sub change {
	my ($times) = @_;
	open my $errors, '>&', \*STDERR or die;
	open STDERR, '>', '/dev/null' or die;
	for (1 .. $times) {
		change_once();
	}
	if (rand() < 0.1 && git('rev-parse', '-q', '--verify', 'HEAD')) {
		$branches++;
		git('branch', "b$branches") if rand() < 0.8; # else it is not born
		git('symbolic-ref', 'HEAD', "refs/heads/b$branches") if rand() < 0.5;
		git('switch', '-q', '--detach') if rand() < 0.2;
	}
	open STDERR, '>&', $errors or die;
}

sub with_index {
	my ($state) = @_;
	for (split /\0/, $state->{index}) {
		$state->{in_index}{$1} = 1 if /^\S+ \d+ \S+ \d\t(.*)/s;
	}
	return $state;
}

# ---- One round -----------------------------------------------------------------------------------

sub operations { return git_must('for-each-ref', '--format=%(refname)', '--sort=refname', 'refs/rollback/op') }

# Edits of files alone, under an index that is older than they are and younger than all others: what
# git takes for clean without a look at it has to be so.
sub edit_files {
	my @files = grep { -f && !-l } split /\0/, git_must('ls-files', '-z');
	my $long_ago = time - 10000;
	push @log, 'age all files';
	utime $long_ago, $long_ago, $_ for @files;
	git('update-index', '-q', '--refresh');
	for my $path (grep { rand() < 0.3 } @files) {
		push @log, 'edit ' . show($path);
		write_file($path, 'text ' . int(rand 1000) . "\n");
	}
}

sub round {
	my ($number) = @_;
	$step = $number;
	@log = ();
	srand hex substr sha256_hex("$seed/$number"), 0, 8;
	change(1 + rand 12);
	my $then = with_index(state_now());
	push @log, '=== checkpoint';
	git_must('checkpoint', 'create', '--quiet', '--no-db', "r$number");
	same_git($then, state_now());
	rand() < 0.3 ? edit_files() : change(1 + rand 12);
	my $before = with_index(state_now());
	my @how;
	if ($then->{head} ne $before->{head}) {
		@how = $then->{head} eq '(detached)' ? '--detach' : "--branch=$then->{head}";
		# A branch that was not born is not made by --branch, nor is there a commit to be at.
		return if $then->{oid} eq '(initial)';
	}
	push @log, "=== restore @how";
	my $operations = operations();
	git_must('checkpoint', 'restore', '--quiet', '--yes', @how, "r$number");
	check_restored($then, $before, state_now());
	return if $operations eq operations(); # there was nothing to do, so there is nothing to undo
	push @log, '=== undo';
	git_must('checkpoint', 'undo', '--quiet', '--yes');
	check_undone($before, state_now());
	if (rand() < 0.2) {
		push @log, '=== undo the undo';
		my ($undo) = operations() =~ m{op/([^/\n]+)/[^\n]*\n\z};
		git_must('checkpoint', 'undo', '--quiet', '--yes', $undo);
		check_restored($then, $before, state_now());
	}
	git_must('checkpoint', 'drop', '--quiet', "r$number") if rand() < 0.5;
}

git_must('init', '-q', '-b', 'main', '.');
git_must('init', '-q', 'nested');
write_file('nested/inside', "left alone\n");
for my $number ($first .. $first + $rounds - 1) {
	round($number);
}
my $fsck = git('fsck', '--strict', '--no-dangling', '--no-progress');
fail('git fsck complains') if !defined $fsck;
print "# $rounds rounds with seed $seed\n";
