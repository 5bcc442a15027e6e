#!/bin/bash
# SPDX-License-Identifier: MIT
#
# migrations: what apply, status and rollback cost beside psql doing the same SQL in one session.
#
#	t/perf/migrations.sh
#
# Rollbacks save nothing here: psql does not either, and saving.sh measures that.
#
# PERF_ROUNDS=9 counted rounds. DBMATE=<path> lets dbmate's status take part.

. "$(dirname "${BASH_SOURCE[0]}")"/perf-lib.sh
perf_start migrations
perf_server
here=$PERF_DIR

perf_project "$here/p100" 100
perf_project "$here/p1000" 1000
perf_project "$here/psql" 1000
# dbmate's own table has one column, and its files hold both halves.
if test -n "${DBMATE:-}"
then
	mkdir -p "$here/dbmate/db/migrations"
	for up in "$here"/p1000/migrations/*.up.sql
	do
		name=${up##*/}
		{ echo '-- migrate:up'; cat "$up"; echo '-- migrate:down'; cat "${up%.up.sql}.down.sql"; } \
			>"$here/dbmate/db/migrations/${name%.up.sql}.sql"
	done
	perf_fresh dbmate
	(cd "$here/dbmate" && "$DBMATE" --url "$(perf_url dbmate)&sslmode=disable&socket=$PGHOST" --no-dump-schema migrate >/dev/null) || exit
fi

# The databases that rollbacks start from.
perf_fresh ours1000
(cd "$here/p1000" && DATABASE_URL=$(perf_url ours1000) git-apply-migration -q) || exit
perf_fresh psql1000
psql -Xq -d psql1000 -f "$here/p1000/up-each.sql" || exit

for ((round = 0; round <= PERF_ROUNDS; round++))
do
	cd "$here/p1000" || exit
	export DATABASE_URL
	DATABASE_URL=$(perf_url ours1000)
	perf_time $round "status, 1000 applied" psql \
		psql -XAt -d ours1000 -c 'SELECT version, name, applied_at FROM schema_migrations ORDER BY version'
	perf_time $round "status, 1000 applied" ours git-migration-status
	test -z "${DBMATE:-}" || (cd "$here/dbmate" && perf_time $round "status, 1000 applied" dbmate \
		"$DBMATE" --url "$(perf_url dbmate)&sslmode=disable&socket=$PGHOST" status) || exit

	cd "$here/p100" || exit
	perf_fresh run
	perf_time $round "apply 100, a transaction each" psql psql -Xq -v ON_ERROR_STOP=1 -d run -f up-each.sql
	perf_fresh run
	rm -rf .git/refs/rollback .git/packed-refs
	DATABASE_URL=$(perf_url run)
	perf_time $round "apply 100, a transaction each" ours-no-proof git-apply-migration -q --no-proof
	perf_fresh run
	rm -rf .git/refs/rollback .git/packed-refs
	perf_time $round "apply 100, a transaction each" ours git-apply-migration -q

	cd "$here/p1000" || exit
	for last in 1 100
	do
		perf_fresh run psql1000
		perf_time $round "roll back the last $last of 1000" psql \
			psql -1 -Xq -v ON_ERROR_STOP=1 -d run -f "down$last.sql"
		for proof in no-proof proof
		do
			perf_fresh run ours1000
			perf_time $round "roll back the last $last of 1000" "ours-$proof" \
				git-rollback-db -q --last $last --yes --$proof --no-save --no-snapshot
		done
	done

	perf_time $round "usage" git git version
	perf_time $round "usage" -h git-rollback-db -h
	perf_time $round "usage" --version git-rollback-db --version
done

perf_report "status, 1000 applied" psql ours=2
perf_report "apply 100, a transaction each" psql ours-no-proof=1.1
perf_report "roll back the last 1 of 1000" psql ours-no-proof=1.3
perf_report "roll back the last 100 of 1000" psql ours-no-proof=1.3
perf_report "usage" git -h=4 --version=4
perf_end
