/* SPDX-License-Identifier: MIT */
#include "flow/runner.h"

#include <ctype.h>
#include <strings.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/text.h"
#include "flow/resume.h"
#include "pg/dblock.h"

static void add_statement(struct db_batch *batch, const struct sql_script *script, size_t index)
{
	const struct sql_statement *statement = &script->statement[index];
	struct db_command *command =
		db_batch_add(batch, script->text + statement->offset, statement->len, 0, NULL);

	command->tag = index + 1;
	command->source = script;
	/* In a DO block, too. */
	command->deallocates = strcasestr(command->sql, "deallocate") != NULL;
}

void runner_add_statements(struct db_batch *batch, const struct sql_script *script, size_t from,
			   size_t to)
{
	for (size_t i = from; i < to; i++)
		add_statement(batch, script, i);
}

void runner_add_script(struct db_batch *batch, const struct db *db, const struct sql_script *script)
{
	runner_add_statements(batch, script, 0, script->nr);
	transaction_add_reset(batch, db);
}

/* The server counts characters from the start of the statement, from 1; 0: it named none. */
static void place_error(struct error *err, const struct sql_script *script, size_t index,
			size_t position)
{
	const struct sql_statement *statement = &script->statement[index];
	size_t at = statement->offset;

	if (position)
		at += text_byte_offset(script->text + at, statement->len, position - 1);
	if (err->exit_code != EXIT_INTERRUPTED)
		error_at(err, script->path, script->text, script->len, at);
}

int runner_run(struct db *db, struct db_batch *batch, size_t *ret_failed, struct error *err)
{
	size_t failed = 0;

	if (db_batch_run(db, batch, &failed, err) == 0)
		return 0;
	if (ret_failed)
		*ret_failed = failed;
	if (failed < batch->nr && batch->item[failed].tag)
		place_error(err, batch->item[failed].source, batch->item[failed].tag - 1,
			    db_error_position(db));
	return -1;
}

static bool is_word(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len > n && !strncasecmp(text, word, n) && isspace((unsigned char)text[n]);
}

/* "SELECT set_config(...)" and nothing more, as pg_dump writes it. */
static bool is_set_config(const char *text, size_t len)
{
	static const char schema[] = "pg_catalog.", name[] = "set_config";
	size_t at = strlen("select");

	if (!is_word(text, len, "select"))
		return false;
	while (at < len && isspace((unsigned char)text[at]))
		at++;
	if (len - at > strlen(schema) && !strncasecmp(text + at, schema, strlen(schema)))
		at += strlen(schema);
	if (len - at <= strlen(name) || strncasecmp(text + at, name, strlen(name)) != 0)
		return false;
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	/* One pair of brackets, from here to the end. */
	const char *open = memchr(text + at, '(', len - at);
	return open && text[len - 1] == ')' &&
	       !memchr(open + 1, '(', (size_t)(text + len - open - 1)) &&
	       memchr(open, ')', (size_t)(text + len - open)) == text + len - 1;
}

/* Does the statement only change a setting of the session? */
static bool is_setting(const char *text, size_t len)
{
	return is_word(text, len, "set") || is_word(text, len, "reset") || is_set_config(text, len);
}

static bool mentions_set_config(const char *text, size_t len)
{
	char *copy CLEANUP(free_p) = xmemdupz(text, len);

	return strcasestr(copy, "set_config") != NULL;
}

int runner_replay_settings(struct session *s, const struct sql_script *script, size_t before,
			   struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	for (size_t i = 0; i < before; i++) {
		const struct sql_statement *statement = &script->statement[i];
		const char *text = script->text + statement->offset;

		if (is_setting(text, statement->len)) {
			add_statement(&batch, script, i);
		} else if (mentions_set_config(text, statement->len)) {
			error_set(err,
				  "cannot go on: what statement %zu has set is not known any more",
				  i + 1);
			error_at(err, script->path, script->text, script->len, statement->offset);
			return error_code(err, EXIT_NO);
		}
	}
	return runner_run(&s->db, &batch, NULL, err);
}

/*
 * The note that a statement is begun or done, by ourselves: the script may have taken
 * another role. What the session has set comes back with the end of the transaction.
 */
static void add_progress(struct session *s, struct db_batch *batch, const char *operation,
			 const char *version, size_t begun, size_t done)
{
	static const char *const ourselves[] = { "SET LOCAL SESSION AUTHORIZATION DEFAULT",
						 "SET LOCAL ROLE NONE" };

	for (size_t i = 0; i < ARRAY_SIZE(ourselves); i++)
		db_batch_add(batch, ourselves[i], strlen(ourselves[i]), 0, NULL);
	rollback_log_add_progress(batch, &s->place, operation, version, begun, done);
}

/* Our own settings are left out: those that the script itself has made count. */
static void add_begin(struct db_batch *batch)
{
	static const char begin[] = "BEGIN ISOLATION LEVEL READ COMMITTED";

	db_batch_add(batch, begin, strlen(begin), 0, NULL);
}

/* Inside a transaction, together with the note that it is done. */
static int run_inside(struct session *s, const struct sql_script *script, size_t index,
		      const char *operation, const char *version, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	add_begin(&batch);
	add_statement(&batch, script, index);
	add_progress(s, &batch, operation, version, index + 1, index + 1);
	if (runner_run(&s->db, &batch, NULL, err) < 0) {
		db_rollback(&s->db);
		return -1;
	}
	return transaction_commit(&s->db, err) == TRANSACTION_COMMITTED ? 0 : -1;
}

static int note_progress(struct session *s, const char *operation, const char *version,
			 size_t begun, size_t done, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	add_begin(&batch);
	add_progress(s, &batch, operation, version, begun, done);
	if (db_batch_run(&s->db, &batch, NULL, err) < 0) {
		db_rollback(&s->db);
		return error_prefix(err, "could not note how far migration '%s' came", version);
	}
	return transaction_commit(&s->db, err) == TRANSACTION_COMMITTED ? 0 : -1;
}

/* A pooler that has changed the server process has taken the lock from us as well. */
static int check_backend(struct session *s, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (!s->db.pooled)
		return 0;
	if (db_query(&res, &s->db, "SELECT pg_catalog.pg_backend_pid()", 0, NULL, err) < 0)
		return -1;
	if (db_int(&res, 0, 0) == s->db.backend_pid)
		return 0;
	return error_refused(err, "the connection pooler has changed the server process: "
				  "the lock is no longer ours");
}

static int retake_session(struct session *s, struct error *err)
{
	char *holder CLEANUP(free_p) = NULL;
	int ret = dblock_take(&s->db, 0, NULL, NULL, &holder, err);

	if (ret == DBLOCK_BUSY)
		return error_set(err,
				 "DISCARD ALL gave up the database's lock, and it is taken: %s",
				 holder);
	return ret < 0 ? -1 : transaction_set_session(&s->db, err);
}

/*
 * The server says that it failed. Where that left nothing behind, it counts as not begun:
 * else an index that was there before would pass for the one that could not be made.
 */
static void note_failure(struct session *s, const struct sql_statement *statement, size_t index,
			 const char *operation, const char *version)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	bool left = true;

	if (resume_left_something(&left, s, statement, &ignored) == 0 && !left &&
	    note_progress(s, operation, version, index, index, &ignored) < 0)
		error_clear(&ignored); /* then it has to be found out later */
}

static int run_alone(struct session *s, const struct sql_script *script, size_t index,
		     const char *operation, const char *version, struct error *err)
{
	const struct sql_statement *statement = &script->statement[index];
	char *sql CLEANUP(free_p) = xmemdupz(script->text + statement->offset, statement->len);

	if (check_backend(s, err) < 0 ||
	    note_progress(s, operation, version, index + 1, index, err) < 0)
		return -1;
	if (db_query(NULL, &s->db, sql, 0, NULL, err) < 0) {
		if (!db_is_lost(&s->db)) {
			place_error(err, script, index, db_error_position(&s->db));
			note_failure(s, statement, index, operation, version);
		}
		return -1;
	}
	db_forget_prepared(&s->db); /* a procedure, or DISCARD ALL, may have taken it away */
	/* DISCARD ALL has taken our own settings and the session's lock as well. */
	if (statement->kind == SQL_DISCARD_ALL && retake_session(s, err) < 0)
		return -1;
	return note_progress(s, operation, version, index + 1, index + 1, err);
}

int runner_run_outside(struct session *s, const struct sql_script *script, const char *operation,
		       const char *version, size_t from, struct error *err)
{
	if (transaction_set_session(&s->db, err) < 0 ||
	    runner_replay_settings(s, script, from, err) < 0)
		return -1;
	for (size_t i = from; i < script->nr; i++) {
		int ret;

		if (interrupt_pending())
			return error_interrupted(err);
		ret = script->statement[i].outside || script->statement[i].opaque ?
			      run_alone(s, script, i, operation, version, err) :
			      run_inside(s, script, i, operation, version, err);
		if (ret < 0)
			return -1;
	}
	return transaction_reset_session(&s->db, err);
}
