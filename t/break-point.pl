#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# break-point: break a program at one of its system calls, by strace.
#
#	break-point.pl list [--git] COMMAND [ARG...]
#	break-point.pl run CALL N WHAT COMMAND [ARG...]
#
# `list` runs the command unbroken and prints "<call> <n>" for each call that sends to a server or
# changes a file: the nth of its name. `run` breaks it at one of them, before the call happens.
# WHAT is what strace can inject: signal=SIGKILL, error=ENOSPC, ... N may end in "+": that call and
# all later ones of its name. WHAT may also be "everything": then all that the command started is
# killed at once, where it is.
#
# With --git the calls of the git processes that the command starts are listed too, in the order of
# time: "update-ref.2:<call> <n>" is one of the second `git update-ref`, and `run` takes that as it
# is; what it writes to its standard output has "answer" behind it. Other children are not traced.
# The command must find git by PATH, where a script then stands: so it is to be `git-x`, not `git x`.
#
# Ends when all that the command started has ended, with the command's exit code, or 128 + the
# signal that killed it. What was listed goes to descriptor 3 where that is open, else to standard
# output, which belongs to the command.
use strict;
use warnings;
use Fcntl;
use File::Temp qw(tempdir);
use POSIX qw(:sys_wait_h mkfifo setsid);

my $calls = join ',', map { "?$_" } qw(sendto sendmsg write pwrite64 writev openat open creat rename
	renameat renameat2 link linkat symlink symlinkat unlink unlinkat rmdir mkdir mkdirat
	ftruncate truncate fsync fdatasync chmod fchmod fchmodat utimensat); # not all are everywhere
my $mode = shift // '';
my $folder = tempdir('break-point.XXXXXX', TMPDIR => 1, CLEANUP => 1);

# A sanitizer cannot look for leaks while it is traced itself.
$ENV{ASAN_OPTIONS} = ($ENV{ASAN_OPTIONS} // '') . ':detect_leaks=0';
$ENV{LSAN_OPTIONS} = ($ENV{LSAN_OPTIONS} // '') . ':detect_leaks=0';

# ---- The session that the command is ---------------------------------------------------------------

# Its processes, other than those that only wait to be waited for; those that trace come last, as
# what they have stopped would go on without them.
sub session_members {
	my ($session) = @_;
	my (@traced, @tracers);
	for my $file (glob '/proc/[0-9]*/stat') {
		open my $in, '<', $file or next;
		my ($pid, $name, $rest) = (<$in> // '') =~ /^(\d+) \((.*)\) (.*)/s or next;
		my ($state, undef, undef, $sid) = split / /, $rest;
		next if $sid != $session || $state eq 'Z';
		push @{ $name eq 'strace' ? \@tracers : \@traced }, $pid;
	}
	return (@traced, @tracers);
}

sub kill_session {
	my ($session) = @_;
	while (my @members = session_members($session)) {
		kill 'KILL', @members;
		waitpid $session, WNOHANG;
		select undef, undef, undef, 0.002;
	}
}

# Does somebody tell through the pipe that a call was broken?
sub is_told {
	my ($pipe) = @_;
	my ($bits, $text) = ('', '');
	vec($bits, fileno $pipe, 1) = 1;
	sysread $pipe, $text, 65536 if select $bits, undef, undef, 0.02;
	return $text =~ /INJECTED/;
}

# With a pipe, kills everything when that tells.
sub run {
	my ($pipe, @command) = @_;
	my $status;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		setsid();
		exec @command;
		die "cannot run $command[0]: $!";
	}
	while ($pipe) {
		if (waitpid($pid, WNOHANG) == $pid) {
			$status = $?;
			last;
		}
		next unless is_told($pipe);
		kill_session($pid);
		return 128 + 9;
	}
	if (!defined $status) {
		waitpid $pid, 0;
		$status = $?;
	}
	for (1 .. 600) {
		last if !session_members($pid);
		select undef, undef, undef, 0.02;
	}
	return WIFSIGNALED($status) ? 128 + WTERMSIG($status) : WEXITSTATUS($status);
}

# ---- git, by way of a script that counts -----------------------------------------------------------

sub real_git {
	for my $path (split /:/, $ENV{PATH}) {
		return "$path/git" if -f "$path/git" && -x _;
	}
	die 'there is no git';
}

# `case` is what is done with git process "<command>.<n>", in the shell. The tracer is git's
# grandchild: so git has the process id that whoever started it knows.
sub stand_in_for_git {
	my ($case) = @_;
	my $git = real_git();
	mkdir "$folder/bin";
	mkdir "$folder/seen";
	open my $out, '>', "$folder/bin/git" or die "$folder/bin/git: $!";
	print $out <<"END";
#!/bin/sh
skip=
for word
do
	case \$skip\$word in
	skip*) skip= ;;
	-c | -C) skip=skip ;;
	-*) ;;
	*) break ;;
	esac
done
n=1
until (set -C; : >"$folder/seen/\$word.\$n") 2>/dev/null
do
	n=\$((n + 1))
done
case \$word.\$n in
$case
esac
exec '$git' "\$@"
END
	close $out;
	chmod 0755, "$folder/bin/git";
	$ENV{PATH} = "$folder/bin:$ENV{PATH}";
	return $git;
}

# ---- The two modes ---------------------------------------------------------------------------------

# ["time", "call n"] of each call in a trace that counts.
sub points_of {
	my ($file, $prefix) = @_;
	my (%count, @points);
	open my $in, '<', $file or die "$file: $!";
	while (my $line = <$in>) {
		my ($time, $call) = $line =~ /^([0-9.]+) ([a-z0-9_]+)\(/ or next;
		my $n = ++$count{$call};
		next if $line =~ /= -1 E[A-Z0-9]+ /;
		next if $call =~ /^open/ && $line !~ /O_CREAT|O_TRUNC/;
		my $output = $call =~ /^writev?$/ && $line =~ / [a-z]+\(([12]),/ ? $1 : 0;
		next if $output && ($output == 2 || !$prefix);
		push @points, [$time, "$prefix$call $n" . ($output ? ' answer' : '')];
	}
	return @points;
}

sub list {
	my ($with_git, @command) = @_;
	my @strace = ('strace', '-qq', '-ttt', '-s', '0', '-e', 'signal=none', '-e', "trace=$calls");
	my (@points, $out);
	stand_in_for_git("*) exec strace -D @strace[1..$#strace] -o '$folder/seen/'\$word.\$n '" .
			 real_git() . "' \"\$@\" ;;") if $with_git;
	my $code = run(undef, @strace, '-o', "$folder/trace", @command);
	@points = points_of("$folder/trace", '');
	for my $file (glob "$folder/seen/*") {
		my ($name) = $file =~ m{([^/]*)$};
		push @points, points_of($file, "$name:");
	}
	open $out, '>&=', 3 or $out = \*STDOUT;
	print $out "$_->[1]\n" for sort { $a->[0] <=> $b->[0] } @points;
	return $code;
}

sub break_at {
	my ($point, $nth, $what, @command) = @_;
	my ($process, $call) = $point =~ /^(?:(.*):)?(\w+)$/ or die "no such point: $point";
	my ($pipe, $told) = (undef, '/dev/null');
	if ($what eq 'everything') {
		# The call does not happen, and whoever made it goes no further meanwhile.
		$what = 'error=EINTR:signal=SIGSTOP';
		$told = "$folder/told";
		mkfifo($told, 0600) or die "$told: $!";
		sysopen $pipe, $told, O_RDWR or die "$told: $!";
	}
	my @strace = ('strace', '-qq', '-o', $told, '-e', 'signal=none', '-e', "trace=$call", '-e',
		      "inject=$call:$what:when=$nth");
	return run($pipe, @strace, @command) unless defined $process;
	stand_in_for_git("$process) exec strace -D @strace[1..$#strace] '" . real_git() .
			 "' \"\$@\" ;;");
	return run($pipe, @command);
}

if ($mode eq 'run' && @ARGV >= 4) {
	exit break_at(@ARGV);
} elsif ($mode eq 'list' && @ARGV >= 1) {
	my $with_git = $ARGV[0] eq '--git' && shift;
	exit list($with_git, @ARGV);
}
print STDERR "usage: break-point.pl (list [--git] | run CALL N WHAT) COMMAND [ARG...]\n";
exit 129;
