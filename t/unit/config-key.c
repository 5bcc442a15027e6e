/* SPDX-License-Identifier: MIT */
/* The table of settings: names, values, and that the manual has all of them. */
#include "config/key.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/nearest.h"

static void finds_keys(void **state UNUSED)
{
	assert_non_null(key_find("checkpoint", false, "bigfile"));
	assert_non_null(key_find("checkpoint", false, "bigFile"));
	assert_non_null(key_find("database", true, "url"));
	assert_null(key_find("database", false, "url"));
	assert_null(key_find("checkpoint", true, "bigfile"));
	assert_null(key_find("nosuch", false, "table"));
	assert_null(key_find("migrations", false, ""));
}

static void spells_names(void **state UNUSED)
{
	static const struct {
		const char *section, *sub, *name, *spelled, *variable;
	} list[] = {
		{ "migrations", NULL, "table", "migrations.table",
		  "GIT_ROLLBACK_MIGRATIONS_TABLE" },
		{ "migrations", NULL, "logtable", "migrations.logTable",
		  "GIT_ROLLBACK_MIGRATIONS_LOG_TABLE" },
		{ "database", "a.B", "locktimeout", "database.a.B.lockTimeout", NULL },
		{ "", NULL, "trust", "trust", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		const struct setting_key *key =
			key_find(list[i].section, list[i].sub != NULL, list[i].name);
		struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

		assert_non_null(key);
		key_spell(&out, key, list[i].sub);
		assert_string_equal(out.buf, list[i].spelled);
		if (!list[i].variable)
			continue;
		strbuf_reset(&out);
		key_variable(&out, key);
		assert_string_equal(out.buf, list[i].variable);
	}
}

static void suggests_what_was_meant(void **state UNUSED)
{
	static const char *const list[][3] = {
		{ "migrations", "tabel", "Did you mean 'table'?" },
		{ "migrations", "logtabel", "Did you mean 'logTable'?" },
		{ "migration", "table", "Did you mean the section [migrations]?" },
		{ "database", "url", "This section has a name: [database \"name\"]." },
		{ "migrations", "table", "This section has no name: [migrations]." },
		{ "migrations", "colour", NULL },
		{ "colour", "table", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		char *actual CLEANUP(free_p) = key_suggestion(list[i][0], list[i][1]);

		if (list[i][2])
			assert_string_equal(actual, list[i][2]);
		else
			assert_null(actual);
	}
}

static void measures_distances(void **state UNUSED)
{
	static const struct {
		const char *a, *b;
		size_t distance;
	} list[] = {
		{ "", "", 0 },
		{ "", "abc", 3 },
		{ "abc", "", 3 },
		{ "abc", "abc", 0 },
		{ "abc", "ABC", 0 },
		{ "abc", "abd", 1 },
		{ "abc", "acb", 1 },
		{ "abc", "bc", 1 },
		{ "kitten", "sitting", 3 },
		{ "staging", "stagign", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		assert_int_equal(nearest_distance(list[i].a, list[i].b), list[i].distance);
}

static void reads_values(void **state UNUSED)
{
	static const struct {
		const char *value;
		int64_t is;
		enum key_type type;
		bool fits;
	} list[] = {
		{ NULL, 1, KEY_BOOL, true },
		{ "true", 1, KEY_BOOL, true },
		{ "Yes", 1, KEY_BOOL, true },
		{ "on", 1, KEY_BOOL, true },
		{ "2", 1, KEY_BOOL, true },
		{ "0", 0, KEY_BOOL, true },
		{ "", 0, KEY_BOOL, true },
		{ "off", 0, KEY_BOOL, true },
		{ "maybe", 0, KEY_BOOL, false },
		{ "true # x", 0, KEY_BOOL, false },
		{ "12", 12, KEY_INTEGER, true },
		{ "-1k", -1024, KEY_INTEGER, true },
		{ "100m", 100 << 20, KEY_INTEGER, true },
		{ "2G", INT64_C(2) << 30, KEY_INTEGER, true },
		{ "", 0, KEY_INTEGER, false },
		{ " 1", 0, KEY_INTEGER, false },
		{ "1 m", 0, KEY_INTEGER, false },
		{ "1mm", 0, KEY_INTEGER, false },
		{ "9223372036854775807", INT64_MAX, KEY_INTEGER, true },
		{ "9223372036854775807k", 0, KEY_INTEGER, false },
		{ "9223372036854775808", 0, KEY_INTEGER, false },
		{ NULL, 0, KEY_INTEGER, false },
		{ "-", 0, KEY_INTEGER, false },
		{ "5", 5, KEY_DURATION, true },
		{ "0", 0, KEY_DURATION, true },
		{ "5s", 5000, KEY_DURATION, true },
		{ "5 s", 5000, KEY_DURATION, true },
		{ "2min", 120000, KEY_DURATION, true },
		{ "1h", 3600000, KEY_DURATION, true },
		{ "24d", 2073600000, KEY_DURATION, true },
		{ "25d", 0, KEY_DURATION, false },
		{ "2m", 0, KEY_DURATION, false },
		{ "-1", 0, KEY_DURATION, false },
		{ "", 0, KEY_DURATION, false },
		{ "5s; drop", 0, KEY_DURATION, false },
		{ "99999999999999999999", 0, KEY_DURATION, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		bool yes = false, fits = false;
		int64_t n = 0;

		if (list[i].type == KEY_BOOL) {
			fits = key_bool(&yes, list[i].value);
			n = yes;
		} else if (list[i].type == KEY_INTEGER) {
			fits = key_integer(&n, list[i].value);
		} else {
			fits = key_duration(&n, list[i].value);
		}
		assert_int_equal(fits, list[i].fits);
		assert_int_equal(n, list[i].is);
		assert_int_equal(key_expects(list[i].type, list[i].value) == NULL, list[i].fits);
	}
	assert_null(key_expects(KEY_URL, ""));
	assert_non_null(key_expects(KEY_URL, NULL));
	assert_non_null(key_expects(KEY_STRING, ""));
	assert_null(key_expects(KEY_PATH, "./-x"));
	assert_non_null(key_expects(KEY_PATH, "-x"));
	assert_non_null(key_expects(KEY_PATHSPEC, "--upload-pack=x"));
}

static void fallbacks_fit_their_types(void **state UNUSED)
{
	for (const struct setting_key *key = setting_keys; key->section; key++) {
		if (key->fallback)
			assert_null(key_expects(key->type, key->fallback));
		if (key->type == KEY_BOOL)
			assert_non_null(key->fallback);
	}
}

/* gitrollback(5) has each key as "migrations.table::" or "database.<name>.url::". */
static void the_manual_has_each_key(void **state UNUSED)
{
	const char *here = getenv("TEST_DIRECTORY");
	char *path CLEANUP(free_p) = xstrfmt("%s/../man/gitrollback.adoc", here ? here : "t");
	struct strbuf page CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	assert_int_equal(file_read(&page, path, &err), FILE_FOUND);
	for (const struct setting_key *key = setting_keys; key->section; key++) {
		struct strbuf entry CLEANUP(strbuf_release) = STRBUF_INIT;

		strbuf_addch(&entry, '\n');
		if (!*key->section)
			strbuf_addstr(&entry, "rollback.");
		key_spell(&entry, key, key->flags & KEY_NAMED ? "<name>" : NULL);
		strbuf_addstr(&entry, "::\n");
		if (!strstr(page.buf, entry.buf))
			fail_msg("gitrollback(5) lacks%s", entry.buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_keys),
		cmocka_unit_test(spells_names),
		cmocka_unit_test(suggests_what_was_meant),
		cmocka_unit_test(measures_distances),
		cmocka_unit_test(reads_values),
		cmocka_unit_test(fallbacks_fit_their_types),
		cmocka_unit_test(the_manual_has_each_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
