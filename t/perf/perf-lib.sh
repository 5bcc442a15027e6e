# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# perf-lib: side by side timings. Source it.
#
#	perf_start NAME			$PERF_DIR, in TMPDIR, gone at exit
#	perf_server			a server with its default settings (fsync on), gone at exit
#	perf_fresh DB [TEMPLATE]	drop the database and make it anew
#	perf_url DB
#	perf_time ROUND SCENARIO CONTESTANT COMMAND...	run it, note its wall time in milliseconds
#	perf_report SCENARIO BASE [CONTESTANT=LIMIT...]	medians and ratios to BASE's, against limits: a
#				factor, or milliseconds ("ours=50ms")
#	perf_end			say where the figures are; status 1 when a limit was exceeded
#
# Contestants of a scenario are run in turn, round by round, so that a machine that is slow for a
# while is slow for all. Round 0 warms up and does not count. Every run has to succeed. The raw
# figures are kept in $PERF_OUT (default: <build>/perf/NAME.tsv), the report beside them.

set -u
PERF_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P) || exit
BUILD=${BUILD:-$PERF_HERE/../../build}
BUILD=$(cd "$BUILD" && pwd -P) || exit
export PATH="$BUILD/bin:$PATH" LC_ALL=C.UTF-8 PERF_ROUNDS=${PERF_ROUNDS:-9}
export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=perf GIT_AUTHOR_EMAIL=perf@example.invalid
export GIT_COMMITTER_NAME=perf GIT_COMMITTER_EMAIL=perf@example.invalid
perf_failed=0

perf_start () {
	PERF_DIR=$(mktemp -d) || exit
	trap 'rm -rf "$PERF_DIR"' EXIT
	trap 'exit 130' INT TERM
	export HOME=$PERF_DIR
	mkdir -p "$BUILD/perf"
	PERF_OUT=${PERF_OUT:-$BUILD/perf/$1.tsv}
	: >"$PERF_OUT"
	: >"${PERF_OUT%.tsv}.txt"
}

perf_server () {
	# shellcheck source=/dev/null
	. "$PERF_HERE"/../pg-cluster.sh
	PG_BINDIR=$(pg_bindir) || { echo "no PostgreSQL server programs: run 'make deps'" >&2; exit 1; }
	export PATH="$PG_BINDIR:$PATH"
	PERF_ROOT=$(pg_root_create) || exit
	trap 'pg_root_remove "$PERF_ROOT"; rm -rf "$PERF_DIR"' EXIT
	PERF_CLUSTER=$PERF_ROOT/cluster
	pg_cluster_create "$PERF_CLUSTER" && pg_cluster_start "$PERF_CLUSTER" -c fsync=on || exit
	# shellcheck disable=SC2153 # pg-cluster.sh sets it
	export PGHOST=$PERF_CLUSTER PGPORT=$PG_PORT PGUSER=$PG_SUPERUSER
}

perf_url () {
	printf 'postgres:///%s?host=%s&port=%s&user=%s' "$1" "$PGHOST" "$PGPORT" "$PGUSER"
}

perf_sql () {	# database, SQL
	psql -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "$2"
}

perf_fresh () {
	perf_sql postgres "DROP DATABASE IF EXISTS $1" 2>/dev/null &&
		perf_sql postgres "CREATE DATABASE $1 TEMPLATE ${2:-template0} STRATEGY file_copy" || exit
}

perf_time () {
	local round=$1 scenario=$2 who=$3 start end
	shift 3
	start=$EPOCHREALTIME
	"$@" >"$PERF_DIR/out" 2>&1 </dev/null || {
		cat "$PERF_DIR/out" >&2
		echo "$scenario: $who failed" >&2
		exit 1
	}
	end=$EPOCHREALTIME
	((round == 0)) || awk -v s="$start" -v e="$end" -v k="$scenario" -v w="$who" -v r="$round" \
		'BEGIN { printf "%s\t%s\t%d\t%.3f\n", k, w, r, (e - s) * 1000 }' >>"$PERF_OUT"
}

perf_report () {
	local scenario=$1 base=$2
	shift 2
	awk -F'\t' -v scenario="$scenario" -v base="$base" -v limits="$*" '
	function median(list, a, n, i, j, t) {
		n = split(list, a, " ")
		for (i = 2; i <= n; i++) {
			t = a[i] + 0
			for (j = i - 1; j > 0 && a[j] + 0 > t; j--) a[j + 1] = a[j]
			a[j + 1] = t
		}
		return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
	}
	$1 == scenario { if (!($2 in all)) order[++nr] = $2; all[$2] = all[$2] " " $4 }
	END {
		n = split(limits, pairs, " ")
		for (i = 1; i <= n; i++) { split(pairs[i], p, "="); limit[p[1]] = p[2] }
		printf "%s\n", scenario
		for (i = 1; i <= nr; i++) {
			w = order[i]; m = median(all[w]); r = m / median(all[base])
			verdict = ""
			if (w in limit) {
				bad = (limit[w] ~ /ms$/ ? m : r) > limit[w] + 0
				verdict = (bad ? "OVER " : "within ") limit[w]
				over += bad
			}
			printf "  %-24s %9.1f ms  x %5.2f  %s\n", w, m, r, verdict
		}
		exit over > 0
	}' "$PERF_OUT" >"$PERF_DIR/report" || perf_failed=1
	tee -a "${PERF_OUT%.tsv}.txt" <"$PERF_DIR/report"
}

perf_end () {
	echo "figures: $PERF_OUT"
	exit "$perf_failed"
}

# perf_project DIR N: a repository with N migrations in a cycle of three (create a table, index it,
# widen it), and beside it the same SQL for psql: up.sql, up-each.sql, down.sql (the last one and the
# last 100, in one transaction with their tracking rows).
perf_project () {
	mkdir -p "$1/migrations" && (
		cd "$1" || exit
		awk -v n="$2" 'BEGIN {
			print "CREATE TABLE schema_migrations (version VARCHAR(50) PRIMARY KEY, name VARCHAR(255) NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT NOW(), checksum VARCHAR(64) NOT NULL, execution_time_ms INTEGER);" > "up-each.sql"
			for (i = 1; i <= n; i++) {
				t = int((i - 1) / 3) + 1
				v = sprintf("202401%02d%02d%02d00", 1 + int(i / 1440), int(i / 60) % 24, i % 60)
				if (i % 3 == 1) {
					name = "create_t" t
					up = "CREATE TABLE t" t " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a integer NOT NULL DEFAULT 0, b text);"
					down[i] = "DROP TABLE t" t ";"
				} else if (i % 3 == 2) {
					name = "index_t" t
					up = "CREATE INDEX t" t "_a_idx ON t" t " (a);"
					down[i] = "DROP INDEX t" t "_a_idx;"
				} else {
					name = "widen_t" t
					up = "ALTER TABLE t" t " ADD COLUMN c timestamptz;"
					down[i] = "ALTER TABLE t" t " DROP COLUMN c;"
				}
				file = "migrations/" v "_" name
				print up > (file ".up.sql"); close(file ".up.sql")
				print down[i] > (file ".down.sql"); close(file ".down.sql")
				version[i] = v
				print "BEGIN;\n" up "\nINSERT INTO schema_migrations (version, name, checksum) VALUES (\x27" v "\x27, \x27" name "\x27, \x27\x27);\nCOMMIT;" > "up-each.sql"
			}
			for (i = n; i > 0; i--) {
				step = down[i] "\nDELETE FROM schema_migrations WHERE version = \x27" version[i] "\x27;"
				if (i == n) print step > "down1.sql"
				if (i > n - 100) print step > "down100.sql"
			}
		}' && git init -q . && git add migrations && git commit -qm migrations
	) || exit
}
