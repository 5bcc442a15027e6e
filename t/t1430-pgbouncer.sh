#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='through PgBouncer'
. ./test-lib.sh

# Debian keeps it in /usr/sbin, which test-env.sh has put into PATH.
if ! command -v pgbouncer >/dev/null
then
	skip_all='pgbouncer is not installed'
	test_done
fi

. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-faults.sh
. "$TEST_DIRECTORY"/lib-tables.sh

pooler=$TEST_PG_ROOT/$test_number-pooler

# PgBouncer refuses to be root, as the server does.
pooler_start () {	# pool mode, further settings
	mkdir -p "$pooler" && chmod 755 "$pooler" &&
	cat >"$pooler/ini" <<-END &&
	[databases]
	* = host=$pg_host port=$PG_PORT user=$PG_SUPERUSER
	[pgbouncer]
	listen_addr =
	listen_port = 6432
	unix_socket_dir = $pooler
	auth_type = any
	admin_users = admin
	logfile = $pooler/log
	pidfile = $pooler/pid
	pool_mode = $1
	default_pool_size = 4
	${2-}
	END
	{ test "$(id -u)" != 0 || chown -R "$(pg_server_user)" "$pooler"; } &&
	{
		pg_as_server "$(command -v pgbouncer)" "$pooler/ini" </dev/null >/dev/null 2>&1 &
	} &&
	wait_until test -S "$pooler/.s.PGSQL.6432" -a -s "$pooler/pid"
}

pooler_stop () {
	test ! -s "$pooler/pid" || {
		pooler_pid=$(cat "$pooler/pid")
		pg_as_server kill "$pooler_pid"
		wait_until pooler_is_gone
	}
	rm -rf "$pooler"
}

pooler_is_gone () {
	! pg_as_server kill -0 "$pooler_pid" 2>/dev/null
}
test_atexit pooler_stop

use_pooler () {
	DATABASE_URL="postgres:///$db_name?host=$pooler&port=6432&user=$PG_SUPERUSER"
}

through_pooler () {	# SQL
	printf '%s\n' "$1" | "$PG_BINDIR"/psql -XAtq -v ON_ERROR_STOP=1 -h "$pooler" -p 6432 \
		-U "$PG_SUPERUSER" -d "$db_name" -f -
}

# A database must not have connections of the pooler while it is dropped: it is made anew each time.
set_up () {	# pool mode, further settings
	pooler_stop && pg_use && db_reset && rm -rf .git migrations ../clone && git init -q . &&
	for n in 1 2 3
	do
		migration "00$n" "CREATE TABLE t$n (a int);" "DROP TABLE t$n;" || return
	done
	git add . && git commit -q -m migrations && git clone -q . ../clone &&
	pooler_start "$@" && use_pooler
}

outside_script () {
	migration 003 "CREATE INDEX CONCURRENTLY t1_a ON t1 (a);" "DROP INDEX CONCURRENTLY t1_a;"
}

# On none of the pooler's connections to the server, which are all idle by now.
nothing_stays_behind () {
	wait_sql "SELECT count(*) = 0 FROM pg_stat_activity
		WHERE datname = '$db_name' AND state <> 'idle' AND pid <> pg_backend_pid()" &&
	db_sql "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
		WHERE d.datname = '$db_name' AND l.pid <> pg_backend_pid()" >actual &&
	echo 0 >expect && test_cmp expect actual &&
	db_sql "SELECT count(*) > 0 FROM pg_stat_activity
		WHERE datname = '$db_name' AND pid <> pg_backend_pid()" >actual &&
	echo t >expect && test_cmp expect actual &&
	for i in 1 2 3 4 5 6
	do
		through_pooler "SELECT name, setting FROM pg_settings WHERE name IN ('lock_timeout',
			'statement_timeout', 'idle_in_transaction_session_timeout', 'search_path',
			'client_connection_check_interval') ORDER BY name;
			SELECT count(*) FROM pg_prepared_statements;
			SELECT session_user, current_user;" >settings || return
		cat >expect <<-\END
		client_connection_check_interval|0
		idle_in_transaction_session_timeout|0
		lock_timeout|0
		search_path|"$user", public
		statement_timeout|0
		0
		postgres|postgres
		END
		test_cmp expect settings || return
	done
}

test_expect_success 'transaction pooling: apply, status and rollback' '
	set_up transaction &&
	git config rollback.migrations.lockTimeout 7s &&
	migration 002 "SET search_path = pg_catalog; SET ROLE pg_monitor; RESET ROLE; SET lock_timeout = 5;
		CREATE TABLE public.t2 (a int);" "SET search_path = nowhere; DROP TABLE public.t2;" &&
	git apply-migration && is "t1 t2 t3" && nothing_stays_behind &&
	git migration-status --check >out && test_grep "003 step (applied" out &&
	git rollback-db --last 2 --yes >out && test_grep "Proven" out &&
	is t1 && nothing_stays_behind &&
	git apply-migration --single-transaction && is "t1 t2 t3" &&
	git rollback-db --all --rehearse && git rollback-db --all --yes && is "" &&
	nothing_stays_behind && journal_is_settled
'

test_expect_success 'rows are saved and put back through a pooler' '
	set_up transaction && git apply-migration &&
	db_sql "INSERT INTO t2 SELECT generate_series(1, 5000)" &&
	git rollback-db --last 2 --yes >out && test_grep "Proven" out && is t1 && nothing_stays_behind &&
	git rollback-db --undo --yes >out && test_grep "Proven" out && is "t1 t2 t3" &&
	test "$(db_sql "SELECT count(*), sum(a) FROM t2")" = "5000|12502500" &&
	nothing_stays_behind && journal_is_settled
'

test_expect_success 'a failing script, and a signal, leave nothing behind' '
	test_when_finished "gate_open 7" &&
	set_up transaction &&
	migration 002 "SET search_path = pg_catalog; CREATE TABLE public.t2 (a int); SELECT 1/0" "DROP TABLE t2" &&
	test_expect_code 128 git apply-migration 2>err && test_grep "division by zero" err &&
	is t1 && nothing_stays_behind &&
	migration 002 "CREATE TABLE t2 (a int); SELECT pg_advisory_xact_lock(7);" "DROP TABLE t2" &&
	gate_close 7 && in_background first git-apply-migration && gate_reached 7 &&
	kill -TERM $(background_pid first) && test "$(background_code first)" = 130 &&
	gate_open 7 && is t1 && nothing_stays_behind &&
	git apply-migration && is "t1 t2 t3"
'

test_expect_success 'the lock of a client that was killed does not stay' '
	test_when_finished "gate_open 7" &&
	set_up transaction &&
	migration 002 "CREATE TABLE t2 (a int); SELECT pg_advisory_xact_lock(7);" "DROP TABLE t2" &&
	gate_close 7 && in_background first git-apply-migration && gate_reached 7 &&
	kill -KILL $(background_pid first) && test "$(background_code first)" = 137 &&
	gate_open 7 &&
	wait_sql "SELECT count(*) = 0 FROM pg_stat_activity WHERE state <> '\''idle'\'' AND datname = '\''$db_name'\''
		AND pid <> pg_backend_pid()" &&
	is t1 && git apply-migration && is "t1 t2 t3" && nothing_stays_behind
'

for pair in "pooler pooler" "pooler direct" "direct pooler"
do
	one=${pair% *} two=${pair#* }
	test_expect_success "two runs exclude each other: $one, then $two" '
		test_when_finished "gate_open 7" &&
		set_up transaction && rm -rf ../clone &&
		migration 002 "CREATE TABLE t2 (a int); SELECT pg_advisory_xact_lock(7);" "DROP TABLE t2" &&
		git commit -q -a -m gate && git clone -q . ../clone &&
		gate_close 7 &&
		{ test $one = pooler || pg_use; } &&
		in_background first git-apply-migration && gate_reached 7 &&
		case $two in pooler) use_pooler ;; direct) pg_use ;; esac &&
		test_expect_code 2 git -C ../clone apply-migration 2>err &&
		test_grep "the database is being changed by another command: process [0-9]*, .git apply-migration" err &&
		test_expect_code 2 git -C ../clone rollback-db --last 1 --yes 2>err &&
		test_grep "the database is being changed by another command" err &&
		test "$(objects)" = t1 &&
		in_background second git -C ../clone apply-migration --wait=60 &&
		wait_until grep "waiting for" second.err &&
		gate_open 7 && test "$(background_code first)" = 0 &&
		is "t1 t2 t3" && test "$(background_code second)" = 2 &&
		test_grep "changed by another run since this plan was made" second.err &&
		use_pooler && nothing_stays_behind
	'
done

# One of them always comes through, though the other may hold the lock between two of its
# transactions, until it has seen that the database is not what it was.
test_expect_success 'ten races' '
	for i in 1 2 3 4 5 6 7 8 9 10
	do
		through_pooler "DROP TABLE IF EXISTS t1, t2, t3; TRUNCATE schema_migrations, schema_rollback_log" &&
		rm -f one.* two.* &&
		{
			in_background one git-apply-migration &
			in_background two git -C ../clone apply-migration && wait_until test -f one.pid
		} &&
		codes="$(background_code one) $(background_code two)" &&
		case $codes in
		"0 0" | "0 2" | "2 0") ;;
		*) cat one.err two.err && false ;;
		esac &&
		is "t1 t2 t3" &&
		db_sql "SELECT count(*) FROM schema_rollback_log" >actual &&
		echo 3 >expect && test_cmp expect actual || return
	done
'

for setting in "" "server_round_robin = 1"
do
	test_expect_success "transaction pooling: scripts outside a transaction are refused ($setting)" '
		set_up transaction "$setting" && outside_script &&
		git apply-migration --to 002 &&
		# With more than one connection to the server, chance must not decide.
		gate_close 7 &&
		for i in 1 2 3
		do
			{ through_pooler "BEGIN; SELECT pg_advisory_xact_lock_shared(7); COMMIT" & } || return
		done &&
		wait_sql "SELECT count(*) = 3 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
			WHERE datname = current_database() AND locktype = '\''advisory'\'' AND NOT granted" &&
		gate_open 7 &&
		test_expect_code 2 git apply-migration 2>err &&
		test_grep "cannot hold a lock through this connection pooler" err &&
		test_grep "in session mode" err &&
		is "t1 t2" && nothing_stays_behind && journal_is_settled &&
		pg_use && git apply-migration && test "$(objects)" = "t1 t1_a t2" &&
		use_pooler &&
		test_expect_code 2 git rollback-db --last 1 --yes 2>err &&
		test_grep "cannot hold a lock through this connection pooler" err &&
		test "$(objects)" = "t1 t1_a t2" && nothing_stays_behind
	'
done

test_expect_success 'session pooling: everything works' '
	set_up session && outside_script &&
	git apply-migration && test "$(objects)" = "t1 t1_a t2" &&
	git rollback-db --last 1 --yes && is "t1 t2" &&
	git rollback-db --all --yes && is "" && nothing_stays_behind
'

test_done
