/* SPDX-License-Identifier: MIT */
/*
 * worktree-parts: what the files of worktree_read() (vcs/worktree.h) share, and nobody else needs.
 */
#ifndef VCS_WORKTREE_PARTS_H
#define VCS_WORKTREE_PARTS_H

#include "base/strbuf.h"
#include "vcs/worktree.h"

/* At the end, empty; worktree_sort_entries() puts all of them into order. */
struct worktree_entry *worktree_add_entry(struct worktree_state *state);
void worktree_sort_entries(struct worktree_state *state);

/* worktree-status.c: what `git status --porcelain=v2 -z` printed, and its warnings. */
int worktree_parse_status(struct worktree_state *state, const struct repo *repo,
			  const struct strbuf *text, struct error *err) MUST_CHECK;
void worktree_parse_warnings(struct worktree_state *state, const struct strbuf *text);

/*
 * worktree-index.c: what the index says beside it. The first `known` entries are in order; `top`
 * is the worktree.
 */
void worktree_add_hidden(struct worktree_state *state, int top, size_t known);
void worktree_drop_devices(struct worktree_state *state, int top);
void worktree_note_special(struct worktree_state *state);

/* worktree-head.c: what git's own files say: the branch in full, and what is in progress. */
void worktree_find_in_progress(struct strvec *ret, const char *git_dir);
/* Replaces *branch, but where HEAD is detached or no file tells, as with reftables. */
void worktree_read_branch(char **branch, const char *git_dir);

#endif
