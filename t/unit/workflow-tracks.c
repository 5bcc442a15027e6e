/* SPDX-License-Identifier: MIT */
#include "workflow/tracks.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/memory.h"

/* ---- Files of a project, in a table -------------------------------------------------- */

struct file {
	const char *path, *text; /* NULL: it cannot be read */
};
struct files {
	const struct file *file;
	size_t nr;
};

static int files_list(struct document_source *source, struct strvec *ret, struct error *err UNUSED)
{
	const struct files *files = source->data;

	for (size_t i = 0; i < files->nr; i++)
		strvec_push(ret, files->file[i].path);
	return 0;
}

static int files_read(struct document_source *source, const char *path, struct strbuf *ret,
		      struct error *err)
{
	const struct files *files = source->data;

	for (size_t i = 0; i < files->nr; i++) {
		if (strcmp(files->file[i].path, path) != 0)
			continue;
		if (!files->file[i].text)
			return error_set(err, "it is a symbolic link, or below one");
		strbuf_addstr(ret, files->file[i].text);
		return SOURCE_FOUND;
	}
	return SOURCE_MISSING;
}

static void read_files(struct tracks *ret, const struct file *file, size_t nr,
		       const struct tracks_places *places)
{
	struct files files = { file, nr };
	struct document_source source = { .list = files_list, .read = files_read, .data = &files };
	struct error err CLEANUP(error_release) = ERROR_INIT;

	assert_int_equal(tracks_read(ret, &source, places, &err), 0);
}

static char *show(const struct tracks *tracks)
{
	struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < tracks->nr; i++) {
		const struct track *it = &tracks->item[i];

		strbuf_addf(&out, "%s '%s' %s%s %s %zu/%zu %zu\n", it->id, it->description,
			    unit_state_name(it->state), it->archived ? " archived" : "",
			    it->folder ? it->folder : "-", it->plan.phases, it->plan.tasks,
			    it->entries);
	}
	for (size_t i = 0; i < tracks->problem.nr; i++)
		strbuf_addf(&out, "! %s:%zu: %s\n", tracks->problem.item[i].path,
			    tracks->problem.item[i].line, tracks->problem.item[i].text);
	return strbuf_detach(&out);
}

static void reads_as(const struct file *file, size_t nr, const struct tracks_places *places,
		     const char *expect)
{
	struct tracks tracks CLEANUP(tracks_release) = TRACKS_INIT;

	read_files(&tracks, file, nr, places);

	char *shown CLEANUP(free_p) = show(&tracks);

	assert_string_equal(shown, expect);
}

#define READS_AS(files, places, expect) reads_as(files, ARRAY_SIZE(files), places, expect)
#define PLAN(box)			"## Phase 1: One\n- [" box "] a\n"

/* ---- Layouts ------------------------------------------------------------------------- */

static void reads_the_usual_layout(void **state UNUSED)
{
	static const struct file files[] = {
		{ "conductor/tracks.md",
		  "# Tracks\n\n- [x] **Track: Dogs**\n*Link: [./tracks/dogs/](./tracks/dogs/)*\n\n"
		  "- [~] **Track: Cats**\n*Link: [./conductor/tracks/cats_1/](./conductor/tracks/cats_1/)*\n" },
		{ "conductor/tracks/cats_1/plan.md", PLAN("~") },
		{ "conductor/tracks/cats_1/metadata.json", "{\"status\": \"new\"}" },
		{ "conductor/tracks/dogs/plan.md", PLAN("x") },
		{ "conductor/tracks/dogs/docs/plan.md", PLAN("x") }, /* the track's own affair */
		{ "conductor/archive/old/plan.md", "# Plan: Olds\n" PLAN("x") },
		{ "conductor/archive/old/metadata.json", "{\"status\": \"new\"}" },
		{ "conductor/archive/plan.md", "" },
		{ "docs/plan.md", PLAN("x") },
		{ "docs/tracks.md", "- [x] Track: Music\n" },
	};

	READS_AS(files, NULL,
		 "dogs 'Dogs' done conductor/tracks/dogs 1/1 1\n"
		 "cats_1 'Cats' in_progress conductor/tracks/cats_1 1/1 1\n"
		 "old 'Olds' done archived conductor/archive/old 1/1 0\n");
}

static void finds_folders_of_all_kinds(void **state UNUSED)
{
	static const struct file files[] = {
		{ "src/conductor/tracks/shop/cats/plan.md", PLAN(" ") },
		{ "services/x/conductor/tracks.md",
		  "- [ ] **Track: Dogs**\n[l](./tracks/dogs/)\n" },
		{ "services/x/conductor/tracks/dogs/PLAN.md", PLAN(" ") },
		{ ".conductor/tracks/archived/mice/plan.md", PLAN("x") },
		{ "conductor/archive/cows/cows/plan.md", PLAN("x") },
		{ "conductor/tracks/cows/metadata.json", "{\"description\": \"Cows\"}" },
		{ "work/tracks.md", "- [x] **Track: Hens**\n*Link: [l](./archive/hens/)*\n" },
		{ "work/archive/hens/plan.md", PLAN("x") },
		{ "other/tracks/x/plan.md", PLAN("x") }, /* no registry, no name */
	};

	READS_AS(files, NULL,
		 "dogs 'Dogs' pending services/x/conductor/tracks/dogs 1/1 1\n"
		 "hens 'Hens' done archived work/archive/hens 1/1 1\n"
		 "mice 'mice' done archived .conductor/tracks/archived/mice 1/1 0\n"
		 "cows 'cows' done archived conductor/archive/cows/cows 1/1 0\n"
		 "cows 'Cows' pending conductor/tracks/cows 0/0 0\n"
		 "cats 'cats' pending src/conductor/tracks/shop/cats 1/1 0\n");
}

static void reads_storages(void **state UNUSED)
{
	static const struct file files[] = {
		{ "storage-conductor/tracks.md",
		  "| Storage ID | Title | Status |\n|---|---|---|\n| users | Users | Completed |\n"
		  "| gone | Gone | Reverted |\n" },
		{ "storage-conductor/storages/users/plan.md", PLAN("x") },
		{ "storage-conductor/storages/users/metadata.json",
		  "{\"storage_id\": \"users\", \"status\": \"Completed\"}" },
	};

	READS_AS(files, NULL,
		 "users 'Users' done storage-conductor/storages/users 1/1 1\n"
		 "gone 'Gone' reverted - 0/0 1\n"
		 "! storage-conductor/tracks.md:4: no folder for track 'Gone'\n");
}

/* As the very first version of the workflow had it. */
static void reads_a_plan_as_registry(void **state UNUSED)
{
	static const struct file files[] = {
		{ ".conductor/plan.md",
		  "# Plan\n\n---\n\n## [~] Track: Cats\n"
		  "*Link: [./.conductor/tracks/cats/](./.conductor/tracks/cats/)*\n" },
		{ ".conductor/tracks/cats/plan.md", PLAN("x") },
	};

	READS_AS(files, NULL, "cats 'Cats' in_progress .conductor/tracks/cats 1/1 1\n");
}

static void honours_the_configuration(void **state UNUSED)
{
	static const struct file files[] = {
		{ "doc/work.md", "## [x] Track: Cats\n[l](units/cats/plan.md)\n" },
		{ "doc/units/cats/plan.md", PLAN("x") },
		{ "doc/units/deep/dogs/plan.md", PLAN(" ") },
	};
	const struct tracks_places places = { "./doc/work.md", "doc/units/" };

	READS_AS(
		files, &places,
		"cats 'Cats' done doc/units/cats 1/1 1\ndogs 'dogs' pending doc/units/deep/dogs 1/1 0\n");
	READS_AS(files, NULL, "");
}

static void matches_entries_and_folders(void **state UNUSED)
{
	static const struct file files[] = {
		{ "conductor/tracks.md",
		  "- [x] **Track: One**\n*Link: [l](./tracks/one/)*\n\n" /* archived since */
		  "- [x] **Track: The two of them**\n\n"		 /* by its description */
		  "- [x] **Track: Third thing, big**\n\n" /* by the words of the id */
		  "- [x] **Track: Four**\n*Link: [l](../../x/tracks/none/)*\n\n"
		  "- [ ] **Track: Five, a part**\n*Link: [l](./archive/one/plan.md)*\n\n"
		  "- [ ] a legend\n" },
		{ "conductor/archive/one/plan.md", PLAN("x") },
		{ "conductor/tracks/2/metadata.json", "{\"description\": \"the two of them\"}" },
		{ "conductor/tracks/big_thing_20260101/plan.md", PLAN("x") },
	};

	READS_AS(
		files, NULL,
		"one 'One' done archived conductor/archive/one 1/1 2\n"
		"2 'The two of them' done conductor/tracks/2 0/0 1\n"
		"big_thing_20260101 'Third thing, big' done conductor/tracks/big_thing_20260101 1/1 1\n"
		"none 'Four' done - 0/0 1\n"
		"! conductor/tracks.md:8: no folder for track 'Four'\n");
}

static void reports_what_it_cannot_read(void **state UNUSED)
{
	static const struct file files[] = {
		{ "conductor/tracks.md", NULL },
		{ "conductor/tracks/cats/plan.md", NULL },
		{ "conductor/tracks/cats/metadata.json", "{\n\"a\": }\n" },
		{ "conductor/tracks/dogs/plan.md", PLAN("x") },
		{ "prd.json", "{}" },
	};

	READS_AS(files, NULL,
		 "cats 'cats' pending conductor/tracks/cats 0/0 0\n"
		 "dogs 'dogs' done conductor/tracks/dogs 1/1 0\n"
		 "! conductor/tracks.md:0: it is a symbolic link, or below one\n"
		 "! conductor/tracks/cats/plan.md:0: it is a symbolic link, or below one\n"
		 "! conductor/tracks/cats/metadata.json:2: unexpected token near '}'\n"
		 "! prd.json:0: it has no list of stories\n");
}

static void tells_states(void **state UNUSED)
{
	static const struct file files[] = {
		{ "conductor/tracks.md",
		  "## Track: Open\n[l](tracks/open/)\n## [x] Track: Box\n"
		  "[l](tracks/box/)\n## [x] Track: Back\n[l](tracks/back/)\n" },
		{ "conductor/tracks/open/plan.md", PLAN("x") "- [ ] b\n" },
		{ "conductor/tracks/box/plan.md", PLAN(" ") },
		{ "conductor/tracks/back/plan.md", PLAN(" ") },
		{ "conductor/tracks/back/metadata.json", "{\"status\": \"reverted\"}" },
		{ "conductor/archive/cut/plan.md", PLAN(" ") },
		{ "conductor/archive/cut/metadata.json", "{\"status\": \"cancelled\"}" },
		{ "conductor/archive/empty/plan.md", "" },
	};

	READS_AS(files, NULL,
		 "open 'Open' in_progress conductor/tracks/open 1/2 1\n"
		 "box 'Box' done conductor/tracks/box 1/1 1\n"
		 "back 'Back' reverted conductor/tracks/back 1/1 1\n"
		 "cut 'cut' cancelled archived conductor/archive/cut 1/1 0\n"
		 "empty 'empty' done archived conductor/archive/empty 0/0 0\n");
}

/* Two tracks of one id, and an entry that still leads to where the other one was. */
static void parts_namesakes(void **state UNUSED)
{
	static const struct file files[] = {
		{ "conductor/tracks.md", "- [~] **Track: New**\n*Link: [l](./tracks/t_1/)*\n"
					 "- [x] **Track: Old**\n*Link: [l](./tracks/t_1/)*\n"
					 "- [~] **Track: Live**\n*Link: [l](./tracks/t_2/)*\n"
					 "## Archived Tracks\n"
					 "- [x] **Track: Gone**\n*Link: [l](./tracks/t_2/)*\n" },
		{ "conductor/tracks/t_1/plan.md", PLAN("x") },
		{ "conductor/archive/t_1/plan.md", PLAN("x") },
		{ "conductor/archive/t_1/metadata.json", "{\"description\": \"Old\"}" },
		{ "conductor/tracks/t_2/plan.md", PLAN("x") },
		{ "conductor/archive/t_2/plan.md", PLAN("x") },
	};

	READS_AS(files, NULL,
		 "t_1 'New' in_progress conductor/tracks/t_1 1/1 1\n"
		 "t_1 'Old' done archived conductor/archive/t_1 1/1 1\n"
		 "t_2 'Live' in_progress conductor/tracks/t_2 1/1 1\n"
		 "t_2 'Gone' done archived conductor/archive/t_2 1/1 1\n");
}

/* ---- Naming units -------------------------------------------------------------------- */

static const struct file project[] = {
	{ "conductor/tracks.md",
	  "- [x] **Track: Log in with a password**\n*Link: [l](./tracks/auth_20260107/)*\n"
	  "- [x] **Track: Tokens for auth**\n*Link: [l](./tracks/tokens_20260108/)*\n"
	  "- [x] **Track: Pay**\n*Link: [l](./tracks/pay/)*\n" },
	{ "conductor/tracks/auth_20260107/plan.md",
	  "# Plan\n## Phase 1: Model\n- [x] Task: Add users\n- [x] Task: Check it\n"
	  "## Phase 2: API\n- [x] Task: Add a login\n- [x] Task: Add a logout\n- [ ] Task: Check it\n"
	  "- [ ] Task: 404 pages\n## After\n- [ ] celebrate\n" },
	{ "conductor/tracks/tokens_20260108/plan.md", PLAN("x") },
	{ "conductor/tracks/pay/plan.md", "- [x] a\n- [x] b\n" },
	{ "conductor/archive/pay/plan.md", "- [x] d\n- [x] e\n- [x] f\n" },
	{ "conductor/archive/payments/plan.md", "- [x] a\n" },
	{ "prd.json", "{\"userStories\": [{\"id\": \"US-001\", \"title\": \"Sell\"},"
		      "{\"id\": \"US-0012\", \"title\": \"Buy\"}]}" },
};

static const struct {
	struct unit_words words;
	const char *expect;
} names[] = {
	{ { .track = "auth_20260107" }, "track 'auth_20260107'" },
	{ { .track = "AUTH_20260107" }, "track 'auth_20260107'" },
	{ { .track = "auth" }, /* a part of an id, and of a description */
	  "track? track 'auth_20260107'; track 'tokens_20260108'; " },
	{ { .track = "auth_" }, "track 'auth_20260107'" },
	{ { .track = "password" }, "track 'auth_20260107'" },
	{ { .track = "log in with a password" }, "track 'auth_20260107'" },
	{ { .track = "Track: Log in with a password" }, "track 'auth_20260107'" },
	{ { .track = "pay" }, "track? track 'tracks/pay'; track 'archive/pay'; " }, /* of one id */
	{ { .track = "conductor/archive/pay" }, "track 'archive/pay'" },
	{ { .track = "archive/pay" }, "track 'archive/pay'" },
	{ { .track = "tracks/pay" }, "track 'tracks/pay'" },
	{ { .track = "payments" }, "track 'payments'" },
	{ { .track = "2026" }, "track? track 'auth_20260107'; track 'tokens_20260108'; " },
	{ { .track = "nothing" },
	  "track! track 'auth_20260107'; track 'tokens_20260108'; track 'tracks/pay'; "
	  "track 'archive/pay'; "
	  "track 'payments'; " },
	{ { .track = "" },
	  "track! track 'auth_20260107'; track 'tokens_20260108'; track 'tracks/pay'; "
	  "track 'archive/pay'; "
	  "track 'payments'; " },
	{ { .track = "auth_", .phase = "2" }, "track 'auth_20260107', phase 2 'API'" },
	{ { .track = "auth_", .phase = "mod" }, "track 'auth_20260107', phase 1 'Model'" },
	{ { .track = "auth_", .phase = "3" },
	  "phase! track 'auth_20260107', phase 1 'Model'; track 'auth_20260107', phase 2 'API'; " },
	{ { .track = "auth_", .phase = "0" },
	  "phase! track 'auth_20260107', phase 1 'Model'; track 'auth_20260107', phase 2 'API'; " },
	{ { .track = "auth_", .task = "2.1" },
	  "track 'auth_20260107', phase 2 'API', task 1 'Add a login'" },
	{ { .track = "auth_", .phase = "2", .task = "1" },
	  "track 'auth_20260107', phase 2 'API', task 1 'Add a login'" },
	{ { .track = "auth_", .phase = "API", .task = "2.1" },
	  "track 'auth_20260107', phase 2 'API', task 1 'Add a login'" },
	{ { .track = "auth_", .phase = "1", .task = "2.1" }, "task '2.1' is not in phase 1" },
	{ { .track = "auth_", .phase = "Phase 2: API" }, "track 'auth_20260107', phase 2 'API'" },
	{ { .track = "auth_", .phase = "phase 2" }, "track 'auth_20260107', phase 2 'API'" },
	{ { .track = "auth_", .phase = "Phase 1: Model [checkpoint: 1a2b3c4]" },
	  "track 'auth_20260107', phase 1 'Model'" },
	{ { .track = "auth_", .phase = "Phase 1: API" },
	  "phase! track 'auth_20260107', phase 1 'Model'; track 'auth_20260107', phase 2 'API'; " },
	{ { .track = "auth_", .task = "- [x] Task: Add users" },
	  "task! track 'auth_20260107', phase 1 'Model', task 1 'Add users'; "
	  "track 'auth_20260107', phase 1 'Model', task 2 'Check it'; "
	  "track 'auth_20260107', phase 2 'API', task 1 'Add a login'; "
	  "track 'auth_20260107', phase 2 'API', task 2 'Add a logout'; "
	  "track 'auth_20260107', phase 2 'API', task 3 'Check it'; "
	  "track 'auth_20260107', phase 2 'API', task 4 '404 pages'; "
	  "track 'auth_20260107', task 'celebrate'; " },
	{ { .track = "auth_", .task = "[x] Task: Add users 1a2b3c4" },
	  "track 'auth_20260107', phase 1 'Model', task 1 'Add users'" },
	{ { .track = "auth_", .task = "ADD A LOG" },
	  "task? track 'auth_20260107', phase 2 'API', task 1 'Add a login'; "
	  "track 'auth_20260107', phase 2 'API', task 2 'Add a logout'; " },
	{ { .track = "auth_", .task = "login" },
	  "track 'auth_20260107', phase 2 'API', task 1 'Add a login'" },
	{ { .track = "auth_", .phase = "2", .task = "404" }, /* a number is no text */
	  "task! track 'auth_20260107', phase 2 'API', task 1 'Add a login'; "
	  "track 'auth_20260107', phase 2 'API', task 2 'Add a logout'; "
	  "track 'auth_20260107', phase 2 'API', task 3 'Check it'; "
	  "track 'auth_20260107', phase 2 'API', task 4 '404 pages'; " },
	{ { .track = "auth_", .task = "404 p" },
	  "track 'auth_20260107', phase 2 'API', task 4 '404 pages'" },
	{ { .track = "auth_", .phase = "1", .task = "1.9" },
	  "task! track 'auth_20260107', phase 1 'Model', task 1 'Add users'; "
	  "track 'auth_20260107', phase 1 'Model', task 2 'Check it'; " },
	{ { .track = "auth_", .task = "4" },
	  "track 'auth_20260107', phase 2 'API', task 4 '404 pages'" },
	{ { .track = "auth_", .task = "celebrate" }, "track 'auth_20260107', task 'celebrate'" },
	{ { .track = "auth_", .task = "check it" },
	  "task? track 'auth_20260107', phase 1 'Model', task 2 'Check it'; "
	  "track 'auth_20260107', phase 2 'API', task 3 'Check it'; " },
	{ { .track = "auth_", .phase = "1", .task = "check" },
	  "track 'auth_20260107', phase 1 'Model', task 2 'Check it'" },
	{ { .track = "auth_", .phase = "1", .task = "x" },
	  "task! track 'auth_20260107', phase 1 'Model', task 1 'Add users'; "
	  "track 'auth_20260107', phase 1 'Model', task 2 'Check it'; " },
	{ { .track = "tracks/pay", .task = "2" }, "track 'tracks/pay', phase 1, task 2 'b'" },
	{ { .track = "tracks/pay", .task = "1.2" }, "track 'tracks/pay', phase 1, task 2 'b'" },
	{ { .story = "US-001" }, "story 'US-001' 'Sell'" },
	{ { .story = "us-0012" }, "story 'US-0012' 'Buy'" },
	{ { .story = "buy" }, "story 'US-0012' 'Buy'" },
	{ { .story = "US" }, "story? story 'US-001' 'Sell'; story 'US-0012' 'Buy'; " },
};

static void find_as_text(struct strbuf *out, const struct tracks *tracks,
			 const struct unit_words *words)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	struct units candidates CLEANUP(units_release) = UNITS_INIT;
	enum unit_kind missing;
	struct unit unit;
	int found = unit_find(&unit, &candidates, &missing, tracks, words, &err);

	if (found < 0)
		strbuf_addstr(out, err.message);
	else if (found == UNIT_FOUND)
		unit_describe(out, tracks, &unit);
	else
		strbuf_addf(out, "%s%s", unit_kind_name(missing),
			    found == UNIT_AMBIGUOUS ? "? " : "! ");
	for (size_t i = 0; i < candidates.nr; i++) {
		unit_describe(out, tracks, &candidates.item[i]);
		strbuf_addstr(out, "; ");
	}
}

static void finds_units(void **state UNUSED)
{
	struct tracks tracks CLEANUP(tracks_release) = TRACKS_INIT;

	read_files(&tracks, project, ARRAY_SIZE(project), NULL);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct strbuf found CLEANUP(strbuf_release) = STRBUF_INIT;

		find_as_text(&found, &tracks, &names[i].words);
		assert_string_equal(found.buf, names[i].expect);
	}
}

static void knows_parts(void **state UNUSED)
{
	struct tracks tracks CLEANUP(tracks_release) = TRACKS_INIT;
	const struct unit track = { UNIT_TRACK, 0, NO_INDEX, NO_INDEX, NO_INDEX };
	const struct unit other = { UNIT_TRACK, 1, NO_INDEX, NO_INDEX, NO_INDEX };
	const struct unit phase = { UNIT_PHASE, 0, 1, NO_INDEX, NO_INDEX };
	const struct unit task = { UNIT_TASK, 0, 1, 2, NO_INDEX };
	const struct unit story = { UNIT_STORY, NO_INDEX, NO_INDEX, NO_INDEX, 1 };
	size_t owner;

	read_files(&tracks, project, ARRAY_SIZE(project), NULL);
	assert_true(unit_contains(&track, &task) && unit_contains(&phase, &task));
	assert_true(unit_contains(&task, &task) && unit_contains(&track, &phase));
	assert_false(unit_contains(&task, &phase) || unit_contains(&phase, &track));
	assert_false(unit_contains(&other, &task) || unit_contains(&track, &story));
	assert_string_equal(unit_title(&tracks, &task), "Add a login");
	assert_string_equal(unit_title(&tracks, &story), "Buy");
	assert_int_equal(unit_state(&tracks, &phase), UNIT_IN_PROGRESS);
	assert_int_equal(unit_state(&tracks, &story), UNIT_PENDING);
	assert_int_equal(tracks_find_by_path(&tracks, "conductor/tracks/pay/spec.md"), 2);
	assert_true(tracks_find_by_path(&tracks, "conductor/tracks/pays/x") == NO_INDEX);
	assert_true(tracks_own_path(&tracks, "conductor/tracks.md", &owner));
	assert_true(owner == NO_INDEX);
	assert_true(tracks_own_path(&tracks, "conductor/tracks/pay/spec.md", &owner));
	assert_int_equal(owner, 2);
	assert_true(tracks_own_path(&tracks, "prd.json", NULL));
	assert_false(tracks_own_path(&tracks, "src/main.c", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_usual_layout),
		cmocka_unit_test(finds_folders_of_all_kinds),
		cmocka_unit_test(reads_storages),
		cmocka_unit_test(reads_a_plan_as_registry),
		cmocka_unit_test(honours_the_configuration),
		cmocka_unit_test(matches_entries_and_folders),
		cmocka_unit_test(reports_what_it_cannot_read),
		cmocka_unit_test(tells_states),
		cmocka_unit_test(parts_namesakes),
		cmocka_unit_test(finds_units),
		cmocka_unit_test(knows_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
