/* SPDX-License-Identifier: MIT */
#include "flow/outside.h"

#include "base/clock.h"
#include "base/memory.h"
#include "flow/resume.h"
#include "flow/runner.h"

static bool is_down(const struct outside_run *run)
{
	return !strcmp(run->record.direction, "down");
}

/* The row is there, but the database's lock went with the connection. */
static int lost_before(const struct outside_run *run, struct error *err)
{
	const char *version = run->record.version;

	if (is_down(run)) {
		error_set(err, "lost the connection before the rollback of '%s' was begun",
			  version);
		return error_hint(err, "Use 'git rollback-db %s' to run it.", version);
	}
	error_set(err, "lost the connection before migration '%s' was begun", version);
	return error_hint(err, "Use 'git apply-migration --continue' to run it.");
}

int outside_begin(struct outside_run *run, struct error *err)
{
	struct session *s = run->change->session;
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	int committed;

	run->from = 0;
	if (change_write_down(run->change, err) < 0)
		return -1;
	if (run->unfinished && !run->restart) {
		run->operation = run->unfinished->operation;
		return resume_point(&run->from, s, run->script, run->unfinished, err);
	}
	run->operation = run->record.operation;
	if (change_transaction(run->change, &batch, err) < 0)
		return -1;
	if (run->restart)
		rollback_log_add_end(&batch, &s->place, run->unfinished->operation,
				     run->record.version, "undone", NULL, NULL);
	rollback_log_add_running(&batch, &s->place, &run->record);
	if (change_run(run->change, &batch, NULL, err) < 0)
		return -1;
	const struct change_witness begun = { .operation = run->operation,
					      .version = run->record.version,
					      .running = true };
	committed = change_commit(run->change, run->record.version, &begun, err);
	return committed == CHANGE_COMMITTED_LOST ? lost_before(run, err) : committed;
}

int outside_execute(struct outside_run *run, struct error *err)
{
	struct session *s = run->change->session;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	int64_t start = clock_monotonic();

	if (runner_run_outside(s, run->script, run->operation, run->record.version, run->from,
			       err) == 0) {
		run->microseconds = clock_monotonic() - start;
		return 0;
	}
	if (!db_is_lost(&s->db) && transaction_reset_session(&s->db, &ignored) < 0)
		error_clear(&ignored); /* the session ends with us */
	return error_prefix(err, "could not %s migration '%s'",
			    is_down(run) ? "roll back" : "apply", run->record.version);
}

bool outside_forget(struct outside_run *run)
{
	struct session *s = run->change->session;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (db_is_lost(&s->db))
		return false;
	size_t removal = batch.nr;
	rollback_log_add_forget(&batch, &s->place, run->operation, run->record.version);
	if (db_batch_run(&s->db, &batch, NULL, &ignored) < 0)
		return false; /* it stays, and status shows it */
	return batch.item[removal].rows == 1;
}

struct change_witness outside_witness(const struct outside_run *run)
{
	return (struct change_witness){ .operation = run->operation,
					.version = run->record.version };
}

int outside_add_end(struct outside_run *run, struct db_batch *batch, const char *fingerprint,
		    const char *objects, struct error *err)
{
	if (change_transaction(run->change, batch, err) < 0)
		return -1;
	rollback_log_add_end(batch, &run->change->session->place, run->operation,
			     run->record.version, "done", fingerprint, objects);
	return 0;
}
