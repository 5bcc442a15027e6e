/* SPDX-License-Identifier: MIT */
/*
 * put-back-run: what the parts of put-back.h share: put-back.c, which sets aside what would stand in
 * the way, and brings it back; put-back-rows.c; put-back-sequence.c. Of no interest to others.
 */
#ifndef FLOW_PUT_BACK_RUN_H
#define FLOW_PUT_BACK_RUN_H

#include "flow/put-back.h"

struct db *put_back_db(const struct put_back *back);
int put_back_run(const struct put_back *back, const char *sql, struct error *err) MUST_CHECK;
/* Was the part's table saved as a whole, and not some columns of it? */
bool put_back_is_whole(const json_t *part) MUST_CHECK;
/*
 * Where rows are written the search path is the database's own, as checks, domains and expressions
 * of indexes may call functions by names that only that one finds; all else is done with an
 * empty one, in which rows and definitions have full names.
 */
int put_back_search(struct put_back *back, bool own, struct error *err) MUST_CHECK;

#endif
