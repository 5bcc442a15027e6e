/* SPDX-License-Identifier: MIT */
/*
 * prepared: statements that one session runs again and again are parsed and planned once.
 *
 * A statement is prepared when it is asked for the second time, under a name of ours, which no
 * script's PREPARE takes. Behind a pooler none is: the next transaction may have another server
 * process. What fails in a pipeline may have kept a PREPARE behind it from running: then all are
 * forgotten, and get new names.
 *
 * Only db-query.c uses this; everybody else says db_command.repeated, and db_forget_prepared()
 * after a DEALLOCATE ALL.
 */
#ifndef PG_PREPARED_H
#define PG_PREPARED_H

#include "base/compat.h"

struct prepared_statement {
	char *sql;
	char name[32];
	bool sent; /* PREPARE is on its way, or done */
};
struct prepared {
	struct prepared_statement *item;
	size_t nr, alloc;
	unsigned names; /* that were given out */
};

/*
 * By which name to run it, or NULL: as it is. *ret_new: it has to be prepared by that name first.
 * The name is good until the next call.
 */
const char *prepared_use(struct prepared *prepared, const char *sql, bool *ret_new);
void prepared_forget(struct prepared *prepared);
void prepared_release(struct prepared *prepared);

#endif
