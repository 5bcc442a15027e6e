#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# break-point: break a program at one of its system calls, by strace.
#
#	break-point.pl list COMMAND [ARG...]
#	break-point.pl run CALL N WHAT COMMAND [ARG...]
#
# `list` runs the command unbroken and prints "<call> <n>" for each call that sends to a server or
# changes a file: the nth of its name. `run` breaks it at one of them, before the call happens.
# WHAT is what strace can inject: signal=SIGKILL, error=ENOSPC, ... N may end in "+": that call and
# all later ones of its name. Children are not traced.
#
# Ends when all that the command started has ended, with the command's exit code, or 128 + the
# signal that killed it. What was listed goes to descriptor 3 where that is open, else to standard
# output, which belongs to the command.
use strict;
use warnings;
use POSIX qw(setsid WIFSIGNALED WTERMSIG WEXITSTATUS);

my $calls = 'sendto,sendmsg,write,pwrite64,writev,openat,open,creat,rename,renameat,renameat2,' .
	'link,linkat,unlink,unlinkat,rmdir,mkdir,mkdirat,ftruncate,truncate,fsync,fdatasync,chmod,' .
	'fchmod,fchmodat';
my $mode = shift // '';

# A sanitizer cannot look for leaks while it is traced itself.
$ENV{ASAN_OPTIONS} = ($ENV{ASAN_OPTIONS} // '') . ':detect_leaks=0';
$ENV{LSAN_OPTIONS} = ($ENV{LSAN_OPTIONS} // '') . ':detect_leaks=0';

# Not all of them exist everywhere.
sub known_calls {
	return join ',', map { "?$_" } split /,/, $calls;
}

# Is a process of that session left, other than those that only wait to be waited for?
sub session_lives {
	my ($session) = @_;
	for my $file (glob '/proc/[0-9]*/stat') {
		open my $in, '<', $file or next;
		my $line = <$in> // '';
		$line =~ s/^.*\) //s or next;
		my ($state, undef, undef, $sid) = split / /, $line;
		return 1 if $sid == $session && $state ne 'Z';
	}
	return 0;
}

sub run {
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		setsid();
		exec @_;
		die "cannot run $_[0]: $!";
	}
	waitpid $pid, 0;
	my $status = $?;
	for (1 .. 600) {
		last if !session_lives($pid);
		select undef, undef, undef, 0.02;
	}
	return WIFSIGNALED($status) ? 128 + WTERMSIG($status) : WEXITSTATUS($status);
}

if ($mode eq 'run' && @ARGV >= 4) {
	my ($call, $nth, $what, @command) = @ARGV;
	exit run('strace', '-qq', '-o', '/dev/null', '-e', 'signal=none', '-e', "trace=$call",
		 '-e', "inject=$call:$what:when=$nth", @command);
} elsif ($mode eq 'list' && @ARGV >= 1) {
	my $trace = ($ENV{TMPDIR} // '/tmp') . "/break-point.$$";
	my $code = run('strace', '-qq', '-s', '0', '-o', $trace, '-e', 'signal=none', '-e',
		       'trace=' . known_calls(), @ARGV);
	open my $in, '<', $trace or die "$trace: $!";
	my $out;
	open $out, '>&=', 3 or $out = \*STDOUT;
	my (%count, %seen);
	while (my $line = <$in>) {
		my ($call) = $line =~ /^([a-z0-9_]+)\(/ or next;
		my $n = ++$count{$call};
		next if $line =~ /= -1 E[A-Z0-9]+ /;
		next if $call =~ /^open/ && $line !~ /O_CREAT|O_TRUNC/;
		next if $call =~ /^writev?$/ && $line =~ /^[a-z]+\([12],/;
		print $out "$call $n\n" unless $seen{"$call $n"}++;
	}
	unlink $trace;
	exit $code;
}
print STDERR "usage: break-point.pl (list | run CALL N WHAT) COMMAND [ARG...]\n";
exit 129;
