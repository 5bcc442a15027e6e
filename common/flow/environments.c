/* SPDX-License-Identifier: MIT */
#include "flow/environments.h"

#include "base/memory.h"
#include "config/database.h"
#include "config/key.h"
#include "migration/status.h"

#define HURRY	     3 /* seconds to connect */
#define LOCK_TIMEOUT "2s"

/* A connection on its way. */
struct attempt {
	struct database_setting setting;
	struct db db;
	struct ledger_place place;
	bool started;
};

void environments_release(struct environments *environments)
{
	for (size_t i = 0; i < environments->nr; i++) {
		free(environments->item[i].name);
		free(environments->item[i].reason);
		ledger_release(&environments->item[i].ledger);
	}
	free(environments->item);
	*environments = (struct environments)ENVIRONMENTS_INIT;
}

/* Where nothing says how to reach it, that it is protected may be known all the same. */
static bool is_protected(const struct settings *settings, const char *name)
{
	static const char *const keys[] = { "protected", "seenProtected" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct error ignored CLEANUP(error_release) = ERROR_INIT;
		char *key CLEANUP(free_p) = xstrfmt("database.%s.%s", name, keys[i]);
		bool yes = false;

		/* What cannot be read is taken for the stricter. */
		if (settings_bool(&yes, settings, key, &ignored) < 0 || yes)
			return true;
	}
	return false;
}

/* By the setting itself, where that can be read; a user may have taken it off. */
static bool is_kept_protected(const struct settings *settings, const char *name)
{
	struct database_setting setting CLEANUP(database_setting_release) = DATABASE_SETTING_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (settings_database(&setting, settings, name, &ignored) == DATABASE_FOUND)
		return setting.is_protected;
	return is_protected(settings, name);
}

void environments_protected(struct strvec *ret, const struct settings *settings)
{
	/* settings_subsections() leaves out what only memory has. */
	for (size_t i = 0; i < settings->nr; i++) {
		const struct setting *it = &settings->item[i];

		if (it->sub && !strcmp(it->key->section, "database") && !strvec_has(ret, it->sub) &&
		    is_kept_protected(settings, it->sub))
			strvec_push(ret, it->sub);
	}
	strvec_sort(ret);
}

void environments_add_unasked(struct environments *environments, const struct settings *settings,
			      const char *name, const char *reason)
{
	ARRAY_GROW(environments->item, environments->nr + 1, environments->alloc);
	environments->item[environments->nr++] =
		(struct environment){ .name = xstrdup(name),
				      .is_protected = is_protected(settings, name),
				      .reason = xstrdup(reason) };
}

static int start(struct attempt *attempt, const struct settings *settings, const char *name,
		 const char *application, struct error *err)
{
	struct db_options options = {
		.application_name = application,
		.hurry = HURRY,
	};
	int found = settings_database(&attempt->setting, settings, name, err);

	if (found < 0)
		return -1;
	if (found == DATABASE_NONE)
		return error_set(err, "nothing says where it is");
	options.conninfo = attempt->setting.conninfo;
	options.environment = attempt->setting.name;
	options.lock_timeout =
		attempt->setting.lock_timeout ? attempt->setting.lock_timeout : LOCK_TIMEOUT;
	options.statement_timeout = attempt->setting.statement_timeout;
	return db_open_start(&attempt->db, &options, err);
}

static int read_ledger(struct ledger *ret, struct attempt *attempt, const struct settings *settings,
		       struct error *err)
{
	const char *table, *log;

	if (settings_string(&table, settings, "migrations.table", err) < 0 ||
	    settings_string(&log, settings, "migrations.logTable", err) < 0 ||
	    db_open_finish(&attempt->db, err) < 0 ||
	    ledger_locate(&attempt->place, &attempt->db, table, log, err) < 0 ||
	    ledger_read(ret, &attempt->place, &attempt->db, err) < 0)
		return -1;
	ledger_order(ret);
	return 0;
}

/* It cannot be asked: that is said, and is no failure. */
static int set_unreachable(struct environment *environment, struct error *reason, struct error *err)
{
	if (reason->exit_code == EXIT_INTERRUPTED) {
		error_move(err, reason);
		return -1;
	}
	environment->reason = xstrdup(reason->message);
	error_clear(reason);
	return 0;
}

int environments_check(const struct strvec *names, const struct settings *settings,
		       struct error *err)
{
	struct strvec there CLEANUP(strvec_release) = STRVEC_INIT;

	settings_databases(settings, &there);
	for (size_t i = 0; i < names->nr; i++) {
		struct database_setting setting CLEANUP(database_setting_release) =
			DATABASE_SETTING_INIT;
		struct error reason CLEANUP(error_release) = ERROR_INIT;

		/* The getter's own words, with a list of those that there are. */
		if (strvec_has(&there, names->v[i]) ||
		    settings_database(&setting, settings, names->v[i], &reason) >= 0)
			continue;
		error_move(err, &reason);
		return -1;
	}
	return 0;
}

static int connect_all(struct environments *ret, struct attempt *attempts,
		       const struct settings *settings, const char *application, struct error *err)
{
	for (size_t i = 0; i < ret->nr; i++) {
		struct environment *e = &ret->item[i];
		struct error reason CLEANUP(error_release) = ERROR_INIT;

		attempts[i].started =
			start(&attempts[i], settings, e->name, application, &reason) == 0;
		e->is_protected = attempts[i].started ? attempts[i].setting.is_protected :
							is_protected(settings, e->name);
		if (!attempts[i].started && set_unreachable(e, &reason, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < ret->nr; i++) {
		struct environment *e = &ret->item[i];
		struct error reason CLEANUP(error_release) = ERROR_INIT;

		if (!attempts[i].started)
			continue;
		e->reachable = read_ledger(&e->ledger, &attempts[i], settings, &reason) == 0;
		if (!e->reachable && set_unreachable(e, &reason, err) < 0)
			return -1;
	}
	return 0;
}

int environments_read(struct environments *ret, const struct settings *settings,
		      const struct strvec *names, const char *application, struct error *err)
{
	struct strvec wanted CLEANUP(strvec_release) = STRVEC_INIT;
	struct attempt *attempts;
	int result;

	if (names && environments_check(names, settings, err) < 0)
		return -1;
	for (size_t i = 0; names && i < names->nr; i++)
		if (!strvec_has(&wanted, names->v[i]))
			strvec_push(&wanted, names->v[i]);
	if (!wanted.nr)
		settings_databases(settings, &wanted);
	if (!wanted.nr && getenv("DATABASE_URL"))
		strvec_push(&wanted, "default");
	for (size_t i = 0; i < wanted.nr; i++) {
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = (struct environment){ .name = xstrdup(wanted.v[i]) };
	}
	attempts = xcalloc(ret->nr + 1, sizeof(*attempts));
	result = connect_all(ret, attempts, settings, application, err);
	for (size_t i = 0; i < ret->nr; i++) {
		ledger_place_release(&attempts[i].place);
		db_close(&attempts[i].db);
		database_setting_release(&attempts[i].setting);
	}
	free(attempts);
	return result;
}
