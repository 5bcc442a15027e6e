/* SPDX-License-Identifier: MIT */
#include "sql/lexer.h"

static bool is_blank(char c)
{
	/* scan.l: [ \t\n\r\f], and \v since PostgreSQL 16 */
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (unsigned char)c >= 0x80;
}

static bool is_word(char c)
{
	return is_word_start(c) || (c >= '0' && c <= '9') || c == '$';
}

static char to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool at(const char *text, size_t len, size_t pos, const char *two)
{
	return len - pos >= 2 && text[pos] == two[0] && text[pos + 1] == two[1];
}

static size_t skip_line_comment(const char *text, size_t len, size_t pos)
{
	/* A lone CR ends it, too. */
	while (pos < len && text[pos] != '\n' && text[pos] != '\r')
		pos++;
	return pos;
}

size_t sql_skip_block(const char *text, size_t len, size_t pos)
{
	size_t depth = 0;

	while (pos < len) {
		if (at(text, len, pos, "/*")) {
			depth++;
			pos += 2;
		} else if (at(text, len, pos, "*/")) {
			pos += 2;
			if (!--depth)
				break;
		} else {
			pos++;
		}
	}
	return pos;
}

size_t sql_skip_blank(const char *text, size_t len, size_t pos)
{
	while (pos < len) {
		if (is_blank(text[pos]))
			pos++;
		else if (at(text, len, pos, "--"))
			pos = skip_line_comment(text, len, pos);
		else if (at(text, len, pos, "/*"))
			pos = sql_skip_block(text, len, pos);
		else
			break;
	}
	return pos;
}

void sql_first_words(char *buf, size_t size, const char *text, size_t len, size_t pos, unsigned max)
{
	size_t nr = 0;

	buf[0] = '\0';
	while (max--) {
		size_t end, space = nr ? 1 : 0;

		pos = sql_skip_blank(text, len, pos);
		end = pos;
		if (pos == len || !is_word_start(text[pos]))
			return;
		while (end < len && is_word(text[end]))
			end++;
		if (nr + space + (end - pos) >= size)
			return;
		if (space)
			buf[nr++] = ' ';
		while (pos < end)
			buf[nr++] = to_lower(text[pos++]);
		buf[nr] = '\0';
	}
}

bool sql_words_start(const char *words, const char *prefix)
{
	size_t len = strlen(prefix);

	return !strncmp(words, prefix, len) && (!words[len] || words[len] == ' ');
}

bool sql_mentions(const char *text, size_t len, const char *word)
{
	size_t need = strlen(word);

	for (size_t i = 0; i + need <= len; i++) {
		size_t k = 0;

		while (k < need && to_lower(text[i + k]) == word[k])
			k++;
		if (k == need)
			return true;
	}
	return false;
}

/* Behind the quoted thing that starts at `pos`; `escapes` when backslash quotes. */
static size_t skip_quoted(const char *text, size_t len, size_t pos, bool escapes)
{
	char quote = text[pos++];

	while (pos < len) {
		if (escapes && text[pos] == '\\')
			pos++;
		else if (text[pos] == quote && !(pos + 1 < len && text[pos + 1] == quote))
			return pos + 1;
		else if (text[pos] == quote)
			pos++;
		pos++;
	}
	return len;
}

/* Behind the dollar-quoted string that starts at `pos`, or `pos` if none does. */
static size_t skip_dollar(const char *text, size_t len, size_t pos)
{
	size_t tag = pos + 1, n;

	if (tag < len && is_word_start(text[tag]))
		while (tag < len && is_word(text[tag]) && text[tag] != '$')
			tag++;
	if (tag >= len || text[tag] != '$')
		return pos;
	n = tag + 1 - pos;
	for (size_t i = tag + 1; i + n <= len; i++)
		if (text[i] == '$' && !memcmp(text + i, text + pos, n))
			return i + n;
	return len;
}

bool sql_next_token(struct sql_token *ret, const char *text, size_t len, size_t *pos)
{
	size_t start = sql_skip_blank(text, len, *pos), end = start + 1;
	char kind;

	if (start >= len)
		return false;
	kind = text[start];
	if (kind == '\'' || kind == '"') {
		end = skip_quoted(text, len, start, false);
	} else if (kind == '$') {
		size_t stop = skip_dollar(text, len, start);

		if (stop > start)
			end = stop;
	} else if (kind >= '0' && kind <= '9') {
		kind = '0';
		while (end < len && text[end] >= '0' && text[end] <= '9')
			end++;
	} else if (is_word_start(kind)) {
		kind = 'a';
		while (end < len && is_word(text[end]))
			end++;
		if (end - start == 1 && to_lower(text[start]) == 'e' && end < len &&
		    text[end] == '\'') {
			kind = 'e';
			end = skip_quoted(text, len, end, true);
		}
	}
	*ret = (struct sql_token){ .kind = kind, .start = start, .end = end };
	*pos = end;
	return true;
}

size_t sql_next_semicolon(const char *text, size_t len, size_t pos)
{
	struct sql_token t;

	while (sql_next_token(&t, text, len, &pos))
		if (t.kind == ';')
			return t.start;
	return len;
}
