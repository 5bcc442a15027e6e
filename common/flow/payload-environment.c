/* SPDX-License-Identifier: MIT */
#include "flow/payload-environment.h"

#include <ctype.h>
#include <limits.h>
#include <strings.h>

const char *const payload_environment_templates[] = { ".env.example", ".env.sample",
						      ".env.template", ".env.dist", NULL };

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool payload_environment_is_template(const char *path)
{
	for (const char *const *name = payload_environment_templates; *name; name++)
		if (!strcasecmp(base_name(path), *name))
			return true;
	return false;
}

bool payload_environment_is_real(const char *path)
{
	const char *name = base_name(path);

	return !strncasecmp(name, ".env", 4) && (!name[4] || name[4] == '.') &&
	       !payload_environment_is_template(path);
}

/* ---- Names --------------------------------------------------------------------------- */

/* Anywhere in a name. */
static const char *const markers[] = { "key",  "secret", "pass",      "pwd",  "token",	"cred",
				       "priv", "bearer", "signature", "salt", "webhook" };
/* Only as a word of it: "auth", not "author". */
static const char *const words[] = { "auth", "pin", "psk", "pat", "jwt", "sas", "dsn" };

static bool is_marker(const char *text, size_t len, const char *marker, bool whole)
{
	size_t n = strlen(marker);

	for (size_t i = 0; i + n <= len; i++) {
		if (strncasecmp(text + i, marker, n) != 0)
			continue;
		if (!whole || ((!i || !isalnum((unsigned char)text[i - 1])) &&
			       (i + n == len || !isalnum((unsigned char)text[i + n]))))
			return true;
	}
	return false;
}

bool payload_environment_is_secret(const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(markers); i++)
		if (is_marker(text, len, markers[i], false))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (is_marker(text, len, words[i], true))
			return true;
	return false;
}

/* ---- One line ------------------------------------------------------------------------ */

static bool is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* What the line before leaves to this one. */
struct carry {
	char quote;   /* inside of which a secret goes on */
	bool block;   /* between -----BEGIN and -----END */
	bool escaped; /* a secret's line ended in a backslash */
};

struct line {
	const char *text;
	size_t len; /* without its LF */
	bool comment;
};

/* The index behind the closing quote; beyond the line where there is none. */
static size_t behind_quote(const struct line *line, size_t at, char quote)
{
	for (; at < line->len; at++) {
		if (line->text[at] == '\\')
			at++;
		else if (line->text[at] == quote)
			return at + 1;
	}
	return line->len + 1;
}

/*
 * The quote in which the value from `at` on is still open at the end of the line; 0: none. In
 * a comment only one that begins the value counts: elsewhere it is an apostrophe.
 */
static char open_quote(const struct line *line, size_t at)
{
	bool first = true;

	for (; at < line->len; at++) {
		char c = line->text[at];

		if (is_quote(c) && (first || !line->comment)) {
			at = behind_quote(line, at + 1, c);
			if (at > line->len)
				return c;
			at--;
		} else if (c == '\\') {
			at++;
		} else if (c == '#' && (!at || is_blank(line->text[at - 1]))) {
			return 0;
		}
		first = first && (is_blank(c) || strchr("=:>", c));
	}
	return 0;
}

/* The name that the separator at `at` belongs to: the word before it, quotes aside. */
static bool names_secret(const struct line *line, size_t at, bool first)
{
	size_t end = at, start;

	if (first) /* all of it: "export API_KEY", "API key" */
		return payload_environment_is_secret(line->text, at);
	while (end && (is_blank(line->text[end - 1]) || strchr("\"'`+?:!", line->text[end - 1])))
		end--;
	for (start = end; start; start--) {
		unsigned char c = (unsigned char)line->text[start - 1];

		if (!isalnum(c) && c < 0x80 && !strchr("_.-", c))
			break;
	}
	return payload_environment_is_secret(line->text + start, end - start);
}

/* Behind the value from `at` on, where it is a quoted one; else `at`. */
static size_t behind_quoted(const struct line *line, size_t at)
{
	size_t start = at;

	while (start < line->len &&
	       (is_blank(line->text[start]) || strchr("=:>", line->text[start])))
		start++;
	if (start == line->len || !is_quote(line->text[start]))
		return at;
	return behind_quote(line, start + 1, line->text[start]);
}

/*
 * Looks for assignments from `at` on; `carry` gets the quote that stays open. What stands
 * inside quotes ends with them: X='{"password": "abc"}' has no open quote.
 */
static bool assigns_secret(const struct line *line, size_t at, struct carry *carry)
{
	bool first = true, secret = false;
	size_t value = 0, value_end = 0;

	for (; at < line->len; at++) {
		if (line->text[at] != '=' && line->text[at] != ':')
			continue;
		if (at >= value_end) {
			value = at + 1;
			value_end = behind_quoted(line, value);
		}
		if (names_secret(line, at, first)) {
			secret = true;
			if (!carry->quote)
				carry->quote = open_quote(line, value);
		}
		first = false;
	}
	/* "set -x API_KEY value" has no separator at all; prose in a comment may have none. */
	return secret ||
	       (first && !line->comment && payload_environment_is_secret(line->text, line->len));
}

/* user:password@host, in a URL or not; or https://token@host. */
static bool has_login(const struct line *line)
{
	bool authority = false, colon = false;

	for (size_t at = 0; at < line->len; at++) {
		const char *s = line->text + at;

		if (is_blank(*s) || is_quote(*s)) {
			authority = colon = false;
		} else if (line->len - at > 2 && !strncmp(s, "://", 3)) {
			authority = at >= 4 && (!strncasecmp(s - 4, "http", 4) ||
						!strncasecmp(s - 4, "ttps", 4));
			colon = false;
			at += 2;
		} else if (*s == ':') {
			colon = true;
		} else if (*s == '/') {
			authority = false;
		} else if (*s == '@' && (colon || authority)) {
			return true;
		}
	}
	return false;
}

static bool has_text(const struct line *line, const char *text)
{
	return memmem(line->text, line->len, text, strlen(text)) != NULL;
}

static bool is_secret_line(const struct line *line, struct carry *carry)
{
	bool secret = carry->quote || carry->block || carry->escaped;
	size_t from = 0;

	if (carry->quote) {
		from = behind_quote(line, 0, carry->quote);
		if (from <= line->len)
			carry->quote = 0;
	}
	/* What opens behind that quote may be the next piece of the same value. */
	if (secret && !carry->quote)
		carry->quote = open_quote(line, from);
	if (from <= line->len && assigns_secret(line, from, carry))
		secret = true;
	if (has_login(line))
		secret = true;
	if (has_text(line, "-----BEGIN"))
		secret = carry->block = true;
	if (has_text(line, "-----END"))
		carry->block = false;
	carry->escaped = secret && line->len && line->text[line->len - 1] == '\\';
	return secret;
}

/* ---- The file ------------------------------------------------------------------------ */

static struct line line_at(const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);
	struct line line = { .text = text, .len = end ? (size_t)(end - text) : len };
	size_t blanks = 0;

	while (line.len && line.text[line.len - 1] == '\r')
		line.len--;
	while (blanks < line.len && is_blank(text[blanks]))
		blanks++;
	line.comment = blanks < line.len && text[blanks] == '#';
	return line;
}

int payload_environment_filter(struct strbuf *ret, const char *text, size_t len)
{
	struct carry carry = { 0 };
	int removed = 0;

	if (memchr(text, '\0', len))
		return -1;
	for (size_t at = 0; at < len;) {
		struct line line = line_at(text + at, len - at);
		const char *end = memchr(text + at, '\n', len - at);
		size_t whole = end ? (size_t)(end - (text + at)) + 1 : len - at;

		if (!is_secret_line(&line, &carry))
			strbuf_add(ret, text + at, whole);
		else if (removed < INT_MAX)
			removed++;
		at += whole;
	}
	return removed;
}
