/* SPDX-License-Identifier: MIT */
/*
 * status: migration files and the database's ledger side by side.
 *
 * A pure function over what was read: migration_statuses_build() touches nothing. Where git
 * has the files of missing migrations is found out by migration_statuses_locate().
 * Owner:  the caller; migration_statuses_release(). `file`, `applied` and `unfinished` point
 *         into what was given and live as long as that.
 */
#ifndef MIGRATION_STATUS_H
#define MIGRATION_STATUS_H

#include "migration/migrations.h"
#include "pg/ledger.h"
#include "pg/rollback_log.h"

/* One state a migration, the first that fits. */
enum migration_state {
	STATE_INTERRUPTED,  /* runs outside a transaction and has not ended */
	STATE_MISSING,	    /* applied, but there is no up script */
	STATE_CHANGED,	    /* applied, but the up script is not the one that was */
	STATE_OUT_OF_ORDER, /* pending, though a later one is applied */
	STATE_NO_DOWN,	    /* without a down script */
	STATE_APPLIED,
	STATE_PENDING
};
#define MIGRATION_STATES (STATE_PENDING + 1)
/* "out-of-order": as --porcelain has it. */
const char *migration_state_name(enum migration_state state);

struct migration_status {
	enum migration_state state;
	const char *version, *name;
	const struct migration *file;		 /* or NULL */
	const struct ledger_entry *applied;	 /* or NULL */
	const struct log_unfinished *unfinished; /* or NULL */
	char *found_at; /* where git has a missing file, for people; or NULL */
	char *detail;	/* what else is to be said; or NULL */
};
struct migration_statuses {
	struct migration_status *item; /* in the order of versions */
	size_t nr, alloc;
	size_t count[MIGRATION_STATES];
};
#define MIGRATION_STATUSES_INIT \
	{                       \
		0               \
	}

/* migrations_digest() has been called. `unfinished` may be NULL. */
void migration_statuses_build(struct migration_statuses *ret, const struct migrations *files,
			      const struct ledger *ledger,
			      const struct log_unfinished_list *unfinished);
void migration_statuses_release(struct migration_statuses *s);

/* Fills in found_at of the missing ones, by one search of the history. */
int migration_statuses_locate(struct migration_statuses *s, struct error *err) MUST_CHECK;

/*
 * Puts the ledger in the order of application; what was applied at one moment, by version.
 * Needed before it is searched or compared.
 */
void ledger_order(struct ledger *ledger);
/* The entry of a version in the ledger (versions compare as numbers), or NULL. */
const struct ledger_entry *ledger_find(const struct ledger *ledger, const char *version);

#endif
