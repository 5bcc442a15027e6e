/* SPDX-License-Identifier: MIT */
#include "config/key.h"

#include <ctype.h>
#include <strings.h>

#include "base/memory.h"
#include "base/nearest.h"

/* clang-format off */
const struct setting_key setting_keys[] = {
	{ "migrations", "directory",          KEY_PATH,     0,         NULL },
	{ "migrations", "layout",             KEY_STRING,   0,         "auto" },
	{ "migrations", "table",              KEY_STRING,   0,         "schema_migrations" },
	{ "migrations", "logTable",           KEY_STRING,   0,         "schema_rollback_log" },
	{ "migrations", "database",           KEY_STRING,   0,         NULL },
	{ "migrations", "lockTimeout",        KEY_DURATION, 0,         NULL },
	{ "migrations", "statementTimeout",   KEY_DURATION, 0,         NULL },
	{ "migrations", "countLimit",         KEY_DURATION, 0,         "2s" },
	{ "database",   "url",                KEY_URL,      KEY_NAMED, NULL },
	{ "database",   "protected",          KEY_BOOL,     KEY_NAMED, "false" },
	{ "database",   "snapshot",           KEY_BOOL,     KEY_NAMED, "false" },
	{ "database",   "lockTimeout",        KEY_DURATION, KEY_NAMED, NULL },
	{ "database",   "statementTimeout",   KEY_DURATION, KEY_NAMED, NULL },
	{ "database",   "maintenanceCommand", KEY_COMMAND,  KEY_NAMED, NULL },
	{ "database",   "seenProtected",      KEY_BOOL,     KEY_NAMED | KEY_GIT_ONLY, "false" },
	{ "tracks",     "registry",           KEY_PATH,     0,         NULL },
	{ "tracks",     "directory",          KEY_PATH,     0,         NULL },
	{ "files",      "migration",          KEY_STRING,   KEY_MULTI, NULL },
	{ "files",      "schema",             KEY_STRING,   KEY_MULTI, NULL },
	{ "files",      "model",              KEY_STRING,   KEY_MULTI, NULL },
	{ "files",      "shared",             KEY_STRING,   KEY_MULTI, NULL },
	{ "stages",     "state",              KEY_PATH,     0,         NULL },
	{ "stages",     "progress",           KEY_PATH,     0,         NULL },
	{ "checkpoint", "tag",                KEY_BOOL,     0,         "true" },
	{ "checkpoint", "include",            KEY_PATHSPEC, KEY_MULTI, NULL },
	{ "checkpoint", "bigFile",            KEY_INTEGER,  0,         "100m" },
	{ "checkpoint", "keep",               KEY_INTEGER,  0,         "20" },
	{ "checkpoint", "secret",             KEY_STRING,   KEY_MULTI, NULL },
	{ "domain",     "path",               KEY_PATHSPEC, KEY_MULTI | KEY_NAMED, NULL },
	{ "domain",     "generated",          KEY_PATHSPEC, KEY_MULTI | KEY_NAMED, NULL },
	{ "verify",     "command",            KEY_COMMAND,  KEY_NAMED, NULL },
	{ "saved",      "keep",               KEY_INTEGER,  0,         "30" },
	{ "snapshots",  "directory",          KEY_PATH,     0,         NULL },
	{ "",           "trust",              KEY_STRING,   KEY_MULTI | KEY_GIT_ONLY, NULL },
	{ NULL }
};
/* clang-format on */

const struct setting_key *key_find(const char *section, bool named, const char *name)
{
	for (const struct setting_key *key = setting_keys; key->section; key++)
		if (!strcmp(key->section, section) && !strcasecmp(key->name, name) &&
		    named == ((key->flags & KEY_NAMED) != 0))
			return key;
	return NULL;
}

void key_spell(struct strbuf *out, const struct setting_key *key, const char *sub)
{
	if (*key->section)
		strbuf_addf(out, "%s.", key->section);
	if (sub)
		strbuf_addf(out, "%s.", sub);
	strbuf_addstr(out, key->name);
}

void key_variable(struct strbuf *out, const struct setting_key *key)
{
	strbuf_addstr(out, "GIT_ROLLBACK_");
	for (const char *c = key->section; *c; c++)
		strbuf_addch(out, (char)toupper((unsigned char)*c));
	strbuf_addch(out, '_');
	for (const char *c = key->name; *c; c++) {
		if (isupper((unsigned char)*c))
			strbuf_addch(out, '_');
		strbuf_addch(out, (char)toupper((unsigned char)*c));
	}
}

char *key_suggestion(const char *section, const char *name)
{
	struct strvec sections CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	const char *near;
	bool named = false;

	for (const struct setting_key *key = setting_keys; key->section; key++) {
		if (key->flags & KEY_GIT_ONLY)
			continue;
		if (!strcmp(key->section, section)) {
			strvec_push(&names, key->name);
			named = (key->flags & KEY_NAMED) != 0;
		} else if (!strvec_has(&sections, key->section)) {
			strvec_push(&sections, key->section);
		}
	}
	if (!names.nr) {
		near = nearest_name(section, &sections);
		return near ? xstrfmt("Did you mean the section [%s]?", near) : NULL;
	}
	near = nearest_name(name, &names);
	if (near && !strcasecmp(near, name)) /* so it was the name of the section */
		return named ? xstrfmt("This section has a name: [%s \"name\"].", section) :
			       xstrfmt("This section has no name: [%s].", section);
	return near ? xstrfmt("Did you mean '%s'?", near) : NULL;
}

/* ---- Values ------------------------------------------------------------------------- */

bool key_integer(int64_t *ret, const char *value)
{
	char *end;
	intmax_t n;
	int64_t factor = 1, product;

	if (!value || (!isdigit((unsigned char)*value) && !strchr("+-", *value)) || !*value)
		return false;
	errno = 0;
	n = strtoimax(value, &end, 10);
	if (errno || end == value)
		return false;
	switch (*end) {
	case 'k':
	case 'K': factor = 1 << 10; break;
	case 'm':
	case 'M': factor = 1 << 20; break;
	case 'g':
	case 'G': factor = 1 << 30; break;
	default: break;
	}
	if (factor != 1)
		end++;
	if (*end || __builtin_mul_overflow(n, factor, &product))
		return false;
	*ret = product;
	return true;
}

bool key_bool(bool *ret, const char *value)
{
	static const char *const yes[] = { "true", "yes", "on" };
	static const char *const no[] = { "false", "no", "off", "" };
	int64_t n;

	if (!value) {
		*ret = true;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (!strcasecmp(value, yes[i])) {
			*ret = true;
			return true;
		}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (!strcasecmp(value, no[i])) {
			*ret = false;
			return true;
		}
	if (!key_integer(&n, value))
		return false;
	*ret = n != 0;
	return true;
}

/* PostgreSQL keeps timeouts as an int of milliseconds, and takes these units. */
bool key_duration(int64_t *ret, const char *value)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = { { "", 1 },
		      { "ms", 1 },
		      { "s", 1000 },
		      { "min", 60 * 1000 },
		      { "h", 3600 * 1000 },
		      { "d", 86400 * 1000 } };
	char *end;
	intmax_t n;

	if (!value || !isdigit((unsigned char)*value))
		return false;
	errno = 0;
	n = strtoimax(value, &end, 10);
	if (errno)
		return false;
	while (*end == ' ')
		end++;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name))
			continue;
		if (n > INT32_MAX / units[i].ms)
			return false;
		*ret = n * units[i].ms;
		return true;
	}
	return false;
}

const char *key_expects(enum key_type type, const char *value)
{
	bool yes;
	int64_t n;

	switch (type) {
	case KEY_BOOL: return key_bool(&yes, value) ? NULL : "true or false";
	case KEY_INTEGER: return key_integer(&n, value) ? NULL : "a number, or one with k, m or g";
	case KEY_DURATION:
		return key_duration(&n, value) ? NULL :
						 "a time such as 500ms, 5s or 2min, up to 24 days";
	case KEY_URL: /* "" is libpq's own defaults */ return value ? NULL : "a value";
	case KEY_STRING:
	case KEY_COMMAND: return value && *value ? NULL : "a value";
	case KEY_PATH:
	case KEY_PATHSPEC: /* it ends up among a command's arguments */
		return value && *value && *value != '-' ? NULL : "a path (\"./-x\" for \"-x\")";
	}
	BUG("unknown type of a setting");
}
