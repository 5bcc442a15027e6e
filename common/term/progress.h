/* SPDX-License-Identifier: MIT */
/*
 * progress: a line on stderr that says how far long work has come.
 *
 * Use:    struct progress p CLEANUP(progress_abandon) = PROGRESS_INIT;
 *         progress_start(&p, "Applying migrations", 100, PROGRESS_COUNT, common.progress);
 *         progress_update(&p, 45); ... progress_finish(&p);
 *         "Applying migrations:  45% (45/100), 120/s", and ", done." at the end.
 * Who sees it: `wanted` is common_options.progress. -1 is for a terminal on stderr, after
 *         0.3 s, while we are in its foreground; 1 insists, anywhere and at once; 0 is
 *         never. Callers pass 0 for --quiet, --json and --porcelain as they see fit.
 * Cost:   an update reads a clock and writes at most ten times a second.
 * Owner:  the title is borrowed, and escaped when it is shown.
 */
#ifndef TERM_PROGRESS_H
#define TERM_PROGRESS_H

#include "base/compat.h"
#include "base/strbuf.h"

enum progress_unit { PROGRESS_COUNT, PROGRESS_BYTES };

struct progress {
	const char *title; /* NULL: nothing is under way */
	uint64_t total;	   /* 0: unknown */
	uint64_t done;
	enum progress_unit unit;
	bool visible, forced;
	int64_t started, next; /* microseconds of a clock that is never set; next: when to write */
	size_t width;	       /* columns on the line now */
};
#define PROGRESS_INIT \
	{             \
		0     \
	}

void progress_start(struct progress *p, const char *title, uint64_t total, enum progress_unit unit,
		    int wanted);
void progress_update(struct progress *p, uint64_t done);
/* Takes the line away before something else is printed; the next update brings it back. */
void progress_hide(struct progress *p);
/* The work is done: the last line stays, if one was shown. */
void progress_finish(struct progress *p);
/* It was not: the line stays as it is. Nothing after progress_finish(); for CLEANUP. */
void progress_abandon(struct progress *p);

/* The line after so many microseconds. */
void progress_add_line(struct strbuf *out, const struct progress *p, int64_t elapsed_us);

#endif
