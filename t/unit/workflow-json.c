/* SPDX-License-Identifier: MIT */
#include "workflow/json-edit.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/memory.h"
#include "workflow/metadata.h"
#include "workflow/story.h"

/* ---- metadata.json ------------------------------------------------------------------- */

static const char *or_none(const char *s)
{
	return s ? s : "-";
}

/* What is in it: id, description, state, created. */
static const struct {
	const char *text, *expect;
} metadata[] = {
	{ "{\"track_id\": \"a\", \"status\": \"new\", \"created_at\": \"2026\", \"description\": \"A\"}",
	  "a 'A' pending 2026" },
	{ "{\"id\": \"a\", \"title\": \"A\", \"description\": \"\", \"status\": \"in-progress\"}",
	  "a 'A' in_progress -" },
	{ "{\"trackId\": \"a\", \"name\": \"A\", \"created\": \"1\"}", "a 'A' other 1" },
	{ "{\"storage_id\": \"s\", \"status\": \"In Progress\"}", "s '-' in_progress -" },
	{ "{\"status\": \"Reverted\"}", "- '-' reverted -" },
	{ "{\"status\": \"rolled_back\"}", "- '-' reverted -" },
	{ "{\"status\": \"paused\", \"track_id\": 7}", "- '-' other -" },
	{ "\xef\xbb\xbf{\"track_id\": \"a\",\r\n}\r\n", "a '-' other -" },
	{ "{\"track_id\": \"a\", \"big\": 123456789012345678901234567890}", "a '-' other -" },
	{ "{}", "- '-' other -" },
};

static void reads_metadata(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(metadata); i++) {
		struct metadata it CLEANUP(metadata_release) = METADATA_INIT;
		struct error err CLEANUP(error_release) = ERROR_INIT;
		const char *text = metadata[i].text;

		assert_int_equal(metadata_parse(&it, "m", text, strlen(text), &err), 0);

		char *shown CLEANUP(free_p) =
			xstrfmt("%s '%s' %s %s", or_none(it.id), or_none(it.description),
				unit_state_name(it.state), or_none(it.created_at));

		assert_string_equal(shown, metadata[i].expect);
	}
}

/* What is no JSON object, and the place that is told. */
static const struct {
	const char *text, *place;
} broken[] = {
	{ "", "x/metadata.json:1:1" },
	{ "{\n  \"a\": 1\n  \"b\": 2\n}\n", "x/metadata.json:3:5" },
	{ "{\"a\": 1, \"a\": 2}", "x/metadata.json:1:12" },
	{ "{\"a\": 1} b", "x/metadata.json:1:10" },
	{ "{\"a\": \"\xff\"}", "x/metadata.json:1:7" },
	{ "<html>", "x/metadata.json:1:1" },
	{ "[1]", NULL },
	{ "7", "x/metadata.json:1:1" },
};

static void tells_where_it_is_broken(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		struct metadata it CLEANUP(metadata_release) = METADATA_INIT;
		struct error err CLEANUP(error_release) = ERROR_INIT;
		const char *text = broken[i].text;

		assert_int_equal(metadata_parse(&it, "x/metadata.json", text, strlen(text), &err),
				 -1);
		assert_null(it.path);
		if (strcmp(or_none(err.place), or_none(broken[i].place)) != 0)
			fail_msg("'%s': %s at %s", text, err.message, or_none(err.place));
	}
}

static const struct {
	const char *text;
	enum unit_state to;
	const char *expect;
} edits[] = {
	/* Only the value: order, indentation, numbers, escapes, line ends stay. */
	{ "{\r\n\t\"z\" : 1.0e3,\r\n\t\"status\"\t:\"completed\",\r\n\t\"a\": \"\\u00e9\\/\", \"n\": 0.10\r\n}",
	  UNIT_REVERTED,
	  "{\r\n\t\"z\" : 1.0e3,\r\n\t\"status\"\t:\"reverted\",\r\n\t\"a\": \"\\u00e9\\/\", \"n\": 0.10\r\n}" },
	{ "\xef\xbb\xbf{\"status\":\"Completed\",}\n", UNIT_IN_PROGRESS,
	  "\xef\xbb\xbf{\"status\":\"In Progress\",}\n" },
	{ "{\"status\": \"in_progress\"}", UNIT_PENDING, "{\"status\": \"new\"}" },
	{ "{\"status\": \"In Progress\"}", UNIT_PENDING, "{\"status\": \"Planning\"}" },
	{ "{\"status\": \"not-started\"}", UNIT_IN_PROGRESS, "{\"status\": \"in-progress\"}" },
	{ "{\"status\": \"not started\"}", UNIT_IN_PROGRESS, "{\"status\": \"in progress\"}" },
	{ "{\"status\": \"DONE\"}", UNIT_IN_PROGRESS, "{\"status\": \"IN PROGRESS\"}" },
	{ "{\"status\": \"not started\"}", UNIT_PENDING, "{\"status\": \"not started\"}" },
	/* Not the first "status" there is, but the right one. */
	{ "{\"x\": {\"status\": \"done\"}, \"y\": \"\\\"status\\\": 1\", \"status\": \"done\"}",
	  UNIT_REVERTED,
	  "{\"x\": {\"status\": \"done\"}, \"y\": \"\\\"status\\\": 1\", \"status\": \"reverted\"}" },
	{ "{\"status\": null, \"a\": [1, {\"b\": [2]}]}", UNIT_REVERTED,
	  "{\"status\": \"reverted\", \"a\": [1, {\"b\": [2]}]}" },
	{ "{\"state\": \"done\"}", UNIT_REVERTED, "{\"state\": \"reverted\"}" },
	/* A key in another spelling. */
	{ "{\"st\\u0061tus\": \"done\", \"\\u00e9\": 1}", UNIT_REVERTED,
	  "{\"st\\u0061tus\": \"reverted\", \"\\u00e9\": 1}" },
	/* A new member, in the way of the others. */
	{ "{\n  \"track_id\": \"a\",\n  \"n\": [1,\n 2]\n}\n", UNIT_REVERTED,
	  "{\n  \"track_id\": \"a\",\n  \"n\": [1,\n 2],\n  \"status\": \"reverted\"\n}\n" },
	{ "{\"a\":1}", UNIT_REVERTED, "{\"a\":1,\"status\":\"reverted\"}" },
	{ "{}", UNIT_REVERTED, "{\"status\": \"reverted\"}" },
	{ "{\"big\": 123456789012345678901234567890, \"status\": \"new\"}", UNIT_REVERTED,
	  "{\"big\": 123456789012345678901234567890, \"status\": \"reverted\"}" },
};

static void edits_metadata(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		struct metadata it CLEANUP(metadata_release) = METADATA_INIT;
		struct metadata after CLEANUP(metadata_release) = METADATA_INIT;
		struct splices splices CLEANUP(splices_release) = SPLICES_INIT;
		struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
		struct error err CLEANUP(error_release) = ERROR_INIT;
		const char *text = edits[i].text;

		assert_int_equal(metadata_parse(&it, "m", text, strlen(text), &err), 0);
		if (metadata_set_state(&splices, &it, edits[i].to, &err) < 0)
			fail_msg("'%s': %s", text, err.message);
		assert_int_equal(splices_apply(&edited, text, strlen(text), &splices, &err), 0);
		assert_string_equal(edited.buf, edits[i].expect);
		assert_int_equal(metadata_parse(&after, "m", edited.buf, edited.len, &err), 0);
		if (!strstr(text, "\"state\""))
			assert_int_equal(after.state, edits[i].to);
	}
}

/* What "phases" and "tasks" say; of all, of the second phase, of the first task there. */
static const char nested_plan[] = "## Phase 1: One\n- [x] a\n## Phase 2: Two\n- [x] b\n- [x] c\n";
static const struct {
	const char *text, *all, *phase, *task; /* NULL: as it was */
} nested[] = {
	{ "{\"phases\": [{\"name\": \"Phase 1: One\", \"status\": \"completed\"},\n"
	  " {\"name\": \"Phase 2: Two\", \"status\": \"completed\", \"tasks\": [{\"done\": true}, {\"done\":true}]}],"
	  " \"needs\": [{\"status\": \"done\"}]}",
	  "{\"phases\": [{\"name\": \"Phase 1: One\", \"status\": \"new\"},\n"
	  " {\"name\": \"Phase 2: Two\", \"status\": \"new\", \"tasks\": [{\"done\": false}, {\"done\":false}]}],"
	  " \"needs\": [{\"status\": \"done\"}]}",
	  "{\"phases\": [{\"name\": \"Phase 1: One\", \"status\": \"completed\"},\n"
	  " {\"name\": \"Phase 2: Two\", \"status\": \"new\", \"tasks\": [{\"done\": false}, {\"done\":false}]}],"
	  " \"needs\": [{\"status\": \"done\"}]}",
	  "{\"phases\": [{\"name\": \"Phase 1: One\", \"status\": \"completed\"},\n"
	  " {\"name\": \"Phase 2: Two\", \"status\": \"new\", \"tasks\": [{\"done\": false}, {\"done\":true}]}],"
	  " \"needs\": [{\"status\": \"done\"}]}" },
	/* By the place, where there are as many; else nobody knows. */
	{ "{\"phases\": [{\"status\": \"done\"}, {\"status\": \"done\"}]}",
	  "{\"phases\": [{\"status\": \"new\"}, {\"status\": \"new\"}]}",
	  "{\"phases\": [{\"status\": \"done\"}, {\"status\": \"new\"}]}",
	  "{\"phases\": [{\"status\": \"done\"}, {\"status\": \"new\"}]}" },
	{ "{\"phases\": [{\"status\": \"done\"}]}", "{\"phases\": [{\"status\": \"new\"}]}", NULL,
	  NULL },
	{ "{\"tasks\": [{\"title\": \"b\", \"state\": \"Done\"}, {\"title\": \"c\", \"state\": \"Done\"}]}",
	  "{\"tasks\": [{\"title\": \"b\", \"state\": \"Planning\"}, {\"title\": \"c\", \"state\": \"Planning\"}]}",
	  "{\"tasks\": [{\"title\": \"b\", \"state\": \"Planning\"}, {\"title\": \"c\", \"state\": \"Planning\"}]}",
	  "{\"tasks\": [{\"title\": \"b\", \"state\": \"Planning\"}, {\"title\": \"c\", \"state\": \"Done\"}]}" },
	{ "{\"phases\": 7, \"tasks\": {\"status\": \"done\"}}", NULL, NULL, NULL },
};

static void reopen(const struct metadata *json, const struct plan_document *plan, size_t phase,
		   size_t task, const char *expect)
{
	struct splices splices CLEANUP(splices_release) = SPLICES_INIT;
	struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (metadata_reopen_parts(&splices, json, plan, phase, task, &err) < 0 ||
	    splices_apply(&edited, json->text, json->len, &splices, &err) < 0)
		fail_msg("'%s': %s", json->text, err.message);
	assert_string_equal(edited.buf, expect ? expect : json->text);
}

static void edits_what_is_nested(void **state UNUSED)
{
	struct plan_document plan CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;

	plan_document_parse(&plan, "plan.md", nested_plan, strlen(nested_plan));
	for (size_t i = 0; i < ARRAY_SIZE(nested); i++) {
		struct metadata it CLEANUP(metadata_release) = METADATA_INIT;
		struct error err CLEANUP(error_release) = ERROR_INIT;
		const char *text = nested[i].text;

		assert_int_equal(metadata_parse(&it, "m", text, strlen(text), &err), 0);
		reopen(&it, &plan, NO_INDEX, NO_INDEX, nested[i].all);
		reopen(&it, &plan, 1, NO_INDEX, nested[i].phase);
		reopen(&it, &plan, 1, 1, nested[i].task);
	}
}

/* ---- prd.json ------------------------------------------------------------------------ */

static void reads_stories(void **state UNUSED)
{
	static const char text[] =
		"{\"project\": \"p\", \"userStories\": [\n"
		"  {\"id\": \"US-001\", \"title\": \"Log in\", \"passes\": true},\n"
		"  {\"title\": \"nameless\"}, 7,\n"
		"  {\"id\": 2, \"name\": \"Log out\", \"status\": \"In Progress\", \"passes\": true}\n]}\n";
	struct stories it CLEANUP(stories_release) = STORIES_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	assert_int_equal(stories_parse(&it, "prd.json", text, strlen(text), &err), 0);
	assert_int_equal(it.nr, 2);
	assert_string_equal(it.item[0].id, "US-001");
	assert_string_equal(it.item[0].title, "Log in");
	assert_int_equal(it.item[0].state, UNIT_DONE);
	assert_string_equal(it.item[1].id, "2");
	assert_string_equal(it.item[1].title, "Log out");
	assert_int_equal(it.item[1].state, UNIT_IN_PROGRESS);
	assert_int_equal(it.item[1].index, 3);

	struct splices splices CLEANUP(splices_release) = SPLICES_INIT;
	struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;

	assert_int_equal(story_set_state(&splices, &it, 0, UNIT_PENDING, &err), 0);
	assert_int_equal(story_set_state(&splices, &it, 1, UNIT_REVERTED, &err), 0);
	assert_int_equal(splices_apply(&edited, text, strlen(text), &splices, &err), 0);
	assert_string_equal(
		edited.buf,
		"{\"project\": \"p\", \"userStories\": [\n"
		"  {\"id\": \"US-001\", \"title\": \"Log in\", \"passes\": false},\n"
		"  {\"title\": \"nameless\"}, 7,\n"
		"  {\"id\": 2, \"name\": \"Log out\", \"status\": \"Reverted\", \"passes\": false}\n]}\n");
}

static void reads_a_bare_list(void **state UNUSED)
{
	static const char text[] = "[{\"id\": \"a\", \"passes\": true}]";
	struct stories it CLEANUP(stories_release) = STORIES_INIT;
	struct stories none CLEANUP(stories_release) = STORIES_INIT;
	struct splices splices CLEANUP(splices_release) = SPLICES_INIT;
	struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	assert_int_equal(stories_parse(&it, "prd.json", text, strlen(text), &err), 0);
	assert_int_equal(story_set_state(&splices, &it, 0, UNIT_PENDING, &err), 0);
	assert_int_equal(splices_apply(&edited, text, strlen(text), &splices, &err), 0);
	assert_string_equal(edited.buf, "[{\"id\": \"a\", \"passes\": false}]");
	assert_int_equal(stories_parse(&none, "prd.json", "{}", 2, &err), -1);
	assert_string_equal(err.message, "cannot read 'prd.json': it has no list of stories");
}

/* ---- Splices ------------------------------------------------------------------------- */

static void apply(const char *text, struct splices *splices, const char *expect)
{
	struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	int ret = splices_apply(&edited, text, strlen(text), splices, &err);

	if (expect)
		assert_string_equal(edited.buf, expect);
	assert_int_equal(ret, expect ? 0 : -1);
	splices_release(splices);
}

static void splices_bytes(void **state UNUSED)
{
	struct splices s CLEANUP(splices_release) = SPLICES_INIT;

	apply("abc", &s, "abc");
	splices_add(&s, (struct span){ 3, 0 }, "!");
	splices_add(&s, (struct span){ 1, 1 }, "BB");
	splices_add(&s, (struct span){ 0, 0 }, "<");
	splices_add(&s, (struct span){ 1, 1 }, "BB");
	apply("abc", &s, "<aBBc!");
	splices_add(&s, (struct span){ 0, 2 }, "");
	splices_add(&s, (struct span){ 1, 2 }, "");
	splices_add(&s, (struct span){ 1, 1 }, "");
	apply("abcd", &s, "d");
	splices_add(&s, (struct span){ 0, 2 }, "");
	splices_add(&s, (struct span){ 1, 1 }, "x");
	apply("abc", &s, NULL);
	splices_add(&s, (struct span){ 2, 2 }, "");
	apply("abc", &s, NULL);
	splices_add(&s, (struct span){ 4, 0 }, "");
	apply("abc", &s, NULL);
	splices_add(&s, (struct span){ 1, SIZE_MAX }, "");
	apply("abc", &s, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_metadata), cmocka_unit_test(tells_where_it_is_broken),
		cmocka_unit_test(edits_metadata), cmocka_unit_test(edits_what_is_nested),
		cmocka_unit_test(reads_stories),  cmocka_unit_test(reads_a_bare_list),
		cmocka_unit_test(splices_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
