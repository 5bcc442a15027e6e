# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib-faults: stopping commands exactly where a test wants them, and breaking them there. Source it
# after test-lib.sh, and after lib-pg.sh where there is a database. As wait_until does, all of it waits for what can be seen, and for no time that is
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
#
# For each of a command's points everything is set up anew, and the command is broken there:
#
#	keep_as_base, restore_base	what is set up: the database, as $base, and the folder, as
#				../base; scripts without a database have functions of their own
#	choose_points FILTER [--git] COMMAND...	runs it unbroken, which must end well, and takes the
#				points that sed's FILTER prints of those that break_list lists. Of
#				these $TEST_BREAK_POINTS are tried, evenly spread (default: 9), or all
#	try_points WHAT CHECK COMMAND...	breaks it at each; CHECK, a function, is run with the exit
#				code in $code, the output in out and err; all must hold
#	tell_figures		after the test: how many held, and how many were reached

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

base=${db_name:+${db_name}_base}

keep_as_base () {
	wait_alone && db_copy "$db_name" "$base" &&
	rm -rf ../base && cp -R . ../base
}

restore_base () {
	db_copy "$base" "$db_name" &&
	cd .. && rm -rf "$TRASH_DIRECTORY" && cp -R base "$TRASH_DIRECTORY" &&
	cd "$TRASH_DIRECTORY" || return
}

choose_points () {	# filter of points, command
	filter_=$1
	shift
	keep_as_base &&
	break_list "$@" 3>"$TEST_ROOT/listed" >"$TEST_ROOT/out" 2>&1 &&
	sed -n "$filter_" "$TEST_ROOT/listed" >"$TEST_ROOT/points" &&
	awk -v most="${TEST_BREAK_POINTS:-9}" -v all="$(wc -l <"$TEST_ROOT/points")" '
		BEGIN { if (most == "all" || most > all) most = all }
		# The last ones count more: there the decision falls.
		int(NR * most / all) != int((NR - 1) * most / all)
	' "$TEST_ROOT/points" >"$TEST_ROOT/todo" &&
	test -s "$TEST_ROOT/todo"
}

try_points () {	# what to inject, check, command
	inject_=$1 check_=$2 tried_=0 held_=0 broken_=0
	shift 2
	while read -r call_ nth_ kind_
	do
		tried_=$((tried_ + 1))
		restore_base || return
		code=0
		break_run "$call_" "$nth_" "$inject_" "$@" >"$TEST_ROOT/out" 2>"$TEST_ROOT/err" </dev/null ||
			code=$?
		test "$code" = 0 || broken_=$((broken_ + 1))
		if ($check_) >"$TEST_ROOT/check.log" 2>&1 4>&1
		then
			held_=$((held_ + 1))
		else
			echo "does not hold: $inject_ at $call_ $nth_ (exit $code)"
			cat "$TEST_ROOT/out" "$TEST_ROOT/err" "$TEST_ROOT/check.log"
		fi
	done <"$TEST_ROOT/todo"
	echo "$held_ of $tried_ points held, of $(wc -l <"$TEST_ROOT/points"); $broken_ ended the command" \
		>"$TEST_ROOT/figures"
	test "$tried_" -gt 0 && test "$held_" = "$tried_"
}

# What a body prints is not seen unless it fails.
tell_figures () {
	test ! -f "$TEST_ROOT/figures" || say "$(cat "$TEST_ROOT/figures")"
	rm -f "$TEST_ROOT/figures"
}
