/* SPDX-License-Identifier: MIT */
/*
 * lexer: the little of SQL's lexical rules that is needed beside the parser.
 *
 * The parser splits scripts; this finds the first words of a statement it has split
 * off, and explains where a script that does not parse went wrong. White space,
 * comments and identifiers end exactly where PostgreSQL's scan.l ends them.
 */
#ifndef SQL_LEXER_H
#define SQL_LEXER_H

#include "base/compat.h"

/* The first byte at or behind `pos` that is neither white space nor comment. */
size_t sql_skip_blank(const char *text, size_t len, size_t pos);

/* The same for one comment in C's style that starts at `pos`; they nest. */
size_t sql_skip_block(const char *text, size_t len, size_t pos);

/*
 * Up to `max` words (keywords or plain identifiers) that the text at `pos` starts with,
 * lower case, with one space between them; stops at the first thing that is no word.
 * `buf` is always terminated; what does not fit is left out word by word.
 */
void sql_first_words(char *buf, size_t size, const char *text, size_t len, size_t pos,
		     unsigned max);

/* Whether `words` starts with the words of `prefix`. */
bool sql_words_start(const char *words, const char *prefix);

/* Whether the bytes of `word` (lower case ASCII) occur in the text, in any case. */
bool sql_mentions(const char *text, size_t len, const char *word);

/*
 * One token, in `kind`: 'a' a word; '"' a quoted name; '\'' a string, 'e' one with escapes;
 * '$' a dollar-quoted string or a lone dollar; '0' digits; else the byte itself. Strings
 * end where the server ends them, with one exception: it reads a string that goes on, with
 * nothing but a line break between, behind E'' as E'' too; this does not.
 */
struct sql_token {
	char kind;
	size_t start, end;
};

/* The next token at or behind `*pos`, which is moved behind it; false at the end. */
bool sql_next_token(struct sql_token *ret, const char *text, size_t len, size_t *pos);

/*
 * The next semicolon at or behind `pos` outside strings, quoted names and comments, or
 * `len`. It knows no grammar (BEGIN ATOMIC, rules): good for explanations only.
 */
size_t sql_next_semicolon(const char *text, size_t len, size_t pos);

#endif
