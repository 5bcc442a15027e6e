#!/bin/bash
# SPDX-License-Identifier: MIT
#
# saving: what it costs to save a million rows before they are dropped, as text and in the binary
# format, beside pg_dump -Fc of the same table, and to undo that; what rolling back costs with saving and
# without; and how long the plan of 100 takes.
#
#	t/perf/saving.sh
#
# PERF_ROUNDS=5 counted rounds.

PERF_ROUNDS=${PERF_ROUNDS:-5}
. "$(dirname "${BASH_SOURCE[0]}")"/perf-lib.sh
perf_start saving
perf_server
here=$PERF_DIR

mkdir -p "$here/million/migrations" && cd "$here/million" && git init -q || exit
echo 'CREATE TABLE m (id bigint PRIMARY KEY, a integer, b text, c timestamptz, d numeric, e uuid, f boolean);' \
	>migrations/1_m.up.sql
echo 'DROP TABLE m;' >migrations/1_m.down.sql
perf_fresh million
DATABASE_URL=$(perf_url million) git-apply-migration -q || exit
perf_sql million "INSERT INTO m SELECT i, i % 1000, md5(i::text) || md5((i + 1)::text),
	timestamptz '2024-01-01' + i * interval '1 second', i * 1.001, md5(i::text)::uuid, i % 2 = 0
	FROM generate_series(1, 1000000) i" && perf_sql million 'VACUUM ANALYZE m' || exit
perf_project "$here/p1000" 1000
perf_fresh ours1000
(cd "$here/p1000" && DATABASE_URL=$(perf_url ours1000) git-apply-migration -q) || exit

export DATABASE_URL
for ((round = 0; round <= PERF_ROUNDS; round++))
do
	cd "$here/million" || exit
	perf_fresh run million
	perf_time $round "save 1,000,000 rows" pg_dump pg_dump -Fc -t m -f "$here/m.dump" run
	DATABASE_URL=$(perf_url run)
	for format in text binary
	do
		how=rollback
		test $format = text || how='rollback --binary'
		perf_fresh run million
		perf_time $round "save 1,000,000 rows" "$how" \
			git-rollback-db -q --yes --no-snapshot --no-proof "--${format/text/no-binary}" 1
		perf_time $round "undo that" $format git-rollback-db -q --yes --undo
		rm -rf .git/rollback
	done
	cd "$here/p1000" || exit
	for how in '' --no-snapshot --no-save '--no-snapshot --no-save'
	do
		perf_fresh run ours1000
		# shellcheck disable=SC2086 # options
		perf_time $round "roll back the last 100 of 1000" "ours $how" \
			git-rollback-db -q --yes --last 100 $how
		rm -rf .git/rollback/saved
	done
	perf_fresh run ours1000
	perf_time $round "plan of 100" plan git-rollback-db -n --last 100
done

# The largest resident set of the client while it saves them.
cd "$here/million" || exit
perf_fresh run million
DATABASE_URL=$(perf_url run) /usr/bin/time -f %M -o "$here/rss" \
	git-rollback-db -q --yes --no-snapshot --no-proof 1 || exit
perf_report "save 1,000,000 rows" pg_dump rollback=1
perf_report "undo that" text
perf_report "roll back the last 100 of 1000" "ours --no-snapshot --no-save"
perf_report "plan of 100" plan plan=1000ms
awk '{ m = $1 / 1024; printf "memory while saving\n  %-24s %9.0f MiB  %s\n", "client", m, (m > 64 ? "OVER 64" : "within 64"); exit (m > 64) }' "$here/rss" || perf_failed=1
perf_end
