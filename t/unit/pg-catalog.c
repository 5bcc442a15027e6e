/* SPDX-License-Identifier: MIT */
/* What needs no server: differences between catalogs, their texts, and their JSON. */
#include "pg/catalog.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "pg/catalog-state.h"

static void test_difference_text(void **state UNUSED)
{
	static const struct {
		const char *kind, *expected, *actual, *text;
	} cases[] = {
		{ "index", NULL, "definition: x\n", "index i still exists" },
		{ "index", "definition: x\n", NULL, "index i is missing" },
		{ "column", "type: text\ndefault: now()\n", "type: text\n",
		  "column i: default now() -> none" },
		{ "column", "type: text\n", "type: text\nnot null: yes\n",
		  "column i: not null no -> yes" },
		{ "column", "type: text\nnot null: yes\ncomment: a\n",
		  "type: integer\nstorage: plain\ncomment: a\n",
		  "column i: type text -> integer, not null yes -> no, storage default -> plain" },
		{ "trigger", "definition: x\n", "definition: x\nenabled: no\n",
		  "trigger i: enabled yes -> no" },
		{ "table", "owner: a\n", "owner: a\nprivileges: nobody\n",
		  "table i: privileges default -> nobody" },
		{ "column", "type: a\n", "type: a\nprivileges: b=r/a\n",
		  "column i: privileges none -> b=r/a" },
		/* An attribute's name inside of a value is none. */
		{ "function", "body: a\n\tcost: 1\ncost: 2\n", "body: a\n\tcost: 1\ncost: 3\n",
		  "function i: cost 2 -> 3" },
		/* Lines become one; where only they differ, nothing is shown to differ. */
		{ "view", "query: select\n\t  1\n", "query: select\n\t  2\n",
		  "view i: query select 1 -> select 2" },
		{ "view", "query: select\n\t1\n", "query: select 1\n",
		  "view i: white space differs" },
		/* Long values: from shortly before the first difference, 60 characters. */
		{ "view",
		  "query: 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 xa\n",
		  "query: 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 xb\n",
		  "view i: query ...89 0123456789 xa -> ...89 0123456789 xb" },
		{ "view",
		  "query: a123456789 0123456789 0123456789 0123456789 0123456789 0123456789\n",
		  "query: b\n",
		  "view i: query a123456789 0123456789 0123456789 0123456789 0123456789 01234... -> b" },
		/* Not in the middle of a character. */
		{ "schema",
		  "comment: \303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244"
		  "\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244 0123456789"
		  " 0123456789 0123456789 0123456789\n",
		  "comment: \303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244"
		  "\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\266\n",
		  "schema i: comment ...\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244"
		  "\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244 0123456789 0123456789"
		  " 0123456789 0123456789 -> ...\303\244\303\244\303\244\303\244\303\244\303\244\303\244"
		  "\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\266" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;

		catalog_difference_text(&sb, cases[i].kind, "i", cases[i].expected, cases[i].actual,
					false);
		assert_string_equal(sb.buf, cases[i].text);
	}
}

static void test_arrow(void **state UNUSED)
{
	struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;

	catalog_difference_text(&sb, "column", "public.t.c", "default: now()\n", "", true);
	assert_string_equal(sb.buf, "column public.t.c: default now() \342\206\222 none");
}

static void add_object(struct catalog *cat, const char *kind, const char *identity,
		       const char *definition)
{
	ARRAY_GROW(cat->item, cat->nr + 1, cat->alloc);
	cat->item[cat->nr++] = (struct catalog_object){
		.kind = catalog_kind_name(kind),
		.identity = xstrdup(identity),
		.definition = xstrdup(definition),
	};
}

static void complete(struct catalog *cat)
{
	const struct catalog_notes none = { 0 };

	for (size_t i = 0; i < cat->nr; i++)
		cat->item[i].group_oid = (uint32_t)i;
	catalog_complete(cat, &none);
}

static void test_diff_and_json(void **state UNUSED)
{
	struct catalog before CLEANUP(catalog_release) = CATALOG_INIT;
	struct catalog after CLEANUP(catalog_release) = CATALOG_INIT;
	struct catalog_changes changes CLEANUP(catalog_changes_release) = CATALOG_CHANGES_INIT;
	struct catalog_changes copy CLEANUP(catalog_changes_release) = CATALOG_CHANGES_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	add_object(&before, "view", "v", "query: 1\n");
	add_object(&before, "sequence", "s", "start: 1\n");
	add_object(&before, "domain", "d", "type: integer\n");
	complete(&before);
	add_object(&after, "view", "v", "query: 2\n");
	add_object(&after, "sequence", "s", "start: 1\n");
	add_object(&after, "view", "w", "query: 1\n");
	complete(&after);

	assert_string_not_equal(catalog_fingerprint(&before), catalog_fingerprint(&after));
	assert_non_null(catalog_find(&before, "domain", "d"));
	assert_null(catalog_find(&after, "domain", "d"));
	assert_null(catalog_find(&after, "view", "s"));

	catalog_diff(&changes, &before, &after);
	assert_int_equal(changes.nr, 3);
	assert_string_equal(changes.item[0].identity, "d");
	assert_string_equal(changes.item[0].before, "type: integer\n");
	assert_null(changes.item[0].after);
	assert_string_equal(changes.item[0].after_digest, "");
	assert_string_equal(changes.item[1].identity, "v");
	assert_string_equal(changes.item[1].after, "query: 2\n");
	assert_string_equal(changes.item[2].identity, "w");
	assert_string_equal(changes.item[2].before_digest, "");

	json_t *json CLEANUP(json_decref_p) = catalog_changes_to_json(&changes);
	assert_int_equal(catalog_changes_from_json(&copy, json, &err), 0);
	assert_int_equal(copy.nr, 3);
	for (size_t i = 0; i < copy.nr; i++) {
		assert_string_equal(copy.item[i].kind, changes.item[i].kind);
		assert_string_equal(copy.item[i].identity, changes.item[i].identity);
		assert_string_equal(copy.item[i].before_digest, changes.item[i].before_digest);
		assert_string_equal(copy.item[i].after_digest, changes.item[i].after_digest);
		assert_null(copy.item[i].after);
	}
	assert_string_equal(copy.item[1].before, "query: 1\n");
	assert_null(copy.item[2].before);
}

static void test_damaged_json(void **state UNUSED)
{
	static const char *const damaged[] = {
		"{}",
		"[1]",
		"[{}]",
		"[{\"kind\":\"view\",\"identity\":\"v\",\"before\":null,\"after\":null}]",
		"[{\"kind\":\"view\",\"identity\":\"v\",\"before\":\"12\",\"after\":null,"
		"\"definition\":null}]",
		"[{\"kind\":\"view\",\"identity\":1,\"before\":null,\"after\":null,"
		"\"definition\":null}]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		struct catalog_changes changes CLEANUP(catalog_changes_release) =
			CATALOG_CHANGES_INIT;
		struct error err CLEANUP(error_release) = ERROR_INIT;
		json_t *json CLEANUP(json_decref_p) = json_loads(damaged[i], 0, NULL);

		assert_non_null(json);
		assert_int_equal(catalog_changes_from_json(&changes, json, &err), -1);
		assert_non_null(err.message);
		assert_int_equal(changes.nr, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_difference_text),
		cmocka_unit_test(test_arrow),
		cmocka_unit_test(test_diff_and_json),
		cmocka_unit_test(test_damaged_json),
	};

	return cmocka_run_group_tests_name("pg-catalog", tests, NULL, NULL);
}
