/* SPDX-License-Identifier: MIT */
/*
 * options: the command line of a command, as one table.
 *
 * The same table is parsed, printed by -h, and listed for completion.
 *
 * Use:    static const char *const demo_usage[] = { "git demo [<options>] <name>...", NULL };
 *
 *         struct common_options common = COMMON_OPTIONS_INIT;
 *         const char *to = NULL;
 *         const struct opt opts[] = {
 *                 OPT_STRING(0, "to", &to, "version", "go back to <version>"),
 *                 OPT_CHANGING(&common),
 *                 OPT_COMMON(&common),
 *                 OPT_END
 *         };
 *         parse_options(&argc, &argv, opts, demo_usage);
 *
 *         The operands are then argv[0] to argv[argc - 1]; argv[argc] is NULL. The
 *         program's name is gone. Misuse has ended the process with code 129, and -h,
 *         --help, --version and --git-completion-helper with code 0.
 * Rules:  git's. Names may be shortened while they stay unique, and exact names win.
 *         Values are `--x=v` or `--x v`, `-xv` or `-x v`; an optional value only `--x=v`.
 *         Short options without a value may be bundled (-nv). Options and operands mix,
 *         `--` ends the options, `-` is an operand, and the last one wins. Booleans
 *         have --no-x; what is named "no-x" in the table has --x for the opposite.
 * Flags:  every macro takes further initialisers at its end:
 *         OPT_BOOL(0, "trace", &trace, "say more", .flags = OPT_HIDDEN).
 * Owner:  strings point into argv; a strvec's strings are its own.
 * Text:   help starts in lower case, has no full stop, and names the value as <arg>.
 *         A line of usage may hold "\n"; what follows is set under what precedes.
 */
#ifndef TERM_OPTIONS_H
#define TERM_OPTIONS_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"

/* What all commands share, or all listings, or all that change something. */
struct common_options {
	bool quiet;	     /* -q; the later of -q and -v counts */
	int verbose;	     /* how many -v */
	bool json;	     /* --json; excludes porcelain and nul */
	bool porcelain, nul; /* --porcelain and -z, which implies it */
	bool dry_run;	     /* -n */
	bool yes;	     /* -y */
	const char *confirm; /* --confirm=<environment>, or NULL */
	bool wait;	     /* --wait: for a lock that another process holds */
	int wait_seconds;    /* how long; -1 is for ever. Only counts when `wait` */
	int color, progress; /* 1 yes, 0 no, -1 as the terminal allows */
};
#define COMMON_OPTIONS_INIT                                     \
	{                                                       \
		.wait_seconds = -1, .color = -1, .progress = -1 \
	}

enum opt_type {
	OPT_TYPE_END,
	OPT_TYPE_GROUP,
	OPT_TYPE_COMMON,
	OPT_TYPE_LISTING,
	OPT_TYPE_CHANGING,
	OPT_TYPE_SUBCOMMAND,
	OPT_TYPE_DASHDASH,
	OPT_TYPE_BOOL,
	OPT_TYPE_STRING,
	OPT_TYPE_INT,
	OPT_TYPE_LONG,
	OPT_TYPE_STRVEC,
	OPT_TYPE_MODE,
	OPT_TYPE_CALLBACK
};

enum opt_flags {
	OPT_HIDDEN = 1 << 0,	   /* not in -h, not completed, found by its whole name only */
	OPT_NEGATABLE = 1 << 1,	   /* --no-x: a string is NULL, a strvec empty, a callback told */
	OPT_NONEG = 1 << 2,	   /* a boolean without --no-x */
	OPT_OPTIONAL_ARG = 1 << 3, /* a callback's value may be left out */
	OPT_NOCOMPLETE = 1 << 4	   /* in -h, but not completed */
};

/* Filled by the macros below. */
struct opt {
	enum opt_type type;
	unsigned flags;	       /* enum opt_flags */
	const char *long_name; /* or NULL */
	const char *arg;       /* name of the value; NULL when there is none */
	const char *help;
	void *value;	      /* what is set */
	const char **string;  /* a mode's own value, or NULL */
	long *integer;	      /* the same, where it is a number */
	const char *fallback; /* when an optional value was left out */
	long min, max;	      /* of an integer, a mode's too */
	int number;	      /* a mode's, a subcommand's */
	char short_name;      /* or 0 */
	bool optional;	      /* as OPT_OPTIONAL_ARG, and leaves `flags` to the caller */
	/*
	 * Returns 0, or -1 with `err` set. `arg` is NULL when there is none. The option's
	 * name for the message: option_name(opt, negated).
	 */
	int (*callback)(const struct opt *opt, const char *arg, bool negated, struct error *err);
};

/* Makes the compiler complain of a pointer to another type. */
#define OPT_POINTER_(type, var) (true ? (var) : (type)NULL)
/* Any other type stops the compiler. */
#define OPT_INTEGER_TYPE_(var) _Generic((var), int * : OPT_TYPE_INT, long * : OPT_TYPE_LONG)
/* Stops the compiler at a variable that is not as large as an int, such as an enum is. */
#define OPT_AS_INT_(var, n) \
	((int)(n) + 0 * (int)sizeof(char[sizeof(*(var)) == sizeof(int) ? 1 : -1]))

/* (char or 0, "long" or NULL, bool *, "help"): true, and false for --no-x. */
#define OPT_BOOL(s, l, var, ...)                                            \
	{                                                                   \
		.type = OPT_TYPE_BOOL, .short_name = (s), .long_name = (l), \
		.value = OPT_POINTER_(bool *, var), .help = __VA_ARGS__     \
	}
/* (s, l, const char **, "arg", "help"): needs a value. */
#define OPT_STRING(s, l, var, a, ...)                                                     \
	{                                                                                 \
		.type = OPT_TYPE_STRING, .short_name = (s), .long_name = (l), .arg = (a), \
		.value = OPT_POINTER_(const char **, var), .help = __VA_ARGS__            \
	}
/* (s, l, const char **, "arg", fallback, "help"): --x[=<arg>]; plain --x sets `fallback`. */
#define OPT_OPTIONAL(s, l, var, a, f, ...)                                                    \
	{                                                                                     \
		.type = OPT_TYPE_STRING, .short_name = (s), .long_name = (l), .arg = (a),     \
		.value = OPT_POINTER_(const char **, var), .fallback = (f), .optional = true, \
		.help = __VA_ARGS__                                                           \
	}
/* (s, l, int * or long *, min, max, "arg", "help"): a decimal number within the range. */
#define OPT_INTEGER(s, l, var, least, most, a, ...)                                              \
	{                                                                                        \
		.type = OPT_INTEGER_TYPE_(var), .short_name = (s), .long_name = (l), .arg = (a), \
		.value = (var), .min = (least), .max = (most), .help = __VA_ARGS__               \
	}
/* (s, l, struct strvec *, "arg", "help"): may be repeated; all values are kept, in order. */
#define OPT_STRVEC(s, l, var, a, ...)                                                     \
	{                                                                                 \
		.type = OPT_TYPE_STRVEC, .short_name = (s), .long_name = (l), .arg = (a), \
		.value = OPT_POINTER_(struct strvec *, var), .help = __VA_ARGS__          \
	}
/*
 * (s, l, int * or enum *, value, "help"): modes that exclude one another name the same
 * variable. Two that give it different values: "options '--to' and '--all' cannot be
 * combined". The variants take a value, or may take one, into a const char **.
 */
#define OPT_MODE(s, l, var, n, ...)                                                         \
	{                                                                                   \
		.type = OPT_TYPE_MODE, .short_name = (s), .long_name = (l), .value = (var), \
		.number = OPT_AS_INT_(var, n), .help = __VA_ARGS__                          \
	}
#define OPT_MODE_ARG(s, l, var, n, str, a, ...)                                                 \
	{                                                                                       \
		.type = OPT_TYPE_MODE, .short_name = (s), .long_name = (l), .value = (var),     \
		.number = OPT_AS_INT_(var, n), .string = (str), .arg = (a), .help = __VA_ARGS__ \
	}
#define OPT_MODE_OPTIONAL(s, l, var, n, str, a, f, ...)                                      \
	{                                                                                    \
		.type = OPT_TYPE_MODE, .short_name = (s), .long_name = (l), .value = (var),  \
		.number = OPT_AS_INT_(var, n), .string = (str), .arg = (a), .fallback = (f), \
		.optional = true, .help = __VA_ARGS__                                        \
	}
/*
 * (s, l, int * or enum *, value, long *, min, max, "arg", "help"): a mode with a decimal
 * number within the range; --x[=<arg>] with a fallback, which is text: "1".
 */
#define OPT_MODE_INTEGER(s, l, var, n, num, least, most, a, ...)                                \
	{                                                                                       \
		.type = OPT_TYPE_MODE, .short_name = (s), .long_name = (l), .value = (var),     \
		.number = OPT_AS_INT_(var, n), .integer = (num), .min = (least), .max = (most), \
		.arg = (a), .help = __VA_ARGS__                                                 \
	}
#define OPT_MODE_INTEGER_OPTIONAL(s, l, var, n, num, least, most, a, f, ...)                    \
	{                                                                                       \
		.type = OPT_TYPE_MODE, .short_name = (s), .long_name = (l), .value = (var),     \
		.number = OPT_AS_INT_(var, n), .integer = (num), .min = (least), .max = (most), \
		.arg = (a), .fallback = (f), .optional = true, .help = __VA_ARGS__              \
	}
/* (s, l, any pointer, "arg" or NULL, function, "help") */
#define OPT_CALLBACK(s, l, var, a, fn, ...)                                                     \
	{                                                                                       \
		.type = OPT_TYPE_CALLBACK, .short_name = (s), .long_name = (l), .value = (var), \
		.arg = (a), .callback = (fn), .help = __VA_ARGS__                               \
	}
/* A heading in -h for the options that follow; "" is a blank line. */
#define OPT_GROUP(heading)                                \
	{                                                 \
		.type = OPT_TYPE_GROUP, .help = (heading) \
	}
/*
 * ("name", int * or enum *, value): when the first operand is this word, the variable is
 * set, and parsing stops there: argv[0] is the word, and the command may give argc and
 * argv to parse_options() again with the subcommand's own table. Any other first operand
 * is an ordinary one.
 */
#define OPT_SUBCOMMAND(name, var, n)                                              \
	{                                                                         \
		.type = OPT_TYPE_SUBCOMMAND, .long_name = (name), .value = (var), \
		.number = OPT_AS_INT_(var, n)                                     \
	}
/* (int *): how many operands stood before `--`; untouched (say, -1) without a `--`. */
#define OPT_DASHDASH(var)                                                    \
	{                                                                    \
		.type = OPT_TYPE_DASHDASH, .value = OPT_POINTER_(int *, var) \
	}

/* -q -v --json --color --progress: every command. */
#define OPT_COMMON(common)                                                                      \
	{                                                                                       \
		.type = OPT_TYPE_COMMON, .value = OPT_POINTER_(struct common_options *, common) \
	}
/* --porcelain -z: listings. */
#define OPT_LISTING(common)                                                                      \
	{                                                                                        \
		.type = OPT_TYPE_LISTING, .value = OPT_POINTER_(struct common_options *, common) \
	}
/* -n -y --confirm --wait: commands that change something. */
#define OPT_CHANGING(common)                                                                      \
	{                                                                                         \
		.type = OPT_TYPE_CHANGING, .value = OPT_POINTER_(struct common_options *, common) \
	}
#define OPT_END                      \
	{                            \
		.type = OPT_TYPE_END \
	}

/* Parses; ends the process as said above when there is nothing left for the command to do. */
void parse_options(int *argc, const char ***argv, const struct opt *opts, const char *const *usage);

/* "error: <text>" and the lines of usage to stderr, exit code 129. */
NORETURN PRINTF(2, 3) void usage_error(const char *const *usage, const char *fmt, ...);

/*
 * What parse_options() is made of, without printing or exiting. After any result but
 * OPTIONS_PARSED argc and argv are as they were, though options before the place may
 * have been stored.
 */
enum options_result {
	OPTIONS_PARSED,
	OPTIONS_HELP,	    /* -h, --help */
	OPTIONS_VERSION,    /* --version */
	OPTIONS_COMPLETION, /* --git-completion-helper */
	OPTIONS_UNKNOWN,    /* no such option: `err` says which */
	OPTIONS_MISUSED	    /* an option that cannot be used so: `err` says why */
};
enum options_result options_parse(int *argc, const char ***argv, const struct opt *opts,
				  struct error *err) MUST_CHECK;
/* The lines of usage alone; with a blank line and the options. */
void options_synopsis(struct strbuf *out, const char *const *usage);
void options_usage(struct strbuf *out, const char *const *usage, const struct opt *opts);
/* The long options on one line, as git's own completion wants them. */
void options_completion(struct strbuf *out, const struct opt *opts);

/* "--x", "--no-x" or "-x", for messages; free() it. */
char *option_name(const struct opt *opt, bool negated) MUST_CHECK;
/* A decimal number from min to max; the error names the option. */
int option_integer(long *ret, const struct opt *opt, const char *arg, long min, long max,
		   struct error *err) MUST_CHECK;

#endif
