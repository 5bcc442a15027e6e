/* SPDX-License-Identifier: MIT */
#include "flow/track-schema.h"

#include <strings.h>

#include "base/memory.h"
#include "flow/file-kind.h"
#include "flow/track-migrations.h"
#include "sql/outline.h"
#include "vcs/object.h"

void track_schema_release(struct track_schema *schema)
{
	strvec_release(&schema->wrong);
	strvec_release(&schema->unsure);
	strvec_release(&schema->unread);
	*schema = (struct track_schema)TRACK_SCHEMA_INIT;
}

/* ---- Reading ------------------------------------------------------------------------- */

/* Scripts of a commit, in the order to replay them. */
struct scripts {
	struct strvec path;
	struct objects texts; /* by their ids */
};

/* What one commit has. */
struct side {
	struct scripts migrations, schema;
	struct sql_outline by_migrations, by_schema;
};

static void side_release(struct side *side)
{
	strvec_release(&side->migrations.path);
	strvec_release(&side->schema.path);
	objects_release(&side->migrations.texts);
	objects_release(&side->schema.texts);
	sql_outline_release(&side->by_migrations);
	sql_outline_release(&side->by_schema);
}

static void add_script(struct scripts *scripts, const char *path, const char *oid)
{
	strvec_push(&scripts->path, path);
	objects_add(&scripts->texts, oid);
}

static int list_migrations(struct scripts *ret, const struct checkpoint_session *s,
			   const char *commit, struct error *err)
{
	struct track_migrations m CLEANUP(track_migrations_release) = TRACK_MIGRATIONS_INIT;

	if (track_migrations_find(&m, &s->settings, commit, NULL, err) < 0)
		return -1;
	for (size_t i = 0; !m.problem && i < m.files.nr; i++)
		if (m.files.item[i].up.path)
			add_script(ret, m.files.item[i].up.path, m.files.item[i].up.oid);
	return 0;
}

static bool is_schema_file(const struct file_kinds *kinds, const char *path)
{
	size_t len = strlen(path);

	return len > 4 && !strcasecmp(path + len - 4, ".sql") &&
	       file_kind_of(kinds, path) == FILE_SCHEMA;
}

/* `only`: of these alone; or NULL. */
static int list_schema(struct scripts *ret, const struct file_kinds *kinds, const char *commit,
		       const struct strvec *only, struct error *err)
{
	struct tree_files files CLEANUP(tree_files_release) = TREE_FILES_INIT;

	if (tree_list(&files, commit, "", err) < 0)
		return -1;
	for (size_t i = 0; i < files.nr; i++)
		if (is_schema_file(kinds, files.item[i].path) &&
		    (!only || strvec_has(only, files.item[i].path)))
			add_script(ret, files.item[i].path, files.item[i].oid);
	return 0;
}

static bool same_scripts(const struct scripts *a, const struct scripts *b)
{
	if (a->path.nr != b->path.nr)
		return false;
	for (size_t i = 0; i < a->path.nr; i++)
		if (strcmp(a->path.v[i], b->path.v[i]) != 0 ||
		    strcmp(a->texts.item[i].name, b->texts.item[i].name) != 0)
			return false;
	return true;
}

static int replay(struct sql_outline *ret, struct scripts *scripts, struct error *err)
{
	struct sql_source *source;
	int result;

	if (objects_read(&scripts->texts, err) < 0)
		return -1;
	source = xcalloc(scripts->path.nr + 1, sizeof(*source));
	for (size_t i = 0; i < scripts->path.nr; i++) {
		const struct strbuf *text = &scripts->texts.item[i].data;

		source[i] = (struct sql_source){ scripts->path.v[i], text->buf, text->len };
	}
	result = sql_outline_read(ret, source, scripts->path.nr, err);
	free(source);
	return result;
}

static int replay_side(struct side *side, struct error *err)
{
	return replay(&side->by_migrations, &side->migrations, err) < 0 ||
			       replay(&side->by_schema, &side->schema, err) < 0 ?
		       -1 :
		       0;
}

/* ---- Comparing ----------------------------------------------------------------------- */

struct comparison {
	struct track_schema *ret;
	const struct side *before, *now;
	struct strvec whole;  /* objects that are told of: no word about their parts */
	struct strvec column; /* texts of columns that are told of */
};

static bool has(const struct sql_outline *outline, const char *text)
{
	return sql_outline_find(&outline->parts, text) != NULL;
}

static bool is_told(const struct comparison *c, const struct sql_outline_part *part)
{
	for (size_t i = 0; i < c->column.nr; i++)
		if (strstr(part->text, c->column.v[i]))
			return true;
	return strvec_has(&c->whole, part->object);
}

PRINTF(3, 4)
static void tell(struct comparison *c, const struct sql_outline_part *part, const char *fmt, ...)
{
	const char *doubt = sql_outline_doubt(&c->now->by_migrations, part->object);
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	va_list ap;

	if (part->kind == SQL_OUTLINE_TABLE || part->kind == SQL_OUTLINE_OBJECT)
		strvec_push(&c->whole, part->object);
	else if (part->kind == SQL_OUTLINE_COLUMN)
		strvec_push(&c->column, part->text);
	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (!doubt)
		doubt = sql_outline_doubt(&c->now->by_schema, part->object);
	if (doubt)
		strvec_pushf(&c->ret->unsure, "%s; but this cannot be read: %s", text.buf, doubt);
	else
		strvec_push(&c->ret->wrong, text.buf);
}

/* A part that a schema file has. */
static void compare_schema(struct comparison *c, const struct sql_outline_part *part)
{
	const char *path = part->path ? part->path : c->now->schema.path.v[0];

	if (has(&c->now->by_migrations, part->text))
		return;
	if (has(&c->before->by_migrations, part->text))
		tell(c, part, "'%s' still has %s, whose migration is gone", path, part->text);
	else if (sql_outline_find(&c->now->by_migrations.gone, part->text) &&
		 !has(&c->before->by_schema, part->text))
		tell(c, part, "'%s' has %s, which a migration drops", path, part->text);
}

/* Is all that migrations make, and what this is in, in the schema files? */
static bool is_covered(const struct comparison *c, const struct sql_outline_part *part)
{
	const struct sql_outline_parts *made = &c->now->by_migrations.parts;
	char *table CLEANUP(free_p) = xstrfmt("table '%s'", part->object);

	if (part->kind == SQL_OUTLINE_COLUMN)
		return has(&c->now->by_schema, table);
	for (size_t i = 0; i < made->nr; i++)
		if (made->item[i].kind == SQL_OUTLINE_TABLE &&
		    strcmp(made->item[i].text, part->text) != 0 &&
		    !has(&c->now->by_schema, made->item[i].text))
			return false;
	return c->now->by_schema.parts.nr > 0;
}

/* A part that the migrations make. */
static void compare_made(struct comparison *c, const struct sql_outline_part *part)
{
	bool had = has(&c->before->by_schema, part->text);

	if (has(&c->now->by_schema, part->text))
		return;
	if (had || ((part->kind == SQL_OUTLINE_TABLE || part->kind == SQL_OUTLINE_COLUMN) &&
		    !has(&c->before->by_migrations, part->text) && is_covered(c, part)))
		tell(c, part, "the schema files %s %s, which migrations make",
		     had ? "have lost" : "do not have", part->text);
}

/* Tables before columns, and these before what is of them. */
static void compare(struct comparison *c)
{
	const struct sql_outline_parts *schema = &c->now->by_schema.parts;
	const struct sql_outline_parts *made = &c->now->by_migrations.parts;

	for (int kind = SQL_OUTLINE_TABLE; kind <= SQL_OUTLINE_OTHER; kind++) {
		for (size_t i = 0; i < schema->nr; i++)
			if ((int)schema->item[i].kind == kind && !is_told(c, &schema->item[i]))
				compare_schema(c, &schema->item[i]);
		for (size_t i = 0; i < made->nr; i++)
			if ((int)made->item[i].kind == kind && !is_told(c, &made->item[i]))
				compare_made(c, &made->item[i]);
	}
}

static void list_unread(struct track_schema *ret, const struct side *now)
{
	const struct sql_outline *outlines[] = { &now->by_schema, &now->by_migrations };

	for (size_t o = 0; o < ARRAY_SIZE(outlines); o++)
		for (size_t i = 0; i < outlines[o]->unread_nr; i++)
			strvec_push(&ret->unread, outlines[o]->unread[i].place);
	if (!now->by_schema.parts.nr && now->by_schema.unread_nr)
		strvec_pushf(&ret->unsure, "not compared: %s", now->by_schema.unread[0].place);
}

int track_schema_check(struct track_schema *ret, const struct checkpoint_session *s,
		       const char *before, const char *after, struct error *err)
{
	struct file_kinds kinds CLEANUP(file_kinds_release) = FILE_KINDS_INIT;
	struct side then CLEANUP(side_release) = { 0 }, now CLEANUP(side_release) = { 0 };
	struct comparison c = { .ret = ret, .before = &then, .now = &now };

	if (file_kinds_read(&kinds, &s->settings, err) < 0 ||
	    list_schema(&now.schema, &kinds, after, NULL, err) < 0)
		return -1;
	if (!now.schema.path.nr)
		return 0;
	/* One that went is not missed: it need not have been the revert of what it is about. */
	if (list_schema(&then.schema, &kinds, before, &now.schema.path, err) < 0 ||
	    list_migrations(&then.migrations, s, before, err) < 0 ||
	    list_migrations(&now.migrations, s, after, err) < 0)
		return -1;
	if (same_scripts(&then.schema, &now.schema) &&
	    same_scripts(&then.migrations, &now.migrations))
		return 0;
	if (replay_side(&then, err) < 0 || replay_side(&now, err) < 0)
		return -1;
	ret->looked = now.migrations.path.nr || then.migrations.path.nr;
	compare(&c);
	list_unread(ret, &now);
	strvec_release(&c.whole);
	strvec_release(&c.column);
	return 0;
}
