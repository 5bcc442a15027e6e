#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='rows as a stream, out of a database and into it'

. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh

tool=$BUILD/t/unit/pg-copy-tool

test_expect_success 'out and in again, in text and in binary' '
	db_sql "CREATE TABLE t AS SELECT i, repeat(chr(65 + i % 26), i % 300) AS c, now() AS at
		FROM generate_series(1, 20000) AS i; CREATE TABLE u (LIKE t)" &&
	for format in text binary
	do
		"$tool" out "$DATABASE_URL" "COPY t TO STDOUT (FORMAT $format)" >rows 2>err &&
		test_write_lines "20000 rows" usable >expect &&
		test_cmp expect err &&
		"$tool" in "$DATABASE_URL" "COPY u FROM STDIN (FORMAT $format)" <rows 2>err &&
		test_cmp expect err &&
		db_sql "SELECT * FROM t EXCEPT SELECT * FROM u; TRUNCATE u" >actual &&
		test_must_be_empty actual || return 1
	done
'

test_expect_success 'nothing at all, and one row of many megabytes' '
	"$tool" out "$DATABASE_URL" "COPY u TO STDOUT" >rows 2>err &&
	test_must_be_empty rows &&
	test_write_lines "0 rows" usable >expect &&
	test_cmp expect err &&
	"$tool" in "$DATABASE_URL" "COPY u FROM STDIN" <rows 2>err &&
	test_cmp expect err &&
	"$tool" out "$DATABASE_URL" "COPY (SELECT repeat(\$\$x\$\$, 20000000)) TO STDOUT" >rows &&
	"$tool" in "$DATABASE_URL" "COPY u (c) FROM STDIN" <rows &&
	db_sql "SELECT length(c) FROM u; TRUNCATE u" >actual &&
	echo 20000000 >expect &&
	test_cmp expect actual
'

test_expect_success 'the server says why it cannot, at the start and in the middle' '
	test_expect_code 128 "$tool" out "$DATABASE_URL" "COPY nosuch TO STDOUT" 2>err &&
	test_grep "relation .nosuch. does not exist" err && test_grep usable err &&
	test_expect_code 128 "$tool" out "$DATABASE_URL" \
		"COPY (SELECT 1 / (5000 - i) FROM generate_series(1, 10000) AS i) TO STDOUT" >rows 2>err &&
	test_grep "division by zero" err && test_grep usable err &&
	seq 400000 >many && echo x >>many && seq 400000 >>many &&
	db_sql "CREATE TABLE n (n integer)" &&
	test_expect_code 128 "$tool" in "$DATABASE_URL" "COPY n FROM STDIN" <many 2>err &&
	test_grep "invalid input syntax for type integer" err &&
	test_grep "COPY n, line 400001" err && test_grep usable err &&
	db_sql "SELECT count(*) FROM n" >actual &&
	echo 0 >expect &&
	test_cmp expect actual
'

test_expect_success 'the reason is the own one when the own function fails' '
	endless="COPY (SELECT generate_series(1, 1000000000000)) TO STDOUT" &&
	test_expect_code 128 "$tool" out-fail:100000 "$DATABASE_URL" "$endless" >rows 2>err &&
	test_write_lines "fatal: no more of it" usable >expect &&
	test_cmp expect err &&
	test_expect_code 128 "$tool" in-fail:100000 "$DATABASE_URL" "COPY n FROM STDIN" <many 2>err &&
	test_cmp expect err &&
	db_sql "SELECT count(*) FROM n" >actual &&
	echo 0 >expect &&
	test_cmp expect actual
'

test_expect_success 'a signal ends it' '
	test_expect_code 130 "$tool" out-signal:100000 "$DATABASE_URL" "$endless" >rows 2>err &&
	test_write_lines "error: interrupted" usable >expect &&
	test_cmp expect err &&
	test_expect_code 130 "$tool" out-signal:100000 "$DATABASE_URL" \
		"COPY (SELECT generate_series(1, 50000) UNION ALL SELECT length(pg_sleep(600)::text))
			TO STDOUT" >rows 2>err &&
	test_cmp expect err &&
	test_expect_code 130 "$tool" in-signal:100000 "$DATABASE_URL" "COPY n FROM STDIN" <many 2>err &&
	test_cmp expect err &&
	db_sql "SELECT count(*) FROM n" >actual &&
	echo 0 >expect &&
	test_cmp expect actual
'

test_expect_success 'the server goes away' '
	test_expect_code 128 "$tool" out-kill:100000 "$DATABASE_URL" "$endless" >rows 2>err &&
	test_grep "lost the connection to database" err && test_grep "^lost" err &&
	test_expect_code 128 "$tool" in-kill:100000 "$DATABASE_URL" "COPY n FROM STDIN" <many 2>err &&
	test_grep "lost the connection to database" err && test_grep "^lost" err
'

test_expect_success !SAN 'memory does not grow with the rows' '
	(
		ulimit -v 200000 &&
		"$tool" out "$DATABASE_URL" "COPY (SELECT repeat(\$\$x\$\$, 1000)
			FROM generate_series(1, 300000)) TO STDOUT" >/dev/null 2>err &&
		yes 12345678 | head -c 300000000 | "$tool" in "$DATABASE_URL" "COPY n FROM STDIN
			WHERE n < 0" 2>>err
	) &&
	test_write_lines "300000 rows" usable "0 rows" usable >expect &&
	test_cmp expect err
'

test_done
