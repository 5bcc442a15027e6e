/* SPDX-License-Identifier: MIT */
/*
 * lockwait: who is in the way of a lock on a table, now. All SQL on that.
 *
 * Owner:  the caller; lockwait_release() frees what was found.
 * Rights: any role may see who holds what; of other roles' sessions, not for how long.
 */
#ifndef PG_LOCKWAIT_H
#define PG_LOCKWAIT_H

#include "base/compat.h"
#include "base/error.h"
#include "pg/db.h"

struct lockwait {
	uint32_t oid;
	const char *mode; /* as pg_locks has it: "AccessExclusiveLock" */
	/* Found: */
	char *identity; /* public.t; NULL: it is not there any more */
	size_t nr;	/* sessions that hold or wait for a lock which this one would wait for */
	int64_t pid;	/* of the first; 0: it is a prepared transaction */
	char *application, *role, *state; /* as in pg_stat_activity; or NULL */
	int64_t since;	 /* microseconds that it has been in that state; -1: not known */
	bool waiting;	 /* it is waiting itself */
	bool unreadable; /* even who only reads has to wait */
};

/* Sessions of others, not our own. */
int lockwait_read(struct lockwait *locks, size_t nr, struct db *db, struct error *err) MUST_CHECK;
void lockwait_release(struct lockwait *lock);

#endif
