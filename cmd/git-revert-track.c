/* SPDX-License-Identifier: MIT */
/* git revert-track: revert a unit of work out of the middle of history. */
#include "base/json.h"
#include "base/memory.h"
#include "flow/track.h"
#include "main.h"
#include "term/options.h"

static const char *const usage[] = {
	"git revert-track --list [--all] [<options>]",
	"git revert-track --show <unit> [<options>]",
	"git revert-track <unit> [<options>]",
	"git revert-track --continue | --skip | --abort | --quit | --status",
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
	MODE_STATUS
};
enum strategy { STRATEGY_REVERT, STRATEGY_RESET };
enum document { DOCUMENTS_MARK, DOCUMENTS_REMOVE, DOCUMENTS_KEEP };

/* All that can be asked for. */
struct asked {
	enum mode mode;
	struct unit_words unit;
	const char *reason;
	enum strategy strategy;
	enum document documents;
	enum evidence_level min;
	struct strvec also, except, database;
	bool all, squash, dependents, split, forward_fix;
};

static int parse_level(const struct opt *opt, const char *arg, bool negated, struct error *err)
{
	enum evidence_level *level = opt->value;

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
	enum strategy *strategy = opt->value;

	(void)negated;
	if (!strcmp(arg, "revert"))
		*strategy = STRATEGY_REVERT;
	else if (!strcmp(arg, "reset"))
		*strategy = STRATEGY_RESET;
	else
		return error_set(err, "option '--strategy' needs 'revert' or 'reset', not '%s'",
				 arg);
	return 0;
}

static void check_unit(struct asked *asked, int argc, const char **argv)
{
	bool wants = asked->mode == MODE_REVERT || asked->mode == MODE_SHOW;

	if (argc > (wants ? 1 : 0))
		usage_error(usage, "unexpected argument '%s'", argv[wants ? 1 : 0]);
	asked->unit.track = argv[0];
	if (!wants && (asked->unit.phase || asked->unit.task || asked->unit.story))
		usage_error(usage, "--phase, --task and --story say what to show, or to revert");
	if (wants && !asked->unit.track && !asked->unit.story)
		usage_error(usage, "which unit? Name a track, or a --story");
	if (asked->unit.story && (asked->unit.track || asked->unit.phase || asked->unit.task))
		usage_error(usage, "a story is not part of a track: "
				   "--story cannot be combined with one");
}

static void check(struct asked *asked, const struct common_options *common, int argc,
		  const char **argv)
{
	bool looks = asked->mode == MODE_LIST || asked->mode == MODE_SHOW;

	check_unit(asked, argc, argv);
	if (asked->all && asked->mode != MODE_LIST)
		usage_error(usage, "--all goes with --list");
	if (common->porcelain && !looks)
		usage_error(usage, "--porcelain goes with --list and --show");
	if (asked->mode != MODE_REVERT &&
	    (asked->reason || asked->squash || asked->dependents || asked->split ||
	     asked->forward_fix || asked->also.nr || asked->except.nr || asked->database.nr))
		usage_error(usage, "that is an option for reverting a unit");
}

static int run(const struct asked *asked, const struct common_options *common, struct error *err)
{
	struct track_list_request list = { .all = asked->all };
	struct track_show_request show = { .words = asked->unit, .min = asked->min };

	switch (asked->mode) {
	case MODE_LIST: return track_list(&list, common, err);
	case MODE_SHOW: return track_show(&show, common, err);
	default:
		return error_set(err,
				 "reverting is not in this version of git revert-track: it only "
				 "has --list and --show");
	}
}

int cmd_main(int argc, const char **argv)
{
	struct common_options common = COMMON_OPTIONS_INIT;
	struct asked asked = { .min = EVIDENCE_CERTAIN };
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct opt opts[] = {
		OPT_MODE(0, "list", &asked.mode, MODE_LIST, "list the units of work"),
		OPT_BOOL(0, "all", &asked.all, "also what is archived, and what was not begun",
			 .flags = OPT_NONEG),
		OPT_MODE(0, "show", &asked.mode, MODE_SHOW,
			 "show which commits belong to the unit, and why"),
		OPT_GROUP("Which unit"),
		OPT_STRING(0, "phase", &asked.unit.phase, "phase",
			   "this phase of the track: its number, or a part of its name"),
		OPT_STRING(0, "task", &asked.unit.task, "task",
			   "this task: its number, <phase>.<task>, or a part of its text"),
		OPT_STRING(0, "story", &asked.unit.story, "id", "this story"),
		OPT_CALLBACK(0, "min-evidence", &asked.min, "level", parse_level,
			     "take commits that are 'certain' (default), or 'likely' as well"),
		OPT_GROUP("What is reverted, and how"),
		OPT_STRVEC(0, "also", &asked.also, "commit", "take this commit, too"),
		OPT_STRVEC(0, "except", &asked.except, "commit", "leave this commit out"),
		OPT_BOOL(0, "with-dependents", &asked.dependents,
			 "take the units that are built on it, too", .flags = OPT_NONEG),
		OPT_BOOL(0, "split", &asked.split,
			 "of commits of several units take this one's files", .flags = OPT_NONEG),
		OPT_STRING('m', "message", &asked.reason, "reason", "say why"),
		OPT_BOOL(0, "squash", &asked.squash, "make one commit of all", .flags = OPT_NONEG),
		OPT_CALLBACK(0, "strategy", &asked.strategy, "way", parse_strategy,
			     "'revert' (default), or 'reset' where nothing came after"),
		OPT_GROUP("Documents and databases"),
		OPT_MODE(0, "mark-reverted", &asked.documents, DOCUMENTS_MARK,
			 "keep the track's folder, marked as reverted (default)"),
		OPT_MODE(0, "remove", &asked.documents, DOCUMENTS_REMOVE,
			 "remove the track's folder"),
		OPT_MODE(0, "no-plan-update", &asked.documents, DOCUMENTS_KEEP,
			 "leave the documents alone"),
		OPT_BOOL(0, "forward-fix", &asked.forward_fix,
			 "keep migrations, and write new ones that undo them", .flags = OPT_NONEG),
		OPT_STRVEC(0, "database", &asked.database, "env",
			   "look for migrations in this one; may be repeated"),
		OPT_GROUP("A revert that waits"),
		OPT_MODE(0, "continue", &asked.mode, MODE_CONTINUE, "go on with it"),
		OPT_MODE(0, "skip", &asked.mode, MODE_SKIP, "go on without this commit"),
		OPT_MODE(0, "abort", &asked.mode, MODE_ABORT, "go back to before it"),
		OPT_MODE(0, "quit", &asked.mode, MODE_QUIT, "forget it"),
		OPT_MODE(0, "status", &asked.mode, MODE_STATUS, "say where it is"),
		OPT_GROUP("Common"),
		OPT_CHANGING(&common),
		OPT_LISTING(&common),
		OPT_COMMON(&common),
		OPT_END,
	};
	int ret;

	parse_options(&argc, &argv, opts, usage);
	check(&asked, &common, argc, argv);
	ret = run(&asked, &common, &err);
	strvec_release(&asked.also);
	strvec_release(&asked.except);
	strvec_release(&asked.database);
	return ret < 0 ? error_exit(&err) : ret;
}
