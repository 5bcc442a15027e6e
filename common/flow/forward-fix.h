/* SPDX-License-Identifier: MIT */
/*
 * forward-fix: a new migration that undoes an applied one, for where rolling back is the worse
 * way: its up script is the old down, found as a rollback finds it (migration/down.h), and its down
 * the old up. Two new files among the project's migrations, named as those are; the database
 * is only read.
 *
 * Use:    forward_fix_plan(), forward_fix_show(), forward_fix_execute(), forward_fix_report().
 * Files:  no file is ever replaced, and no link followed: where one of the name came meanwhile it is
 *         refused. So no lock is taken.
 * Owner:  the caller; forward_fix_release(). It borrows from session and request.
 */
#ifndef FLOW_FORWARD_FIX_H
#define FLOW_FORWARD_FIX_H

#include "flow/rollback.h"

struct forward_fix_file {
	char *path; /* from the top of the worktree, or as the setting has it */
	struct strbuf text;
};

struct forward_fix {
	struct session *session;
	const struct rollback_request *request;
	const char *after; /* the caller's: the new version comes behind this one, too; or NULL */
	const struct ledger_entry *applied; /* what is undone */
	struct log_applied_list log;
	struct down_search search;
	struct strbuf old_up;
	char *version, *name; /* of the new migration */
	bool directory;	      /* it is a folder with two files */
	struct forward_fix_file up, down;
	struct verdict verdict;
	bool written;
};
#define FORWARD_FIX_INIT \
	{                \
		0        \
	}
void forward_fix_release(struct forward_fix *fix);

int forward_fix_plan(struct forward_fix *ret, struct session *s,
		     const struct rollback_request *request, struct error *err) MUST_CHECK;
/*
 * Is this the up script of one, as its first line says? Then the version that it undoes; free() it.
 * What a person has written below that line is the person's. NULL: it is none.
 */
char *forward_fix_undoes(const char *text, size_t len);
void forward_fix_show(const struct forward_fix *fix);
int forward_fix_execute(struct forward_fix *fix, struct error *err) MUST_CHECK;
/* `failure` is NULL when nothing failed. */
void forward_fix_report(const struct forward_fix *fix, const struct error *failure);

#endif
