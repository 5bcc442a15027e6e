# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib-rollback: for scripts that roll a database back, and undo it. Source it after lib-pg.sh.
#
#	fresh			an empty database, no migrations, and nothing of them kept in git
#	applied			the versions that are recorded, in the order of application
#	roll ARG..., undo ARG...  the command with --yes, and its output, of both kinds, in "rolled" and
#				"undone"
#	roll_and_undo ARG...	both, with the arguments for the first
#	everything		all that an undo brings back: the rows of all tables, positions of
#				sequences, and the schema; but not the log's rows
#	keeps COMMAND...	what is there before is there after
#	schema_and_records	the schema, with the rows of the tracking table and of the log
#	test_json VALUE EXPRESSION FILE  jq's expression has this value, a string as it is

fresh () {
	db_reset &&
	rm -rf migrations .git/rollback &&
	git for-each-ref --format="delete %(refname)" refs/rollback | git update-ref --stdin
}

applied () {
	db_sql "SELECT version FROM schema_migrations ORDER BY applied_at, version"
}

roll () {
	git rollback-db --yes "$@" >rolled 2>&1 || { cat rolled; return 1; }
}

undo () {
	git rollback-db --undo --yes "$@" >undone 2>&1 || { cat undone; return 1; }
}

roll_and_undo () {
	roll "$@" && undo
}

# The rows in the order of their text.
everything () {
	psql_db -f - >"$TEST_ROOT/queries" <<-\END || return
	SELECT format('SELECT %L, %s FROM %s t ORDER BY 2;', c.oid::regclass,
		CASE relkind WHEN 'S' THEN 'last_value, is_called' ELSE 't::text' END, c.oid::regclass)
	FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
	WHERE relkind IN ('r', 'S', 'm') AND nspname !~ '^pg_|information_schema'
	AND relname <> 'schema_rollback_log'
	ORDER BY nspname, relname
	END
	psql_db -f "$TEST_ROOT/queries" &&
	db_dump
}

keeps () {
	everything >before || return
	"$@" || return
	everything >after || return
	test_cmp before after
}

schema_and_records () {
	db_dump &&
	db_sql "SELECT * FROM schema_migrations ORDER BY version" &&
	db_sql "SELECT * FROM schema_rollback_log ORDER BY started_at, version"
}

test_json () {
	jq -r "$2" "$3" >"$TEST_ROOT/json" && printf '%s\n' "$1" | diff - "$TEST_ROOT/json"
}
