/* SPDX-License-Identifier: MIT */
/*
 * environments: what is applied in each of the configured databases.
 *
 * Use:    environments_read(), then item[0 .. nr-1] in the order of their names. All are connected to
 *         at the same time, once, for three seconds at most; what cannot be reached or read is
 *         `reachable` false, with the reason. Nothing is written.
 * Owner:  the caller; environments_release().
 * Errors: -1 for a name that is not configured, and when interrupted.
 */
#ifndef FLOW_ENVIRONMENTS_H
#define FLOW_ENVIRONMENTS_H

#include "config/settings.h"
#include "pg/ledger.h"

struct environment {
	char *name;
	bool is_protected, reachable;
	char *reason;	      /* why it is not reachable; one line */
	struct ledger ledger; /* as ledger_order() puts it */
};
struct environments {
	struct environment *item;
	size_t nr, alloc;
};
#define ENVIRONMENTS_INIT \
	{                 \
		0         \
	}

/*
 * `names`: those alone; none: all that are configured, and where none is, what DATABASE_URL says.
 * `application` is what the server shows of us.
 */
int environments_read(struct environments *ret, const struct settings *settings,
		      const struct strvec *names, const char *application, struct error *err)
	MUST_CHECK;
/* Are all of these configured? -1: the reason, with those that there are, and the nearest. */
int environments_check(const struct strvec *names, const struct settings *settings,
		       struct error *err) MUST_CHECK;
/* Adds one that is not asked, for that reason. */
void environments_add_unasked(struct environments *environments, const struct settings *settings,
			      const char *name, const char *reason);
/*
 * The names of all that are protected, sorted; also of those that were seen so once, and that
 * nothing says any more how to reach.
 */
void environments_protected(struct strvec *ret, const struct settings *settings);
void environments_release(struct environments *environments);

#endif
