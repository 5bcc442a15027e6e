/* SPDX-License-Identifier: MIT */
/*
 * evidence-lines: what a commit changes, as counts of lines: how many more of each line a file
 * has after it than before.
 *
 * Where in a file a line stands, and what is around it, does not count: so it is the same after a
 * rebase, and what several commits in a row change is the sum of what each does. A binary file, or a
 * very large one, counts as one line, and so does the mode of a file.
 *
 * Use:    line_files_take() for each commit that git log tells, then line_counts_read().
 * Owner:  the caller; the _release() functions free all.
 */
#ifndef FLOW_EVIDENCE_LINES_H
#define FLOW_EVIDENCE_LINES_H

#include "vcs/log.h"
#include "vcs/object.h"

/* The files that a commit changes, which are no documents. */
struct line_file {
	uint64_t path;		 /* its digest */
	char *old_oid, *new_oid; /* NULL: none */
	bool submodule;
	unsigned old_mode, new_mode; /* 0: none */
};
struct line_files {
	struct line_file *item; /* sorted by path */
	size_t nr, alloc;
};
void line_files_release(struct line_files *files);
/* All files but those that `is_left_out` says. */
void line_files_take(struct line_files *ret, const struct log_commit *commit,
		     bool (*is_left_out)(const void *data, const char *path), const void *data);
bool line_files_has(const struct line_files *files, uint64_t path);

struct line_count {
	uint64_t line; /* a digest of it, and of its file's path */
	int64_t more;  /* never 0 */
	bool words;    /* there are letters or digits in it */
};
struct line_counts {
	struct line_count *item; /* sorted by line */
	size_t nr, alloc;
	uint64_t sum;	/* of sums it is the sum, modulo 2^64; what changes nothing has 0 */
	uint64_t order; /* of the lines in each file that there are more or fewer of */
	uint64_t text;	/* so many lines more and fewer, without modes */
	bool creates;	/* a file that is not empty */
	bool moved;	/* lines that there are as many of have changed places */
};
void line_counts_release(struct line_counts *counts);
/* -1: git cannot read one of the files. */
int line_counts_read(struct line_counts *ret, const struct line_files *files,
		     struct object_reader *reader, struct error *err) MUST_CHECK;
/* Is all that `part` adds added, and all that it takes out taken out, with some words in it? */
bool line_counts_contain(const struct line_counts *whole, const struct line_counts *part);

#endif
