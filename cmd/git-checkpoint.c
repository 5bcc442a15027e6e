/* SPDX-License-Identifier: MIT */
/* git checkpoint: keep whole working states, and come back to them. */
#include <limits.h>

#include "base/interrupt.h"
#include "base/json.h"
#include "base/memory.h"
#include "flow/checkpoint-create.h"
#include "flow/checkpoint-diff.h"
#include "flow/checkpoint-drop.h"
#include "flow/checkpoint-export.h"
#include "flow/checkpoint-list.h"
#include "flow/checkpoint-restore.h"
#include "flow/checkpoint-show.h"
#include "flow/checkpoint-undo.h"
#include "flow/checkpoint-verify.h"
#include "flow/checkpoint.h"
#include "flow/verdict.h"
#include "main.h"
#include "term/options.h"

#define USAGE_CREATE  "git checkpoint [create] [<options>] [<name>]"
#define USAGE_LIST    "git checkpoint list [<options>] [<pattern>...]"
#define USAGE_SHOW    "git checkpoint show [<options>] <name>"
#define USAGE_DIFF    "git checkpoint diff [<options>] <name> [<name2>] [-- <pathspec>...]"
#define USAGE_RESTORE "git checkpoint restore [<options>] <name> [-- <pathspec>...]"
#define USAGE_UNDO    "git checkpoint undo [<options>] [<operation>]"
#define USAGE_VERIFY  "git checkpoint verify [<options>] [<name>...]"
#define USAGE_DROP    "git checkpoint drop [<options>] <name>..."
#define USAGE_PRUNE   "git checkpoint prune [<options>] [<pattern>...]"
#define USAGE_EXPORT  "git checkpoint export [<options>] <name> <directory>"

static const char *const all_usage[] = {
	USAGE_CREATE, USAGE_LIST, USAGE_SHOW,  USAGE_DIFF,   USAGE_RESTORE, USAGE_UNDO,
	USAGE_VERIFY, USAGE_DROP, USAGE_PRUNE, USAGE_EXPORT, NULL,
};

/* ---- create, which is also what is meant where no verb is ----------------------------- */

static const struct verb *find_verb(const char *name);

/* For one that failed before it had anything to report. */
static void print_failure(const struct common_options *common, const struct error *err)
{
	json_t *json CLEANUP(json_decref_p) =
		json_pack("{s:i, s:s, s:b, s:n, s:s, s:o}", "format", 1, "verdict",
			  err->exit_code == EXIT_REFUSED ? "refused" : "clean", "dry_run",
			  common->dry_run, "operation", "outcome", outcome_name(err), "error",
			  error_to_json(err));

	json_print(json);
}

/* `ret` is an exit code, or -1. */
static int exit_code(int ret, const struct common_options *common, const struct error *err)
{
	if (ret >= 0)
		return ret;
	if (common->json && !json_was_printed())
		print_failure(common, err);
	return error_exit(err);
}

/* Stages and phases are counted, and 3 and 03 are no two of them. */
static void check_number(const char *option, const char *number, const char *const *usage)
{
	size_t digits = number ? strspn(number, "0123456789") : 0;

	if (number && (!digits || number[digits] || (digits > 1 && *number == '0')))
		usage_error(usage, "option '%s' needs a number without zeros in front, not '%s'",
			    option, number);
}

static void check_create(const struct checkpoint_create_request *request, int argc,
			 const char **argv, const char *const *usage)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	char *derived CLEANUP(free_p) = NULL;

	if (argc > 1)
		usage_error(usage, "unexpected argument '%s'", argv[1]);
	if (argc && find_verb(argv[0]))
		usage_error(usage, "'%s' is a command of git checkpoint, and no name", argv[0]);
	check_number("--stage", request->stage, usage);
	check_number("--phase", request->phase, usage);
	if (!argc && checkpoint_derive_name(&derived, request, &err) < 0)
		usage_error(usage, "%s", err.message);
	if (request->commit && request->force)
		usage_error(usage, "options '--commit' and '--force' cannot be combined");
	if (request->commit && !request->untracked)
		usage_error(usage, "options '--commit' and '--no-untracked' cannot be combined");
}

static int create(int argc, const char **argv, bool said)
{
	static const char *const usage[] = { USAGE_CREATE, NULL };
	struct common_options common = COMMON_OPTIONS_INIT;
	struct checkpoint_create_request request = CHECKPOINT_CREATE_REQUEST_INIT;
	struct checkpoint_session s CLEANUP(checkpoint_session_close) = CHECKPOINT_SESSION_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	int verb = 0, ret;
	const struct opt opts[] = {
		OPT_SUBCOMMAND("create", &verb, 1),
		OPT_SUBCOMMAND("list", &verb, 1),
		OPT_SUBCOMMAND("show", &verb, 1),
		OPT_SUBCOMMAND("diff", &verb, 1),
		OPT_SUBCOMMAND("restore", &verb, 1),
		OPT_SUBCOMMAND("undo", &verb, 1),
		OPT_SUBCOMMAND("verify", &verb, 1),
		OPT_SUBCOMMAND("drop", &verb, 1),
		OPT_SUBCOMMAND("prune", &verb, 1),
		OPT_SUBCOMMAND("export", &verb, 1),
		OPT_GROUP("What is kept"),
		OPT_BOOL(0, "untracked", &request.untracked, "keep untracked files (default)"),
		OPT_STRVEC(0, "include-ignored", &request.ignored, "pathspec",
			   "keep these ignored files too; may be repeated"),
		OPT_MODE_ARG(0, "database", &request.payload, PAYLOAD_DATABASE_NEEDED,
			     &request.database, "name", "keep what this database is at"),
		OPT_MODE(0, "no-db", &request.payload, PAYLOAD_DATABASE_NONE,
			 "look at no database"),
		OPT_BOOL(0, "commit", &request.commit, "commit everything to the branch first",
			 .flags = OPT_NONEG),
		OPT_GROUP("What it is called"),
		OPT_STRING('m', "message", &request.message, "message", "say what it is"),
		OPT_STRING(0, "stage", &request.stage, "n", "of stage <n>"),
		OPT_MODE(0, "start", &request.event, CHECKPOINT_START, "before the stage"),
		OPT_MODE(0, "complete", &request.event, CHECKPOINT_COMPLETE, "after it"),
		OPT_STRING(0, "phase", &request.phase, "n", "of phase <n>, when it is complete"),
		OPT_STRING(0, "story", &request.story, "id", "of the story <id>"),
		OPT_BOOL('f', "force", &request.force, "replace the one of that name",
			 .flags = OPT_NONEG),
		OPT_GROUP("Common"),
		OPT_CHANGING(&common),
		OPT_COMMON(&common),
		OPT_END
	};
	const struct opt *own = opts;

	while (said && own->type == OPT_TYPE_SUBCOMMAND)
		own++;
	parse_options(&argc, &argv, own, said ? usage : all_usage);
	if (verb)
		usage_error(all_usage, "'%s' goes first, before its options", argv[0]);
	check_create(&request, argc, argv, said ? usage : all_usage);
	request.name = argv[0];
	interrupt_catch();
	ret = checkpoint_session_open(&s, &common, &err);
	if (!ret)
		ret = checkpoint_create(&s, &request, &err);
	strvec_release(&request.ignored);
	return exit_code(ret, &common, &err);
}

static int verb_create(int argc, const char **argv)
{
	return create(argc, argv, true);
}

/* ---- The other verbs ----------------------------------------------------------------- */

static int verb_list(int argc, const char **argv)
{
	static const char *const usage[] = { USAGE_LIST, NULL };
	struct common_options common = COMMON_OPTIONS_INIT;
	struct checkpoint_list_request request = { 0 };
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct opt opts[] = {
		OPT_STRING(0, "stage", &request.stage, "n", "only those of stage <n>"),
		OPT_BOOL(0, "operations", &request.operations,
			 "list the operations, which can be undone", .flags = OPT_NONEG),
		OPT_LISTING(&common), OPT_COMMON(&common), OPT_END
	};

	parse_options(&argc, &argv, opts, usage);
	check_number("--stage", request.stage, usage);
	if (request.operations && (argc || request.stage))
		usage_error(usage, "--operations cannot be combined with %s",
			    argc ? "patterns" : "--stage");
	request.pattern = argv;
	request.patterns = (size_t)argc;
	return exit_code(checkpoint_list(&request, &common, &err), &common, &err);
}

static int verb_show(int argc, const char **argv)
{
	static const char *const usage[] = { USAGE_SHOW, NULL };
	struct common_options common = COMMON_OPTIONS_INIT;
	struct checkpoint_session s CLEANUP(checkpoint_session_close) = CHECKPOINT_SESSION_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct opt opts[] = { OPT_COMMON(&common), OPT_END };

	parse_options(&argc, &argv, opts, usage);
	if (argc != 1)
		usage_error(usage, argc ? "one checkpoint at a time" : "which checkpoint?");
	if (checkpoint_session_open(&s, &common, &err) < 0 ||
	    checkpoint_show(&s, argv[0], &err) < 0)
		return exit_code(-1, &common, &err);
	return EXIT_DONE;
}

static int verb_diff(int argc, const char **argv)
{
	static const char *const usage[] = { USAGE_DIFF, NULL };
	struct common_options common = COMMON_OPTIONS_INIT;
	struct checkpoint_diff_request request = { 0 };
	struct checkpoint_session s CLEANUP(checkpoint_session_close) = CHECKPOINT_SESSION_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	int names = -1;
	const struct opt opts[] = {
		OPT_MODE(0, "stat", &request.format, CHECKPOINT_DIFF_STAT,
			 "how many lines of which files (default)"),
		OPT_MODE(0, "name-status", &request.format, CHECKPOINT_DIFF_NAMES,
			 "which files, and what became of them"),
		OPT_MODE('p', "patch", &request.format, CHECKPOINT_DIFF_PATCH, "every line"),
		OPT_DASHDASH(&names),
		OPT_COMMON(&common),
		OPT_END
	};

	parse_options(&argc, &argv, opts, usage);
	if (names < 0)
		names = argc;
	if (names < 1 || names > 2)
		usage_error(usage,
			    names ? "too many names; paths go behind --" : "which checkpoint?");
	if (common.json)
		usage_error(usage, "there is no --json of a difference; see --name-status");
	request.name = argv[0];
	request.other = names > 1 ? argv[1] : NULL;
	request.pathspec = argv + names;
	request.pathspecs = (size_t)(argc - names);
	interrupt_catch();
	if (checkpoint_session_open(&s, &common, &err) < 0)
		return exit_code(-1, &common, &err);
	return exit_code(checkpoint_diff(&s, &request, &err), &common, &err);
}

static int on_strategy(const struct opt *opt, const char *arg, bool negated UNUSED,
		       struct error *err)
{
	static const struct {
		const char *name;
		int strategy; /* enum checkpoint_strategy */
	} strategies[] = { { "reset", CHECKPOINT_RESET },
			   { "revert", CHECKPOINT_REVERT },
			   { "files", CHECKPOINT_FILES } };
	struct checkpoint_restore_request *request = opt->value;

	for (size_t i = 0; i < ARRAY_SIZE(strategies); i++)
		if (!strcmp(arg, strategies[i].name)) {
			request->strategy = strategies[i].strategy;
			return 0;
		}
	return error_set(err, "option '--strategy' needs 'reset', 'revert' or 'files', not '%s'",
			 arg);
}

static void check_restore(const struct checkpoint_restore_request *request, int names,
			  const char *const *usage)
{
	if (names != 1)
		usage_error(usage, names ? "one checkpoint at a time; paths go behind --" :
					   "which checkpoint?");
	if (request->branch && request->detach)
		usage_error(usage, "options '--branch' and '--detach' cannot be combined");
	if (request->with_db && request->no_db)
		usage_error(usage, "options '--with-db' and '--no-db' cannot be combined");
	if (request->pathspecs &&
	    (request->strategy == CHECKPOINT_RESET || request->strategy == CHECKPOINT_REVERT))
		usage_error(usage, "a pathspec moves no branch: '--strategy=reset' and "
				   "'--strategy=revert' do not go with it");
	if (!request->branch && !request->detach)
		return;
	if (request->pathspecs || request->strategy == CHECKPOINT_FILES)
		usage_error(usage,
			    "%s moves no branch: '--branch' and '--detach' do not go with it",
			    request->pathspecs ? "a pathspec" : "'--strategy=files'");
	if (request->strategy == CHECKPOINT_REVERT)
		usage_error(usage, "'--strategy=revert' adds to the present branch: '--branch' and "
				   "'--detach' do not go with it");
}

static int verb_restore(int argc, const char **argv)
{
	static const char *const usage[] = { USAGE_RESTORE, NULL };
	struct common_options common = COMMON_OPTIONS_INIT;
	struct checkpoint_restore_request request = { 0 };
	struct checkpoint_session s CLEANUP(checkpoint_session_close) = CHECKPOINT_SESSION_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	int names = -1;
	const struct opt opts[] = {
		OPT_BOOL(0, "keep-untracked", &request.keep_untracked,
			 "leave untracked files that are here now", .flags = OPT_NONEG),
		OPT_CALLBACK(0, "strategy", &request, "(reset|revert|files)", on_strategy,
			     "what becomes of the branch (default: reset)"),
		OPT_STRING(0, "branch", &request.branch, "branch",
			   "restore on this branch, made where it is not there"),
		OPT_BOOL(0, "detach", &request.detach, "restore on no branch", .flags = OPT_NONEG),
		OPT_BOOL(0, "with-db", &request.with_db, "restore the database too",
			 .flags = OPT_NONEG),
		OPT_BOOL(0, "no-db", &request.no_db, "look at no database", .flags = OPT_NONEG),
		OPT_DASHDASH(&names),
		OPT_CHANGING(&common),
		OPT_COMMON(&common),
		OPT_END
	};

	parse_options(&argc, &argv, opts, usage);
	/* As from an empty variable: all paths is not what it means. */
	if (names >= 0 && names == argc)
		usage_error(usage, "there is no path behind --");
	if (names < 0)
		names = argc;
	request.name = argv[0];
	request.pathspec = argv + names;
	request.pathspecs = (size_t)(argc - names);
	check_restore(&request, names, usage);
	interrupt_catch();
	if (checkpoint_session_open(&s, &common, &err) < 0)
		return exit_code(-1, &common, &err);
	return exit_code(checkpoint_restore(&s, &request, &err), &common, &err);
}

static int verb_undo(int argc, const char **argv)
{
	static const char *const usage[] = { USAGE_UNDO, NULL };
	struct common_options common = COMMON_OPTIONS_INIT;
	struct checkpoint_session s CLEANUP(checkpoint_session_close) = CHECKPOINT_SESSION_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct opt opts[] = { OPT_CHANGING(&common), OPT_COMMON(&common), OPT_END };

	parse_options(&argc, &argv, opts, usage);
	if (argc > 1)
		usage_error(usage, "one operation at a time");
	interrupt_catch();
	if (checkpoint_session_open(&s, &common, &err) < 0)
		return exit_code(-1, &common, &err);
	return exit_code(checkpoint_undo(&s, argv[0], &err), &common, &err);
}

static int verb_verify(int argc, const char **argv)
{
	static const char *const usage[] = { USAGE_VERIFY, NULL };
	struct common_options common = COMMON_OPTIONS_INIT;
	struct checkpoint_verify_request request = { 0 };
	struct checkpoint_session s CLEANUP(checkpoint_session_close) = CHECKPOINT_SESSION_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct opt opts[] = { OPT_BOOL(0, "all", &request.all,
					     "all, and what operations keep to be undone",
					     .flags = OPT_NONEG),
				    OPT_COMMON(&common), OPT_END };

	parse_options(&argc, &argv, opts, usage);
	if (argc && request.all)
		usage_error(usage, "names cannot be combined with --all");
	request.name = argv;
	request.names = (size_t)argc;
	interrupt_catch();
	if (checkpoint_session_open(&s, &common, &err) < 0)
		return exit_code(-1, &common, &err);
	return exit_code(checkpoint_verify(&s, &request, &err), &common, &err);
}

static int verb_drop(int argc, const char **argv)
{
	static const char *const usage[] = { USAGE_DROP, NULL };
	struct common_options common = COMMON_OPTIONS_INIT;
	struct checkpoint_session s CLEANUP(checkpoint_session_close) = CHECKPOINT_SESSION_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct opt opts[] = { OPT_CHANGING(&common), OPT_COMMON(&common), OPT_END };

	parse_options(&argc, &argv, opts, usage);
	if (!argc)
		usage_error(usage, "which checkpoint?");
	interrupt_catch();
	if (checkpoint_session_open(&s, &common, &err) < 0)
		return exit_code(-1, &common, &err);
	return exit_code(checkpoint_drop(&s, argv, (size_t)argc, &err), &common, &err);
}

static int verb_prune(int argc, const char **argv)
{
	static const char *const usage[] = { USAGE_PRUNE, NULL };
	struct common_options common = COMMON_OPTIONS_INIT;
	struct checkpoint_prune_request request = { .keep = -1 };
	struct checkpoint_session s CLEANUP(checkpoint_session_close) = CHECKPOINT_SESSION_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct opt opts[] = {
		OPT_INTEGER(0, "keep", &request.keep, 0, LONG_MAX, "n",
			    "keep the newest <n>, however old they are"),
		OPT_STRING(0, "older-than", &request.older_than, "date",
			   "drop only what is older than <date>"),
		OPT_BOOL(0, "dangling", &request.dangling,
			 "also drop, for good, what old operations keep to be undone",
			 .flags = OPT_NONEG),
		OPT_CHANGING(&common),
		OPT_COMMON(&common),
		OPT_END
	};

	parse_options(&argc, &argv, opts, usage);
	request.pattern = argv;
	request.patterns = (size_t)argc;
	interrupt_catch();
	if (checkpoint_session_open(&s, &common, &err) < 0)
		return exit_code(-1, &common, &err);
	return exit_code(checkpoint_prune(&s, &request, &err), &common, &err);
}

static int verb_export(int argc, const char **argv)
{
	static const char *const usage[] = { USAGE_EXPORT, NULL };
	struct common_options common = COMMON_OPTIONS_INIT;
	struct checkpoint_export_request request = { 0 };
	struct checkpoint_session s CLEANUP(checkpoint_session_close) = CHECKPOINT_SESSION_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct opt opts[] = { OPT_BOOL('f', "force", &request.force,
					     "replace files that exist", .flags = OPT_NONEG),
				    OPT_COMMON(&common), OPT_END };

	parse_options(&argc, &argv, opts, usage);
	if (argc != 2)
		usage_error(usage, "a checkpoint and a folder are needed");
	request.name = argv[0];
	request.directory = argv[1];
	interrupt_catch();
	if (checkpoint_session_open(&s, &common, &err) < 0)
		return exit_code(-1, &common, &err);
	return exit_code(checkpoint_export(&s, &request, &err), &common, &err);
}

/* ---- Which verb ---------------------------------------------------------------------- */

static const struct verb {
	const char *name;
	int (*run)(int argc, const char **argv);
} verbs[] = {
	{ "create", verb_create }, { "list", verb_list },	{ "show", verb_show },
	{ "diff", verb_diff },	   { "restore", verb_restore }, { "undo", verb_undo },
	{ "verify", verb_verify }, { "drop", verb_drop },	{ "prune", verb_prune },
	{ "export", verb_export },
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(name, verbs[i].name))
			return &verbs[i];
	return NULL;
}

int cmd_main(int argc, const char **argv)
{
	const struct verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;

	return verb ? verb->run(argc - 1, argv + 1) : create(argc, argv, false);
}
