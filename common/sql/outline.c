/* SPDX-License-Identifier: MIT */
#include "sql/outline.h"

#include <ctype.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "sql/lexer.h"
#include "sql/outline-model.h"
#include "sql/parser.h"
#include "sql/script.h"

static void parts_release(struct sql_outline_parts *parts)
{
	for (size_t i = 0; i < parts->nr; i++) {
		free(parts->item[i].object);
		free(parts->item[i].column);
		free(parts->item[i].text);
		free(parts->item[i].path);
	}
	free(parts->item);
}

void sql_outline_release(struct sql_outline *outline)
{
	parts_release(&outline->parts);
	parts_release(&outline->gone);
	for (size_t i = 0; i < outline->unread_nr; i++) {
		free(outline->unread[i].place);
		free(outline->unread[i].text);
	}
	free(outline->unread);
	*outline = (struct sql_outline)SQL_OUTLINE_INIT;
}

/* --- What cannot be read -------------------------------------------------------------------- */

static void add_unread(struct sql_outline *outline, char *place, const char *text, size_t len)
{
	ARRAY_GROW(outline->unread, outline->unread_nr + 1, outline->unread_alloc);
	outline->unread[outline->unread_nr++] =
		(struct sql_outline_unread){ place, xmemdupz(text, len) };
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool speaks_of(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = strcasestr(text, word); at; at = strcasestr(at + 1, word))
		if ((at == text || !is_word(at[-1])) && !is_word(at[len]))
			return true;
	return false;
}

const char *sql_outline_doubt(const struct sql_outline *outline, const char *object)
{
	/* Of a function the name, without its arguments. */
	char *name CLEANUP(free_p) = xmemdupz(object, strcspn(object, "("));

	for (size_t i = 0; *name && i < outline->unread_nr; i++)
		if (speaks_of(outline->unread[i].text, name))
			return outline->unread[i].place;
	return NULL;
}

/* --- Statements ----------------------------------------------------------------------------- */

/* What a dump begins with, and what changes rows alone. */
static bool makes_nothing(const char *words, const char *text, size_t len)
{
	static const char *const rows[] = { "insert", "update", "delete", "truncate", "with" };
	char *copy CLEANUP(free_p) = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strncmp(words, rows[i], strlen(rows[i])))
			return true;
	if (strncmp(words, "select", 6) != 0)
		return false;
	copy = xmemdupz(text, len);
	return strcasestr(copy, "set_config(") || strcasestr(copy, "setval(");
}

static void read_statement(struct outline_model *model, const struct sql_script *script,
			   const struct sql_statement *s)
{
	const char *text = script->text + s->offset;
	struct sql_tree tree CLEANUP(sql_tree_release) = { 0 };
	char words[32];
	bool row;

	sql_first_words(words, sizeof(words), text, s->len, 0, 2);
	row = makes_nothing(words, text, s->len);
	if (row)
		return;
	if (s->kind != SQL_DO && s->kind != SQL_CALL && s->len <= SQL_TREE_MAX)
		sql_tree_parse(&tree, text, s->len);
	if (tree.statement)
		outline_ddl(model, tree.statement);
	/* A call in a query may make anything; of the rest the tree says it all. */
	if (!tree.statement || !strncmp(words, "select", 6)) {
		for (char *p = words; *p; p++)
			*p = (char)toupper((unsigned char)*p);
		if (!tree.statement || s->loss != SQL_KEEPS_ROWS)
			add_unread(model->outline,
				   xstrfmt("%s:%zu: %s", script->path,
					   text_place(script->text, script->len, s->offset).line,
					   words),
				   text, s->len);
	}
}

/* pg_dump's guard against psql commands in names is one of psql's, and no more than that. */
static char *without_restrict(const char *text, size_t len)
{
	char *ret = xmemdupz(text, len);

	for (char *line = ret; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, "\\restrict ", 10) || !strncmp(line, "\\unrestrict ", 12))
			memset(line, ' ', strcspn(line, "\r\n"));
	}
	return ret;
}

static void read_script(struct outline_model *model, const struct sql_source *source)
{
	struct sql_script script CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	char *text CLEANUP(free_p) = without_restrict(source->text, source->len);

	if (sql_script_parse(&script, source->path, text, source->len, &reason) < 0) {
		add_unread(model->outline,
			   reason.place ? xstrfmt("%s: %s", reason.place, reason.message) :
					  xstrfmt("%s: %s", source->path, reason.message),
			   source->text, source->len);
		return;
	}
	free(model->schema);
	model->schema = xstrdup("");
	model->path = source->path;
	for (size_t i = 0; i < script.nr; i++)
		read_statement(model, &script, &script.statement[i]);
}

/* --- All of it, on the parser's thread ------------------------------------------------------ */

struct outline_job {
	struct outline_model *model;
	const struct sql_source *source;
	size_t nr;
};

static void outline_job_run(void *data)
{
	const struct outline_job *job = data;

	for (size_t i = 0; i < job->nr; i++)
		read_script(job->model, &job->source[i]);
}

int sql_outline_read(struct sql_outline *ret, const struct sql_source *source, size_t nr,
		     struct error *err)
{
	struct sql_outline outline CLEANUP(sql_outline_release) = SQL_OUTLINE_INIT;
	struct outline_model model CLEANUP(outline_model_release) = { .outline = &outline };

	for (size_t i = 0; i < nr; i += SQL_PARSER_SCRIPTS) {
		struct outline_job job = { .model = &model,
					   .source = &source[i],
					   .nr = nr - i < SQL_PARSER_SCRIPTS ? nr - i :
									       SQL_PARSER_SCRIPTS };

		if (sql_parser_run(outline_job_run, &job, err) < 0)
			return -1;
	}
	outline_finish(&model);
	*ret = outline;
	outline = (struct sql_outline)SQL_OUTLINE_INIT;
	return 0;
}
