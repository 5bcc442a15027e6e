/* SPDX-License-Identifier: MIT */
#include "config/database.h"

#include "base/memory.h"
#include "base/nearest.h"
#include "config/conninfo.h"
#include "config/trust.h"

#define FALLBACK_NAME	  "default"
#define FALLBACK_VARIABLE "DATABASE_URL"
#define USUAL_NAME	  "development"

void database_setting_release(struct database_setting *database)
{
	free(database->name);
	free(database->conninfo);
	free(database->origin);
	free(database->lock_timeout);
	free(database->statement_timeout);
	*database = (struct database_setting)DATABASE_SETTING_INIT;
}

/* "database.<name>.<key>"; free() it. */
static char *key_of(const char *name, const char *key)
{
	return xstrfmt("database.%s.%s", name, key);
}

static bool has_key(const struct settings *s, const char *name, const char *key)
{
	char *full CLEANUP(free_p) = key_of(name, key);

	return settings_has(s, full);
}

void settings_databases(const struct settings *s, struct strvec *ret)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;

	settings_subsections(s, "database", &names);
	for (size_t i = 0; i < names.nr; i++)
		if (has_key(s, names.v[i], "url"))
			strvec_push(ret, names.v[i]);
}

/* ---- Its name ------------------------------------------------------------------------ */

static void list_databases(struct strbuf *out, const struct strvec *names)
{
	for (size_t i = 0; i < names->nr; i++)
		strbuf_addf(out, "%s'%s'", i ? ", " : "", names->v[i]);
}

static int no_such_database(const struct settings *s, const char *name, const char *origin,
			    const struct strvec *names, struct error *err)
{
	struct strbuf list CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *near = nearest_name(name, names);

	/* It may be a connection string with a password, so it is not repeated. */
	if (strchr(name, '=') || strstr(name, "://") || !strncmp(name, "env:", 4)) {
		error_set(err,
			  "%s takes the name of a database in the configuration, "
			  "not a connection string",
			  origin);
		return error_hint(err, "Name it: git config rollback.database.<name>.url <url>");
	}
	if (has_key(s, name, "protected") || has_key(s, name, "snapshot")) {
		error_set(err, "database '%s' (from %s) has no url", name, origin);
		return error_hint(err, "Set it: git config rollback.database.%s.url env:<NAME>",
				  name);
	}
	error_set(err, "there is no database '%s' in the configuration (named by %s)", name,
		  origin);
	if (near)
		error_hint(err, "Did you mean '%s'?", near);
	list_databases(&list, names);
	if (names->nr)
		return error_hint(err, "Configured: %s.", list.buf);
	return error_hint(err, "Set its url: git config rollback.database.%s.url env:<NAME>", name);
}

/* Neither option nor configuration say which of these. NULL with `err` set: no answer. */
static const char *choose(const struct strvec *names, struct error *err)
{
	struct strbuf list CLEANUP(strbuf_release) = STRBUF_INIT;

	if (!names->nr)
		return FALLBACK_NAME;
	if (names->nr == 1)
		return names->v[0];
	if (strvec_has(names, USUAL_NAME))
		return USUAL_NAME;
	list_databases(&list, names);
	error_set(err, "several databases are configured, and none is called '" USUAL_NAME "': %s",
		  list.buf);
	error_hint(err, "Choose with --database=<name>, or for good: "
			"git config rollback.migrations.database <name>");
	return NULL;
}

/* FALLBACK_NAME goes through where nothing is configured, and, if asked for, it is set. */
static bool is_fallback(const char *name, bool asked, const struct strvec *names)
{
	return !names->nr && !strcmp(name, FALLBACK_NAME) && (!asked || getenv(FALLBACK_VARIABLE));
}

/* *ret is the caller's to free. */
static int find_name(char **ret, const struct settings *s, const char *option,
		     const struct strvec *names, struct error *err)
{
	struct strbuf origin CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *name = option, *chosen;

	if (!name && settings_string(&name, s, "migrations.database", err) < 0)
		return -1;
	if (option)
		strbuf_addstr(&origin, "--database");
	else if (name)
		setting_origin(&origin, settings_find(s, "migrations.database"));
	chosen = name ? name : choose(names, err);
	if (!chosen)
		return -1;
	if (!strvec_has(names, chosen) && !is_fallback(chosen, name != NULL, names))
		return no_such_database(s, chosen, origin.buf, names, err);
	*ret = xstrdup(chosen);
	return 0;
}

/* ---- Its connection ------------------------------------------------------------------ */

static int read_variable(struct database_setting *database, const char *url, const char *origin,
			 struct error *err)
{
	const char *variable = conninfo_variable(url), *value = getenv(variable);

	if (!value || !*value) {
		error_set(err, "database '%s' is the environment variable '%s' (%s), which is %s",
			  database->name, variable, origin, value ? "empty" : "not set");
		return error_hint(err,
				  "Set it, or give the database another url: "
				  "git config rollback.database.%s.url <url>",
				  database->name);
	}
	database->conninfo = xstrdup(value);
	database->origin = xstrfmt("env:%s (%s)", variable, origin);
	return 0;
}

static int find_connection(struct database_setting *database, const struct settings *s,
			   struct error *err)
{
	char *key CLEANUP(free_p) = key_of(database->name, "url");
	const struct setting *setting = settings_find(s, key);
	struct strbuf origin CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *url;

	if (settings_string(&url, s, key, err) < 0)
		return -1;
	if (!setting) { /* find_name() let nothing else through */
		url = getenv(FALLBACK_VARIABLE);
		if (!url || !*url)
			return DATABASE_NONE;
		database->conninfo = xstrdup(url);
		database->origin = xstrdup("env:" FALLBACK_VARIABLE);
		return DATABASE_FOUND;
	}
	setting_origin(&origin, setting);
	if (conninfo_kind(url) == CONNINFO_ENV)
		return read_variable(database, url, origin.buf, err);
	database->conninfo = xstrdup(url);
	database->origin = xstrdup(origin.buf);
	return DATABASE_FOUND;
}

/* ---- What else is known of it -------------------------------------------------------- */

/* The user's own word counts both ways; the file's, and memory, only tighten. */
static int find_protection(struct database_setting *database, const struct settings *s,
			   struct error *err)
{
	char *key CLEANUP(free_p) = key_of(database->name, "protected");
	char *seen CLEANUP(free_p) = key_of(database->name, "seenProtected");
	char *snapshot CLEANUP(free_p) = key_of(database->name, "snapshot");
	const struct setting *setting = settings_find(s, key);

	if (settings_bool(&database->is_protected, s, key, err) < 0 ||
	    settings_bool(&database->seen, s, seen, err) < 0)
		return -1;
	if (!setting || setting->source == SETTING_FILE)
		database->is_protected |= database->seen;
	if (settings_bool(&database->snapshot, s, snapshot, err) < 0)
		return -1;
	database->snapshot |= database->is_protected;
	return 0;
}

static int find_timeout(char **ret, const struct settings *s, const char *database,
			const char *name, struct error *err)
{
	char *own CLEANUP(free_p) = key_of(database, name);
	char *common CLEANUP(free_p) = xstrfmt("migrations.%s", name);
	const char *value;

	if (settings_string(&value, s, settings_has(s, own) ? own : common, err) < 0)
		return -1;
	*ret = xstrdup_or_null(value);
	return 0;
}

int settings_database(struct database_setting *ret, const struct settings *s, const char *option,
		      struct error *err)
{
	struct database_setting database CLEANUP(database_setting_release) = DATABASE_SETTING_INIT;
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	int found;

	settings_databases(s, &names);
	if (find_name(&database.name, s, option, &names, err) < 0)
		return -1;
	found = find_connection(&database, s, err);
	if (found != DATABASE_FOUND)
		return found;
	if (find_protection(&database, s, err) < 0 ||
	    find_timeout(&database.lock_timeout, s, database.name, "lockTimeout", err) < 0 ||
	    find_timeout(&database.statement_timeout, s, database.name, "statementTimeout", err) <
		    0)
		return -1;
	*ret = database;
	database = (struct database_setting)DATABASE_SETTING_INIT;
	return DATABASE_FOUND;
}

int settings_remember_protected(const struct settings *s, const struct database_setting *database,
				struct error *err)
{
	char *key CLEANUP(free_p) = xstrfmt("rollback.database.%s.seenProtected", database->name);

	if (!database->is_protected || database->seen || !s->git_dir)
		return 0;
	return trust_configure(s->git_dir, key, "true", err);
}
