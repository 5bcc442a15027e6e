/* SPDX-License-Identifier: MIT */
#include "flow/session.h"

#include "base/digest.h"
#include "base/memory.h"
#include "flow/trusting.h"
#include "pg/dblock.h"
#include "sql/digest.h"
#include "sql/parser.h"
#include "term/output.h"

void session_close(struct session *s)
{
	/* Its end lets go of it as well, but only some time later. */
	if (s->locked)
		dblock_release(&s->db);
	operation_release(&s->operation);
	json_decref(s->open_operations);
	migrations_release(&s->files);
	log_unfinished_list_release(&s->unfinished);
	ledger_release(&s->ledger);
	ledger_place_release(&s->place);
	db_close(&s->db);
	database_setting_release(&s->database);
	settings_release(&s->settings);
	repo_release(&s->repo);
	*s = (struct session)SESSION_INIT;
}

/* Who only looks can do without the journal, as when it is another user's. */
static int read_journal(struct session *s, struct error *err)
{
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	const char *own_id = s->operation.lock.fd < 0 ? NULL : s->operation.id;

	if (journal_open(&s->open_operations, s->repo.common_dir, own_id, &reason) == 0)
		return 0;
	if (s->request.optional) {
		warning("%s", reason.message);
		s->open_operations = json_array();
		return 0;
	}
	error_move(err, &reason);
	return error_hint(err, "It is in the way of every change: see to it, or move it away.");
}

/* Busy or impossible: change_begin() waits, or says why. */
static void lock_repository(struct session *s)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	char *holder CLEANUP(free_p) = NULL;

	if (!s->request.changing)
		return;
	if (s->request.lock && operation_lock(&s->operation, s->repo.common_dir, s->request.command,
					      &holder, &ignored) < 0)
		error_clear(&ignored);
	if (!s->operation.id)
		s->operation.id = operation_new_id();
}

/* Two git processes run side by side; meanwhile libpq is loaded, which takes as long. */
static int open_settings(struct session *s, struct error *err)
{
	struct process look CLEANUP(process_release) = PROCESS_INIT;

	db_prepare();
	if (repo_start(&look, err) < 0 || settings_start(&s->settings, err) < 0)
		return -1;
	if (repo_finish(&s->repo, &look, err) < 0)
		return -1;
	lock_repository(s);
	return settings_finish(&s->settings, s->repo.worktree, s->repo.git_dir, err);
}

/* What a script raises: psql shows it, and so do we. */
static void show_notice(void *data, const char *severity, const char *message)
{
	const struct session *s = data;

	if (!strcmp(severity, "WARNING"))
		warning("%s", message);
	else if (!s->request.common->quiet)
		note("%s: %s", severity, message);
}

static int connect_start(const struct session *s, struct db *db, const char *application_name,
			 struct error *err)
{
	struct db_options options = {
		.conninfo = s->database.conninfo,
		.environment = s->database.name,
		.application_name = application_name,
		.lock_timeout = s->database.lock_timeout,
		.statement_timeout = s->database.statement_timeout,
		.changing = s->request.changing,
	};

	return db_open_start(db, &options, err);
}

int session_connect(struct session *s, struct db *db, const char *application_name,
		    struct error *err)
{
	if (connect_start(s, db, application_name, err) < 0 || db_open_finish(db, err) < 0)
		return -1;
	db_on_notice(db, show_notice, s);
	return 0;
}

static int start_database(struct session *s, struct error *err)
{
	const char *id = s->operation.id;
	char *application CLEANUP(free_p) =
		xstrfmt("git %s%s%s", s->request.command, id ? " " : "", id ? id : "");
	int found = settings_database(&s->database, &s->settings, s->request.database, err);

	if (found < 0)
		return -1;
	s->has_database = found == DATABASE_FOUND;
	if (!s->has_database && s->request.optional)
		return 0;
	if (!s->has_database) {
		error_set(err, "no database is configured");
		return error_hint(err, "Set DATABASE_URL, or rollback.database.<name>.url; "
				       "see gitrollback(5).");
	}
	return connect_start(s, &s->db, application, err);
}

/* The worktree's files where `rev` is NULL; a bare repository stands for its HEAD. */
static int read_files(struct migrations *ret, const struct session *s, const char *rev,
		      struct error *err)
{
	const char *folder, *layout_text;
	enum migration_layout layout;
	char *commit CLEANUP(free_p) = NULL;

	if (settings_string(&folder, &s->settings, "migrations.directory", err) < 0 ||
	    settings_string(&layout_text, &s->settings, "migrations.layout", err) < 0 ||
	    migration_layout_parse(&layout, layout_text, err) < 0)
		return -1;
	if (rev || !s->repo.worktree) {
		int found = repo_commit(&commit, rev ? rev : "HEAD", err);

		if (found < 0)
			return -1;
		if (found == COMMIT_MISSING && rev)
			return error_set(err, "'%s' names no commit", rev);
		if (found == COMMIT_MISSING)
			return 0; /* bare, and no commit yet */
	}
	return migrations_read(ret, commit ? NULL : s->repo.worktree, commit, folder, layout, err);
}

int session_read_files(struct migrations *ret, const struct session *s, const char *rev,
		       struct error *err)
{
	return read_files(ret, s, rev, err);
}

int session_same_tokens(bool *ret, const struct session *s, const struct migration *migration,
			const char *tokens, struct error *err)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error unreadable CLEANUP(error_release) = ERROR_INIT;
	char digest[SQL_DIGEST_LEN + 1];

	if (migrations_load(&text, &s->files, &migration->up, err) < 0)
		return -1;
	/* What the scanner cannot read is another script in any case. */
	*ret = sql_token_digest(digest, migration->up.path, text.buf, text.len, &unreadable) == 0 &&
	       !strcmp(digest, tokens);
	return 0;
}

static int ledger_names(const char **ret_table, const char **ret_log, const struct session *s,
			struct error *err)
{
	return settings_string(ret_table, &s->settings, "migrations.table", err) < 0 ?
		       -1 :
		       settings_string(ret_log, &s->settings, "migrations.logTable", err);
}

static int locate_ledger(struct ledger_place *ret, struct session *s, struct error *err)
{
	const char *table, *log;

	if (ledger_names(&table, &log, s, err) < 0)
		return -1;
	return ledger_locate(ret, &s->db, table, log, err);
}

/*
 * Who we are talking to, the lock, and where the tables are, in one round trip. Busy:
 * change_begin() waits, or says who has the lock.
 */
static int connect_and_lock(struct session *s, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	const char *table, *log;
	bool lock = s->operation.lock.fd >= 0;
	size_t failed, look = lock ? 1 : 0;

	if (db_open_wait(&s->db, err) < 0)
		return -1;
	db_on_notice(&s->db, show_notice, s);
	if (lock)
		dblock_add_try(&batch, &s->db);
	if (ledger_names(&table, &log, s, err) < 0 ||
	    ledger_add_locate(&s->place, &batch, &s->db, table, log, err) < 0)
		return -1;
	if (db_first_batch(&s->db, &batch, &failed, err) < 0)
		return failed > look ? -1 :
				       error_prefix(err, "could not %s",
						    failed < look ? "take the database's lock" :
								    "look for the tracking table");
	s->locked = lock && dblock_is_taken(&batch.item[0].result);
	return ledger_take_place(&s->place, &s->db, &batch.item[look].result, err);
}

static char *signature_of(const struct ledger *ledger, const struct log_unfinished_list *unfinished)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	char digest[DIGEST_HEX];

	for (size_t i = 0; i < ledger->nr; i++) {
		const struct ledger_entry *entry = &ledger->item[i];

		strbuf_addf(&text, "%s %" PRId64 " %s\n", entry->version, entry->applied_at,
			    entry->checksum ? entry->checksum : "");
	}
	for (size_t i = 0; i < unfinished->nr; i++) {
		const struct log_unfinished *u = &unfinished->item[i];

		strbuf_addf(&text, "%s %s %zu %zu\n", u->operation, u->version, u->begun, u->done);
	}
	digest_hex(digest, text.buf, text.len);
	return xstrdup(digest);
}

int session_signature(char **ret, struct session *s, struct error *err)
{
	struct ledger_place place CLEANUP(ledger_place_release) = LEDGER_PLACE_INIT;
	struct ledger ledger CLEANUP(ledger_release) = LEDGER_INIT;
	struct log_unfinished_list unfinished CLEANUP(log_unfinished_list_release) =
		LOG_UNFINISHED_LIST_INIT;

	if (!s->place.exists || !s->place.log_exists) {
		if (locate_ledger(&place, s, err) < 0)
			return -1;
		s->place.exists = place.exists;
		s->place.log_exists = place.log_exists;
	}
	if (ledger_read(&ledger, &s->place, &s->db, err) < 0 ||
	    rollback_log_unfinished(&unfinished, &s->place, &s->db, err) < 0)
		return -1;
	ledger_order(&ledger);
	*ret = signature_of(&ledger, &unfinished);
	return 0;
}

char *session_planned_signature(const struct session *s)
{
	return signature_of(&s->ledger, &s->unfinished);
}

/*
 * The log is not for everybody. Who only looks may do without: what is applied stands in
 * the ledger.
 */
static int read_log(struct session *s, struct error *err)
{
	struct error reason CLEANUP(error_release) = ERROR_INIT;

	if (rollback_log_unfinished(&s->unfinished, &s->place, &s->db, &reason) == 0)
		return 0;
	if (!s->request.optional || strcmp(reason.sqlstate, "42501") != 0) {
		error_move(err, &reason);
		return -1;
	}
	warning("role '%s' may not read %s: what was interrupted is not seen", s->db.user,
		s->place.quoted_log);
	s->place.log_exists = false;
	return 0;
}

/* Both tables in one round trip. What fails so is read, and explained, one by one. */
static int read_tables(struct session *s, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (s->place.exists && s->place.log_exists) {
		ledger_add_read(&batch, &s->place);
		rollback_log_add_unfinished(&batch, &s->place);
		if (db_batch_run(&s->db, &batch, NULL, &ignored) == 0) {
			rollback_log_take_unfinished(&s->unfinished, &batch.item[1].result);
			return ledger_take(&s->ledger, &s->place, &s->db, &batch.item[0].result,
					   err);
		}
		error_clear(&ignored);
	}
	return ledger_read(&s->ledger, &s->place, &s->db, err) < 0 ? -1 : read_log(s, err);
}

static int read_ledger(struct session *s, struct error *err)
{
	if (read_tables(s, err) < 0)
		return -1;
	ledger_order(&s->ledger);
	s->tracking[0] = (struct catalog_relation_name){ s->place.schema, s->place.table };
	s->tracking[1] = (struct catalog_relation_name){ s->place.log_schema, s->place.log };
	s->scope = (struct catalog_scope){ .relation = s->tracking,
					   .relation_nr = ARRAY_SIZE(s->tracking) };
	return 0;
}

int session_reread(struct session *s, struct error *err)
{
	log_unfinished_list_release(&s->unfinished);
	ledger_release(&s->ledger);
	ledger_place_release(&s->place);
	return locate_ledger(&s->place, s, err) < 0 ? -1 : read_ledger(s, err);
}

/* As soon as it is seen, before anything can be refused for it. Who only looks writes nothing. */
static int remember_protected(struct session *s, struct error *err)
{
	if (!s->has_database || s->request.optional)
		return 0;
	return settings_remember_protected(&s->settings, &s->database, err);
}

int session_open(struct session *s, const struct session_request *request, struct error *err)
{
	s->request = *request;
	/* The journal behind the lock: what is open then, and is not ours, has no owner. */
	if (open_settings(s, err) < 0 || start_database(s, err) < 0 || read_journal(s, err) < 0 ||
	    remember_protected(s, err) < 0 || read_files(&s->files, s, request->rev, err) < 0 ||
	    (request->digest && migrations_digest(&s->files, err) < 0))
		return -1;
	if (!s->has_database)
		return 0;
	if (request->changing)
		sql_parser_prepare();
	return connect_and_lock(s, err) < 0 ? -1 : read_ledger(s, err);
}

int session_check_writable(const struct session *s, struct error *err)
{
	if (s->db.standby) {
		error_refused(err, "database '%s' is a read-only standby", s->database.name);
		return error_hint(err, "Connect to the primary server.");
	}
	if (s->db.read_only) {
		error_refused(err, "database '%s' is read-only for role '%s'", s->database.name,
			      s->db.user);
		return error_hint(err, "Its default_transaction_read_only is on.");
	}
	return 0;
}

/* What apply_plan() refuses, and says so itself. */
static bool is_refused(enum migration_problem_kind kind)
{
	return kind == PROBLEM_SAME_VERSION || kind == PROBLEM_UNREADABLE ||
	       kind == PROBLEM_NO_DOWN;
}

void session_warn(const struct session *s)
{
	size_t i;
	json_t *record;

	trusting_warn(&s->settings);
	if (s->files.configured && !s->files.folder)
		warning("there is no folder '%s' (rollback.migrations.directory)",
			s->files.configured);
	for (size_t k = 0; k < s->files.problems; k++)
		if (!s->request.strict || !is_refused(s->files.problem[k].kind))
			warning("%s", s->files.problem[k].text);
	json_array_foreach(s->open_operations, i, record)
		warning("operation %s of 'git %s', begun %s, was not finished",
			json_member(record, "id"), json_member(record, "command"),
			json_member(record, "started_at"));
}
