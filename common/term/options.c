/* SPDX-License-Identifier: MIT */
#include "term/options.h"

#include "base/memory.h"
#include "base/text.h"
#include "term/output.h"

#include <ctype.h>
#include <limits.h>

#ifndef ROLLBACK_VERSION
#error "ROLLBACK_VERSION comes from the Makefile"
#endif

/* Columns of -h: where help starts, how far an option may reach into the gap, the end. */
enum { HELP_COLUMN = 26, HELP_GAP = 2, HELP_END = 80 };

/* What the built-in tables do. */

static int refuse_pair(struct error *err, const char *one, const char *other)
{
	return error_set(err, "options '%s' and '%s' cannot be combined", one, other);
}

static int on_quiet(const struct opt *opt, const char *arg UNUSED, bool negated,
		    struct error *err UNUSED)
{
	struct common_options *common = opt->value;

	common->quiet = !negated;
	if (!negated)
		common->verbose = 0;
	return 0;
}

static int on_verbose(const struct opt *opt, const char *arg UNUSED, bool negated,
		      struct error *err UNUSED)
{
	struct common_options *common = opt->value;

	common->verbose = negated ? 0 : common->verbose + 1;
	if (!negated)
		common->quiet = false;
	return 0;
}

static int on_json(const struct opt *opt, const char *arg UNUSED, bool negated, struct error *err)
{
	struct common_options *common = opt->value;

	if (!negated && common->porcelain)
		return refuse_pair(err, common->nul ? "-z" : "--porcelain", "--json");
	common->json = !negated;
	return 0;
}

static int on_porcelain(const struct opt *opt, const char *arg UNUSED, bool negated,
			struct error *err)
{
	struct common_options *common = opt->value;

	if (!negated && common->json)
		return refuse_pair(err, "--json", "--porcelain");
	common->porcelain = !negated;
	if (negated)
		common->nul = false;
	return 0;
}

static int on_nul(const struct opt *opt, const char *arg UNUSED, bool negated UNUSED,
		  struct error *err)
{
	struct common_options *common = opt->value;

	if (common->json)
		return refuse_pair(err, "--json", "-z");
	common->porcelain = common->nul = true;
	return 0;
}

static int on_color(const struct opt *opt, const char *arg, bool negated, struct error *err)
{
	struct common_options *common = opt->value;

	if (negated || (arg && !strcmp(arg, "never")))
		common->color = 0;
	else if (!arg || !strcmp(arg, "always"))
		common->color = 1;
	else if (!strcmp(arg, "auto"))
		common->color = -1;
	else
		return error_set(
			err, "option '--color' needs 'always', 'never' or 'auto', not '%s'", arg);
	return 0;
}

static int on_progress(const struct opt *opt, const char *arg UNUSED, bool negated,
		       struct error *err UNUSED)
{
	struct common_options *common = opt->value;

	common->progress = !negated;
	return 0;
}

static int on_wait(const struct opt *opt, const char *arg, bool negated, struct error *err)
{
	struct common_options *common = opt->value;
	long seconds = -1;

	if (arg && option_integer(&seconds, opt, arg, 0, INT_MAX, err) < 0)
		return -1;
	common->wait = !negated;
	common->wait_seconds = (int)seconds;
	return 0;
}

/* A table with the built-in ones unfolded, and which of its options were seen. */
struct opt_table {
	struct opt *item;
	bool *seen;
	size_t nr, alloc;
};

static void opt_table_release(struct opt_table *t)
{
	free(t->item);
	free(t->seen);
}

static void opt_table_add(struct opt_table *t, const struct opt *opt, size_t nr)
{
	ARRAY_GROW(t->item, t->nr + nr, t->alloc);
	memcpy(t->item + t->nr, opt, nr * sizeof(*opt));
	t->nr += nr;
}

static void opt_table_add_common(struct opt_table *t, struct common_options *common)
{
	const struct opt opts[] = {
		OPT_CALLBACK('q', "quiet", common, NULL, on_quiet, "say only what went wrong",
			     .flags = OPT_NEGATABLE),
		OPT_CALLBACK('v', "verbose", common, NULL, on_verbose, "say more; may be repeated",
			     .flags = OPT_NEGATABLE),
		OPT_CALLBACK(0, "json", common, NULL, on_json, "print one JSON object",
			     .flags = OPT_NEGATABLE),
		OPT_CALLBACK(0, "color", common, "when", on_color,
			     "use color: always, never or auto",
			     .flags = OPT_NEGATABLE | OPT_OPTIONAL_ARG),
		OPT_CALLBACK(0, "progress", common, NULL, on_progress, "show a progress meter",
			     .flags = OPT_NEGATABLE),
	};

	opt_table_add(t, opts, ARRAY_SIZE(opts));
}

static void opt_table_add_listing(struct opt_table *t, struct common_options *common)
{
	const struct opt opts[] = {
		OPT_CALLBACK(0, "porcelain", common, NULL, on_porcelain,
			     "print for scripts, in a form that never changes",
			     .flags = OPT_NEGATABLE),
		OPT_CALLBACK('z', NULL, common, NULL, on_nul,
			     "end records with NUL; implies --porcelain"),
	};

	opt_table_add(t, opts, ARRAY_SIZE(opts));
}

static void opt_table_add_changing(struct opt_table *t, struct common_options *common)
{
	const struct opt opts[] = {
		OPT_BOOL('n', "dry-run", &common->dry_run, "show the plan and change nothing"),
		OPT_BOOL('y', "yes", &common->yes, "do not ask"),
		OPT_STRING(0, "confirm", &common->confirm, "environment",
			   "confirm a change of this protected environment"),
		OPT_CALLBACK(0, "wait", common, "seconds", on_wait,
			     "wait for a lock that another process holds",
			     .flags = OPT_NEGATABLE | OPT_OPTIONAL_ARG),
	};

	opt_table_add(t, opts, ARRAY_SIZE(opts));
}

static struct opt_table opt_table_of(const struct opt *opts)
{
	struct opt_table t = { 0 };

	for (; opts->type != OPT_TYPE_END; opts++) {
		if (opts->type == OPT_TYPE_COMMON)
			opt_table_add_common(&t, opts->value);
		else if (opts->type == OPT_TYPE_LISTING)
			opt_table_add_listing(&t, opts->value);
		else if (opts->type == OPT_TYPE_CHANGING)
			opt_table_add_changing(&t, opts->value);
		else
			opt_table_add(&t, opts, 1);
	}
	t.seen = xcalloc(t.nr + 1, sizeof(*t.seen));
	return t;
}

/* What an option is. */

static bool is_option(const struct opt *opt)
{
	return opt->short_name || (opt->long_name && opt->type != OPT_TYPE_SUBCOMMAND);
}

static bool is_negatable(const struct opt *opt)
{
	if (opt->type == OPT_TYPE_BOOL)
		return !(opt->flags & OPT_NONEG);
	return opt->flags & OPT_NEGATABLE;
}

static bool is_negative_name(const char *name)
{
	return !strncmp(name, "no-", 3);
}

/* The name as typed behind "--" is head + tail: "no-" + "x", or, of "no-x", "" + "x". */
static void split_name(const struct opt *opt, bool negated, const char **ret_head,
		       const char **ret_tail)
{
	bool strip = negated && is_negative_name(opt->long_name);

	*ret_head = negated && !strip ? "no-" : "";
	*ret_tail = opt->long_name + (strip ? 3 : 0);
}

char *option_name(const struct opt *opt, bool negated)
{
	const char *head, *tail;

	if (!opt->long_name)
		return xstrfmt("-%c", opt->short_name);
	split_name(opt, negated, &head, &tail);
	return xstrfmt("--%s%s", head, tail);
}

enum takes { TAKES_NOTHING, TAKES_OPTIONAL, TAKES_VALUE };

static enum takes takes(const struct opt *opt, bool negated)
{
	if (negated || !opt->arg)
		return TAKES_NOTHING;
	return opt->optional || (opt->flags & OPT_OPTIONAL_ARG) ? TAKES_OPTIONAL : TAKES_VALUE;
}

/* Storing a value. */

int option_integer(long *ret, const struct opt *opt, const char *arg, long min, long max,
		   struct error *err)
{
	char *name CLEANUP(free_p) = option_name(opt, false);
	bool digits = isdigit((unsigned char)arg[arg[0] == '-']);
	char *end = NULL;
	long number;

	errno = 0;
	number = digits ? strtol(arg, &end, 10) : 0; /* no blanks, no plus sign */
	if (digits && !*end && !errno && number >= min && number <= max) {
		*ret = number;
		return 0;
	}
	if (max < INT_MAX)
		return error_set(err, "option '%s' needs a number from %ld to %ld, not '%s'", name,
				 min, max, arg);
	if (min > INT_MIN)
		return error_set(err, "option '%s' needs a number of %ld or more, not '%s'", name,
				 min, arg);
	return error_set(err, "option '%s' needs a whole number, not '%s'", name, arg);
}

static int store_integer(const struct opt *opt, const char *arg, struct error *err)
{
	bool is_int = opt->type == OPT_TYPE_INT;
	long min = is_int && opt->min < INT_MIN ? INT_MIN : opt->min;
	long max = is_int && opt->max > INT_MAX ? INT_MAX : opt->max;
	long number = 0;

	if (option_integer(&number, opt, arg, min, max, err) < 0)
		return -1;
	if (is_int)
		*(int *)opt->value = (int)number;
	else
		*(long *)opt->value = number;
	return 0;
}

static void store_string(const char **where, const struct opt *opt, const char *arg, bool negated)
{
	*where = negated ? NULL : arg ? arg : opt->fallback;
}

/* The variable may be an enum: a memcpy() is the one way to store into both. */
static void store_number(const struct opt *opt)
{
	memcpy(opt->value, &opt->number, sizeof(opt->number));
}

static int store_mode(const struct opt_table *t, const struct opt *opt, const char *arg,
		      struct error *err)
{
	for (size_t i = 0; i < t->nr; i++) {
		const struct opt *other = &t->item[i];

		if (t->seen[i] && other->type == OPT_TYPE_MODE && other->value == opt->value &&
		    other->number != opt->number) {
			char *one CLEANUP(free_p) = option_name(other, false);
			char *two CLEANUP(free_p) = option_name(opt, false);

			return refuse_pair(err, one, two);
		}
	}
	store_number(opt);
	if (opt->string)
		store_string(opt->string, opt, arg, false);
	if (opt->integer)
		return option_integer(opt->integer, opt, arg ? arg : opt->fallback, opt->min,
				      opt->max, err);
	return 0;
}

static void store_strvec(struct strvec *list, const char *arg, bool negated)
{
	if (negated)
		strvec_release(list);
	else
		strvec_push(list, arg);
}

/* `arg` is NULL when the option has no value; whether it may is settled. */
static int store(struct opt_table *t, size_t index, const char *arg, bool negated,
		 struct error *err)
{
	const struct opt *opt = &t->item[index];
	int ret = 0;

	switch (opt->type) {
	case OPT_TYPE_BOOL: *(bool *)opt->value = !negated; break;
	case OPT_TYPE_STRING: store_string(opt->value, opt, arg, negated); break;
	case OPT_TYPE_INT:
	case OPT_TYPE_LONG: ret = store_integer(opt, arg, err); break;
	case OPT_TYPE_STRVEC: store_strvec(opt->value, arg, negated); break;
	case OPT_TYPE_MODE: ret = store_mode(t, opt, arg, err); break;
	case OPT_TYPE_CALLBACK: ret = opt->callback(opt, arg, negated, err); break;
	case OPT_TYPE_END:
	case OPT_TYPE_GROUP:
	case OPT_TYPE_COMMON:
	case OPT_TYPE_LISTING:
	case OPT_TYPE_CHANGING:
	case OPT_TYPE_SUBCOMMAND:
	case OPT_TYPE_DASHDASH: BUG("an entry of type %d is no option", (int)opt->type);
	}
	t->seen[index] = true;
	return ret;
}

/* Finding an option by its name. */

enum fit { FIT_NONE, FIT_PREFIX, FIT_EXACT };

/* How the first `len` bytes of `typed` fit to head + tail. */
static enum fit name_fits(const char *typed, size_t len, const char *head, const char *tail)
{
	size_t in_head = strlen(head) < len ? strlen(head) : len;
	size_t in_tail = len - in_head;

	if (strncmp(typed, head, in_head) != 0 || strlen(tail) < in_tail ||
	    strncmp(typed + in_head, tail, in_tail) != 0)
		return FIT_NONE;
	return in_head == strlen(head) && in_tail == strlen(tail) ? FIT_EXACT : FIT_PREFIX;
}

struct match {
	size_t index;
	bool negated;
};

/*
 * The hidden are found by their whole name only, and "--n" or "--no" is not short for a
 * lone --no-x: what is switched off should be said.
 */
static enum fit option_fits(const struct opt *opt, bool negated, const char *typed, size_t len)
{
	const char *head, *tail;
	enum fit fit;

	if (!is_option(opt) || !opt->long_name || (negated && !is_negatable(opt)))
		return FIT_NONE;
	split_name(opt, negated, &head, &tail);
	fit = name_fits(typed, len, head, tail);
	if (fit == FIT_PREFIX && ((opt->flags & OPT_HIDDEN) ||
				  (len <= strlen("no-") && is_negative_name(*head ? head : tail))))
		return FIT_NONE;
	return fit;
}

static enum options_result find_long(struct match *ret, const struct opt_table *t,
				     const char *typed, size_t len, struct error *err)
{
	struct strbuf names CLEANUP(strbuf_release) = STRBUF_INIT;
	struct match found = { 0 };
	size_t nr = 0;

	for (size_t i = 0; len && i < 2 * t->nr; i++) {
		const struct match m = { .index = i / 2, .negated = i % 2 };
		enum fit fit = option_fits(&t->item[m.index], m.negated, typed, len);

		if (fit == FIT_EXACT) {
			*ret = m;
			return OPTIONS_PARSED;
		}
		if (fit == FIT_PREFIX) {
			char *name CLEANUP(free_p) = option_name(&t->item[m.index], m.negated);

			strbuf_addf(&names, "%s%s", nr ? ", " : "", name);
			found = m;
			nr++;
		}
	}
	if (nr == 1) {
		*ret = found;
		return OPTIONS_PARSED;
	}
	if (nr > 1) {
		error_set(err, "option '--%.*s' is ambiguous: %s", (int)len, typed, names.buf);
		return OPTIONS_MISUSED;
	}
	/* Without what is behind "=": it may be a password. */
	error_set(err, "unknown option `%.*s'", (int)len, typed);
	return OPTIONS_UNKNOWN;
}

static const struct opt *find_short(const struct opt_table *t, char c)
{
	for (size_t i = 0; i < t->nr; i++)
		if (t->item[i].short_name && t->item[i].short_name == c)
			return &t->item[i];
	return NULL;
}

/* Reading the command line. */

struct parse {
	struct opt_table table;
	const char *const *arg; /* what is left; arg[0] is looked at */
	int nr;
	struct error *err;
};

static const char *next_arg(struct parse *p)
{
	if (p->nr < 2)
		return NULL;
	p->arg++;
	p->nr--;
	return *p->arg;
}

static enum options_result needs_value(struct parse *p, const struct opt *opt)
{
	char *name CLEANUP(free_p) = option_name(opt, false);

	error_set(p->err, "option '%s' needs a value", name);
	return OPTIONS_MISUSED;
}

static enum options_result parse_long(struct parse *p)
{
	const char *typed = *p->arg + 2, *value;
	size_t len = strcspn(typed, "=");
	struct match m;
	enum options_result result = find_long(&m, &p->table, typed, len, p->err);

	if (result == OPTIONS_UNKNOWN && !strcmp(typed, "help")) {
		error_clear(p->err);
		return OPTIONS_HELP;
	}
	if (result == OPTIONS_UNKNOWN && !strcmp(typed, "version")) {
		error_clear(p->err);
		return OPTIONS_VERSION;
	}
	if (result != OPTIONS_PARSED)
		return result;

	const struct opt *opt = &p->table.item[m.index];
	enum takes kind = takes(opt, m.negated);
	value = typed[len] ? typed + len + 1 : NULL;
	if (value && kind == TAKES_NOTHING) {
		char *name CLEANUP(free_p) = option_name(opt, m.negated);

		error_set(p->err, "option '%s' takes no value", name);
		return OPTIONS_MISUSED;
	}
	if (!value && kind == TAKES_VALUE && !(value = next_arg(p)))
		return needs_value(p, opt);
	return store(&p->table, m.index, value, m.negated, p->err) < 0 ? OPTIONS_MISUSED :
									 OPTIONS_PARSED;
}

static enum options_result unknown_short(struct parse *p, const char *at)
{
	const char *typed = *p->arg + 1;
	size_t len = strcspn(typed, "=");
	struct match m;

	if (!isascii((unsigned char)*at) || !isprint((unsigned char)*at))
		error_set(p->err, "unknown option in '%s'", *p->arg);
	else
		error_set(p->err, "unknown switch `%c'", *at);
	if (len > 1) {
		struct error ignored CLEANUP(error_release) = ERROR_INIT;

		if (find_long(&m, &p->table, typed, len, &ignored) == OPTIONS_PARSED)
			error_hint(p->err, "Did you mean '--%.*s', with two dashes?", (int)len,
				   typed);
	}
	return OPTIONS_UNKNOWN;
}

static enum options_result parse_shorts(struct parse *p)
{
	for (const char *at = *p->arg + 1; *at; at++) {
		const struct opt *opt = find_short(&p->table, *at);
		const char *value = NULL;

		if (!opt)
			return *at == 'h' ? OPTIONS_HELP : unknown_short(p, at);
		if (takes(opt, false) == TAKES_VALUE) {
			value = at[1] ? at + 1 : next_arg(p);
			if (!value)
				return needs_value(p, opt);
		}
		if (store(&p->table, (size_t)(opt - p->table.item), value, false, p->err) < 0)
			return OPTIONS_MISUSED;
		if (value)
			break;
	}
	return OPTIONS_PARSED;
}

static bool parse_subcommand(const struct parse *p)
{
	for (size_t i = 0; i < p->table.nr; i++) {
		const struct opt *opt = &p->table.item[i];

		if (opt->type == OPT_TYPE_SUBCOMMAND && !strcmp(opt->long_name, *p->arg)) {
			store_number(opt);
			return true;
		}
	}
	return false;
}

static void note_dashdash(const struct parse *p, int operands)
{
	for (size_t i = 0; i < p->table.nr; i++)
		if (p->table.item[i].type == OPT_TYPE_DASHDASH)
			*(int *)p->table.item[i].value = operands;
}

/* Collects the operands; `*ret_nr` is their number. */
static enum options_result parse_all(struct parse *p, const char **operand, int *ret_nr)
{
	enum options_result result = OPTIONS_PARSED;
	int nr = 0;

	for (; p->nr > 0 && result == OPTIONS_PARSED; p->arg++, p->nr--) {
		const char *arg = *p->arg;

		if (arg[0] != '-' || !arg[1]) {
			if (!nr && parse_subcommand(p))
				break;
			operand[nr++] = arg;
		} else if (arg[1] != '-') {
			result = parse_shorts(p);
		} else if (arg[2]) {
			result = parse_long(p);
		} else {
			note_dashdash(p, nr);
			p->arg++;
			p->nr--;
			break;
		}
	}
	for (; result == OPTIONS_PARSED && p->nr > 0; p->arg++, p->nr--)
		operand[nr++] = *p->arg;
	*ret_nr = nr;
	return result;
}

enum options_result options_parse(int *argc, const char ***argv, const struct opt *opts,
				  struct error *err)
{
	struct parse p = { .nr = *argc > 0 ? *argc - 1 : 0, .err = err };
	const char **operand CLEANUP(free_p) = NULL;
	enum options_result result;
	int nr;

	if (*argc == 2 && !strcmp((*argv)[1], "--git-completion-helper"))
		return OPTIONS_COMPLETION;
	if (*argc > 0)
		p.arg = *argv + 1;
	p.table = opt_table_of(opts);
	operand = xcalloc((size_t)p.nr + 1, sizeof(*operand));
	result = parse_all(&p, operand, &nr);
	if (result == OPTIONS_PARSED && *argc > 0) {
		memcpy(*argv, operand, ((size_t)nr + 1) * sizeof(*operand));
		*argc = nr;
	}
	opt_table_release(&p.table);
	return result;
}

/* Printing the table. */

/* Two options of one name would make one of them unreachable; every -h looks. */
static void check_opt_table(const struct opt_table *t)
{
	for (size_t i = 0; i < t->nr; i++) {
		const struct opt *opt = &t->item[i];

		for (size_t k = 0; is_option(opt) && k < i; k++) {
			const struct opt *other = &t->item[k];

			if (opt->short_name && opt->short_name == other->short_name)
				BUG("two options -%c", opt->short_name);
			if (opt->long_name && is_option(other) && other->long_name &&
			    !strcmp(opt->long_name, other->long_name))
				BUG("two options --%s", opt->long_name);
		}
	}
}

static void add_arg(struct strbuf *out, const struct opt *opt)
{
	/* "<a>[:<b>]" is written as it is, "version" as "<version>". */
	bool literal = opt->arg && strpbrk(opt->arg, "<[(|");
	const char *open = literal ? "" : "<", *close = literal ? "" : ">";

	if (takes(opt, false) == TAKES_OPTIONAL)
		strbuf_addf(out, "%s%s%s%s]", opt->long_name ? "[=" : "[", open, opt->arg, close);
	else if (takes(opt, false) == TAKES_VALUE)
		strbuf_addf(out, " %s%s%s", open, opt->arg, close);
}

static void add_names(struct strbuf *out, const struct opt *opt)
{
	strbuf_addstr(out, "    ");
	if (opt->short_name)
		strbuf_addf(out, "-%c%s", opt->short_name, opt->long_name ? ", " : "");
	if (opt->long_name)
		strbuf_addf(out, "--%s%s",
			    is_negatable(opt) && !is_negative_name(opt->long_name) ? "[no-]" : "",
			    opt->long_name);
	add_arg(out, opt);
}

static size_t columns(const char *s, size_t len)
{
	size_t nr = 0;

	for (size_t i = 0; i < len; i++)
		nr += ((unsigned char)s[i] & 0xc0) != 0x80;
	return nr;
}

/* Adds words from column `at` on, wrapped between HELP_COLUMN and HELP_END. */
static void add_wrapped(struct strbuf *out, size_t at, const char *text)
{
	bool first = true;

	while (*text) {
		size_t len = strcspn(text, " \n"), width = columns(text, len);

		if (!first && at + 1 + width > HELP_END) {
			strbuf_addf(out, "\n%*s", HELP_COLUMN, "");
			at = HELP_COLUMN;
		} else if (!first) {
			strbuf_addch(out, ' ');
			at++;
		}
		strbuf_add(out, text, len);
		at += width;
		first = false;
		text += len;
		text += strspn(text, " \n");
	}
}

static void add_option(struct strbuf *out, const struct opt *opt)
{
	size_t start = out->len, width;

	add_names(out, opt);
	width = columns(out->buf + start, out->len - start);
	if (width + HELP_GAP <= HELP_COLUMN)
		strbuf_addf(out, "%*s", (int)(HELP_COLUMN - width), "");
	else
		strbuf_addf(out, "\n%*s", HELP_COLUMN, "");
	add_wrapped(out, HELP_COLUMN, opt->help);
	strbuf_addch(out, '\n');
}

void options_synopsis(struct strbuf *out, const char *const *usage)
{
	for (size_t i = 0; usage[i]; i++) {
		strbuf_addstr(out, i ? "   or: " : "usage: ");
		for (const char *c = usage[i]; *c; c++) {
			strbuf_addch(out, *c);
			if (*c == '\n')
				strbuf_addstr(out, "       ");
		}
		strbuf_addch(out, '\n');
	}
}

void options_usage(struct strbuf *out, const char *const *usage, const struct opt *opts)
{
	struct opt_table t CLEANUP(opt_table_release) = opt_table_of(opts);
	bool any = false;

	check_opt_table(&t);
	options_synopsis(out, usage);
	for (size_t i = 0; i < t.nr; i++) {
		const struct opt *opt = &t.item[i];

		if (opt->type == OPT_TYPE_GROUP) {
			strbuf_addf(out, "\n%s%s", opt->help, *opt->help ? "\n" : "");
			any = true;
		} else if (is_option(opt) && !(opt->flags & OPT_HIDDEN)) {
			strbuf_addstr(out, any ? "" : "\n");
			add_option(out, opt);
			any = true;
		}
	}
	strbuf_addch(out, '\n');
}

static void add_completions(struct strbuf *out, const struct opt_table *t, bool negated)
{
	for (size_t i = 0; i < t->nr; i++) {
		const struct opt *opt = &t->item[i];

		if (!is_option(opt) || !opt->long_name || (negated && !is_negatable(opt)) ||
		    (opt->flags & (OPT_HIDDEN | OPT_NOCOMPLETE)))
			continue;
		char *name CLEANUP(free_p) = option_name(opt, negated);
		strbuf_addf(out, "%s%s%s", out->len ? " " : "", name,
			    takes(opt, negated) == TAKES_VALUE ? "=" : "");
	}
}

void options_completion(struct strbuf *out, const struct opt *opts)
{
	struct opt_table t CLEANUP(opt_table_release) = opt_table_of(opts);
	struct strbuf negative CLEANUP(strbuf_release) = STRBUF_INIT;

	check_opt_table(&t);
	for (size_t i = 0; i < t.nr; i++)
		if (t.item[i].type == OPT_TYPE_SUBCOMMAND)
			strbuf_addf(out, "%s%s", out->len ? " " : "", t.item[i].long_name);
	add_completions(out, &t, false);
	/* git's __gitcomp offers what is behind "--" only once "--no-" was typed. */
	add_completions(&negative, &t, true);
	if (negative.len)
		strbuf_addf(out, " -- %s", negative.buf);
	strbuf_addch(out, '\n');
}

/* The commands' side. */

NORETURN static void print_and_exit(const struct strbuf *text)
{
	fwrite(text->buf, 1, text->len, stdout);
	exit(finish_output(EXIT_DONE));
}

/* In one line, whatever was typed. */
static void print_message(const struct error *err)
{
	char *message CLEANUP(free_p) = text_escaped(err->message);

	error_line("%s", message);
}

NORETURN static void complain_and_exit(const struct error *err, const struct strbuf *usage)
{
	print_message(err);
	if (err->hint)
		hint("%s", err->hint);
	fwrite(usage->buf, 1, usage->len, stderr);
	exit(EXIT_USAGE);
}

void parse_options(int *argc, const char ***argv, const struct opt *opts, const char *const *usage)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

	switch (options_parse(argc, argv, opts, &err)) {
	case OPTIONS_PARSED: return;
	case OPTIONS_HELP: options_usage(&out, usage, opts); print_and_exit(&out);
	case OPTIONS_VERSION:
		strbuf_addstr(&out, "git-rollback version " ROLLBACK_VERSION "\n");
		print_and_exit(&out);
	case OPTIONS_COMPLETION: options_completion(&out, opts); print_and_exit(&out);
	case OPTIONS_UNKNOWN: options_usage(&out, usage, opts); complain_and_exit(&err, &out);
	case OPTIONS_MISUSED: options_synopsis(&out, usage); complain_and_exit(&err, &out);
	}
	BUG("unknown outcome");
}

void usage_error(const char *const *usage, const char *fmt, ...)
{
	struct error err = ERROR_INIT;
	struct strbuf out = STRBUF_INIT, message = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&message, fmt, ap);
	va_end(ap);
	error_set(&err, "%s", message.buf);
	options_synopsis(&out, usage);
	complain_and_exit(&err, &out);
}
