/* SPDX-License-Identifier: MIT */
#include "config/conninfo.h"

#include <ctype.h>

#include "base/memory.h"
#include "base/strbuf.h"

#define ENV_PREFIX     "env:"
#define SERVICE_PREFIX "service="

static bool is_name(const char *s, const char *also)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(also, *s))
			return false;
	return true;
}

enum conninfo_kind conninfo_kind(const char *url)
{
	if (!strncmp(url, ENV_PREFIX, strlen(ENV_PREFIX)) &&
	    !isdigit((unsigned char)url[strlen(ENV_PREFIX)]) &&
	    is_name(url + strlen(ENV_PREFIX), "_"))
		return CONNINFO_ENV;
	if (!strncmp(url, SERVICE_PREFIX, strlen(SERVICE_PREFIX)) &&
	    is_name(url + strlen(SERVICE_PREFIX), "_-."))
		return CONNINFO_SERVICE;
	return CONNINFO_STRING;
}

const char *conninfo_variable(const char *url)
{
	return url + strlen(ENV_PREFIX);
}

static bool is_secret(const char *keyword, size_t len)
{
	static const char *const secrets[] = { "password", "sslpassword", "oauth_client_secret",
					       "scram_client_key", "scram_server_key" };

	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
		if (strlen(secrets[i]) == len && !strncmp(secrets[i], keyword, len))
			return true;
	return false;
}

/* What is behind the scheme of a URI, or NULL. */
static const char *uri_start(const char *url)
{
	static const char *const schemes[] = { "postgresql://", "postgres://" };

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (!strncmp(url, schemes[i], strlen(schemes[i])))
			return url + strlen(schemes[i]);
	return NULL;
}

static void add_masked(struct strbuf *out, const char *from, const char *to, bool *found)
{
	if (from == to)
		return;
	strbuf_addstr(out, "***");
	*found = true;
}

/* user:password@ before the first '/', then ?keyword=value&... */
static bool mask_uri(struct strbuf *out, const char *url, const char *start)
{
	const char *at = start + strcspn(start, "@/"), *s = start;
	bool found = false;

	if (*at == '@') {
		s += strcspn(start, ":@");
		s += *s == ':';
		strbuf_add(out, url, (size_t)(s - url));
		add_masked(out, s, at, &found);
		s = at;
	} else {
		strbuf_add(out, url, (size_t)(start - url));
	}
	size_t path = strcspn(s, "?");
	strbuf_add(out, s, path);
	for (s += path; *s;) {
		size_t keyword = 1 + strcspn(s + 1, "=&");
		const char *end = s + 1 + strcspn(s + 1, "&");

		if (s[keyword] == '=' && is_secret(s + 1, keyword - 1)) {
			strbuf_add(out, s, keyword + 1);
			add_masked(out, s + keyword + 1, end, &found);
		} else {
			strbuf_add(out, s, (size_t)(end - s));
		}
		s = end;
	}
	return found;
}

/* The end of a value: quoted with ', or up to a blank; a backslash hides what follows. */
static const char *value_end(const char *s)
{
	bool quoted = *s == '\'';

	if (quoted)
		s++;
	for (; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (quoted && *s == '\'')
			return s + 1;
		else if (!quoted && isspace((unsigned char)*s))
			return s;
	}
	return s;
}

static bool mask_keywords(struct strbuf *out, const char *s)
{
	bool found = false;

	while (*s) {
		size_t blanks = strspn(s, " \t\n\r\f\v");
		size_t keyword = strcspn(s + blanks, "= \t\n\r\f\v");
		const char *value = s + blanks + keyword;

		value += strspn(value, " \t\n\r\f\v");
		if (*value != '=') { /* libpq will refuse it */
			strbuf_add(out, s, (size_t)(value - s));
			s = value;
			continue;
		}
		value++;
		value += strspn(value, " \t\n\r\f\v");
		const char *end = value_end(value);
		strbuf_add(out, s, (size_t)(value - s));
		if (is_secret(s + blanks, keyword))
			add_masked(out, value, end, &found);
		else
			strbuf_add(out, value, (size_t)(end - value));
		s = end;
	}
	return found;
}

static bool mask(struct strbuf *out, const char *url)
{
	const char *start = uri_start(url);

	return start ? mask_uri(out, url, start) : mask_keywords(out, url);
}

char *conninfo_masked(const char *url)
{
	struct strbuf out = STRBUF_INIT;

	mask(&out, url);
	return strbuf_detach(&out);
}

bool conninfo_has_secret(const char *url)
{
	struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

	return mask(&out, url);
}
