/* SPDX-License-Identifier: MIT */
#include "pg/dependency.h"

#include "base/json.h"
#include "base/memory.h"
#include "pg/catalog.h"
#include "pg/dependency-sql.h"

static void add(struct db_batch *batch, const char *sql, size_t nr, const char *const *params)
{
	db_batch_add(batch, sql, strlen(sql), nr, params)->wanted = true;
}

/* With pg_temp last, no temporary table comes before the catalog's. */
#define OUR_PATH "pg_catalog, pg_temp"
/* Whatever is set for the scripts' statements: these only read the catalog. */
#define LONG_ENOUGH "60s"

int dependency_begin(struct dependency_reader *reader, struct db *db, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	const struct db_result *path;

	add(&batch, "BEGIN READ ONLY", 0, NULL);
	add(&batch,
	    "SELECT pg_catalog.current_setting('search_path'),"
	    " pg_catalog.current_schemas(true)::text",
	    0, NULL);
	add(&batch,
	    "SELECT pg_catalog.set_config('search_path', '" OUR_PATH "', true),"
	    " pg_catalog.set_config('join_collapse_limit', '1', true),"
	    " pg_catalog.set_config('jit', 'off', true),"
	    " pg_catalog.set_config('statement_timeout', '" LONG_ENOUGH "', true)",
	    0, NULL);
	if (db_batch_run(db, &batch, NULL, err) < 0) {
		db_rollback(db);
		return -1;
	}
	path = &batch.item[1].result;
	reader->db = db;
	reader->search_path = xstrdup(db_value(path, 0, 0));
	reader->schemas = xstrdup(db_value(path, 0, 1));
	return 0;
}

void dependency_end(struct dependency_reader *reader)
{
	if (reader->db)
		db_rollback(reader->db);
	free(reader->search_path);
	free(reader->schemas);
	*reader = (struct dependency_reader)DEPENDENCY_READER_INIT;
}

/* --- Parameters: arrays of objects as JSON ------------------------------------------------ */

static void set_strings(json_t *object, const char *key, const struct strvec *list)
{
	if (list)
		json_object_set_new(object, key, json_strings(list));
}

/* Asks with `list` as $1, and $2 if it is not NULL. */
static int query(struct db_result *ret, struct dependency_reader *reader, const char *sql,
		 const json_t *list, const char *more, struct error *err)
{
	char *text CLEANUP(free_p) = json_dumps(list, JSON_COMPACT);
	const char *params[] = { text, more };

	return db_query(ret, reader->db, sql, more ? 2 : 1, params, err);
}

static uint32_t oid_value(const struct db_result *res, size_t row, size_t column)
{
	return (uint32_t)db_int(res, row, column);
}

/* --- Names -------------------------------------------------------------------------------- */

static const struct dependency_find_part *find_part(const char *type)
{
	for (const struct dependency_find_part *part = dependency_find_parts; part->type; part++)
		if (!strcmp(part->type, type))
			return part;
	return NULL;
}

bool dependency_knows(const char *type)
{
	return find_part(type) != NULL;
}

/* Only for the types that there are: planning the whole takes the server longer than running it. */
static void add_find_sql(struct strbuf *sql, const struct dependency_name *names, size_t nr)
{
	strbuf_addstr(sql, dependency_find_sql);
	for (size_t i = 0; i < nr; i++) {
		const struct dependency_find_part *part = find_part(names[i].type);

		if (part && !strstr(sql->buf, part->sql))
			strbuf_addstr(sql, part->sql);
	}
}

static json_t *name_to_json(const struct dependency_name *name, size_t n)
{
	json_t *ret = json_pack("{s:o, s:s, s:o, s:o, s:o}", "n", json_size(n), "type", name->type,
				"schema", json_text(name->schema), "name", json_text(name->name),
				"part", json_text(name->part));

	set_strings(ret, "args", name->args);
	set_strings(ret, "path", name->path);
	return ret;
}

/*
 * Types of arguments mean what they mean to the session, so these are looked up with its own
 * search_path: each as text, with its OID.
 */
static int read_types(struct db_result *ret, struct dependency_reader *reader,
		      const struct dependency_name *names, size_t nr, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	json_t *types CLEANUP(json_decref_p) = json_array();
	char *text CLEANUP(free_p) = NULL;
	const char *path[] = { reader->search_path }, *params[1];

	for (size_t i = 0; i < nr; i++)
		for (size_t k = 0; names[i].args && k < names[i].args->nr; k++)
			json_array_append_new(types, json_text(names[i].args->v[k]));
	if (!json_array_size(types))
		return 0;
	text = json_dumps(types, JSON_COMPACT);
	params[0] = text;
	add(&batch, "SELECT pg_catalog.set_config('search_path', $1, true)", 1, path);
	add(&batch,
	    "SELECT t, pg_catalog.to_regtype(t)::pg_catalog.oid"
	    " FROM pg_catalog.json_array_elements_text($1::pg_catalog.json) t",
	    1, params);
	add(&batch, "SELECT pg_catalog.set_config('search_path', '" OUR_PATH "', true)", 0, NULL);
	if (db_batch_run(reader->db, &batch, NULL, err) < 0)
		return -1;
	*ret = batch.item[1].result;
	batch.item[1].result = (struct db_result)DB_RESULT_INIT;
	return 0;
}

/* The OIDs of its argument types with blanks between, as pg_proc.proargtypes shows them. */
static void set_argument_types(json_t *name, const struct strvec *args,
			       const struct db_result *types, size_t *row)
{
	struct strbuf oids CLEANUP(strbuf_release) = STRBUF_INIT;

	if (!args)
		return;
	for (size_t i = 0; i < args->nr; i++)
		strbuf_addf(&oids, "%s%s", i ? " " : "", db_value(types, (*row)++, 1));
	json_object_set_new(name, "types", json_string(oids.buf));
}

int dependency_find(struct dependency_reader *reader, struct dependency_name *names, size_t nr,
		    struct error *err)
{
	struct db_result types CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	json_t *list CLEANUP(json_decref_p) = json_array();
	size_t type = 0;

	if (!nr)
		return 0;
	if (read_types(&types, reader, names, nr, err) < 0)
		return -1;
	for (size_t i = 0; i < nr; i++) {
		json_t *name = name_to_json(&names[i], i);

		set_argument_types(name, names[i].args, &types, &type);
		json_array_append_new(list, name);
	}
	add_find_sql(&sql, names, nr);
	if (query(&res, reader, sql.buf, list, reader->schemas, err) < 0)
		return -1;
	for (size_t row = 0; row < res.rows; row++) {
		struct dependency_name *name = &names[db_int(&res, row, 0)];

		name->class_oid = oid_value(&res, row, 1);
		name->oid = oid_value(&res, row, 2);
		name->sub = (int32_t)db_int(&res, row, 3);
		name->relkind = db_value(&res, row, 4)[0];
	}
	return 0;
}

int dependency_calls(struct dependency_reader *reader, struct dependency_call *calls, size_t nr,
		     struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	json_t *list CLEANUP(json_decref_p) = json_array();

	if (!nr)
		return 0;
	for (size_t i = 0; i < nr; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "n", json_size(i),
						      "schema", json_text(calls[i].schema), "name",
						      json_text(calls[i].name)));
	if (query(&res, reader, dependency_calls_sql, list, NULL, err) < 0)
		return -1;
	for (size_t row = 0; row < res.rows; row++)
		calls[db_int(&res, row, 0)].harmless = db_bool(&res, row, 1);
	return 0;
}

/* --- What goes ---------------------------------------------------------------------------- */

/* As catalog.h calls them: constants for what pg_identify_object() says, and for what has no kind. */
static const char *kind_of(const char *type)
{
	static const char *const others[] = { "default", "foreign key", "foreign-data wrapper" };
	const char *kind = catalog_kind_find(type);

	for (size_t i = 0; i < ARRAY_SIZE(others) && !kind; i++)
		if (!strcmp(type, others[i]))
			kind = others[i];
	return kind ? kind : "object";
}

void dependencies_release(struct dependencies *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		free(list->item[i].identity);
		free(list->item[i].schema);
		free(list->item[i].name);
	}
	free(list->item);
	*list = (struct dependencies)DEPENDENCIES_INIT;
}

/* Columns of dependency_drops_sql. */
enum {
	DROP_FIRST,
	DROP_CLASS,
	DROP_OID,
	DROP_SUB,
	DROP_NAMED,
	DROP_CASCADED,
	DROP_PART,
	DROP_HIDDEN,
	DROP_GENERATED,
	DROP_KIND,
	DROP_IDENTITY,
	DROP_SCHEMA,
	DROP_NAME,
	DROP_RELATION,
	DROP_RELKIND
};

static void add_dependency(struct dependencies *list, const struct db_result *res, size_t row)
{
	ARRAY_GROW(list->item, list->nr + 1, list->alloc);
	list->item[list->nr++] = (struct dependency){
		.drop = (size_t)db_int(res, row, DROP_FIRST),
		.class_oid = oid_value(res, row, DROP_CLASS),
		.oid = oid_value(res, row, DROP_OID),
		.sub = (int32_t)db_int(res, row, DROP_SUB),
		.named = db_bool(res, row, DROP_NAMED),
		.cascaded = db_bool(res, row, DROP_CASCADED),
		.part = db_bool(res, row, DROP_PART),
		.hidden = db_bool(res, row, DROP_HIDDEN),
		.generated = db_bool(res, row, DROP_GENERATED),
		.kind = kind_of(db_value(res, row, DROP_KIND)),
		.identity = xstrdup_or_null(db_value_or_null(res, row, DROP_IDENTITY)),
		.schema = xstrdup_or_null(db_value_or_null(res, row, DROP_SCHEMA)),
		.name = xstrdup_or_null(db_value_or_null(res, row, DROP_NAME)),
		.relation = oid_value(res, row, DROP_RELATION),
		.relkind = db_value(res, row, DROP_RELKIND)[0],
	};
}

int dependency_of_drops(struct dependencies *ret, struct dependency_reader *reader,
			const struct dependency_drop *drops, size_t nr, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	json_t *list CLEANUP(json_decref_p) = json_array();

	dependencies_release(ret);
	if (!nr)
		return 0;
	for (size_t i = 0; i < nr; i++)
		json_array_append_new(
			list, json_pack("{s:o, s:I, s:I, s:i, s:b, s:b}", "n", json_size(i),
					"classid", (json_int_t)drops[i].class_oid, "objid",
					(json_int_t)drops[i].oid, "objsubid", (int)drops[i].sub,
					"cascade", drops[i].cascade, "alone", drops[i].only));
	if (query(&res, reader, dependency_drops_sql, list, NULL, err) < 0)
		return -1;
	for (size_t row = 0; row < res.rows; row++)
		add_dependency(ret, &res, row);
	return 0;
}

/* --- Whose rows change -------------------------------------------------------------------- */

static const char *const change_names[] = {
	[DEPENDENCY_INSERT] = "insert", [DEPENDENCY_UPDATE] = "update",
	[DEPENDENCY_DELETE] = "delete", [DEPENDENCY_TRUNCATE] = "truncate",
	[DEPENDENCY_RETYPE] = "retype", [DEPENDENCY_RESTART] = "restart",
};

static enum dependency_change_kind change_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(change_names); i++)
		if (!strcmp(change_names[i], name))
			return (enum dependency_change_kind)i;
	BUG("unknown change '%s'", name);
}

void dependency_reached_list_release(struct dependency_reached_list *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		free(list->item[i].column);
		free(list->item[i].why);
	}
	free(list->item);
	*list = (struct dependency_reached_list)DEPENDENCY_REACHED_LIST_INIT;
}

static json_t *change_to_json(const struct dependency_change *change, size_t n)
{
	json_t *ret =
		json_pack("{s:o, s:s, s:I, s:b, s:b, s:b}", "n", json_size(n), "kind",
			  change_names[change->kind], "oid", (json_int_t)change->oid, "alone",
			  change->only, "cascade", change->cascade, "restart", change->restart);

	set_strings(ret, "columns", change->columns);
	return ret;
}

int dependency_of_changes(struct dependency_reached_list *ret, struct dependency_reader *reader,
			  const struct dependency_change *changes, size_t nr, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	json_t *list CLEANUP(json_decref_p) = json_array();

	dependency_reached_list_release(ret);
	if (!nr)
		return 0;
	for (size_t i = 0; i < nr; i++)
		json_array_append_new(list, change_to_json(&changes[i], i));
	if (query(&res, reader, dependency_changes_sql, list, NULL, err) < 0)
		return -1;
	for (size_t row = 0; row < res.rows; row++) {
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = (struct dependency_reached){
			.change = (size_t)db_int(&res, row, 0),
			.kind = change_kind(db_value(&res, row, 1)),
			.oid = oid_value(&res, row, 2),
			.relkind = db_value(&res, row, 3)[0],
			.named = db_bool(&res, row, 4),
			.column = xstrdup_or_null(db_value_or_null(&res, row, 5)),
			.why = xstrdup_or_null(db_value_or_null(&res, row, 6)),
		};
	}
	return 0;
}

/* --- What is at the tables ------------------------------------------------------------------ */

void dependency_objects_release(struct dependency_objects *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		free(list->item[i].identity);
		free(list->item[i].table_identity);
	}
	free(list->item);
	*list = (struct dependency_objects)DEPENDENCY_OBJECTS_INIT;
}

static int read_objects(struct dependency_objects *ret, struct dependency_reader *reader,
			const char *sql, const json_t *list, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	dependency_objects_release(ret);
	if (!json_array_size(list))
		return 0;
	if (query(&res, reader, sql, list, NULL, err) < 0)
		return -1;
	for (size_t row = 0; row < res.rows; row++) {
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = (struct dependency_object){
			.kind = kind_of(db_value(&res, row, 0)),
			.class_oid = oid_value(&res, row, 1),
			.oid = oid_value(&res, row, 2),
			.identity = xstrdup(db_value(&res, row, 3)),
			.table = oid_value(&res, row, 4),
			.table_identity = xstrdup(db_value(&res, row, 5)),
		};
	}
	return 0;
}

int dependency_triggers(struct dependency_objects *ret, struct dependency_reader *reader,
			const struct dependency_reached_list *reached, struct error *err)
{
	json_t *list CLEANUP(json_decref_p) = json_array();

	for (size_t i = 0; i < reached->nr; i++)
		json_array_append_new(list, json_pack("{s:s, s:I}", "kind",
						      change_names[reached->item[i].kind], "oid",
						      (json_int_t)reached->item[i].oid));
	return read_objects(ret, reader, dependency_triggers_sql, list, err);
}

int dependency_foreign_keys(struct dependency_objects *ret, struct dependency_reader *reader,
			    const uint32_t *tables, size_t nr, struct error *err)
{
	json_t *list CLEANUP(json_decref_p) = json_array();

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(list, json_pack("{s:I}", "oid", (json_int_t)tables[i]));
	return read_objects(ret, reader, dependency_foreign_keys_sql, list, err);
}
