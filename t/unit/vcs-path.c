/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "vcs/path.h"

static void test_quotes(void **state UNUSED)
{
	static const struct {
		const char *path, *quoted, *shown;
	} cases[] = {
		{ "a/b", "\"a/b\"", "a/b" },
		{ "a b", "\"a b\"", "\"a b\"" },
		{ "", "\"\"", "" },
		{ "\"", "\"\\\"\"", "\"\\\"\"" },
		{ "a\\b", "\"a\\\\b\"", "\"a\\\\b\"" },
		{ "\a\b\t\n\v\f\r", "\"\\a\\b\\t\\n\\v\\f\\r\"", "\"\\a\\b\\t\\n\\v\\f\\r\"" },
		{ "\x01\x7f", "\"\\001\\177\"", "\"\\001\\177\"" },
		{ "h\xc3\xb6", "\"h\\303\\266\"", "\"h\\303\\266\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf quoted CLEANUP(strbuf_release) = STRBUF_INIT;
		struct strbuf shown CLEANUP(strbuf_release) = STRBUF_INIT;

		path_quote(&quoted, cases[i].path, false);
		assert_string_equal(quoted.buf, cases[i].quoted);
		path_show(&shown, cases[i].path);
		assert_string_equal(shown.buf, cases[i].shown);
	}
}

static void test_json_and_back(void **state UNUSED)
{
	struct strvec paths CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec back CLEANUP(strvec_release) = STRVEC_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	char every[256];

	for (size_t i = 1; i < sizeof(every); i++)
		every[i - 1] = (char)i;
	every[255] = '\0';
	strvec_pushl(&paths, "a", "\"", "\"quoted\"", "back\\slash", "h\xc3\xb6", "\xff", every,
		     NULL);
	json_t *array CLEANUP(json_decref_p) = paths_to_json(&paths);
	assert_int_equal(paths_from_json(&back, array, &err), 0);
	assert_int_equal(back.nr, paths.nr);
	for (size_t i = 0; i < paths.nr; i++)
		assert_string_equal(back.v[i], paths.v[i]);
	assert_string_equal(json_string_value(json_array_get(array, 3)), "back\\slash");
	assert_string_equal(json_string_value(json_array_get(array, 4)), "h\xc3\xb6");
}

static void test_damaged_json(void **state UNUSED)
{
	static const char *const cases[] = { "\"",	  "\"a",       "\"a\"b",
					     "\"\\",	  "\"\\q\"",   "\"\\01\"",
					     "\"\\008\"", "\"\\000\"", "\"\\777\"" };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_null(path_from_json(cases[i]));
}

static void test_faults(void **state UNUSED)
{
	static const char absolute[] = "it is absolute", empty[] = "it has an empty part",
			  above[] = "it has '..' in it", git[] = "it leads into .git";
	static const struct {
		const char *path, *fault;
	} cases[] = {
		{ "a", NULL },
		{ ".gitignore", NULL },
		{ ".gitx", NULL },
		{ "git~10", NULL },
		{ "git~1x", NULL },
		{ "a.git", NULL },
		{ "x/.github/y", NULL },
		{ ".gi", NULL },
		{ "...", NULL },
		{ "a/..b", NULL },
		{ "a\\b", NULL },
		{ "a:.git", NULL },
		{ "h\xc3\xb6", NULL },
		{ "git", NULL },
		{ "git~2", NULL },
		{ "..a", NULL },
		{ "a..", NULL },
		{ "a b", NULL },
		{ "new\nline", NULL },
		{ "\xff", NULL },
		{ "-dash", NULL },
		{ ":colon", NULL },
		{ "\xe2\x80\x8c", NULL },
		{ ".git-x", NULL },
		{ ".gitmodules", NULL },
		{ "/a", absolute },
		{ "/", absolute },
		{ "", empty },
		{ "a/", empty },
		{ "a//b", empty },
		{ ".", empty },
		{ "./a", empty },
		{ "a/./b", empty },
		{ "..", above },
		{ "a/../b", above },
		{ "a/..", above },
		{ ".git", git },
		{ ".GIT/x", git },
		{ "a/.Git", git },
		{ "a/git~1/x", git },
		{ "GIT~1 ", git },
		{ ".git.", git },
		{ ".git ", git },
		{ "a/.git/hooks/x", git },
		{ ".gi\xe2\x81\xaat", git },
		{ ".git /x", git },
		{ "x/.git . .", git },
		{ ".git:stream", git },
		{ ".git::$INDEX_ALLOCATION/x", git },
		{ "a\\.git\\x", git },
		{ ".git\\x", git },
		{ "a\\GIT~1", git },
		{ ".g\xe2\x80\x8cit", git },
		{ "\xef\xbb\xbf.git/x", git },
		{ ".gi\xe2\x81\xaft", git },
		{ ".gi\xe2\x81\xa9t", NULL },
		{ ".gi\xe2\x80", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *fault = path_fault(cases[i].path);

		if (!cases[i].fault)
			assert_null(fault);
		else
			assert_string_equal(fault ? fault : cases[i].path, cases[i].fault);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_json_and_back),
		cmocka_unit_test(test_damaged_json),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests_name("paths", tests, NULL, NULL);
}
