#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# pg-proxy: stands between clients and a PostgreSQL server, and breaks connections at their COMMIT.
#
#	pg-proxy.pl LISTEN SERVER CONTROL
#
# LISTEN and SERVER are paths of unix sockets. CONTROL is a file whose one line says what to do; it is
# read again each time that something happens:
#
#	pass		hand everything on; "pass then drop" and so on: from the second COMMIT on
#	drop		at a COMMIT: close both sides, do not hand it on
#	swallow		at a COMMIT: hand it on, wait for the answer, close the client's side instead
#	deaf		at a COMMIT: hand it on, close the client's side, leave the server's open
#	starting N	tell the next N clients that the server is starting up
#	close		close every new connection at once
#
# What happened is appended to CONTROL.log, a word a line: connect, commit. After a COMMIT the mode is
# pass, or where "then close" followed, close.
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;

my ($listen_path, $server_path, $control) = @ARGV;
die "usage: pg-proxy.pl LISTEN SERVER CONTROL\n" if @ARGV != 3;
$SIG{PIPE} = 'IGNORE';
unlink $listen_path;
my $listener = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $listen_path, Listen => 16)
	or die "$listen_path: $!";
chmod 0777, $listen_path;
my $select = IO::Select->new($listener);
my (%other, %is_client, %swallow, @deaf);

sub mode {
	open my $in, '<', $control or return 'pass';
	my $line = <$in> // 'pass';
	chomp $line;
	return $line;
}

sub set_mode {
	open my $out, '>', "$control.tmp" or die;
	print $out "$_[0]\n";
	close $out;
	rename "$control.tmp", $control;
}

sub note {
	open my $out, '>>', "$control.log" or die;
	print $out "$_[0]\n";
}

sub drop {
	my ($socket) = @_;
	return if !$socket;
	$select->remove($socket);
	delete $other{$socket};
	delete $swallow{$socket};
	close $socket;
}

sub hand_on {
	my ($socket, $data) = @_;
	while (length $data) {
		my $n = syswrite $socket, $data;
		return 0 if !defined $n;
		substr $data, 0, $n, '';
	}
	return 1;
}

sub start_up {
	my ($client) = @_;
	my $fields = "SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0";
	sysread $client, my $startup, 65536;
	hand_on($client, 'E' . pack('N', length($fields) + 4) . $fields);
	close $client;
}

while (1) {
	for my $socket ($select->can_read) {
		my $mode = mode();
		if ($socket == $listener) {
			my $client = $listener->accept or next;
			note('connect');
			if ($mode eq 'close') {
				close $client;
				next;
			}
			if ($mode =~ /^starting (\d+)$/ && $1 > 0) {
				start_up($client);
				set_mode('starting ' . ($1 - 1));
				next;
			}
			my $server = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $server_path);
			if (!$server) {
				close $client;
				next;
			}
			$other{$client} = $server;
			$other{$server} = $client;
			$is_client{$client} = 1;
			delete $is_client{$server};
			$select->add($client, $server);
			next;
		}
		next if !$select->exists($socket); # gone in this round
		my $there = $other{$socket};
		my $data;
		if (!sysread $socket, $data, 65536) {
			drop($there);
			drop($socket);
			next;
		}
		if ($swallow{$socket}) {
			drop($there);
			drop($socket);
			next;
		}
		if ($is_client{$socket} && $data =~ /COMMIT\0/ && $mode =~ /^pass then (.*)$/) {
			set_mode($1);
		} elsif ($is_client{$socket} && $data =~ /COMMIT\0/ && $mode =~ /^(drop|swallow|deaf)( then close)?$/) {
			my ($how, $then) = ($1, $2);
			note('commit');
			set_mode($then ? 'close' : 'pass');
			if ($how eq 'drop') {
				drop($there);
				drop($socket);
				next;
			}
			hand_on($there, $data);
			if ($how eq 'deaf') {
				$select->remove($there);
				push @deaf, $there; # stays open, and nobody reads
				drop($socket);
			} else {
				$swallow{$there} = 1;
			}
			next;
		}
		hand_on($there, $data) or drop($there), drop($socket);
	}
}
