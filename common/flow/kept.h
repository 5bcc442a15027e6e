/* SPDX-License-Identifier: MIT */
/*
 * kept: the scripts that a run applies, kept in git (vcs/applied.h), and the member
 * "scripts" of the journal's record, by which the next command makes the refs of a run that
 * was cut off: [{"version", "checksum", "tree"}, ...]
 *
 * Use:    kept_add() for each, kept_write() before the operation is begun, kept_prepare()
 *         while nothing is committed, kept_publish() at the end.
 *         Of an operation that is left open: kept_unlock(), then kept_recover().
 * Owner:  the caller; kept_release(), which lets go of refs that were prepared only.
 */
#ifndef FLOW_KEPT_H
#define FLOW_KEPT_H

#include "base/json.h"
#include "pg/ledger.h"
#include "vcs/applied.h"

struct kept {
	struct applied_scripts *item;
	size_t nr, alloc;
	struct applied_refs refs; /* for all of them, in git's hands */
};
#define KEPT_INIT                         \
	{                                 \
		.refs = APPLIED_REFS_INIT \
	}

/* Borrows all texts. */
void kept_add(struct kept *kept, const struct applied_scripts *scripts);
/* The objects, to which nothing points yet; and the member for the record, into `members`. */
int kept_write(struct kept *kept, json_t *members, struct error *err) MUST_CHECK;
int kept_prepare(struct kept *kept, struct error *err) MUST_CHECK;
/*
 * Makes the refs of the first `done` of them, and takes the member out of `record`. When it
 * fails the member stays.
 */
int kept_publish(struct kept *kept, size_t done, json_t *record, struct error *err) MUST_CHECK;
void kept_release(struct kept *kept);

/* When git was killed with us its locks on the refs are still there. */
void kept_unlock(const json_t *record, const char *common_dir);
/* Makes the refs of those scripts of the record that the ledger has. */
int kept_recover(const json_t *record, const struct ledger *ledger, struct error *err) MUST_CHECK;

#endif
