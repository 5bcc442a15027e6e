/* SPDX-License-Identifier: MIT */
/*
 * catalog-sql: the kinds of objects there are, how each is read, and how a change of it shows.
 *
 * Only catalog*.c include this. All queries expect search_path = pg_catalog, pg_temp and the
 * other settings of catalog_settings_sql: then every name of a user's object is printed with
 * its schema, and no object of a user (a temporary table named pg_class) comes in between.
 */
#ifndef PG_CATALOG_SQL_H
#define PG_CATALOG_SQL_H

#include "pg/catalog.h"

/* OIDs of system catalogs: the same in every version. */
enum catalog_class {
	CLASS_DEFAULT_ACL = 826,
	CLASS_TYPE = 1247,
	CLASS_PROC = 1255,
	CLASS_RELATION = 1259,
	CLASS_SERVER = 1417,
	CLASS_USER_MAPPING = 1418,
	CLASS_FDW = 2328,
	CLASS_ACCESS_METHOD = 2601,
	CLASS_ATTRDEF = 2604,
	CLASS_CAST = 2605,
	CLASS_CONSTRAINT = 2606,
	CLASS_CONVERSION = 2607,
	CLASS_LANGUAGE = 2612,
	CLASS_NAMESPACE = 2615,
	CLASS_OPCLASS = 2616,
	CLASS_OPERATOR = 2617,
	CLASS_REWRITE = 2618,
	CLASS_TRIGGER = 2620,
	CLASS_OPFAMILY = 2753,
	CLASS_EXTENSION = 3079,
	CLASS_POLICY = 3256,
	CLASS_STATISTICS = 3381,
	CLASS_COLLATION = 3456,
	CLASS_EVENT_TRIGGER = 3466,
	CLASS_TRANSFORM = 3576,
	CLASS_TS_DICT = 3600,
	CLASS_TS_PARSER = 3601,
	CLASS_TS_CONFIG = 3602,
	CLASS_TS_TEMPLATE = 3764,
	CLASS_SUBSCRIPTION = 6100,
	CLASS_PUBLICATION = 6104,
	CLASS_PUBLICATION_REL = 6106,
	CLASS_PUBLICATION_NAMESPACE = 6237,
};

/* One line of a definition. Some exist only in versions `since` <= v < `before` (0: no limit). */
struct catalog_attribute {
	const char *name;
	const char *sql; /* text; NULL or "": no line */
	int since, before;
};

/* One query, for one or several kinds. In its texts, {schemas} and {excluded} stand for queries. */
struct catalog_kind {
	const char *kind;      /* SQL: the kind's name */
	const char *class_oid; /* SQL: class_oid of the object */
	const char *oid;       /* SQL */
	const char *sub;       /* SQL, or NULL for 0 */
	const char *group_oid; /* SQL */
	const char *identity;  /* SQL */
	const char *from;
	const char *where; /* that it is in the scope; may be too wide where the group decides */
	const char *all;   /* further condition when everything is read, or NULL */
	const struct catalog_attribute *attributes;
	size_t attribute_nr;
	enum catalog_class group_class;
	bool part; /* of another object, its group, and in the scope when that one is */
};
extern const struct catalog_kind catalog_kinds[];
extern const size_t catalog_kind_nr;

/* Columns of such a query: these, and then each attribute that the version has. */
enum {
	KIND_COLUMN_KIND,
	KIND_COLUMN_IDENTITY,
	KIND_COLUMN_GROUP,
	KIND_COLUMN_CLASS,
	KIND_COLUMN_OID,
	KIND_COLUMN_SUB,
	KIND_COLUMN_ATTRIBUTES,
};

/* What the scope leaves out, as texts for {schemas} and {excluded}. */
struct catalog_scope_sql {
	char *schemas, *excluded;
};

/* The query of a kind: for everything, or (`some`) for the groups of $1, an oid[]. */
void catalog_kind_sql(struct strbuf *out, const struct catalog_kind *kind,
		      const struct catalog_scope_sql *scope, bool some, int version);
bool catalog_attribute_exists(const struct catalog_attribute *attribute, int version);

/* catalog_kind_find() of a name that has to be one. */
const char *catalog_kind_name(const char *name);

/* Comments, labels, and dependencies on extensions: class, oid, sub, name, text. */
extern const char catalog_notes_all_sql[], catalog_notes_some_sql[];

extern const char catalog_settings_sql[];

#endif
