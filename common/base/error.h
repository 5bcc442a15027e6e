/* SPDX-License-Identifier: MIT */
/*
 * error: what failed, on what, why, and what to do next; carried up to the command.
 *
 * Use:    functions that can fail return 0 or -1, take a `struct error *err` last, and
 *         fill it before they return -1. On failure they leave their outputs alone.
 *         Expected outcomes are no errors: they get a positive enum.
 * Owner:  error_release() frees all strings. An error that is filled is never filled
 *         again: the first reason is the one that counts; callers put the larger
 *         picture in front with error_prefix().
 * Wording: lower case, no full stop, the thing in single quotes, always the reason.
 *         "could not" if it may work next time, "cannot" if never. Hints are whole
 *         sentences, one a line.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/compat.h"

struct error {
	char *message;	  /* one line; NULL while nothing has failed */
	char *place;	  /* "file:line:column" of the text at fault, or NULL */
	char *excerpt;	  /* that line and a caret under the place, or NULL */
	char *detail;	  /* further lines, such as a server's DETAIL, or NULL */
	char *hint;	  /* what to do next, or NULL */
	char sqlstate[6]; /* PostgreSQL's five characters, or "" */
	int sys_errno;	  /* errno, or 0 */
	int exit_code;	  /* 0 means EXIT_FAILED */
};

#define ERROR_INIT \
	{          \
		0  \
	}

void error_release(struct error *err);
/* Forgets a failure that was dealt with. */
void error_clear(struct error *err);
static inline bool error_is_set(const struct error *err)
{
	return err->message != NULL;
}

/* All of these return -1, so that `return error_set(err, ...)` reads well. */
PRINTF(2, 3) int error_set(struct error *err, const char *fmt, ...);
/* As error_set(), and adds strerror(errno) behind a colon. */
PRINTF(2, 3) int error_errno(struct error *err, const char *fmt, ...);
/* As error_set(), for what is refused: exit code EXIT_REFUSED. */
PRINTF(2, 3) int error_refused(struct error *err, const char *fmt, ...);
/* Puts "<text>: " in front of the message. */
PRINTF(2, 3) int error_prefix(struct error *err, const char *fmt, ...);
/* Adds a line of advice. */
PRINTF(2, 3) int error_hint(struct error *err, const char *fmt, ...);
/* Adds a line of detail. */
PRINTF(2, 3) int error_detail(struct error *err, const char *fmt, ...);
int error_code(struct error *err, enum exit_code code);
int error_interrupted(struct error *err);

/*
 * Sets place and excerpt: byte `offset` of `text` (of `len` bytes), which came from
 * `path`. Lines count from 1 at LF; columns count characters from 1.
 */
int error_at(struct error *err, const char *path, const char *text, size_t len, size_t offset);
/* Moves everything from one to the other, which must not be set. */
void error_move(struct error *to, struct error *from);

/* For the top of a command: prints the error to stderr as git does, returns its exit code. */
int error_exit(const struct error *err) MUST_CHECK;

#endif
