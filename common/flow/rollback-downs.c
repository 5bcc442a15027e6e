/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/interrupt.h"
#include "flow/rollback-run.h"
#include "flow/runner.h"

/* So many run in one round trip: progress is shown, and an interrupt seen, in between. */
#define STRETCH_STEPS 16

/*
 * Some steps of a group: their commands in one batch, so that they are one round trip. Each
 * has script and tracking row; the log's row too, unless the proof has to come first.
 */
struct stretch {
	size_t from, to;
	size_t next;   /* statement of the first step's script: those before it are run */
	int64_t start; /* clock_monotonic() */
	struct db_batch batch;
	struct {
		size_t removal, end; /* indexes in the batch: the row's removal, behind the last */
	} step[STRETCH_STEPS];
};

static void stretch_add(struct rollback_run *run, struct stretch *stretch)
{
	struct rollback_step *step = &run->plan->step[stretch->to];
	size_t at = stretch->to - stretch->from;

	runner_add_statements(&stretch->batch, &step->script, at ? 0 : stretch->next,
			      step->script.nr);
	transaction_add_reset(&stretch->batch, &run->plan->session->db);
	stretch->step[at].removal = rollback_add_row_removal(run, step, &stretch->batch);
	stretch->to++;
	if (!run->proof && !run->plan->request->rehearse)
		rollback_add_log(
			run, &(struct rollback_group){ .from = stretch->to - 1, .to = stretch->to },
			&stretch->batch);
	stretch->step[at].end = stretch->batch.nr;
}

static int stretch_failed(const struct rollback_run *run, const struct stretch *stretch,
			  size_t failed, struct error *err)
{
	size_t at = 0;

	while (at + 1 < stretch->to - stretch->from && stretch->step[at].end <= failed)
		at++;
	if (run->plan->script)
		error_prefix(err, "could not run the rollback script");
	else
		error_prefix(err, "could not roll back migration '%s'",
			     run->plan->step[stretch->from + at].applied->version);
	return run->plan->outside ? -1 : error_detail(err, "Nothing was changed.");
}

static int stretch_run(struct rollback_run *run, struct stretch *stretch, struct error *err)
{
	struct db_batch *batch = &stretch->batch;
	int64_t start = stretch->start;
	size_t failed = 0;

	/* Where rows are saved the record is written by now, and there are savepoints to go back to. */
	if ((rollback_saves(run) ? runner_run(&run->plan->session->db, batch, &failed, err) :
				   change_run(&run->change, batch, &failed, err)) < 0)
		return stretch_failed(run, stretch, failed, err);
	for (size_t i = stretch->from; i < stretch->to; i++) {
		struct rollback_step *step = &run->plan->step[i];
		size_t at = i - stretch->from;
		int64_t end = batch->item[stretch->step[at].end - 1].done_at;

		step->microseconds = end - start;
		step->ran = true;
		start = end;
		if (!run->plan->script &&
		    rollback_check_row_removal(step, &batch->item[stretch->step[at].removal], err) <
			    0)
			return run->plan->outside ? -1 : error_detail(err, "Nothing was changed.");
	}
	progress_update(&run->progress, run->finished += stretch->to - stretch->from);
	return 0;
}

static void stretch_release(struct stretch *stretch)
{
	db_batch_release(&stretch->batch);
}

/* Up to the last table that is moved instead of being dropped. */
static int stretch_keep(struct rollback_run *run, struct stretch *stretch, struct error *err)
{
	struct rollback_plan *plan = run->plan;

	stretch->start = clock_monotonic();
	if (!keep_is_in(&plan->keep, stretch->from))
		return 0;
	if (keep_run(&plan->keep, stretch->from, &stretch->next, &plan->step[stretch->from].script,
		     &plan->session->db, err) < 0)
		return stretch_failed(run, stretch, 0, err);
	return 0;
}

int rollback_run_downs(struct rollback_run *run, const struct rollback_group *group, bool begun,
		       struct error *err)
{
	size_t next = group->from;

	while (next < group->to) {
		struct stretch stretch CLEANUP(stretch_release) = { .from = next, .to = next };

		if (interrupt_pending())
			return error_interrupted(err);
		if (next == group->from && !begun &&
		    change_transaction(&run->change, &stretch.batch, err) < 0)
			return -1;
		if (stretch_keep(run, &stretch, err) < 0)
			return -1;
		do
			stretch_add(run, &stretch);
		while (stretch.to < group->to && stretch.to < next + STRETCH_STEPS &&
		       !keep_is_in(&run->plan->keep, stretch.to));
		if (stretch_run(run, &stretch, err) < 0)
			return -1;
		next = stretch.to;
	}
	return 0;
}

/* SAVE_MORE: they have to run anew. */
static int run_downs_once(struct rollback_run *run, const struct rollback_group *group,
			  struct error *err)
{
	struct keep *keep = &run->plan->keep;
	int checked;

	if (keep_open(keep, &run->plan->session->db, err) < 0 ||
	    rollback_run_downs(run, group, true, err) < 0)
		return keep_give_up(keep, &run->save, err) ? SAVE_MORE : -1;
	checked = keep_check(keep, &run->save, err);
	return checked == SAVE_ALL ? save_check(&run->save, err) : checked;
}

int rollback_run_downs_saved(struct rollback_run *run, const struct rollback_group *group,
			     struct error *err)
{
	struct db *db = &run->plan->session->db;

	if (change_open(&run->change, err) < 0)
		return -1;
	rollback_save_targets(run, group);
	for (;;) {
		size_t finished = run->finished;
		int checked;

		if (save_run(&run->save, err) < 0 ||
		    db_exec(db, "SAVEPOINT git_rollback_downs", err) < 0)
			return -1;
		checked = run_downs_once(run, group, err);
		if (checked < 0)
			return -1;
		if (checked == SAVE_ALL)
			return db_exec(db, "RELEASE SAVEPOINT git_rollback_downs", err);
		if (db_exec(db, "ROLLBACK TO SAVEPOINT git_rollback_downs", err) < 0 ||
		    transaction_deallocate(db, err) < 0)
			return -1;
		run->finished = finished;
	}
}

int rollback_run_downs_rehearsed(struct rollback_run *run, const struct rollback_group *group,
				 struct error *err)
{
	struct session *s = run->plan->session;

	if (change_open(&run->change, err) < 0 ||
	    rehearsed_begin(&run->plan->rehearsed, s, err) < 0 ||
	    rollback_run_downs(run, group, true, err) < 0)
		return -1;
	return rehearsed_look(&run->plan->rehearsed, s, err);
}
