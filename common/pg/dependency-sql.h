/* SPDX-License-Identifier: MIT */
/*
 * dependency-sql: the queries of dependency.c. All expect search_path = pg_catalog, pg_temp, and
 * take as $1 a JSON array of objects, each with what the query's first lines say.
 */
#ifndef PG_DEPENDENCY_SQL_H
#define PG_DEPENDENCY_SQL_H

#include "base/compat.h"

/* $2: the schemas. Gives n, classid, objid, objsubid, relkind; nothing for what there is not. */
extern const char dependency_find_sql[];
/* What has to be put behind it where names of that type are asked for, once. */
struct dependency_find_part {
	const char *type, *sql;
};
extern const struct dependency_find_part dependency_find_parts[];
/* Gives n, harmless. */
extern const char dependency_calls_sql[];
/* Gives the columns that dependency.c counts up (DROP_...). */
extern const char dependency_drops_sql[];
/* Gives n, kind, oid, relkind, named, identity of the column, why. */
extern const char dependency_changes_sql[];
/* These give kind, classid, objid, identity, the table's OID and identity. */
extern const char dependency_triggers_sql[];
extern const char dependency_foreign_keys_sql[];

#endif
