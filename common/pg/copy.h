/* SPDX-License-Identifier: MIT */
/*
 * copy: rows as a stream, out of the database and into it (COPY TO STDOUT, COPY FROM STDIN).
 *
 * Use:    copy_out() with a statement `COPY ... TO STDOUT` and a function that gets the bytes;
 *         copy_in() with `COPY ... FROM STDIN` and one that gives them. Both in the open
 *         transaction, if there is one.
 * Pieces: of copy_out() each is one row, as the server sends it: in text format a line with its
 *         end. Of copy_in() they may be cut anywhere.
 * Errors: -1 with `err` set, the function's own included: a transaction is then aborted. An
 *         interrupt ends both.
 */
#ifndef PG_COPY_H
#define PG_COPY_H

#include "pg/db.h"

/* Gets `len` bytes. */
typedef int copy_sink_fn(void *data, const void *bytes, size_t len, struct error *err);
/* Fills `buf` with up to `size` bytes; *ret_len 0 is the end. */
typedef int copy_source_fn(void *data, void *buf, size_t size, size_t *ret_len, struct error *err);

/* *ret_rows, which may be NULL: how many rows the server says there were. */
int copy_out(int64_t *ret_rows, struct db *db, const char *sql, copy_sink_fn *sink, void *data,
	     struct error *err) MUST_CHECK;
int copy_in(int64_t *ret_rows, struct db *db, const char *sql, copy_source_fn *source, void *data,
	    struct error *err) MUST_CHECK;

#endif
