/* SPDX-License-Identifier: MIT */
/* git rollback-db: roll migrations back, proven. */
#include <limits.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "flow/confirm.h"
#include "flow/forward-fix.h"
#include "flow/rollback-history.h"
#include "flow/rollback-planfile.h"
#include "flow/rollback-undo.h"
#include "flow/rollback.h"
#include "flow/session.h"
#include "main.h"
#include "term/options.h"
#include "term/output.h"

static const char *const usage[] = {
	"git rollback-db [<options>] <version>...",
	"git rollback-db [<options>] (--to <version> | --last <n> | --all | --to-commit <rev>)",
	"git rollback-db [<options>] --script <file> [--expect <snapshot>]",
	"git rollback-db [<options>] --undo[=<operation>] [--merge]",
	"git rollback-db [<options>] --plan <file>",
	"git rollback-db [<options>] --forward-fix <version>",
	"git rollback-db --log [--database=<name>] [--json]",
	NULL,
};

/* Shows the plan and asks. EXIT_DONE: go on. */
static int agree(const struct rollback_plan *plan, struct error *err)
{
	const struct rollback_request *request = plan->request;

	rollback_show(plan);
	if (!verdict_is_clean(&plan->verdict))
		return error_refused(err, "nothing was changed");
	if (confirm_protected(&plan->session->database, &request->common, err) < 0)
		return -1;
	if (!plan->nr || request->rehearse)
		return 0;
	return confirm_ask(plan->script ? "Run the script?" : "Roll back?", plan->destroys,
			   &request->common, err);
}

static int exit_code_of(enum rollback_outcome outcome, const struct error *err)
{
	switch (outcome) {
	case ROLLBACK_DONE: return EXIT_DONE;
	case ROLLBACK_UNPROVEN: return EXIT_NO;
	case ROLLBACK_FAILED:
	case ROLLBACK_REFUSED: return error_exit(err);
	}
	BUG("unknown outcome %d", (int)outcome);
}

static int agree_to_undo(const struct undo_plan *plan, struct error *err)
{
	const struct common_options *common = &plan->request->common;

	undo_show(plan);
	if (!verdict_is_clean(&plan->verdict))
		return error_refused(err, "nothing was changed");
	if (confirm_protected(&plan->session->database, common, err) < 0)
		return -1;
	if (!plan->nr && !plan->script)
		return error_refused(err, "there is nothing to undo: no migration of it is gone");
	/* What stands in the way is said by the run itself, which changes nothing then. */
	if (plan->request->rehearse || (plan->conflicts.nr && !plan->request->merge))
		return 0;
	return confirm_ask("Undo the rollback?", plan->destroys, common, err);
}

static int run_undo(struct session *session, const struct rollback_request *request,
		    struct error *err)
{
	struct undo_plan plan CLEANUP(undo_plan_release) = UNDO_PLAN_INIT;
	enum rollback_outcome outcome;

	if (undo_plan(&plan, session, request, err) < 0)
		return error_exit(err);
	if (request->common.dry_run) {
		undo_show(&plan);
		return EXIT_DONE;
	}
	outcome = agree_to_undo(&plan, err) < 0 ? ROLLBACK_REFUSED : undo_execute(&plan, err);
	if (outcome != ROLLBACK_REFUSED || request->common.json)
		undo_report(&plan, outcome, error_is_set(err) ? err : NULL);
	return exit_code_of(outcome, err);
}

static int run_fix(struct session *session, const struct rollback_request *request,
		   struct error *err)
{
	struct forward_fix fix CLEANUP(forward_fix_release) = FORWARD_FIX_INIT;
	int ret;

	if (forward_fix_plan(&fix, session, request, err) < 0)
		return error_exit(err);
	forward_fix_show(&fix);
	if (request->common.dry_run)
		return EXIT_DONE;
	ret = forward_fix_execute(&fix, err);
	forward_fix_report(&fix, ret < 0 ? err : NULL);
	return ret < 0 ? error_exit(err) : EXIT_DONE;
}

/* --plan-out: where it would be refused there is nothing to be written. */
static int write_plan(const struct rollback_plan *plan, struct error *err)
{
	rollback_show(plan);
	if (!verdict_is_clean(&plan->verdict))
		error_refused(err, "no plan was written, as it would be refused");
	else if (rollback_planfile_write(plan, err) == 0)
		return EXIT_DONE;
	return error_exit(err);
}

static int run(struct rollback_request *request, struct error *err)
{
	struct rollback_planfile file CLEANUP(rollback_planfile_release) = ROLLBACK_PLANFILE_INIT;
	struct session session CLEANUP(session_close) = SESSION_INIT;
	struct rollback_plan plan CLEANUP(rollback_plan_release) = ROLLBACK_PLAN_INIT;
	struct session_request wanted = {
		.command = "rollback-db",
		.changing = request->mode != ROLLBACK_FIX,
		.common = &request->common,
	};
	enum rollback_outcome outcome;

	if (request->mode == ROLLBACK_PLANNED && rollback_planfile_read(&file, request, err) < 0)
		return error_exit(err);
	wanted.database = request->database;
	wanted.lock = request->common.yes && !request->common.dry_run;
	if (session_open(&session, &wanted, err) < 0)
		return error_exit(err);
	session_warn(&session);
	if (request->mode == ROLLBACK_UNDO)
		return run_undo(&session, request, err);
	if (request->mode == ROLLBACK_FIX)
		return run_fix(&session, request, err);
	if ((file.json && rollback_planfile_request(&file, &session, request, err) < 0) ||
	    rollback_plan(&plan, &session, request, err) < 0 ||
	    (file.json && rollback_planfile_compare(&file, &plan, err) < 0))
		return error_exit(err);
	if (request->plan_out)
		return write_plan(&plan, err);
	if (request->common.dry_run) {
		rollback_show(&plan);
		return EXIT_DONE;
	}
	if (agree(&plan, err) < 0) {
		if (request->common.json)
			rollback_report(&plan, ROLLBACK_REFUSED, err);
		return error_exit(err);
	}
	outcome = rollback_execute(&plan, err);
	if (outcome == ROLLBACK_FAILED)
		rollback_take_back(&plan, err);
	rollback_report(&plan, outcome, outcome == ROLLBACK_FAILED ? err : NULL);
	return exit_code_of(outcome, err);
}

/* What goes with some modes alone. */
static void check_combinations(struct rollback_request *request)
{
	bool rolls_back = request->mode <= ROLLBACK_SCRIPT;

	if (request->expect && request->mode != ROLLBACK_SCRIPT)
		usage_error(usage, "--expect goes with --script");
	if (request->plan_out && !rolls_back)
		usage_error(usage, "--plan-out cannot be combined with --undo, --forward-fix, "
				   "--plan or --log");
	if (request->mode == ROLLBACK_PLANNED &&
	    (request->no_proof || request->no_snapshot || request->no_save || request->rehearse ||
	     request->accept_difference || request->recorded_down || request->force ||
	     request->binary || request->keep || request->merge))
		usage_error(usage, "with --plan all that decides is in the file: give it to "
				   "--plan-out");
	if (request->keep && !rolls_back && request->mode != ROLLBACK_PLANNED)
		usage_error(usage, "--keep cannot be combined with --undo, --forward-fix or --log");
	/* An undo needs the saved schema, and what the catalog was. */
	if (request->keep && (request->no_save || request->no_snapshot || request->no_proof))
		usage_error(usage, "--keep cannot be combined with --no-save, --no-snapshot or "
				   "--no-proof");
	/* A plan alone executes nothing. */
	if (request->plan_out)
		request->common.dry_run = true;
}

int cmd_main(int argc, const char **argv)
{
	struct rollback_request request = ROLLBACK_REQUEST_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	bool proof = true, snapshot = true, save = true;
	const struct opt opts[] = {
		OPT_GROUP("Which"),
		OPT_MODE_ARG(0, "to", &request.mode, ROLLBACK_TO, &request.to, "version",
			     "roll back what was applied after <version>, which stays"),
		OPT_MODE_INTEGER(0, "last", &request.mode, ROLLBACK_LAST, &request.last, 1,
				 LONG_MAX, "n", "roll back the <n> applied last"),
		OPT_MODE(0, "all", &request.mode, ROLLBACK_ALL, "roll back all"),
		OPT_MODE_ARG(0, "to-commit", &request.mode, ROLLBACK_TO_COMMIT, &request.commit,
			     "rev", "roll back what the commit's tree does not have"),
		OPT_MODE_ARG(0, "script", &request.mode, ROLLBACK_SCRIPT, &request.script, "file",
			     "run a rollback script instead"),
		OPT_MODE_OPTIONAL(0, "undo", &request.mode, ROLLBACK_UNDO, &request.undo,
				  "operation", NULL,
				  "take the last rollback back, or that one, its rows too"),
		OPT_MODE_ARG(0, "forward-fix", &request.mode, ROLLBACK_FIX, &request.fix, "version",
			     "write a new migration that undoes it, and change no database"),
		OPT_MODE_ARG(0, "plan", &request.mode, ROLLBACK_PLANNED, &request.plan, "file",
			     "carry out the plan in the file, if it is still the same"),
		OPT_MODE(0, "log", &request.mode, ROLLBACK_LOG,
			 "list rollbacks, and which can be undone"),
		OPT_GROUP("How"),
		OPT_STRING(0, "plan-out", &request.plan_out, "file",
			   "write the plan, and run nothing"),
		OPT_STRING(0, "database", &request.database, "name", "the database to change"),
		OPT_BOOL(0, "rehearse", &request.rehearse,
			 "run everything in a transaction, report, and undo it"),
		OPT_BOOL(0, "proof", &proof,
			 "compare the schema afterwards with what it should be (default)"),
		OPT_BOOL(0, "snapshot", &snapshot, "save the schema first (default)"),
		OPT_BOOL(0, "save", &save, "save the rows that go first (default)"),
		OPT_BOOL(0, "keep", &request.keep,
			 "move tables that are dropped out of the way, with their rows"),
		OPT_BOOL(0, "binary", &request.binary,
			 "save them in binary: undone faster, by the same version only"),
		OPT_STRING(0, "expect", &request.expect, "snapshot",
			   "with --script: prove that the schema is then that of the snapshot"),
		OPT_BOOL(0, "accept-difference", &request.accept_difference,
			 "keep the result although the proof fails"),
		OPT_BOOL(0, "recorded-down", &request.recorded_down,
			 "use the down script as it was when the migration was applied"),
		OPT_BOOL(0, "force", &request.force,
			 "use a down script that is not known to fit what was applied"),
		OPT_BOOL(0, "merge", &request.merge,
			 "with --undo: keep newer rows, put back those that are missing"),
		OPT_GROUP("Common"),
		OPT_CHANGING(&request.common),
		OPT_COMMON(&request.common),
		OPT_END,
	};

	parse_options(&argc, &argv, opts, usage);
	request.started = clock_monotonic();
	request.operand = argv;
	request.operands = (size_t)argc;
	request.no_proof = !proof;
	request.no_snapshot = !snapshot;
	request.no_save = !save;
	if (argc && request.mode != ROLLBACK_NAMED)
		usage_error(usage,
			    "versions cannot be combined with --to, --last, --all, --to-commit, "
			    "--script, --undo, --forward-fix, --plan or --log");
	check_combinations(&request);
	if (!argc && request.mode == ROLLBACK_NAMED)
		usage_error(usage,
			    "which migration? Name it, or use --last, --to, --all or --to-commit");
	if (request.mode == ROLLBACK_LOG)
		return rollback_history(request.database, &request.common, &err) < 0 ?
			       error_exit(&err) :
			       EXIT_DONE;
	interrupt_catch();
	return run(&request, &err);
}
