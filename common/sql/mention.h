/* SPDX-License-Identifier: MIT */
/*
 * mention: which scripts speak of what another script makes: whoever undoes that one has to look at them.
 *
 * Made:   relations, types, routines, schemas and extensions that are created, or get their name, and
 *         are not dropped by the same script; columns that it adds to tables of others.
 * Speaks: the name is a word of the script, outside of strings and comments; of a column that of its
 *         table has to stand in the same statement. Bodies between dollars count. So a script that only
 *         has a column of that name speaks of it as well: it is said too often rather than too seldom,
 *         and scripts that the parser refuses are seen. Schemas are not compared.
 * Not:    what is built from strings when it runs (EXECUTE, '...'::regclass).
 * Owner:  the caller; sql_mentions_release().
 */
#ifndef SQL_MENTION_H
#define SQL_MENTION_H

#include "sql/outline.h"

struct sql_mention {
	size_t source; /* which of them */
	char *name;    /* the first that it speaks of: "users", "users.email" */
};
struct sql_mentions {
	struct sql_mention *item; /* in the order of the sources; one for each at most */
	size_t nr, alloc;
};
#define SQL_MENTIONS_INIT \
	{                 \
		0         \
	}

/* A maker that cannot be parsed makes nothing. -1 only where there is no thread for the parser. */
int sql_mentions_find(struct sql_mentions *ret, const struct sql_source *maker,
		      const struct sql_source *source, size_t nr, struct error *err) MUST_CHECK;
void sql_mentions_release(struct sql_mentions *mentions);

#endif
