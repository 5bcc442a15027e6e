/* SPDX-License-Identifier: MIT */
#include "workflow/plan-document.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/memory.h"

/* ---- What a plan says, as text ------------------------------------------------------- */

static void show_commits(struct strbuf *out, const struct plan_commits *commits)
{
	for (size_t i = 0; i < commits->nr; i++)
		strbuf_addf(out, " %s%s", commits->item[i].label == COMMIT_CHECKPOINT ? "@" : "",
			    commits->item[i].hex);
}

static void show_line(struct strbuf *out, const struct plan_line *line)
{
	if (line->label)
		strbuf_addf(out, " (%s)", line->label);
	strbuf_addf(out, " %s '%s'", unit_state_name(line->state), line->title);
	show_commits(out, &line->commit);
	strbuf_addch(out, '\n');
}

static void show_task(struct strbuf *out, const struct plan_document *plan, size_t t)
{
	const struct plan_task *task = &plan->task[t];

	if (task->phase == NO_INDEX)
		strbuf_addstr(out, " -");
	else
		strbuf_addf(out, " %zu.%zu", task->phase + 1, task->number);
	show_line(out, &task->is);
	for (size_t i = task->first_item; i < task->first_item + task->items; i++) {
		strbuf_addf(out, "  %.*s", (int)plan->item[i].depth, "++++++++");
		show_line(out, &plan->item[i].is);
		assert_int_equal(plan->item[i].task, t);
	}
}

static char *show(const struct plan_document *plan)
{
	struct strbuf out = STRBUF_INIT;

	if (plan->title)
		strbuf_addf(&out, "# %s", plan->title);
	show_commits(&out, &plan->commit);
	if (out.len)
		strbuf_addch(&out, '\n');
	for (size_t p = 0; p < plan->phases; p++) {
		strbuf_addf(&out, "%zu%s", plan->phase[p].number,
			    plan->phase[p].has_heading ? "" : "*");
		show_line(&out, &plan->phase[p].is);
		for (size_t t = 0; t < plan->tasks; t++)
			if (plan->task[t].phase == p)
				show_task(&out, plan, t);
	}
	for (size_t t = 0; t < plan->tasks; t++)
		if (plan->task[t].phase == NO_INDEX)
			show_task(&out, plan, t);
	return strbuf_detach(&out);
}

static void reads_as(const char *text, const char *expect)
{
	struct plan_document plan CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;

	plan_document_parse(&plan, "plan.md", text, strlen(text));

	char *shown CLEANUP(free_p) = show(&plan);

	if (strcmp(shown, expect) != 0)
		fail_msg("---- text\n%s\n---- is read as\n%s---- instead of\n%s", text, shown,
			 expect);
}

/* ---- Phases and tasks ---------------------------------------------------------------- */

static const struct {
	const char *text, *expect;
} plans[] = {
	/* As the workflow's own template has it. */
	{ "# Implementation Plan: Cats\n\n"
	  "## Phase 1: Basket [checkpoint: 1a2b3c4]\n"
	  "- [x] Task: Weave it 5d6e7f8\n"
	  "    - [x] Write tests\n"
	  "    - [x] Weave\n"
	  "- [x] Task: Manual Verification 'Basket' (Protocol in workflow.md)\n\n"
	  "## Phase 2: Food\n"
	  "- [~] Task: Buy\n"
	  "- [ ] Task: Serve\n",
	  "# Cats\n"
	  "1 (1) done 'Basket' @1a2b3c4\n"
	  " 1.1 done 'Weave it' 5d6e7f8\n"
	  "  + done 'Write tests'\n"
	  "  + done 'Weave'\n"
	  " 1.2 done 'Manual Verification 'Basket' (Protocol in workflow.md)'\n"
	  "2 (2) in_progress 'Food'\n"
	  " 2.1 in_progress 'Buy'\n"
	  " 2.2 pending 'Serve'\n" },
	/* Phases by deeper headings, in other languages, with letters, without numbers. */
	{ "# T\n### Fase 1: Um\n- [x] a\n### Fase 2b: Dois\n- [ ] b\n",
	  "# T\n1 (1) done 'Um'\n 1.1 done 'a'\n2 (2b) pending 'Dois'\n 2.1 pending 'b'\n" },
	{ "#### Phase A: One\n- [x] a\n#### Phase: Review\n- [x] b\n",
	  "1 (A) done 'One'\n 1.1 done 'a'\n2 done 'Review'\n 2.1 done 'b'\n" },
	{ "## \xe9\x98\xb6\xe6\xae\xb5 1\xef\xbc\x9a One\n- [x] a\n",
	  "1 (1) done 'One'\n 1.1 done 'a'\n" },
	{ "## Phase 1 - One\n- [x] a\n## Phase Two: Second\n- [x] b\n## Phase III\n- [ ] c\n",
	  "1 (1) done 'One'\n 1.1 done 'a'\n2 (Two) done 'Second'\n 2.1 done 'b'\n"
	  "3 (III) pending ''\n 3.1 pending 'c'\n" },
	{ "## \xf0\x9f\x9a\x80 Phase 1: One\n- [x] a\n", "1 (1) done 'One'\n 1.1 done 'a'\n" },
	{ "## **Phase 1: One**\n- [x] a\n", "1 (1) done 'One'\n 1.1 done 'a'\n" },
	/* A box or a word in the heading. */
	{ "### [x] Phase 1: One\n- [ ] a\n", "1 (1) done 'One'\n 1.1 pending 'a'\n" },
	{ "## Phase 1: One [~]\n- [ ] a\n", "1 (1) in_progress 'One'\n 1.1 pending 'a'\n" },
	{ "## Phase 1: One [COMPLETE]\n- [ ] a\n", "1 (1) done 'One'\n 1.1 pending 'a'\n" },
	{ "## Phase 1: One (Completed 2026-01-10)\n", "1 (1) done 'One'\n" },
	{ "## Phase 1: One \xe2\x9c\x85\n- [ ] a\n", "1 (1) done 'One'\n 1.1 pending 'a'\n" },
	{ "## Phase 1: One \xe2\x9c\x85 [checkpoint: 1a2b3c4]\n", "1 (1) done 'One' @1a2b3c4\n" },
	{ "## Phase 1: One [Reverted]\n- [ ] a\n", "1 (1) reverted 'One'\n 1.1 pending 'a'\n" },
	{ "## Phase 1: One (done by machines)\n- [ ] a\n",
	  "1 (1) pending 'One (done by machines)'\n 1.1 pending 'a'\n" },
	/* Headings within a phase part nothing; those as high end it. */
	{ "## Phase 1: One\n### 1.1 Part\n- [x] a\n### 1.2 Part\n- [x] b\n"
	  "## Verification\n- [ ] c\n",
	  "1 (1) done 'One'\n 1.1 done 'a'\n 1.2 done 'b'\n - pending 'c'\n" },
	/* "Phase 1 Baseline" is no phase within one, "Phase 1b:" is one. */
	{ "## Phase 1: One\n- [x] a\n### Phase 1 Baseline\n- [x] b\n### Phase 1b: More\n- [ ] c\n",
	  "1 (1) done 'One'\n 1.1 done 'a'\n 1.2 done 'b'\n2 (1b) pending 'More'\n"
	  " 2.1 pending 'c'\n" },
	/* The title may speak of phases, too. */
	{ "# Phase 7\xe2\x80\x93"
	  "9: Production\n## Phase 7: One\n- [x] a\n",
	  "# Phase 7\xe2\x80\x93"
	  "9: Production\n1 (7) done 'One'\n 1.1 done 'a'\n" },
	{ "# Phase 1: One\n- [x] a\n# Phase 2: Two\n- [ ] b\n",
	  "1 (1) done 'One'\n 1.1 done 'a'\n2 (2) pending 'Two'\n 2.1 pending 'b'\n" },
	{ "# Phases of the moon\n- [x] a\n", "1 done 'Phases of the moon'\n 1.1 done 'a'\n" },
	/* Without any: the outermost headings with tasks. */
	{ "# T [checkpoint: 1a2b3c4]\n## Goal\nBe good.\n## Tasks\n### 6.1 One\n- [x] a\n"
	  "### 6.2 Two\n- [x] b\n## Files\n- f\n",
	  "# T @1a2b3c4\n1 done 'Tasks'\n 1.1 done 'a'\n 1.2 done 'b'\n" },
	{ "# T\n## 1. One\n- [x] a\n## \xf0\x9f\x93\xb1 2. Two [checkpoint: 1a2b3c4]\n- [ ] b\n",
	  "# T\n1 (1) done 'One'\n 1.1 done 'a'\n2 (2) pending 'Two' @1a2b3c4\n"
	  " 2.1 pending 'b'\n" },
	{ "- [x] a\n- [ ] b\n", "1* in_progress ''\n 1.1 done 'a'\n 1.2 pending 'b'\n" },
	{ "**Phase 1: One**\n\n- [x] a\n\nPhase 2: Two\n\n- [ ] b\n",
	  "1 (1) done 'One'\n 1.1 done 'a'\n2 (2) pending 'Two'\n 2.1 pending 'b'\n" },
	{ "", "" },
	{ "# T\nNothing to do.\n", "# T\n" },
	/* Tasks as headings. */
	{ "## Phase 1: One\n### [x] Task 3: A (1a2b3c4)\n- [x] i\n- plain\n### Task 4: B\n- [ ] i\n"
	  "  - [x] deep\n## Phase 2: Two\n### Task 1: C\n",
	  "1 (1) in_progress 'One'\n 1.1 (3) done 'A' 1a2b3c4\n  + done 'i'\n  + pending 'plain'\n"
	  " 1.2 (4) in_progress 'B'\n  + pending 'i'\n  ++ done 'deep'\n"
	  "2 (2) pending 'Two'\n 2.1 (1) pending 'C'\n" },
	{ "## Phase 1: One\n## Task 1: A\n- [x] i\n## Task 2: B\n- [x] i\n",
	  "1 (1) done 'One'\n 1.1 (1) done 'A'\n  + done 'i'\n 1.2 (2) done 'B'\n  + done 'i'\n" },
	/* Boxes below lists without boxes, numbered lists, other bullets, tabs, all depths. */
	{ "## Phase 1: One\n- Group\n  - [x] a\n    - [ ] i\n      - [ ] ii\n* [x] b\n1. [ ] c\n"
	  "2) [x] d\n-\t[x] e\n+   [x] f\n\t- [ ] i\n",
	  "1 (1) in_progress 'One'\n 1.1 done 'a'\n  + pending 'i'\n  ++ pending 'ii'\n"
	  " 1.2 done 'b'\n 1.3 pending 'c'\n 1.4 done 'd'\n 1.5 done 'e'\n 1.6 done 'f'\n"
	  "  + pending 'i'\n" },
	/* Other marks. */
	{ "- [X] a\n- [/] b\n- [-] c\n- [?] d\n- [b] e\n- [] f\n- [1] no box\n- [x]no box\n"
	  "- [ ]\n- [xx] no box\n- [\xe2\x9c\x93] g\n",
	  "1* in_progress ''\n 1.1 done 'a'\n 1.2 in_progress 'b'\n 1.3 cancelled 'c'\n"
	  " 1.4 other 'd'\n 1.5 other 'e'\n 1.6 pending 'f'\n 1.7 pending ''\n"
	  " 1.8 done 'g'\n" },
	/* How tasks are called. */
	{ "- [x] Task 2.1: A\n- [x] **Task: B**\n- [x] **Task:** C\n- [x] **1.1** D\n"
	  "- [x] **1.2:** E\n- [x] TASK-01: F\n- [x] Tarefa: G\n- [x] Task 3 H\n- [x] 2. I\n"
	  "- [x] 85 passed\n- [x] Task list\n- [x] **J:** K\n- [x] Task: **L** m\n",
	  "1* done ''\n 1.1 (2.1) done 'A'\n 1.2 done 'B'\n 1.3 done 'C'\n 1.4 (1.1) done 'D'\n"
	  " 1.5 (1.2) done 'E'\n 1.6 (01) done 'F'\n 1.7 done 'G'\n 1.8 (3) done 'H'\n"
	  " 1.9 (2) done 'I'\n 1.10 done '85 passed'\n 1.11 done 'Task list'\n"
	  " 1.12 done 'J: K'\n 1.13 done 'L m'\n" },
	/* What is no task at all. */
	{ "```\n- [x] code\n```\n<!--\n- [x] comment\n-->\n\n    - [x] code\n\n- [x] a\n",
	  "1* done ''\n 1.1 done 'a'\n" },
	{ "Text\n- [x] a\n> - [ ] quoted\n",
	  "1* in_progress ''\n 1.1 done 'a'\n 1.2 pending 'quoted'\n" },
	/* "---" below a text is a rule to people. */
	{ "## Phase 1: One\nWhy.\n---\n- [x] a\n", "1 (1) done 'One'\n 1.1 done 'a'\n" },
	{ "Phase 1: One\n============\n- [x] a\n\nPhase 2: Two\n============\n- [ ] b\n",
	  "1 (1) done 'One'\n 1.1 done 'a'\n2 (2) pending 'Two'\n 2.1 pending 'b'\n" },
	/* Line ends, a byte order mark, no line end at the end. */
	{ "\xef\xbb\xbf## Phase 1: One [checkpoint: 1a2b3c4]\r\n- [x] a 5d6e7f8\r\n  - [ ] i\r\n"
	  "- [x] b",
	  "1 (1) done 'One' @1a2b3c4\n 1.1 done 'a' 5d6e7f8\n  + pending 'i'\n 1.2 done 'b'\n" },
	{ "## Phase 1: One\r- [x] a\r- [ ] b",
	  "1 (1) in_progress 'One'\n 1.1 done 'a'\n 1.2 pending 'b'\n" },
	/* The text of a task goes on; a commit may stand at its end. */
	{ "- [x] long\n  and longer 1a2b3c4\n- [x] lazy 5d6e7f8\nline\n",
	  "1* done ''\n 1.1 done 'long' 1a2b3c4\n 1.2 done 'lazy' 5d6e7f8\n" },
};

static void reads_plans(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(plans); i++)
		reads_as(plans[i].text, plans[i].expect);
}

/* ---- Commits ------------------------------------------------------------------------- */

/* A task's text; what it is called; what it records; what is left when that is taken out. */
static const struct {
	const char *text, *title, *commits, *left;
} tasks[] = {
	{ "A 1a2b3c4", "A", " 1a2b3c4", "A" },
	{ "A 1a2b3c4.", "A.", " 1a2b3c4", "A." },
	{ "A 1a2b3c4\xe3\x80\x82", "A\xe3\x80\x82", " 1a2b3c4", "A\xe3\x80\x82" },
	{ "A [1a2b3c4]", "A", " 1a2b3c4", "A" },
	{ "A (1a2b3c4)", "A", " 1a2b3c4", "A" },
	{ "A (1a2b3c4).", "A.", " 1a2b3c4", "A." },
	{ "A `1a2b3c4`", "A", " 1a2b3c4", "A" },
	{ "A (`1a2b3c4`)", "A", " 1a2b3c4", "A" },
	{ "A **1a2b3c4**", "A", " 1a2b3c4", "A" },
	{ "**A 1a2b3c4**", "A", " 1a2b3c4", "**A**" },
	{ "**A** 1a2b3c4", "A", " 1a2b3c4", "**A**" },
	{ "**A** <!-- 1a2b3c4 -->", "A", " 1a2b3c4", "**A**" },
	{ "A [commit: 1a2b3c4]", "A", " 1a2b3c4", "A" },
	{ "A [checkpoint: 1a2b3c4]", "A", " @1a2b3c4", "A" },
	{ "A [checkpoint:1a2b3c4]", "A", " @1a2b3c4", "A" },
	{ "A [checkpoint: `1a2b3c4`]", "A", " @1a2b3c4", "A" },
	{ "A [checkpoint: 1a2b3c4 (approved)]", "A", " @1a2b3c4", "A" },
	{ "A [1a2b3c4](https://example.org/commit/1a2b3c4)", "A", " 1a2b3c4", "A" },
	{ "A 1a2b3c4 5d6e7f8", "A", " 1a2b3c4 5d6e7f8", "A" },
	{ "A 1a2b3c4, 5d6e7f8", "A", " 1a2b3c4 5d6e7f8", "A" },
	{ "A 1a2b3c4,5d6e7f8", "A", " 1a2b3c4 5d6e7f8", "A" },
	{ "A (1a2b3c4, 5d6e7f8)", "A", " 1a2b3c4 5d6e7f8", "A" },
	{ "A [1a2b3c4] [5d6e7f8]", "A", " 1a2b3c4 5d6e7f8", "A" },
	{ "A `1a2b3c4`, `5d6e7f8` and `9a8b7c6`", "A and", " 1a2b3c4 5d6e7f8 9a8b7c6", "A and" },
	{ "A - 1a2b3c4", "A", " 1a2b3c4", "A" },
	{ "A \xe2\x80\x94 commit: 1a2b3c4", "A", " 1a2b3c4", "A" },
	{ "A **Commit:** 1a2b3c4", "A", " 1a2b3c4", "A" },
	{ "(1a2b3c4) A", "A", " 1a2b3c4", "A" },
	{ "[1a2b3c4] A", "A", " 1a2b3c4", "A" },
	{ "1a2b3c4 A", "A", " 1a2b3c4", "A" },
	{ "1a2b3c4 5d6e7f8 A", "A", " 1a2b3c4 5d6e7f8", "A" },
	{ "1a2b3c4, `5d6e7f8` A", "A", " 1a2b3c4 5d6e7f8", "A" },
	{ "A (1a2b3c4) and B", "A and B", " 1a2b3c4", "A and B" },
	{ "A 1a2b3c4 (approved)", "A (approved)", " 1a2b3c4", "A (approved)" },
	{ "A (commit 1a2b3c4, approved by Jane on 2026-01-05)",
	  "A (approved by Jane on 2026-01-05)", " 1a2b3c4", "A (approved by Jane on 2026-01-05)" },
	{ "A (commit: 1a2b3c4, 2b3c4d5; seen by Jo)", "A (seen by Jo)", " 1a2b3c4 2b3c4d5",
	  "A (seen by Jo)" },
	{ "A (commit seen 1a2b3c4, 2b3c4d5 twice)", "A (commit seen twice)", " 1a2b3c4 2b3c4d5",
	  "A (commit seen twice)" },
	{ "A (approved) 1a2b3c4", "A (approved)", " 1a2b3c4", "A (approved)" },
	{ "A 1a2b3c4 \xe2\x9c\x85", "A", " 1a2b3c4", "A" },
	{ "A \xe2\x9c\x85 1a2b3c4", "A", " 1a2b3c4", "A" },
	{ "A \xe2\x9c\x85", "A", "", "A" },
	{ "A [done]", "A", "", "A" },
	{ "A [COMPLETE] \xe2\x9c\x85", "A", "", "A" },
	{ "A (done)", "A (done)", "", NULL },
	{ "A [later]", "A [later]", "", NULL },
	{ "A 1a2b3c4d5e", "A", " 1a2b3c4d5e", "A" },
	{ "A 0123456789abcdef0123456789abcdef01234567", "A",
	  " 0123456789abcdef0123456789abcdef01234567", "A" },
	{ "A 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "A",
	  " 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "A" },
	{ "A 1234567", "A", " 1234567", "A" },
	{ "A [ABCDEF1]", "A", " abcdef1", "A" },
	{ "A [defaced]", "A", " defaced", "A" },
	{ "A\t1a2b3c4  ", "A", " 1a2b3c4", "A" },
	{ "A \xef\xbc\x88"
	  "1a2b3c4\xef\xbc\x89",
	  "A", " 1a2b3c4", "A" },
	/* None of these is a commit. */
	{ "A (approved)", "A (approved)", "", NULL },
	{ "A 20260116", "A 20260116", "", NULL },
	{ "A (20260116)", "A (20260116)", "", NULL },
	{ "A 1a2b3c", "A 1a2b3c", "", NULL },
	{ "A defaced", "A defaced", "", NULL },
	{ "A muqlrvqy", "A muqlrvqy", "", NULL },
	{ "A track_1a2b3c4", "A track_1a2b3c4", "", NULL },
	{ "A x1a2b3c4", "A x1a2b3c4", "", NULL },
	{ "A #1a2b3c4", "A #1a2b3c4", "", NULL },
	{ "A \\[1a2b3c4\\] B", "A \\[1a2b3c4\\] B", "", NULL },
	{ "A f(1234567)", "A f(1234567)", "", NULL },
	{ "A 1700000001", "A 1700000001", "", NULL },
	{ "A ABCDEF1", "A ABCDEF1", "", NULL },
	{ "A `1a2b3c4` of B", "A `1a2b3c4` of B", "", NULL },
	{ "A 1a2b3c4 of B", "A 1a2b3c4 of B", "", NULL },
	{ "A (see 1a2b3c4) B", "A (see 1a2b3c4) B", "", NULL },
	{ "A [checkpoint: audit_done]", "A", "", "A" },
	{ "A [checkpoint: pending]", "A", "", NULL },
	{ "A [checkpoint: ]", "A", "", NULL },
	{ "1234567 rows", "1234567 rows", "", NULL },
	{ "550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000", "",
	  NULL },
};

static void expect_task(const char *text, const char *title, const char *commits,
			enum unit_state state)
{
	struct plan_document plan CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;
	struct strbuf have CLEANUP(strbuf_release) = STRBUF_INIT;

	plan_document_parse(&plan, "plan.md", text, strlen(text));
	assert_int_equal(plan.tasks, 1);
	show_commits(&have, &plan.task[0].is.commit);
	if (strcmp(plan.task[0].is.title, title) != 0 || strcmp(have.buf, commits) != 0)
		fail_msg("'%s' is '%s' with '%s'", text, plan.task[0].is.title, have.buf);
	assert_int_equal(plan.task[0].is.state, state);
}

static void uncheck_only_task(const char *text, const char *expect)
{
	struct plan_document plan CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;
	struct splices splices CLEANUP(splices_release) = SPLICES_INIT;
	struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	plan_document_parse(&plan, "plan.md", text, strlen(text));
	plan_document_uncheck_task(&splices, &plan, 0);
	assert_int_equal(splices_apply(&edited, text, strlen(text), &splices, &err), 0);
	assert_string_equal(edited.buf, expect);
}

static void reads_commits(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(tasks); i++) {
		char *text CLEANUP(free_p) = xstrfmt("- [x] %s", tasks[i].text);

		expect_task(text, tasks[i].title, tasks[i].commits, UNIT_DONE);
	}
}

static void takes_commits_out(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(tasks); i++) {
		const char *left = tasks[i].left ? tasks[i].left : tasks[i].text;
		size_t trailing = strlen(tasks[i].text) - strcspn(tasks[i].text, "\t");
		char *text CLEANUP(free_p) = xstrfmt("- [x] %s\r\n\r\nend", tasks[i].text);
		char *expect CLEANUP(free_p) =
			xstrfmt("- [ ] %s%s\r\n\r\nend", left, trailing ? "  " : "");

		uncheck_only_task(text, expect);
	}
}

/* ---- Edits --------------------------------------------------------------------------- */

static const char edited_plan[] = "\xef\xbb\xbf# Plan: T [checkpoint: 9a8b7c6]\r\n"
				  "## [x] Phase 1: One \xe2\x9c\x85 [checkpoint: 1a2b3c4]\r\n"
				  "-\t[x] a [1a2b3c4]\r\n"
				  "\t- [X] i (5d6e7f8)  \r\n"
				  "\t- plain\r\n"
				  "* [~] b\r\n"
				  "\r\n"
				  "## Phase 2: Two [COMPLETE]\r\n"
				  "- [x] a 1a2b3c4\r\n"
				  "- [-] c\r\n"
				  "- [ ] [checkpoint: audit_done] d";

typedef void edit_fn(struct splices *ret, const struct plan_document *plan, size_t index);

static void edits_to(edit_fn *edit, size_t index, const char *expect)
{
	struct plan_document plan CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;
	struct splices splices CLEANUP(splices_release) = SPLICES_INIT;
	struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	plan_document_parse(&plan, "plan.md", edited_plan, strlen(edited_plan));
	edit(&splices, &plan, index);
	assert_int_equal(splices_apply(&edited, edited_plan, strlen(edited_plan), &splices, &err),
			 0);
	assert_string_equal(edited.buf, expect);
}

static void uncheck_all(struct splices *ret, const struct plan_document *plan, size_t index UNUSED)
{
	plan_document_uncheck_all(ret, plan);
}

static void revert_phase(struct splices *ret, const struct plan_document *plan, size_t index)
{
	plan_document_uncheck_phase(ret, plan, index);
	plan_document_mark_phase_reverted(ret, plan, index);
}

#define HEAD	   "\xef\xbb\xbf# Plan: T [checkpoint: 9a8b7c6]\r\n"
#define PHASE_1	   "## [x] Phase 1: One \xe2\x9c\x85 [checkpoint: 1a2b3c4]\r\n"
#define TASKS_1	   "-\t[x] a [1a2b3c4]\r\n\t- [X] i (5d6e7f8)  \r\n\t- plain\r\n* [~] b\r\n\r\n"
#define PHASE_2	   "## Phase 2: Two [COMPLETE]\r\n"
#define TASKS_2	   "- [x] a 1a2b3c4\r\n- [-] c\r\n- [ ] [checkpoint: audit_done] d"
#define UNTICKED_1 "-\t[ ] a\r\n\t- [ ] i  \r\n\t- plain\r\n* [ ] b\r\n\r\n"
#define UNTICKED_2 "- [ ] a\r\n- [ ] c\r\n- [ ] d"

static void edits_bytes(void **state UNUSED)
{
	edits_to(plan_document_uncheck_task, 0,
		 HEAD PHASE_1
		 "-\t[ ] a\r\n\t- [ ] i  \r\n\t- plain\r\n* [~] b\r\n\r\n" PHASE_2 TASKS_2);
	edits_to(plan_document_uncheck_task, 1,
		 HEAD PHASE_1 "-\t[x] a [1a2b3c4]\r\n\t- [X] i (5d6e7f8)  \r\n\t- plain\r\n"
			      "* [ ] b\r\n\r\n" PHASE_2 TASKS_2);
	edits_to(plan_document_reopen_phase, 0,
		 HEAD "## [ ] Phase 1: One\r\n" TASKS_1 PHASE_2 TASKS_2);
	edits_to(plan_document_uncheck_phase, 0,
		 HEAD "## [ ] Phase 1: One\r\n" UNTICKED_1 PHASE_2 TASKS_2);
	edits_to(revert_phase, 1, HEAD PHASE_1 TASKS_1 "## Phase 2: Two [Reverted]\r\n" UNTICKED_2);
	edits_to(uncheck_all, 0,
		 "\xef\xbb\xbf# Plan: T\r\n## [ ] Phase 1: One\r\n" UNTICKED_1
		 "## Phase 2: Two\r\n" UNTICKED_2);
}

/* Fields for the status and for commits: of the plan, of a phase, of a task. */
static const struct {
	const char *text, *all,
		*task; /* all of it reverted; the first task alone; NULL: as it was */
} fields[] = {
	{ "# Plan\n**Status:** \xe2\x9c\x85 Complete\n\n## Phase 1: One\n> *Status:* DONE (May)\n- [x] a\n"
	  "  Status: done\n## Phase 2: Two\n- [x] b\n\nStatus: done\n",
	  "# Plan\n**Status:** Reverted\n\n## Phase 1: One\n> *Status:* PLANNING (May)\n- [ ] a\n"
	  "  Status: new\n## Phase 2: Two\n- [ ] b\n\nStatus: done\n",
	  "# Plan\n**Status:** \xe2\x9c\x85 Complete\n\n## Phase 1: One\n> *Status:* DONE (May)\n- [ ] a\n"
	  "  Status: new\n## Phase 2: Two\n- [x] b\n\nStatus: done\n" },
	{ "---\nstatus: completed\ncommit: 1a2b3c4\nowner: me\n---\n# Plan\n\n**Status**: \xe2\x9c\x85 Completed (2b3c4d5)\n\n- [x] a\n",
	  "---\nstatus: reverted\ncommit:\nowner: me\n---\n# Plan\n\n**Status**: Reverted\n\n- [ ] a\n",
	  NULL },
	{ "## Phase 1: P\n\n### Task 1.1: One\n**Status**: \xe2\x9c\x85 Completed\n**Commit:** `1a2b3c4`\n\nThe status: done is a word.\n\n"
	  "### Task 1.2: Two [x]\n- **Status:** Completed (2b3c4d5, by Jo)\n",
	  "## Phase 1: P\n\n### Task 1.1: One\n**Status**: Planning\n**Commit:**\n\nThe status: done is a word.\n\n"
	  "### Task 1.2: Two [ ]\n- **Status:** Planning (2b3c4d5, by Jo)\n",
	  "## Phase 1: P\n\n### Task 1.1: One\n**Status**: Planning\n**Commit:**\n\nThe status: done is a word.\n\n"
	  "### Task 1.2: Two [x]\n- **Status:** Completed (2b3c4d5, by Jo)\n" },
	{ "## Phase 1: P\n### Task 1: One (done)\n- Status: done \xe2\x9c\x85\n- Status: [done]\n",
	  "## Phase 1: P\n### Task 1: One\n- Status: new\n- Status:\n", NULL },
	/* Rows of a table: of the task that one names, else of the phase. */
	{ "## Phase 1: P\n- [x] Do it\n\n| # | Task | Done | Commit |\n|---|---|---|---|\n| 1 | Do it | [x] | 1a2b3c4 |\n"
	  "| 2 | More | [x] | `2b3c4d5` |\n| 3 | Last | [ ] | |\n",
	  "## Phase 1: P\n- [ ] Do it\n\n| # | Task | Done | Commit |\n|---|---|---|---|\n| 1 | Do it | [ ] |  |\n"
	  "| 2 | More | [ ] |  |\n| 3 | Last | [ ] | |\n",
	  "## Phase 1: P\n- [ ] Do it\n\n| # | Task | Done | Commit |\n|---|---|---|---|\n| 1 | Do it | [ ] |  |\n"
	  "| 2 | More | [x] | `2b3c4d5` |\n| 3 | Last | [ ] | |\n" },
	/* None of a task: not at the front of a line, or not a state; no commit after all. */
	{ "sha: `aaaa0aa\"+aaa\n\n- [ ] a\n", NULL, NULL },
	{ "- [ ] a\n  sends the status: done\n  Status: 200\n", NULL, NULL },
};

static void edits_fields(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		struct plan_document plan CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;
		struct splices all CLEANUP(splices_release) = SPLICES_INIT;
		struct splices task CLEANUP(splices_release) = SPLICES_INIT;
		struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
		struct error err CLEANUP(error_release) = ERROR_INIT;
		const char *text = fields[i].text;

		plan_document_parse(&plan, "plan.md", text, strlen(text));
		plan_document_uncheck_all(&all, &plan);
		plan_document_set_status(&all, &plan, UNIT_REVERTED);
		if (plan_document_apply(&edited, &plan, &all, &err) < 0)
			fail_msg("%s", err.message);
		assert_string_equal(edited.buf, fields[i].all ? fields[i].all : text);
		if (!fields[i].task)
			continue;
		strbuf_release(&edited);
		plan_document_uncheck_task(&task, &plan, 0);
		if (plan_document_apply(&edited, &plan, &task, &err) < 0)
			fail_msg("%s", err.message);
		assert_string_equal(edited.buf, fields[i].task);
	}
}

/* What still says that a thing is done; 0: nothing. */
static const struct {
	const char *text;
	size_t line, phase, task;
} claims[] = {
	{ "- [ ] a\n- [x] b\n", 2, NO_INDEX, NO_INDEX },
	{ "- [ ] a\n- [x] b\n", 0, 0, 0 },
	{ "- [ ] a\n  - [x] b\n", 2, 0, 0 },
	{ "Status: done\n\n## Phase 1: P\n- [ ] a\n", 1, NO_INDEX, NO_INDEX },
	{ "Status: done\n\n## Phase 1: P\n- [ ] a\n", 0, 0, NO_INDEX },
	{ "## Phase 1: P \xe2\x9c\x85\n- [ ] a\n", 1, 0, NO_INDEX },
	{ "## Phase 1: P \xe2\x9c\x85\n- [ ] a\n", 0, 0, 0 },
	{ "## Phase 1: P\n\n| a | [ ] |\n| b | [x] |\n", 4, 0, NO_INDEX },
	{ "## Phase 1: P\n### Task 1: a\nStatus: done\n", 3, 0, NO_INDEX },
};

static void finds_claims(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
		struct plan_document plan CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;
		const char *text = claims[i].text;

		plan_document_parse(&plan, "plan.md", text, strlen(text));
		assert_int_equal(plan_document_claim(&plan, claims[i].phase, claims[i].task),
				 claims[i].line);
	}
}

/* ---- Any plan: what is edited reads as it was meant ---------------------------------- */

static uint64_t seed;

static size_t any(size_t below)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (size_t)(seed >> 33) % below;
}

#define PICK(list) ((list)[any(ARRAY_SIZE(list))])

static void add_line_end(struct strbuf *out)
{
	static const char *const ends[] = { "\n", "\n", "\n", "\r\n", "\n\n" };

	strbuf_addstr(out, PICK(ends));
}

static void add_some_commit(struct strbuf *out)
{
	static const char *const forms[] = {
		"%s",		"[%s]", "(%s)", "`%s`",	       "**%s**",
		"[commit: %s]", "%s,",	"%s.",	"(%s) - okay", "[checkpoint: %s]",
		"<!-- %s -->"
	};
	static const char *const commits[] = { "1a2b3c4", "5d6e7f8",  "9a8b7c6d5e", "1234567",
					       "defaced", "20260101", "pending" };
	char text[64];

	strbuf_addch(out, any(5) ? ' ' : '\t');
	snprintf(text, sizeof(text), "%s", PICK(commits));
	for (const char *form = PICK(forms); *form; form++) {
		if (!strncmp(form, "%s", 2)) {
			strbuf_addstr(out, text);
			form++;
		} else {
			strbuf_addch(out, *form);
		}
	}
}

static void add_some_text(struct strbuf *out)
{
	static const char *const words[] = { "weave",
					     "Task: a",
					     "**bold**",
					     "`code`",
					     "(note)",
					     "1a2b3c4 x",
					     "\xc3\xa9t\xc3\xa9",
					     "**Task 2.1:**",
					     "\xe2\x9c\x85",
					     "[link](x)",
					     "*",
					     "Phase 2",
					     "\\[" };

	for (size_t n = any(4); n; n--)
		strbuf_addf(out, "%s%s", PICK(words), n > 1 ? " " : "");
	for (size_t n = any(3); n; n--)
		add_some_commit(out);
}

static void add_some_line(struct strbuf *out)
{
	static const char *const starts[] = {
		"## Phase 1: ",
		"## Phase 2: ",
		"### ",
		"### [x] Task 1: ",
		"## ",
		"- [x] ",
		"- [x] ",
		"- [~] ",
		"- [ ] ",
		"  - [x] ",
		"    - [x] ",
		"\t- [x] ",
		"1. [x] ",
		"* [X] ",
		"- ",
		"> - [x] ",
		"text ",
		"---",
		"```",
		"- [-] ",
		"## [x] ",
		"  ",
		"| a | b ",
		"# Plan: ",
		"- [\xe2\x9c\x93] ",
	};

	strbuf_addstr(out, PICK(starts));
	add_some_text(out);
	if (!any(9))
		strbuf_addstr(out, " [COMPLETE]");
	add_line_end(out);
}

static bool is_open(enum unit_state state)
{
	return state == UNIT_PENDING;
}

/* All that is not in a splice is there, in its order. */
static void expect_rest_untouched(const char *text, size_t len, const struct splices *splices,
				  const struct strbuf *edited)
{
	size_t at = 0, out = 0;

	for (size_t i = 0; i < splices->nr; i++) {
		const struct splice *it = &splices->item[i];

		if (it->at.at < at) {
			if (it->at.at + it->at.len > at)
				at = it->at.at + it->at.len;
			continue;
		}
		assert_memory_equal(text + at, edited->buf + out, it->at.at - at);
		out += it->at.at - at + strlen(it->text);
		at = it->at.at + it->at.len;
	}
	assert_int_equal(len - at, edited->len - out);
	assert_memory_equal(text + at, edited->buf + out, len - at);
}

/* False where it was refused. */
static bool check_edit(const struct strbuf *text)
{
	struct plan_document plan CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;
	struct plan_document after CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;
	struct splices splices CLEANUP(splices_release) = SPLICES_INIT;
	struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	size_t task;

	plan_document_parse(&plan, "plan.md", text->buf, text->len);
	if (!plan.tasks)
		return true;
	task = any(plan.tasks);
	plan_document_uncheck_task(&splices, &plan, task);
	if (plan_document_apply(&edited, &plan, &splices, &err) < 0) {
		assert_non_null(strstr(err.message, "would mean something else"));
		return false;
	}
	expect_rest_untouched(text->buf, text->len, &splices, &edited);
	plan_document_parse(&after, "plan.md", edited.buf, edited.len);
	assert_int_equal(after.tasks, plan.tasks);
	assert_int_equal(after.phases, plan.phases);
	for (size_t t = 0; t < plan.tasks; t++) {
		const struct plan_line *was = &plan.task[t].is, *is = &after.task[t].is;
		bool same = was->state == is->state && was->commit.nr == is->commit.nr &&
			    !strcmp(was->title, is->title);

		if (t == task ? (is->has_box && !is_open(is->state)) || is->commit.nr : !same)
			fail_msg("task %zu when %zu is edited: %s '%s'\n%s\n----\n%s", t, task,
				 unit_state_name(is->state), is->title, text->buf, edited.buf);
	}
	return true;
}

static void edits_read_as_meant(void **state UNUSED)
{
	size_t refused = 0, all = 20000;

	for (seed = 1; seed <= all;) {
		struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
		uint64_t next = seed + 1;

		for (size_t lines = 1 + any(12); lines; lines--)
			add_some_line(&text);
		refused += !check_edit(&text);
		seed = next;
	}
	if (refused > all / 100)
		fail_msg("%zu of %zu were refused", refused, all);
}

/* ---- The same unit in another version ------------------------------------------------ */

static void finds_the_same_again(void **state UNUSED)
{
	static const char old_text[] = "## Phase 1: One\n- [ ] a\n- [ ] check\n## Phase 2: Two\n"
				       "- [ ] check\n- [ ] gone\n";
	static const char new_text[] = "## Phase 1: Zero\n- [ ] z\n## Phase 2: One\n- [x] new\n"
				       "- [x] a\n- [ ] check\n## Phase 3: Two\n- [ ] check\n";
	struct plan_document old CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;
	struct plan_document now CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;

	plan_document_parse(&old, "plan.md", old_text, strlen(old_text));
	plan_document_parse(&now, "plan.md", new_text, strlen(new_text));
	assert_int_equal(plan_document_find_same_task(&now, &old, 0), 2);
	assert_int_equal(plan_document_find_same_task(&now, &old, 1), 3);
	assert_int_equal(plan_document_find_same_task(&now, &old, 2), 4);
	assert_true(plan_document_find_same_task(&now, &old, 3) == NO_INDEX);
	assert_int_equal(plan_document_find_same_phase(&now, &old, 0), 1);
	assert_true(plan_document_find_same_phase(&old, &now, 0) == NO_INDEX);
	assert_int_equal(plan_document_task_at(&now, 1, 3), 3);
	assert_true(plan_document_task_at(&now, 1, 4) == NO_INDEX);
}

static void tells_places(void **state UNUSED)
{
	static const char text[] = "# T\n\n## Phase 1: One\n\n- [x] a\n  - i\n\n## End\n";
	struct plan_document plan CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;

	plan_document_parse(&plan, "plan.md", text, strlen(text));
	assert_int_equal(plan.phase[0].is.line, 3);
	assert_int_equal(plan.task[0].is.line, 5);
	assert_int_equal(plan.item[0].is.line, 6);
	assert_string_equal(text + plan.task[0].block.at, "- [x] a\n  - i\n\n## End\n");
	assert_int_equal(plan.task[0].block.len, strlen("- [x] a\n  - i\n"));
	assert_int_equal(plan.phase[0].block.len, strlen("## Phase 1: One\n\n- [x] a\n  - i\n\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_plans),	       cmocka_unit_test(reads_commits),
		cmocka_unit_test(takes_commits_out),   cmocka_unit_test(edits_bytes),
		cmocka_unit_test(edits_fields),	       cmocka_unit_test(finds_claims),
		cmocka_unit_test(edits_read_as_meant), cmocka_unit_test(finds_the_same_again),
		cmocka_unit_test(tells_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
