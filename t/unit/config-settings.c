/* SPDX-License-Identifier: MIT */
/*
 * Which source wins, and what the getters say; on settings that were put together here.
 *
 * With arguments this program tests nothing: it prints what a command would read in the
 * folder that it is started in. t0200-settings.sh drives it, on real repositories:
 *
 *	config-settings get <name>... | list <name> | databases | database [<name>]
 *			| remember [<name>] | warn
 */
#include "config/database.h"
#include "config/settings.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/memory.h"
#include "flow/trusting.h"
#include "vcs/repo.h"

/* ---- Reading a real repository ------------------------------------------------------- */

static int get(const struct settings *s, const char *name, struct error *err)
{
	const struct setting *setting;
	struct strbuf origin CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *value;

	if (settings_string(&value, s, name, err) < 0)
		return -1;
	setting = settings_find(s, name);
	if (setting)
		setting_origin(&origin, setting);
	printf("%s=%s (%s)\n", name, value ? value : "NULL", setting ? origin.buf : "default");
	return 0;
}

static int list(const struct settings *s, const char *name, struct error *err)
{
	struct strvec values CLEANUP(strvec_release) = STRVEC_INIT;

	if (settings_list(&values, s, name, err) < 0)
		return -1;
	for (size_t i = 0; i < values.nr; i++)
		printf("%s\n", values.v[i]);
	return 0;
}

static void databases(const struct settings *s)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;

	settings_databases(s, &names);
	for (size_t i = 0; i < names.nr; i++)
		printf("%s\n", names.v[i]);
}

static int database(const struct settings *s, const char *name, bool remember, struct error *err)
{
	struct database_setting found CLEANUP(database_setting_release) = DATABASE_SETTING_INIT;
	int result = settings_database(&found, s, name, err);

	if (result < 0)
		return -1;
	if (result == DATABASE_NONE) {
		printf("none\n");
		return 0;
	}
	if (remember)
		return settings_remember_protected(s, &found, err);
	printf("%s: %s (%s)%s%s\n", found.name, found.conninfo, found.origin,
	       found.is_protected ? " protected" : "", found.seen ? " seen" : "");
	if (found.lock_timeout || found.statement_timeout)
		printf("lock %s, statement %s\n", found.lock_timeout ? found.lock_timeout : "-",
		       found.statement_timeout ? found.statement_timeout : "-");
	return 0;
}

static int run(const struct settings *s, char **argv, struct error *err)
{
	if (!strcmp(argv[0], "get")) {
		for (argv++; *argv; argv++)
			if (get(s, *argv, err) < 0)
				return -1;
	} else if (!strcmp(argv[0], "list")) {
		return list(s, argv[1], err);
	} else if (!strcmp(argv[0], "databases")) {
		databases(s);
	} else if (!strcmp(argv[0], "warn")) {
		trusting_warn(s);
	} else {
		return database(s, argv[1], !strcmp(argv[0], "remember"), err);
	}
	return 0;
}

static int tell(char **argv)
{
	struct repo repo CLEANUP(repo_release) = REPO_INIT;
	struct settings s CLEANUP(settings_release) = SETTINGS_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (repo_open(&repo, &err) < 0 || settings_start(&s, &err) < 0 ||
	    settings_finish(&s, repo.worktree, repo.git_dir, &err) < 0 || run(&s, argv, &err) < 0)
		return error_exit(&err);
	return 0;
}

/* ---- Tests --------------------------------------------------------------------------- */

static void put(struct settings *s, enum setting_source source, const char *section,
		const char *sub, const char *name, const char *value)
{
	const struct setting_key *key = key_find(section, sub != NULL, name);

	assert_non_null(key);
	ARRAY_GROW(s->item, s->nr + 1, s->alloc);
	s->nr++;
	s->item[s->nr - 1] = (struct setting){
		.key = key,
		.sub = xstrdup_or_null(sub),
		.value = xstrdup_or_null(value),
		.source = source,
		.line = s->nr,
		.variable = source == SETTING_ENVIRONMENT ? xstrdup("VARIABLE") : NULL,
	};
}

static void withhold_last(struct settings *s)
{
	s->item[s->nr - 1].demand = "a command";
	s->item[s->nr - 1].withheld = true;
	s->trust = SETTINGS_UNTRUSTED;
}

static const char *string(const struct settings *s, const char *name)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	const char *ret = NULL;

	if (settings_string(&ret, s, name, &err) < 0)
		fail_msg("%s: %s", name, err.message);
	return ret;
}

static void the_strongest_source_wins(void **state UNUSED)
{
	struct settings s CLEANUP(settings_release) = SETTINGS_INIT;

	assert_string_equal(string(&s, "migrations.table"), "schema_migrations");
	assert_null(string(&s, "migrations.database"));
	assert_false(settings_has(&s, "migrations.table"));
	put(&s, SETTING_FILE, "migrations", NULL, "table", "file");
	assert_string_equal(string(&s, "migrations.table"), "file");
	put(&s, SETTING_GIT, "migrations", NULL, "table", "git");
	put(&s, SETTING_GIT, "migrations", NULL, "table", "git, later");
	assert_string_equal(string(&s, "migrations.table"), "git, later");
	put(&s, SETTING_ENVIRONMENT, "migrations", NULL, "table", "environment");
	assert_string_equal(string(&s, "MIGRATIONS.Table"), "environment");
	assert_true(settings_has(&s, "migrations.table"));
	assert_string_equal(string(&s, "migrations.logTable"), "schema_rollback_log");
}

static void names_of_sections_are_exact(void **state UNUSED)
{
	struct settings s CLEANUP(settings_release) = SETTINGS_INIT;
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;

	put(&s, SETTING_FILE, "database", "prod.eu", "url", "a");
	put(&s, SETTING_GIT, "database", "Prod.eu", "url", "b");
	put(&s, SETTING_GIT, "database", "seen", "seenProtected", "true");
	assert_string_equal(string(&s, "database.prod.eu.url"), "a");
	assert_string_equal(string(&s, "database.Prod.eu.url"), "b");
	assert_null(string(&s, "database.PROD.eu.url"));
	settings_subsections(&s, "database", &names);
	assert_int_equal(names.nr, 2);
	assert_string_equal(names.v[0], "Prod.eu");
	assert_string_equal(names.v[1], "prod.eu");
}

static void types_are_checked_when_used(void **state UNUSED)
{
	struct settings s CLEANUP(settings_release) = SETTINGS_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	int64_t size = 0;
	bool yes = false;

	assert_int_equal(settings_bool(&yes, &s, "checkpoint.tag", &err), 0);
	assert_true(yes);
	assert_int_equal(settings_integer(&size, &s, "checkpoint.bigFile", &err), 0);
	assert_int_equal(size, 100 << 20);
	put(&s, SETTING_GIT, "checkpoint", NULL, "tag", "perhaps");
	assert_int_equal(settings_bool(&yes, &s, "checkpoint.tag", &err), -1);
	assert_string_equal(err.message, "'checkpoint.tag' should be true or false "
					 "(it comes from 'git config rollback.checkpoint.tag')");
	assert_true(yes);
}

static void a_list_comes_from_one_source(void **state UNUSED)
{
	struct settings s CLEANUP(settings_release) = SETTINGS_INIT;
	struct strvec values CLEANUP(strvec_release) = STRVEC_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	put(&s, SETTING_FILE, "checkpoint", NULL, "include", "file");
	put(&s, SETTING_GIT, "checkpoint", NULL, "include", "system");
	put(&s, SETTING_GIT, "checkpoint", NULL, "include", "");
	put(&s, SETTING_GIT, "checkpoint", NULL, "include", "one");
	put(&s, SETTING_GIT, "checkpoint", NULL, "include", "two");
	assert_int_equal(settings_list(&values, &s, "checkpoint.include", &err), 0);
	assert_int_equal(values.nr, 2);
	assert_string_equal(values.v[0], "one");
	assert_string_equal(values.v[1], "two");
}

static void withheld_values_are_no_values(void **state UNUSED)
{
	struct settings s CLEANUP(settings_release) = SETTINGS_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	struct strvec texts CLEANUP(strvec_release) = STRVEC_INIT;
	const char *value = "untouched";

	put(&s, SETTING_FILE, "verify", "build", "command", "make");
	withhold_last(&s);
	assert_int_equal(settings_string(&value, &s, "verify.build.command", &err), -1);
	assert_string_equal(value, "untouched");
	assert_int_equal(err.exit_code, EXIT_REFUSED);
	assert_string_equal(err.place, ".gitrollback:1");
	assert_string_equal(err.message,
			    "'verify.build.command' is not honoured: a command needs trust");
	settings_warnings(&s, &texts);
	assert_int_equal(texts.nr, 1);
	assert_string_equal(
		texts.v[0],
		".gitrollback:1: 'verify.build.command' is not honoured: a command needs trust");

	/* The user's own value needs nobody's trust. */
	put(&s, SETTING_GIT, "verify", "build", "command", "make own");
	assert_string_equal(string(&s, "verify.build.command"), "make own");
}

static void a_withheld_list_fails_as_a_whole(void **state UNUSED)
{
	struct settings s CLEANUP(settings_release) = SETTINGS_INIT;
	struct strvec values CLEANUP(strvec_release) = STRVEC_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	put(&s, SETTING_FILE, "domain", "a", "path", "fine");
	put(&s, SETTING_FILE, "domain", "a", "path", "../evil");
	withhold_last(&s);
	assert_int_equal(settings_list(&values, &s, "domain.a.path", &err), -1);
	assert_int_equal(values.nr, 0);
	assert_int_equal(err.exit_code, EXIT_REFUSED);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_strongest_source_wins),
		cmocka_unit_test(names_of_sections_are_exact),
		cmocka_unit_test(types_are_checked_when_used),
		cmocka_unit_test(a_list_comes_from_one_source),
		cmocka_unit_test(withheld_values_are_no_values),
		cmocka_unit_test(a_withheld_list_fails_as_a_whole),
	};

	if (argc > 1)
		return tell(argv + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
