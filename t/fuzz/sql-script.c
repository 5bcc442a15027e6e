/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a script: parse it and digest it, then hold what came out against what
 * the headers promise.
 */
#include "sql/digest.h"
#include "sql/effect.h"
#include "sql/script.h"

#include <strings.h>

#include "base/memory.h"
#include "sql/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what)
{
	if (!holds)
		BUG("%s", what);
}

/* Statements follow each other, are not empty, and hold no transaction control. */
static void check_statements(const struct sql_script *s)
{
	size_t end = 0;

	for (size_t i = 0; i < s->nr; i++) {
		const struct sql_statement *it = &s->statement[i];

		check(it->offset >= end && it->len > 0, "statements overlap");
		check(it->offset + it->len <= s->len, "a statement ends behind the text");
		check(it->kind < SQL_BEGIN, "transaction control was let through");
		check(!it->outside || s->no_transaction, "a statement that cannot run inside");
		end = it->offset + it->len;
	}
	check(!s->absorbed || !s->no_transaction, "a transaction was taken off and then left out");
}

/* A statement by itself is one statement, of the same kind. */
static void check_alone(const struct sql_script *s)
{
	for (size_t i = 0; i < s->nr; i++) {
		struct sql_script one CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
		struct error err CLEANUP(error_release) = ERROR_INIT;
		const struct sql_statement *it = &s->statement[i];

		if (it->kind == SQL_SAVEPOINT || it->kind == SQL_RELEASE ||
		    it->kind == SQL_ROLLBACK_TO)
			continue; /* refused alone */
		check(!sql_script_parse(&one, "one", s->text + it->offset, it->len, &err),
		      "a statement does not parse alone");
		check(one.nr == 1 && one.statement[0].kind == it->kind, "it is another one alone");
		check(one.statement[0].loss == it->loss, "it does something else to rows alone");
	}
}

static void get_effects(struct sql_effects *ret, const struct sql_script *s)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	check(!sql_script_effects(ret, s, &err), "the effects of a script are no error");
}

/* Each belongs to a statement and has a name, or says why it has none. */
static void check_effects(const struct sql_script *s)
{
	struct sql_effects effects CLEANUP(sql_effects_release) = SQL_EFFECTS_INIT;
	size_t next = 0;

	get_effects(&effects, s);
	for (size_t i = 0; i < effects.nr; i++) {
		const struct sql_effect *e = &effects.item[i];

		check(e->statement >= next && e->statement < s->nr, "effects in another order");
		next = e->statement;
		if (e->kind == SQL_EFFECT_UNKNOWN)
			check(e->why && *e->why, "an unknown effect without a reason");
		else if (e->kind != SQL_EFFECT_SEARCH_PATH)
			check(e->type && (e->name.nr || e->args.nr || !strcmp(e->type, "owned") ||
					  !strcmp(e->type, "schema")),
			      "an effect on nothing");
	}
}

/* The table of the first INSERT, as text, unless the parser has shortened its name. */
static char *inserted_table(const struct sql_script *s)
{
	struct sql_effects effects CLEANUP(sql_effects_release) = SQL_EFFECTS_INIT;
	const size_t name_max = 63;

	get_effects(&effects, s);
	for (size_t i = 0; i < effects.nr; i++) {
		const struct strvec *name = &effects.item[i].name;

		if (effects.item[i].kind != SQL_EFFECT_INSERT)
			continue;
		for (size_t k = 0; k < name->nr; k++)
			if (strlen(name->v[k]) >= name_max)
				return xstrdup("");
		return xstrfmt("%s.%s", name->v[0], name->v[name->nr - 1]);
	}
	return xstrdup("none");
}

/* What the text of an INSERT says about rows, its tree says, too: WITH makes it one. */
static void check_insert(const struct sql_script *s, const struct sql_statement *it)
{
	struct sql_script one CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	static const char with[] = "with fuzz as (select 1) ";
	char *sql CLEANUP(free_p) = xstrfmt("%s%.*s", with, (int)it->len, s->text + it->offset);

	if (it->len > SQL_TREE_MAX / 2 || strncasecmp(s->text + it->offset, "insert", 6))
		return;
	check(!sql_script_parse(&one, "insert", sql, strlen(sql), &err),
	      "an INSERT cannot follow WITH");
	check(one.statement[0].loss == it->loss, "text and tree of an INSERT differ");

	struct sql_script alone CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;

	check(!sql_script_parse(&alone, "alone", sql + strlen(with), strlen(sql) - strlen(with),
				&err),
	      "an INSERT does not parse alone");
	char *by_text CLEANUP(free_p) = inserted_table(&alone);
	char *by_tree CLEANUP(free_p) = inserted_table(&one);
	check(!*by_text || !*by_tree || !strcmp(by_text, by_tree),
	      "text and tree of an INSERT name different tables");
}

static void check_loss(const struct sql_script *s)
{
	bool loses = false, keeps = true;

	for (size_t i = 0; i < s->nr; i++) {
		loses |= s->statement[i].loss == SQL_LOSES_ROWS;
		keeps &= s->statement[i].loss == SQL_KEEPS_ROWS;
		if (s->nr < 8)
			check_insert(s, &s->statement[i]);
	}
	check((sql_script_loss(s) == SQL_LOSES_ROWS) == loses, "rows go, and it is not said");
	check((sql_script_loss(s) == SQL_KEEPS_ROWS) == keeps, "rows may go, and it is not said");
}

static void check_error(const struct error *err)
{
	check(err->message && err->place && err->excerpt, "an error without its place");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sql_script s CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	struct error digest_err CLEANUP(error_release) = ERROR_INIT;
	char hex[SQL_DIGEST_LEN + 1], again[SQL_DIGEST_LEN + 1];
	bool parsed = !sql_script_parse(&s, "fuzz", data, size, &err);

	if (parsed) {
		check_statements(&s);
		check_loss(&s);
		check_effects(&s);
		if (s.nr < 8)
			check_alone(&s);
	} else {
		check_error(&err);
	}
	if (sql_token_digest(hex, "fuzz", data, size, &digest_err) < 0) {
		check_error(&digest_err);
		check(!parsed, "a script that parses has no digest");
		return 0;
	}
	check(strlen(hex) == SQL_DIGEST_LEN, "a digest is 64 characters long");
	if (!parsed)
		return 0;

	/* A comment in front changes nothing. */
	char *longer CLEANUP(free_p) = xstrfmt("-- licence\n%s", s.text);
	check(!sql_token_digest(again, "fuzz", longer, strlen(longer), &digest_err) &&
		      !strcmp(hex, again),
	      "a comment changes the digest");
	return 0;
}
