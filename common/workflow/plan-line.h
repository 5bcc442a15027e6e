/* SPDX-License-Identifier: MIT */
/*
 * plan-line: the parts of one line: its box, its label, its title, its commits, its status.
 *
 * For plan-document and registry; what they mean is said there.
 */
#ifndef WORKFLOW_PLAN_LINE_H
#define WORKFLOW_PLAN_LINE_H

#include "workflow/plan-document.h"

/* Which words may stand in front of a title, as in "Phase 2: ...". */
enum line_kind { LINE_TASK, LINE_TASK_HEADING, LINE_PHASE, LINE_TRACK };

/* A box "[x]" at the start of the text; *ret_behind is where the text goes on. */
bool line_find_box(struct span *ret_mark, size_t *ret_behind, const char *text, struct span line);
/* One at the end, with a blank in front; *ret_box is all of it. */
bool line_find_box_behind(struct span *ret_mark, struct span *ret_box, const char *text,
			  struct span line);
/*
 * A status at the end, as "[COMPLETE]", a tick, or "(done)", with the blanks in front of it: of a
 * task not in parentheses, where its own words may be. False: there is none.
 */
bool line_find_status(struct span *ret, enum unit_state *ret_state, enum line_kind kind,
		      const char *text, struct span line);
/*
 * The value of "**Status:** in progress (since Monday) | ...": the words that say it; a length of 0:
 * there is none. `first`: only where it begins the line.
 */
struct span line_find_status_field(const char *text, struct span line, bool first);
/*
 * The commits of a field for them ("commit: 1a2b3c4"), or behind the words of one for the status,
 * which then end before them. What is cut of the former leaves its name.
 */
void line_find_field_commits(struct plan_commits *ret, const char *text, struct span line,
			     struct span *status);
/* The same of any field, up to what ends it; `first`: only where it begins the line. */
struct span line_find_field(const char *text, struct span line, const char *name, bool first);

/* What a label in front of a title is. */
struct line_label {
	bool named;	    /* it has a word such as "Phase" */
	bool numbered;	    /* and a number, or a word for one */
	bool separated;	    /* ends with ':' or a dash, or nothing follows */
	struct span number; /* in `s`; a length of 0: none */
	size_t len;	    /* of all of it */
};
struct line_label line_find_label(const char *s, enum line_kind kind);

/* Text for people: without emphasis around it and pictures in front, blanks single. */
char *line_plain(const char *text, size_t len) MUST_CHECK;

/*
 * All of it. `text` is the document's, `line` the line, `last` a later line of the same
 * paragraph, which may have commits too, or equal to `line`.
 */
void plan_line_parse(struct plan_line *ret, enum line_kind kind, const char *text, struct span line,
		     struct span last);
void plan_line_release(struct plan_line *line);

#endif
