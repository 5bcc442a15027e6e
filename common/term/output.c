/* SPDX-License-Identifier: MIT */
#include "term/output.h"

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"

#include <langinfo.h>
#include <signal.h>
#include <strings.h>
#include <unistd.h>

/* Why a write to stdout failed, when it did so before finish_output() asked. */
static int early_failure;

static void flush_results(void)
{
	errno = 0;
	if (fflush(stdout) == EOF && !early_failure)
		early_failure = errno;
}

/* One write for all lines, so that those of parallel processes do not mix. */
static void print_lines(const char *prefix, const char *text)
{
	struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

	do {
		size_t len = strcspn(text, "\n");

		/* An empty line has no blank behind its prefix. */
		strbuf_add(&out, prefix, strlen(prefix) - (!len && *prefix));
		text_escape(&out, text, len, true);
		strbuf_addch(&out, '\n');
		text += len + (text[len] == '\n');
	} while (*text);
	flush_results();
	fwrite(out.buf, 1, out.len, stderr);
}

PRINTF(2, 0) static void vprint(const char *prefix, const char *fmt, va_list ap)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_vaddf(&text, fmt, ap);
	print_lines(prefix, text.buf);
}

void error_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint("error: ", fmt, ap);
	va_end(ap);
}

void warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint("warning: ", fmt, ap);
	va_end(ap);
}

void hint(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint("hint: ", fmt, ap);
	va_end(ap);
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint("", fmt, ap);
	va_end(ap);
}

void advise(const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint("hint: ", fmt, ap);
	va_end(ap);
	hint("Silence this with 'git config advice.%s false'.", name);
}

void output_field(const char *text, bool raw, char end)
{
	char *escaped CLEANUP(free_p) = raw || !text ? NULL : text_escaped(text);

	if (text)
		fputs(raw ? text : escaped, stdout);
	putchar(end);
}

int finish_output(int code)
{
	static int failure; /* said once, however often we are asked */
	int reason = 0;

	if (failure)
		return failure;
	errno = 0;
	if (fflush(stdout) == EOF || ferror(stdout)) {
		reason = errno ? errno : early_failure ? early_failure : EIO;
	} else {
		/* Network file systems report a full disk only when a descriptor is closed. */
		int fd = dup(STDOUT_FILENO);

		if (fd >= 0 && close(fd) < 0 && errno != EINTR)
			reason = errno;
	}
	if (!reason)
		return code;
	if (reason == EPIPE) {
		raise(SIGPIPE);
		return failure = 128 + SIGPIPE; /* only if someone ignores the signal */
	}
	fprintf(stderr, "fatal: cannot write to standard output: %s\n", strerror(reason));
	return failure = EXIT_FAILED;
}

/* git's values of color.ui: 1 always, 0 never, -1 as the terminal allows. */
static int color_setting(const char *config)
{
	if (!config)
		return -1;
	if (!strcasecmp(config, "always"))
		return 1;
	if (!strcasecmp(config, "never") || !strcasecmp(config, "false") ||
	    !strcasecmp(config, "no") || !strcasecmp(config, "off") || !strcmp(config, "0"))
		return 0;
	return -1; /* "auto", and "true", which git reads as "auto" */
}

bool color_decide(const struct color_situation *s)
{
	int setting = s->option >= 0 ? s->option : color_setting(s->config);

	if (setting >= 0)
		return setting;
	if (s->no_color && *s->no_color)
		return false;
	if (!s->term || !strcmp(s->term, "dumb"))
		return false;
	return s->tty || s->pager;
}

/* git sets it to "true" for what it starts behind a pager. */
static bool env_is_true(const char *name)
{
	const char *value = getenv(name);

	return value && (!strcasecmp(value, "true") || !strcasecmp(value, "yes") ||
			 !strcasecmp(value, "on") || !strcmp(value, "1"));
}

bool color_wanted(int option, const char *config)
{
	const struct color_situation s = {
		.option = option,
		.config = config,
		.no_color = getenv("NO_COLOR"),
		.term = getenv("TERM"),
		.tty = isatty(STDOUT_FILENO),
		.pager = env_is_true("GIT_PAGER_IN_USE"),
	};

	return color_decide(&s);
}

const char *color_code(bool on, enum color color)
{
	static const char *const code[] = {
		[COLOR_NONE] = "",
		[COLOR_RESET] = "\033[m",
		[COLOR_BOLD] = "\033[1m",
		[COLOR_DIM] = "\033[2m",
		[COLOR_RED] = "\033[31m",
		[COLOR_GREEN] = "\033[32m",
		[COLOR_YELLOW] = "\033[33m",
		[COLOR_BLUE] = "\033[34m",
		[COLOR_MAGENTA] = "\033[35m",
		[COLOR_CYAN] = "\033[36m",
	};

	return on ? code[color] : "";
}

bool output_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

const char *mark_text(enum mark mark, bool utf8)
{
	static const char *const sign[][2] = {
		[MARK_DONE] = { "[x]", "\xe2\x9c\x85" },    /* U+2705 */
		[MARK_OPEN] = { "[ ]", "\xe2\xac\x9c" },    /* U+2B1C */
		[MARK_FAILED] = { "[!]", "\xe2\x9d\x8c" },  /* U+274C */
		[MARK_WARNING] = { "[?]", "\xe2\x9d\x97" }, /* U+2757 */
	};

	return sign[mark][utf8];
}
