/* SPDX-License-Identifier: MIT */
/*
 * database: which database is meant, how it is reached, and whether it is protected.
 *
 * Use:    settings_database(&database, &s, option, err), once settings_finish() is through.
 * Trust:  a url that .gitrollback may not bring makes it fail, as with every getter.
 * Errors: -1 with `err` set; no connection string is in any message.
 * Owner:  the caller; database_setting_release() frees all.
 */
#ifndef CONFIG_DATABASE_H
#define CONFIG_DATABASE_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strvec.h"
#include "config/settings.h"

struct database_setting {
	char *name;	/* "development"; "default" is DATABASE_URL where none is configured */
	char *conninfo; /* a libpq URI or keywords; "" is libpq's defaults. Never to be shown */
	char *origin;	/* where the connection came from: "env:DATABASE_URL (.gitrollback:7)" */
	bool is_protected;
	bool snapshot; /* one is to be taken before each change: asked for, or protected */
	bool seen;     /* that it is protected stands in .git/config already */
	char *lock_timeout, *statement_timeout; /* as PostgreSQL reads them; NULL: the server's */
};
#define DATABASE_SETTING_INIT \
	{                     \
		0             \
	}

enum database_found { DATABASE_FOUND = 0, DATABASE_NONE = 1 };

/*
 * The database that `option` (--database, or NULL) names, else GIT_ROLLBACK_DATABASE, else
 * migrations.database, else the only one with a url, else "development"; where none has a
 * url, DATABASE_URL. DATABASE_NONE: nothing says where a database is. A name that does
 * not exist, or a choice that cannot be made, is an error that lists what there is.
 */
int settings_database(struct database_setting *ret, const struct settings *s, const char *option,
		      struct error *err) MUST_CHECK;
void database_setting_release(struct database_setting *database);
/* The names that have a url, sorted. */
void settings_databases(const struct settings *s, struct strvec *ret);

/*
 * Keeps in .git/config that this one was seen protected, so that no other branch or older
 * commit takes it off. Does nothing where it is not protected, or was kept before. Call
 * it once a command has chosen its database, before it changes anything.
 */
int settings_remember_protected(const struct settings *s, const struct database_setting *database,
				struct error *err) MUST_CHECK;

#endif
