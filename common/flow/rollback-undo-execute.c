/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "flow/change.h"
#include "flow/rehearsed.h"
#include "flow/rollback-undo.h"
#include "flow/runner.h"
#include "flow/save-rows.h"
#include "flow/saved-schema.h"
#include "term/output.h"

struct undo_run {
	struct undo_plan *plan;
	struct change change;
	struct catalog catalog;
	struct put_back back;
	struct save save;		    /* of what the undo itself destroys */
	struct rehearsed changes;	    /* what the scripts did to rows */
	struct saved_schema_wanted missing; /* what the scripts do not bring */
	bool holding;			    /* rows are set aside while the scripts run */
	char *before;			    /* the fingerprint */
	bool unproven;
};

static void run_release(struct undo_run *run)
{
	free(run->before);
	put_back_release(&run->back);
	save_release(&run->save);
	rehearsed_release(&run->changes);
	saved_schema_wanted_release(&run->missing);
	catalog_release(&run->catalog);
	change_release(&run->change);
}

static struct db *db_of(const struct undo_run *run)
{
	return &run->plan->session->db;
}

/* --- Scripts and records ---------------------------------------------------------------------- */

static int apply_step(struct undo_run *run, struct undo_step *step, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	int64_t start = clock_monotonic();

	if (interrupt_pending())
		return error_interrupted(err);
	runner_add_script(&batch, db_of(run), &step->script);
	/* As its COMMIT did: what waits would stand in the way of the next one's ALTER TABLE. */
	if (runner_run(db_of(run), &batch, NULL, err) < 0 ||
	    transaction_check_deferred(db_of(run), err) < 0)
		return error_prefix(err, "could not apply migration '%s' again", step->version);
	step->microseconds = clock_monotonic() - start;
	return 0;
}

static void add_records(struct undo_run *run, const struct undo_step *step, struct db_batch *batch)
{
	const struct ledger_place *place = &run->plan->session->place;
	const struct log_applied *log = step->log;
	const struct ledger_entry entry = {
		.version = xstrdup(step->version),
		.name = xstrdup(step->name),
		.checksum = xstrdup_or_null(step->checksum),
		.applied_at = json_integer_value(json_object_get(step->migration, "applied_at_us")),
		.execution_time_ms =
			json_integer_value(json_object_get(step->migration, "execution_time_ms")),
	};
	const struct log_record record = {
		.operation = run->change.operation.id,
		.command = "rollback-db",
		.version = step->version,
		.name = step->name,
		.direction = "up",
		.who = run->change.who,
		.git_commit = run->change.git_commit,
		.up_checksum = step->checksum,
		.down_checksum = log ? log->down_checksum : NULL,
		.up_tokens = log ? log->up_tokens : NULL,
		.up_sql = step->recorded ? step->recorded :
			  !step->there	 ? step->script.text :
			  log		 ? log->up_sql :
					   NULL,
		.down_sql = log ? log->down_sql : NULL,
		.fingerprint_before = run->before,
		.fingerprint_after = catalog_fingerprint(&run->catalog),
		.objects = log ? log->objects : NULL,
		.statements = step->script.nr,
	};

	if (!step->there)
		ledger_add_entry(batch, place, &entry);
	if (step->stopped)
		rollback_log_add_end(batch, place, run->plan->undone, step->version, "undone", NULL,
				     NULL);
	rollback_log_add_done(batch, place, &record);
	free(entry.version);
	free(entry.name);
	free(entry.checksum);
}

/* The ledger has none of it. */
static void add_script_record(struct undo_run *run, struct db_batch *batch)
{
	const json_t *script = run->plan->script;
	const struct log_record record = {
		.operation = run->change.operation.id,
		.command = "rollback-db",
		.version = json_member(script, "version"),
		.name = json_member(script, "name"),
		.direction = "unscript",
		.who = run->change.who,
		.git_commit = run->change.git_commit,
		.down_checksum = json_member(script, "checksum"),
		.fingerprint_before = run->before,
		.fingerprint_after = catalog_fingerprint(&run->catalog),
	};

	rollback_log_add_done(batch, &run->plan->session->place, &record);
}

static int record(struct undo_run *run, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (run->plan->script)
		add_script_record(run, &batch);
	for (size_t i = 0; i < run->plan->nr; i++)
		add_records(run, &run->plan->step[i], &batch);
	return db_batch_run(db_of(run), &batch, NULL, err);
}

/* --- What the scripts do not bring -------------------------------------------------------------- */

static int remake_missing(struct undo_run *run, enum saved_schema_phase phase, struct error *err)
{
	struct undo_plan *plan = run->plan;

	return saved_schema_remake(&plan->remade, &run->missing, &plan->saved, phase, plan->session,
				   err);
}

/* --- Rows -------------------------------------------------------------------------------------------- */

static int conflict(const struct undo_plan *plan, struct error *err)
{
	error_set(err, "rows that were written since stand in the way: %s", plan->conflicts.v[0]);
	for (size_t i = 1; i < plan->conflicts.nr; i++)
		error_detail(err, "And: %s", plan->conflicts.v[i]);
	error_hint(err, "Use --merge to keep them, and put back only the rows that are missing.");
	return error_code(err, EXIT_NO);
}

/* Under their locks, so that it stays as it was found. */
static int check_rows(struct undo_run *run, struct error *err)
{
	struct undo_plan *plan = run->plan;

	if (undo_lock_tables(plan, err) < 0 || put_back_note(&run->back, err) < 0 ||
	    save_settings(db_of(run), err) < 0 || undo_find_conflicts(plan, err) < 0 ||
	    undo_find_others(plan, &run->back, err) < 0)
		return -1;
	return plan->conflicts.nr && !plan->request->merge ? conflict(plan, err) : 0;
}

static int put_rows_back(struct undo_run *run, struct error *err)
{
	struct undo_plan *plan = run->plan;
	struct put_back *back = &run->back;

	if (save_settings(db_of(run), err) < 0 || undo_find_tables(plan, err) < 0 ||
	    undo_count_kept(plan, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->table_nr; i++) {
		struct undo_table *table = &plan->table[i];

		if (table->swapped)
			continue;
		table->how.merged = undo_is_merged(plan, table);
		if (run->holding && !table->whole)
			table->how.held = undo_find_saved(&run->save, table->now);
		if (put_back_add(back, table->part, &table->how, err) < 0)
			return -1;
	}
	if (put_back_begin(back, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->table_nr; i++) {
		struct undo_table *table = &plan->table[i];

		if (table->swapped)
			continue;
		if (put_back_rows(back, table->part, &table->how, &table->result, err) < 0)
			return -1;
		if (table->later)
			table->result.different = 0;
	}
	if (put_back_end(back, err) < 0 || put_back_sequences(back, err) < 0)
		return -1;
	for (size_t i = 0; i < back->further.nr; i++)
		strvec_push(&plan->further, back->further.v[i]);
	if (undo_find_unproven(plan, &run->changes.changes, &run->save, err) < 0)
		return -1;
	return undo_drop_kept(plan, err);
}

/* --- What the undo itself destroys --------------------------------------------------------- */

static bool is_saving(const struct undo_run *run)
{
	return run->save.folder.path != NULL;
}

static int begin_saving(struct undo_run *run, struct error *err)
{
	struct undo_plan *plan = run->plan;
	const struct rollback_request *request = plan->request;

	if (request->rehearse || request->no_save)
		return 0;
	run->save.meter = run->back.meter;
	run->save.binary = request->binary;
	/* Of a folder whose operation the journal does not have nobody would know. */
	if (change_write_down(&run->change, err) < 0 ||
	    save_begin(&run->save, plan->session, plan->operation, "rollback-db", true, false,
		       err) < 0)
		return -1;
	json_object_set_new(run->save.folder.manifest, "undoes", json_text(plan->undone));
	json_object_set_new(run->save.folder.manifest, "database",
			    json_text(plan->session->database.name));
	json_object_set(run->save.folder.manifest, "identity",
			json_object_get(run->change.operation.record, "identity"));
	return 0;
}

static void add_targets(struct undo_run *run)
{
	struct undo_plan *plan = run->plan;

	save_group(&run->save);
	for (size_t i = 0; i < plan->table_nr; i++)
		if (plan->table[i].whole && !undo_is_merged(plan, &plan->table[i]) &&
		    undo_table_left(&plan->table[i]))
			save_table(&run->save, undo_table_left(&plan->table[i]), "undo");
}

static int run_ups(struct undo_run *run, struct error *err)
{
	for (size_t i = 0; i < run->plan->nr; i++)
		if (!run->plan->step[i].there && apply_step(run, &run->plan->step[i], err) < 0)
			return -1;
	return 0;
}

/* --- Scripts that cannot be run on the rows that are there ------------------------------------- */

static bool is_held(const struct undo_table *table)
{
	return !table->whole && undo_table_left(table);
}

/* NOT NULL, UNIQUE, CHECK: as a column comes, it has not yet the values that it had. */
static bool may_hold(struct undo_run *run, const struct error *err)
{
	struct undo_plan *plan = run->plan;

	if (run->holding || !is_saving(run) || strncmp(err->sqlstate, "23", 2) != 0)
		return false;
	for (size_t i = 0; i < plan->table_nr; i++)
		if (is_held(&plan->table[i])) {
			save_table(&run->save, undo_table_left(&plan->table[i]), "undo");
			run->holding = true;
		}
	return run->holding;
}

static int hold_rows(struct undo_run *run, struct error *err)
{
	struct undo_plan *plan = run->plan;
	uint32_t *oid CLEANUP(free_p) = xcalloc(plan->table_nr + 1, sizeof(*oid));
	const char **table CLEANUP(free_p) = xcalloc(plan->table_nr + 1, sizeof(*table));
	size_t nr = 0;

	for (size_t i = 0; i < plan->table_nr; i++) {
		const json_t *after = json_object_get(plan->table[i].part, "after");

		if (!is_held(&plan->table[i]))
			continue;
		table[nr] = json_member(after, "table");
		oid[nr++] = undo_table_left(&plan->table[i]);
	}
	return put_back_hold(&run->back, oid, table, nr, err);
}

/* --- The scripts --------------------------------------------------------------------------------- */

/* SAVE_MORE: they have to run anew. */
static int run_ups_once(struct undo_run *run, struct error *err)
{
	if (run->holding && hold_rows(run, err) < 0)
		return -1;
	if (run_ups(run, err) == 0)
		return save_check(&run->save, err);
	if (!may_hold(run, err))
		return -1;
	error_clear(err);
	return SAVE_MORE;
}

/*
 * What is known to be emptied is saved before; what only the run shows is saved then, and the
 * scripts run anew. Each round saves at least one table more.
 */
static int run_ups_saved(struct undo_run *run, struct error *err)
{
	struct db *db = db_of(run);
	int done = SAVE_MORE;

	add_targets(run);
	if (rehearsed_begin(&run->changes, run->plan->session, err) < 0)
		return -1;
	while (done == SAVE_MORE) {
		if (save_run(&run->save, err) < 0 ||
		    db_exec(db, "SAVEPOINT git_rollback_ups", err) < 0)
			return -1;
		done = run_ups_once(run, err);
		if (done < 0 || (done == SAVE_MORE &&
				 (db_exec(db, "ROLLBACK TO SAVEPOINT git_rollback_ups", err) < 0 ||
				  transaction_deallocate(db, err) < 0)))
			return -1;
	}
	if (db_exec(db, "RELEASE SAVEPOINT git_rollback_ups", err) < 0)
		return -1;
	return rehearsed_look(&run->changes, run->plan->session, err);
}

/* Durable before the COMMIT that makes it needed. */
static int finish_saving(struct undo_run *run, struct error *err)
{
	if (!is_saving(run) || !run->save.tables)
		return 0;
	return save_finish(&run->save, NULL, err);
}

/* What was saved goes only where it is certain that nothing was destroyed. */
static void conclude_saving(struct undo_run *run, const struct error *err)
{
	bool unknown = error_is_set(err) && db_is_lost(db_of(run));

	if (!is_saving(run))
		return;
	if (!run->save.tables || (!run->change.begun && !unknown))
		save_discard(&run->save);
	else
		run->plan->replaced = save_to_json(&run->save);
}

/* --- Proof ----------------------------------------------------------------------------------------- */

static int validate(struct undo_run *run, struct error *err)
{
	struct undo_plan *plan = run->plan;
	struct validation_rows rows = { 0 };

	for (size_t i = 0; i < plan->nr; i++)
		rows.unguarded |= validation_is_unguarded(&plan->step[i].script);
	return validation_check(&plan->record.validation, db_of(run), &run->catalog, rows, err);
}

static int prove(struct undo_run *run, struct error *err)
{
	struct catalog_changes changes CLEANUP(catalog_changes_release) = CATALOG_CHANGES_INIT;
	struct catalog now CLEANUP(catalog_release) = CATALOG_INIT;
	struct undo_plan *plan = run->plan;
	const json_t *groups = json_object_get(plan->saved.manifest, "objects");
	size_t nr = json_array_size(groups);

	if (catalog_read(&now, db_of(run), &plan->session->scope, err) < 0)
		return error_prefix(err, "could not read the catalog");
	catalog_diff(&changes, &run->catalog, &now);
	catalog_release(&run->catalog);
	run->catalog = now;
	now = (struct catalog)CATALOG_INIT;
	if (!nr && proof_expect(&plan->proof, plan->undone, NULL, err) < 0)
		return -1;
	/* What the first of them found is what counts. */
	for (size_t i = nr; i; i--) {
		char *text CLEANUP(free_p) =
			json_dumps(json_array_get(groups, i - 1), JSON_COMPACT);

		if (proof_expect(&plan->proof, plan->undone, text, err) < 0)
			return -1;
	}
	proof_check(&plan->proof, &run->catalog, &changes, output_utf8());
	run->unproven = plan->proof.result == PROOF_DIFFERENT && !plan->request->accept_difference;
	return run->unproven ? 0 : validate(run, err);
}

/* --- The whole -------------------------------------------------------------------------------------- */

/* Settings that reading and writing rows needs do not reach the scripts. */
static int aside(struct undo_run *run, int (*what)(struct undo_run *run, struct error *err),
		 struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (what(run, err) < 0)
		return -1;
	transaction_add_reset(&batch, db_of(run));
	return db_batch_run(db_of(run), &batch, NULL, err);
}

static void note_left(struct undo_plan *plan)
{
	for (size_t i = 0; i < plan->table_nr; i++) {
		const struct undo_table *table = &plan->table[i];

		if (!table->result.different)
			continue;
		if (!plan->left)
			plan->left = json_object();
		json_object_set_new(plan->left, table->table,
				    json_integer(table->result.different));
	}
}

static int swap_kept(struct undo_run *run, struct error *err)
{
	return undo_swap_kept(run->plan, err);
}

static int find_all_missing(struct undo_run *run, struct error *err)
{
	bool fits = false;

	while (!fits) {
		saved_schema_wanted_release(&run->missing);
		if (aside(run, swap_kept, err) < 0 ||
		    undo_find_missing(&run->missing, &fits, run->plan, err) < 0)
			return -1;
	}
	return 0;
}

static int run_inside(struct undo_run *run, struct error *err)
{
	struct undo_plan *plan = run->plan;

	if (aside(run, check_rows, err) < 0 || run_ups_saved(run, err) < 0)
		return -1;
	if (find_all_missing(run, err) < 0 ||
	    remake_missing(run, SAVED_SCHEMA_BEFORE_ROWS, err) < 0 ||
	    aside(run, put_rows_back, err) < 0 ||
	    remake_missing(run, SAVED_SCHEMA_AFTER_ROWS, err) < 0 ||
	    put_back_switch_keys(&run->back, err) < 0)
		return -1;
	if (prove(run, err) < 0)
		return -1;
	if (run->unproven || plan->request->rehearse)
		return 0;
	/* With that it is not undone, and can be undone once more. */
	note_left(plan);
	if (plan->left &&
	    operation_record(&run->change.operation, "left", json_incref(plan->left), err) < 0)
		return -1;
	return finish_saving(run, err) < 0 ? -1 : record(run, err);
}

static int run_transaction(struct undo_run *run, struct error *err)
{
	struct undo_plan *plan = run->plan;
	const struct change_witness witness = { .operation = run->change.operation.id,
						.version = plan->script ? json_member(plan->script,
										      "version") :
									  plan->step[0].version };

	if (change_open(&run->change, err) < 0)
		return -1;
	if (run_inside(run, err) < 0) {
		db_rollback(db_of(run));
		return error_detail(err, "Nothing was changed.");
	}
	if (run->unproven || plan->request->rehearse)
		db_rollback(db_of(run));
	else if (change_commit(&run->change, "the undo", &witness, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->nr; i++)
		plan->step[i].done = !run->unproven;
	return 0;
}

/* Nothing will be done, as rows stand in the way. */
static bool is_blocked(const struct undo_plan *plan)
{
	return plan->conflicts.nr && !plan->request->merge;
}

static int execute(struct undo_run *run, struct error *err)
{
	struct undo_plan *plan = run->plan;
	json_t *members CLEANUP(json_decref_p) = json_pack("{s:s}", "undoes", plan->undone);
	bool locked = plan->session->locked; /* it was planned under the locks */
	int ret;

	if (change_begin(&run->change, plan->session, false, members, err) < 0 ||
	    (!locked && undo_check_plan(plan, err) < 0))
		return -1;
	plan->operation = xstrdup(run->change.operation.id);
	if (rollback_record_begin(&plan->record, &run->change,
				  !plan->request->rehearse && !is_blocked(plan), err) < 0)
		return -1;
	if (!plan->request->rehearse && change_create_tables(&run->change, err) < 0)
		return -1;
	if (catalog_read(&run->catalog, db_of(run), &plan->session->scope, err) < 0)
		return error_prefix(err, "could not read the catalog");
	run->before = xstrdup(catalog_fingerprint(&run->catalog));
	if (begin_saving(run, err) < 0 ||
	    validation_begin(&plan->record.validation, db_of(run), &run->catalog, err) < 0)
		return -1;
	rollback_record_lock(&plan->record);
	ret = run_transaction(run, err);
	rollback_record_unlock(&plan->record);
	return ret;
}

enum rollback_outcome undo_execute(struct undo_plan *plan, struct error *err)
{
	const struct common_options *common = &plan->request->common;
	struct undo_run run CLEANUP(run_release) = {
		.plan = plan,
		.change = CHANGE_INIT,
		.back = PUT_BACK_INIT,
		.save = SAVE_INIT,
		.changes = REHEARSED_INIT,
	};
	int ret;

	run.back.session = plan->session;
	run.back.saved = &plan->saved;
	run.back.holder = &run.save.folder;
	run.back.meter = common->quiet || common->json ? 0 : common->progress;
	ret = execute(&run, err);
	conclude_saving(&run, err);
	rollback_record_end(&plan->record, &run.change,
			    !ret && !run.unproven && !plan->request->rehearse);
	change_finish(&run.change, !ret && !run.unproven, err);
	return ret < 0 ? ROLLBACK_FAILED : run.unproven ? ROLLBACK_UNPROVEN : ROLLBACK_DONE;
}
