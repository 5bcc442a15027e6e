/* SPDX-License-Identifier: MIT */
#include "sql/outline-model.h"

#include "base/memory.h"
#include "base/sort.h"
#include "base/strbuf.h"

/* ---- Objects ------------------------------------------------------------------------------- */

static void key_release(struct outline_key *key)
{
	free(key->name);
	free(key->target);
	strvec_release(&key->columns);
}

static void object_release(struct outline_object *object)
{
	for (size_t i = 0; i < object->columns; i++) {
		free(object->column[i].name);
		free(object->column[i].type);
	}
	for (size_t i = 0; i < object->keys; i++)
		key_release(&object->key[i]);
	free(object->column);
	free(object->key);
	free(object->schema);
	free(object->name);
	free(object->path);
}

void outline_model_release(struct outline_model *model)
{
	for (size_t i = 0; i < model->nr; i++)
		object_release(&model->item[i]);
	free(model->item);
	free(model->schema);
}

static bool same_class(const char *a, const char *b)
{
	return !strcmp(a, b) || (strcmp(a, "type") != 0 && strcmp(a, "function") != 0 &&
				 strcmp(b, "type") != 0 && strcmp(b, "function") != 0);
}

static bool is_default(const char *schema)
{
	return !*schema || !strcmp(schema, "public");
}

static bool same_schema(const char *a, const char *b)
{
	return !strcmp(a, b) || (is_default(a) && is_default(b));
}

/* Of just that schema; and how many there are of that name elsewhere, of which *ret_other is one. */
static struct outline_object *find_exactly(const struct outline_model *model, const char *type,
					   const char *schema, const char *name, size_t *ret_others,
					   struct outline_object **ret_other)
{
	*ret_others = 0;
	*ret_other = NULL;
	for (size_t i = 0; i < model->nr; i++) {
		struct outline_object *it = &model->item[i];

		if (!same_class(it->type, type) || strcmp(it->name, name) != 0)
			continue;
		if (same_schema(it->schema, schema))
			return it;
		*ret_other = it;
		++*ret_others;
	}
	return NULL;
}

struct outline_object *outline_find(const struct outline_model *model, const char *type,
				    const char *schema, const char *name)
{
	const char *wanted = *schema ? schema : model->schema;
	struct outline_object *other, *exact;
	size_t others;

	exact = find_exactly(model, type, wanted, name, &others, &other);
	if (exact)
		return exact;
	/* What names no schema may mean any. */
	return others == 1 && (is_default(wanted) || is_default(other->schema)) ? other : NULL;
}

struct outline_object *outline_make(struct outline_model *model, const char *type,
				    const char *schema, const char *name)
{
	const char *wanted = *schema ? schema : model->schema;
	struct outline_object *other, *exact;
	size_t others;

	exact = find_exactly(model, type, wanted, name, &others, &other);
	if (exact)
		return exact;
	ARRAY_GROW(model->item, model->nr + 1, model->alloc);
	model->item[model->nr] = (struct outline_object){
		.type = type,
		.schema = xstrdup(wanted),
		.name = xstrdup(name),
	};
	return &model->item[model->nr++];
}

struct outline_object *outline_get(struct outline_model *model, const char *type,
				   const char *schema, const char *name)
{
	struct outline_object *found = outline_find(model, type, schema, name);

	return found ? found : outline_make(model, type, schema, name);
}

void outline_drop(struct outline_model *model, struct outline_object *object)
{
	outline_bury(model, object);
	object_release(object);
	*object = model->item[--model->nr];
}

/* ---- Columns ------------------------------------------------------------------------------- */

struct outline_column *outline_column(const struct outline_object *object, const char *name)
{
	for (size_t i = 0; i < object->columns; i++)
		if (!strcmp(object->column[i].name, name))
			return &object->column[i];
	return NULL;
}

struct outline_column *outline_add_column(struct outline_object *object, const char *name)
{
	ARRAY_GROW(object->column, object->columns + 1, object->columns_alloc);
	object->column[object->columns] = (struct outline_column){ .name = xstrdup(name) };
	return &object->column[object->columns++];
}

void outline_drop_column(struct outline_object *object, const char *name)
{
	struct outline_column *column = outline_column(object, name);
	size_t at;

	if (!column)
		return;
	for (size_t i = object->keys; i; i--)
		if (strvec_has(&object->key[i - 1].columns, name))
			outline_drop_key(object, &object->key[i - 1]);
	at = (size_t)(column - object->column);
	free(column->name);
	free(column->type);
	memmove(column, column + 1, (--object->columns - at) * sizeof(*column));
}

void outline_rename_column(struct outline_object *object, const char *from, const char *to)
{
	struct outline_column *column = outline_column(object, from);

	if (column) {
		free(column->name);
		column->name = xstrdup(to);
	}
	for (size_t i = 0; i < object->keys; i++)
		for (size_t c = 0; c < object->key[i].columns.nr; c++)
			if (!strcmp(object->key[i].columns.v[c], from)) {
				free(object->key[i].columns.v[c]);
				object->key[i].columns.v[c] = xstrdup(to);
			}
}

/* ---- Keys and indexes ---------------------------------------------------------------------- */

/* What the server calls it: "users_email_idx". */
static char *made_up_name(const struct outline_object *object, const struct outline_key *key)
{
	static const char *const ends[] = {
		[KEY_PRIMARY] = "pkey", [KEY_UNIQUE] = "key",	    [KEY_FOREIGN] = "fkey",
		[KEY_INDEX] = "idx",	[KEY_UNIQUE_INDEX] = "idx",
	};
	struct strbuf name = STRBUF_INIT;

	strbuf_addf(&name, "%s_", object->name);
	for (size_t i = 0; key->kind != KEY_PRIMARY && i < key->columns.nr; i++)
		strbuf_addf(&name, "%s_", key->columns.v[i]);
	strbuf_addstr(&name, ends[key->kind]);
	return strbuf_detach(&name);
}

void outline_add_key(struct outline_object *object, struct outline_key key)
{
	if (!key.name || !*key.name) {
		free(key.name);
		key.name = made_up_name(object, &key);
	}
	/* A primary key makes its columns NOT NULL, and they stay so without it. */
	for (size_t i = 0; key.kind == KEY_PRIMARY && i < key.columns.nr; i++) {
		struct outline_column *column = outline_column(object, key.columns.v[i]);

		if (column)
			column->not_null = true;
	}
	ARRAY_GROW(object->key, object->keys + 1, object->keys_alloc);
	object->key[object->keys++] = key;
}

struct outline_key *outline_key(const struct outline_object *object, const char *name)
{
	for (size_t i = 0; i < object->keys; i++)
		if (!strcmp(object->key[i].name, name))
			return &object->key[i];
	return NULL;
}

void outline_drop_key(struct outline_object *object, struct outline_key *key)
{
	key_release(key);
	*key = object->key[--object->keys];
}

/* ---- Parts --------------------------------------------------------------------------------- */

static void add_part(struct sql_outline_parts *parts, const struct outline_object *object,
		     enum sql_outline_kind kind, const char *column, char *text)
{
	ARRAY_GROW(parts->item, parts->nr + 1, parts->alloc);
	parts->item[parts->nr++] = (struct sql_outline_part){
		.kind = kind,
		.object = xstrdup(object->name),
		.column = xstrdup_or_null(column),
		.text = text,
		.path = xstrdup_or_null(object->path),
	};
}

/* Two of one name, and one class, are told apart by their schemas. */
static char *shown_name(const struct outline_model *model, const struct outline_object *object)
{
	for (size_t i = 0; i < model->nr; i++) {
		const struct outline_object *it = &model->item[i];

		if (it != object && !strcmp(it->name, object->name) &&
		    same_class(it->type, object->type))
			return xstrfmt("%s.%s", *object->schema ? object->schema : "public",
				       object->name);
	}
	return xstrdup(object->name);
}

static char *key_text(const struct outline_key *key, const char *table)
{
	static const char *const kinds[] = {
		[KEY_PRIMARY] = "primary key",	     [KEY_UNIQUE] = "unique constraint",
		[KEY_FOREIGN] = "foreign key",	     [KEY_INDEX] = "index",
		[KEY_UNIQUE_INDEX] = "unique index",
	};
	struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "%s (", kinds[key->kind]);
	for (size_t i = 0; i < key->columns.nr; i++)
		strbuf_addf(&text, "%s%s", i ? ", " : "", key->columns.v[i]);
	strbuf_addf(&text, ")%s of '%s'", key->partial ? " WHERE" : "", table);
	if (key->target)
		strbuf_addf(&text, " to '%s'", key->target);
	return strbuf_detach(&text);
}

static void add_column_parts(struct sql_outline_parts *parts, const struct outline_object *object,
			     const char *name)
{
	for (size_t i = 0; i < object->columns; i++) {
		const struct outline_column *it = &object->column[i];

		if (!strcmp(object->type, "type")) {
			add_part(parts, object, SQL_OUTLINE_OTHER, NULL,
				 xstrfmt("label '%s' of type '%s'", it->name, name));
			continue;
		}
		add_part(parts, object, SQL_OUTLINE_COLUMN, it->name,
			 xstrfmt("column '%s.%s'", name, it->name));
		if (it->type)
			add_part(parts, object, SQL_OUTLINE_OTHER, NULL,
				 xstrfmt("type %s of column '%s.%s'", it->type, name, it->name));
		if (it->not_null)
			add_part(parts, object, SQL_OUTLINE_OTHER, NULL,
				 xstrfmt("NOT NULL of column '%s.%s'", name, it->name));
	}
}

static void add_parts(const struct outline_model *model, struct sql_outline_parts *parts,
		      const struct outline_object *object)
{
	char *name CLEANUP(free_p) = shown_name(model, object);

	if (object->path)
		add_part(parts, object,
			 strcmp(object->type, "table") != 0 ? SQL_OUTLINE_OBJECT :
							      SQL_OUTLINE_TABLE,
			 NULL, xstrfmt("%s '%s'", object->type, name));
	add_column_parts(parts, object, name);
	for (size_t i = 0; i < object->keys; i++)
		add_part(parts, object, SQL_OUTLINE_OTHER, NULL, key_text(&object->key[i], name));
}

void outline_bury(struct outline_model *model, const struct outline_object *object)
{
	add_parts(model, &model->outline->gone, object);
}

static int compare_parts(const void *a, const void *b)
{
	const struct sql_outline_part *x = a, *y = b;

	return strcmp(x->text, y->text);
}

void outline_finish(struct outline_model *model)
{
	struct sql_outline *outline = model->outline;

	for (size_t i = 0; i < model->nr; i++)
		add_parts(model, &outline->parts, &model->item[i]);
	sort(outline->parts.item, outline->parts.nr, sizeof(*outline->parts.item), compare_parts);
	sort(outline->gone.item, outline->gone.nr, sizeof(*outline->gone.item), compare_parts);
}

static int compare_text(const void *text, const void *part)
{
	return strcmp(text, ((const struct sql_outline_part *)part)->text);
}

const struct sql_outline_part *sql_outline_find(const struct sql_outline_parts *parts,
						const char *text)
{
	return parts->nr ?
		       bsearch(text, parts->item, parts->nr, sizeof(*parts->item), compare_text) :
		       NULL;
}
