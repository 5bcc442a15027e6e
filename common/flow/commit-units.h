/* SPDX-License-Identifier: MIT */
/*
 * commit-units: evidence the other way round: whose work a commit is.
 *
 * Use:    commit_units_read() once; commit_units_find() gives the smallest units that a commit
 *         belongs to: the task, not the phase and the track that it is in.
 * Owner:  the caller; commit_units_release().
 */
#ifndef FLOW_COMMIT_UNITS_H
#define FLOW_COMMIT_UNITS_H

#include "flow/evidence.h"

struct commit_unit {
	char *oid;
	struct unit unit;
	enum evidence_level level;
	enum evidence_role role;
};
struct commit_units {
	struct commit_unit *item; /* sorted by oid; of one the strongest first */
	size_t nr, alloc;
};
#define COMMIT_UNITS_INIT \
	{                 \
		0         \
	}

void commit_units_read(struct commit_units *ret, const struct evidence *evidence,
		       const struct tracks *tracks);
void commit_units_release(struct commit_units *units);
/* The first of them, and *ret_nr how many; NULL and 0 for a commit of no unit. */
const struct commit_unit *commit_units_find(const struct commit_units *units, const char *oid,
					    size_t *ret_nr);

/* Appends " (track 'b', phase 1 'API')", as commit_units_find() has it; nothing where there is none. */
void commit_units_describe(struct strbuf *out, const struct commit_units *units,
			   const struct tracks *tracks, const char *oid);

#endif
