/* SPDX-License-Identifier: MIT */
#include "flow/payload-schema.h"

#include <ctype.h>

#include "flow/payload-environment.h"

#define MAPPING "CREATE USER MAPPING "
#define OPTIONS "OPTIONS ("

static const char *const statements[] = { MAPPING, "CREATE SERVER ", "CREATE FOREIGN DATA WRAPPER ",
					  "CREATE FOREIGN TABLE ", "ALTER FOREIGN TABLE " };

struct scan {
	struct strbuf *out;
	const char *at, *end;
	bool mapping;
	size_t masked;
};

static bool starts(const struct scan *s, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(s->end - s->at) >= len && !memcmp(s->at, word, len);
}

static void copy(struct scan *s, const char *to)
{
	strbuf_add(s->out, s->at, (size_t)(to - s->at));
	s->at = to;
}

/* Behind what is quoted, where a doubled quote stands for one; a backslash is nothing special. */
static const char *behind_quoted(const struct scan *s)
{
	char quote = *s->at;

	for (const char *c = s->at + 1; c < s->end; c++) {
		if (*c != quote)
			continue;
		if (c + 1 == s->end || c[1] != quote)
			return c + 1;
		c++;
	}
	return s->end;
}

static bool is_masked(const struct scan *s, const char *name, size_t len)
{
	static const char *const users[] = { "user", "\"user\"", "username" };

	for (size_t i = 0; i < ARRAY_SIZE(users) && s->mapping; i++)
		if (len == strlen(users[i]) && !memcmp(name, users[i], len))
			return false;
	return s->mapping || payload_environment_is_secret(name, len);
}

/* Not the E of E'value'. */
static bool is_name_start(const struct scan *s)
{
	return isalnum((unsigned char)*s->at) && (s->at + 1 == s->end || s->at[1] != '\'');
}

/* name 'value', ... up to the closing parenthesis; in what is no such list, all is copied. */
static void scan_options(struct scan *s)
{
	const char *name = s->at, *name_end = s->at;

	while (s->at < s->end && *s->at != ')' && *s->at != ';') {
		if (*s->at == '\'') {
			const char *value_end = behind_quoted(s);

			if (is_masked(s, name, (size_t)(name_end - name))) {
				strbuf_addstr(s->out, "'***'");
				s->at = value_end;
				s->masked++;
			} else {
				copy(s, value_end);
			}
		} else if (*s->at == '"' || is_name_start(s)) {
			name = s->at;
			name_end = *s->at == '"' ? behind_quoted(s) : s->at;
			while (name_end < s->end && (isalnum((unsigned char)*name_end) ||
						     *name_end == '_' || *name_end == '-'))
				name_end++;
			copy(s, name_end);
		} else { /* white space, a comma, or the E before a value */
			copy(s, s->at + 1);
		}
	}
}

/* Up to and with its semicolon. */
static void scan_statement(struct scan *s)
{
	s->mapping = starts(s, MAPPING);
	while (s->at < s->end && *s->at != ';') {
		if (*s->at == '\'' || *s->at == '"') {
			copy(s, behind_quoted(s));
		} else if (starts(s, OPTIONS)) {
			copy(s, s->at + strlen(OPTIONS));
			scan_options(s);
		} else {
			copy(s, s->at + 1);
		}
	}
}

size_t payload_schema_mask(struct strbuf *ret, const char *text, size_t len)
{
	struct scan s = { .out = ret, .at = text, .end = text + len };

	while (s.at < s.end) {
		const char *line_end;

		for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
			if (!starts(&s, statements[i]))
				continue;
			scan_statement(&s);
			break;
		}
		line_end = memchr(s.at, '\n', (size_t)(s.end - s.at));
		copy(&s, line_end ? line_end + 1 : s.end);
	}
	return s.masked;
}
