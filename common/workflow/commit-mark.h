/* SPDX-License-Identifier: MIT */
/*
 * commit-mark: the commits that a line of a plan records.
 *
 * What counts is said in plan-document.h. Not every number is a commit: what is bare needs a digit
 * in it and, where it is all digits, the length of an abbreviation.
 */
#ifndef WORKFLOW_COMMIT_MARK_H
#define WORKFLOW_COMMIT_MARK_H

#include "workflow/plan-document.h"

/* Appends those of a line, or a part of one. */
void commit_marks_find(struct plan_commits *ret, const char *text, struct span line);
void plan_commits_release(struct plan_commits *commits);

/*
 * "[checkpoint: ...]" without a commit, with the blanks that go with it: *ret_word is what stands there for one, such as "pending"
 * (a length of 0: nothing). False: there is none.
 */
bool checkpoint_find_empty(struct span *ret, struct span *ret_word, const char *text,
			   struct span line);
#endif
