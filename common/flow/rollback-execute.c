/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "flow/change.h"
#include "flow/hook.h"
#include "flow/outside.h"
#include "flow/rollback-script.h"
#include "flow/rollback-run.h"
#include "flow/runner.h"
#include "flow/save.h"
#include "flow/settle.h"
#include "term/output.h"
#include "term/progress.h"

static void run_release(struct rollback_run *run)
{
	progress_abandon(&run->progress);
	free(run->before);
	free(run->first);
	json_decref(run->objects);
	save_release(&run->save);
	catalog_release(&run->catalog);
	change_release(&run->change);
}

static bool is_outside(const struct rollback_step *step)
{
	return step->script.no_transaction ||
	       (step->unfinished && step->unfinished->down && !step->restart);
}

static struct rollback_group next_group(const struct rollback_plan *plan, size_t from)
{
	struct rollback_group ret = { .from = from,
				      .to = from + 1,
				      .outside = is_outside(&plan->step[from]) };

	while (!ret.outside && ret.to < plan->nr && !is_outside(&plan->step[ret.to]))
		ret.to++;
	return ret;
}

/* --- records ------------------------------------------------------------------------------------ */

static struct log_record log_record_of(struct rollback_run *run, const struct rollback_step *step)
{
	const struct rollback_script *script = run->plan->script;

	return (struct log_record){
		.operation = run->change.operation.id,
		.command = "rollback-db",
		.version = step->applied->version,
		.name = step->applied->name,
		.direction = script ? "script" : "down",
		.who = run->change.who,
		.git_commit = run->change.git_commit,
		.up_checksum = step->applied->checksum,
		.down_checksum = script	    ? script->checksum :
				 step->down ? step->down->checksum :
					      NULL,
		.up_sql = step->log ? step->log->up_sql : NULL,
		.down_sql = step->script.text,
		.fingerprint_before = run->before,
		.fingerprint_after = run->proof ? catalog_fingerprint(&run->catalog) : NULL,
		.statements = step->script.nr,
	};
}

/* Has the tracking table a row of it? Not of one that was interrupted on its way up, or a script. */
static bool is_in_ledger(const struct rollback_run *run, const struct rollback_step *step)
{
	return step->applied != &run->plan->interrupted && !run->plan->script;
}

size_t rollback_add_row_removal(struct rollback_run *run, const struct rollback_step *step,
				struct db_batch *batch)
{
	const struct ledger_place *place = &run->plan->session->place;

	if (step->unfinished && (!step->unfinished->down || step->restart))
		rollback_log_add_end(batch, place, step->unfinished->operation,
				     step->applied->version, "undone", NULL, NULL);
	if (is_in_ledger(run, step))
		ledger_add_delete(batch, place, step->applied->version);
	return batch->nr - 1;
}

int rollback_check_row_removal(const struct rollback_step *step, const struct db_command *removal,
			       struct error *err)
{
	int64_t rows = removal->rows;

	if (rows == 1)
		return 0;
	return error_set(err, "the tracking table had %" PRId64 " rows for migration '%s', not one",
			 rows, step->applied->version);
}

void rollback_add_log(struct rollback_run *run, const struct rollback_group *group,
		      struct db_batch *batch)
{
	for (size_t i = group->from; i < group->to; i++) {
		struct log_record record = log_record_of(run, &run->plan->step[i]);

		rollback_log_add_done(batch, &run->plan->session->place, &record);
	}
}

/* --- proof --------------------------------------------------------------------------------------- */

static int prove_migrations(struct rollback_run *run, const struct rollback_group *group,
			    struct catalog_changes *changes, struct error *err)
{
	struct rollback_plan *plan = run->plan;

	for (size_t i = group->from; i < group->to; i++) {
		const struct rollback_step *step = &plan->step[i];

		if (proof_expect(&plan->proof, step->applied->version,
				 step->log ? step->log->objects : NULL, err) < 0)
			return -1;
	}
	proof_check(&plan->proof, &run->catalog, changes, output_utf8());
	return 0;
}

/* Outside a transaction nothing shows whose tables were changed, but the text. */
static int validate(struct rollback_run *run, const struct rollback_group *group, struct error *err)
{
	struct rollback_plan *plan = run->plan;
	uint32_t *tables CLEANUP(free_p) = xcalloc(plan->impact.nr + 1, sizeof(*tables));
	struct validation_rows rows = { .table = tables };

	for (size_t i = 0; group->outside && i < plan->impact.nr; i++)
		if (plan->impact.item[i].script == group->from)
			tables[rows.nr++] = plan->impact.item[i].oid;
	for (size_t i = group->from; i < group->to; i++)
		rows.unguarded |= validation_is_unguarded(&plan->step[i].script);
	return validation_check(&plan->record.validation, &plan->session->db, &run->catalog, rows,
				err);
}

static int prove(struct rollback_run *run, const struct rollback_group *group, struct error *err)
{
	struct catalog_changes changes CLEANUP(catalog_changes_release) = CATALOG_CHANGES_INIT;
	struct rollback_plan *plan = run->plan;

	if (!run->proof)
		return 0;
	if (catalog_refresh(&run->catalog, &plan->session->db, &changes, err) < 0)
		return error_prefix(err, "could not read the catalog");
	rollback_save_objects(run, &changes);
	if (plan->script)
		rollback_script_prove(plan, &run->catalog);
	else if (prove_migrations(run, group, &changes, err) < 0)
		return -1;
	if (plan->proof.result == PROOF_DIFFERENT && !plan->request->accept_difference)
		run->unproven = true;
	return run->unproven ? 0 : validate(run, group, err);
}

static void remember_fingerprint(struct rollback_run *run)
{
	free(run->before);
	run->before = run->proof ? xstrdup(catalog_fingerprint(&run->catalog)) : NULL;
}

/* --- inside a transaction --------------------------------------------------------------------------- */

static bool is_observed(const struct rollback_plan *plan)
{
	const struct common_options *common = &plan->request->common;

	return plan->request->rehearse && (common->json || !common->quiet);
}

/* What comes behind all downs of the group, before its COMMIT. */
static int finish_downs(struct rollback_run *run, const struct rollback_group *group,
			struct error *err)
{
	struct db *db = &run->plan->session->db;
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (run->plan->request->rehearse && transaction_check_deferred(db, err) < 0)
		return error_detail(err, "Nothing was changed.");
	if (run->proof && prove(run, group, err) < 0)
		return -1;
	if (run->unproven || run->plan->request->rehearse)
		return 0;
	if (save_after(&run->save, err) < 0 || keep_after(&run->plan->keep, db, err) < 0 ||
	    rollback_save_finish(run, err) < 0)
		return -1;
	if (!run->proof)
		return 0;
	rollback_add_log(run, group, &batch);
	return db_batch_run(db, &batch, NULL, err);
}

static int end_transaction(struct rollback_run *run, const struct change_witness *witness,
			   struct error *err)
{
	struct rollback_plan *plan = run->plan;

	if (!run->unproven && !plan->request->rehearse)
		return change_commit(&run->change, "the rollback", witness, err) < 0 ? -1 : 0;
	db_rollback(&plan->session->db);
	if (!is_observed(plan))
		return 0;
	return rehearsed_count(&plan->rehearsed, plan->session, plan->count_limit, err);
}

static int group_transaction(struct rollback_run *run, const struct rollback_group *group,
			     struct error *err)
{
	struct db *db = &run->plan->session->db;
	const struct change_witness witness = {
		.operation = run->change.operation.id,
		.version = run->plan->step[group->from].applied->version,
	};

	if ((rollback_saves(run)    ? rollback_run_downs_saved(run, group, err) :
	     is_observed(run->plan) ? rollback_run_downs_rehearsed(run, group, err) :
				      rollback_run_downs(run, group, false, err)) < 0 ||
	    finish_downs(run, group, err) < 0) {
		db_rollback(db);
		rollback_save_take_back(run);
		return -1;
	}
	if (end_transaction(run, &witness, err) < 0) {
		rollback_save_take_back(run);
		return -1;
	}
	for (size_t i = group->from; i < group->to; i++)
		run->plan->step[i].done = !run->unproven;
	return 0;
}

/* --- outside a transaction ----------------------------------------------------------------------------- */

/* The tracking row goes together with the end of the log's row. */
static int end_outside(struct rollback_run *run, const struct rollback_step *step,
		       struct outside_run *outside, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (outside_add_end(outside, &batch, run->proof ? catalog_fingerprint(&run->catalog) : NULL,
			    NULL, err) < 0)
		return -1;
	/* The log's row of an interrupted way up was closed when the way down began. */
	size_t removal = batch.nr;
	if (is_in_ledger(run, step))
		ledger_add_delete(&batch, &run->plan->session->place, step->applied->version);
	if (change_run(&run->change, &batch, NULL, err) < 0)
		return -1;
	if (removal < batch.nr && rollback_check_row_removal(step, &batch.item[removal], err) < 0) {
		db_rollback(&run->plan->session->db);
		return -1;
	}
	const struct change_witness witness = outside_witness(outside);
	return change_commit(&run->change, step->applied->version, &witness, err) < 0 ? -1 : 0;
}

static int outside_failed(struct rollback_run *run, const struct rollback_step *step,
			  struct outside_run *outside, struct error *err)
{
	if (!step->unfinished && outside_forget(outside))
		return error_hint(
			err,
			"Nothing of it was done. Correct the script and run the command again.");
	run->plan->stopped = step;
	return -1;
}

static int group_outside(struct rollback_run *run, const struct rollback_group *group,
			 struct error *err)
{
	struct rollback_step *step = &run->plan->step[group->from];
	struct outside_run outside = {
		.change = &run->change,
		.script = &step->script,
		.record = log_record_of(run, step),
		.unfinished = step->unfinished,
		/* One that was interrupted on the way up begins its way down. */
		.restart = step->restart || (step->unfinished && !step->unfinished->down),
	};

	outside.record.fingerprint_after = NULL;
	if (rollback_save_outside(run, group, err) < 0 || outside_begin(&outside, err) < 0)
		return -1;
	if (outside_execute(&outside, err) < 0)
		return outside_failed(run, step, &outside, err);
	step->microseconds = outside.microseconds;
	step->ran = true;
	if (prove(run, group, err) < 0 || rollback_save_after(run, err) < 0 ||
	    rollback_save_finish(run, err) < 0 || end_outside(run, step, &outside, err) < 0)
		return -1;
	step->done = true;
	progress_update(&run->progress, ++run->finished);
	return 0;
}

/* --- the whole ------------------------------------------------------------------------------------------- */

static int run_group(struct rollback_run *run, const struct rollback_group *group,
		     struct error *err)
{
	struct rollback_record *record = &run->plan->record;
	int ret;

	rollback_record_lock(record);
	ret = group->outside ? group_outside(run, group, err) : group_transaction(run, group, err);
	rollback_record_unlock(record);
	return ret;
}

static int run_groups(struct rollback_run *run, struct error *err)
{
	struct rollback_plan *plan = run->plan;
	const struct common_options *common = &plan->request->common;
	struct rollback_group group = { 0 };

	progress_start(&run->progress, "Rolling back", plan->nr, PROGRESS_COUNT,
		       common->quiet || common->json ? 0 : common->progress);
	while (group.to < plan->nr && !run->unproven) {
		group = next_group(plan, group.to);
		remember_fingerprint(run);
		if (run_group(run, &group, err) < 0)
			return -1;
		if (run->change.reconnected && group.to < plan->nr)
			return error_set(
				err,
				"lost the connection after a part of the rollback was committed");
	}
	progress_finish(&run->progress);
	return 0;
}

/* What the journal says of the run. */
static json_t *journal_members(const struct rollback_plan *plan)
{
	json_t *versions = json_array();

	for (size_t i = 0; i < plan->nr && !plan->script; i++)
		json_array_append_new(versions, json_text(plan->step[i].applied->version));
	json_t *ret =
		json_pack("{s:o, s:b, s:b}", "versions", versions, "saves_rows",
			  !plan->request->no_save, "saves_schema", !plan->request->no_snapshot);
	if (plan->script)
		json_object_set_new(ret, "script", json_text(plan->script->entry.name));
	for (size_t i = 0; i < plan->nr; i++)
		if (plan->step[i].unfinished && plan->step[i].unfinished->down &&
		    !plan->step[i].restart)
			json_object_set_new(ret, "resumes",
					    json_text(plan->step[i].unfinished->operation));
	return ret;
}

/* What it does is done: the journal says before that there is an operation. */
static int call_pre_hook(struct rollback_run *run, struct error *err)
{
	const struct rollback_plan *plan = run->plan;
	const struct session *s = plan->session;
	json_t *json CLEANUP(json_decref_p) = rollback_to_json(plan, false);

	if (hook_may_run("pre-rollback", &s->repo, &s->settings) &&
	    change_write_down(&run->change, err) < 0)
		return -1;
	json_object_set_new(json, "operation", json_text(plan->operation));
	return hook_run("pre-rollback", &s->repo, &s->settings, json, err);
}

static int call_post_hook(const struct rollback_plan *plan, struct error *err)
{
	json_t *json CLEANUP(json_decref_p) = rollback_outcome_to_json(plan, ROLLBACK_DONE, NULL);

	return hook_run("post-rollback", &plan->session->repo, &plan->session->settings, json, err);
}

/* What the run came to. `good`: it did what it should. */
static void end_record(struct rollback_run *run, bool good)
{
	struct rollback_plan *plan = run->plan;

	plan->record.reached = xstrdup_or_null(rollback_reached(plan));
	plan->record.saved = plan->saved ? json_incref(plan->saved) : NULL;
	rollback_record_end(&plan->record, &run->change, good && !plan->request->rehearse);
}

static int execute(struct rollback_run *run, struct error *err)
{
	struct rollback_plan *plan = run->plan;
	struct session *s = plan->session;
	json_t *members CLEANUP(json_decref_p) = journal_members(plan);

	if (change_begin(&run->change, s, plan->outside, members, err) < 0)
		return -1;
	plan->operation = xstrdup(run->change.operation.id);
	if (!plan->request->rehearse && call_pre_hook(run, err) < 0)
		return -1;
	if (rollback_record_begin(&plan->record, &run->change, !plan->request->rehearse, err) < 0)
		return -1;
	if (!plan->request->rehearse && change_create_tables(&run->change, err) < 0)
		return -1;
	if (run->proof &&
	    (catalog_read(&run->catalog, &s->db, &s->scope, err) < 0 ||
	     validation_begin(&plan->record.validation, &s->db, &run->catalog, err) < 0))
		return error_prefix(err, "could not read the catalog");
	run->first = run->proof ? xstrdup(catalog_fingerprint(&run->catalog)) : NULL;
	return rollback_save_begin(run, err) < 0 ? -1 : run_groups(run, err);
}

enum rollback_outcome rollback_execute(struct rollback_plan *plan, struct error *err)
{
	struct rollback_run run CLEANUP(run_release) = {
		.plan = plan,
		.change = CHANGE_INIT,
		.progress = PROGRESS_INIT,
		.save = SAVE_INIT,
		.objects = json_array(),
		.proof = !plan->request->no_proof,
	};
	struct error second CLEANUP(error_release) = ERROR_INIT;
	bool good;
	int ret;

	if (!plan->nr)
		return settle_alone(plan->session, err) < 0 ? ROLLBACK_FAILED : ROLLBACK_DONE;
	ret = execute(&run, err);
	good = !ret && !run.unproven;
	if (ret < 0)
		rollback_save_partial(&run);
	rollback_save_conclude(&run, err);
	end_record(&run, good);
	change_finish(&run.change, good, err);
	if (plan->saved && good)
		rollback_save_prune(plan->session);
	if (!plan->request->rehearse && good && call_post_hook(plan, &second) < 0)
		warning("%s", second.message);
	return ret < 0 ? ROLLBACK_FAILED : run.unproven ? ROLLBACK_UNPROVEN : ROLLBACK_DONE;
}
