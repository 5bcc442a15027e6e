/* SPDX-License-Identifier: MIT */
#include "sql/digest.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/memory.h"
#include "base/strbuf.h"

static void digest(char ret[SQL_DIGEST_LEN + 1], const char *sql)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (sql_token_digest(ret, "f.sql", sql, strlen(sql), &err) < 0)
		fail_msg("%s\nhas no digest: %s", sql, err.message);
}

static void is_what_the_header_says(void **state UNUSED)
{
	static const char input[] = "\0\0\0\0\0\0\0\x06select\0\0\0\0\0\0\0\x07'A\n''B'"
				    "\0\0\0\0\0\0\0\x01;";
	char expect[DIGEST_HEX], actual[SQL_DIGEST_LEN + 1];

	digest_hex(expect, input, sizeof(input) - 1);
	digest(actual, "\xef\xbb\xbf-- licence\r\nSELECT /* x */ 'A\r\n''B' ;");
	assert_string_equal(actual, expect);
	digest_hex(expect, "", 0);
	digest(actual, "");
	assert_string_equal(actual, expect);
	digest(actual, " -- nothing\n /* /* at */ all */");
	assert_string_equal(actual, expect);
}

static void equal(void **state UNUSED)
{
	static const char *const pairs[][2] = {
		{ "select 1;", "-- new licence\nSELECT\n\t1 ;" },
		{ "select a.b from T", "Select A . B/**/from/* /* ; */ */t -- end" },
		{ "create table \"T\" (a int)", "CREATE  TABLE \"T\"(A INT)" },
		{ "select $$ x $$", "select\r\n$$ x $$\r\n" },
		{ "select $$\nx\n$$", "select $$\r\nx\r\n$$" },
		{ "\xef\xbb\xbfselect 1", "select 1" },
		{ "select U&\"d\\0061\", 1", "select U&\"d\\0061\" ,1" },
		{ "select U&'\\0061' uescape '!'", "select U&'\\0061'  UESCAPE '!'" },
		{ "select \xc3\xa9t\xc3\xa9, X", "select \xc3\xa9t\xc3\xa9,x" },
		{ "select n'x'", "select N'x'" },
		{ "select 1 as $1", "select 1 as $1 --" },
		{ "select 1\f", "select\f1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		char a[SQL_DIGEST_LEN + 1], b[SQL_DIGEST_LEN + 1];

		digest(a, pairs[i][0]);
		digest(b, pairs[i][1]);
		if (strcmp(a, b))
			fail_msg("'%s' and '%s' differ", pairs[i][0], pairs[i][1]);
	}
}

static void different(void **state UNUSED)
{
	static const char *const pairs[][2] = {
		{ "select 1", "select 2" },
		{ "select 1", "select 1;" },
		{ "select 'a'", "select 'A'" },
		{ "select \"a\"", "select \"A\"" },
		{ "select \"a\"", "select a" },
		{ "select E'a'", "select 'a'" },
		{ "select E'a'", "select E'A'" },
		{ "select $$a$$", "select $$A$$" },
		{ "select $$a -- x\n$$", "select $$a\n$$" },
		{ "select $A$x$A$", "select $a$x$a$" },
		{ "select U&\"d\\0061\"", "select U&\"d\\0062\"" },
		{ "select U&\"d\\0061\"", "select U&\"D\\0061\"" },
		{ "select U&'a' uescape '!'", "select U&'a' uescape '?'" },
		{ "select ab", "select a b" },
		{ "select 12", "select 1 2" },
		{ "select 1 2", "select 12" },
		{ "select a--b\n", "select a - -b\n" },
		{ "select a - - b", "select a -/**/- b -" },
		{ "select 'a' 'b'", "select 'a''b'" },
		{ "begin; select 1; commit", "select 1" },
		{ "select \xc3\xa9", "select \xc3\x89" },
		{ "select 'a\rb'", "select 'a\nb'" },
		{ "select b'1'", "select x'1'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		char a[SQL_DIGEST_LEN + 1], b[SQL_DIGEST_LEN + 1];

		digest(a, pairs[i][0]);
		digest(b, pairs[i][1]);
		if (!strcmp(a, b))
			fail_msg("'%s' and '%s' are the same", pairs[i][0], pairs[i][1]);
	}
}

static void takes_what_does_not_parse(void **state UNUSED)
{
	char hex[SQL_DIGEST_LEN + 1];

	digest(hex, "selec :x \\i foo (((");
	assert_int_equal(strlen(hex), SQL_DIGEST_LEN);
}

static void needs_whole_tokens(void **state UNUSED)
{
	static const struct {
		const char *sql;
		size_t len;
		const char *place, *message;
	} list[] = {
		{ "select\n '\xc3\xa9', 'abc", 18, "f.sql:2:7",
		  "unterminated quoted string at or near \"'abc\"" },
		{ "select 1 /* x", 13, "f.sql:1:10",
		  "unterminated /* comment at or near \"/* x\"" },
		{ "select\0 1", 9, "f.sql:1:7", "a NUL byte is not valid in SQL" },
		{ "select \xff", 8, "f.sql:1:8", "byte 0xff is not valid UTF-8" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct error err CLEANUP(error_release) = ERROR_INIT;
		char hex[SQL_DIGEST_LEN + 1] = "untouched";

		assert_int_equal(sql_token_digest(hex, "f.sql", list[i].sql, list[i].len, &err),
				 -1);
		assert_string_equal(err.message, list[i].message);
		assert_string_equal(err.place, list[i].place);
		assert_string_equal(hex, "untouched");
	}
}

static void takes_many_tokens(void **state UNUSED)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	char a[SQL_DIGEST_LEN + 1], b[SQL_DIGEST_LEN + 1];

	strbuf_addstr(&sql, "select 1");
	for (int i = 0; i < 100000; i++)
		strbuf_addstr(&sql, " + x");
	digest(a, sql.buf);
	strbuf_addstr(&sql, " -- the same");
	digest(b, sql.buf);
	assert_string_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_what_the_header_says),
		cmocka_unit_test(equal),
		cmocka_unit_test(different),
		cmocka_unit_test(takes_what_does_not_parse),
		cmocka_unit_test(needs_whole_tokens),
		cmocka_unit_test(takes_many_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
