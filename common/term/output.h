/* SPDX-License-Identifier: MIT */
/*
 * output: results go to stdout, talk goes to stderr, and both arrive.
 *
 * Text: the functions that print talk escape what they print (text_escape), so names
 *       from a repository or a database may be passed as they are. Each line of the text
 *       gets the prefix. What goes to stdout the caller escapes.
 * Order: talk flushes stdout first, so that a terminal shows both in the order written.
 */
#ifndef TERM_OUTPUT_H
#define TERM_OUTPUT_H

#include "base/compat.h"

/* "error: ", "warning: ", "hint: ", and no prefix; to stderr, a line end is added. */
PRINTF(1, 2) void error_line(const char *fmt, ...);
PRINTF(1, 2) void warning(const char *fmt, ...);
PRINTF(1, 2) void hint(const char *fmt, ...);
PRINTF(1, 2) void note(const char *fmt, ...);
/*
 * As hint(), and adds how to silence it: `git config advice.<name> false`. Whether it has
 * been, the caller has asked; nothing in term/ reads settings.
 */
PRINTF(2, 3) void advise(const char *name, const char *fmt, ...);

/*
 * A field of --porcelain to stdout, and `end` behind it: escaped, unless `raw`, when NULs end
 * the records. NULL is empty.
 */
void output_field(const char *text, bool raw, char end);

/*
 * Flushes stdout and makes sure that all of it was written: returns `code` then, and
 * otherwise says so and returns EXIT_FAILED. A reader that left early is no failure: the
 * process then ends as by SIGPIPE. May be called more than once.
 */
int finish_output(int code) MUST_CHECK;

/*
 * Whether to write colours to stdout. `option` is common_options.color; `config` is
 * color.<command>, else color.ui, else NULL. These two can insist ("always", "never");
 * otherwise it depends on NO_COLOR, TERM, and on stdout being a terminal or git's pager.
 */
bool color_wanted(int option, const char *config);
/* The decision itself; NULL is an unset variable. */
struct color_situation {
	int option;
	const char *config, *no_color, *term;
	bool tty, pager;
};
bool color_decide(const struct color_situation *s);

enum color {
	COLOR_NONE,
	COLOR_RESET,
	COLOR_BOLD,
	COLOR_DIM,
	COLOR_RED,
	COLOR_GREEN,
	COLOR_YELLOW,
	COLOR_BLUE,
	COLOR_MAGENTA,
	COLOR_CYAN
};
/* The terminal's sequence; "" when `on` is false, so that callers need no `if`. */
const char *color_code(bool on, enum color color);

/* Whether the locale's character set is UTF-8. */
bool output_utf8(void);
enum mark { MARK_DONE, MARK_OPEN, MARK_FAILED, MARK_WARNING };
/* A sign of two columns, or, without UTF-8, "[x]", "[ ]" and so on. */
const char *mark_text(enum mark mark, bool utf8);

#endif
