# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib-faults: stopping commands exactly where a test wants them, and breaking them there. Source it
# after lib-pg.sh. As wait_until does, all of it waits for what can be seen, and for no time that is
# hoped to be enough.
#
#	wait_sql SQL [DATABASE]		until the query prints t
#	wait_alone [DATABASE]		until nobody else is connected
#	gate_close N			statements `SELECT pg_advisory_xact_lock(N)` wait from here on,
#	gate_open N			to here
#	gate_reached N			until somebody waits there
#					Gates are in the script's own database, as scripts run in parallel.
#	db_copy FROM TO			makes the database TO, whatever it was, a copy of FROM
#	in_background NAME COMMAND...	runs it, with its output in NAME.out and NAME.err
#	background_pid NAME		the process's id
#	background_code NAME		waits for its end, and prints its exit code
#	journal_is_settled		no operation is open in the journal
#	break_list, break_run		break-point.pl, to be used under the prerequisite STRACE

test_lazy_prereq STRACE 'strace -o /dev/null -e trace=none true'

sql_is_true () {
	test "$(db_sql "$1" "${2:-$db_name}")" = t
}

# The server may be away meanwhile.
wait_sql () {
	wait_until sql_is_true "$@" 2>/dev/null ||
		test_complain "waited for this in vain: $*"
}

wait_alone () {
	wait_sql "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = '${1:-$db_name}'
		AND backend_type = 'client backend'" postgres
}

# The one who sleeps has its lock by then.
gate_close () {
	{
		printf "SET application_name = 'gate %s';\n" "$1"
		printf 'SELECT pg_advisory_lock(%s);\nSELECT pg_sleep(600);\n' "$1"
	} | psql_db -f - >/dev/null 2>&1 &
	wait_sql "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = '$db_name'
		AND application_name = 'gate $1' AND query = 'SELECT pg_sleep(600);'" postgres
}

gate_open () {
	db_sql "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity
		WHERE datname = '$db_name' AND application_name = 'gate $1'" postgres >/dev/null &&
	wait_sql "SELECT count(*) = 0 FROM pg_stat_activity
		WHERE datname = '$db_name' AND application_name = 'gate $1'" postgres
}

gate_reached () {
	wait_sql "SELECT count(*) > 0 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
		WHERE datname = '$db_name' AND locktype = 'advisory' AND objid = $1 AND NOT granted" postgres
}

db_copy () {
	psql_at postgres -v from="$1" -v to="$2" -f - <<-\END
	SET client_min_messages = warning;
	DROP DATABASE IF EXISTS :"to" WITH (FORCE);
	SELECT current_setting('server_version_num')::int >= 150000 AS can_choose \gset
	\if :can_choose
	CREATE DATABASE :"to" TEMPLATE :"from" STRATEGY file_copy;
	\else
	CREATE DATABASE :"to" TEMPLATE :"from";
	\endif
	END
}

# A job of a shell without job control ignores SIGINT, and so would the command; nohup, SIGHUP.
in_background () {
	background_name_=$1
	shift
	rm -f "$background_name_.pid" "$background_name_.code"
	{
		perl -e '
			$SIG{INT} = $SIG{QUIT} = $SIG{HUP} = "DEFAULT";
			my $name = shift;
			my $pid = fork // die;
			if (!$pid) {
				open STDOUT, ">", "$name.out" or die;
				open STDERR, ">", "$name.err" or die;
				exec @ARGV;
				exit 127;
			}
			open my $out, ">", "$name.tmp" or die;
			print $out "$pid\n";
			close $out;
			rename "$name.tmp", "$name.pid";
			$SIG{INT} = "IGNORE";
			waitpid $pid, 0;
			my $code = $? & 127 ? 128 + ($? & 127) : $? >> 8;
			open $out, ">", "$name.tmp" or die;
			print $out "$code\n";
			close $out;
			rename "$name.tmp", "$name.code";
		' "$background_name_" "$@" </dev/null >/dev/null 2>&1 &
	}
	wait_until test -f "$background_name_.pid"
}

background_pid () {
	cat "$1.pid"
}

background_code () {
	wait_until test -f "$1.code" || return
	cat "$1.code"
}

journal_is_settled () {
	! grep -l '"state": "open"' "$(git rev-parse --git-common-dir)"/rollback/journal/*.json >&4
}

break_list () {
	"$TEST_DIRECTORY"/break-point.pl list "$@"
}

break_run () {
	"$TEST_DIRECTORY"/break-point.pl run "$@"
}
