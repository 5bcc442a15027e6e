/* SPDX-License-Identifier: MIT */
/* An ini file's entries, all of them or none: inifile_parse(). */
#include "config/inifile.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/memory.h"

/* The entries as "section.sub.key=value@line ...", or "place: message". free() it. */
static char *parsed(const char *text, size_t len)
{
	struct inifile file CLEANUP(inifile_release) = INIFILE_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	struct strbuf out = STRBUF_INIT;

	if (inifile_parse(&file, "f", text, len, &err) < 0) {
		assert_int_equal(file.nr, 0);
		strbuf_addf(&out, "%s: %s", err.place, err.message);
		return strbuf_detach(&out);
	}
	for (size_t i = 0; i < file.nr; i++) {
		const struct inifile_entry *entry = &file.item[i];

		strbuf_addf(&out, "%s%s.", i ? " " : "", entry->section);
		if (entry->sub)
			strbuf_addf(&out, "%s.", entry->sub);
		strbuf_addf(&out, "%s=%s@%zu", entry->key, entry->value, entry->line);
	}
	return strbuf_detach(&out);
}

struct expectation {
	const char *text, *expect;
};

static void check(const struct expectation *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		char *actual CLEANUP(free_p) = parsed(list[i].text, strlen(list[i].text));

		assert_string_equal(actual, list[i].expect);
	}
}

static void reads_entries(void **state UNUSED)
{
	static const struct expectation list[] = {
		{ "", "" },
		{ "\n\n; nothing\n# at all\n", "" },
		{ "[a]\nb=c", "a.b=c@2" },
		{ "[a]\n  b  =  c d  \n", "a.b=c d@2" },
		{ "[a]\n\tb = 1\n\td = 2\n", "a.b=1@2 a.d=2@3" },
		{ "\xef\xbb\xbf[a]\r\nb = c\r\n", "a.b=c@2" },
		{ "[A \"X y\"]\nBig_File = Q\n", "a.X y.bigfile=Q@2" },
		{ "[a]\nbigFile = 1\n[a]\nbigFile = 2\n", "a.bigfile=1@2 a.bigfile=2@4" },
		{ "[a] ; comment = 1\nb = c ; comment\n", "a.b=c@2" },
		{ "[a]\nb = c;d\n", "a.b=c;d@2" },
		{ "[a]\nb = c#d\n", "a.b=c#d@2" },
		{ "[a]\nb =\nc = ; nothing\n", "a.b=@2 a.c=@3" },
		{ "[a]\nb = \"c d\"\n", "a.b=c d@2" },
		{ "[a]\nb = \"c\" \"d\"\n", "a.b=\"c\" \"d\"@2" },
		{ "[a]\nb = c:d=e\n", "a.b=c:d=e@2" },
		{ "[a]\nb = 'x # y'\n", "a.b='x # y'@2" },
		{ "[a]\nb = \xc3\xa4\n", "a.b=\xc3\xa4@2" },
	};

	check(list, ARRAY_SIZE(list));
}

/* Each of these libinih would read as something else than it looks, or cut. */
static void refuses_what_would_be_misread(void **state UNUSED)
{
	static const struct expectation list[] = {
		{ "b = c\n", "f:1: this key stands before the first [section]" },
		{ "[a]\n\nb\n", "f:3: expected 'key = value', [section] or a comment" },
		{ "[a]\nb: c\n", "f:2: expected 'key = value', [section] or a comment" },
		{ "[a]\nb:x = c\n", "f:2: a key is made of letters and digits, '_' and '-'" },
		{ "[a]\n = c\n", "f:2: a key is made of letters and digits, '_' and '-'" },
		{ "[a]\nb ; x = c\n", "f:2: a key is made of letters and digits, '_' and '-'" },
		{ "[a\nb = c\n", "f:1: a section needs a ']'" },
		{ "[a.b]\n", "f:1: a section is [section] or [section \"name\"]" },
		{ "[]\n", "f:1: a section is [section] or [section \"name\"]" },
		{ "[a b]\n", "f:1: a section's name stands in double quotes: [section \"name\"]" },
		{ "[a \"\"]\n",
		  "f:1: a section's name stands in double quotes: [section \"name\"]" },
		{ "[a \"b]c\"]\n",
		  "f:1: a section's name stands in double quotes: [section \"name\"]" },
		{ "[a \"b\"c\"]\n", "f:1: a section's name cannot hold quotes, '\\', ';' or ']'" },
		{ "[a \"b\\c\"]\n", "f:1: a section's name cannot hold quotes, '\\', ';' or ']'" },
		{ "[a \"b ;c\"]\n", "f:1: a section's name cannot hold quotes, '\\', ';' or ']'" },
		{ "[a] b = c\n", "f:1: a key stands on a line of its own, not behind a ']'" },
		{ "[a \"0123456789012345678901234567890123456789012345\"]\n",
		  "f:1: this section is too long: 48 bytes are the limit" },
		{ "[a]\nb = \"c ; d\"\n", "f:2: a blank and ';' start a comment, in quotes too" },
		{ "[a]\nb = sh -c 'c ; d'\n",
		  "f:2: a blank and ';' start a comment, in quotes too" },
		{ "[a]\nb = c # d\n",
		  "f:2: behind a value a comment starts with ';', not with '#'" },
		{ "[a]\nb = c\rd = e\n", "f:2: this line holds a control character (0x0d)" },
		{ "[a]\nb = \033[2J\n", "f:2: this line holds a control character (0x1b)" },
		{ "[a]\nb = \xff\n", "f:2: this line is not valid UTF-8" },
	};

	check(list, ARRAY_SIZE(list));
}

static void refuses_nul(void **state UNUSED)
{
	static const char text[] = "[a]\nb = c\0d\n";
	char *actual CLEANUP(free_p) = parsed(text, sizeof(text) - 1);

	assert_string_equal(actual, "f:2: this line holds a control character (0x00)");
}

/* A line of exactly `len` bytes, as value or as comment. */
static char *with_line(size_t len, bool comment)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_addstr(&text, comment ? "[a]\n; = " : "[a]\nb = ");
	for (size_t i = 4; i < len; i++)
		strbuf_addch(&text, 'x');
	strbuf_addstr(&text, "\nc = d\n");
	return strbuf_detach(&text);
}

static void limits_lines(void **state UNUSED)
{
	char *fits CLEANUP(free_p) = with_line(INIFILE_LINE, false);
	char *long_line CLEANUP(free_p) = with_line(INIFILE_LINE + 1, false);
	char *comment CLEANUP(free_p) = with_line(100000, true);
	char *a CLEANUP(free_p) = parsed(fits, strlen(fits));
	char *b CLEANUP(free_p) = parsed(long_line, strlen(long_line));
	char *c CLEANUP(free_p) = parsed(comment, strlen(comment));

	assert_int_equal(strlen(a), strlen("a.b=@2 a.c=d@3") + INIFILE_LINE - 4);
	assert_string_equal(b, "f:2: this line is too long: 190 bytes are the limit");
	assert_string_equal(c, "a.c=d@3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_entries),
		cmocka_unit_test(refuses_what_would_be_misread),
		cmocka_unit_test(refuses_nul),
		cmocka_unit_test(limits_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
