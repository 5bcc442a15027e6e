/* SPDX-License-Identifier: MIT */
/*
 * log: walking the history through one `git log`, commit by commit, as git sends it.
 *
 * Use:    fill in a struct log_request; log_walk() calls the function for each commit, newest
 *         first, children before their parents where the clocks were right. Nothing is kept: of a
 *         history of any length only one commit is in memory.
 * Why git: its commit-graph and changed-path filters make paths and ranges many times faster than
 *         a walk of our own, and it knows shallow and partial clones, and replaced commits.
 * Owner:  what the function is given is valid until it returns.
 * Errors: -1 with git's reason; or what the function returned.
 */
#ifndef VCS_LOG_H
#define VCS_LOG_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "vcs/repo.h"

struct log_change {
	char status; /* 'A', 'D', 'M', 'T' */
	const char *path;
	const char *old_oid, *new_oid; /* all zeros where there is none */
	bool submodule;		       /* on either side */
	unsigned old_mode, new_mode;   /* 0 where there is none */
};
struct log_commit {
	const char *oid;
	const char *parents; /* full ids, with blanks between; "" of a root */
	int64_t author_time; /* seconds since 1970-01-01 UTC */
	int64_t commit_time;
	const char *author;  /* "Name <address>" */
	const char *message; /* UTF-8, as far as git knows its encoding */
	const char *note;    /* of refs/notes/commits and what notes.displayRef names; or "" */
	struct log_change *change; /* none of a merge */
	size_t changes, changes_alloc;
};

struct log_request {
	const struct repo *repo;
	/* Revisions, as git reads them: "HEAD", "^<id>". With `these` exactly those commits. */
	const struct strvec *revs;
	bool these;
	const struct strvec *paths; /* plain paths: only commits that change them; NULL: all */
	int64_t since; /* not further back than commits of this time; 0: all. Seconds since 1970 */
	bool changes;  /* what each commit changed, all of it, without looking for renames */
};
/* 0: go on; -1 with the error set. */
typedef int log_fn(void *data, const struct log_commit *commit, struct error *err);

int log_walk(const struct log_request *request, log_fn *fn, void *data, struct error *err)
	MUST_CHECK;

/* The first line of a message, in a string of its own; free() it. */
char *log_subject(const char *message) MUST_CHECK;

#endif
