/* SPDX-License-Identifier: MIT */
#include "flow/rollback-undo.h"

#include "base/memory.h"
#include "flow/change.h"
#include "flow/rollback-history.h"
#include "migration/version.h"

void undo_plan_release(struct undo_plan *plan)
{
	for (size_t i = 0; i < plan->nr; i++)
		sql_script_release(&plan->step[i].script);
	free(plan->step);
	free(plan->table);
	free(plan->undone);
	free(plan->operation);
	saved_release(&plan->saved);
	log_applied_list_release(&plan->log);
	strvec_release(&plan->conflicts);
	strvec_release(&plan->remade);
	verdict_release(&plan->verdict);
	proof_release(&plan->proof);
	rollback_record_release(&plan->record);
	*plan = (struct undo_plan)UNDO_PLAN_INIT;
}

/* --- Which operation ------------------------------------------------------------------------ */

static bool is_state(const json_t *record, const char *state)
{
	const char *is = json_member(record, "state");

	return is && !strcmp(is, state);
}

/* An environment's name may stand for another database by now: the identity tells. */
static int is_of_database(bool *ret, const json_t *record, struct session *s, struct error *err)
{
	const char *identity = json_member(record, "identity"), *own;

	if (db_identity(&own, &s->db, err) < 0)
		return -1;
	*ret = identity && !strcmp(identity, own);
	return 0;
}

/* What failed can have done a part of it, outside a transaction; then it saved something. */
static bool did_something(const json_t *record, const struct session *s)
{
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	char *root CLEANUP(free_p) = saved_root(s->repo.common_dir);

	return is_state(record, "done") ||
	       saved_open(&saved, root, json_member(record, "id"), &ignored) == SAVED_FOUND;
}

static int find_newest(const json_t **ret, const json_t *records, struct session *s,
		       struct error *err)
{
	size_t i;
	json_t *record;

	json_array_foreach(records, i, record)
	{
		const char *id = json_member(record, "id");
		bool ours;

		if (!id || !rollback_is_rollback(record) || !did_something(record, s) ||
		    rollback_is_undone(records, id))
			continue;
		if (is_of_database(&ours, record, s, err) < 0)
			return -1;
		if (ours) {
			*ret = record;
			return 0;
		}
	}
	error_refused(err, "there is no rollback of database '%s' to undo", s->database.name);
	return error_hint(err, "'git rollback-db --log' lists what there was.");
}

static int find_named(const json_t **ret, const json_t *records, const char *id, struct session *s,
		      struct error *err)
{
	size_t i;
	json_t *record;
	bool ours;

	json_array_foreach(records, i, record)
	{
		const char *this = json_member(record, "id"), *command;

		if (!this || strcmp(this, id) != 0)
			continue;
		command = json_member(record, "command");
		if (command && !strncmp(command, "checkpoint ", 11)) {
			error_refused(err, "operation '%s' changed files and refs, not a database",
				      id);
			return error_hint(err, "Use 'git checkpoint undo %s'.", id);
		}
		if (!rollback_is_rollback(record))
			return error_refused(err, "operation '%s' was no rollback of a database",
					     id);
		if (rollback_is_undone(records, id))
			return error_refused(err, "operation '%s' was undone already", id);
		if (is_of_database(&ours, record, s, err) < 0)
			return -1;
		if (!ours)
			return error_refused(
				err, "operation '%s' was not on the database that '%s' is now", id,
				s->database.name);
		*ret = record;
		return 0;
	}
	error_refused(err, "there is no operation '%s'", id);
	return error_hint(err, "'git rollback-db --log' lists what there was.");
}

static int choose(struct undo_plan *plan, struct error *err)
{
	struct session *s = plan->session;
	json_t *records CLEANUP(json_decref_p) = NULL;
	const json_t *record = NULL;
	const char *id = plan->request->undo;
	char *root CLEANUP(free_p) = NULL;
	int found;

	if (journal_list(&records, s->repo.common_dir, err) < 0 ||
	    (id ? find_named(&record, records, id, s, err) :
		  find_newest(&record, records, s, err)) < 0)
		return -1;
	plan->undone = xstrdup(json_member(record, "id"));
	plan->undone_at = operation_time(plan->undone);
	root = saved_root(s->repo.common_dir);
	found = saved_open(&plan->saved, root, plan->undone, err);
	plan->script = json_object_get(plan->saved.manifest, "script");
	if (found != SAVED_MISSING)
		return found;
	error_refused(err, "operation '%s' saved nothing that could be put back", plan->undone);
	return error_hint(err, "Use 'git apply-migration' to apply its migrations again.");
}

/* --- Its migrations --------------------------------------------------------------------------- */

static const json_t *find_part(const struct saved *saved, const char *file)
{
	size_t i;
	json_t *part;

	json_array_foreach(json_object_get(saved->manifest, "parts"), i, part)
	{
		const char *name = json_member(part, "file");

		if (file && name && !strcmp(name, file))
			return part;
	}
	return NULL;
}

static int read_script(struct undo_plan *plan, struct undo_step *step, struct error *err)
{
	const json_t *part = find_part(&plan->saved, json_member(step->migration, "up"));
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	char *path CLEANUP(free_p) = xstrfmt("%s.up.sql as it was applied", step->version);

	if (!part) {
		verdict_refuse(&plan->verdict,
			       "the up script of migration '%s' was not recorded, as another tool "
			       "applied it",
			       step->version);
		return 0;
	}
	if (saved_part_read_all(&text, &plan->saved, part, err) < 0 ||
	    sql_script_parse(&step->script, path, text.buf, text.len, err) < 0)
		return -1;
	if (!step->script.no_transaction)
		return 0;
	verdict_refuse(&plan->verdict,
		       "the up script of migration '%s' runs outside a transaction%s%s, which an "
		       "undo does not do",
		       step->version, step->script.why ? ": " : "",
		       step->script.why ? sql_kind_name(step->script.why->kind) : "");
	verdict_hint(&plan->verdict, "Use 'git apply-migration %s'; what was saved stays in '%s'.",
		     step->version, plan->saved.path);
	return 0;
}

/* One that the rollback did not reach is still there as it was; another was applied since. */
static bool is_wanted(struct undo_plan *plan, const json_t *migration, const char *version)
{
	const struct ledger_entry *entry = ledger_find(&plan->session->ledger, version);

	if (!entry)
		return true;
	if (entry->applied_at != json_integer_value(json_object_get(migration, "applied_at_us")))
		verdict_refuse(&plan->verdict, "migration '%s' was applied again since", version);
	return false;
}

static int add_steps(struct undo_plan *plan, struct error *err)
{
	const json_t *list = json_object_get(plan->saved.manifest, "migrations");

	/* They were rolled back with the newest first. */
	for (size_t i = json_array_size(list); i; i--) {
		const json_t *migration = json_array_get(list, i - 1);
		const char *version = json_member(migration, "version");

		if (!version)
			return error_set(err, "'%s/manifest.json' is damaged", plan->saved.path);
		if (!is_wanted(plan, migration, version))
			continue;
		ARRAY_GROW(plan->step, plan->nr + 1, plan->alloc);
		plan->step[plan->nr++] = (struct undo_step){
			.migration = migration,
			.version = version,
			.name = json_member(migration, "name"),
			.checksum = json_member(migration, "checksum"),
		};
		if (read_script(plan, &plan->step[plan->nr - 1], err) < 0)
			return -1;
	}
	return 0;
}

static int read_log(struct undo_plan *plan, struct error *err)
{
	const char **versions CLEANUP(free_p) = xcalloc(plan->nr + 1, sizeof(*versions));
	struct session *s = plan->session;

	for (size_t i = 0; i < plan->nr; i++)
		versions[i] = plan->step[i].version;
	if (!plan->nr ||
	    rollback_log_applied(&plan->log, &s->place, &s->db, versions, plan->nr, err) < 0)
		return plan->nr ? -1 : 0;
	for (size_t i = 0; i < plan->nr; i++)
		plan->step[i].log = log_applied_find(&plan->log, plan->step[i].version);
	return 0;
}

/* A run that was cut off may have saved, and done nothing; of migrations the ledger tells. */
static int check_script(const struct undo_plan *plan, struct error *err)
{
	struct session *s = plan->session;
	int done = plan->script ? rollback_log_has(&s->place, &s->db, plan->undone, err) : 1;

	if (plan->script &&
	    (!json_member(plan->script, "version") || !json_member(plan->script, "name")))
		return error_set(err, "'%s/manifest.json' is damaged", plan->saved.path);
	if (!done)
		error_refused(err, "operation '%s' was cut off before it changed anything",
			      plan->undone);
	return done > 0 ? 0 : -1;
}

/* --- Its rows ----------------------------------------------------------------------------------- */

/* A later part of the same table has more in it: it was saved once more, as a whole. */
static void add_table(struct undo_plan *plan, const json_t *part)
{
	const char *table = json_member(part, "table");
	bool whole = json_is_true(json_object_get(part, "whole"));
	struct undo_table *t;

	for (size_t i = 0; i < plan->table_nr; i++) {
		t = &plan->table[i];
		if (strcmp(t->table, table) != 0)
			continue;
		*t = (struct undo_table){ .part = part, .table = table, .whole = whole };
		return;
	}
	ARRAY_GROW(plan->table, plan->table_nr + 1, plan->table_alloc);
	plan->table[plan->table_nr++] =
		(struct undo_table){ .part = part, .table = table, .whole = whole };
}

static void add_tables(struct undo_plan *plan)
{
	size_t i;
	json_t *part;

	json_array_foreach(json_object_get(plan->saved.manifest, "parts"), i, part)
	{
		const char *kind = json_member(part, "kind");

		if (kind && !strcmp(kind, "rows") && json_member(part, "table"))
			add_table(plan, part);
	}
}

static int is_there(bool *ret, struct db *db, const char *table, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *params[] = { table };

	if (db_query(&res, db, "SELECT pg_catalog.to_regclass($1) IS NOT NULL", 1, params, err) < 0)
		return -1;
	*ret = db_bool(&res, 0, 0);
	return 0;
}

/* Has somebody written to it since the rollback, or made one of that name? */
static int check_table(struct undo_plan *plan, const struct undo_table *table, struct error *err)
{
	const json_t *after = json_object_get(table->part, "after");
	const char *digest = json_member(after, "digest");
	struct save_count now;
	bool there;

	if (!table->whole)
		return 0;
	if (is_there(&there, &plan->session->db, table->table, err) < 0)
		return -1;
	if (there != (digest != NULL))
		strvec_push(&plan->conflicts, table->table);
	if (!there || !digest)
		return 0;
	if (save_count_rows(&now, &plan->session->db, table->part, table->table,
			    json_object_get(after, "columns"), err) < 0)
		return -1;
	if (strcmp(now.digest, digest) != 0 ||
	    now.rows != json_integer_value(json_object_get(after, "rows")))
		strvec_push(&plan->conflicts, table->table);
	return 0;
}

int undo_find_conflicts(struct undo_plan *plan, struct error *err)
{
	strvec_release(&plan->conflicts);
	for (size_t i = 0; i < plan->table_nr; i++)
		if (check_table(plan, &plan->table[i], err) < 0)
			return -1;
	return 0;
}

/* A transaction of its own, for the settings. */
static int plan_conflicts(struct undo_plan *plan, struct error *err)
{
	struct db *db = &plan->session->db;

	if (db_exec(db, "BEGIN READ ONLY", err) < 0)
		return -1;
	if (save_settings(db, err) < 0 || undo_find_conflicts(plan, err) < 0) {
		db_rollback(db);
		return -1;
	}
	db_rollback(db);
	return 0;
}

int undo_plan(struct undo_plan *ret, struct session *s, const struct rollback_request *request,
	      struct error *err)
{
	ret->session = s;
	ret->request = request;
	if (session_check_writable(s, err) < 0 || change_await(s, err) < 0 ||
	    choose(ret, err) < 0 || check_script(ret, err) < 0 || add_steps(ret, err) < 0 ||
	    read_log(ret, err) < 0)
		return -1;
	ret->record.target = xstrfmt("undo %s", ret->undone);
	ret->record.asked = request->started;
	ret->record.no_snapshot = request->no_snapshot;
	add_tables(ret);
	if (s->unfinished.nr)
		verdict_refuse(&ret->verdict, "migration '%s' was interrupted",
			       s->unfinished.item[0].version);
	return plan_conflicts(ret, err);
}
