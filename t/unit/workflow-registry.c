/* SPDX-License-Identifier: MIT */
#include "workflow/registry.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/memory.h"

static char *show(const struct registry *registry)
{
	static const char *const forms[] = { "#", "-", "|" };
	struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < registry->nr; i++) {
		const struct registry_entry *it = &registry->entry[i];

		strbuf_addf(&out, "%s %zu %s '%s' %s%s\n", forms[it->form], it->line,
			    unit_state_name(it->state), it->title, it->id ? it->id : "?",
			    it->archived ? " archived" : "");
	}
	return strbuf_detach(&out);
}

static void reads_as(const char *text, const char *expect)
{
	struct registry registry CLEANUP(registry_release) = REGISTRY_INIT;

	registry_parse(&registry, "tracks.md", text, strlen(text));

	char *shown CLEANUP(free_p) = show(&registry);

	if (strcmp(shown, expect) != 0)
		fail_msg("---- text\n%s\n---- is read as\n%s---- instead of\n%s", text, shown,
			 expect);
}

static const struct {
	const char *text, *expect;
} registries[] = {
	/* Headings, with a link from the top, and rules between. */
	{ "# Project Tracks\n\nAll of them.\n\n---\n\n"
	  "## [x] Track: Cats\n*Link: [./conductor/tracks/cats_1/](./conductor/tracks/cats_1/)*\n\n"
	  "---\n\n## [~] Track: Dogs\n*Link: [x](conductor/tracks/dogs_2/)*\n",
	  "# 7 done 'Cats' cats_1\n# 12 in_progress 'Dogs' dogs_2\n" },
	/* Items, with a link in a line that belongs to them by laziness, or in a paragraph. */
	{ "---\n\n- [ ] **Track: Cats**\n*Link: [./tracks/cats/](./tracks/cats/)*\n\n---\n\n"
	  "- [x] **Track: Dogs**\n\n*Link: [./tracks/dogs/](./tracks/dogs/)*\n",
	  "- 3 pending 'Cats' cats\n- 8 done 'Dogs' dogs\n" },
	{ "- [x] [Cats](conductor/tracks/002-cats/plan.md)\n"
	  "- [x] **Track:** [Dogs](./tracks/dogs/spec.md)\n"
	  "- [/cows command](conductor/tracks/cows/) [~]\n",
	  "- 1 done 'Cats' 002-cats\n- 2 done 'Dogs' dogs\n- 3 in_progress '/cows command' cows\n" },
	/* Two entries, and then both their links. */
	{ "- [x] **Track: Vet Verification**\n\n---\n\n- [x] **Track: Admin Notes**\n"
	  "*Link: [x](./tracks/admin-notes/plan.md)*\n\n*Link: [x](./tracks/vet-verification/)*\n",
	  "- 1 done 'Vet Verification' vet-verification\n- 5 done 'Admin Notes' admin-notes\n" },
	{ "*Link: [x](./tracks/cats/)*\n## [x] Track: Cats\n", "# 2 done 'Cats' cats\n" },
	/* Both forms in one file; nested items are no entries of their own. */
	{ "## [x] Track: Cats\n- [ ] a list of theirs\n\n- [ ] **Track: Dogs**\n"
	  "  - *Type:* feature | *Status:* in-progress (since May)\n"
	  "  - [ ] *Link:* [tracks/x/dogs/](./tracks/x/dogs/)\n",
	  "# 1 done 'Cats' ?\n- 4 in_progress 'Dogs' dogs\n" },
	/* A state in words. */
	{ "## Track: Cats\n**Status:** In Progress\n\n[plan](tracks/cats/plan.md)\n\n"
	  "## Track: Dogs\n- Status: `completed`\n\n## Track 3: Cows\n*Status*: odd\n",
	  "# 1 in_progress 'Cats' cats\n# 6 done 'Dogs' ?\n# 9 other 'Cows' ?\n" },
	{ "## [x] Track: Cats\n*ID: cats_20260107*\n\n- [ ] **Track: Dogs**\n  - **ID:** `dogs`\n",
	  "# 1 done 'Cats' cats_20260107\n- 4 pending 'Dogs' dogs\n" },
	{ "# Tracks\n## Active\n### Cats\n- **Status**: In Progress\n- [Plan](./tracks/cats/plan.md)\n"
	  "### Notes\n- [Plan](./tracks/dogs/plan.md)\n",
	  "# 3 in_progress 'Cats' cats\n- 7 other 'Plan' dogs\n" },
	/* Archived, by the heading, by the link, by a word. */
	{ "# Tracks\n\n## Active\n\n- [ ] **Track: Cats**\n\n## Archived Tracks\n\n"
	  "### [x] Track: Dogs\n*Link: [x](./archive/dogs/)*\n",
	  "- 5 pending 'Cats' ?\n# 9 done 'Dogs' dogs archived\n" },
	{ "## [x] Track: Dogs\n> Completed\n\n- [Link](conductor/tracks/dogs) (Archived)\n",
	  "# 1 done 'Dogs' dogs archived\n" },
	{ "## [x] Track: Cats [COMPLETE]\n## [ ] Track: Dogs [Reverted]\n",
	  "# 1 done 'Cats' ?\n# 2 reverted 'Dogs' ?\n" },
	/* A path without being a link; with blanks, as a link's address has them. */
	{ "- [ ] **Track: Cats**\n*Link: ./tracks/cats/*\n", "- 1 pending 'Cats' cats\n" },
	{ "- [ ] [Cats](<tracks/my cats/>)\n- [ ] [Dogs](tracks/my%20dogs/)\n",
	  "- 1 pending 'Cats' my cats\n- 2 pending 'Dogs' my dogs\n" },
	/* A rule below a link makes no heading of it. */
	{ "## [x] Track: Cats\n*Link: [x](tracks/cats/)*\n---\n## [ ] Track: Dogs\n",
	  "# 1 done 'Cats' cats\n# 4 pending 'Dogs' ?\n" },
	/* Tables. */
	{ "| Storage ID | Title | Storage Type | Status | Created |\n|---|---|---|---|---|\n"
	  "| users-db | Users | relational | In Progress | 2026-01-01 |\n"
	  "| `cache` | A \\| B | kv | Reverted | |\n",
	  "| 3 in_progress 'Users' users-db\n| 4 reverted 'A \\| B' cache\n" },
	{ "| | Track | Title |\n| --- | --- | --- |\n| [x] | [cats](./tracks/cats/index.md) | Cats |\n"
	  "| [~] | [dogs](./tracks/dogs/index.md) | Dogs |\n",
	  "| 3 done 'Cats' cats\n| 4 in_progress 'Dogs' dogs\n" },
	{ "Track ID | Title | Status\n--- | --- | ---\n**cats** | [Cats](./tracks/cats/) | \xe2\x9c\x85 Done",
	  "| 3 done 'Cats' cats\n" },
	{ "| Domain | Path | Level |\n|---|---|---|\n| **Shop** | `apps/shop` | high |\n", "" },
	/* No entries. */
	{ "", "" },
	{ "# Project Tracks\n\nThis file lists them.\n\n---\n", "" },
	{ "```\n- [ ] **Track: Cats**\n```\n", "" },
	{ "\xef\xbb\xbf## [x] Track: Cats\r\n*Link: [x](tracks/cats/)*\r\n",
	  "# 1 done 'Cats' cats\n" },
};

static void reads_registries(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(registries); i++)
		reads_as(registries[i].text, registries[i].expect);
}

/* ---- Edits --------------------------------------------------------------------------- */

enum { REMOVE = -1 };

/* What is done to the second entry, or the only one. */
static const struct {
	const char *text;
	int to; /* a state, or REMOVE */
	const char *expect;
} edits[] = {
	{ "## [x] Track: A\r\n", UNIT_REVERTED, "## [ ] Track: A [Reverted]\r\n" },
	{ "## [x] Track: A ##\n", UNIT_REVERTED, "## [ ] Track: A [Reverted] ##\n" },
	{ "## [x] Track: A", UNIT_IN_PROGRESS, "## [~] Track: A" },
	{ "## [~] Track: A", UNIT_PENDING, "## [ ] Track: A" },
	{ "## [ ] Track: A", UNIT_PENDING, "## [ ] Track: A" },
	{ "## [x] Track: A [COMPLETE]\n", UNIT_PENDING, "## [ ] Track: A\n" },
	{ "## [x] Track: A \xe2\x9c\x85\n", UNIT_REVERTED, "## [ ] Track: A [Reverted]\n" },
	{ "## Track: A\n**Status:** Completed (May)\n", UNIT_REVERTED,
	  "## Track: A\n**Status:** Reverted (May)\n" },
	{ "## Track: A\n**Status:** COMPLETED\n", UNIT_IN_PROGRESS,
	  "## Track: A\n**Status:** IN PROGRESS\n" },
	{ "- [x] **Track: A**\n  - *Status:* done | *x*\n", UNIT_IN_PROGRESS,
	  "- [~] **Track: A**\n  - *Status:* in_progress | *x*\n" },
	{ "- [x] **Track: A**\n*Link: [x](tracks/a/)*\n", UNIT_REVERTED,
	  "- [ ] **Track: A** [Reverted]\n*Link: [x](tracks/a/)*\n" },
	{ "- [A](tracks/a/) [x]\n", UNIT_REVERTED, "- [A](tracks/a/) [ ] [Reverted]\n" },
	{ "| Storage ID | Title | Status |\n|---|---|---|\n| a | A | Completed |\n| b | B |  \xe2\x9c\x85 Done |",
	  UNIT_REVERTED,
	  "| Storage ID | Title | Status |\n|---|---|---|\n| a | A | Completed |\n| b | B |  Reverted |" },
	{ "| ID | Status |\n|---|---|\n| b | not-started |\n", UNIT_IN_PROGRESS,
	  "| ID | Status |\n|---|---|\n| b | in-progress |\n" },
	/* Removed with one separator. */
	{ "# T\n\n---\n\n## [x] Track: A\nx\n\n---\n\n## [ ] Track: B\ny\n\n---\n\n## [ ] Track: C\n",
	  REMOVE, "# T\n\n---\n\n## [x] Track: A\nx\n\n---\n\n## [ ] Track: C\n" },
	{ "# T\n\n---\n\n## [x] Track: A\nx\n\n---\n\n## [ ] Track: B\ny\n", REMOVE,
	  "# T\n\n---\n\n## [x] Track: A\nx\n" },
	{ "# T\r\n\r\n---\r\n\r\n## [x] Track: A\r\n", REMOVE, "# T\r\n\r\n---\r\n\r\n" },
	{ "- [x] A\n  *Link: [x](tracks/a/)*\n- [x] B\n  *Link: [x](tracks/b/)*\n- [ ] C\n", REMOVE,
	  "- [x] A\n  *Link: [x](tracks/a/)*\n- [ ] C\n" },
	{ "- [x] A\n- [x] B\n\n## Archive\n", REMOVE, "- [x] A\n\n## Archive\n" },
	{ "- [x] **Track: A**\n\n---\n\n- [x] **Track: B**\n\n*Link: [x](tracks/b/)*\n\n---\n\ntext\n",
	  REMOVE, "- [x] **Track: A**\n\n---\n\ntext\n" },
	{ "| ID | Status |\n|---|---|\n| a | done |\n| b | done |\n| c | done |\n", REMOVE,
	  "| ID | Status |\n|---|---|\n| a | done |\n| c | done |\n" },
};

static void edits_bytes(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		struct registry registry CLEANUP(registry_release) = REGISTRY_INIT;
		struct registry after CLEANUP(registry_release) = REGISTRY_INIT;
		struct splices splices CLEANUP(splices_release) = SPLICES_INIT;
		struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
		struct error err CLEANUP(error_release) = ERROR_INIT;
		const char *text = edits[i].text;
		size_t entry;

		registry_parse(&registry, "tracks.md", text, strlen(text));
		assert_true(registry.nr > 0);
		entry = registry.nr > 1 ? 1 : 0;
		if (edits[i].to == REMOVE)
			registry_remove(&splices, &registry, entry);
		else
			registry_set_state(&splices, &registry, entry,
					   (enum unit_state)edits[i].to);
		assert_int_equal(splices_apply(&edited, text, strlen(text), &splices, &err), 0);
		if (strcmp(edited.buf, edits[i].expect) != 0)
			fail_msg("---- text\n%s\n---- became\n%s\n---- instead of\n%s", text,
				 edited.buf, edits[i].expect);
		registry_parse(&after, "tracks.md", edited.buf, edited.len);
		assert_int_equal(after.nr, registry.nr - (edits[i].to == REMOVE));
		if (edits[i].to != REMOVE && (int)after.entry[entry].state != edits[i].to)
			fail_msg("'%s' reads as %s", edited.buf,
				 unit_state_name(after.entry[entry].state));
	}
}

/* Whichever entry is removed, the others stay as they are. */
static void removes_any(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(registries); i++) {
		struct registry registry CLEANUP(registry_release) = REGISTRY_INIT;
		const char *text = registries[i].text;

		registry_parse(&registry, "tracks.md", text, strlen(text));
		for (size_t e = 0; e < registry.nr; e++) {
			struct registry after CLEANUP(registry_release) = REGISTRY_INIT;
			struct splices splices CLEANUP(splices_release) = SPLICES_INIT;
			struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
			struct error err CLEANUP(error_release) = ERROR_INIT;

			registry_remove(&splices, &registry, e);
			assert_int_equal(splices_apply(&edited, text, strlen(text), &splices, &err),
					 0);
			registry_parse(&after, "tracks.md", edited.buf, edited.len);
			if (after.nr != registry.nr - 1)
				fail_msg("%s\n---- without entry %zu is\n%s", text, e, edited.buf);
			for (size_t k = 0; k < after.nr; k++)
				assert_string_equal(after.entry[k].title,
						    registry.entry[k + (k >= e)].title);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_registries),
		cmocka_unit_test(edits_bytes),
		cmocka_unit_test(removes_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
