/* SPDX-License-Identifier: MIT */
#include "flow/impact.h"

#include <ctype.h>

#include "base/memory.h"
#include "base/text.h"
#include "flow/impact-item.h"

const char *impact_kind_name(enum impact_kind kind)
{
	static const char *const names[] = {
		[IMPACT_TABLE] = "table",
		[IMPACT_COLUMN] = "column",
		[IMPACT_ROWS] = "rows",
	};

	return names[kind];
}

static void objects_release(struct impact_object *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(list[i].identity);
		free(list[i].why);
	}
	free(list);
}

void impact_item_release(struct impact_item *item)
{
	free(item->schema);
	free(item->table);
	free(item->column);
	free(item->identity);
	free(item->why);
}

void impact_release(struct impact *impact)
{
	for (size_t i = 0; i < impact->nr; i++)
		impact_item_release(&impact->item[i]);
	free(impact->item);
	objects_release(impact->drop, impact->drop_nr);
	objects_release(impact->affect, impact->affect_nr);
	for (size_t i = 0; i < impact->lock_nr; i++) {
		free(impact->lock[i].identity);
		free(impact->lock[i].mode);
		free(impact->lock[i].holder);
	}
	free(impact->lock);
	strvec_release(&impact->unknown);
	for (size_t i = 0; i < impact->script_nr; i++)
		sql_effects_release(&impact->script[i].effects);
	free(impact->script);
	*impact = (struct impact)IMPACT_INIT;
}

int impact_add(struct impact *impact, const struct sql_script *script, size_t done,
	       struct error *err)
{
	struct impact_script *added;

	ARRAY_GROW(impact->script, impact->script_nr + 1, impact->script_alloc);
	added = &impact->script[impact->script_nr];
	*added = (struct impact_script){ .script = script, .done = done };
	if (sql_script_effects(&added->effects, script, err) < 0)
		return -1;
	impact->script_nr++;
	return 0;
}

bool impact_is_kept(const struct impact *impact, uint32_t oid)
{
	for (size_t i = 0; i < impact->nr; i++)
		if (impact->item[i].kept && impact->item[i].oid == oid)
			return true;
	return false;
}

const struct sql_effects *impact_effects(const struct impact *impact, size_t script)
{
	return &impact->script[script].effects;
}

bool impact_destroys(const struct impact *impact)
{
	if (impact->unknown.nr)
		return true;
	for (size_t i = 0; i < impact->nr; i++) {
		const struct impact_item *item = &impact->item[i];

		if (!item->kept && !item->inserts_only && (item->rows != 0 || !item->exact))
			return true;
	}
	return false;
}

/* --- Targets ---------------------------------------------------------------------------------- */

struct collecting {
	struct impact_targets *targets;
	const struct sql_effect **made; /* what the run makes or renames on its way */
	size_t nr, alloc;
	const struct strvec *path; /* SET search_path of the script; NULL: the session's */
};

bool impact_changes_rows(enum dependency_change_kind *ret, const struct sql_effect *effect)
{
	switch (effect->kind) {
	case SQL_EFFECT_INSERT: *ret = DEPENDENCY_INSERT; return true;
	case SQL_EFFECT_UPDATE: *ret = DEPENDENCY_UPDATE; return true;
	case SQL_EFFECT_DELETE: *ret = DEPENDENCY_DELETE; return true;
	case SQL_EFFECT_TRUNCATE: *ret = DEPENDENCY_TRUNCATE; return true;
	case SQL_EFFECT_RETYPE_COLUMN: *ret = DEPENDENCY_RETYPE; return true;
	default: return false;
	}
}

/* Has it a name in a table? Then that is the last part. */
static bool is_in_table(const char *type)
{
	static const char *const list[] = { "policy", "rule", "table column", "table constraint",
					    "trigger" };

	return text_is_one_of(type, list, ARRAY_SIZE(list));
}

static bool is_relation(const char *type)
{
	static const char *const list[] = { "foreign table", "index",	 "materialized view",
					    "relation",	     "sequence", "table",
					    "view" };

	return text_is_one_of(type, list, ARRAY_SIZE(list));
}

static bool is_routine(const char *type)
{
	static const char *const list[] = { "aggregate", "function", "procedure", "routine" };

	return text_is_one_of(type, list, ARRAY_SIZE(list));
}

static struct dependency_name name_of(const struct sql_effect *e, const struct strvec *path)
{
	struct dependency_name ret = { .type = e->type, .path = path };
	size_t nr = e->name.nr, in_table = is_in_table(e->type) ? 1 : 0;

	if (is_routine(e->type) && !e->any_args)
		ret.args = &e->args;
	if (e->column) {
		ret.type = e->kind == SQL_EFFECT_RESTART ? "identity" : "table column";
		ret.part = e->column;
	} else if (in_table && nr) {
		ret.part = e->name.v[--nr];
	}
	if (nr)
		ret.name = e->name.v[nr - 1];
	if (nr > 1)
		ret.schema = e->name.v[nr - 2];
	return ret;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Could the one mean the other? Where either has no schema, it may. */
static bool may_be_same(const struct dependency_name *a, const struct dependency_name *b)
{
	bool same_type = !strcmp(a->type, b->type) ||
			 (is_relation(a->type) && is_relation(b->type)) ||
			 (is_routine(a->type) && is_routine(b->type));

	return same_type && same_text(a->name, b->name) && same_text(a->part, b->part) &&
	       (!a->schema || !b->schema || !strcmp(a->schema, b->schema));
}

static void find_made(const struct collecting *c, struct impact_target *target)
{
	struct dependency_name table = target->name;

	/* Of what belongs to a table that was made, and of the table itself. */
	table.type = "relation";
	table.part = NULL;
	for (size_t i = c->nr; i; i--) {
		const struct sql_effect *made = c->made[i - 1];
		struct dependency_name name = name_of(made, NULL);

		if (!may_be_same(&name, &target->name) &&
		    !(target->name.part && may_be_same(&name, &table)))
			continue;
		if (made->conditional) {
			target->optional = true;
			continue;
		}
		target->meaning = made->kind == SQL_EFFECT_RENAME ? IMPACT_MOVED : IMPACT_MADE;
		return;
	}
}

static void add_target(struct collecting *c, size_t script, const struct sql_effect *e)
{
	struct impact_target target = {
		.script = script,
		.effect = e,
		.optional = e->conditional,
	};

	if (e->kind != SQL_EFFECT_UNKNOWN) {
		target.name = name_of(e, c->path);
		find_made(c, &target);
	}
	ARRAY_GROW(c->targets->item, c->targets->nr + 1, c->targets->alloc);
	c->targets->item[c->targets->nr++] = target;
}

static void collect_effect(struct collecting *c, size_t script, const struct sql_effect *e)
{
	switch (e->kind) {
	case SQL_EFFECT_SEARCH_PATH: c->path = e->name.nr ? &e->name : NULL; break;
	case SQL_EFFECT_CREATE:
	case SQL_EFFECT_RENAME:
		ARRAY_GROW(c->made, c->nr + 1, c->alloc);
		c->made[c->nr++] = e;
		break;
	default: add_target(c, script, e);
	}
}

void impact_targets_collect(struct impact_targets *ret, const struct impact *impact)
{
	struct collecting c = { .targets = ret };

	for (size_t i = 0; i < impact->script_nr; i++) {
		const struct impact_script *script = &impact->script[i];

		c.path = NULL;
		for (size_t k = 0; k < script->effects.nr; k++) {
			const struct sql_effect *e = &script->effects.item[k];

			/* A path that was set before the interruption has to be set again. */
			if (e->statement >= script->done || e->kind == SQL_EFFECT_SEARCH_PATH)
				collect_effect(&c, i, e);
		}
	}
	free(c.made);
}

void impact_targets_release(struct impact_targets *targets)
{
	free(targets->item);
	*targets = (struct impact_targets)IMPACT_TARGETS_INIT;
}

/* --- Saying what they are ----------------------------------------------------------------------- */

static void add_name(struct strbuf *out, const struct strvec *name)
{
	for (size_t i = 0; i < name->nr; i++)
		strbuf_addf(out, "%s%s", i ? "." : "", name->v[i]);
}

/* As it is called in a DROP. */
static const char *type_text(const char *type)
{
	if (!strcmp(type, "owned"))
		return "owned by";
	if (!strcmp(type, "table constraint"))
		return "constraint";
	return !strcmp(type, "relation") ? "table" : type;
}

char *impact_effect_text(const struct sql_effect *e, bool with_name)
{
	static const char *const texts[] = {
		[SQL_EFFECT_DROP] = "DROP",
		[SQL_EFFECT_DROP_COLUMN] = "DROP COLUMN",
		[SQL_EFFECT_RETYPE_COLUMN] = "ALTER COLUMN TYPE",
		[SQL_EFFECT_INSERT] = "INSERT",
		[SQL_EFFECT_UPDATE] = "UPDATE",
		[SQL_EFFECT_DELETE] = "DELETE",
		[SQL_EFFECT_TRUNCATE] = "TRUNCATE",
		[SQL_EFFECT_RESTART] = "RESTART",
		[SQL_EFFECT_ALTER] = "ALTER",
	};
	struct strbuf ret = STRBUF_INIT;

	strbuf_addstr(&ret, texts[e->kind]);
	if (e->kind == SQL_EFFECT_DROP) {
		strbuf_addch(&ret, ' ');
		for (const char *p = type_text(e->type); *p; p++)
			strbuf_addch(&ret, (char)toupper((unsigned char)*p));
	}
	if (with_name && e->name.nr) {
		strbuf_addch(&ret, ' ');
		add_name(&ret, &e->name);
	}
	if (with_name && e->column)
		strbuf_addf(&ret, ".%s", e->column);
	if (with_name && e->cascade)
		strbuf_addstr(&ret, " CASCADE");
	return strbuf_detach(&ret);
}

char *impact_place(const struct impact *impact, const struct impact_target *target)
{
	const struct sql_script *s = impact->script[target->script].script;
	size_t offset = s->statement[target->effect->statement].offset;

	return xstrfmt("line %zu of %s", text_place(s->text, s->len, offset).line, s->path);
}

char *impact_target_text(const struct impact_target *target)
{
	const struct sql_effect *e = target->effect;
	struct strbuf ret = STRBUF_INIT;

	strbuf_addf(&ret, "%s ", e->column ? "column" : type_text(e->type));
	add_name(&ret, &e->name);
	if (e->column)
		strbuf_addf(&ret, ".%s", e->column);
	return strbuf_detach(&ret);
}
