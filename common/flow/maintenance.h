/* SPDX-License-Identifier: MIT */
/*
 * maintenance: the environment's own command (database.<name>.maintenanceCommand) around a change:
 * it takes the application away from the database before, and lets it back after.
 *
 * Command: run by the shell at the top of the worktree, with the word `on` or `off` as its last
 *         argument; GIT_ROLLBACK_DATABASE is the environment's name, GIT_ROLLBACK_OPERATION the id.
 *         What it prints goes to stderr.
 * Pairs:  whoever has run `on` runs `off`, also where `on` itself failed, since it may have done a
 *         part. A signal does not end `off`; where the process is killed the journal's record keeps
 *         "maintenance": {"on_at"} without "off_at", and maintenance_warn_of() says so later.
 * Errors: of `on`: refused (2), nothing was changed. Of `off`: a warning.
 */
#ifndef FLOW_MAINTENANCE_H
#define FLOW_MAINTENANCE_H

#include "flow/change.h"

struct maintenance {
	const char *command; /* the settings'; NULL: there is none */
	bool on;	     /* `on` was run, and not `off` */
	bool failed;	     /* `off` did */
	int64_t start, end;  /* clock_monotonic() at `on` and behind `off`; 0: not run */
};
#define MAINTENANCE_INIT \
	{                \
		0        \
	}

/* Is there a command for the session's database? One that is not trusted is refused. */
int maintenance_find(struct maintenance *ret, const struct session *s, struct error *err)
	MUST_CHECK;
/* The operation's record is kept up to date. Without a command both do nothing. */
int maintenance_begin(struct maintenance *m, struct change *change, struct error *err) MUST_CHECK;
void maintenance_end(struct maintenance *m, struct change *change);
/* Of an operation that was cut off: warns where it has left maintenance on. */
void maintenance_warn_of(const json_t *record);

#endif
