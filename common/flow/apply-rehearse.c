/* SPDX-License-Identifier: MIT */
#include "flow/apply-rehearse.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "flow/runner.h"

/* Did one of the first `nr` steps take this lock already? */
static bool was_locked(const struct apply_plan *plan, size_t nr, const char *lock)
{
	for (size_t i = 0; i < nr; i++)
		if (strvec_has(&plan->step[i].locks, lock))
			return true;
	return false;
}

/* What step `index` has locked beyond those before it, but for the system's own catalogs. */
static int read_locks(struct apply_plan *plan, size_t index, struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(&res, db,
		     "SELECT DISTINCT pg_catalog.format('%I.%I: %s', n.nspname, c.relname, l.mode)"
		     " FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation"
		     " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		     " WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted"
		     " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
		     " AND l.mode <> 'AccessShareLock' ORDER BY 1",
		     0, NULL, err) < 0)
		return -1;
	for (size_t row = 0; row < res.rows; row++)
		if (!was_locked(plan, index, db_value(&res, row, 0)))
			strvec_push(&plan->step[index].locks, db_value(&res, row, 0));
	return 0;
}

static int script_failed(const struct apply_step *step, const struct db *db, struct error *err)
{
	error_prefix(err, "could not apply migration '%s'", step->version);
	if (err->exit_code == EXIT_INTERRUPTED)
		return -1;
	if (db_is_lost(db))
		return error_hint(
			err,
			"Nothing of it is left. Run the command again once the server answers.");
	error_detail(err, "Nothing was changed.");
	return error_hint(err, "Correct the script and run the command again.");
}

/* The script, behind what is in the batch, and what its COMMIT would find. */
static int run_script(struct apply_step *step, struct change *change, struct db_batch *batch,
		      struct error *err)
{
	struct db *db = &change->session->db;
	int64_t start = clock_monotonic();

	if (interrupt_pending())
		return error_interrupted(err);
	runner_add_script(batch, db, &step->script);
	if (change_run(change, batch, NULL, err) < 0)
		return script_failed(step, db, err);
	step->microseconds = clock_monotonic() - start;
	if (transaction_check_deferred(db, err) < 0)
		return script_failed(step, db, err);
	return 0;
}

static int rehearse_steps(struct apply_plan *plan, struct change *change, struct catalog *catalog,
			  struct error *err)
{
	struct db *db = &plan->session->db;

	for (size_t i = 0; i < plan->nr; i++) {
		struct apply_step *step = &plan->step[i];
		struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

		if ((!i && change_transaction(change, &batch, err) < 0) ||
		    run_script(step, change, &batch, err) < 0 ||
		    (catalog && catalog_refresh(catalog, db, &step->changes, err) < 0) ||
		    read_locks(plan, i, db, err) < 0)
			return -1;
		step->done = true;
	}
	return 0;
}

int apply_rehearse(struct apply_plan *plan, struct change *change, struct catalog *catalog,
		   struct error *err)
{
	int ret = rehearse_steps(plan, change, catalog, err);

	db_rollback(&plan->session->db);
	return ret;
}
