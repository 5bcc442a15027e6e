/* SPDX-License-Identifier: MIT */
/* git revert-track: revert a unit of work out of the middle of history. */
#include "base/interrupt.h"
#include "base/json.h"
#include "base/memory.h"
#include "flow/track-revert.h"
#include "flow/track-trailers.h"
#include "flow/track.h"
#include "main.h"
#include "term/options.h"

static const char *const usage[] = {
	"git revert-track --list [--all] [<options>]",
	"git revert-track --show <unit> [<options>]",
	"git revert-track <unit> [<options>]",
	"git revert-track --continue | --skip | --abort | --quit | --status",
	"git revert-track --trailers",
	NULL,
};

enum mode {
	MODE_REVERT,
	MODE_LIST,
	MODE_SHOW,
	MODE_CONTINUE,
	MODE_SKIP,
	MODE_ABORT,
	MODE_QUIT,
	MODE_STATUS,
	MODE_TRAILERS
};

/* All that can be asked for. */
struct asked {
	enum mode mode;
	bool all;
	struct track_plan_request revert; /* unit and level are those of --show as well */
};

static int parse_level(const struct opt *opt, const char *arg, bool negated, struct error *err)
{
	int *level = opt->value; /* enum evidence_level */

	(void)negated;
	if (!strcmp(arg, "certain"))
		*level = EVIDENCE_CERTAIN;
	else if (!strcmp(arg, "likely"))
		*level = EVIDENCE_LIKELY;
	else
		return error_set(err,
				 "option '--min-evidence' needs 'certain' or 'likely', "
				 "not '%s'",
				 arg);
	return 0;
}

static int parse_strategy(const struct opt *opt, const char *arg, bool negated, struct error *err)
{
	int *strategy = opt->value; /* enum track_strategy */

	(void)negated;
	if (!strcmp(arg, "revert"))
		*strategy = TRACK_REVERT;
	else if (!strcmp(arg, "reset"))
		*strategy = TRACK_RESET;
	else
		return error_set(err, "option '--strategy' needs 'revert' or 'reset', not '%s'",
				 arg);
	return 0;
}

static int misused(struct error *err, const char *why)
{
	error_set(err, "%s", why);
	return error_code(err, EXIT_USAGE);
}

static int check_unit(struct asked *asked, int argc, const char **argv, struct error *err)
{
	bool wants = asked->mode == MODE_REVERT || asked->mode == MODE_SHOW;
	struct unit_words *words = &asked->revert.words;

	if (argc > (wants ? 1 : 0)) {
		error_set(err, "unexpected argument '%s'", argv[wants ? 1 : 0]);
		return error_code(err, EXIT_USAGE);
	}
	words->track = argv[0];
	if (!wants && (words->phase || words->task || words->story))
		return misused(err, "--phase, --task and --story say what to show, or to revert");
	/* To revert, a terminal may be asked. */
	if (!words->track && !words->story &&
	    (asked->mode == MODE_SHOW || words->phase || words->task))
		return misused(err, "which unit? Name a track, or a --story");
	if (words->story && (words->track || words->phase || words->task))
		return misused(err, "a story is not part of a track: "
				    "--story cannot be combined with one");
	return 0;
}

static int check(struct asked *asked, const struct common_options *common, int argc,
		 const char **argv, struct error *err)
{
	const struct track_plan_request *revert = &asked->revert;
	bool looks = asked->mode == MODE_LIST || asked->mode == MODE_SHOW;

	if (check_unit(asked, argc, argv, err) < 0)
		return -1;
	if (asked->all && asked->mode != MODE_LIST)
		return misused(err, "--all goes with --list");
	if (common->porcelain && !looks)
		return misused(err, "--porcelain goes with --list and --show");
	if (asked->mode != MODE_REVERT &&
	    (revert->reason || revert->squash || revert->with_dependents || revert->split ||
	     revert->forward_fix || revert->also.nr || revert->except.nr || revert->databases.nr ||
	     revert->documents || revert->strategy))
		return misused(err, "that is an option for reverting a unit");
	if (revert->strategy == TRACK_RESET &&
	    (revert->squash || revert->forward_fix || revert->split || revert->documents))
		return misused(err, "--strategy=reset makes no commits: --squash, --split, "
				    "--forward-fix, --remove, --mark-reverted and --no-plan-update "
				    "do not go with it");
	return 0;
}

static int run(struct asked *asked, const struct common_options *common, struct error *err)
{
	struct track_list_request list = { .all = asked->all };
	struct track_show_request show = { .words = asked->revert.words,
					   .min = (enum evidence_level)asked->revert.level };

	switch (asked->mode) {
	case MODE_LIST: return track_list(&list, common, err);
	case MODE_SHOW: return track_show(&show, common, err);
	case MODE_REVERT: return track_revert(&asked->revert, common, err);
	case MODE_CONTINUE: return track_series(TRACK_SERIES_CONTINUE, common, err);
	case MODE_SKIP: return track_series(TRACK_SERIES_SKIP, common, err);
	case MODE_ABORT: return track_series(TRACK_SERIES_ABORT, common, err);
	case MODE_QUIT: return track_series(TRACK_SERIES_QUIT, common, err);
	case MODE_STATUS: return track_series(TRACK_SERIES_STATUS, common, err);
	case MODE_TRAILERS: return track_trailers(common, err);
	}
	BUG("unknown mode %d", (int)asked->mode);
}

static int exit_code(int ret, const struct common_options *common, struct error *err)
{
	if (ret >= 0)
		return ret;
	/* --json is one object, whatever happens. */
	if (common->json && !json_was_printed())
		track_print_failure(err, NULL);
	return error_exit(err);
}

static bool asks_json(int argc, const char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--json"))
			return true;
	return false;
}

/* What is misused ends here. */
static void parse(int *argc, const char ***argv, const struct opt *opts)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	bool json = asks_json(*argc, *argv);
	enum options_result result = options_parse(argc, argv, opts, &err);

	if (result == OPTIONS_PARSED)
		return;
	if (json && (result == OPTIONS_UNKNOWN || result == OPTIONS_MISUSED))
		track_print_failure(&err, NULL);
	parse_options(argc, argv, opts, usage); /* once more, to say it */
}

int cmd_main(int argc, const char **argv)
{
	struct common_options common = COMMON_OPTIONS_INIT;
	struct asked asked = { .revert = TRACK_PLAN_REQUEST_INIT };
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct opt opts[] = {
		OPT_MODE(0, "list", &asked.mode, MODE_LIST, "list the units of work"),
		OPT_BOOL(0, "all", &asked.all, "also what is archived, and what was not begun",
			 .flags = OPT_NONEG),
		OPT_MODE(0, "show", &asked.mode, MODE_SHOW,
			 "show which commits belong to the unit, and why"),
		OPT_GROUP("Which unit"),
		OPT_STRING(0, "phase", &asked.revert.words.phase, "phase",
			   "this phase of the track: its number, or a part of its name"),
		OPT_STRING(0, "task", &asked.revert.words.task, "task",
			   "this task: its number, <phase>.<task>, or a part of its text"),
		OPT_STRING(0, "story", &asked.revert.words.story, "id", "this story"),
		OPT_CALLBACK(0, "min-evidence", &asked.revert.level, "level", parse_level,
			     "take commits that are 'certain' (default), or 'likely' as well"),
		OPT_GROUP("What is reverted, and how"),
		OPT_STRVEC(0, "also", &asked.revert.also, "commit", "take this commit, too"),
		OPT_STRVEC(0, "except", &asked.revert.except, "commit", "leave this commit out"),
		OPT_BOOL(0, "with-dependents", &asked.revert.with_dependents,
			 "take the units that are built on it, too", .flags = OPT_NONEG),
		OPT_BOOL(0, "split", &asked.revert.split,
			 "of commits of several units take this one's files", .flags = OPT_NONEG),
		OPT_STRING('m', "message", &asked.revert.reason, "reason", "say why"),
		OPT_BOOL(0, "squash", &asked.revert.squash, "make one commit of all",
			 .flags = OPT_NONEG),
		OPT_CALLBACK(0, "strategy", &asked.revert.strategy, "way", parse_strategy,
			     "'revert' (default), or 'reset' where nothing came after"),
		OPT_GROUP("Documents and databases"),
		OPT_MODE(0, "mark-reverted", &asked.revert.documents, TRACK_DOCUMENTS_MARK,
			 "keep the track's folder, marked as reverted (default)"),
		OPT_MODE(0, "remove", &asked.revert.documents, TRACK_DOCUMENTS_REMOVE,
			 "remove the track's folder"),
		OPT_MODE(0, "no-plan-update", &asked.revert.documents, TRACK_DOCUMENTS_UNTOUCHED,
			 "leave the documents alone"),
		OPT_BOOL(0, "forward-fix", &asked.revert.forward_fix,
			 "keep migrations, and write new ones that undo them", .flags = OPT_NONEG),
		OPT_STRVEC(0, "database", &asked.revert.databases, "env",
			   "look for migrations in this one; may be repeated"),
		OPT_GROUP("A revert that waits"),
		OPT_MODE(0, "continue", &asked.mode, MODE_CONTINUE, "go on with it"),
		OPT_MODE(0, "skip", &asked.mode, MODE_SKIP, "go on without this commit"),
		OPT_MODE(0, "abort", &asked.mode, MODE_ABORT, "go back to before it"),
		OPT_MODE(0, "quit", &asked.mode, MODE_QUIT, "forget it"),
		OPT_MODE(0, "status", &asked.mode, MODE_STATUS, "say where it is"),
		OPT_GROUP("For hooks"),
		OPT_MODE(0, "trailers", &asked.mode, MODE_TRAILERS,
			 "print the trailers of the task in progress"),
		OPT_GROUP("Common"),
		OPT_CHANGING(&common),
		OPT_LISTING(&common),
		OPT_COMMON(&common),
		OPT_END,
	};
	int ret;

	parse(&argc, &argv, opts);
	if (check(&asked, &common, argc, argv, &err) < 0) {
		if (common.json)
			track_print_failure(&err, NULL);
		usage_error(usage, "%s", err.message);
	}
	interrupt_catch();
	ret = exit_code(run(&asked, &common, &err), &common, &err);
	track_plan_request_release(&asked.revert);
	return ret;
}
