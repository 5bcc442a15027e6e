# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib-pg: PostgreSQL for test scripts. Source it after test-lib.sh:
#
#	. "$TEST_DIRECTORY"/lib-pg.sh
#
# The script then has a database of its own, empty, named $db_name, in a cluster that all scripts of
# a `t/run` share; a script that is run alone starts one and stops it. DATABASE_URL names the
# database, so that our commands use it.
#
#	db_reset			drop the database, whoever is connected, and make it again
#	db_sql SQL [DATABASE]		run SQL, print rows unaligned; the first error ends it with 3
#	psql_db [ARG...]		psql itself, with the same settings
#	db_dump [--no-tracking] [ARG...]  the schema as pg_dump prints it
#	db_url [DATABASE]		print a connection URI
#	db_create NAME, db_drop NAME	further databases; what is left of them goes at the end
#	migration NAME UP [DOWN]	write migrations/NAME.up.sql and .down.sql in the current folder
#	old_pg_dump COMMAND...		run it where there is no pg_dump but an old one; needs HIDE
#
# Tests that kill a server, or need settings of its own, start a private cluster; from then on all of
# the above mean the database of the same name in that one, until pg_use says otherwise:
#
#	pg_start_private_cluster NAME [-c SETTING=VALUE]...	make it if need be, start, use it
#	pg_stop NAME [fast | immediate | smart]
#	pg_pid NAME, pg_dir NAME	the postmaster's process id; the folder (data/, log, socket)
#	pg_use [NAME]			use that cluster; without a name, the shared one
#
# psql and pg_dump are the server's own, not Debian's wrappers, which take 15 ms to choose one.

. "$TEST_DIRECTORY"/pg-cluster.sh

db_name=$(printf '%s\n' "$test_number" | tr -c 'a-z0-9\n' _)
PG_BINDIR=$(pg_bindir) || test_bug "PostgreSQL's server programs were not found; run 'make deps'"
export PG_BINDIR

psql_at () {	# database; further arguments
	psql_database_=$1
	shift
	"$PG_BINDIR"/psql -XAtq -v ON_ERROR_STOP=1 \
		-h "$pg_host" -p "$PG_PORT" -U "$PG_SUPERUSER" -d "$psql_database_" "$@"
}

psql_db () {
	psql_at "$db_name" "$@"
}

# Through standard input: statements given with -c would share one transaction.
db_sql () {
	printf '%s\n' "$1" | psql_at "${2:-$db_name}" -f -
}

db_url () {
	printf 'postgres:///%s?host=%s&port=%s&user=%s\n' \
		"${1:-$db_name}" "$pg_host" "$PG_PORT" "$PG_SUPERUSER"
}

# By copying files: 27 ms, where the write-ahead log takes 154 (PostgreSQL 15 and newer ask which).
db_create () {
	psql_at postgres -v name="$1" -f - <<-\END
	SELECT current_setting('server_version_num')::int >= 150000 AS can_choose \gset
	\if :can_choose
	CREATE DATABASE :"name" TEMPLATE template0 STRATEGY file_copy;
	\else
	CREATE DATABASE :"name" TEMPLATE template0;
	\endif
	END
}

db_drop () {
	psql_at postgres -v name="$1" -f - <<-\END
	SET client_min_messages = warning;
	DROP DATABASE IF EXISTS :"name" WITH (FORCE);
	END
}

db_reset () {
	db_drop "${1:-$db_name}" && db_create "${1:-$db_name}"
}

# pg_dump puts a random key into \restrict and \unrestrict.
db_dump () {
	if test "${1:-}" = --no-tracking
	then
		shift
		set -- -T '*.schema_migrations' -T '*.schema_rollback_log' "$@"
	fi
	"$PG_BINDIR"/pg_dump --schema-only -h "$pg_host" -p "$PG_PORT" -U "$PG_SUPERUSER" \
		"$@" "$db_name" >"$TEST_ROOT/dump" || return
	sed '/^\\\(un\)\{0,1\}restrict /d' "$TEST_ROOT/dump"
}

migration () {
	case $1 in
	*[a-z]*) migration_=migrations/$1 ;;
	*) migration_=migrations/$1_step ;;
	esac
	mkdir -p migrations &&
	printf '%s\n' "$2" >"$migration_.up.sql" &&
	{ test $# -lt 3 || printf '%s\n' "$3" >"$migration_.down.sql"; }
}

# Debian's folder is hidden from one process, and an old program stands in PATH.
test_lazy_prereq HIDE '
	test -d /usr/lib/postgresql && unshare -m true
'

old_pg_dump () {
	mkdir -p "$TEST_ROOT/old" "$TEST_ROOT/empty" &&
	write_script "$TEST_ROOT/old/pg_dump" <<-\END &&
	echo "pg_dump (PostgreSQL) 9.6.1"
	END
	write_script "$TEST_ROOT/hide" <<-\END &&
	mount --bind "$TEST_ROOT/empty" /usr/lib/postgresql && exec "$@"
	END
	(
		PATH=$TEST_ROOT/old:$PATH && export PATH TEST_ROOT &&
		exec unshare -m "$TEST_ROOT/hide" "$@"
	)
}

# ---- Clusters ------------------------------------------------------------------------------------

pg_dir () {
	printf '%s\n' "$TEST_PG_ROOT/$test_number-$1"
}

pg_pid () {
	pg_cluster_pid "$(pg_dir "$1")"
}

pg_use () {
	if test $# = 0
	then
		pg_host=$TEST_PG_HOST
	else
		pg_host=$(pg_dir "$1")
	fi
	DATABASE_URL=$(db_url)
	export DATABASE_URL
}

pg_start_private_cluster () {
	pg_name_=$1
	pg_new_=
	shift
	if ! test -d "$(pg_dir "$pg_name_")"
	then
		pg_new_=yes
		pg_cluster_create "$(pg_dir "$pg_name_")" "$TEST_PG_ROOT/template" || return
	fi
	pg_cluster_start "$(pg_dir "$pg_name_")" "$@" &&
	pg_use "$pg_name_" &&
	{ test -z "$pg_new_" || db_create "$db_name"; }
}

pg_stop () {
	pg_cluster_stop "$(pg_dir "$1")" "${2:-fast}"
}

# All of this script's: its private clusters, and its databases in the shared one, which are told by
# their names.
pg_clean_up () {
	for pg_private_ in "$TEST_PG_ROOT/$test_number"-*/
	do
		test ! -d "$pg_private_" || pg_cluster_stop "${pg_private_%/}" immediate
		rm -rf "$pg_private_"
	done
	pg_use
	psql_at postgres -v prefix="$db_name" -f - <<-\END
	SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database
	 WHERE datname = :'prefix' OR starts_with(datname, :'prefix' || '_') \gexec
	END
}

if test -z "${TEST_PG_ROOT:-}"
then
	TEST_PG_ROOT=$(pg_root_create) || test_bug "cannot make a folder for PostgreSQL"
	test_atexit 'pg_root_remove "$TEST_PG_ROOT"'
	TEST_PG_HOST=$TEST_PG_ROOT/shared
	pg_cluster_create "$TEST_PG_ROOT/template" &&
	pg_cluster_create "$TEST_PG_HOST" "$TEST_PG_ROOT/template" &&
	pg_cluster_start "$TEST_PG_HOST" || test_bug "cannot start PostgreSQL"
fi
pg_use
test_atexit pg_clean_up
db_reset || test_bug "cannot create the database '$db_name'"
