/* SPDX-License-Identifier: MIT */
/*
 * plan-parts: what the files of plan-document.h share while a plan is read. plan-document.c tells what
 * the blocks are, and builds phases and tasks of them; plan-field.c finds what stands between.
 */
#ifndef WORKFLOW_PLAN_PARTS_H
#define WORKFLOW_PLAN_PARTS_H

#include "workflow/markdown.h"
#include "workflow/plan-document.h"

enum plan_role { ROLE_NONE, ROLE_PHASE, ROLE_TASK };

/* What is known of a block before it is known what it is. */
struct plan_note {
	enum plan_role role;
	bool boxed;	    /* it has a check box */
	bool says_task;	    /* "Task 3: ..." */
	bool says_phase;    /* "Phase 3 ..." */
	bool separated;	    /* "Phase 3: ..." */
	bool has_tasks;	    /* a heading: there are tasks in its section */
	bool has_own;	    /* the same, and directly: not below another heading */
	size_t task, depth; /* an item: the task that it is or is in, and how deep; else NO_INDEX */
};

struct plan_reader {
	struct plan_document *plan;
	struct markdown md;
	struct plan_note *note; /* of each block */
};

static inline bool plan_is_heading(const struct plan_reader *r, size_t block)
{
	return r->md.block[block].kind == MARKDOWN_HEADING;
}

/* Once phases and tasks are there. */
void plan_find_fields(struct plan_reader *r);

#endif
