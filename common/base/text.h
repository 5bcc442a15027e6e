/* SPDX-License-Identifier: MIT */
/*
 * text: UTF-8, places in a text, and making foreign bytes safe to show.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/compat.h"
#include "base/strbuf.h"

struct text_place {
	size_t line, column;	     /* both from 1; the column counts characters */
	size_t line_start, line_len; /* the line's bytes, without its CR and LF */
};

/* Where byte `offset` of the text is; an offset beyond the end is the end. */
struct text_place text_place(const char *text, size_t len, size_t offset);

/* The byte offset of character `chars` (from 0) of a UTF-8 text; `len` when it has fewer. */
size_t text_byte_offset(const char *text, size_t len, size_t chars);

/*
 * The offset of the first byte that is not valid UTF-8 (RFC 3629: no surrogates, no
 * overlong forms, nothing above U+10FFFF), or of the first NUL; `len` when all is well.
 */
size_t text_utf8_check(const char *text, size_t len);

/*
 * Appends the text with control characters (C0, DEL, C1, and the Unicode controls for
 * the direction of writing) and invalid UTF-8 shown as \xNN, so that nothing from a
 * repository or a database can drive a terminal. A tab stays when `keep_tabs`.
 */
void text_escape(struct strbuf *out, const char *text, size_t len, bool keep_tabs);

/* As text_escape() for each line of a text, whose line ends stay; tabs stay too. */
void text_escape_lines(struct strbuf *out, const char *text);

/* A whole string as text_escape() shows it; free() it. */
char *text_escaped(const char *s) MUST_CHECK;

/* Is it in the list of `nr` strings? */
bool text_is_one_of(const char *s, const char *const *list, size_t nr);

/* Appends it as one word of a shell: in single quotes, where it needs them. */
void text_shell_word(struct strbuf *out, const char *s);

#endif
