/* SPDX-License-Identifier: MIT */
#include "sql/mention.h"

#include <ctype.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "sql/effect.h"
#include "sql/lexer.h"
#include "sql/parser.h"
#include "sql/script.h"

void sql_mentions_release(struct sql_mentions *mentions)
{
	for (size_t i = 0; i < mentions->nr; i++)
		free(mentions->item[i].name);
	free(mentions->item);
	*mentions = (struct sql_mentions)SQL_MENTIONS_INIT;
}

/* --- What is made --------------------------------------------------------------------------- */

struct made {
	struct strvec name, column; /* of a column, its table's name; "" where it is none */
};

static void made_release(struct made *made)
{
	strvec_release(&made->name);
	strvec_release(&made->column);
}

static void add_made(struct made *made, const char *name, const char *column)
{
	strvec_push(&made->name, name);
	strvec_push(&made->column, column);
}

static void forget(struct made *made, const char *name)
{
	for (size_t i = 0; i < made->name.nr; i++)
		if (!strcmp(made->name.v[i], name))
			*made->name.v[i] = '\0';
}

/* Triggers, constraints and columns belong to a table: their names are three parts, or say so. */
static bool is_part(const struct sql_effect *effect)
{
	return effect->name.nr > 2 || (effect->type && !strncmp(effect->type, "table ", 6));
}

static int add_objects(struct made *made, const struct sql_source *maker, struct error *err)
{
	struct sql_script script CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
	struct sql_effects effects CLEANUP(sql_effects_release) = SQL_EFFECTS_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (sql_script_parse(&script, maker->path, maker->text, maker->len, &ignored) < 0)
		return 0;
	if (sql_script_effects(&effects, &script, err) < 0)
		return -1;
	for (size_t i = 0; i < effects.nr; i++) {
		const struct sql_effect *it = &effects.item[i];
		const char *name = it->name.nr ? it->name.v[it->name.nr - 1] : NULL;

		if (!name || is_part(it))
			continue;
		if (it->kind == SQL_EFFECT_CREATE || it->kind == SQL_EFFECT_RENAME)
			add_made(made, name, "");
		else if (it->kind == SQL_EFFECT_DROP)
			forget(made, name);
	}
	return 0;
}

static int add_columns(struct made *made, const struct sql_source *maker, struct error *err)
{
	struct sql_outline outline CLEANUP(sql_outline_release) = SQL_OUTLINE_INIT;

	if (sql_outline_read(&outline, maker, 1, err) < 0)
		return -1;
	for (size_t i = 0; i < outline.parts.nr; i++) {
		const struct sql_outline_part *it = &outline.parts.item[i];
		const char *start = strchr(it->text, '.'), *end = strrchr(it->text, '\'');

		/* "column 'users.email'", of a table that another made. */
		if (it->kind == SQL_OUTLINE_COLUMN && !it->path && start && end > start) {
			char *column CLEANUP(free_p) =
				xmemdupz(start + 1, (size_t)(end - start - 1));

			add_made(made, it->object, column);
		}
	}
	return 0;
}

/* --- Who speaks of it ----------------------------------------------------------------------- */

/* Names in a statement as the server folds them; of bodies, those inside. */
static void collect(struct strvec *names, const char *text, size_t len)
{
	struct sql_token token;
	size_t pos = 0;

	while (sql_next_token(&token, text, len, &pos)) {
		size_t start = token.start, end = token.end;

		if (token.kind == '$' && end - start > 2) {
			const char *tag = memchr(text + start + 1, '$', end - start - 1);
			size_t skip = tag ? (size_t)(tag - text) + 1 - start : end - start;

			if (end - start >= 2 * skip)
				collect(names, text + start + skip, end - start - 2 * skip);
		} else if (token.kind == '"' && end - start > 2) {
			strvec_push_nodup(names, xmemdupz(text + start + 1, end - start - 2));
		} else if (token.kind == 'a') {
			char *word = xmemdupz(text + start, end - start);

			for (char *c = word; *c; c++)
				*c = (char)tolower((unsigned char)*c);
			strvec_push_nodup(names, word);
		}
	}
}

/* The first of what is made that these names are of; made.name.nr: none. */
static size_t find_made(const struct made *made, const struct strvec *names)
{
	for (size_t i = 0; i < made->name.nr; i++)
		if (*made->name.v[i] && strvec_has_sorted(names, made->name.v[i]) &&
		    (!*made->column.v[i] || strvec_has_sorted(names, made->column.v[i])))
			return i;
	return made->name.nr;
}

static void look_into(struct sql_mentions *ret, const struct made *made,
		      const struct sql_source *source, size_t index)
{
	for (size_t pos = 0; pos < source->len;) {
		size_t end = sql_next_semicolon(source->text, source->len, pos);
		struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
		size_t found;

		collect(&names, source->text + pos, end - pos);
		strvec_sort(&names);
		found = find_made(made, &names);
		pos = end + 1;
		if (found == made->name.nr)
			continue;
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = (struct sql_mention){
			.source = index,
			.name = xstrfmt("%s%s%s", made->name.v[found],
					*made->column.v[found] ? "." : "", made->column.v[found]),
		};
		return;
	}
}

int sql_mentions_find(struct sql_mentions *ret, const struct sql_source *maker,
		      const struct sql_source *source, size_t nr, struct error *err)
{
	struct made made CLEANUP(made_release) = { STRVEC_INIT, STRVEC_INIT };

	if (add_objects(&made, maker, err) < 0 || add_columns(&made, maker, err) < 0)
		return -1;
	for (size_t i = 0; i < nr && made.name.nr; i++)
		look_into(ret, &made, &source[i], i);
	return 0;
}
