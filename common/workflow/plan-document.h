/* SPDX-License-Identifier: MIT */
/*
 * plan-document: a track's plan.md: phases, tasks, what is below a task, and the commits they record.
 *
 * Use:    plan_document_parse(&plan, "path", text, len), then plan.phase[0 .. phases-1] and
 *         plan.task[0 .. tasks-1], both in the order of the file. It cannot fail: any text is a
 *         plan, if one without tasks. A plan as of some commit is parsed just so, from the blob.
 * Phases: headings (level 2 and below, of whatever language) that say "Phase", with a number or
 *         without; where no heading does, the outermost headings with tasks below them; where
 *         there is none, one phase without a heading. A heading of the same level, or a higher
 *         one, ends a phase: tasks below that are in none.
 * Tasks:  the outermost check-box items of a phase, and headings that say "Task" or have a check
 *         box: then the check boxes below are its items. A check box in a code block or an HTML
 *         comment is none.
 * Commits: runs of 7 to 64 hexadecimal digits at the end of a task's or phase's line, bare, in
 *         backticks, brackets, parentheses, emphasis or an HTML comment, labelled ("checkpoint:",
 *         "commit:") or not, one or several; in brackets, parentheses and comments also in front
 *         and in between. Not dates (20260116), not words, not what has other letters in it.
 * Owner:  the caller; plan_document_release() frees all. It keeps a copy of the text.
 */
#ifndef WORKFLOW_PLAN_DOCUMENT_H
#define WORKFLOW_PLAN_DOCUMENT_H

#include "base/compat.h"
#include "base/strbuf.h"
#include "workflow/document.h"
#include "workflow/unit.h"

enum plan_commit_label { COMMIT_PLAIN, COMMIT_CHECKPOINT };

/* A commit as a plan names it: perhaps abbreviated, perhaps of no commit that there is. */
struct plan_commit {
	char *hex; /* lower case */
	enum plan_commit_label label;
	struct span at;	 /* the digits */
	struct span cut; /* with all that goes when it is taken out */
};
struct plan_commits {
	struct plan_commit *item;
	size_t nr, alloc;
};

/* What tasks, phases and the items below tasks have in common: one line that says what to do. */
struct plan_line {
	char *title; /* without box, label, emphasis around it, commits and status; blanks single */
	char *label; /* the number that the text carries: "2.1", "2b", "01"; NULL: none */
	enum unit_state state;
	bool has_box;
	struct span mark; /* what is between the brackets of the box */
	size_t line;	  /* from 1 */
	struct span text; /* all of it, raw, without bullet and line end */
	/* At the end: "[COMPLETE]", a tick; with the blanks in front. */
	struct span status;
	/* "[checkpoint: ]", "[checkpoint: pending]": no commit in it, and all that goes; that word. */
	struct span empty_checkpoint, checkpoint_word;
	struct plan_commits commit;
};

/* Something below a task: a sub-task, or a remark. */
struct plan_item {
	struct plan_line is;
	size_t depth; /* from 1: directly below the task */
	size_t task;
};

struct plan_task {
	struct plan_line is;
	size_t phase;		  /* in plan.phase[]; NO_INDEX: in none */
	size_t number;		  /* from 1, in the phase */
	bool is_heading;	  /* the task is a heading, not an item of a list */
	size_t first_item, items; /* in plan.item[] */
	struct span block;	  /* whole lines, with all that is below it */
};

struct plan_phase {
	struct plan_line is; /* state: the heading's own, else that of its tasks taken together */
	bool has_heading;    /* else `is` is empty, but for the state */
	size_t number;	     /* from 1 */
	size_t tasks;	     /* how many; they are where plan.task[].phase says so */
	struct span block;   /* whole lines */
};

/*
 * A line by itself for the status, "**Status:** done (1a2b3c4)", or for commits, "commit: 1a2b3c4",
 * in front matter or text: of the plan before any phase or task; of a phase between its heading and
 * its first task; of a task below its line. Or a row of a table in a phase that has a check box in a
 * cell: of the task whose title is in another one, else of the phase.
 */
struct plan_field {
	struct span status; /* the words for it; a length of 0: it has commits alone */
	bool row;
	struct span mark; /* of a row: between the brackets of the box */
	enum unit_state state;
	struct plan_commits commit;
	size_t line;	    /* from 1 */
	size_t phase, task; /* whose it is; both NO_INDEX: the plan's own */
};

struct plan_document {
	char *path, *text;
	size_t len;
	char *title;		    /* of the first heading, where that is no phase; else NULL */
	struct plan_commits commit; /* in that heading */
	struct plan_phase *phase;
	size_t phases, phases_alloc;
	struct plan_task *task;
	size_t tasks, tasks_alloc;
	struct plan_item *item;
	size_t items, items_alloc;
	struct plan_field *field; /* in the order of the text */
	size_t fields, fields_alloc;
};
#define PLAN_DOCUMENT_INIT \
	{                  \
		0          \
	}

void plan_document_parse(struct plan_document *ret, const char *path, const char *text, size_t len);
void plan_document_release(struct plan_document *plan);
/* The task with that number in that phase (an index), or NO_INDEX. */
size_t plan_document_task_at(const struct plan_document *plan, size_t phase, size_t number);
/*
 * The task of another version of the same plan that is this one: of the same title (and phase,
 * where that tells them apart), or NO_INDEX.
 */
size_t plan_document_find_same_task(const struct plan_document *other,
				    const struct plan_document *plan, size_t task);
/* The same of a phase. */
size_t plan_document_find_same_phase(const struct plan_document *other,
				     const struct plan_document *plan, size_t phase);
/* Is the field the unit's own, or of something in it? Both NO_INDEX: of the plan. */
bool plan_field_is_of(const struct plan_document *plan, const struct plan_field *field,
		      size_t phase, size_t task);
/*
 * The line (from 1) of the first thing that says that this is done: a task, or what is below one, a
 * phase, a field; both NO_INDEX: anywhere in the plan. 0: nothing does.
 */
size_t plan_document_claim(const struct plan_document *plan, size_t phase, size_t task);

/*
 * Edits, as splices of plan.text; parsing what comes of them gives the state that was asked for.
 *
 * Unticks the task and the items below it, takes their commits out, and says in a field for its
 * status that it is pending. A task without a box keeps its text but for the commits.
 */
void plan_document_uncheck_task(struct splices *ret, const struct plan_document *plan, size_t task);
/*
 * Takes the phase's checkpoint and status out, unticks its own box, and says in a field for its
 * status that it is pending; the tasks stay.
 */
void plan_document_reopen_phase(struct splices *ret, const struct plan_document *plan,
				size_t phase);
/* plan_document_reopen_phase() and all its tasks. */
void plan_document_uncheck_phase(struct splices *ret, const struct plan_document *plan,
				 size_t phase);
/* All phases, all tasks, and the commits in the title and in fields. */
void plan_document_uncheck_all(struct splices *ret, const struct plan_document *plan);
/*
 * In the plan's own fields for its status, where they claim more than that; UNIT_REVERTED in all that
 * have a state one knows.
 */
void plan_document_set_status(struct splices *ret, const struct plan_document *plan,
			      enum unit_state state);
/* Puts " [Reverted]" behind the heading of a phase that plan_document_uncheck_phase() was done to. */
void plan_document_mark_phase_reverted(struct splices *ret, const struct plan_document *plan,
				       size_t phase);

/*
 * Appends the text after these edits. It is read again first: -1 when another phase, task or item
 * would be read from it than from the plan, or one that is not edited in another state. That takes
 * odd documents: such as one in which a commit that goes leaves a code fence.
 */
int plan_document_apply(struct strbuf *ret, const struct plan_document *plan,
			struct splices *splices, struct error *err) MUST_CHECK;

#endif
