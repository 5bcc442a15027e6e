# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# pg-cluster: throw-away PostgreSQL servers for tests and the demo. Only functions; source it.
#
#	pg_bindir			print the folder of the server's programs, or fail
#	pg_root_create			make a folder for clusters, and print its name
#	pg_cluster_create DIR [FROM]	initdb DIR, or copy the stopped cluster FROM
#	pg_cluster_start DIR [ARG...]	start it, with `-c name=value` and the like; waits until it answers
#	pg_cluster_stop DIR [MODE]	stop it (fast, or immediate, smart); no error when it is not running
#	pg_cluster_pid DIR		print the postmaster's process id, or fail
#	pg_root_remove ROOT		stop all clusters in ROOT, and remove it
#
# A cluster lives in DIR: data/, log, and the server's socket, so that clients connect with
# host=DIR port=$PG_PORT user=$PG_SUPERUSER. Nothing listens on a network. A socket's path may have
# 107 bytes: that is why pg_root_create uses /tmp, whatever TMPDIR says.
#
# PostgreSQL refuses to run as root. Root steps down to `postgres`, or else `nobody`, and DIR belongs
# to that user; so the folders above it are readable by everyone.

PG_PORT=5432
PG_SUPERUSER=postgres

pg_bindir () {
	pg_bindir_=${PG_BINDIR:-}
	if test -z "$pg_bindir_"
	then
		# Debian keeps each version's programs in a folder of its own: the newest.
		pg_bindir_=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -V | tail -n 1)
		pg_bindir_=${pg_bindir_%/postgres}
		test -x "$pg_bindir_/postgres" || pg_bindir_=$(pg_config --bindir 2>/dev/null)
	fi
	test -x "$pg_bindir_/postgres" && test -x "$pg_bindir_/initdb" && printf '%s\n' "$pg_bindir_"
}

pg_server_user () {
	if id postgres >/dev/null 2>&1
	then
		echo postgres
	else
		echo nobody
	fi
}

# Runs a program of the server's, in a folder that its user can enter. It gets no descriptor beyond
# the standard three: a server that holds the write end of prove's pipe makes prove wait for it.
pg_as_server () (
	cd / || exit
	unset LD_PRELOAD
	if test "$(id -u)" != 0
	then
		exec "$@"
	fi 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
	user=$(pg_server_user)
	if command -v setpriv >/dev/null
	then
		exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"
	else
		exec runuser -u "$user" -- "$@"
	fi 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
)

pg_root_create () {
	pg_root_=$(mktemp -d /tmp/git-rollback.XXXXXX) &&
	chmod 755 "$pg_root_" &&
	printf '%s\n' "$pg_root_"
}

pg_cluster_create () {
	mkdir -p "$1" && chmod 755 "$1" || return
	if test -n "${2:-}"
	then
		cp -a "$2/data" "$1/data" || return
	fi
	test "$(id -u)" != 0 || chown "$(pg_server_user)" "$1" || return
	test -z "${2:-}" || return 0

	# No locale, so that sorting is the same everywhere. Nothing is synced: the data is worth nothing.
	pg_as_server "$(pg_bindir)/initdb" -N -A trust --no-locale -E UTF8 -U "$PG_SUPERUSER" \
		-D "$1/data" >"$1.initdb.log" 2>&1 </dev/null || {
		cat "$1.initdb.log" >&2
		return 1
	}
	rm -f "$1.initdb.log"
	cat >>"$1/data/postgresql.conf" <<-END
	listen_addresses = ''
	unix_socket_directories = '$1'
	port = $PG_PORT
	max_connections = 60
	fsync = off
	full_page_writes = off
	autovacuum = off
	timezone = 'UTC'
	log_timezone = 'UTC'
	log_line_prefix = '%m [%p] %q%a %d '
	END
}

pg_cluster_start () {
	pg_dir_=$1
	shift
	pg_tries_=0
	# After a crash, what is left of the server that was killed may take a moment to go: its children
	# hold the shared memory, and a process that nobody has waited for yet holds the lock file.
	until pg_cluster_try_start "$@"
	do
		if test $((pg_tries_ += 1)) -lt 50 &&
			grep -q -e 'shared memory block' -e 'lock file ".*" already exists' "$pg_dir_.start.log"
		then
			sleep 0.2
			continue
		fi
		cat "$pg_dir_.start.log" >&2
		return 1
	done
	rm -f "$pg_dir_.start.log"
}

# A copied cluster has the socket folder of the one it was copied from: the last setting counts. The
# log is opened by the server's user, who owns the folder.
pg_cluster_try_start () {
	pg_logged_=0
	test ! -f "$pg_dir_/log" || pg_logged_=$(wc -l <"$pg_dir_/log")
	pg_as_server sh -c '
		dir=$1 pg_ctl=$2
		shift 2
		options="-c unix_socket_directories=$dir"
		for arg
		do
			options="$options '\''$arg'\''"
		done
		exec "$pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 -s -o "$options" start
	' sh "$pg_dir_" "$(pg_bindir)/pg_ctl" "$@" </dev/null >"$pg_dir_.start.log" 2>&1 && return
	test ! -f "$pg_dir_/log" || tail -n "+$((pg_logged_ + 1))" "$pg_dir_/log" >>"$pg_dir_.start.log"
	return 1
}

pg_cluster_pid () {
	test -f "$1/data/postmaster.pid" && sed -n 1p "$1/data/postmaster.pid" 2>/dev/null
}

pg_cluster_stop () {
	# A server that was killed leaves its pid file.
	pg_pid_=$(pg_cluster_pid "$1") && pg_as_server kill -0 "$pg_pid_" 2>/dev/null || return 0
	pg_as_server "$(pg_bindir)/pg_ctl" -D "$1/data" -m "${2:-fast}" -w -t 60 -s stop \
		>/dev/null 2>&1 </dev/null || ! "$(pg_bindir)/pg_isready" -q -h "$1" -p "$PG_PORT"
}

pg_root_remove () {
	for pg_data_ in "$1"/*/data
	do
		pg_cluster_stop "${pg_data_%/data}" immediate
	done
	rm -rf "$1"
}
