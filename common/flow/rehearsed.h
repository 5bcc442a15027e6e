/* SPDX-License-Identifier: MIT */
/*
 * rehearsed: what a rehearsal did to tables and their rows, whatever did it: a DO block, a trigger.
 *
 * Use:    rehearsed_begin() in the transaction, before the scripts; rehearsed_look() behind them;
 *         and once it was rolled back, rehearsed_count(): the tables are there again then, and
 *         their rows can be counted as they were. rehearsed_text(), rehearsed_to_json() show it.
 * Not in: the tracking tables; partitioned tables, but their partitions; where the server counts
 *         nothing (track_counts is off) how many rows were changed.
 * Owner:  the caller; rehearsed_release().
 */
#ifndef FLOW_REHEARSED_H
#define FLOW_REHEARSED_H

#include "base/json.h"
#include "base/strbuf.h"
#include "flow/session.h"
#include "pg/relation.h"
#include "pg/rowcount.h"

struct rehearsed {
	struct relation_witness witness;
	struct relation_losses changes;
	struct rowcount *count; /* of each, as it was before; NULL until it is counted */
};
#define REHEARSED_INIT                            \
	{                                         \
		.witness = RELATION_WITNESS_INIT, \
	}

int rehearsed_begin(struct rehearsed *rehearsed, struct session *s, struct error *err) MUST_CHECK;
int rehearsed_look(struct rehearsed *rehearsed, struct session *s, struct error *err) MUST_CHECK;
/* `limit` in milliseconds. */
int rehearsed_count(struct rehearsed *rehearsed, struct session *s, int limit, struct error *err)
	MUST_CHECK;
void rehearsed_release(struct rehearsed *rehearsed);

/* One line for each table that has rows, or got some. */
void rehearsed_text(struct strbuf *out, const struct rehearsed *rehearsed);
/* [{"object", "what", "rows", "exact", "inserted", "updated", "deleted"}...] */
json_t *rehearsed_to_json(const struct rehearsed *rehearsed) MUST_CHECK;

#endif
