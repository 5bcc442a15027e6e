/* SPDX-License-Identifier: MIT */
#include "flow/change.h"

#include <pwd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "flow/patience.h"
#include "flow/settle.h"
#include "pg/dblock.h"
#include "pg/transaction.h"
#include "term/output.h"

/* As git knows them; the system's name for them takes a look into its user database. */
static char *who_we_are(const struct settings *settings)
{
	const char *committer = getenv("GIT_COMMITTER_EMAIL");
	const char *name =
		committer && *committer ? committer : settings_git(settings, "user.email");
	const struct passwd *entry = NULL;
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	if (name && *name)
		return xstrfmt("%s on %s", name, host);
	entry = getpwuid(getuid());
	if (entry)
		return xstrfmt("%s on %s", entry->pw_name, host);
	return xstrfmt("%ld on %s", (long)getuid(), host);
}

static int wait_seconds(const struct session *s)
{
	return patience_seconds(s->request.common);
}

int change_check_lock_table(struct session *s, size_t statements, struct verdict *verdict,
			    struct error *err)
{
	const size_t locks_per_statement = 5, always_fits = 1000; /* measured on CREATE TABLE */
	size_t needed = statements * locks_per_statement;
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (needed <= always_fits)
		return 0;
	if (db_query(&res, &s->db,
		     "SELECT current_setting('max_locks_per_transaction')::int8 *"
		     " (current_setting('max_connections')::int8 +"
		     " current_setting('max_prepared_transactions')::int8)",
		     0, NULL, err) < 0)
		return -1;
	if ((int64_t)needed > db_int(&res, 0, 0))
		verdict_warn(
			verdict,
			"one transaction may need %zu locks, and the server's table has room for about "
			"%" PRId64
			"; raise max_locks_per_transaction if it ends with 'out of shared memory'",
			needed, db_int(&res, 0, 0));
	return 0;
}

int change_await(struct session *s, struct error *err)
{
	struct patience p = patience_of("the database", wait_seconds(s), 50000);

	while (s->unfinished.nr) {
		char *holder CLEANUP(free_p) = NULL;

		if (dblock_holder(&holder, &s->db, err) < 0)
			return -1;
		if (!holder)
			return p.told ? session_reread(s, err) : 0;
		if (patience_wait(&p, holder, err) < 0)
			return -1;
	}
	return 0;
}

/* With the session's id, and its lock if it has that already. */
static int lock_repository(struct change *change, struct error *err)
{
	struct session *s = change->session;

	change->operation = s->operation;
	s->operation = (struct operation)OPERATION_INIT;
	if (change->operation.lock.fd >= 0)
		return 0;
	return patience_lock_operation(&change->operation, s->repo.common_dir, s->request.command,
				       s->request.common, err);
}

static int collect_members(struct change *change, json_t *more, struct error *err)
{
	struct session *s = change->session;
	const char *identity;

	if (db_identity(&identity, &s->db, err) < 0)
		return -1;
	change->members = json_pack("{s:o, s:o}", "database", json_text(s->database.name),
				    "identity", json_text(identity));
	if (more)
		json_object_update(change->members, more);
	return 0;
}

int change_write_down(struct change *change, struct error *err)
{
	const struct session *s = change->session;
	char *nobody CLEANUP(free_p) = NULL; /* the lock is ours */

	if (change->operation.record)
		return 0;
	if (change->prepare && change->prepare(change->prepare_data, change->members, err) < 0)
		return -1;
	if (operation_begin(&change->operation, s->repo.common_dir, s->request.command,
			    change->members, &nobody, err) < 0)
		return -1;
	change->written = true;
	return 0;
}

static int take_database(struct change *change, bool outside, struct error *err)
{
	struct session *s = change->session;
	int seconds = wait_seconds(s);
	struct db probe CLEANUP(db_close) = DB_INIT;
	char *holder CLEANUP(free_p) = NULL;
	int ret;

	if (s->db.pooled && !outside)
		return 0; /* each transaction takes it */
	if (s->db.pooled) {
		if (session_connect(s, &probe, "git-rollback probe", err) < 0)
			return -1;
		ret = dblock_take_pooled(&s->db, &probe, seconds, patience_tell, NULL, &holder,
					 err);
	} else {
		ret = dblock_take(&s->db, seconds, patience_tell, NULL, &holder, err);
	}
	if (ret == DBLOCK_BUSY)
		return patience_refuse("the database", holder, err);
	change->locked = ret == DBLOCK_HELD;
	return ret;
}

static int check_unchanged(struct change *change, struct error *err)
{
	char *now CLEANUP(free_p) = NULL;

	if (session_signature(&now, change->session, err) < 0)
		return -1;
	if (!strcmp(now, change->signature))
		return 0;
	error_refused(err, "database '%s' was changed by another run since this plan was made",
		      change->session->database.name);
	error_detail(err, change->begun ? "What was done before it stays." : "Nothing was done.");
	return error_hint(err, "Run the command again to see the new plan.");
}

static int read_head(struct change *change, struct error *err)
{
	const struct repo *repo = &change->session->repo;

	/* Where there is no worktree, repo_open() did not come to it. */
	if (!repo->worktree)
		return repo_commit(&change->git_commit, "HEAD", err) < 0 ? -1 : 0;
	change->git_commit = xstrdup_or_null(repo->head);
	return 0;
}

static int lock_database(struct change *change, bool outside, struct error *err)
{
	struct session *s = change->session;

	change->locked = s->locked;
	s->locked = false;
	/* The plan was made under the lock. */
	if (change->locked)
		return 0;
	change->signature = session_planned_signature(s);
	return take_database(change, outside, err) < 0 ? -1 : check_unchanged(change, err);
}

int change_begin(struct change *change, struct session *s, bool outside, json_t *members,
		 struct error *err)
{
	change->session = s;
	change->who = who_we_are(&s->settings);
	if (lock_repository(change, err) < 0 || collect_members(change, members, err) < 0 ||
	    lock_database(change, outside, err) < 0 ||
	    settle_others(s, change->operation.id, err) < 0)
		return -1;
	return read_head(change, err);
}

/* --- committing ------------------------------------------------------------------------ */

static int reconnect(struct session *s, struct error *err)
{
	char *application CLEANUP(free_p) = xstrdup(s->db.application_name);

	db_close(&s->db);
	return session_connect(s, &s->db, application, err);
}

/*
 * Where the network was cut the old server process may not know it yet, and go on. Only once
 * it has ended its transaction does the log tell.
 */
static int await_end(struct db *db, struct error *err)
{
	const int tries = 50, pause_us = 100000;

	for (int i = 0; i < tries && !interrupt_pending(); i++) {
		bool running;

		if (i)
			usleep((useconds_t)pause_us);
		if (dblock_is_used_by(&running, db, db->application_name, err) < 0)
			return -1;
		if (!running)
			return 0;
	}
	return error_set(err, "the server still works on it");
}

/*
 * A row that is there is there. That there is none says something only where the transaction
 * was: not on a standby, which lags behind, and not on another server.
 */
static int check_absence(const struct change *change, struct error *err)
{
	struct db *db = &change->session->db;
	const char *identity, *expected = json_member(change->members, "identity");

	if (db_identity(&identity, db, err) < 0)
		return -1;
	if (db->standby || !expected || strcmp(identity, expected) != 0)
		return error_set(err, "this is another server");
	return 0;
}

static int ask_outcome(bool *ret_committed, struct change *change,
		       const struct change_witness *witness, struct error *err)
{
	struct session *s = change->session;
	enum log_row row, wanted = witness->running ? LOG_ROW_RUNNING : LOG_ROW_ENDED;

	if (await_end(&s->db, err) < 0 ||
	    rollback_log_row(&row, &s->place, &s->db, witness->operation, witness->version, err) <
		    0)
		return -1;
	*ret_committed = row == wanted;
	return *ret_committed ? 0 : check_absence(change, err);
}

/* COMMIT was sent and no answer came: only the database knows. */
static int resolve_commit(struct change *change, const char *what,
			  const struct change_witness *witness, struct error *lost,
			  struct error *err)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	bool committed, known;

	change->locked = false;
	change->reconnected = true;
	known = reconnect(change->session, &ignored) == 0 &&
		ask_outcome(&committed, change, witness, &ignored) == 0;
	if (known && committed) {
		note("the connection was lost at the commit of %s, and the server says it is done",
		     what);
		return CHANGE_COMMITTED_LOST;
	}
	error_move(err, lost);
	if (known)
		return error_prefix(err, "%s was rolled back", what);
	/* Lost for good, so that the operation stays open until that is settled. */
	db_close(&change->session->db);
	error_prefix(err, "it is not known whether %s was committed", what);
	return error_hint(err, "Once the server answers, the next command finds it out.");
}

static int commit_failed(const char *what, struct error *err)
{
	error_prefix(err, "could not commit %s", what);
	return error_detail(err, "Its transaction was rolled back.");
}

/* What the next transaction has to find, when others may come between. */
static int expect_signature(struct change *change, struct error *err)
{
	char *now = NULL;

	if (!change->session->db.pooled || change->locked)
		return 0;
	if (session_signature(&now, change->session, err) < 0)
		return -1;
	free(change->signature);
	change->signature = now;
	return 0;
}

static void count_commit(struct change *change)
{
	change->begun = true;
	change->commits++;
}

int change_commit(struct change *change, const char *what, const struct change_witness *witness,
		  struct error *err)
{
	struct error lost CLEANUP(error_release) = ERROR_INIT;
	int ret;

	if (!change->written)
		BUG("COMMIT before the journal is written");
	if (expect_signature(change, err) < 0) {
		db_rollback(&change->session->db);
		return -1;
	}
	ret = transaction_commit(&change->session->db, &lost);
	if (ret == TRANSACTION_UNKNOWN)
		ret = resolve_commit(change, what, witness, &lost, err);
	else if (ret < 0) {
		error_move(err, &lost);
		return commit_failed(what, err);
	}
	if (ret >= 0)
		count_commit(change);
	return ret;
}

static struct change_witness witness_of(const struct change *change, const char *version)
{
	return (struct change_witness){ .operation = change->operation.id, .version = version };
}

int change_commit_soon(struct change *change, const char *version, struct error *err)
{
	const struct change_witness witness = witness_of(change, version);

	if (change->session->db.pooled)
		return change_commit(change, version, &witness, err);
	change->uncommitted = xstrdup(version);
	return 0;
}

int change_flush(struct change *change, struct error *err)
{
	char *version CLEANUP(free_p) = change->uncommitted;
	const struct change_witness witness = witness_of(change, version);

	change->uncommitted = NULL;
	return version ? change_commit(change, version, &witness, err) : 0;
}

/* A batch that began with the COMMIT of `version` has failed, at command `failed`. */
static int put_off_failed(struct change *change, const char *version, size_t failed,
			  struct error *err)
{
	const struct change_witness witness = witness_of(change, version);
	struct error lost CLEANUP(error_release) = ERROR_INIT;

	if (failed) {
		count_commit(change);
		return -1;
	}
	change->own_failure = true;
	if (!db_is_lost(&change->session->db))
		return commit_failed(version, err);
	error_move(&lost, err);
	if (resolve_commit(change, version, &witness, &lost, err) < 0)
		return -1;
	count_commit(change);
	return error_set(err, "lost the connection after migration '%s' was committed", version);
}

/* --- transactions ------------------------------------------------------------------------ */

/* DBLOCK_BUSY: the transaction is over again, and *ret_holder says who has the lock. */
static int begin_pooled(struct change *change, char **ret_holder, struct error *err)
{
	struct db *db = &change->session->db;
	struct db_batch begin CLEANUP(db_batch_release) = DB_BATCH_INIT;
	int ret;

	transaction_add_begin(&begin, db);
	if (change_run(change, &begin, NULL, err) < 0)
		return -1;
	ret = dblock_try_transaction(db, ret_holder, err);
	if (ret == DBLOCK_HELD && check_unchanged(change, err) < 0)
		ret = -1;
	if (ret != DBLOCK_HELD)
		db_rollback(db);
	return ret;
}

/* Behind a pooler each transaction has to find out for itself that it is alone. */
static int take_turn(struct change *change, struct error *err)
{
	const int grace_seconds = 2;
	int seconds = wait_seconds(change->session);

	/* Half way through, somebody else who finds the database changed gives up at once. */
	if (change->begun && seconds >= 0 && seconds < grace_seconds)
		seconds = grace_seconds;
	struct patience p = patience_of("the database", seconds, change->begun ? 20000 : 200000);
	for (;;) {
		char *holder CLEANUP(free_p) = NULL;
		int ret = begin_pooled(change, &holder, err);

		if (ret != DBLOCK_BUSY)
			return ret;
		if (patience_wait(&p, holder, err) < 0)
			return -1;
	}
}

int change_transaction(struct change *change, struct db_batch *batch, struct error *err)
{
	if (change->session->db.pooled && !change->locked) {
		int ret = take_turn(change, err);

		/* "Refused" promises that nothing was changed. */
		if (ret < 0 && change->begun && err->exit_code == EXIT_REFUSED)
			error_code(err, EXIT_FAILED);
		return ret;
	}
	if (change->uncommitted)
		transaction_add_commit(batch);
	transaction_add_begin(batch, &change->session->db);
	return 0;
}

/* Runs it, and has the record written meanwhile: nothing of it is permanent yet. */
static int run_and_write(struct change *change, struct db_batch *batch, size_t *ret_failed,
			 struct error *err)
{
	struct error unwritten CLEANUP(error_release) = ERROR_INIT;
	int written;

	db_batch_start(&change->session->db, batch);
	written = change_write_down(change, &unwritten);
	if (runner_run(&change->session->db, batch, ret_failed, err) < 0)
		return -1;
	if (written < 0) {
		change->own_failure = true;
		error_move(err, &unwritten);
	}
	return written;
}

int change_run(struct change *change, struct db_batch *batch, size_t *ret_failed, struct error *err)
{
	char *put_off CLEANUP(free_p) = change->uncommitted;
	size_t failed = 0;

	change->uncommitted = NULL;
	if (run_and_write(change, batch, &failed, err) < 0) {
		if (ret_failed)
			*ret_failed = failed;
		if (put_off)
			put_off_failed(change, put_off, failed, err);
		db_rollback(&change->session->db);
		return -1;
	}
	if (put_off)
		count_commit(change);
	return 0;
}

int change_open(struct change *change, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (change_transaction(change, &batch, err) < 0)
		return -1;
	return batch.nr ? change_run(change, &batch, NULL, err) : 0;
}

static int create_tables(struct change *change, struct error *err)
{
	struct session *s = change->session;
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (change_transaction(change, &batch, err) < 0)
		return -1;
	ledger_add_create(&batch, &s->place);
	rollback_log_add_create(&batch, &s->place);
	if (change_run(change, &batch, NULL, err) < 0)
		return -1;
	return transaction_commit(&s->db, err) == TRANSACTION_COMMITTED ? 0 : -1;
}

int change_create_tables(struct change *change, struct error *err)
{
	struct ledger_place *place = &change->session->place;

	if (place->exists && place->log_exists)
		return 0;
	if (create_tables(change, err) < 0)
		return change->own_failure ?
			       -1 :
			       error_prefix(err, "could not create the table %s",
					    place->exists ? place->quoted_log : place->quoted);
	place->exists = place->log_exists = true;
	return 0;
}

/* A rehearsal commits nothing, as does who only settles what another left: nothing to undo. */
static enum operation_end end_of(const struct change *change, bool good, const struct error *err)
{
	if (good)
		return change->begun ? OPERATION_DONE : OPERATION_DISCARDED;
	return err->exit_code == EXIT_INTERRUPTED ? OPERATION_INTERRUPTED : OPERATION_FAILED;
}

void change_finish(struct change *change, bool good, const struct error *err)
{
	struct error second CLEANUP(error_release) = ERROR_INIT;
	struct db_batch unlock CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (!change->session || change->leave_open ||
	    (error_is_set(err) && db_is_lost(&change->session->db)))
		return;
	if (change->locked)
		dblock_release_start(&unlock, &change->session->db);
	if (change->operation.record &&
	    operation_close(&change->operation, end_of(change, good, err), &second) < 0)
		warning("%s", second.message);
	if (change->locked)
		dblock_release_finish(&unlock, &change->session->db);
	change->locked = false;
}

void change_release(struct change *change)
{
	operation_release(&change->operation);
	free(change->who);
	free(change->git_commit);
	free(change->signature);
	free(change->uncommitted);
	json_decref(change->members);
	*change = (struct change)CHANGE_INIT;
}
