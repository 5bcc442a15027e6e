#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='connections: made, refused, lost, and what a transaction sets'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-faults.sh
. "$TEST_DIRECTORY"/lib-tables.sh

has_refs () {	# of those versions
	git for-each-ref --format='%(refname)' refs/rollback/applied | cut -d / -f 4 >refs &&
	test "$(tr '\n' ' ' <refs)" = "$1 " || test_complain "refs are: $(cat refs)"
}

# The first of three is applied.
set_up () {	# SQL beside the second's, up and down
	db_reset && rm -rf .git migrations && git init -q . &&
	for n in 1 2 3
	do
		migration "00$n" "CREATE TABLE t$n (a int);" "DROP TABLE t$n;" || return
	done
	git apply-migration --next &&
	migration 002 "CREATE TABLE t2 (a int); ${1-}" "${2-} DROP TABLE t2;"
}

gate='SELECT pg_advisory_xact_lock(7);'

# ---- The server goes away ----------------------------------------------------------------------------

pg_start_private_cluster own || test_bug "cannot start a server"

server_dies () {
	pg_stop own immediate && test "$(background_code run)" = 128 &&
	test_grep "lost the connection to database" run.err &&
	test_expect_code 128 git migration-status 2>err && test_grep "could not connect" err &&
	pg_start_private_cluster own
}

backend_dies () {
	db_sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name LIKE 'git %' AND pid <> pg_backend_pid()" &&
	test "$(background_code run)" = 128 &&
	test_grep "lost the connection to database" run.err && gate_open 7
}

for death in server_dies backend_dies
do
	test_expect_success "$death in the middle of apply" '
		set_up "$gate" && gate_close 7 &&
		in_background run git-apply-migration && gate_reached 7 &&
		$death && is t1 &&
		git migration-status 2>err && test_grep "git apply-migration.* was not finished" err &&
		git apply-migration 2>err && test_grep "its journal entry is settled" err &&
		is "t1 t2 t3" && has_refs "001 002 003" && journal_is_settled
	'

	test_expect_success "$death in the middle of a rollback" '
		set_up "" "$gate" && git apply-migration && gate_close 7 &&
		in_background run git-rollback-db --all --yes && gate_reached 7 &&
		$death && is "t1 t2 t3" &&
		git migration-status 2>err && test_grep "git rollback-db.* was not finished" err &&
		git rollback-db --all --yes && is "" && journal_is_settled
	'

	# A trigger that waits for the end of the transaction stops it inside COMMIT.
	test_expect_success "$death in COMMIT" '
		set_up "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS \$\$
				BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END \$\$;
			CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON t2 DEFERRABLE INITIALLY DEFERRED
				FOR EACH ROW EXECUTE FUNCTION wait();
			INSERT INTO t2 VALUES (1);" &&
		gate_close 7 &&
		in_background run git-apply-migration && gate_reached 7 &&
		db_sql "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = '\''COMMIT'\'' AND state = '\''active'\''" >actual &&
		echo 1 >expect && test_cmp expect actual &&
		{ test $death = backend_dies || pg_stop own immediate; } &&
		if test $death = backend_dies
		then
			$death && test_grep "002 was rolled back: lost the connection" run.err
		else
			test "$(background_code run)" = 128 &&
			test_grep "it is not known whether 002 was committed" run.err &&
			pg_start_private_cluster own
		fi &&
		is t1 &&
		git apply-migration && is "t1 t2 t3" && has_refs "001 002 003" && journal_is_settled
	'
done

# ---- The network is cut at COMMIT --------------------------------------------------------------------

# With proof, the first COMMIT would be that of reading the catalog.

pg_use

proxy_dir=$TEST_PG_ROOT/$test_number-proxy

proxy () {	# what it is to do; then the connection string that goes through it
	mkdir -p "$proxy_dir" && chmod 755 "$proxy_dir" && rm -f "$proxy_dir/control.log" &&
	echo "$1" >"$proxy_dir/control" &&
	if ! test -f "$proxy_dir/pid"
	then
		"$TEST_DIRECTORY"/pg-proxy.pl "$proxy_dir/.s.PGSQL.$PG_PORT" "$pg_host/.s.PGSQL.$PG_PORT" \
			"$proxy_dir/control" </dev/null >>"$TEST_ROOT/proxy" 2>&1 &
		echo $! >"$proxy_dir/pid"
		wait_until test -S "$proxy_dir/.s.PGSQL.$PG_PORT"
	fi
}

proxy_stop () {
	test ! -f "$proxy_dir/pid" || kill "$(cat "$proxy_dir/pid")"
}
test_atexit proxy_stop

through_proxy () {
	DATABASE_URL="postgres:///$db_name?host=$proxy_dir&port=$PG_PORT&user=$PG_SUPERUSER" "$@"
}

test_expect_success 'the proxy is none for a pooler, and all goes well through it' '
	set_up && proxy pass &&
	through_proxy git apply-migration --no-proof && is "t1 t2 t3" &&
	through_proxy git rollback-db --no-proof --all --yes && is ""
'

test_expect_success 'cut before COMMIT arrives: rolled back' '
	set_up && proxy drop &&
	test_expect_code 128 through_proxy git apply-migration --no-proof 2>err &&
	test_grep "002 was rolled back" err &&
	is t1 && git migration-status 2>err && test_must_be_empty err &&
	proxy drop && git apply-migration &&
	test_expect_code 128 through_proxy git rollback-db --no-proof --all --yes 2>err &&
	test_grep "the rollback was rolled back" err &&
	is "t1 t2 t3"
'

test_expect_success 'cut before the answer of COMMIT arrives: committed' '
	set_up && proxy swallow &&
	test_expect_code 128 through_proxy git apply-migration --no-proof >out 2>err &&
	test_grep "lost at the commit of 002, and the server says it is done" err &&
	test_grep "lost the connection after migration .002. was committed" err &&
	test_grep "002 step" out && test_grep ! "003 step" out &&
	is "t1 t2" && has_refs "001 002" && journal_is_settled &&
	git migration-status 2>err && test_must_be_empty err &&
	proxy swallow &&
	through_proxy git apply-migration --no-proof >out 2>err &&
	test_grep "lost at the commit of 003, and the server says it is done" err &&
	test_grep "003 step" out && is "t1 t2 t3" && has_refs "001 002 003" && journal_is_settled &&
	proxy swallow &&
	through_proxy git rollback-db --no-proof --last 2 --yes 2>err &&
	test_grep "lost at the commit of the rollback, and the server says it is done" err &&
	is t1 && journal_is_settled
'

test_expect_success 'a rollback script: the log tells what became of it' '
	set_up && git apply-migration && echo "DROP TABLE t3;" >undo.sql && proxy drop &&
	test_expect_code 128 through_proxy git rollback-db --no-proof --script undo.sql --yes 2>err &&
	test_grep "was rolled back: lost the connection" err && test "$(objects)" = "t1 t2 t3" &&
	proxy swallow &&
	through_proxy git rollback-db --no-proof --script undo.sql --yes >out 2>err &&
	test_grep "and the server says it is done" err && test_grep "^ran undo.sql" out &&
	test "$(objects)" = "t1 t2" && journal_is_settled
'

# While COMMIT runs, the answer to our question is "in progress".
test_expect_success 'cut while COMMIT still runs: the outcome is waited for' '
	test_when_finished "gate_open 7" &&
	set_up "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS \$\$
			BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END \$\$;
		CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON t2 DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW EXECUTE FUNCTION wait();
		INSERT INTO t2 VALUES (1);" &&
	gate_close 7 && proxy deaf &&
	DATABASE_URL="postgres:///$db_name?host=$proxy_dir&port=$PG_PORT&user=$PG_SUPERUSER" \
		in_background run git-apply-migration --no-proof --next &&
	gate_reached 7 &&
	wait_sql "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '\''%pg_locks%'\''
		AND pid <> pg_backend_pid()" &&
	gate_open 7 &&
	test "$(background_code run)" = 0 &&
	test_grep "the server says it is done" run.err &&
	is "t1 t2" && has_refs "001 002" && journal_is_settled
'

for how in drop swallow
do
	test_expect_success "cut at COMMIT ($how), and no way back to the server" '
		set_up && proxy "$how then close" &&
		test_expect_code 128 through_proxy git apply-migration --no-proof 2>err &&
		test_grep "it is not known whether 002 was committed" err &&
		test_grep "the next command finds it out" err &&
		case $how in drop) now=t1 ;; swallow) now="t1 t2" ;; esac &&
		wait_alone && is "$now" && has_refs 001 &&
		git migration-status 2>err && test_grep "was not finished" err &&
		git apply-migration --next 2>err && test_grep "its journal entry is settled" err &&
		case $how in drop) has_refs "001 002" ;; swallow) has_refs "001 002 003" ;; esac &&
		journal_is_settled
	'
done

# ---- Rows that go ------------------------------------------------------------------------------------

saved_folders () {
	find .git/rollback/saved -mindepth 1 -maxdepth 1 -type d | wc -l
}

sum_of_rows () {
	db_sql "SELECT count(*), sum(a) FROM t2"
}

with_rows () {
	set_up "" "${1-}" && git apply-migration --no-proof &&
	db_sql "INSERT INTO t2 SELECT generate_series(1, 5000)"
}

test_expect_success 'backend_dies when rows are saved and not yet gone: they stay, and nothing else is kept' '
	with_rows "$gate" && gate_close 7 &&
	in_background run git-rollback-db --no-proof --last 2 --yes && gate_reached 7 &&
	test "$(saved_folders)" = 1 && backend_dies &&
	is "t1 t2 t3" && test "$(sum_of_rows)" = "5000|12502500" &&
	git rollback-db --no-proof --last 2 --yes && is t1 && test "$(saved_folders)" = 1 &&
	git rollback-db --undo --yes && test "$(sum_of_rows)" = "5000|12502500" && journal_is_settled
'

test_expect_success 'cut at COMMIT when rows go: they stay, or can be put back' '
	with_rows && proxy drop &&
	test_expect_code 128 through_proxy git rollback-db --no-proof --last 2 --yes 2>err &&
	test_grep "the rollback was rolled back" err &&
	is "t1 t2 t3" && test "$(sum_of_rows)" = "5000|12502500" && test "$(saved_folders)" = 0 &&
	proxy swallow &&
	through_proxy git rollback-db --no-proof --last 2 --yes 2>err &&
	test_grep "the server says it is done" err && is t1 &&
	proxy "pass then drop" &&
	test_expect_code 128 through_proxy git rollback-db --undo --yes 2>err &&
	test_grep "was rolled back" err && is t1 &&
	proxy "pass then swallow" &&
	through_proxy git rollback-db --undo --yes 2>err && test_grep "the server says it is done" err &&
	is "t1 t2 t3" && test "$(sum_of_rows)" = "5000|12502500" && journal_is_settled
'

test_expect_success 'cut at COMMIT when rows go, and no way back: the next command knows' '
	with_rows && proxy "swallow then close" &&
	test_expect_code 128 through_proxy git rollback-db --no-proof --last 2 --yes 2>err &&
	test_grep "it is not known whether" err && wait_alone && is t1 &&
	git rollback-db --undo --yes && is "t1 t2 t3" &&
	test "$(sum_of_rows)" = "5000|12502500" && journal_is_settled
'

# ---- Attempts ----------------------------------------------------------------------------------------

attempts () {
	grep -c connect "$proxy_dir/control.log"
}

test_expect_success 'a server that starts up is tried three times' '
	set_up && proxy "starting 2" &&
	through_proxy git migration-status && test "$(attempts)" = 3 &&
	proxy "starting 9" &&
	test_expect_code 128 through_proxy git migration-status 2>err &&
	test_grep "the database system is starting up" err && test "$(attempts)" = 3
'

test_expect_success 'a server that closes the connection is tried three times' '
	proxy close &&
	test_expect_code 128 through_proxy git migration-status 2>err &&
	test_grep "could not connect to database" err && test "$(attempts)" = 3
'

test_expect_success STRACE 'a server that is not there is tried three times, with pauses' '
	began=$(date +%s%N) &&
	DATABASE_URL="postgres:///$db_name?host=$TEST_ROOT/nothing" \
		test_expect_code 128 test_strace -o calls -e trace=connect git-migration-status 2>err &&
	test $(($(date +%s%N) - began)) -ge 1000000000 &&
	grep -F "$TEST_ROOT/nothing" calls >tries && test_line_count = 3 tries &&
	DATABASE_URL="postgres://127.0.0.1:1/$db_name" \
		test_expect_code 128 test_strace -o calls -e trace=connect git-migration-status 2>err &&
	test_grep "Connection refused" err &&
	grep "htons(1)" calls >tries && test_line_count = 3 tries
'

# How often the server's log has the words, in the lines since `logged`.
said () {
	tail -n "+$((logged + 1))" "$pg_host/log" | grep -c "FATAL: .*$1"
}

test_expect_success 'too many connections: three times; unknown database or role: once' '
	db_sql "CREATE ROLE ${db_name}_none LOGIN CONNECTION LIMIT 0" &&
	test_when_finished "db_sql \"DROP ROLE ${db_name}_none\"" &&
	logged=$(wc -l <"$pg_host/log") &&
	DATABASE_URL="postgres:///$db_name?host=$pg_host&user=${db_name}_none" \
		test_expect_code 128 git migration-status 2>err &&
	test_grep "too many connections" err &&
	test "$(said "too many connections for role \"${db_name}_none\"")" = 3 &&
	DATABASE_URL=$(db_url ${db_name}_nowhere) test_expect_code 128 git migration-status 2>err &&
	test_grep "does not exist" err &&
	test "$(said "database \"${db_name}_nowhere\" does not exist")" = 1 &&
	DATABASE_URL="postgres:///$db_name?host=$pg_host&user=${db_name}_nobody" \
		test_expect_code 128 git migration-status 2>err &&
	test "$(said "role \"${db_name}_nobody\" does not exist")" = 1
'

test_expect_success 'a signal ends the attempts' '
	proxy "starting 99" &&
	DATABASE_URL="postgres:///$db_name?host=$proxy_dir&port=$PG_PORT&user=$PG_SUPERUSER" \
		in_background run git-apply-migration &&
	wait_until grep connect "$proxy_dir/control.log" &&
	kill -TERM $(background_pid run) &&
	test "$(background_code run)" = 130
'

# ---- Passwords ---------------------------------------------------------------------------------------

secret=hunter2secret

test_expect_success 'a server that asks for a password' '
	pg_use own &&
	db_sql "SET password_encryption = '\''scram-sha-256'\''; CREATE ROLE app LOGIN SUPERUSER PASSWORD '\''$secret'\''" &&
	hba=$(pg_dir own)/data/pg_hba.conf &&
	{ echo "local all app scram-sha-256" && cat "$hba"; } >hba && cat hba >"$hba" &&
	db_sql "SELECT pg_reload_conf()" &&
	wait_sql "SELECT count(*) = 1 FROM pg_hba_file_rules WHERE auth_method = '\''scram-sha-256'\''" &&
	set_up
'

test_expect_success 'a wrong password is tried once' '
	logged=$(wc -l <"$pg_host/log") &&
	DATABASE_URL="postgres://app:wrong$secret@/$db_name?host=$pg_host" \
		test_expect_code 128 git migration-status 2>err &&
	test_grep "password authentication failed" err && test_grep ! "$secret" err &&
	test "$(said "password authentication failed")" = 1
'

everything_fails_quietly () {
	for url in \
		"postgres://app:$secret@/nowhere?host=$pg_host" \
		"postgres://app:$secret@/$db_name?host=$TEST_ROOT/nothing" \
		"postgres://app:$secret@/$db_name?host=$pg_host&nonsense=1" \
		"postgres://app:$secret@localhost:notaport/$db_name" \
		"host=$pg_host user=app password=$secret nonsense" \
		"host=$pg_host user=app password=$secret dbname='" \
		"host=$pg_host user=app password=$secret dbname=nowhere"
	do
		DATABASE_URL=$url test_expect_code 128 git apply-migration -v >>told 2>&1 || return
	done
}

test_expect_success 'the password is never shown, nor kept' '
	>told &&
	everything_fails_quietly &&
	test_line_count -ge 7 told &&
	DATABASE_URL="postgres://app:$secret@/$db_name?host=$pg_host" &&
	migration 002 "CREATE TABLE t2 (a int); SELECT 1/0;" "DROP TABLE t2;" &&
	test_expect_code 128 git apply-migration -v >>told 2>&1 &&
	migration 002 "CREATE TABLE t2 (a int); SELECT 1;" "DROP TABLE t2;" &&
	git apply-migration -v >>told 2>&1 &&
	git migration-status -v --json >>told 2>&1 &&
	git rollback-db --all --yes --json >>told 2>&1 &&
	git apply-migration -v >>told 2>&1 &&
	test_grep ! "$secret" told &&
	! grep -r "$secret" .git &&
	db_sql "SELECT count(*) FROM schema_rollback_log l WHERE l::text LIKE '\''%$secret%'\''" >actual &&
	echo 0 >expect && test_cmp expect actual &&
	pg_use own
'

# ---- Connection strings ------------------------------------------------------------------------------

connects () {
	git migration-status >out 2>err && test_grep "001 step (applied" out
}

# libpq quotes what it does not understand of a string, and there the password would be.
test_expect_success 'no part of a password is shown where the string is not valid' '
	set_up &&
	for string in \
		"host=$pg_host password=my hunter2" \
		"postgres://u:pass@hunter2@host/x" \
		"postgres://u:hunter2/x@host/x" \
		"postgres://u:%zzhunter2@host/x"
	do
		DATABASE_URL=$string test_expect_code 128 git migration-status >out 2>&1 &&
		test_grep "connection string of database .default. is not valid" out &&
		test_grep ! hunter out || return
	done
'

test_expect_success 'connect_timeout counts, where nobody answers' '
	set_up &&
	write_script silent "$(command -v perl)" <<-\END &&
	use IO::Socket::UNIX;
	my $s = IO::Socket::UNIX->new(Local => "$ARGV[0]/.s.PGSQL.5432", Listen => 5) or die;
	open my $ready, ">", "$ARGV[0]/ready";
	sleep 600;
	END
	socket=$(mktemp -d /tmp/silent-XXXXXX) && test_when_finished "rm -rf $socket" &&
	in_background silent ./silent "$socket" &&
	test_when_finished "kill $(background_pid silent)" &&
	wait_until test -e "$socket/ready" &&
	DATABASE_URL="postgres:///x?host=$socket&connect_timeout=1" \
		test_expect_code 128 timeout 60 git migration-status 2>err &&
	test_grep "timeout expired" err
'

test_expect_success 'every kind of connection string' '
	set_up && unset DATABASE_URL &&
	test_expect_code 128 git apply-migration 2>err && test_grep "no database is configured" err &&
	key=rollback.database.development.url &&
	git config $key "postgres://app:$secret@/$db_name?host=$pg_host" && connects &&
	git config $key "postgresql://app:$secret@/$db_name?host=$pg_host&port=$PG_PORT" && connects &&
	git config $key "host=$pg_host dbname=$db_name user=app password=$secret" && connects &&
	git config $key env:MY_DATABASE &&
	test_expect_code 128 git migration-status 2>err && test_grep MY_DATABASE err &&
	MY_DATABASE="host=$pg_host dbname=$db_name user=$PG_SUPERUSER" connects &&
	git config $key service=mine &&
	printf "[mine]\nhost=$pg_host\ndbname=$db_name\nuser=app\npassword=$secret\n" >"$HOME/services" &&
	PGSERVICEFILE="$HOME/services" connects &&
	PGSERVICEFILE="$HOME/nowhere" test_expect_code 128 git migration-status 2>err &&
	test_grep ! "$secret" err &&
	git config $key "dbname=$db_name" &&
	PGHOST=$pg_host PGPORT=$PG_PORT PGUSER=app PGPASSWORD=$secret connects &&
	printf "*:*:*:app:$secret\n" >"$HOME/.pgpass" && chmod 600 "$HOME/.pgpass" &&
	PGHOST=$pg_host PGUSER=app connects &&
	git config --unset $key && pg_use own
'

# ---- What cannot be written --------------------------------------------------------------------------

refused_before_anything () {	# pattern
	ls .git/rollback/journal >expect &&
	for command in "apply-migration" "apply-migration --rehearse" "rollback-db --all --yes" \
		"rollback-db --all --yes --rehearse"
	do
		# shellcheck disable=SC2086 # a command line
		test_expect_code 2 git $command >out 2>err && test_grep "$1" err || return
	done
	ls .git/rollback/journal >actual && test_cmp expect actual &&
	git migration-status >out && test_grep "001 step (applied" out
}

test_expect_success 'a read-only role is refused before anything' '
	set_up &&
	DATABASE_URL="$(db_url)&options=-c%20default_transaction_read_only%3Don" &&
	refused_before_anything "read-only for role" &&
	pg_use own && is t1
'

test_expect_success 'a standby is refused before anything' '
	standby=$(pg_dir standby) &&
	mkdir -p "$standby" && chmod 755 "$standby" &&
	{ test "$(id -u)" != 0 || chown "$(pg_server_user)" "$standby"; } &&
	pg_as_server "$PG_BINDIR"/pg_basebackup -D "$standby/data" -h "$pg_host" -p "$PG_PORT" \
		-U "$PG_SUPERUSER" -R -X stream -c fast --no-sync &&
	pg_cluster_start "$standby" && pg_use standby &&
	refused_before_anything "read-only standby" &&
	pg_stop standby immediate && pg_use own
'

# ---- Inside a transaction ----------------------------------------------------------------------------

pg_use

test_expect_success 'what a transaction sets, and only for itself' '
	set_up "CREATE TABLE seen AS SELECT name, current_setting(name) AS value
		FROM unnest('\''{idle_in_transaction_session_timeout, client_connection_check_interval,
			lock_timeout, statement_timeout, transaction_isolation}'\''::text[]) name;" &&
	db_sql "ALTER DATABASE $db_name SET default_transaction_isolation = serializable" &&
	git config rollback.migrations.lockTimeout 7s &&
	git config rollback.migrations.statementTimeout 90min &&
	git apply-migration --next &&
	db_sql "SELECT name || '\''='\'' || value FROM seen ORDER BY name COLLATE \"C\"" >actual &&
	cat >expect <<-\END &&
	client_connection_check_interval=2s
	idle_in_transaction_session_timeout=1min
	lock_timeout=7s
	statement_timeout=90min
	transaction_isolation=read committed
	END
	test_cmp expect actual
'

test_expect_success 'the same where no transaction is possible' '
	set_up && migration 002 "-- rollback: no-transaction
		CREATE TABLE seen AS SELECT name, current_setting(name) AS value
		FROM unnest('\''{client_connection_check_interval, lock_timeout}'\''::text[]) name;" "DROP TABLE seen" &&
	git config rollback.migrations.lockTimeout 7s &&
	git apply-migration --next &&
	db_sql "SELECT name || '\''='\'' || value FROM seen ORDER BY name COLLATE \"C\"" >actual &&
	printf "client_connection_check_interval=2s\nlock_timeout=7s\n" >expect &&
	test_cmp expect actual
'

# The statement waits for the gate, which stays closed: the server has to look at the connection.
test_expect_success 'the locks of a client that died are freed while its statement still runs' '
	test_when_finished "gate_open 7" &&
	set_up "ALTER TABLE t1 ADD b int; $gate" && gate_close 7 &&
	in_background run git-apply-migration && gate_reached 7 &&
	test_expect_code 3 db_sql "SET lock_timeout = 10; SELECT * FROM t1" 2>err &&
	test_grep "lock timeout" err &&
	kill -KILL $(background_pid run) &&
	wait_sql "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '\''git apply%'\''" &&
	db_sql "SET lock_timeout = 10; SELECT * FROM t1" &&
	gate_open 7 &&
	is t1 && git apply-migration && is "t1 t2 t3"
'

test_expect_success 'DDL does not wait longer than lock_timeout' '
	test_when_finished "gate_open 8" &&
	set_up "ALTER TABLE t1 ADD b int;" &&
	in_background holder "$PG_BINDIR"/psql "$DATABASE_URL" -c \
		"SET application_name = '\''gate 8'\''; BEGIN; LOCK TABLE t1 IN ACCESS SHARE MODE; SELECT pg_sleep(600)" &&
	wait_sql "SELECT count(*) > 0 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
		WHERE a.datname = current_database() AND relation = '\''t1'\''::regclass AND application_name = '\''gate 8'\''" &&
	git config rollback.migrations.lockTimeout 100ms &&
	test_expect_code 128 git apply-migration 2>err &&
	test_grep "lock timeout" err && test_grep 55P03 err && test_grep "migrations/002_step.up.sql:1" err &&
	is t1 && journal_is_settled &&
	gate_open 8 && git apply-migration && is "t1 t2 t3"
'

test_done
