/* SPDX-License-Identifier: MIT */
/* git snapshot-db: keep what a database is, and see what became of it. */
#include <limits.h>

#include "base/interrupt.h"
#include "base/json.h"
#include "flow/database-snapshot.h"
#include "flow/verdict.h"
#include "main.h"
#include "term/options.h"

#define USAGE_CREATE "git snapshot-db [create] [<options>] [<label>]"
#define USAGE_LIST   "git snapshot-db list [<options>]"
#define USAGE_SHOW   "git snapshot-db show [<options>] <label>"
#define USAGE_DIFF   "git snapshot-db diff [<options>] <label> (<label2> | --live)"
#define USAGE_VERIFY "git snapshot-db verify [<options>] (<label>... | --all)"
#define USAGE_PRUNE  "git snapshot-db prune [<options>] --keep <n>"

static const char *const all_usage[] = { USAGE_CREATE, USAGE_LIST,  USAGE_SHOW, USAGE_DIFF,
					 USAGE_VERIFY, USAGE_PRUNE, NULL };

/* `ret` is an exit code, or -1. */
static int finish(int ret, const struct common_options *common, const struct error *err)
{
	json_t *json CLEANUP(json_decref_p) = NULL;

	if (ret >= 0)
		return ret;
	if (common->json && !json_was_printed()) {
		json = json_pack("{s:i, s:s, s:o}", "format", 1, "outcome", outcome_name(err),
				 "error", error_to_json(err));
		json_print(json);
	}
	return error_exit(err);
}

static bool is_verb(const char *name);

static int create(int argc, const char **argv, bool said)
{
	static const char *const own_usage[] = { USAGE_CREATE, NULL };
	const char *const *usage = said ? own_usage : all_usage;
	struct database_snapshot_verb verb = DATABASE_SNAPSHOT_VERB_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	enum { SCHEMA, ROWS } kind = SCHEMA;
	int other = 0;
	const struct opt opts[] = {
		OPT_SUBCOMMAND("create", &other, 1),
		OPT_SUBCOMMAND("list", &other, 1),
		OPT_SUBCOMMAND("show", &other, 1),
		OPT_SUBCOMMAND("diff", &other, 1),
		OPT_SUBCOMMAND("verify", &other, 1),
		OPT_SUBCOMMAND("prune", &other, 1),
		OPT_MODE(0, "schema-only", &kind, SCHEMA, "keep the schema (default)"),
		OPT_MODE(0, "data", &kind, ROWS, "keep all rows too"),
		OPT_STRING(0, "database", &verb.database, "name", "the database to keep"),
		OPT_COMMON(&verb.common),
		OPT_END,
	};
	const struct opt *own = opts;

	while (said && own->type == OPT_TYPE_SUBCOMMAND)
		own++;
	parse_options(&argc, &argv, own, usage);
	if (other)
		usage_error(all_usage, "'%s' goes first, before its options", argv[0]);
	if (argc > 1)
		usage_error(usage, "unexpected argument '%s'", argv[1]);
	if (argc && is_verb(argv[0]))
		usage_error(usage, "'%s' is a command of git snapshot-db, and no label", argv[0]);
	verb.create = (struct database_snapshot_request){ .label = argv[0],
							  .rows = kind == ROWS,
							  .command = "snapshot-db" };
	interrupt_catch();
	return finish(database_snapshot_create(&verb, &err), &verb.common, &err);
}

static int verb_create(int argc, const char **argv)
{
	return create(argc, argv, true);
}

static int verb_list(int argc, const char **argv)
{
	static const char *const usage[] = { USAGE_LIST, NULL };
	struct database_snapshot_verb verb = DATABASE_SNAPSHOT_VERB_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct opt opts[] = {
		OPT_STRING(0, "database", &verb.database, "name", "only those of this database"),
		OPT_LISTING(&verb.common),
		OPT_COMMON(&verb.common),
		OPT_END,
	};

	parse_options(&argc, &argv, opts, usage);
	if (argc)
		usage_error(usage, "unexpected argument '%s'", argv[0]);
	return finish(database_snapshot_list(&verb, &err), &verb.common, &err);
}

static int verb_show(int argc, const char **argv)
{
	static const char *const usage[] = { USAGE_SHOW, NULL };
	struct database_snapshot_verb verb = DATABASE_SNAPSHOT_VERB_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct opt opts[] = { OPT_COMMON(&verb.common), OPT_END };

	parse_options(&argc, &argv, opts, usage);
	if (argc != 1)
		usage_error(usage, argc ? "one snapshot at a time" : "which snapshot?");
	verb.label = argv;
	return finish(database_snapshot_show(&verb, &err), &verb.common, &err);
}

static int verb_diff(int argc, const char **argv)
{
	static const char *const usage[] = { USAGE_DIFF, NULL };
	struct database_snapshot_verb verb = DATABASE_SNAPSHOT_VERB_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct opt opts[] = {
		OPT_BOOL(0, "live", &verb.live, "compare with the database as it is now",
			 .flags = OPT_NONEG),
		OPT_STRING(0, "database", &verb.database, "name",
			   "the one that is meant with --live"),
		OPT_BOOL(0, "exit-code", &verb.exit_code, "exit with 1 when there are differences"),
		OPT_COMMON(&verb.common),
		OPT_END,
	};

	parse_options(&argc, &argv, opts, usage);
	if (argc != (verb.live ? 1 : 2))
		usage_error(usage, verb.live ? "--live compares with one snapshot" :
					       "two snapshots are compared, or one with --live");
	if (verb.database && !verb.live)
		usage_error(usage, "--database needs --live");
	verb.label = argv;
	interrupt_catch();
	return finish(database_snapshot_diff(&verb, &err), &verb.common, &err);
}

static int verb_verify(int argc, const char **argv)
{
	static const char *const usage[] = { USAGE_VERIFY, NULL };
	struct database_snapshot_verb verb = DATABASE_SNAPSHOT_VERB_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	bool restore = true;
	const struct opt opts[] = {
		OPT_BOOL(0, "all", &verb.all, "all that there are", .flags = OPT_NONEG),
		OPT_BOOL(0, "restore", &restore,
			 "restore it into a database of its own, and compare (default)"),
		OPT_STRING(0, "database", &verb.database, "name",
			   "restore on the server of this one"),
		OPT_STRING(0, "confirm", &verb.common.confirm, "environment",
			   "restore on the server of a protected database"),
		OPT_COMMON(&verb.common),
		OPT_END,
	};

	parse_options(&argc, &argv, opts, usage);
	if (!argc == !verb.all)
		usage_error(usage, argc ? "labels cannot be combined with --all" :
					  "which snapshot? Name it, or use --all");
	verb.label = argv;
	verb.labels = (size_t)argc;
	verb.no_restore = !restore;
	interrupt_catch();
	return finish(database_snapshot_verify(&verb, &err), &verb.common, &err);
}

static int verb_prune(int argc, const char **argv)
{
	static const char *const usage[] = { USAGE_PRUNE, NULL };
	struct database_snapshot_verb verb = DATABASE_SNAPSHOT_VERB_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct opt opts[] = {
		OPT_INTEGER(0, "keep", &verb.keep, 0, LONG_MAX, "n", "keep the newest <n>"),
		OPT_STRING(0, "database", &verb.database, "name", "only those of this database"),
		OPT_CHANGING(&verb.common),
		OPT_COMMON(&verb.common),
		OPT_END,
	};

	parse_options(&argc, &argv, opts, usage);
	if (argc)
		usage_error(usage, "unexpected argument '%s'", argv[0]);
	if (verb.keep < 0)
		usage_error(usage, "how many are to stay? Say it with --keep");
	interrupt_catch();
	return finish(database_snapshot_prune(&verb, &err), &verb.common, &err);
}

/* ---- Which verb ---------------------------------------------------------------------- */

static const struct verb {
	const char *name;
	int (*run)(int argc, const char **argv);
} verbs[] = {
	{ "create", verb_create }, { "list", verb_list },     { "show", verb_show },
	{ "diff", verb_diff },	   { "verify", verb_verify }, { "prune", verb_prune },
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(name, verbs[i].name))
			return &verbs[i];
	return NULL;
}

static bool is_verb(const char *name)
{
	return find_verb(name) != NULL;
}

int cmd_main(int argc, const char **argv)
{
	const struct verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;

	return verb ? verb->run(argc - 1, argv + 1) : create(argc, argv, false);
}
