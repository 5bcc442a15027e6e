/* SPDX-License-Identifier: MIT */
#include "sql/script.h"

#include <pg_query.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "sql/lexer.h"
#include "sql/parser.h"

void sql_script_release(struct sql_script *s)
{
	for (size_t i = 0; i < s->nr; i++)
		sql_statement_release(&s->statement[i]);
	free(s->statement);
	free(s->path);
	free(s->text);
	*s = (struct sql_script)SQL_SCRIPT_INIT;
}

const struct sql_statement *sql_script_secret(const struct sql_script *s)
{
	for (size_t i = 0; i < s->nr; i++)
		if (s->statement[i].has_secret)
			return &s->statement[i];
	return NULL;
}

enum sql_loss sql_script_loss(const struct sql_script *s)
{
	enum sql_loss ret = SQL_KEEPS_ROWS;

	for (size_t i = 0; i < s->nr; i++)
		ret = sql_loss_worse(ret, s->statement[i].loss);
	return ret;
}

static int place(const struct sql_script *s, size_t offset, struct error *err)
{
	return error_at(err, s->path, s->text, s->len, offset);
}

PRINTF(4, 5)
static int refuse(const struct sql_script *s, size_t offset, struct error *err, const char *fmt,
		  ...)
{
	struct strbuf message CLEANUP(strbuf_release) = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&message, fmt, ap);
	va_end(ap);
	error_refused(err, "%s", message.buf);
	return place(s, offset, err);
}

static size_t line_of(const struct sql_script *s, size_t offset)
{
	return text_place(s->text, s->len, offset).line;
}

/* --- What does not parse --- */

/*
 * The first COPY FROM STDIN that ends before `end`, or NULL. The data behind it is no SQL,
 * so the parser stumbles over the data; the statement is what has to be named.
 */
static bool find_copy(const struct sql_script *s, size_t end, struct sql_statement *ret)
{
	size_t pos = sql_skip_blank(s->text, s->len, 0);

	while (pos < end) {
		size_t stop = sql_next_semicolon(s->text, s->len, pos);
		struct sql_statement it = { .offset = pos, .len = stop - pos };
		struct error ignored CLEANUP(error_release) = ERROR_INIT;
		char words[8];

		sql_first_words(words, sizeof(words), s->text, stop, pos, 1);
		if (stop < end && !strcmp(words, "copy") &&
		    !sql_statement_classify(&it, s->text, &ignored) &&
		    it.kind == SQL_COPY_FROM_STDIN) {
			*ret = it;
			return true;
		}
		sql_statement_release(&it);
		pos = sql_skip_blank(s->text, s->len, stop + (stop < s->len));
	}
	return false;
}

static int refuse_copy(const struct sql_script *s, const struct sql_statement *it,
		       struct error *err)
{
	refuse(s, it->offset, err, "%s is not possible in a script", sql_kind_name(it->kind));
	if (it->kind == SQL_COPY_TO_STDOUT)
		return error_hint(err, "There is nowhere to write its rows to.");
	return error_hint(err, "Write the rows as INSERT statements, or load them with "
			       "psql after the script has been applied.");
}

static int refuse_backslash(const struct sql_script *s, size_t offset, struct error *err)
{
	size_t end = offset + 1;

	while (end < s->len && end - offset < 20 && s->text[end] > ' ' && s->text[end] < 0x7f)
		end++;
	refuse(s, offset, err, "'%.*s' is a command of psql, not SQL", (int)(end - offset),
	       s->text + offset);
	return error_hint(err, "Scripts are sent to the server as they are, without psql. "
			       "Write out what the command would do.");
}

static int refuse_variable(const struct sql_script *s, size_t offset, struct error *err)
{
	refuse(s, offset, err, "':' does not fit here; psql's variables are not SQL");
	return error_hint(err, "Scripts are sent to the server as they are, without psql. "
			       "Write out the variable's value.");
}

static bool is_variable(const struct sql_script *s, size_t offset)
{
	char next = offset + 1 < s->len ? s->text[offset + 1] : ' ';

	return s->text[offset] == ':' &&
	       (next == '\'' || next == '"' || next == '{' || next == '_' ||
		(next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') ||
		(next >= '0' && next <= '9'));
}

static int explain(const struct sql_script *s, const PgQueryError *reason, struct error *err)
{
	struct sql_statement copy = { 0 };
	size_t offset = s->len;

	if (reason->cursorpos > 0) /* counts characters from 1 */
		offset = text_byte_offset(s->text, s->len, (size_t)reason->cursorpos - 1);
	if (find_copy(s, offset, &copy)) {
		refuse_copy(s, &copy, err);
		sql_statement_release(&copy);
		return -1;
	}
	if (offset < s->len && s->text[offset] == '\\')
		return refuse_backslash(s, offset, err);
	if (offset < s->len && is_variable(s, offset))
		return refuse_variable(s, offset, err);
	error_set(err, "%s", reason->message);
	if (offset == s->len) /* show the last line that has something on it */
		while (offset > 0 && strchr(" \t\r\n", s->text[offset - 1]))
			offset--;
	place(s, offset, err);
	return error_hint(err, "This is what libpg_query's grammar of PostgreSQL " PG_MAJORVERSION
			       " says; a newer server may know more.");
}

/* --- The marker --- */

/* Whether the bytes from `pos` to `end`, blanks and comments, have the marker on a line. */
static bool find_marker(const char *text, size_t pos, size_t end, size_t *ret)
{
	static const char marker[] = SQL_MARKER;
	bool fresh = pos == 0 || text[pos - 1] == '\n';

	while (pos < end) {
		size_t next = pos + 1;

		if (text[pos] == '-') {
			size_t stop = pos, len;

			while (stop < end && text[stop] != '\n' && text[stop] != '\r')
				stop++;
			next = stop;
			while (stop > pos && strchr(" \t", text[stop - 1]))
				stop--;
			len = stop - pos;
			if (fresh && len == strlen(marker) && !memcmp(text + pos, marker, len)) {
				*ret = pos;
				return true;
			}
			fresh = false;
		} else if (text[pos] == '/') {
			next = sql_skip_block(text, end, pos);
			fresh = false;
		} else if (text[pos] == '\n') {
			fresh = true;
		}
		pos = next;
	}
	return false;
}

static int check_markers(struct sql_script *s, size_t pos, size_t end, struct error *err)
{
	size_t at;

	if (!find_marker(s->text, pos, end, &at))
		return 0;
	if (!s->nr) {
		s->marked = true;
		return 0;
	}
	refuse(s, at, err, "the marker '" SQL_MARKER "' comes too late");
	return error_hint(err, "It rules the whole script: put it before the first statement.");
}

/* --- Splitting --- */

static int add_statement(struct sql_script *s, size_t *from, const PgQuerySplitStmt *it,
			 struct error *err)
{
	size_t start = (size_t)it->stmt_location, end = start + (size_t)it->stmt_len;
	struct sql_statement *added;

	start = sql_skip_blank(s->text, end, start);
	if (start == end)
		BUG("the parser found a statement in nothing but blanks");
	if (check_markers(s, *from, start, err) < 0)
		return -1;
	*from = end;
	while (strchr(" \t\r\n", s->text[end - 1]))
		end--;
	ARRAY_GROW(s->statement, s->nr + 1, s->alloc);
	added = &s->statement[s->nr++];
	*added = (struct sql_statement){ .offset = start, .len = end - start };
	if (sql_statement_classify(added, s->text, err) < 0)
		return place(s, start, err);
	if (added->kind == SQL_COPY_FROM_STDIN || added->kind == SQL_COPY_TO_STDOUT)
		return refuse_copy(s, added, err);
	return 0;
}

static int add_statements(struct sql_script *s, const PgQuerySplitResult *split, struct error *err)
{
	size_t from = 0;

	for (int i = 0; i < split->n_stmts; i++)
		if (add_statement(s, &from, split->stmts[i], err) < 0)
			return -1;
	while (from < s->len && s->text[from] == ';')
		from++;
	return check_markers(s, from, s->len, err);
}

/*
 * DROP SUBSCRIPTION reaches for the publisher, outside of a transaction, only while there
 * is a slot: after SET (slot_name = NONE) it is as ordinary as any.
 */
static void release_slots(struct sql_script *s)
{
	for (size_t i = 0; i < s->nr; i++) {
		struct sql_statement *drop = &s->statement[i];

		if (drop->kind != SQL_DROP_SUBSCRIPTION)
			continue;
		for (size_t k = 0; k < i; k++)
			if (s->statement[k].drops_slot &&
			    !strcmp(s->statement[k].object.name, drop->object.name))
				drop->outside = false;
	}
}

static void find_why(struct sql_script *s)
{
	for (size_t i = 0; i < s->nr && !s->why; i++)
		if (s->statement[i].outside)
			s->why = &s->statement[i];
	s->no_transaction = s->marked || s->why;
}

/* --- Transaction control --- */

static const char *hint_of(enum sql_kind kind)
{
	switch (kind) {
	case SQL_ROLLBACK:
		return "Script and record commit together. To make a script fail, raise an "
		       "exception in a DO block.";
	case SQL_PREPARE_TRANSACTION:
	case SQL_COMMIT_PREPARED:
	case SQL_ROLLBACK_PREPARED:
		return "Script and record commit together, in one transaction, which is not "
		       "the script's to prepare or to end.";
	default: return NULL;
	}
}

/* What no script may have, wherever it stands. */
static int check_forbidden(const struct sql_script *s, struct error *err)
{
	for (size_t i = 0; i < s->nr; i++) {
		const char *hint = hint_of(s->statement[i].kind);

		if (!hint)
			continue;
		refuse(s, s->statement[i].offset, err, "%s is not possible in a script",
		       sql_kind_name(s->statement[i].kind));
		return error_hint(err, "%s", hint);
	}
	return 0;
}

static bool is_control(enum sql_kind kind)
{
	return kind == SQL_BEGIN || kind == SQL_COMMIT || kind == SQL_SAVEPOINT ||
	       kind == SQL_RELEASE || kind == SQL_ROLLBACK_TO;
}

static int refuse_outside_in_block(const struct sql_script *s, const struct sql_statement *it,
				   size_t begin, struct error *err)
{
	refuse(s, it->offset, err,
	       "%s cannot run inside the transaction that BEGIN starts in line %zu",
	       sql_kind_name(it->kind), line_of(s, begin));
	return error_hint(err,
			  "Take BEGIN and COMMIT out, or make this statement a script of its own.");
}

/* A script that runs outside of a transaction has no transaction control at all. */
static int check_no_transaction(const struct sql_script *s, struct error *err)
{
	const struct sql_statement *first = NULL, *block = NULL;

	for (size_t i = 0; i < s->nr; i++) {
		const struct sql_statement *it = &s->statement[i];

		if (is_control(it->kind) && !first)
			first = it;
		if (it->kind == SQL_BEGIN)
			block = it;
		else if (it->kind == SQL_COMMIT)
			block = NULL;
		else if (it->outside && block)
			return refuse_outside_in_block(s, it, block->offset, err);
	}
	if (!first)
		return 0;
	if (s->why)
		refuse(s, first->offset, err,
		       "%s in a script that runs outside of a transaction, because of %s in line %zu",
		       sql_kind_name(first->kind), sql_kind_name(s->why->kind),
		       line_of(s, s->why->offset));
	else
		refuse(s, first->offset, err,
		       "%s in a script that runs outside of a transaction, because it is marked "
		       "'" SQL_MARKER "'",
		       sql_kind_name(first->kind));
	return error_hint(err, "Each statement of such a script commits by itself. Put what needs "
			       "a transaction into a script of its own.");
}

static int refuse_begin(const struct sql_script *s, size_t i, bool committed, struct error *err)
{
	const struct sql_statement *it = &s->statement[i];

	if (committed) {
		refuse(s, it->offset, err, "the script has several transactions: another BEGIN");
		return error_hint(err,
				  "Script and record commit together, in one transaction. Make "
				  "each of its transactions a script of its own.");
	}
	refuse(s, it->offset, err, "BEGIN in the middle of a script");
	return error_hint(err, "Put it before the first statement, or leave it out: the script "
			       "runs in a transaction anyway.");
}

static int refuse_commit(const struct sql_script *s, size_t i, bool begun, struct error *err)
{
	const struct sql_statement *it = &s->statement[i];

	if (i + 1 < s->nr && s->statement[i + 1].kind == SQL_BEGIN)
		return refuse_begin(s, i + 1, true, err);
	if (i + 1 == s->nr && !begun) {
		refuse(s, it->offset, err, "COMMIT without BEGIN");
		return error_hint(err, "Put a BEGIN before the first statement, or leave COMMIT "
				       "out: the script runs in a transaction anyway.");
	}
	refuse(s, it->offset, err, "COMMIT in the middle of a script");
	return error_hint(err, "Script and record commit together, in one transaction. Make what "
			       "comes after it a script of its own.");
}

static int check_blocks(const struct sql_script *s, struct error *err)
{
	bool begun = s->nr && s->statement[0].kind == SQL_BEGIN;

	for (size_t i = 0; i < s->nr; i++) {
		if (s->statement[i].kind == SQL_BEGIN && i > 0)
			return refuse_begin(s, i, false, err);
		if (s->statement[i].kind == SQL_COMMIT && (i + 1 < s->nr || !begun))
			return refuse_commit(s, i, begun, err);
	}
	if (begun && s->statement[s->nr - 1].kind != SQL_COMMIT) {
		refuse(s, s->statement[0].offset, err, "BEGIN without COMMIT");
		return error_hint(err, "End the script with COMMIT, or leave BEGIN out: the script "
				       "runs in a transaction anyway.");
	}
	return 0;
}

/* The open savepoint of that name: the last one counts, as names may be used again. */
static bool find_savepoint(const struct sql_script *s, const size_t *open, size_t nr,
			   const struct sql_statement *it, size_t *ret)
{
	while (nr--)
		if (!strcmp(s->statement[open[nr]].object.name, it->object.name)) {
			*ret = nr;
			return true;
		}
	return false;
}

static int check_savepoints(const struct sql_script *s, struct error *err)
{
	size_t *open CLEANUP(free_p) = NULL;
	size_t nr = 0, alloc = 0, at;

	for (size_t i = 0; i < s->nr; i++) {
		const struct sql_statement *it = &s->statement[i];

		if (it->kind == SQL_SAVEPOINT) {
			ARRAY_GROW(open, nr + 1, alloc);
			open[nr++] = i;
		} else if (it->kind == SQL_RELEASE || it->kind == SQL_ROLLBACK_TO) {
			if (!find_savepoint(s, open, nr, it, &at)) {
				refuse(s, it->offset, err, "%s: there is no open savepoint '%s'",
				       sql_kind_name(it->kind), it->object.name);
				return error_hint(err, "Only savepoints that the script itself has "
						       "set can be used.");
			}
			nr = it->kind == SQL_RELEASE ? at : at + 1;
		}
	}
	if (!nr)
		return 0;
	refuse(s, s->statement[open[0]].offset, err, "savepoint '%s' is never released",
	       s->statement[open[0]].object.name);
	return error_hint(err, "End it with RELEASE SAVEPOINT, or leave it out.");
}

static void absorb(struct sql_script *s)
{
	if (!s->nr || s->statement[0].kind != SQL_BEGIN)
		return;
	sql_statement_release(&s->statement[0]);
	sql_statement_release(&s->statement[s->nr - 1]);
	s->nr -= 2;
	memmove(s->statement, s->statement + 1, s->nr * sizeof(*s->statement));
	s->absorbed = true;
}

static int check_control(struct sql_script *s, struct error *err)
{
	if (check_forbidden(s, err) < 0)
		return -1;
	if (s->no_transaction)
		return check_no_transaction(s, err);
	if (check_blocks(s, err) < 0 || check_savepoints(s, err) < 0)
		return -1;
	absorb(s);
	return 0;
}

/* --- All of it, on the parser's thread --- */

struct parse_job {
	struct sql_script *script;
	struct error *err;
	int result;
};

static void parse_job_run(void *data)
{
	struct parse_job *job = data;
	struct sql_script *s = job->script;
	PgQuerySplitResult split = pg_query_split_with_parser(s->text);

	if (split.error)
		job->result = explain(s, split.error, job->err);
	else
		job->result = add_statements(s, &split, job->err);
	pg_query_free_split_result(split);
}

int sql_script_parse(struct sql_script *ret, const char *path, const void *bytes, size_t len,
		     struct error *err)
{
	struct sql_script s CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
	struct parse_job job = { .script = &s, .err = err };
	size_t bom;

	if (sql_text_check(&bom, path, bytes, len, err) < 0)
		return -1;
	s.path = xstrdup(path);
	s.len = len - bom;
	s.text = xmemdupz(len ? (const char *)bytes + bom : "", s.len);
	if (sql_parser_run(parse_job_run, &job, err) < 0 || job.result < 0)
		return -1;
	release_slots(&s);
	find_why(&s);
	if (check_control(&s, err) < 0)
		return -1;
	*ret = s;
	s = (struct sql_script)SQL_SCRIPT_INIT;
	return 0;
}
