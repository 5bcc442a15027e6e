/* SPDX-License-Identifier: MIT */
#include "flow/rollback-run.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "flow/rollback-history.h"
#include "flow/rollback-script.h"
#include "term/output.h"

bool rollback_saves(const struct rollback_run *run)
{
	return run->save.folder.path != NULL;
}

void rollback_save_objects(struct rollback_run *run, const struct catalog_changes *changes)
{
	json_t *list, *object;
	size_t i;

	if (!rollback_saves(run))
		return;
	list = catalog_changes_to_json(changes);
	json_array_foreach(list, i, object)
	{
		json_object_set_new(object, "class_oid", json_size(changes->item[i].class_oid));
		json_object_set_new(object, "oid", json_size(changes->item[i].oid));
	}
	json_array_append_new(run->objects, list);
}

/* Statements that cannot run in a transaction change no rows. */
static bool may_change_rows(const struct sql_script *script)
{
	for (size_t i = 0; i < script->nr; i++)
		if (!script->statement[i].outside)
			return true;
	return false;
}

void rollback_save_targets(struct rollback_run *run, const struct rollback_group *group)
{
	const struct impact *impact = &run->plan->impact;
	json_t *migrations = json_object_get(run->save.folder.manifest, "migrations");

	save_group(&run->save);
	for (size_t i = group->from; i < group->to; i++) {
		json_t *migration = json_array_get(migrations, i);

		json_object_set_new(migration, "group", json_size(run->save.group));
		json_object_set_new(migration, "unwatched",
				    json_boolean(group->outside &&
						 may_change_rows(&run->plan->step[i].script)));
	}
	for (size_t i = 0; i < impact->nr; i++) {
		const struct impact_item *item = &impact->item[i];

		if (item->script < group->from || item->script >= group->to || item->inserts_only ||
		    item->kept)
			continue;
		/* A column that is converted: the run could not tell that from TRUNCATE. */
		if (item->kind == IMPACT_COLUMN && !item->stays)
			save_column(&run->save, item->oid, item->column, item->why);
		else
			save_table(&run->save, item->oid, item->why);
	}
}

static json_t *migration_member(const struct rollback_step *step, const char *up_file)
{
	const struct ledger_entry *applied = step->applied;

	return json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:o}", "version",
			 json_text(applied->version), "name", json_text(applied->name), "checksum",
			 json_text(applied->checksum), "applied_at", json_time(applied->applied_at),
			 "applied_at_us", (json_int_t)applied->applied_at, "execution_time_ms",
			 (json_int_t)applied->execution_time_ms, "up", json_text(up_file));
}

/* Their texts stay in the database's log too, which can be lost together with the database. */
static int save_scripts(struct rollback_run *run, json_t **ret, struct error *err)
{
	const struct rollback_plan *plan = run->plan;
	json_t *list CLEANUP(json_decref_p) = json_array();

	for (size_t i = 0; i < plan->nr && !plan->script; i++) {
		const struct rollback_step *step = &plan->step[i];
		const char *file = NULL;

		if (step->log && step->log->up_sql &&
		    save_script(&run->save, step->applied->version, step->log->up_sql, &file, err) <
			    0)
			return -1;
		json_array_append_new(list, migration_member(step, file));
	}
	*ret = STEAL(list);
	return 0;
}

int rollback_save_begin(struct rollback_run *run, struct error *err)
{
	const struct rollback_plan *plan = run->plan;
	const struct rollback_request *request = plan->request;
	const struct session *s = plan->session;
	json_t *migrations = NULL;

	if (request->rehearse)
		return 0;
	run->save.meter =
		request->common.quiet || request->common.json ? 0 : request->common.progress;
	/* Of a folder whose operation the journal does not have nobody would know. */
	if ((!request->no_save || !request->no_snapshot) &&
	    change_write_down(&run->change, err) < 0)
		return -1;
	run->save.binary = request->binary;
	keep_start(&run->plan->keep, plan->operation);
	if (save_begin(&run->save, plan->session, plan->operation, "rollback-db", !request->no_save,
		       !request->no_snapshot, err) < 0)
		return -1;
	if (!rollback_saves(run))
		return 0;
	if (save_scripts(run, &migrations, err) < 0)
		return -1;
	json_object_set_new(run->save.folder.manifest, "migrations", migrations);
	if (plan->script)
		json_object_set_new(run->save.folder.manifest, "script",
				    rollback_script_to_json(plan, false));
	json_object_set_new(run->save.folder.manifest, "database", json_text(s->database.name));
	json_object_set(run->save.folder.manifest, "identity",
			json_object_get(run->change.operation.record, "identity"));
	return 0;
}

int rollback_save_finish(struct rollback_run *run, struct error *err)
{
	json_t *members;

	if (!rollback_saves(run))
		return 0;
	members = json_pack("{s:o, s:o, s:o}", "fingerprint_before", json_text(run->first),
			    "fingerprint_after",
			    json_text(run->proof ? catalog_fingerprint(&run->catalog) : NULL),
			    "objects", run->proof ? json_incref(run->objects) : json_null());
	if (run->plan->request->keep)
		json_object_set_new(members, "kept", keep_to_manifest(&run->plan->keep));
	return save_finish(&run->save, members, err);
}

void rollback_save_take_back(struct rollback_run *run)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (run->change.begun && !db_is_lost(&run->plan->session->db) &&
	    save_take_back(&run->save, &err) < 0)
		warning("%s", err.message);
}

/* What an outside script left; in a transaction of its own, for the settings. */
int rollback_save_after(struct rollback_run *run, struct error *err)
{
	struct db *db = &run->plan->session->db;
	int ret;

	if (!rollback_saves(run))
		return 0;
	if (change_open(&run->change, err) < 0)
		return -1;
	ret = save_after(&run->save, err);
	db_rollback(db);
	return ret;
}

/*
 * In a transaction of its own, which cannot be the script's: what others write between its end and
 * the script is not saved.
 */
int rollback_save_outside(struct rollback_run *run, const struct rollback_group *group,
			  struct error *err)
{
	struct db *db = &run->plan->session->db;

	if (!rollback_saves(run))
		return 0;
	if (change_open(&run->change, err) < 0)
		return -1;
	rollback_save_targets(run, group);
	if (save_run(&run->save, err) < 0) {
		db_rollback(db);
		return -1;
	}
	db_rollback(db);
	return rollback_save_finish(run, err);
}

/* What a resumed run did first is saved elsewhere. */
static bool is_resumed(const struct rollback_plan *plan)
{
	for (size_t i = 0; i < plan->nr; i++)
		if (plan->step[i].unfinished)
			return true;
	return false;
}

static int save_partial(struct rollback_run *run, struct error *err)
{
	struct catalog_changes changes CLEANUP(catalog_changes_release) = CATALOG_CHANGES_INIT;
	const struct rollback_step *stopped = run->plan->stopped;

	if (catalog_refresh(&run->catalog, &run->plan->session->db, &changes, err) < 0)
		return -1;
	rollback_save_objects(run, &changes);
	json_object_set_new(run->save.folder.manifest, "failed",
			    json_pack("{s:o}", "version",
				      json_text(stopped ? stopped->applied->version : NULL)));
	if (stopped && rollback_save_after(run, err) < 0)
		return -1;
	return rollback_save_finish(run, err);
}

void rollback_save_partial(struct rollback_run *run)
{
	struct rollback_plan *plan = run->plan;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (!rollback_stays(plan) || !run->proof || !run->save.rows || !run->save.schema ||
	    is_resumed(plan) || db_is_lost(&plan->session->db))
		return;
	/* After a signal, too: without it what was done could not be undone. */
	interrupt_hold(true);
	if (save_partial(run, &err) == 0)
		plan->undoable = true;
	else
		warning("%s", err.message);
	interrupt_hold(false);
}

void rollback_save_prune(struct session *s)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	int64_t days;
	size_t nr;

	if (settings_integer(&days, &s->settings, "saved.keep", &err) < 0 ||
	    (days > 0 && rollback_history_prune(&nr, s->repo.common_dir, days, &s->db, &err) < 0))
		warning("%s", err.message);
}

void rollback_save_conclude(struct rollback_run *run, const struct error *err)
{
	struct rollback_plan *plan = run->plan;
	bool unknown = error_is_set(err) && db_is_lost(&plan->session->db);

	if (!rollback_saves(run))
		return;
	if (!run->change.begun && !unknown) {
		save_discard(&run->save);
		return;
	}
	plan->saved = save_to_json(&run->save);
	json_object_set_new(plan->saved, "kept", keep_to_manifest(&plan->keep));
}
