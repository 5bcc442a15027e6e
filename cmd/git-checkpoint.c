/* SPDX-License-Identifier: MIT */
/* git checkpoint: keep whole working states, and come back to them. */
#include <limits.h>

#include "base/interrupt.h"
#include "flow/checkpoint-drop.h"
#include "flow/checkpoint-list.h"
#include "flow/checkpoint.h"
#include "main.h"
#include "term/options.h"

#define USAGE_LIST  "git checkpoint list [<options>] [<pattern>...]"
#define USAGE_DROP  "git checkpoint drop [<options>] <name>..."
#define USAGE_PRUNE "git checkpoint prune [<options>] [<pattern>...]"

/* ---- Verbs --------------------------------------------------------------------------- */

static int verb_list(int argc, const char **argv)
{
	static const char *const usage[] = { USAGE_LIST, NULL };
	struct common_options common = COMMON_OPTIONS_INIT;
	struct checkpoint_list_request request = { 0 };
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct opt opts[] = {
		OPT_STRING(0, "stage", &request.stage, "n", "only those of this stage"),
		OPT_BOOL(0, "operations", &request.operations,
			 "list the operations, which can be undone", .flags = OPT_NONEG),
		OPT_LISTING(&common), OPT_COMMON(&common), OPT_END
	};

	parse_options(&argc, &argv, opts, usage);
	if (request.operations && (argc || request.stage))
		usage_error(usage, "--operations cannot be combined with %s",
			    argc ? "patterns" : "--stage");
	request.pattern = argv;
	request.patterns = (size_t)argc;
	return checkpoint_list(&request, &common, &err) < 0 ? error_exit(&err) : EXIT_DONE;
}

static int verb_drop(int argc, const char **argv)
{
	static const char *const usage[] = { USAGE_DROP, NULL };
	struct common_options common = COMMON_OPTIONS_INIT;
	struct checkpoint_session s CLEANUP(checkpoint_session_close) = CHECKPOINT_SESSION_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct opt opts[] = { OPT_CHANGING(&common), OPT_COMMON(&common), OPT_END };
	int ret;

	parse_options(&argc, &argv, opts, usage);
	if (!argc)
		usage_error(usage, "which checkpoint?");
	interrupt_catch();
	ret = checkpoint_session_open(&s, &common, &err);
	if (!ret)
		ret = checkpoint_drop(&s, argv, (size_t)argc, &err);
	return ret < 0 ? error_exit(&err) : ret;
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
	int ret;

	parse_options(&argc, &argv, opts, usage);
	request.pattern = argv;
	request.patterns = (size_t)argc;
	interrupt_catch();
	ret = checkpoint_session_open(&s, &common, &err);
	if (!ret)
		ret = checkpoint_prune(&s, &request, &err);
	return ret < 0 ? error_exit(&err) : ret;
}

/* ---- Which verb ---------------------------------------------------------------------- */

static const char *const all_usage[] = { USAGE_LIST, USAGE_DROP, USAGE_PRUNE, NULL };

static const struct verb {
	const char *name;
	int (*run)(int argc, const char **argv);
} verbs[] = {
	{ "list", verb_list },
	{ "drop", verb_drop },
	{ "prune", verb_prune },
};

int cmd_main(int argc, const char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	usage_error(all_usage, "which command?");
}
