/* SPDX-License-Identifier: MIT */
/* Where an id stands in a message: what is named there, and what is only spoken of. */
#include <ctype.h>

#include "base/memory.h"
#include "flow/evidence-parts.h"

/* So many words in front, as in "mark the track <id>", and it is still what the line is about. */
#define WORDS_BEFORE 2

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* "feat(scope)!: ", in a line that begins there: how long it is; 0: there is none. */
static size_t prefix_length(const char *line, const char **ret_scope, size_t *ret_len)
{
	const char *at = line;

	*ret_scope = NULL;
	while (isalnum((unsigned char)*at) || *at == '-' || *at == '_')
		at++;
	if (at == line)
		return 0;
	if (*at == '(') {
		size_t len = strcspn(at + 1, ")\n");

		if (at[1 + len] != ')')
			return 0;
		*ret_scope = at + 1;
		*ret_len = len;
		at += len + 2;
	}
	at += *at == '!';
	if (*at != ':')
		return 0;
	at++;
	while (is_space(*at))
		at++;
	return (size_t)(at - line);
}

static const char *skip_words(const char *at, const char *end, size_t *ret_nr)
{
	*ret_nr = 0;
	while (at < end) {
		while (at < end && is_space(*at))
			at++;
		*ret_nr += at < end;
		while (at < end && !is_space(*at))
			at++;
	}
	return at;
}

/* How many words there are from one place to another. */
static size_t words_between(const char *from, const char *to)
{
	size_t nr;

	skip_words(from, to, &nr);
	return nr;
}

/* Of "track 'auth", "story: auth" and the like, where it begins; NULL: none. `at`: behind it. */
static const char *word_for_unit(const char *line, const char *at)
{
	static const char *const words[] = { "track", "story" };

	while (at > line && strchr(" \t:#'\"`", at[-1]))
		at--;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(at - line) >= len && !strncmp(at - len, words[i], len) &&
		    ((size_t)(at - line) == len ||
		     !isalnum((unsigned char)at[-(ptrdiff_t)len - 1])))
			return at - len;
	}
	return NULL;
}

static bool is_in_scope(const char *scope, size_t scope_len, const char *at, size_t len)
{
	return scope && at >= scope && at + len <= scope + scope_len &&
	       (at == scope || strchr(" ,/:", at[-1])) &&
	       (at + len == scope + scope_len || strchr(" ,/", at[len]));
}

bool id_is_named(const char *text, const char *at, size_t len, bool distinct)
{
	const char *line = at, *scope, *body, *word;
	size_t scope_len;

	while (line > text && line[-1] != '\n')
		line--;
	body = line + prefix_length(line, &scope, &scope_len);
	if (is_in_scope(scope, scope_len, at, len) ||
	    (at > line && at[-1] == '[' && at[len] == ']'))
		return true;
	while (*body == '[' && at > body + strcspn(body, "]\n"))
		body += strcspn(body, "]\n") + 1;
	word = word_for_unit(line, at);
	if (word && (word == line || strchr("([", word[-1]) ||
		     words_between(word > body ? body : line, word) <= WORDS_BEFORE))
		return true;
	if (words_between(body, at) == 0 &&
	    (distinct || at[len] == ':' || !strncmp(at + len, " - ", 3)))
		return true;
	if (subject_is_bookkeeping(line) && (distinct || strspn(at, "0123456789") < len))
		return distinct || !at[len] || at[len] == '\n';
	return distinct &&
	       ((at > line && at[-1] == '(' && at[len] == ')') || words_between(body, at) == 1);
}

bool id_is_part_of_branch(const char *branch, const char *at, size_t len)
{
	return (at == branch || at[-1] == '/') && (!at[len] || at[len] == '/');
}

char *merged_branch(const char *subject)
{
	const char *quote = strchr(subject, '\''), *from = strstr(subject, " from ");

	if (quote && strchr(quote + 1, '\''))
		return xmemdupz(quote + 1, strcspn(quote + 1, "'"));
	if (!from)
		return NULL;
	from += strlen(" from ");
	if (strchr(from, '/')) /* "from <owner>/<branch>" */
		from = strchr(from, '/') + 1;
	return xmemdupz(from, strcspn(from, " "));
}

bool subject_is_bookkeeping(const char *subject)
{
	size_t len = strcspn(subject, "\n");
	char *line CLEANUP(free_p) = xmemdupz(subject, len);

	return !strncasecmp(line, "conductor(", strlen("conductor(")) ||
	       strcasestr(line, "(conductor)") || strcasestr(line, "(plan)");
}
