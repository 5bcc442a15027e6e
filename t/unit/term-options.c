/* SPDX-License-Identifier: MIT */
/* What a command line means: options_parse(), the text of -h, and the list for completion. */
#include "term/options.h"

#include "base/memory.h"

#include <limits.h>
#include <setjmp.h>

#include <cmocka.h>

enum mode { MODE_NONE, MODE_TO, MODE_ALL, MODE_UNDO, MODE_BACK, MODE_GO };

/* A command with one option of each kind. */
struct demo {
	bool force, verify, trace, keep;
	const char *label, *author, *since;
	int last;
	long bytes;
	struct strvec path;
	enum mode mode;
	const char *to, *undo;
	long back, go;
	int subcommand, dashdash;
	struct common_options common;
};

enum { DEMO_OPTS = 26 };

static void demo_init(struct demo *d, struct opt opts[DEMO_OPTS])
{
	*d = (struct demo){ .dashdash = -1, .verify = true, .common = COMMON_OPTIONS_INIT };
	const struct opt table[] = {
		OPT_MODE_ARG(0, "to", &d->mode, MODE_TO, &d->to, "version", "go back to <version>"),
		OPT_MODE('a', "all", &d->mode, MODE_ALL, "go back to the beginning"),
		OPT_MODE(0, "everything", &d->mode, MODE_ALL, "the same as --all"),
		OPT_MODE_OPTIONAL(0, "undo", &d->mode, MODE_UNDO, &d->undo, "operation", "",
				  "undo the last operation, or the one that is named, as long as "
				  "nothing that came after it depends on it"),
		OPT_MODE_INTEGER('b', "back", &d->mode, MODE_BACK, &d->back, 1, LONG_MAX, "n",
				 "<n> of them"),
		OPT_MODE_INTEGER_OPTIONAL(0, "go", &d->mode, MODE_GO, &d->go, 1, 99, "n", "1",
					  "the next one, or <n>"),
		OPT_BOOL('f', "force", &d->force, "do it anyway"),
		OPT_BOOL(0, "no-verify", &d->verify, "skip the checks"),
		OPT_BOOL(0, "trace", &d->trace, "for us", .flags = OPT_HIDDEN),
		OPT_BOOL('k', "keep", &d->keep, "keep files", .flags = OPT_NONEG),
		OPT_STRING('m', "label", &d->label, "text", "name it <text>"),
		OPT_STRING(0, "author", &d->author, "name", "not by <name>",
			   .flags = OPT_NEGATABLE),
		OPT_OPTIONAL('s', "since", &d->since, "<date>|<n>", "yesterday", "newer ones",
			     .flags = OPT_NEGATABLE),
		OPT_INTEGER('l', "last", &d->last, 1, 1000, "n", "the last <n>"),
		OPT_INTEGER(0, "bytes", &d->bytes, 0, LONG_MAX, "n", "so many bytes"),
		OPT_STRVEC('p', "path", &d->path, "path", "only <path>", .flags = OPT_NEGATABLE),
		OPT_DASHDASH(&d->dashdash),
		OPT_SUBCOMMAND("list", &d->subcommand, 1),
		OPT_SUBCOMMAND("show", &d->subcommand, 2),
		OPT_GROUP("Changing"),
		OPT_CHANGING(&d->common),
		OPT_GROUP(""),
		OPT_COMMON(&d->common),
		OPT_LISTING(&d->common),
		OPT_END,
	};
	_Static_assert(ARRAY_SIZE(table) <= DEMO_OPTS, "DEMO_OPTS is too small");
	memcpy(opts, table, sizeof(table));
}

static void add_string(struct strbuf *out, const char *name, const char *value)
{
	if (value)
		strbuf_addf(out, " %s=%s", name, value);
}

static void add_int(struct strbuf *out, const char *name, long value, long unset)
{
	if (value != unset)
		strbuf_addf(out, " %s=%ld", name, value);
}

/* All that is not as it was before parsing, and the operands. */
static void demo_describe(struct strbuf *out, const struct demo *d, int argc, const char **argv)
{
	add_int(out, "mode", (int)d->mode, MODE_NONE);
	add_string(out, "to", d->to);
	add_string(out, "undo", d->undo);
	add_int(out, "back", d->back, 0);
	add_int(out, "go", d->go, 0);
	add_int(out, "force", d->force, false);
	add_int(out, "verify", d->verify, true);
	add_int(out, "trace", d->trace, false);
	add_int(out, "keep", d->keep, false);
	add_string(out, "label", d->label);
	add_string(out, "author", d->author);
	add_string(out, "since", d->since);
	add_int(out, "last", d->last, 0);
	add_int(out, "bytes", d->bytes, 0);
	for (size_t i = 0; i < d->path.nr; i++)
		add_string(out, "path", d->path.v[i]);
	add_int(out, "dry_run", d->common.dry_run, false);
	add_int(out, "yes", d->common.yes, false);
	add_string(out, "confirm", d->common.confirm);
	add_int(out, "wait", d->common.wait, false);
	add_int(out, "wait_seconds", d->common.wait_seconds, -1);
	add_int(out, "quiet", d->common.quiet, false);
	add_int(out, "verbose", d->common.verbose, 0);
	add_int(out, "json", d->common.json, false);
	add_int(out, "porcelain", d->common.porcelain, false);
	add_int(out, "nul", d->common.nul, false);
	add_int(out, "color", d->common.color, -1);
	add_int(out, "progress", d->common.progress, -1);
	add_int(out, "subcommand", d->subcommand, 0);
	add_int(out, "dashdash", d->dashdash, -1);
	strbuf_addstr(out, " :");
	for (int i = 0; i < argc; i++)
		strbuf_addf(out, " %s", argv[i]);
	assert_null(argv[argc]);
}

/* Parses and describes: "OK force=1 : operand", or the result's name and the message. */
static void demo_parse(struct strbuf *out, const char *const *args)
{
	static const char *const name[] = {
		[OPTIONS_PARSED] = "OK",       [OPTIONS_HELP] = "HELP",
		[OPTIONS_VERSION] = "VERSION", [OPTIONS_COMPLETION] = "COMPLETION",
		[OPTIONS_UNKNOWN] = "UNKNOWN", [OPTIONS_MISUSED] = "MISUSED",
	};
	struct error err CLEANUP(error_release) = ERROR_INIT;
	struct opt opts[DEMO_OPTS];
	struct demo d;
	const char *copy[16] = { "git-demo" };
	const char **argv = copy;
	int argc = 1;

	demo_init(&d, opts);
	for (; args[argc - 1]; argc++)
		copy[argc] = args[argc - 1];

	enum options_result result = options_parse(&argc, &argv, opts, &err);
	strbuf_addstr(out, name[result]);
	if (result == OPTIONS_PARSED) {
		demo_describe(out, &d, argc, argv);
	} else {
		assert_ptr_equal(argv, copy);
		assert_string_equal(argv[0], "git-demo");
		for (int i = 1; i < argc; i++)
			assert_ptr_equal(argv[i], args[i - 1]);
	}
	assert_int_equal(error_is_set(&err),
			 result == OPTIONS_UNKNOWN || result == OPTIONS_MISUSED);
	if (err.message)
		strbuf_addf(out, " %s", err.message);
	if (err.hint)
		strbuf_addf(out, " / %s", err.hint);
	strvec_release(&d.path);
}

static const struct {
	const char *args[9];
	const char *expect;
} lines[] = {
	/* operands */
	{ { NULL }, "OK :" },
	{ { "a", "b" }, "OK : a b" },
	{ { "", "-" }, "OK :  -" },
	{ { "a", "-f", "b", "-n", "c" }, "OK force=1 dry_run=1 : a b c" },
	{ { "-f", "--", "-n", "--", "x" }, "OK force=1 dashdash=0 : -n -- x" },
	{ { "a", "b", "--" }, "OK dashdash=2 : a b" },
	{ { "a", "--", "list" }, "OK dashdash=1 : a list" },

	/* booleans */
	{ { "--force" }, "OK force=1 :" },
	{ { "--force", "--no-force" }, "OK :" },
	{ { "--no-force", "-f" }, "OK force=1 :" },
	{ { "--no-verify" }, "OK :" },
	{ { "--verify" }, "OK verify=0 :" },
	{ { "--force=1" }, "MISUSED option '--force' takes no value" },
	{ { "--no-force=" }, "MISUSED option '--no-force' takes no value" },
	{ { "--keep" }, "OK keep=1 :" },
	{ { "--no-keep" }, "UNKNOWN unknown option `no-keep'" },

	/* bundles */
	{ { "-fn" }, "OK force=1 dry_run=1 :" },
	{ { "-fnmx", "y" }, "OK force=1 label=x dry_run=1 : y" },
	{ { "-fm", "-n", "y" }, "OK force=1 label=-n : y" },
	{ { "-vvv" }, "OK verbose=3 :" },
	{ { "-fX" }, "UNKNOWN unknown switch `X'" },
	{ { "-sf" }, "OK force=1 since=yesterday :" },
	{ { "-f\xc3\xa4" }, "UNKNOWN unknown option in '-f\xc3\xa4'" },
	{ { "-dry-run" },
	  "UNKNOWN unknown switch `d' / Did you mean '--dry-run', with two dashes?" },
	{ { "-yes" }, "UNKNOWN unknown switch `e' / Did you mean '--yes', with two dashes?" },
	{ { "-1" }, "UNKNOWN unknown switch `1'" },

	/* parts of names */
	{ { "--forc", "--dry" }, "OK force=1 dry_run=1 :" },
	{ { "--no-forc" }, "OK :" },
	{ { "--a" }, "MISUSED option '--a' is ambiguous: --all, --author" },
	{ { "--no-ver" }, "MISUSED option '--no-ver' is ambiguous: --no-verify, --no-verbose" },
	{ { "--con=x" }, "OK confirm=x :" },
	{ { "--to", "3" }, "OK mode=1 to=3 :" },
	{ { "--n" }, "UNKNOWN unknown option `n'" },
	{ { "--no" }, "UNKNOWN unknown option `no'" },
	{ { "--no-" }, "UNKNOWN unknown option `no-'" },
	{ { "--=x" }, "UNKNOWN unknown option `'" },
	{ { "--trac" }, "UNKNOWN unknown option `trac'" },
	{ { "--trace" }, "OK trace=1 :" },
	{ { "--no-trace" }, "OK :" },
	{ { "--forces" }, "UNKNOWN unknown option `forces'" },
	{ { "--password=secret" }, "UNKNOWN unknown option `password'" },
	{ { "--lis" }, "UNKNOWN unknown option `lis'" },

	/* values */
	{ { "--label", "x" }, "OK label=x :" },
	{ { "--label=x=y" }, "OK label=x=y :" },
	{ { "--label=" }, "OK label= :" },
	{ { "--label", "--force" }, "OK label=--force :" },
	{ { "--label", "--" }, "OK label=-- :" },
	{ { "--label=a", "--label=b" }, "OK label=b :" },
	{ { "-m", "x" }, "OK label=x :" },
	{ { "-mx" }, "OK label=x :" },
	{ { "--label" }, "MISUSED option '--label' needs a value" },
	{ { "--lab" }, "MISUSED option '--label' needs a value" },
	{ { "-m" }, "MISUSED option '--label' needs a value" },
	{ { "--no-label" }, "UNKNOWN unknown option `no-label'" },
	{ { "--author=x", "--no-author" }, "OK :" },
	{ { "--no-author=x" }, "MISUSED option '--no-author' takes no value" },
	{ { "--since" }, "OK since=yesterday :" },
	{ { "--since=" }, "OK since= :" },
	{ { "--since", "--no-since" }, "OK :" },
	{ { "--since=monday" }, "OK since=monday :" },
	{ { "--since", "monday" }, "OK since=yesterday : monday" },
	{ { "-p", "a", "--path=b", "-pc" }, "OK path=a path=b path=c :" },
	{ { "-p", "a", "--no-path", "-pc" }, "OK path=c :" },

	/* numbers */
	{ { "--last", "1" }, "OK last=1 :" },
	{ { "-l1000" }, "OK last=1000 :" },
	{ { "-l007" }, "OK last=7 :" },
	{ { "--last=0" }, "MISUSED option '--last' needs a number from 1 to 1000, not '0'" },
	{ { "--last=1001" }, "MISUSED option '--last' needs a number from 1 to 1000, not '1001'" },
	{ { "--last=-1" }, "MISUSED option '--last' needs a number from 1 to 1000, not '-1'" },
	{ { "--last=" }, "MISUSED option '--last' needs a number from 1 to 1000, not ''" },
	{ { "--last=-" }, "MISUSED option '--last' needs a number from 1 to 1000, not '-'" },
	{ { "--last=3x" }, "MISUSED option '--last' needs a number from 1 to 1000, not '3x'" },
	{ { "--last", " 3" }, "MISUSED option '--last' needs a number from 1 to 1000, not ' 3'" },
	{ { "--last=+3" }, "MISUSED option '--last' needs a number from 1 to 1000, not '+3'" },
	{ { "--last=0x3" }, "MISUSED option '--last' needs a number from 1 to 1000, not '0x3'" },
	{ { "--last=99999999999999999999" },
	  "MISUSED option '--last' needs a number from 1 to 1000, not '99999999999999999999'" },
	{ { "--bytes=4294967296" }, "OK bytes=4294967296 :" },
	{ { "--bytes=-1" }, "MISUSED option '--bytes' needs a number of 0 or more, not '-1'" },
	{ { "--bytes=9223372036854775808" },
	  "MISUSED option '--bytes' needs a number of 0 or more, not '9223372036854775808'" },

	/* modes */
	{ { "-a" }, "OK mode=2 :" },
	{ { "-a", "--all" }, "OK mode=2 :" },
	{ { "--all", "--everything" }, "OK mode=2 :" },
	{ { "--to=1", "--to=2" }, "OK mode=1 to=2 :" },
	{ { "--undo" }, "OK mode=3 undo= :" },
	{ { "--undo=op" }, "OK mode=3 undo=op :" },
	{ { "--undo", "op" }, "OK mode=3 undo= : op" },
	{ { "--to=1", "-a" }, "MISUSED options '--to' and '--all' cannot be combined" },
	{ { "--undo", "x", "--to=1" }, "MISUSED options '--undo' and '--to' cannot be combined" },
	{ { "--back=3" }, "OK mode=4 back=3 :" },
	{ { "-b3", "x" }, "OK mode=4 back=3 : x" },
	{ { "--back", "3", "--back=2" }, "OK mode=4 back=2 :" },
	{ { "--back" }, "MISUSED option '--back' needs a value" },
	{ { "--back=0" }, "MISUSED option '--back' needs a number of 1 or more, not '0'" },
	{ { "--back=1k" }, "MISUSED option '--back' needs a number of 1 or more, not '1k'" },
	{ { "--back=9223372036854775808" },
	  "MISUSED option '--back' needs a number of 1 or more, not '9223372036854775808'" },
	{ { "--go" }, "OK mode=5 go=1 :" },
	{ { "--go=99" }, "OK mode=5 go=99 :" },
	{ { "--go", "3" }, "OK mode=5 go=1 : 3" },
	{ { "--go=3", "--go" }, "OK mode=5 go=1 :" },
	{ { "--go=" }, "MISUSED option '--go' needs a number from 1 to 99, not ''" },
	{ { "--go=100" }, "MISUSED option '--go' needs a number from 1 to 99, not '100'" },
	{ { "--go", "--back=1" }, "MISUSED options '--go' and '--back' cannot be combined" },
	{ { "--no-all" }, "UNKNOWN unknown option `no-all'" },
	{ { "--all=x" }, "MISUSED option '--all' takes no value" },

	/* subcommands: what follows is not ours */
	{ { "list" }, "OK subcommand=1 : list" },
	{ { "-f", "show", "-X", "--", "y" }, "OK force=1 subcommand=2 : show -X -- y" },
	{ { "lis" }, "OK : lis" },
	{ { "a", "list", "-f" }, "OK force=1 : a list" },
	{ { "--", "list" }, "OK dashdash=0 : list" },

	/* what all commands share */
	{ { "-nyqz" }, "OK dry_run=1 yes=1 quiet=1 porcelain=1 nul=1 :" },
	{ { "-q", "-v" }, "OK verbose=1 :" },
	{ { "-v", "-q" }, "OK quiet=1 :" },
	{ { "-v", "--no-verbose" }, "OK :" },
	{ { "-q", "--no-quiet" }, "OK :" },
	{ { "--json" }, "OK json=1 :" },
	{ { "--json", "--no-json", "--porcelain" }, "OK porcelain=1 :" },
	{ { "--json", "--porcelain" },
	  "MISUSED options '--json' and '--porcelain' cannot be combined" },
	{ { "--porcelain", "--json" },
	  "MISUSED options '--porcelain' and '--json' cannot be combined" },
	{ { "--json", "-z" }, "MISUSED options '--json' and '-z' cannot be combined" },
	{ { "-z", "--json" }, "MISUSED options '-z' and '--json' cannot be combined" },
	{ { "-z", "--no-porcelain" }, "OK :" },
	{ { "--color" }, "OK color=1 :" },
	{ { "--no-color" }, "OK color=0 :" },
	{ { "--color=always" }, "OK color=1 :" },
	{ { "--color=never" }, "OK color=0 :" },
	{ { "--no-color", "--color=auto" }, "OK :" },
	{ { "--color=red" },
	  "MISUSED option '--color' needs 'always', 'never' or 'auto', not 'red'" },
	{ { "--progress" }, "OK progress=1 :" },
	{ { "--no-progress" }, "OK progress=0 :" },
	{ { "--wait" }, "OK wait=1 :" },
	{ { "--wait=0" }, "OK wait=1 wait_seconds=0 :" },
	{ { "--wait=5", "--wait" }, "OK wait=1 :" },
	{ { "--wait=5", "--no-wait" }, "OK :" },
	{ { "--wait", "5" }, "OK wait=1 : 5" },
	{ { "--wait=soon" }, "MISUSED option '--wait' needs a number of 0 or more, not 'soon'" },
	{ { "--wait=2147483648" },
	  "MISUSED option '--wait' needs a number of 0 or more, not '2147483648'" },
	{ { "--confirm", "production" }, "OK confirm=production :" },
	{ { "--no-confirm" }, "UNKNOWN unknown option `no-confirm'" },

	/* what the parser answers itself */
	{ { "-h" }, "HELP" },
	{ { "a", "-fh" }, "HELP" },
	{ { "--help" }, "HELP" },
	{ { "--help=x" }, "UNKNOWN unknown option `help'" },
	{ { "--hel" }, "UNKNOWN unknown option `hel'" },
	{ { "-X", "-h" }, "UNKNOWN unknown switch `X'" },
	{ { "--", "-h" }, "OK dashdash=0 : -h" },
	{ { "--label", "-h" }, "OK label=-h :" },
	{ { "--version" }, "VERSION" },
	{ { "--git-completion-helper" }, "COMPLETION" },
	{ { "a", "--git-completion-helper" }, "UNKNOWN unknown option `git-completion-helper'" },
};

static void test_lines(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct strbuf actual CLEANUP(strbuf_release) = STRBUF_INIT;

		demo_parse(&actual, lines[i].args);
		if (strcmp(actual.buf, lines[i].expect) != 0)
			fail_msg("line %zu, '%s ...': expected\n%s\nbut got\n%s", i,
				 lines[i].args[0] ? lines[i].args[0] : "", lines[i].expect,
				 actual.buf);
	}
}

static void test_no_argv_at_all(void **state UNUSED)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const struct opt opts[] = { OPT_END };
	const char *none[] = { NULL };
	const char **argv = none;
	int argc = 0;

	assert_int_equal(options_parse(&argc, &argv, opts, &err), OPTIONS_PARSED);
	assert_int_equal(argc, 0);
	assert_null(argv[0]);
}

/* A subcommand's own table gets the rest; what was said before it stays. */
static void test_subcommand_table(void **state UNUSED)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	struct common_options common = COMMON_OPTIONS_INIT;
	int subcommand = 0;
	bool all = false;
	const struct opt opts[] = { OPT_SUBCOMMAND("list", &subcommand, 1), OPT_COMMON(&common),
				    OPT_END };
	const struct opt list_opts[] = { OPT_BOOL('a', "all", &all, "all"), OPT_COMMON(&common),
					 OPT_END };
	const char *args[] = { "git-demo", "-q", "list", "x", "--all", "--json", NULL };
	const char **argv = args;
	int argc = 6;

	assert_int_equal(options_parse(&argc, &argv, opts, &err), OPTIONS_PARSED);
	assert_int_equal(subcommand, 1);
	assert_string_equal(argv[0], "list");
	assert_int_equal(options_parse(&argc, &argv, list_opts, &err), OPTIONS_PARSED);
	assert_int_equal(argc, 1);
	assert_string_equal(argv[0], "x");
	assert_true(all && common.quiet && common.json);
}

static int even(const struct opt *opt, const char *arg, bool negated, struct error *err)
{
	char *name CLEANUP(free_p) = option_name(opt, negated);
	long number = 0;

	if (arg && option_integer(&number, opt, arg, LONG_MIN, LONG_MAX, err) < 0)
		return -1;
	if (number % 2)
		return error_set(err, "option '%s' needs an even number, not '%s'", name, arg);
	*(long *)opt->value = number;
	return 0;
}

static void test_callback(void **state UNUSED)
{
	static const struct {
		const char *arg, *error;
		long value;
	} cases[] = {
		{ "--even=4", NULL, 4 },
		{ "-e-2", NULL, -2 },
		{ "--no-even", NULL, 0 },
		{ "--even=3", "option '--even' needs an even number, not '3'", 7 },
		{ "--even=x", "option '--even' needs a whole number, not 'x'", 7 },
		{ "--even", "option '--even' needs a value", 7 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err CLEANUP(error_release) = ERROR_INIT;
		long value = 7;
		const struct opt opts[] = { OPT_CALLBACK('e', "even", &value, "n", even, "even",
							 .flags = OPT_NEGATABLE),
					    OPT_END };
		const char *args[] = { "git-demo", cases[i].arg, NULL };
		const char **argv = args;
		int argc = 2;

		assert_int_equal(options_parse(&argc, &argv, opts, &err),
				 cases[i].error ? OPTIONS_MISUSED : OPTIONS_PARSED);
		if (cases[i].error)
			assert_string_equal(err.message, cases[i].error);
		assert_int_equal(value, cases[i].value);
	}
}

static void test_usage(void **state UNUSED)
{
	static const char *const usage[] = { "git demo [<options>] <version>...",
					     "git demo list [--all]\n[<pattern>]", NULL };
	static const char expect[] =
		"usage: git demo [<options>] <version>...\n"
		"   or: git demo list [--all]\n"
		"       [<pattern>]\n"
		"\n"
		"    --to <version>        go back to <version>\n"
		"    -a, --all             go back to the beginning\n"
		"    --everything          the same as --all\n"
		"    --undo[=<operation>]  undo the last operation, or the one that is named, as\n"
		"                          long as nothing that came after it depends on it\n"
		"    -b, --back <n>        <n> of them\n"
		"    --go[=<n>]            the next one, or <n>\n"
		"    -f, --[no-]force      do it anyway\n"
		"    --no-verify           skip the checks\n"
		"    -k, --keep            keep files\n"
		"    -m, --label <text>    name it <text>\n"
		"    --[no-]author <name>  not by <name>\n"
		"    -s, --[no-]since[=<date>|<n>]\n"
		"                          newer ones\n"
		"    -l, --last <n>        the last <n>\n"
		"    --bytes <n>           so many bytes\n"
		"    -p, --[no-]path <path>\n"
		"                          only <path>\n"
		"\n"
		"Changing\n"
		"    -n, --[no-]dry-run    show the plan and change nothing\n"
		"    -y, --[no-]yes        do not ask\n"
		"    --confirm <environment>\n"
		"                          confirm a change of this protected environment\n"
		"    --[no-]wait[=<seconds>]\n"
		"                          wait for a lock that another process holds\n"
		"\n"
		"    -q, --[no-]quiet      say only what went wrong\n"
		"    -v, --[no-]verbose    say more; may be repeated\n"
		"    --[no-]json           print one JSON object\n"
		"    --[no-]color[=<when>]\n"
		"                          use color: always, never or auto\n"
		"    --[no-]progress       show a progress meter\n"
		"    --[no-]porcelain      print for scripts, in a form that never changes\n"
		"    -z                    end records with NUL; implies --porcelain\n"
		"\n";
	struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;
	struct opt opts[DEMO_OPTS];
	struct demo d;

	demo_init(&d, opts);
	options_usage(&out, usage, opts);
	assert_string_equal(out.buf, expect);
}

/* A word that ends in column 80 stays on its line; no longer one does. Letters count, not bytes. */
static void test_usage_wrap(void **state UNUSED)
{
	static const char *const usage[] = { "git demo", NULL };
	bool x = false;
	const struct opt opts[] = {
		OPT_BOOL('x', NULL, &x, "123456789 123456789 123456789 123456789 123456789 1234"),
		OPT_BOOL('y', NULL, &x, "123456789 123456789 123456789 123456789 123456789 12345"),
		OPT_BOOL('z', NULL, &x,
			 "\xc3\xa4"
			 "23456789 123456789 123456789 123456789 123456789 1234"),
		OPT_END
	};
	static const char expect[] =
		"usage: git demo\n\n"
		"    -x                    123456789 123456789 123456789 123456789 123456789 1234\n"
		"    -y                    123456789 123456789 123456789 123456789 123456789\n"
		"                          12345\n"
		"    -z                    \xc3\xa4"
		"23456789 123456789 123456789 123456789 123456789 1234\n\n";
	struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

	options_usage(&out, usage, opts);
	assert_string_equal(out.buf, expect);
}

static void test_completion(void **state UNUSED)
{
	static const char expect[] =
		"list show --to= --all --everything --undo --back= --go --force --no-verify --keep "
		"--label= --author= --since --last= --bytes= --path= --dry-run --yes --confirm= --wait "
		"--quiet --verbose --json --color --progress --porcelain -- --no-force --verify "
		"--no-author --no-since --no-path --no-dry-run --no-yes --no-wait --no-quiet --no-verbose "
		"--no-json --no-color --no-progress --no-porcelain\n";
	struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;
	struct opt opts[DEMO_OPTS];
	struct demo d;

	demo_init(&d, opts);
	options_completion(&out, opts);
	assert_string_equal(out.buf, expect);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_no_argv_at_all),
		cmocka_unit_test(test_subcommand_table),
		cmocka_unit_test(test_callback),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_usage_wrap),
		cmocka_unit_test(test_completion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
