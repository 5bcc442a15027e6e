/* SPDX-License-Identifier: MIT */
/* The texts for people that need no terminal: amounts, tables, colours, the meter's line. */
#include "term/amount.h"

#include "term/output.h"
#include "term/progress.h"
#include "term/prompt.h"
#include "term/table.h"

#include <locale.h>
#include <setjmp.h>

#include <cmocka.h>

#define S INT64_C(1000000)
#define M (60 * S)
#define H (60 * M)
#define D (24 * H)

static void test_age(void **state UNUSED)
{
	static const struct {
		int64_t ago;
		const char *expect;
	} cases[] = {
		{ 0, "just now" },	     { 5 * S - 1, "just now" },
		{ 5 * S, "5 seconds ago" },  { M - 1, "59 seconds ago" },
		{ M, "1 minute ago" },	     { 2 * M, "2 minutes ago" },
		{ H - 1, "59 minutes ago" }, { H, "1 hour ago" },
		{ 2 * H, "2 hours ago" },    { 2 * D - 1, "47 hours ago" },
		{ 2 * D, "2 days ago" },     { 14 * D - 1, "13 days ago" },
		{ 14 * D, "2 weeks ago" },   { 60 * D - 1, "8 weeks ago" },
		{ 62 * D, "2 months ago" },  { 365 * D, "11 months ago" },
		{ 731 * D, "2 years ago" },  { 20000 * D, "54 years ago" },
		{ -M + 1, "just now" },	     { -M, "in 1 minute" },
		{ -3 * H, "in 3 hours" },
	};
	const int64_t now = INT64_C(1700000000) * S;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

		amount_add_age(&out, now - cases[i].ago, now);
		assert_string_equal(out.buf, cases[i].expect);
	}
	struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;
	amount_add_age(&out, INT64_MIN, INT64_MAX);
	assert_string_equal(out.buf, "584554 years ago");
}

static void test_duration(void **state UNUSED)
{
	static const struct {
		int64_t us;
		const char *expect;
	} cases[] = {
		{ -5, "0.0 ms" },
		{ 0, "0.0 ms" },
		{ 449, "0.4 ms" },
		{ 9949, "9.9 ms" },
		{ 9950, "10 ms" },
		{ 45000, "45 ms" },
		{ 999499, "999 ms" },
		{ 999500, "1.0 s" },
		{ 1200000, "1.2 s" },
		{ 59949999, "59.9 s" },
		{ 59950000, "1 min 0 s" },
		{ 125 * S, "2 min 5 s" },
		{ H - 1, "1 h 0 min" },
		{ 3 * H + 20 * M, "3 h 20 min" },
		{ 2 * D + 4 * H + 59 * M, "2 d 4 h" },
		{ INT64_MAX, "106751991 d 4 h" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

		amount_add_duration(&out, cases[i].us);
		assert_string_equal(out.buf, cases[i].expect);
	}
}

static void test_size(void **state UNUSED)
{
	static const struct {
		uint64_t bytes;
		const char *expect;
	} cases[] = {
		{ 0, "0 bytes" },
		{ 1, "1 byte" },
		{ 1023, "1023 bytes" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 10188, "9.9 KiB" },
		{ 10189, "10 KiB" },
		{ 1048063, "1023 KiB" },
		{ 1048064, "1.0 MiB" },
		{ UINT64_C(20) << 20, "20 MiB" },
		{ UINT64_C(3) << 40, "3.0 TiB" },
		{ UINT64_MAX, "16 EiB" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

		amount_add_size(&out, cases[i].bytes);
		assert_string_equal(out.buf, cases[i].expect);
	}
}

static void test_count(void **state UNUSED)
{
	struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

	amount_add_count(&out, 0, "row", NULL);
	strbuf_addstr(&out, ", ");
	amount_add_count(&out, 1, "row", NULL);
	strbuf_addstr(&out, ", ");
	amount_add_count(&out, 1, "entry", "entries");
	strbuf_addstr(&out, ", ");
	amount_add_count(&out, 2, "entry", "entries");
	assert_string_equal(out.buf, "0 rows, 1 row, 1 entry, 2 entries");
}

static void test_estimate(void **state UNUSED)
{
	static const struct {
		int64_t nr;
		bool exact;
		const char *expect;
	} cases[] = {
		{ 0, true, "0 rows" },
		{ 1, true, "1 row" },
		{ 999, true, "999 rows" },
		{ 1000, false, "~1,000 rows" },
		{ 3000000, false, "~3,000,000 rows" },
		{ 12345678, true, "12,345,678 rows" },
		{ -1, false, "an unknown number of rows" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

		amount_add_estimate(&out, cases[i].nr, cases[i].exact, "row");
		assert_string_equal(out.buf, cases[i].expect);
	}
}

static void test_table(void **state UNUSED)
{
	struct table t CLEANUP(table_release) = { .columns = 3, .right = 1 << 1, .indent = 2 };
	struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

	table_cell(&t, COLOR_GREEN, "\xc3\xa9t\xc3\xa9"); /* three letters, five bytes */
	table_cell(&t, COLOR_NONE, "7");
	table_cell(&t, COLOR_NONE, "x\033[2Jy");
	table_cell(&t, COLOR_NONE, "\xe6\x97\xa5\xe6\x9c\xac"); /* two ideographs, four columns */
	table_cellf(&t, COLOR_NONE, "%d", 1000);
	table_cell(&t, COLOR_NONE, "");
	table_cell(&t, COLOR_NONE, "unfinished");

	table_add_to(&t, false, &out);
	assert_string_equal(out.buf, "  \xc3\xa9t\xc3\xa9            7  x\\x1b[2Jy\n"
				     "  \xe6\x97\xa5\xe6\x9c\xac        1000\n"
				     "  unfinished\n");
	strbuf_reset(&out);
	table_add_to(&t, true, &out);
	assert_memory_equal(out.buf, "  \033[32m\xc3\xa9t\xc3\xa9\033[m            7  ", 30);
}

/* One cell that is far too long is not the measure of all others. */
static void test_table_widest(void **state UNUSED)
{
	struct table t CLEANUP(table_release) = { .columns = 2 };
	struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

	table_cellf(&t, COLOR_NONE, "%061d", 1);
	table_cell(&t, COLOR_NONE, "a");
	table_cell(&t, COLOR_NONE, "short");
	table_cell(&t, COLOR_NONE, "b");
	table_add_to(&t, false, &out);
	assert_string_equal(out.buf,
			    "0000000000000000000000000000000000000000000000000000000000001  a\n"
			    "short  b\n");
}

static void test_width(void **state UNUSED)
{
	assert_int_equal(table_width(""), 0);
	assert_int_equal(table_width("abc"), 3);
	assert_int_equal(table_width("e\xcc\x81"), 1); /* a combining accent */
	for (enum mark mark = MARK_DONE; mark <= MARK_WARNING; mark++) {
		assert_int_equal(table_width(mark_text(mark, true)), 2);
		assert_int_equal(table_width(mark_text(mark, false)), 3);
	}
	assert_true(output_utf8());
	setlocale(LC_CTYPE, "C");
	assert_false(output_utf8());
	assert_int_equal(table_width("\xc3\xa9"), 2);
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
}

static void test_color(void **state UNUSED)
{
	static const struct {
		struct color_situation s;
		bool expect;
	} cases[] = {
		{ { -1, NULL, NULL, "xterm", true, false }, true },
		{ { -1, NULL, NULL, "xterm", false, false }, false },
		{ { -1, NULL, NULL, "xterm", false, true }, true },
		{ { -1, NULL, NULL, "dumb", true, false }, false },
		{ { -1, NULL, NULL, NULL, true, false }, false },
		{ { -1, NULL, "1", "xterm", true, false }, false },
		{ { -1, NULL, "", "xterm", true, false }, true },
		{ { -1, "auto", NULL, "xterm", true, false }, true },
		{ { -1, "true", NULL, "xterm", false, false }, false },
		{ { -1, "false", NULL, "xterm", true, false }, false },
		{ { -1, "Never", NULL, "xterm", true, true }, false },
		{ { -1, "always", "1", "dumb", false, false }, true },
		{ { 0, "always", NULL, "xterm", true, true }, false },
		{ { 1, "never", "1", NULL, false, false }, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(color_decide(&cases[i].s), cases[i].expect);
	assert_string_equal(color_code(true, COLOR_RED), "\033[31m");
	assert_string_equal(color_code(true, COLOR_NONE), "");
	assert_string_equal(color_code(false, COLOR_RED), "");
}

static void test_progress_line(void **state UNUSED)
{
	static const struct {
		struct progress p;
		int64_t elapsed;
		const char *expect;
	} cases[] = {
		{ { .title = "Applying", .total = 100 }, 0, "Applying:   0% (0/100)" },
		{ { .title = "Applying", .total = 100, .done = 45 },
		  375000,
		  "Applying:  45% (45/100), 120/s" },
		{ { .title = "Applying", .total = 100, .done = 45 },
		  299999,
		  "Applying:  45% (45/100)" },
		{ { .title = "Applying", .total = 3, .done = 3 }, S, "Applying: 100% (3/3), 3/s" },
		{ { .title = "Applying", .total = 3, .done = 6 }, S, "Applying: 100% (6/3), 6/s" },
		{ { .title = "Reading", .done = 5 }, S, "Reading: 5, 5/s" },
		{ { .title = "Reading", .done = 2048, .total = 4096, .unit = PROGRESS_BYTES },
		  S,
		  "Reading:  50% (2.0 KiB/4.0 KiB), 2.0 KiB/s" },
		{ { .title = "a\033[2J", .total = 1 }, 0, "a\\x1b[2J:   0% (0/1)" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

		progress_add_line(&out, &cases[i].p, cases[i].elapsed);
		assert_string_equal(out.buf, cases[i].expect);
	}
}

static void test_confirmation(void **state UNUSED)
{
	static const struct {
		const char *line, *word;
		bool expect;
	} cases[] = {
		{ "y", NULL, true },
		{ "Y", NULL, true },
		{ "yes", NULL, true },
		{ " YES \r", NULL, true },
		{ "", NULL, false },
		{ "n", NULL, false },
		{ "ye", NULL, false },
		{ "yes please", NULL, false },
		{ "yy", NULL, false },
		{ "ROLLBACK", "ROLLBACK", true },
		{ "\tROLLBACK ", "ROLLBACK", true },
		{ "rollback", "ROLLBACK", false },
		{ "ROLLBACK;", "ROLLBACK", false },
		{ "ROLL BACK", "ROLLBACK", false },
		{ "y", "ROLLBACK", false },
		{ "", "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(prompt_is_confirmation(cases[i].line, cases[i].word),
				 cases[i].expect);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_age),	     cmocka_unit_test(test_duration),
		cmocka_unit_test(test_size),	     cmocka_unit_test(test_count),
		cmocka_unit_test(test_estimate),     cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_widest), cmocka_unit_test(test_width),
		cmocka_unit_test(test_color),	     cmocka_unit_test(test_progress_line),
		cmocka_unit_test(test_confirmation),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
