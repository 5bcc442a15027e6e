/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "flow/apply-rehearse.h"
#include "flow/change.h"
#include "flow/database-snapshot.h"
#include "flow/kept.h"
#include "flow/outside.h"
#include "flow/runner.h"
#include "flow/settle.h"
#include "term/output.h"
#include "term/progress.h"

struct apply_run {
	struct apply_plan *plan;
	struct change change;
	struct catalog catalog;
	bool proof;
	struct kept kept; /* one a step */
	struct progress progress;
	struct apply_step *awaited; /* has run, and is not known to be committed; or NULL */
	size_t commits;		    /* of `change`, before it is */
};

static void run_release(struct apply_run *run)
{
	progress_abandon(&run->progress);
	kept_release(&run->kept);
	catalog_release(&run->catalog);
	change_release(&run->change);
}

/* As struct change has it: takes its time, and what it made goes into the record. */
static int keep_scripts(void *data, json_t *members, struct error *err)
{
	struct apply_run *run = data;
	const struct apply_plan *plan = run->plan;

	for (size_t i = 0; i < plan->nr; i++) {
		const struct apply_step *step = &plan->step[i];
		const struct applied_scripts scripts = {
			.version = step->version,
			.checksum = step->checksum,
			.up = step->up_text.buf,
			.up_len = step->up_text.len,
			.down = step->has_down ? step->down_text.buf : NULL,
			.down_len = step->down_text.len,
		};

		kept_add(&run->kept, &scripts);
	}
	if (kept_write(&run->kept, members, err) < 0)
		return -1;
	if (plan->request->mode == APPLY_CONTINUE) /* the log has it under that operation */
		json_object_set_new(members, "resumes",
				    json_text(plan->step[0].unfinished->operation));
	return 0;
}

static struct log_record log_record_of(const struct apply_run *run, const struct apply_step *step)
{
	return (struct log_record){
		.operation = run->change.operation.id,
		.command = "apply-migration",
		.version = step->version,
		.name = step->name,
		.direction = run->plan->request->mode == APPLY_BASELINE ? "baseline" : "up",
		.who = run->change.who,
		.git_commit = run->change.git_commit,
		.up_checksum = step->checksum,
		.down_checksum = step->has_down ? step->down_checksum : NULL,
		.up_tokens = *step->tokens ? step->tokens : NULL,
		.up_sql = step->script.text,
		.down_sql = step->has_down ? step->down_text.buf : NULL,
		.statements = step->script.nr,
	};
}

/* Reads what the step changed; `before` gets the fingerprint from before, when there is proof. */
static int note_changes(struct apply_run *run, struct apply_step *step, struct error *err)
{
	return run->proof ? catalog_refresh(&run->catalog, &run->plan->session->db, &step->changes,
					    err) :
			    0;
}

static char *changes_text(const struct apply_run *run, const struct apply_step *step)
{
	json_t *json CLEANUP(json_decref_p) = NULL;

	/* What a baseline stands for was not seen to happen. */
	if (!run->proof || run->plan->request->mode == APPLY_BASELINE)
		return NULL;
	json = catalog_changes_to_json(&step->changes);
	return json_dumps(json, JSON_COMPACT);
}

/* Adds the step's rows in ledger and log. */
static void add_records(struct apply_run *run, const struct apply_step *step, const char *before,
			int64_t milliseconds, struct db_batch *batch)
{
	const struct ledger_place *place = &run->plan->session->place;
	struct log_record record = log_record_of(run, step);
	char *objects CLEANUP(free_p) = changes_text(run, step);

	record.fingerprint_before = before;
	record.fingerprint_after = run->proof ? catalog_fingerprint(&run->catalog) : NULL;
	record.objects = objects;
	ledger_add_insert(batch, place, step->version, step->name, step->checksum, milliseconds);
	rollback_log_add_done(batch, place, &record);
}

/* The fingerprint as it is now, as a copy; NULL without proof. */
static char *fingerprint_now(struct apply_run *run)
{
	return run->proof ? xstrdup(catalog_fingerprint(&run->catalog)) : NULL;
}

static int script_failed(const struct apply_run *run, const struct apply_step *step,
			 struct error *err)
{
	error_prefix(err, "could not apply migration '%s'", step->version);
	if (err->exit_code == EXIT_INTERRUPTED)
		return -1;
	if (db_is_lost(&run->plan->session->db))
		return error_hint(
			err,
			"Nothing of it is left. Run the command again once the server answers.");
	if (run->plan->request->single_transaction) {
		error_detail(err, "Nothing was changed.");
		return error_hint(err, "Correct the script and run the command again.");
	}
	return error_hint(err, "Nothing of it is left; what was applied before it stays. "
			       "Correct the script and run the command again.");
}

/* The script and what it takes, behind what is in the batch. */
static int run_script(struct apply_run *run, struct apply_step *step, struct db_batch *batch,
		      struct error *err)
{
	int64_t start = clock_monotonic();

	if (change_run(&run->change, batch, NULL, err) < 0)
		return run->change.own_failure ? -1 : script_failed(run, step, err);
	step->microseconds = clock_monotonic() - start;
	return 0;
}

/*
 * Script and records, inside a transaction that the batch may have yet to begin. With
 * proof the catalog is read in between; without, all of it is one round trip.
 */
static int run_inside(struct apply_run *run, struct apply_step *step, struct db_batch *batch,
		      struct error *err)
{
	struct db_batch records CLEANUP(db_batch_release) = DB_BATCH_INIT;
	char *before CLEANUP(free_p) = fingerprint_now(run);

	if (run->plan->request->mode != APPLY_BASELINE)
		runner_add_script(batch, &run->plan->session->db, &step->script);
	if (!run->proof)
		add_records(run, step, NULL, -1, batch);
	if (run_script(run, step, batch, err) < 0)
		return -1;
	if (!run->proof)
		return 0;
	if (note_changes(run, step, err) < 0)
		return -1;
	add_records(run, step, before, step->microseconds / 1000, &records);
	if (change_run(&run->change, &records, NULL, err) < 0)
		return error_prefix(err, "could not record migration '%s'", step->version);
	return 0;
}

static void expect_commit(struct apply_run *run, struct apply_step *step)
{
	run->awaited = step;
	run->commits = run->change.commits;
}

/* Shows the step that has run as done, once it is committed. */
static void note_committed(struct apply_run *run)
{
	if (!run->awaited || run->change.commits == run->commits)
		return;
	run->awaited->done = true;
	progress_hide(&run->progress);
	apply_show_done(run->plan, run->awaited);
	progress_update(&run->progress, (size_t)(run->awaited - run->plan->step) + 1);
	run->awaited = NULL;
}

/*
 * Soon, if nothing is shown in between: whoever reads our output may be slow, and must not
 * keep the locks of an open transaction.
 */
static int commit_step(struct apply_run *run, const struct apply_step *step, struct error *err)
{
	const struct common_options *common = &run->plan->request->common;
	const struct change_witness witness = { .operation = run->change.operation.id,
						.version = step->version };

	if (common->quiet || common->json)
		return change_commit_soon(&run->change, step->version, err);
	return change_commit(&run->change, step->version, &witness, err) < 0 ? -1 : 0;
}

static int step_transaction(struct apply_run *run, struct apply_step *step, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (change_transaction(&run->change, &batch, err) < 0)
		return -1;
	if (run_inside(run, step, &batch, err) < 0) {
		db_rollback(&run->plan->session->db);
		return -1;
	}
	note_committed(run);
	expect_commit(run, step);
	return commit_step(run, step, err);
}

static int outside_failed(struct outside_run *outside, struct error *err)
{
	if (outside_forget(outside))
		return error_hint(err, "Nothing of it is left; what was applied before it stays. "
				       "Correct the script and run the command again.");
	error_hint(err, "It runs outside a transaction, so what was done before stays; "
			"'git migration-status' shows how far it came.");
	return error_hint(
		err,
		"Use 'git apply-migration --continue' to go on, or 'git rollback-db %s' to "
		"undo it.",
		outside->record.version);
}

/* The tracking row comes together with the end of the log's row. */
static int end_outside(struct apply_run *run, struct apply_step *step, struct outside_run *outside,
		       struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	char *objects CLEANUP(free_p) = NULL;

	if (note_changes(run, step, err) < 0)
		return -1;
	/* Only what happened in this run is known: after a break, not all of it. */
	objects = step->unfinished ? NULL : changes_text(run, step);
	if (outside_add_end(outside, &batch, run->proof ? catalog_fingerprint(&run->catalog) : NULL,
			    objects, err) < 0)
		return -1;
	ledger_add_insert(&batch, &run->plan->session->place, step->version, step->name,
			  step->checksum, step->microseconds / 1000);
	if (change_run(&run->change, &batch, NULL, err) < 0)
		return error_prefix(err, "could not record migration '%s'", step->version);
	const struct change_witness witness = outside_witness(outside);
	expect_commit(run, step);
	return change_commit(&run->change, step->version, &witness, err) < 0 ? -1 : 0;
}

static int step_outside(struct apply_run *run, struct apply_step *step, struct error *err)
{
	char *before CLEANUP(free_p) = fingerprint_now(run);
	struct outside_run outside = {
		.change = &run->change,
		.script = &step->script,
		.record = log_record_of(run, step),
		.unfinished = step->unfinished,
	};

	outside.record.fingerprint_before = before;
	if (outside_begin(&outside, err) < 0)
		return -1;
	if (outside_execute(&outside, err) < 0)
		return outside_failed(&outside, err);
	step->microseconds = outside.microseconds;
	return end_outside(run, step, &outside, err);
}

/*
 * Makes the refs of what was committed, also when a later step failed. What is committed is
 * committed: refs that cannot be made are no failure of the run. The journal keeps what is
 * needed to make them, and the database's log keeps the scripts.
 */
static void publish_or_warn(struct apply_run *run)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	size_t done = 0;

	while (done < run->plan->nr && run->plan->step[done].done)
		done++;
	if (kept_publish(&run->kept, done, run->change.operation.record, &err) == 0)
		return;
	warning("%s", err.message);
	hint("The next 'git apply-migration' or 'git rollback-db' makes them.");
	run->change.leave_open = true;
}

static int flush(struct apply_run *run, struct error *err)
{
	int ret = change_flush(&run->change, err);

	note_committed(run);
	return ret;
}

static int run_step(struct apply_run *run, struct apply_step *step, struct error *err)
{
	if (!step->script.no_transaction || run->plan->request->mode == APPLY_BASELINE)
		return step_transaction(run, step, err);
	return flush(run, err) < 0 ? -1 : step_outside(run, step, err);
}

static int run_each(struct apply_run *run, struct error *err)
{
	struct apply_plan *plan = run->plan;
	const struct common_options *common = &plan->request->common;
	size_t i = 0;
	int ret = 0;

	progress_start(&run->progress, "Applying migrations", plan->nr, PROGRESS_COUNT,
		       common->quiet || common->json ? 0 : common->progress);
	while (!ret && i < plan->nr && !interrupt_pending() && !run->change.reconnected) {
		ret = run_step(run, &plan->step[i++], err);
		note_committed(run);
	}
	if (ret < 0 || flush(run, err) < 0)
		return -1;
	if (i < plan->nr && run->change.reconnected)
		return error_set(err, "lost the connection after migration '%s' was committed",
				 plan->step[i - 1].version);
	if (i < plan->nr)
		return error_interrupted(err);
	progress_finish(&run->progress);
	return 0;
}

static int run_single(struct apply_run *run, struct error *err)
{
	struct apply_plan *plan = run->plan;
	const struct change_witness witness = { .operation = run->change.operation.id,
						.version = plan->step[plan->nr - 1].version };

	for (size_t i = 0; i < plan->nr; i++) {
		struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

		if (!i && change_transaction(&run->change, &batch, err) < 0)
			return -1;
		if (interrupt_pending() ? error_interrupted(err) :
					  run_inside(run, &plan->step[i], &batch, err)) {
			db_rollback(&plan->session->db);
			return -1;
		}
	}
	if (change_commit(&run->change, "the run", &witness, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->nr; i++) {
		plan->step[i].done = true;
		apply_show_done(plan, &plan->step[i]);
	}
	return 0;
}

static int execute(struct apply_run *run, struct error *err)
{
	struct apply_plan *plan = run->plan;
	const struct apply_request *request = plan->request;
	int ret;

	if (!request->rehearse) {
		run->change.prepare = keep_scripts;
		run->change.prepare_data = run;
	}
	if (change_begin(&run->change, plan->session, plan->outside, NULL, err) < 0)
		return -1;
	plan->operation = xstrdup(run->change.operation.id);
	/* A snapshot stays, with the operation's name. */
	if (!request->rehearse && plan->session->database.snapshot &&
	    (change_write_down(&run->change, err) < 0 ||
	     database_snapshot_for_change(&plan->snapshot, plan->session, "before-apply",
					  plan->operation, err) < 0))
		return -1;
	/* While the tables are made the scripts are kept, and before any script has locks. */
	if (!request->rehearse &&
	    (change_create_tables(&run->change, err) < 0 ||
	     change_write_down(&run->change, err) < 0 || kept_prepare(&run->kept, err) < 0))
		return -1;
	if (run->proof &&
	    catalog_read(&run->catalog, &plan->session->db, &plan->session->scope, err) < 0)
		return error_prefix(err, "could not read the catalog");
	if (request->rehearse)
		return apply_rehearse(plan, &run->change, run->proof ? &run->catalog : NULL, err);
	ret = request->single_transaction ? run_single(run, err) : run_each(run, err);
	publish_or_warn(run);
	return ret;
}

int apply_execute(struct apply_plan *plan, struct error *err)
{
	struct apply_run run CLEANUP(run_release) = {
		.plan = plan,
		.change = CHANGE_INIT,
		.kept = KEPT_INIT,
		.progress = PROGRESS_INIT,
		.proof = !plan->request->no_proof,
	};
	int ret;

	if (!plan->nr)
		return settle_alone(plan->session, err);
	ret = execute(&run, err);
	change_finish(&run.change, !ret, err);
	return ret;
}
