/* SPDX-License-Identifier: MIT */
#include "sql/effect.h"

#include <ctype.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "sql/effect-maker.h"
#include "sql/lexer.h"
#include "sql/parser.h"

static void effect_release(struct sql_effect *e)
{
	strvec_release(&e->name);
	strvec_release(&e->args);
	strvec_release(&e->columns);
	free(e->column);
	free(e->why);
}

void sql_effects_release(struct sql_effects *effects)
{
	for (size_t i = 0; i < effects->nr; i++)
		effect_release(&effects->item[i]);
	free(effects->item);
	*effects = (struct sql_effects)SQL_EFFECTS_INIT;
}

/* --- Adding --------------------------------------------------------------------------------- */

struct sql_effect *effect_add(struct effect_maker *m, enum sql_effect_kind kind, const char *type,
			      const char *lock)
{
	struct sql_effects *list = m->effects;
	struct sql_effect *e;

	ARRAY_GROW(list->item, list->nr + 1, list->alloc);
	e = &list->item[list->nr++];
	*e = (struct sql_effect){
		.kind = kind,
		.statement = m->statement,
		.type = type,
		.lock = lock,
	};
	m->told = m->told || (kind != SQL_EFFECT_ALTER && kind != SQL_EFFECT_CREATE &&
			      kind != SQL_EFFECT_RENAME && kind != SQL_EFFECT_SEARCH_PATH);
	return e;
}

static void drop_last(struct sql_effects *effects)
{
	effect_release(&effects->item[--effects->nr]);
}

/* Once for a statement is enough: takes `e`, the last one, away if there is one like it. */
static void drop_repeated_unknown(struct effect_maker *m, struct sql_effect *e)
{
	for (size_t i = m->effects->nr - 1; i; i--) {
		const struct sql_effect *before = &m->effects->item[i - 1];

		if (before->statement != m->statement)
			return;
		if (before->kind != SQL_EFFECT_UNKNOWN || strcmp(before->why, e->why) != 0)
			continue;
		drop_last(m->effects);
		return;
	}
}

void effect_unknown(struct effect_maker *m, char *why)
{
	struct sql_effect *e = effect_add(m, SQL_EFFECT_UNKNOWN, NULL, NULL);

	e->why = why;
	drop_repeated_unknown(m, e);
}

void effect_set_range(struct sql_effect *e, const PgQuery__RangeVar *range)
{
	if (!range)
		return;
	if (*range->schemaname)
		strvec_push(&e->name, range->schemaname);
	strvec_push(&e->name, range->relname);
	e->only = !range->inh && e->kind != SQL_EFFECT_CREATE;
}

void effect_set_list(struct sql_effect *e, PgQuery__Node *const *list, size_t nr, size_t max)
{
	for (size_t i = nr > max ? nr - max : 0; i < nr; i++)
		strvec_push(&e->name, sql_tree_string(list[i]));
}

/* --- Queries -------------------------------------------------------------------------------- */

/* The columns that are set: UPDATE's targets, also where several are set from one row. */
static void add_columns(struct sql_effect *e, PgQuery__Node *const *targets, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (targets[i]->node_case == PG_QUERY__NODE__NODE_RES_TARGET)
			strvec_push(&e->columns, targets[i]->res_target->name);
}

static struct sql_effect *add_change(struct effect_maker *m, enum sql_effect_kind kind,
				     const PgQuery__RangeVar *range)
{
	struct sql_effect *e = effect_add(m, kind, "relation", LOCK_WRITE);

	effect_set_range(e, range);
	return e;
}

static void add_insert(struct effect_maker *m, const PgQuery__InsertStmt *s)
{
	const PgQuery__OnConflictClause *conflict = s->on_conflict_clause;

	add_change(m, SQL_EFFECT_INSERT, s->relation);
	if (conflict && conflict->action == PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE)
		add_columns(add_change(m, SQL_EFFECT_UPDATE, s->relation), conflict->target_list,
			    conflict->n_target_list);
}

static void add_update(struct effect_maker *m, const PgQuery__UpdateStmt *s)
{
	struct sql_effect *e = add_change(m, SQL_EFFECT_UPDATE, s->relation);

	add_columns(e, s->target_list, s->n_target_list);
	e->all = !s->where_clause && !s->n_from_clause;
}

static void add_merge(struct effect_maker *m, const PgQuery__MergeStmt *s)
{
	for (size_t i = 0; i < s->n_merge_when_clauses; i++) {
		const PgQuery__MergeWhenClause *when = s->merge_when_clauses[i]->merge_when_clause;

		if (when->command_type == PG_QUERY__CMD_TYPE__CMD_INSERT)
			add_change(m, SQL_EFFECT_INSERT, s->relation);
		else if (when->command_type == PG_QUERY__CMD_TYPE__CMD_DELETE)
			add_change(m, SQL_EFFECT_DELETE, s->relation);
		else if (when->command_type == PG_QUERY__CMD_TYPE__CMD_UPDATE)
			add_columns(add_change(m, SQL_EFFECT_UPDATE, s->relation),
				    when->target_list, when->n_target_list);
	}
}

/* The catalog may know it for one of the server's own: it has the name. */
static void add_call(struct effect_maker *m, const PgQuery__FuncCall *call)
{
	struct sql_effect *e = effect_add(m, SQL_EFFECT_UNKNOWN, "function", NULL);
	struct strbuf why = STRBUF_INIT;

	effect_set_list(e, call->funcname, call->n_funcname, 2);
	strbuf_addstr(&why, "a call of ");
	for (size_t i = 0; i < e->name.nr; i++)
		strbuf_addf(&why, "%s%s", i ? "." : "", e->name.v[i]);
	strbuf_addstr(&why, "()");
	e->why = strbuf_detach(&why);
	drop_repeated_unknown(m, e);
}

static void visit_query(const PgQuery__Node *n, void *data)
{
	struct effect_maker *m = data;

	switch (n->node_case) {
	case PG_QUERY__NODE__NODE_INSERT_STMT: add_insert(m, n->insert_stmt); break;
	case PG_QUERY__NODE__NODE_UPDATE_STMT: add_update(m, n->update_stmt); break;
	case PG_QUERY__NODE__NODE_DELETE_STMT:
		add_change(m, SQL_EFFECT_DELETE, n->delete_stmt->relation)->all =
			!n->delete_stmt->where_clause && !n->delete_stmt->n_using_clause;
		break;
	case PG_QUERY__NODE__NODE_MERGE_STMT: add_merge(m, n->merge_stmt); break;
	case PG_QUERY__NODE__NODE_SELECT_STMT:
		if (n->select_stmt->into_clause)
			effect_set_range(effect_add(m, SQL_EFFECT_CREATE, "table", NULL),
					 n->select_stmt->into_clause->rel);
		break;
	case PG_QUERY__NODE__NODE_FUNC_CALL:
		if (!sql_call_only_computes(n->func_call))
			add_call(m, n->func_call);
		break;
	case PG_QUERY__NODE__NODE_EXECUTE_STMT:
		effect_unknown(m, xstrfmt("EXECUTE %s", n->execute_stmt->name));
		break;
	default: break;
	}
}

void effect_of_query(struct effect_maker *m, const ProtobufCMessage *tree)
{
	sql_tree_walk(tree, visit_query, m);
}

static void add_copy(struct effect_maker *m, const PgQuery__CopyStmt *c)
{
	if (c->is_from)
		add_change(m, SQL_EFFECT_INSERT, c->relation);
	if (c->is_program)
		effect_unknown(m, xstrdup("COPY with PROGRAM"));
	effect_of_query(m, &c->base);
}

static void effect_of_tree(struct effect_maker *m, const PgQuery__Node *n)
{
	switch (n->node_case) {
	case PG_QUERY__NODE__NODE_COPY_STMT: add_copy(m, n->copy_stmt); break;
	case PG_QUERY__NODE__NODE_CALL_STMT: add_call(m, n->call_stmt->funccall); break;
	case PG_QUERY__NODE__NODE_DELETE_STMT:
	case PG_QUERY__NODE__NODE_EXECUTE_STMT:
	case PG_QUERY__NODE__NODE_INSERT_STMT:
	case PG_QUERY__NODE__NODE_MERGE_STMT:
	case PG_QUERY__NODE__NODE_SELECT_STMT:
	case PG_QUERY__NODE__NODE_UPDATE_STMT: effect_of_query(m, &n->base); break;
	default: effect_of_ddl(m, n);
	}
}

/* --- Without a tree ------------------------------------------------------------------------- */

/* A name as the catalog has it; free() it. */
static char *name_of_token(const char *text, const struct sql_token *t)
{
	struct strbuf ret = STRBUF_INIT;

	for (size_t i = t->start; i < t->end; i++) {
		char c = text[i];

		if (t->kind == 'a') {
			strbuf_addch(&ret, c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c);
		} else if (c != '"' || (i > t->start && i + 1 < t->end)) {
			strbuf_addch(&ret, c);
			i += c == '"'; /* it stands there twice */
		}
	}
	return strbuf_detach(&ret);
}

static bool is_word(const struct sql_token *t, const char *name, const char *word)
{
	return t->kind == 'a' && !strcmp(name, word);
}

/*
 * The name behind the first word: [INTO | FROM] [ONLY] ["("] [schema.]table. False for what it
 * cannot read: U&"...", another database's.
 */
static bool set_text_name(struct sql_effect *e, const char *text, size_t len)
{
	struct sql_token t;
	size_t pos = 0;

	if (!sql_next_token(&t, text, len, &pos))
		return false;
	while (sql_next_token(&t, text, len, &pos)) {
		char *name CLEANUP(free_p) = NULL;

		if (t.kind == '.' || (t.kind == '(' && e->only && !e->name.nr))
			continue;
		if (t.kind != 'a' && t.kind != '"')
			return false;
		name = name_of_token(text, &t);
		if (!e->name.nr && (is_word(&t, name, "into") || is_word(&t, name, "from")))
			continue;
		if (!e->name.nr && !e->only && is_word(&t, name, "only")) {
			e->only = true;
			continue;
		}
		strvec_push(&e->name, name);
		pos = sql_skip_blank(text, len, pos);
		if (pos >= len || text[pos] != '.')
			return e->name.nr < 3 && (pos >= len || text[pos] != '&');
	}
	return false;
}

/* Of an INSERT with nothing in it but values, or of what is too long for a tree. */
static bool effect_of_text(struct effect_maker *m, const struct sql_statement *s, const char *text)
{
	static const struct {
		const char *word;
		enum sql_effect_kind kind;
	} changes[] = {
		{ "insert", SQL_EFFECT_INSERT },
		{ "update", SQL_EFFECT_UPDATE },
		{ "delete", SQL_EFFECT_DELETE },
	};
	char word[16];
	bool known = false;

	sql_first_words(word, sizeof(word), text, s->len, 0, 1);
	if (s->len <= SQL_TREE_MAX && (strcmp(word, "insert") || s->loss != SQL_KEEPS_ROWS))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct sql_effect *e;

		if (strcmp(word, changes[i].word) != 0)
			continue;
		e = effect_add(m, changes[i].kind, "relation", LOCK_WRITE);
		known = set_text_name(e, text, s->len);
		if (!known)
			drop_last(m->effects);
	}
	if (!known && s->len <= SQL_TREE_MAX)
		return false;
	if (!known || s->loss != SQL_KEEPS_ROWS)
		effect_unknown(m, xstrfmt("a statement of %zu bytes", s->len));
	return true;
}

/* --- All of it, on the parser's thread ------------------------------------------------------ */

static bool same_strings(const struct strvec *a, const struct strvec *b)
{
	if (a->nr != b->nr)
		return false;
	for (size_t i = 0; i < a->nr; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

/* Statements on rows by the thousand are one effect, as long as they do the same to one table. */
static void merge_repeated(struct sql_effects *effects)
{
	const struct sql_effect *last, *before;

	if (effects->nr < 2)
		return;
	last = &effects->item[effects->nr - 1];
	before = last - 1;
	if ((last->kind == SQL_EFFECT_INSERT || last->kind == SQL_EFFECT_UPDATE ||
	     last->kind == SQL_EFFECT_DELETE) &&
	    last->kind == before->kind && last->only == before->only && last->all == before->all &&
	    same_strings(&last->name, &before->name) &&
	    same_strings(&last->columns, &before->columns))
		drop_last(effects);
}

/* "ALTER SYSTEM": what a statement begins with, for people. */
static char *first_words(const char *text, size_t len)
{
	char words[32];

	sql_first_words(words, sizeof(words), text, len, 0, 2);
	for (char *p = words; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return xstrdup(words);
}

static void effect_of_statement(struct effect_maker *m, const struct sql_statement *s,
				const char *text)
{
	struct sql_tree tree CLEANUP(sql_tree_release) = { 0 };

	m->told = false;
	if (s->kind == SQL_DO) {
		effect_unknown(m, xstrdup("DO"));
		return;
	}
	if (effect_of_text(m, s, text))
		return;
	sql_tree_parse(&tree, text, s->len);
	if (tree.statement)
		effect_of_tree(m, tree.statement);
	if (!m->told && s->loss != SQL_KEEPS_ROWS)
		effect_unknown(m, first_words(text, s->len));
}

struct effects_job {
	struct sql_effects *effects;
	const struct sql_script *script;
};

static void effects_job_run(void *data)
{
	struct effects_job *job = data;
	const struct sql_script *s = job->script;

	for (size_t i = 0; i < s->nr; i++) {
		struct effect_maker m = { .effects = job->effects, .statement = i };

		effect_of_statement(&m, &s->statement[i], s->text + s->statement[i].offset);
		merge_repeated(job->effects);
	}
}

int sql_script_effects(struct sql_effects *ret, const struct sql_script *script, struct error *err)
{
	struct sql_effects effects = SQL_EFFECTS_INIT;
	struct effects_job job = { .effects = &effects, .script = script };

	if (sql_parser_run(effects_job_run, &job, err) < 0)
		return -1;
	*ret = effects;
	return 0;
}
