/* SPDX-License-Identifier: MIT */
/*
 * rollback-record: how a rollback, or its undo, went: how long it took, how long locks were held and
 * the application was down, what it left. For the report, the journal and the event log.
 *
 * Use:    rollback_record_begin() once the operation is begun: begins maintenance, too;
 *         rollback_record_lock() and _unlock() around what holds locks;
 *         rollback_record_end() in any case, before the operation is closed: it ends maintenance,
 *         takes a snapshot where the environment wants one (flow/database-snapshot.h; a failure is
 *         a warning), and notes all of it in the operation's record.
 * Times:  microseconds of clock_monotonic().
 * Owner:  the caller; rollback_record_release().
 */
#ifndef FLOW_ROLLBACK_RECORD_H
#define FLOW_ROLLBACK_RECORD_H

#include "flow/maintenance.h"
#include "flow/validation.h"

struct rollback_record {
	char *target;	      /* what was asked for: "last 2", "to 003", "undo <operation>" */
	char *reached;	      /* the version that is applied last now; NULL: none, or not known */
	int64_t asked;	      /* when the command was started */
	int64_t start, end;   /* of the operation; 0: not yet */
	int64_t locked_since; /* 0: no locks now */
	int64_t locked;	      /* for how long altogether */
	int64_t usable;	      /* the last locks were let go, or maintenance was ended */
	struct maintenance maintenance;
	struct validation validation;
	bool no_snapshot; /* none afterwards, although the environment wants one */
	char *snapshot;	  /* label of the one that was taken afterwards; or NULL */
	json_t *saved;	  /* save_to_json(); or NULL */
	char *operation;  /* once it is begun */
	bool done, undoable;
};
#define ROLLBACK_RECORD_INIT \
	{                    \
		0            \
	}
void rollback_record_release(struct rollback_record *record);

/* `maintain`: run the environment's command, if it has one. EXIT_REFUSED where that fails. */
int rollback_record_begin(struct rollback_record *record, struct change *change, bool maintain,
			  struct error *err) MUST_CHECK;
void rollback_record_lock(struct rollback_record *record);
void rollback_record_unlock(struct rollback_record *record);
/* `done`: it succeeded, and stays. */
void rollback_record_end(struct rollback_record *record, struct change *change, bool done);

/*
 * Sets "target", "rolled_back_to", "duration_ms", "locked_ms", "downtime_ms", "recovery_ms", "saved",
 * "snapshots", "validation" and "next_steps".
 */
void rollback_record_to_json(const struct rollback_record *record, json_t *report);
/*
 * For people: a line on stdout, or none where there is nothing to say; more where `verbose`; and a
 * warning for each finding.
 */
void rollback_record_print(const struct rollback_record *record, bool verbose);

#endif
