/* SPDX-License-Identifier: MIT */
/*
 * save-rows: rows as they are saved (flow/save.h), and as they are read again to be compared or put
 * back: settings, COPY's format, and a digest in which their order does not count.
 *
 * Part:   one of kind "rows" of the manifest; its "format" is what decides.
 * Errors: -1 with `err` set; a transaction is then aborted.
 */
#ifndef FLOW_SAVE_ROWS_H
#define FLOW_SAVE_ROWS_H

#include "base/digest.h"
#include "base/json.h"
#include "pg/db.h"

/* Over rows as COPY gives them, one by one; digest_sum_end() of `sum` in the end. */
struct save_digest {
	struct digest_sum sum;
	bool binary, started;
};
void save_digest_add(struct save_digest *digest, const void *bytes, size_t len);

/* The rows of a table as they are now: how many, and their digest, in the part's format. */
struct save_count {
	int64_t rows;
	char digest[DIGEST_HEX];
};
int save_count_rows(struct save_count *ret, struct db *db, const json_t *part, const char *table,
		    const json_t *columns, struct error *err) MUST_CHECK;
/* " (FORMAT binary)" where the part is so, else "": for the end of a COPY. */
const char *save_format_clause(const json_t *part);
/* Settings in which rows are written and read, for the transaction that is open. */
int save_settings(struct db *db, struct error *err) MUST_CHECK;
/* Appends `table (columns)`, as COPY wants it; without columns the table alone. */
void save_copy_target(struct strbuf *out, struct db *db, const char *table, const json_t *columns);

#endif
