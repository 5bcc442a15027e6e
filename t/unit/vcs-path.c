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

static void test_storable(void **state UNUSED)
{
	static const char *const good[] = { "a",     ".gitignore",  ".gitx", "git~10",
					    "a.git", "x/.github/y", ".gi",   "git~1x" };
	static const char *const bad[] = { ".git",	 ".GIT/x",  "a/.Git",	  "a/git~1/x",
					   ".git.",	 ".git /x", "x/.git . .", ".git:stream",
					   "a\\.git\\x", "GIT~1 " };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(path_is_storable(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(path_is_storable(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_json_and_back),
		cmocka_unit_test(test_damaged_json),
		cmocka_unit_test(test_storable),
	};

	return cmocka_run_group_tests_name("paths", tests, NULL, NULL);
}
