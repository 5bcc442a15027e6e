/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"

void error_release(struct error *err)
{
	free(err->message);
	free(err->place);
	free(err->excerpt);
	free(err->detail);
	free(err->hint);
	*err = (struct error)ERROR_INIT;
}

void error_clear(struct error *err)
{
	error_release(err);
}

PRINTF(2, 0) static void set_message(struct error *err, const char *fmt, va_list ap)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_vaddf(&sb, fmt, ap);
	if (err->message) /* keep the first reason */
		strbuf_release(&sb);
	else
		err->message = strbuf_detach(&sb);
}

int error_set(struct error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_message(err, fmt, ap);
	va_end(ap);
	return -1;
}

int error_errno(struct error *err, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;
	char *text;

	va_start(ap, fmt);
	set_message(err, fmt, ap);
	va_end(ap);
	err->sys_errno = saved;
	text = xstrfmt("%s: %s", err->message, strerror(saved));
	free(err->message);
	err->message = text;
	return -1;
}

int error_refused(struct error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_message(err, fmt, ap);
	va_end(ap);
	return error_code(err, EXIT_REFUSED);
}

int error_prefix(struct error *err, const char *fmt, ...)
{
	struct strbuf sb = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&sb, fmt, ap);
	va_end(ap);
	if (err->message)
		strbuf_addf(&sb, ": %s", err->message);
	free(err->message);
	err->message = strbuf_detach(&sb);
	return -1;
}

PRINTF(2, 0) static void add_line(char **where, const char *fmt, va_list ap)
{
	struct strbuf sb = STRBUF_INIT;

	if (*where)
		strbuf_addf(&sb, "%s\n", *where);
	strbuf_vaddf(&sb, fmt, ap);
	free(*where);
	*where = strbuf_detach(&sb);
}

int error_hint(struct error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(&err->hint, fmt, ap);
	va_end(ap);
	return -1;
}

int error_detail(struct error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(&err->detail, fmt, ap);
	va_end(ap);
	return -1;
}

int error_code(struct error *err, enum exit_code code)
{
	err->exit_code = (int)code;
	return -1;
}

int error_interrupted(struct error *err)
{
	error_set(err, "interrupted");
	return error_code(err, EXIT_INTERRUPTED);
}

int error_at(struct error *err, const char *path, const char *text, size_t len, size_t offset)
{
	struct text_place place = text_place(text, len, offset);
	struct strbuf sb = STRBUF_INIT;

	free(err->place);
	err->place = xstrfmt("%s:%zu:%zu", path, place.line, place.column);

	/* A long line is shown from shortly before the place. */
	size_t from = place.line_start, shown = place.line_len;
	if (offset - from > 120) {
		from = offset - 60;
		while (from < offset && ((unsigned char)text[from] & 0xc0) == 0x80)
			from++;
		shown -= from - place.line_start;
	}
	if (shown > 160)
		shown = 160;
	strbuf_add(&sb, text + from, shown);
	strbuf_addch(&sb, '\n');
	for (size_t i = from; i < offset && i < from + shown; i++) {
		if (text[i] == '\t')
			strbuf_addch(&sb, '\t');
		else if (((unsigned char)text[i] & 0xc0) != 0x80)
			strbuf_addch(&sb, ' ');
	}
	strbuf_addch(&sb, '^');
	free(err->excerpt);
	err->excerpt = strbuf_detach(&sb);
	return -1;
}

void error_move(struct error *to, struct error *from)
{
	if (error_is_set(to))
		BUG("an error would hide another one");
	*to = *from;
	*from = (struct error)ERROR_INIT;
}

/* Prints each line of `text` behind `prefix`, with control characters made visible. */
static void print_lines(const char *prefix, const char *text)
{
	while (text && *text) {
		size_t len = strcspn(text, "\n");
		struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;

		text_escape(&sb, text, len, true);
		fprintf(stderr, "%s%s\n", prefix, sb.buf);
		text += len + (text[len] == '\n');
	}
}

int error_exit(const struct error *err)
{
	int code = err->exit_code ? err->exit_code : EXIT_FAILED;
	struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;

	fflush(stdout);
	text_escape(&sb, err->message ? err->message : "unknown error",
		    strlen(err->message ? err->message : "unknown error"), true);
	fprintf(stderr, "%s: ", code == EXIT_FAILED ? "fatal" : "error");
	if (err->place) {
		struct strbuf place CLEANUP(strbuf_release) = STRBUF_INIT;

		text_escape(&place, err->place, strlen(err->place), true);
		fprintf(stderr, "%s: ", place.buf);
	}
	fputs(sb.buf, stderr);
	if (err->sqlstate[0])
		fprintf(stderr, " (SQLSTATE %s)", err->sqlstate);
	fputc('\n', stderr);
	print_lines("    ", err->excerpt);
	print_lines("  ", err->detail);
	print_lines("hint: ", err->hint);
	return code;
}
