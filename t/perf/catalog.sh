#!/bin/sh
# SPDX-License-Identifier: MIT
#
# catalog: how long reading a catalog takes, and refreshing it after one change.
#
#	t/perf/catalog.sh [ROUNDS [TABLES]]
#
# On two schemas: a small one (t/catalog/base.sql), and 1,000 tables (or TABLES) with 3,000 indexes, 200
# functions and 10 views; 700 tables make 10,000 objects. Medians in milliseconds, each change in a transaction of its own that is rolled back;
# and for comparison pg_dump --schema-only, and psql with `SELECT 1`.

set -eu
cd "$(dirname "$0")/.."
TEST_DIRECTORY=$PWD
. ./test-env.sh
. ./pg-cluster.sh

rounds=${1:-15}
tables=${2:-1000}
tool=$BUILD/t/unit/pg-catalog-tool
bindir=$(pg_bindir)
root=$(pg_root_create)
trap 'pg_root_remove "$root"' EXIT
trap 'exit 130' INT TERM
pg_cluster_create "$root/perf"
pg_cluster_start "$root/perf" -c wal_level=logical -c max_locks_per_transaction=1000

run_sql () {	# database
	"$bindir"/psql -XAtq -v ON_ERROR_STOP=1 -h "$root/perf" -p "$PG_PORT" -U "$PG_SUPERUSER" -d "$1" -f -
}

url () {
	printf 'postgres:///%s?host=%s&port=%s&user=%s\n' "$1" "$root/perf" "$PG_PORT" "$PG_SUPERUSER"
}

median_of () {	# name, command: in a process of its own
	name_=$1
	shift
	for round_ in $(seq "$rounds")
	do
		start_=$(date +%s%N)
		"$@" >/dev/null
		echo $((($(date +%s%N) - start_) / 10000))
	done | sort -n | awk -v name="$name_" '{ t[NR] = $1 }
		END { printf "%8.2f ms  %s\n", t[int((NR + 1) / 2)] / 100, name }'
}

measure () {	# database, file with changes
	"$tool" measure "$(url "$1")" "$rounds" "$2"
	median_of 'pg_dump --schema-only' "$bindir"/pg_dump --schema-only "$(url "$1")"
	median_of 'psql, SELECT 1' "$bindir"/psql -XAtq -d "$(url "$1")" -c 'SELECT 1'
}

run_sql postgres <<-\END
CREATE ROLE t1500_owner;
CREATE ROLE t1500_reader;
CREATE ROLE "t1500 Odd.Role";
CREATE DATABASE small;
CREATE DATABASE large;
END
run_sql small <catalog/base.sql 2>/dev/null
sed "s/@TABLES@/$tables/" <<-\SQL | run_sql large
DO $$
BEGIN
	FOR i IN 1..@TABLES@ LOOP
		EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a text DEFAULT ''x'','
			' b numeric(10,2) CHECK (b > 0), c timestamptz NOT NULL DEFAULT now(), d int %s,'
			' e varchar(20))', i, CASE WHEN i > 1 THEN 'REFERENCES t' || i - 1 END);
		EXECUTE format('CREATE INDEX t%s_a ON t%s (a)', i, i);
		EXECUTE format('CREATE INDEX t%s_d ON t%s (d)', i, i);
		IF i <= 200 THEN
			EXECUTE format('CREATE FUNCTION f%s(a int, b text) RETURNS int LANGUAGE plpgsql AS'
				' $f$ begin return a + %s; end $f$', i, i);
		END IF;
		IF i % 100 = 0 THEN
			EXECUTE format('CREATE VIEW v%s AS SELECT t.id, t.a, u.b FROM t%s t JOIN t%s u'
				' USING (id)', i, i, i - 1);
		END IF;
	END LOOP;
END
$$;
ANALYZE;
SQL

cat >"$root/small.sql" <<-\END
CREATE TABLE new_one (id int PRIMARY KEY, a text, b int REFERENCES p)
ALTER TABLE u ADD z int
ALTER TABLE q ALTER f SET DEFAULT 1
ALTER TABLE p RENAME TO p2
CREATE INDEX extra ON q (f)
DROP INDEX qi
DROP TABLE loose
COMMENT ON TABLE p IS 'x'
CREATE TYPE t1 AS ENUM ('a')
END
cat >"$root/large.sql" <<-\END
CREATE TABLE new_one (id int PRIMARY KEY, a text, b int REFERENCES t1)
ALTER TABLE t500 ADD z int
ALTER TABLE t500 ALTER a SET DEFAULT 'y'
ALTER TABLE t500 RENAME TO tt500
ALTER TABLE t500 RENAME id TO id2
CREATE INDEX extra ON t500 (b)
DROP INDEX t500_a
DROP TABLE t501 CASCADE
COMMENT ON TABLE t500 IS 'x'
CREATE OR REPLACE FUNCTION f1(a int, b text) RETURNS int LANGUAGE sql AS 'select 1'
CREATE VIEW v AS SELECT * FROM t1
GRANT SELECT ON t1 TO t1500_reader
END
measure small "$root/small.sql"
echo
measure large "$root/large.sql"
