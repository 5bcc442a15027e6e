/* SPDX-License-Identifier: MIT */
/* git apply-migration: apply pending migrations, recorded and proven. */
#include <limits.h>

#include "base/interrupt.h"
#include "flow/apply.h"
#include "flow/confirm.h"
#include "flow/session.h"
#include "main.h"
#include "term/options.h"

static const char *const usage[] = {
	"git apply-migration [<options>] [<version>... | <up-file>...]",
	"git apply-migration [<options>] (--to <version> | --next[=<n>] | --continue)",
	"git apply-migration [<options>] --baseline <version>",
	NULL,
};

static int agree(const struct apply_plan *plan, struct error *err)
{
	if (!verdict_is_clean(&plan->verdict))
		return error_refused(err, "nothing was changed");
	return plan->nr ? confirm_protected(&plan->session->database, &plan->request->common, err) :
			  0;
}

static int run(struct apply_request *request, struct error *err)
{
	struct session session CLEANUP(session_close) = SESSION_INIT;
	struct apply_plan plan CLEANUP(apply_plan_release) = APPLY_PLAN_INIT;
	const struct session_request wanted = {
		.command = "apply-migration",
		.database = request->database,
		.digest = true,
		.strict = true,
		.changing = true,
		.lock = !request->common.dry_run,
		.common = &request->common,
	};
	int ret;

	if (session_open(&session, &wanted, err) < 0)
		return error_exit(err);
	session_warn(&session);
	if (apply_plan(&plan, &session, request, err) < 0)
		return error_exit(err);
	apply_show(&plan);
	if (request->common.dry_run)
		return EXIT_DONE;
	if (agree(&plan, err) < 0) {
		apply_report(&plan, err);
		/* Why the plan is refused has been told. */
		return verdict_is_clean(&plan.verdict) ? error_exit(err) : EXIT_REFUSED;
	}
	ret = apply_execute(&plan, err);
	apply_report(&plan, ret < 0 ? err : NULL);
	return ret < 0 ? error_exit(err) : EXIT_DONE;
}

int cmd_main(int argc, const char **argv)
{
	struct apply_request request = APPLY_REQUEST_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	bool proof = true;
	const struct opt opts[] = {
		OPT_GROUP("Which"),
		OPT_MODE_ARG(0, "to", &request.mode, APPLY_TO, &request.to, "version",
			     "apply up to and with <version>"),
		OPT_MODE_INTEGER_OPTIONAL(0, "next", &request.mode, APPLY_NEXT, &request.next, 1,
					  LONG_MAX, "n", "1",
					  "apply the next one, or the next <n>"),
		OPT_MODE(0, "continue", &request.mode, APPLY_CONTINUE,
			 "go on with a migration that was interrupted"),
		OPT_MODE_ARG(0, "baseline", &request.mode, APPLY_BASELINE, &request.to, "version",
			     "record all up to and with <version> as applied, and run none"),
		OPT_GROUP("How"),
		OPT_STRING(0, "database", &request.database, "name", "the database to change"),
		OPT_BOOL(0, "rehearse", &request.rehearse,
			 "run everything in a transaction, report, and roll it back"),
		OPT_BOOL(0, "single-transaction", &request.single_transaction,
			 "one transaction around all"),
		OPT_BOOL(0, "allow-missing-down", &request.allow_missing_down,
			 "apply what has no down script"),
		OPT_BOOL(0, "allow-out-of-order", &request.allow_out_of_order,
			 "apply what is older than the newest applied one"),
		OPT_BOOL(0, "proof", &proof,
			 "record what each migration changes in the schema (default)"),
		OPT_GROUP("Common"),
		OPT_CHANGING(&request.common),
		OPT_COMMON(&request.common),
		OPT_END,
	};

	parse_options(&argc, &argv, opts, usage);
	request.operand = argv;
	request.operands = (size_t)argc;
	request.no_proof = !proof;
	if (argc && request.mode != APPLY_ALL)
		usage_error(
			usage,
			"versions cannot be combined with --to, --next, --continue or --baseline");
	if (request.mode == APPLY_CONTINUE && (request.rehearse || request.single_transaction))
		usage_error(
			usage,
			"--continue cannot be combined with --rehearse or --single-transaction");
	if (request.mode == APPLY_BASELINE && request.rehearse)
		usage_error(usage,
			    "--baseline cannot be combined with --rehearse: it runs nothing");
	interrupt_catch();
	return run(&request, &err);
}
