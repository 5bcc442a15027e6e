/* SPDX-License-Identifier: MIT */
/*
 * outline-model: the objects that have been made so far; for outline.c and outline-ddl.c alone.
 *
 * What is dropped or renamed is put among the outline's `gone` parts before.
 */
#ifndef SQL_OUTLINE_MODEL_H
#define SQL_OUTLINE_MODEL_H

#include "base/strvec.h"
#include "sql/outline.h"
#include "sql/tree.h"

struct outline_column {
	char *name;
	char *type; /* NULL: not told; of an enum's labels always */
	bool not_null;
};

enum outline_key_kind { KEY_PRIMARY, KEY_UNIQUE, KEY_FOREIGN, KEY_INDEX, KEY_UNIQUE_INDEX };

struct outline_key {
	enum outline_key_kind kind;
	char *name; /* as given, or as the server makes one up */
	struct strvec columns;
	char *target; /* the table of a foreign key; or NULL */
	bool partial;
};

struct outline_object {
	const char *type; /* a constant: "table", "view", "materialized view", "type", "function" */
	char *schema;	  /* "": by search_path */
	char *name;
	char *path; /* of the script that made it; NULL: none did */
	struct outline_column *column;
	size_t columns, columns_alloc;
	struct outline_key *key;
	size_t keys, keys_alloc;
};

struct outline_model {
	struct sql_outline *outline;
	struct outline_object *item;
	size_t nr, alloc;
	char *schema;	  /* the first of search_path; "" */
	const char *path; /* of the script that is read */
};

void outline_model_release(struct outline_model *model);

/* Views of all kinds and tables are one class, as in the catalog. The pointers do not last. */
struct outline_object *outline_find(const struct outline_model *model, const char *type,
				    const char *schema, const char *name);
/* The one of just that schema, or a new one. */
struct outline_object *outline_make(struct outline_model *model, const char *type,
				    const char *schema, const char *name);
/* What outline_find() finds, or a new one. */
struct outline_object *outline_get(struct outline_model *model, const char *type,
				   const char *schema, const char *name);
/* Keeps what it is now among the parts that are gone. */
void outline_bury(struct outline_model *model, const struct outline_object *object);
void outline_drop(struct outline_model *model, struct outline_object *object);

/* NULL: there is none. */
struct outline_column *outline_column(const struct outline_object *object, const char *name);
struct outline_column *outline_add_column(struct outline_object *object, const char *name);
/* With the keys and indexes that it is in. */
void outline_drop_column(struct outline_object *object, const char *name);
void outline_rename_column(struct outline_object *object, const char *from, const char *to);

/* Takes over name and columns. */
void outline_add_key(struct outline_object *object, struct outline_key key);
struct outline_key *outline_key(const struct outline_object *object, const char *name);
void outline_drop_key(struct outline_object *object, struct outline_key *key);

/* outline-ddl.c: what a statement makes, changes and drops; on the parser's thread. */
void outline_ddl(struct outline_model *model, const PgQuery__Node *statement);

/* Puts all that is there into the outline's parts, and sorts them. */
void outline_finish(struct outline_model *model);

#endif
