/* SPDX-License-Identifier: MIT */
#include "flow/saved-schema.h"

#include "base/memory.h"
#include "base/text.h"
#include "flow/runner.h"
#include "pg/dump.h"
#include "term/output.h"

void saved_schema_wanted_release(struct saved_schema_wanted *wanted)
{
	for (size_t i = 0; i < wanted->nr; i++) {
		free(wanted->item[i].kind);
		free(wanted->item[i].identity);
		free(wanted->item[i].definition);
	}
	free(wanted->item);
	*wanted = (struct saved_schema_wanted)SAVED_SCHEMA_WANTED_INIT;
}

void saved_schema_want(struct saved_schema_wanted *wanted, const json_t *object, const char *now)
{
	const char *definition = json_member(object, "definition");
	char *value CLEANUP(free_p) = now ? catalog_attribute_value(now, "default") : NULL;

	ARRAY_GROW(wanted->item, wanted->nr + 1, wanted->alloc);
	wanted->item[wanted->nr++] = (struct saved_schema_object){
		.kind = xstrdup(json_member(object, "kind")),
		.identity = xstrdup(json_member(object, "identity")),
		.definition = xstrdup_or_null(definition),
		.class_oid = (uint32_t)json_integer_value(json_object_get(object, "class_oid")),
		.oid = (uint32_t)json_integer_value(json_object_get(object, "oid")),
		.there = now != NULL,
		.has_default = value != NULL,
	};
}

const json_t *saved_schema_part(const struct saved *saved)
{
	size_t i;
	json_t *part;

	json_array_foreach(json_object_get(saved->manifest, "parts"), i, part)
	{
		const char *kind = json_member(part, "kind");

		if (kind && !strcmp(kind, "schema"))
			return part;
	}
	return NULL;
}

/* --- Which entries ---------------------------------------------------------------------------- */

/* Columns have their table's OID: they come with it, or not at all. */
static bool is_alone(const struct saved_schema_object *object)
{
	return strncmp(object->kind, "column", 6) != 0;
}

static bool is_object(const struct archive_entry *entry, const struct saved_schema_object *object)
{
	return is_alone(object) && entry->oid && entry->oid == object->oid &&
	       entry->class_oid == object->class_oid;
}

/* Where the name begins in "schema name owner". */
static size_t schema_len(const struct archive_entry *entry)
{
	return strcspn(entry->rest, " ");
}

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* "public COLUMN v.c owner", where the names, unlike the view's own, are quoted if need be. */
static bool is_about_column(const struct archive_entry *about, const char *schema, const char *name)
{
	struct strbuf quoted CLEANUP(strbuf_release) = STRBUF_INIT;
	char *plain CLEANUP(free_p) = xstrfmt("%s COLUMN %s.", schema, name);

	strbuf_addf(&quoted, "%s COLUMN \"", schema);
	for (const char *c = name; *c; c++)
		strbuf_addf(&quoted, *c == '"' ? "%c\"" : "%c", *c);
	strbuf_addstr(&quoted, "\".");
	return starts_with(about->rest, plain) || starts_with(about->rest, quoted.buf);
}

/* "public VIEW v owner" of the VIEW "public v owner"; its privileges are those of a TABLE. */
static bool is_about(const struct archive_entry *about, const struct archive_entry *entry)
{
	size_t len = schema_len(entry);
	const char *rest = entry->rest[len] ? entry->rest + len + 1 : "";
	const char *owner = strrchr(rest, ' ');
	char *schema CLEANUP(free_p) = xmemdupz(entry->rest, len);
	char *name CLEANUP(free_p) = xmemdupz(rest, owner ? (size_t)(owner - rest) : strlen(rest));
	char *whole CLEANUP(free_p) = xstrfmt("%s %s %s", schema, entry->type, rest);
	char *table CLEANUP(free_p) = xstrfmt("%s TABLE %s", schema, rest);

	return !strcmp(about->rest, whole) ||
	       (strstr(entry->type, "VIEW") && !strcmp(about->rest, table)) ||
	       is_about_column(about, schema, name);
}

/* "public t id owner" of the TABLE "public t owner": a default that stands alone, as a serial's. */
static bool is_default_of(const struct archive_entry *entry, const struct archive_entry *table)
{
	const char *owner = strrchr(table->rest, ' ');

	return !strcmp(entry->type, "DEFAULT") && owner &&
	       !strncmp(entry->rest, table->rest, (size_t)(owner + 1 - table->rest));
}

/* What has no life of its own: comments, privileges, and what makes a table complete. */
static bool belongs_to(const struct archive_entry *entry, const struct archive_entry *owner)
{
	static const char *const about[] = { "ACL", "COMMENT", "SECURITY LABEL" };
	static const char *const same[] = { "ROW SECURITY", "TABLE ATTACH", "INDEX ATTACH",
					    "SEQUENCE OWNED BY" };

	if (text_is_one_of(entry->type, about, ARRAY_SIZE(about)))
		return is_about(entry, owner);
	if (is_default_of(entry, owner))
		return true;
	return text_is_one_of(entry->type, same, ARRAY_SIZE(same)) &&
	       !strcmp(entry->rest, owner->rest);
}

/* Where the last name begins in "public.t.c", or the one behind the first; each may be quoted. */
static size_t name_start(const char *identity, bool first)
{
	size_t start = 0;
	bool quoted = false;

	for (size_t i = 0; identity[i] && !(first && start); i++) {
		if (identity[i] == '"')
			quoted = !quoted;
		else if (identity[i] == '.' && !quoted)
			start = i + 1;
	}
	return start;
}

/* Of "a ""b""" in quotes what is meant; of other names themselves. */
static char *unquoted(const char *name, size_t len)
{
	struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < len; i++) {
		if (name[i] == '"' && (i == 0 || i + 1 == len))
			continue;
		strbuf_addch(&sb, name[i]);
		i += name[i] == '"';
	}
	return strbuf_detach(&sb);
}

/* "public COLUMN t.c owner" of column public.t.c: its comment, or what is granted on it. */
static bool is_of_column(const struct archive_entry *entry,
			 const struct saved_schema_object *object)
{
	static const char *const about[] = { "ACL", "COMMENT", "SECURITY LABEL" };
	size_t start = name_start(object->identity, true);
	char *schema CLEANUP(free_p) = unquoted(object->identity, start ? start - 1 : 0);
	char *rest CLEANUP(free_p) = xstrfmt("%s COLUMN %s ", schema, object->identity + start);

	return !strcmp(object->kind, "column") &&
	       text_is_one_of(entry->type, about, ARRAY_SIZE(about)) &&
	       starts_with(entry->rest, rest);
}

static bool is_of_phase(const struct archive_entry *entry, enum saved_schema_phase phase)
{
	static const char *const late[] = { "FK CONSTRAINT", "TRIGGER", "RULE" };
	bool after = text_is_one_of(entry->type, late, ARRAY_SIZE(late));

	return after == (phase == SAVED_SCHEMA_AFTER_ROWS);
}

static void note_made(struct strvec *ret, const struct saved_schema_object *object)
{
	char *line CLEANUP(free_p) = xstrfmt("%s %s", object->kind, object->identity);

	if (!strvec_has(ret, line))
		strvec_push(ret, line);
}

/* *ret_wanted has a bool an entry: free() it. Returns how many there are. */
static size_t choose(bool **ret_wanted, struct strvec *ret, const struct archive_entries *entries,
		     enum saved_schema_phase phase, const struct saved_schema_wanted *objects)
{
	bool *wanted = xcalloc(entries->nr + 1, sizeof(*wanted));
	size_t nr = 0;

	for (size_t i = 0; i < entries->nr; i++)
		for (size_t k = 0; k < objects->nr && !wanted[i]; k++)
			if ((is_object(&entries->item[i], &objects->item[k]) ||
			     is_of_column(&entries->item[i], &objects->item[k])) &&
			    is_of_phase(&entries->item[i], phase)) {
				wanted[i] = true;
				nr++;
				note_made(ret, &objects->item[k]);
			}
	for (size_t i = 0; i < entries->nr; i++)
		for (size_t k = 0; k < entries->nr && !wanted[i]; k++)
			wanted[i] = wanted[k] && entries->item[k].oid &&
				    belongs_to(&entries->item[i], &entries->item[k]);
	*ret_wanted = wanted;
	return nr;
}

/* --- Making them ---------------------------------------------------------------------------------- */

static int run(struct session *s, const struct strbuf *sql, struct error *err)
{
	struct sql_script script CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (sql_script_parse(&script, "the saved schema", sql->buf, sql->len, err) < 0)
		return -1;
	runner_add_script(&batch, &s->db, &script);
	return runner_run(&s->db, &batch, NULL, err);
}

/* pg_dump makes them without their rows, which are another entry, for archives with rows alone. */
static int refresh(struct session *s, const struct saved_schema_wanted *objects,
		   const struct saved *saved, struct error *err)
{
	const json_t *populated = json_object_get(saved->manifest, "populated");
	size_t i;
	json_t *name;

	json_array_foreach(populated, i, name)
	{
		char *sql CLEANUP(free_p) = NULL;

		for (size_t k = 0; k < objects->nr && !sql; k++)
			if (!strcmp(objects->item[k].kind, "materialized view") &&
			    !strcmp(objects->item[k].identity, json_string_value(name)))
				sql = xstrfmt("REFRESH MATERIALIZED VIEW %s",
					      objects->item[k].identity);
		if (sql && db_exec(&s->db, sql, err) < 0)
			return -1;
	}
	return 0;
}

static int remake(struct strvec *ret, const struct saved_schema_wanted *objects, const char *path,
		  enum saved_schema_phase phase, struct session *s, struct error *err)
{
	struct archive_entries entries CLEANUP(archive_entries_release) = ARCHIVE_ENTRIES_INIT;
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	bool *wanted CLEANUP(free_p) = NULL;

	if (archive_list(&entries, path, &s->db, err) < 0)
		return -1;
	if (!choose(&wanted, ret, &entries, phase, objects))
		return 0;
	if (archive_sql(&sql, path, &s->db, &entries, wanted, err) < 0)
		return -1;
	return run(s, &sql, err);
}

static bool is_wanted(const struct saved_schema_wanted *objects, const char *identity)
{
	for (size_t i = 0; i < objects->nr; i++)
		if (is_alone(&objects->item[i]) && !strcmp(objects->item[i].identity, identity))
			return true;
	return false;
}

/* A clause of the column's definition, where it has one. */
static void add_clause(struct strbuf *sql, const char *definition, const char *attribute,
		       const char *before, const char *after)
{
	char *value CLEANUP(free_p) = catalog_attribute_value(definition, attribute);

	if (value)
		strbuf_addf(sql, "%s%s%s", before, value, after);
}

static int add_column(struct strvec *ret, const struct saved_schema_object *object,
		      const char *table, const char *column, struct session *s, struct error *err)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addf(&sql, "ALTER TABLE %s ADD COLUMN %s", table, column);
	add_clause(&sql, object->definition, "type", " ", "");
	add_clause(&sql, object->definition, "collation", " COLLATE ", "");
	add_clause(&sql, object->definition, "default", " DEFAULT ", "");
	add_clause(&sql, object->definition, "generated", " GENERATED ALWAYS AS (", ") STORED");
	note_made(ret, object);
	return db_exec(&s->db, sql.buf, err);
}

/* Its values may be put back by now. */
static int finish_column(const struct saved_schema_object *object, const char *table,
			 const char *column, struct session *s, struct error *err)
{
	char *not_null CLEANUP(free_p) = catalog_attribute_value(object->definition, "not null");
	char *sql CLEANUP(free_p) =
		xstrfmt("ALTER TABLE %s ALTER COLUMN %s SET NOT NULL", table, column);

	return not_null ? db_exec(&s->db, sql, err) : 0;
}

/* Those that went although their table did not, nor anything else that they belonged to. */
static int remake_columns(struct strvec *ret, const struct saved_schema_wanted *objects,
			  enum saved_schema_phase phase, struct session *s, struct error *err)
{
	for (size_t i = 0; i < objects->nr; i++) {
		const struct saved_schema_object *object = &objects->item[i];
		size_t start = name_start(object->identity, false);
		char *table CLEANUP(free_p) = NULL;

		if (strcmp(object->kind, "column") != 0 || !object->definition || !start ||
		    object->there)
			continue;
		table = xmemdupz(object->identity, start - 1);
		if (is_wanted(objects, table))
			continue;
		if ((phase == SAVED_SCHEMA_BEFORE_ROWS ?
			     add_column(ret, object, table, object->identity + start, s, err) :
			     finish_column(object, table, object->identity + start, s, err)) < 0)
			return error_prefix(err, "could not make column %s again",
					    object->identity);
	}
	return 0;
}

/* What it called may have been made again by now. */
static int remake_defaults(struct strvec *ret, const struct saved_schema_wanted *objects,
			   struct session *s, struct error *err)
{
	for (size_t i = 0; i < objects->nr; i++) {
		const struct saved_schema_object *object = &objects->item[i];
		size_t start = name_start(object->identity, false);
		char *value CLEANUP(free_p) = NULL, *sql CLEANUP(free_p) = NULL;

		if (!object->there || object->has_default || !object->definition || !start)
			continue;
		value = catalog_attribute_value(object->definition, "default");
		if (!value)
			continue;
		sql = xstrfmt("ALTER TABLE ONLY %.*s ALTER COLUMN %s SET DEFAULT %s",
			      (int)start - 1, object->identity, object->identity + start, value);
		if (db_exec(&s->db, sql, err) < 0)
			return error_prefix(err, "could not make the default of column %s again",
					    object->identity);
		note_made(ret, object);
	}
	return 0;
}

/* Where " on " stands in "name on public.t"; the name may be quoted. NULL: nowhere. */
static const char *find_on(const char *identity)
{
	bool quoted = false;

	for (const char *c = identity; *c; c++) {
		if (*c == '"')
			quoted = !quoted;
		else if (!quoted && starts_with(c, " on "))
			return c;
	}
	return NULL;
}

static int add_check(struct strvec *ret, const struct saved_schema_object *object, const char *on,
		     const char *definition, struct session *s, struct error *err)
{
	char *name CLEANUP(free_p) = xmemdupz(object->identity, (size_t)(on - object->identity));
	char *comment CLEANUP(free_p) = catalog_attribute_value(object->definition, "comment");
	char *sql CLEANUP(free_p) = xstrfmt("ALTER TABLE %s ADD CONSTRAINT %s %s",
					    on + strlen(" on "), name, definition);
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;

	note_made(ret, object);
	if (db_exec(&s->db, sql, err) < 0)
		return error_prefix(err, "could not make constraint %s again", object->identity);
	if (!comment)
		return 0;
	strbuf_addf(&line, "COMMENT ON CONSTRAINT %s ON %s IS ", name, on + strlen(" on "));
	db_quote_literal(&line, &s->db, comment);
	return db_exec(&s->db, line.buf, err);
}

/* A check of a table that stayed: the archive has it as a part of the table alone. */
static int remake_checks(struct strvec *ret, const struct saved_schema_wanted *objects,
			 struct session *s, struct error *err)
{
	for (size_t i = 0; i < objects->nr; i++) {
		const struct saved_schema_object *object = &objects->item[i];
		const char *on = find_on(object->identity);
		char *definition CLEANUP(free_p) = NULL;

		if (strcmp(object->kind, "constraint") != 0 || !object->definition || !on ||
		    is_wanted(objects, on + strlen(" on ")))
			continue;
		definition = catalog_attribute_value(object->definition, "definition");
		if (definition && starts_with(definition, "CHECK") &&
		    !strstr(definition, " NOT VALID") &&
		    add_check(ret, object, on, definition, s, err) < 0)
			return -1;
	}
	return 0;
}

static bool has_any(const struct saved_schema_wanted *objects)
{
	for (size_t i = 0; i < objects->nr; i++)
		if (is_alone(&objects->item[i]) || objects->item[i].definition)
			return true;
	return false;
}

static int remake_failed(struct error *err)
{
	static const char foreign_key_violation[] = "23503";
	bool violated = !strcmp(err->sqlstate, foreign_key_violation);

	error_prefix(err, "could not make what went by CASCADE from the saved schema");
	return violated ? error_code(err, EXIT_NO) : -1;
}

int saved_schema_remake(struct strvec *ret, const struct saved_schema_wanted *wanted,
			struct saved *saved, enum saved_schema_phase phase, struct session *s,
			struct error *err)
{
	const json_t *part = saved_schema_part(saved);
	char *path CLEANUP(free_p) = NULL;

	/* Before: views may need them. */
	if (remake_columns(ret, wanted, phase, s, err) < 0 ||
	    (phase == SAVED_SCHEMA_AFTER_ROWS &&
	     (remake_checks(ret, wanted, s, err) < 0 || remake_defaults(ret, wanted, s, err) < 0)))
		return -1;
	if (!has_any(wanted))
		return 0;
	if (!part) {
		if (phase == SAVED_SCHEMA_BEFORE_ROWS)
			warning("what went by CASCADE cannot be made again: the schema was not saved "
				"in a form for that");
		return 0;
	}
	if (saved_part_path(&path, saved, part, err) == 0 &&
	    remake(ret, wanted, path, phase, s, err) == 0 &&
	    (phase != SAVED_SCHEMA_AFTER_ROWS || refresh(s, wanted, saved, err) == 0))
		return 0;
	return remake_failed(err);
}
