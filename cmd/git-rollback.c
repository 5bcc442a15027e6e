/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "flow/trusting.h"
#include "main.h"
#include "term/options.h"
#include "term/output.h"
#include "term/prompt.h"
#include "vcs/repo.h"

enum subcommand { SUBCOMMAND_NONE, SUBCOMMAND_TRUST };
enum trust_mode { TRUST_RECORD, TRUST_SHOW, TRUST_REVOKE };

static const char *const rollback_usage[] = {
	"git rollback trust [-n | --dry-run] [-y | --yes] [-q | --quiet] [--json]",
	"git rollback trust --show [-q | --quiet] [--json]",
	"git rollback trust --revoke [-n | --dry-run] [-q | --quiet]",
	NULL,
};

static bool is_yes(enum trusting_state state)
{
	return state == TRUSTING_TRUSTED || state == TRUSTING_HARMLESS;
}

static int show(const struct repo *repo, const struct common_options *common, struct error *err)
{
	struct trusting_plan plan CLEANUP(trusting_plan_release) = TRUSTING_PLAN_INIT;

	if (trusting_plan(&plan, repo, err) < 0)
		return error_exit(err);
	trusting_warn_of_secrets(&plan);
	if (!common->quiet || common->json)
		trusting_show(&plan, common, stdout);
	return is_yes(plan.state) ? EXIT_DONE : EXIT_NO;
}

static int revoke(const struct repo *repo, const struct common_options *common, struct error *err)
{
	if (common->dry_run) {
		note("Would trust no " SETTINGS_FILE " any more.");
		return EXIT_DONE;
	}
	switch (trusting_revoke(repo, err)) {
	case TRUSTING_REVOKED:
		if (!common->quiet)
			note("No " SETTINGS_FILE " is trusted any more.");
		return EXIT_DONE;
	case TRUSTING_ELSEWHERE:
		warning("'rollback.trust' is also set outside this repository's configuration");
		hint("Find it with 'git config --show-origin --get-all rollback.trust'.");
		return EXIT_NO;
	default: return error_exit(err);
	}
}

static int not_confirmed(struct error *err)
{
	error_refused(err, "not confirmed, and there is no terminal to ask at");
	error_hint(err, "Read " SETTINGS_FILE ", then add --yes to trust it.");
	return error_exit(err);
}

/* What is asked about goes where the question goes: stdout is for results. */
static int ask(const struct trusting_plan *plan, const struct common_options *common,
	       struct error *err)
{
	struct common_options text = *common;

	text.json = false;
	trusting_show(plan, &text, stderr);
	switch (prompt_yes_no("Trust " SETTINGS_FILE " as it is?")) {
	case CONFIRMED: return EXIT_DONE;
	case DECLINED: note("Nothing was changed."); return EXIT_REFUSED;
	case NO_TERMINAL: return not_confirmed(err);
	}
	BUG("unknown answer");
}

static int record(const struct repo *repo, const struct common_options *common, struct error *err)
{
	struct trusting_plan plan CLEANUP(trusting_plan_release) = TRUSTING_PLAN_INIT;
	bool text = !common->json && !common->quiet;

	if (trusting_plan(&plan, repo, err) < 0)
		return error_exit(err);
	trusting_warn_of_secrets(&plan);
	if (!trusting_is_due(&plan) || common->dry_run) {
		if (text || common->json)
			trusting_show(&plan, common, stdout);
		return plan.state == TRUSTING_MISSING ? EXIT_NO : EXIT_DONE;
	}
	if (!common->yes) {
		int code = ask(&plan, common, err);

		if (code != EXIT_DONE)
			return code;
	} else if (text) {
		trusting_show(&plan, common, stdout);
	}
	if (trusting_execute(&plan, err) < 0)
		return error_exit(err);
	if (common->json)
		trusting_show(&plan, common, stdout);
	else if (text)
		note(SETTINGS_FILE " is trusted now.");
	return EXIT_DONE;
}

static int trust(int argc, const char **argv)
{
	struct common_options common = COMMON_OPTIONS_INIT;
	enum trust_mode mode = TRUST_RECORD;
	const struct opt opts[] = {
		OPT_MODE(0, "show", &mode, TRUST_SHOW, "say whether .gitrollback is trusted"),
		OPT_MODE(0, "revoke", &mode, TRUST_REVOKE, "trust no .gitrollback any more"),
		OPT_BOOL('n', "dry-run", &common.dry_run, "show what would be trusted"),
		OPT_BOOL('y', "yes", &common.yes, "do not ask"),
		OPT_COMMON(&common),
		OPT_END
	};
	struct repo repo CLEANUP(repo_release) = REPO_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	parse_options(&argc, &argv, opts, rollback_usage);
	if (argc)
		usage_error(rollback_usage, "unexpected argument '%s'", argv[0]);
	if (repo_open(&repo, &err) < 0)
		return error_exit(&err);
	switch (mode) {
	case TRUST_RECORD: return record(&repo, &common, &err);
	case TRUST_SHOW: return show(&repo, &common, &err);
	case TRUST_REVOKE: return revoke(&repo, &common, &err);
	}
	BUG("unknown mode");
}

int cmd_main(int argc, const char **argv)
{
	enum subcommand subcommand = SUBCOMMAND_NONE;
	const struct opt opts[] = { OPT_SUBCOMMAND("trust", &subcommand, SUBCOMMAND_TRUST),
				    OPT_END };

	parse_options(&argc, &argv, opts, rollback_usage);
	if (subcommand == SUBCOMMAND_TRUST)
		return trust(argc, argv);
	if (argc)
		usage_error(rollback_usage, "'%s' is not a git-rollback command", argv[0]);
	usage_error(rollback_usage, "which command?");
}
