/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "flow/confirm.h"
#include "flow/trusting.h"
#include "main.h"
#include "term/options.h"
#include "term/output.h"
#include "vcs/repo.h"

enum subcommand { SUBCOMMAND_NONE, SUBCOMMAND_TRUST };
enum trust_mode { TRUST_RECORD, TRUST_SHOW, TRUST_REVOKE };

static const char *const rollback_usage[] = {
	"git rollback trust [-n | --dry-run] [-y | --yes] [-q | --quiet] [--json]",
	"git rollback trust --show [-q | --quiet] [--json]",
	"git rollback trust --revoke [-n | --dry-run] [-q | --quiet] [--json]",
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
	int left = TRUSTING_REVOKED;

	if (!common->dry_run)
		left = trusting_revoke(repo, err);
	if (left < 0)
		return error_exit(err);
	if (common->json)
		trusting_show_revoked(common->dry_run, left == TRUSTING_ELSEWHERE);
	else if (common->dry_run)
		note("Would trust no " SETTINGS_FILE " any more.");
	else if (left == TRUSTING_REVOKED && !common->quiet)
		note("No " SETTINGS_FILE " is trusted any more.");
	if (left == TRUSTING_REVOKED)
		return EXIT_DONE;
	warning("'rollback.trust' is also set outside this repository's configuration");
	hint("Find it with 'git config --show-origin --get-all rollback.trust'.");
	return EXIT_NO;
}

/*
 * Shows what would be trusted, and asks. stdout is for results, so what a person reads
 * before the question goes to stderr, where the question goes.
 */
static int agree(const struct trusting_plan *plan, const struct common_options *common,
		 struct error *err)
{
	struct common_options text = *common;

	text.json = false;
	if (!common->yes)
		trusting_show(plan, &text, stderr);
	else if (!common->quiet && !common->json)
		trusting_show(plan, &text, stdout);
	return confirm_ask("Trust " SETTINGS_FILE " as it is?", false, common, err);
}

static int record(const struct repo *repo, const struct common_options *common, struct error *err)
{
	struct trusting_plan plan CLEANUP(trusting_plan_release) = TRUSTING_PLAN_INIT;
	int ret;

	if (trusting_plan(&plan, repo, err) < 0)
		return error_exit(err);
	trusting_warn_of_secrets(&plan);
	if (!trusting_is_due(&plan) || common->dry_run) {
		if (!common->quiet || common->json)
			trusting_show(&plan, common, stdout);
		return plan.state == TRUSTING_MISSING ? EXIT_NO : EXIT_DONE;
	}
	ret = agree(&plan, common, err);
	if (!ret)
		ret = trusting_execute(&plan, err);
	/* The object says what is so now, whether that was changed or not. */
	if (common->json)
		trusting_show(&plan, common, stdout);
	if (ret < 0)
		return error_exit(err);
	if (!common->quiet && !common->json)
		note(SETTINGS_FILE " is trusted now.");
	return EXIT_DONE;
}

/* What a mode has no use for is refused, so that nobody takes --show -n for something else. */
static void check_usage(enum trust_mode mode, const struct common_options *common)
{
	const char *name = mode == TRUST_SHOW ? "--show" : "--revoke";
	const char *other = common->yes				  ? "--yes" :
			    common->dry_run && mode == TRUST_SHOW ? "--dry-run" :
								    NULL;

	if (mode != TRUST_RECORD && other)
		usage_error(rollback_usage, "options '%s' and '%s' cannot be combined", name,
			    other);
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
	check_usage(mode, &common);
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
