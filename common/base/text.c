/* SPDX-License-Identifier: MIT */
#include "base/text.h"

/*
 * Length in bytes of the well-formed UTF-8 sequence at `s`, 0 if there is none.
 * Table 3-7 of the Unicode standard; `*ret_char` gets the character.
 */
static size_t utf8_sequence(const unsigned char *s, size_t len, uint32_t *ret_char)
{
	size_t need;
	uint32_t c;

	if (s[0] < 0x80) {
		*ret_char = s[0];
		return 1;
	}
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		need = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		need = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		need = 4;
	else
		return 0;
	if (len < need)
		return 0;
	c = s[0] & (0xffU >> (need + 1));
	for (size_t i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if ((need == 3 && c < 0x800) || (need == 4 && c < 0x10000) || c > 0x10ffff ||
	    (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_char = c;
	return need;
}

struct text_place text_place(const char *text, size_t len, size_t offset)
{
	struct text_place ret = { .line = 1, .column = 1 };

	if (offset > len)
		offset = len;
	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			ret.line++;
			ret.column = 1;
			ret.line_start = i + 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			ret.column++;
		}
	}
	size_t end = ret.line_start;
	while (end < len && text[end] != '\n')
		end++;
	if (end > ret.line_start && text[end - 1] == '\r')
		end--;
	ret.line_len = end - ret.line_start;
	return ret;
}

size_t text_byte_offset(const char *text, size_t len, size_t chars)
{
	size_t i = 0;

	while (i < len && chars--) {
		i++;
		while (i < len && ((unsigned char)text[i] & 0xc0) == 0x80)
			i++;
	}
	return i;
}

size_t text_utf8_check(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t i = 0;

	while (i < len) {
		uint32_t c;
		size_t n;

		if (s[i] >= 0x01 && s[i] < 0x80) { /* nearly all there is */
			i++;
			continue;
		}
		n = s[i] ? utf8_sequence(s + i, len - i, &c) : 0;
		if (!n)
			return i;
		i += n;
	}
	return len;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x061c;
}

void text_escape(struct strbuf *out, const char *text, size_t len, bool keep_tabs)
{
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0; i < len;) {
		uint32_t c = 0;
		size_t n = 0;

		while (i + n < len && s[i + n] >= 0x20 && s[i + n] < 0x7f)
			n++;
		if (n) { /* nearly all there is */
			strbuf_add(out, text + i, n);
			i += n;
			continue;
		}
		n = utf8_sequence(s + i, len - i, &c);

		if (n && (!is_control(c) || (c == '\t' && keep_tabs))) {
			strbuf_add(out, text + i, n);
		} else {
			if (!n)
				n = 1;
			for (size_t k = 0; k < n; k++)
				strbuf_addf(out, "\\x%02x", s[i + k]);
		}
		i += n;
	}
}

void text_escape_lines(struct strbuf *out, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		text_escape(out, text, len, true);
		strbuf_addch(out, '\n');
		text += len + (text[len] == '\n');
	}
}

char *text_escaped(const char *s)
{
	struct strbuf sb = STRBUF_INIT;

	text_escape(&sb, s, strlen(s), false);
	return strbuf_detach(&sb);
}

bool text_is_one_of(const char *s, const char *const *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(s, list[i]))
			return true;
	return false;
}

void text_shell_word(struct strbuf *out, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=.,:/@%";

	if (*s && !s[strspn(s, plain)]) {
		strbuf_addstr(out, s);
		return;
	}
	strbuf_addch(out, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			strbuf_addstr(out, "'\\'");
		strbuf_addch(out, *s);
	}
	strbuf_addch(out, '\'');
}
