# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib-tables: is what was made what was recorded? For scripts in which migration 00n makes the table
# tn, and indexes tn_*. Source it after lib-pg.sh.
#
#	objects			tables and indexes that there are: "t1 t1_a t2"
#	recorded		versions in the tracking table, "001 002"; nothing where there is none
#	recorded_tables		the same as the tables they make: "t1 t2"
#	is NAMES		just these are there, and recorded

objects () {
	db_sql "SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_class
		WHERE relname ~ '^t[1-9](_|\$)' AND relkind IN ('r', 'i')"
}

recorded () {
	recorded_=$(db_sql "SELECT to_regclass('schema_migrations') IS NOT NULL") || return
	test "$recorded_" != t ||
		db_sql "SELECT coalesce(string_agg(version, ' ' ORDER BY version), '') FROM schema_migrations"
}

recorded_tables () {
	recorded_=$(recorded) && printf '%s\n' "$recorded_" | sed 's/\<00/t/g'
}

is () {
	test "$(objects)" = "$1" && test "$(recorded_tables)" = "$1" ||
		test_complain "there is '$(objects)', recorded is '$(recorded_tables)', not '$1'"
}
