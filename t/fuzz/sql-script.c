/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a script: parse it and digest it, then hold what came out against what
 * the headers promise.
 */
#include "sql/digest.h"
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

/* What the text of an INSERT says about rows, its tree says, too: WITH makes it one. */
static void check_insert(const struct sql_script *s, const struct sql_statement *it)
{
	struct sql_script one CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	char *sql CLEANUP(free_p) =
		xstrfmt("with fuzz as (select 1) %.*s", (int)it->len, s->text + it->offset);

	if (it->len > SQL_TREE_MAX / 2 || strncasecmp(s->text + it->offset, "insert", 6))
		return;
	check(!sql_script_parse(&one, "insert", sql, strlen(sql), &err),
	      "an INSERT cannot follow WITH");
	check(one.statement[0].loss == it->loss, "text and tree of an INSERT differ");
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
