/* SPDX-License-Identifier: MIT */
/*
 * strbuf: a growing string.
 *
 * Use:   struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT; then strbuf_add...().
 *        sb.buf is always a NUL-terminated string, sb.len its length in bytes (the
 *        content may hold NULs of its own).
 * Owner: the struct; strbuf_detach() gives the memory away (free() it).
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include "base/compat.h"

struct strbuf {
	char *buf;
	size_t len, alloc;
};

extern char strbuf_empty[];
#define STRBUF_INIT                 \
	{                           \
		.buf = strbuf_empty \
	}

void strbuf_release(struct strbuf *sb);
/* Empties it and keeps the memory. */
void strbuf_reset(struct strbuf *sb);
/* Makes room for `extra` more bytes and the NUL. */
void strbuf_grow(struct strbuf *sb, size_t extra);
void strbuf_setlen(struct strbuf *sb, size_t len);
char *strbuf_detach(struct strbuf *sb) MUST_CHECK;

void strbuf_add(struct strbuf *sb, const void *data, size_t len);
void strbuf_addstr(struct strbuf *sb, const char *s);
void strbuf_addch(struct strbuf *sb, char c);
PRINTF(2, 3) void strbuf_addf(struct strbuf *sb, const char *fmt, ...);
PRINTF(2, 0) void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap);
/* Takes blanks and line ends off the end. */
void strbuf_rtrim(struct strbuf *sb);

#endif
