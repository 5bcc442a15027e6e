#!/bin/bash
# SPDX-License-Identifier: MIT
#
# snapshot: how long `git snapshot-db` takes, and its comparisons, on a schema of 1,000 tables.
#
#	t/perf/snapshot.sh		PERF_ROUNDS rounds of each (9)
#
# Beside them one `pg_dump --schema-only` of the same database, which no comparison may be slower than.

# shellcheck source=perf-lib.sh
. "$(dirname "$0")"/perf-lib.sh
perf_start snapshot
perf_server

perf_fresh schema
psql -XAtq -v ON_ERROR_STOP=1 -d schema -f - <<-\END || exit
	SELECT format('CREATE TABLE t%1$s (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,'
		' name text NOT NULL DEFAULT ''x'', amount numeric(10,2) CHECK (amount > 0),'
		' created timestamptz NOT NULL DEFAULT now(), parent bigint %2$s);'
		'CREATE INDEX t%1$s_name ON t%1$s (name)', i,
		CASE WHEN i > 1 THEN 'REFERENCES t' || i - 1 END)
	FROM generate_series(1, 1000) AS i \gexec
END

git init -q "$PERF_DIR/repository" && cd "$PERF_DIR/repository" || exit
DATABASE_URL=$(perf_url schema)
export DATABASE_URL
git snapshot-db --quiet before || exit
perf_sql schema 'ALTER TABLE t500 ADD note text; DROP INDEX t7_name; CREATE TABLE further ()' || exit
git snapshot-db --quiet after || exit

for round in $(seq 0 "$PERF_ROUNDS")
do
	perf_time "$round" compare pg_dump pg_dump --schema-only --file=/dev/null "$DATABASE_URL"
	perf_time "$round" compare two git snapshot-db diff before after
	perf_time "$round" compare live git snapshot-db diff before --live
	perf_time "$round" take pg_dump pg_dump --schema-only --file=dump.sql "$DATABASE_URL"
	perf_time "$round" take snapshot git snapshot-db --quiet
	perf_time "$round" list git-branch git branch
	perf_time "$round" list list git snapshot-db list
done
perf_report compare pg_dump two=1.0 live=1.0
perf_report take pg_dump
perf_report list git-branch
perf_end
