/* SPDX-License-Identifier: MIT */
#include "pg/prepared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* They are few: the tracking tables' statements, and what a transaction begins and ends with. */
static struct prepared_statement *find(const struct prepared *prepared, const char *sql)
{
	for (size_t i = 0; i < prepared->nr; i++)
		if (!strcmp(prepared->item[i].sql, sql))
			return &prepared->item[i];
	return NULL;
}

const char *prepared_use(struct prepared *prepared, const char *sql, bool *ret_new)
{
	struct prepared_statement *statement = find(prepared, sql);

	*ret_new = false;
	if (!statement) {
		ARRAY_GROW(prepared->item, prepared->nr + 1, prepared->alloc);
		prepared->item[prepared->nr++] = (struct prepared_statement){ .sql = xstrdup(sql) };
		return NULL;
	}
	if (!statement->sent) {
		snprintf(statement->name, sizeof(statement->name), "git_rollback_%u",
			 ++prepared->names);
		*ret_new = statement->sent = true;
	}
	return statement->name;
}

void prepared_forget(struct prepared *prepared)
{
	for (size_t i = 0; i < prepared->nr; i++)
		free(prepared->item[i].sql);
	prepared->nr = 0;
}

void prepared_release(struct prepared *prepared)
{
	prepared_forget(prepared);
	free(prepared->item);
	*prepared = (struct prepared){ 0 };
}
