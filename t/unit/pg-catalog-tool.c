/* SPDX-License-Identifier: MIT */
/*
 * What t1500-catalog.sh and t/perf/catalog.sh do with a catalog. No test program itself.
 *
 *   show [-x SCHEMA.TABLE | -X SCHEMA]... URL      all objects, and the fingerprint
 *   fingerprint [-x SCHEMA.TABLE | -X SCHEMA]... URL
 *   compare URL URL                                differences, as people see them
 *   run URL FILE             for each line of SQL in FILE: do it, and undo it, in all ways that
 *                            there are, and see each time that a refresh gives what reading gives.
 *                            Prints "changed", "same" or "failed", a tab, and the line; exit
 *                            code 1 when one is "changed" that begins with "same", or the reverse
 *   chain URL FILE           the same lines one after the other, each committed
 *   settings URL             the session's settings are as they were, whatever they were
 *   others URL               other sessions' changes, other catalogs on the same connection,
 *                            failures, a pooler
 *   measure URL ROUNDS FILE  times: reading, and refreshes after each line
 *
 * Statements in a line are separated by " ;; ", a line with # in front is none.
 */
#include <time.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/strvec.h"
#include "pg/catalog.h"
#include "pg/db.h"

static struct db db = DB_INIT;
static struct error err = ERROR_INIT;

NORETURN static void die(const char *what)
{
	fprintf(stderr, "FAILED: %s\n", what);
	exit(error_is_set(&err) ? error_exit(&err) : 1);
}

static void connect_to(struct db *ret, const char *url)
{
	const struct db_options options = {
		.conninfo = url,
		.environment = "test",
		.application_name = "pg-catalog-tool",
	};

	if (db_open_start(ret, &options, &err) < 0 || db_open_finish(ret, &err) < 0)
		die("cannot connect");
}

static void sql(const char *text)
{
	if (db_exec(&db, text, &err) < 0)
		die(text);
}

/* A line says what is expected of it. */
static bool expects_change(const char **line)
{
	static const char same[] = "same ";
	bool ret = strncmp(*line, same, strlen(same)) != 0;

	*line += ret ? 0 : strlen(same);
	return ret;
}

/* Statements up to the first that fails; false then. */
static bool statements(const char *line)
{
	struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;

	while (*line) {
		const char *end = strstr(line, " ;; ");
		struct error reason CLEANUP(error_release) = ERROR_INIT;

		if (!end)
			end = line + strlen(line);
		strbuf_reset(&sb);
		strbuf_add(&sb, line, (size_t)(end - line));
		if (db_exec(&db, sb.buf, &reason) < 0) {
			fprintf(stderr, "%s: %s\n", sb.buf, reason.message);
			return false;
		}
		line = *end ? end + 4 : end;
	}
	return true;
}

static void print_changes(FILE *out, const struct catalog_changes *changes, bool utf8)
{
	for (size_t i = 0; i < changes->nr; i++) {
		const struct catalog_change *c = &changes->item[i];
		struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;

		catalog_difference_text(&sb, c->kind, c->identity, c->before, c->after, utf8);
		fprintf(out, "%s\n", sb.buf);
	}
}

/* Are a refreshed catalog and one that was read the same? */
static void check(struct catalog *cat, struct catalog *expect, const char *when, const char *line)
{
	struct catalog_changes changes CLEANUP(catalog_changes_release) = CATALOG_CHANGES_INIT;

	catalog_diff(&changes, expect, cat);
	if (!changes.nr && !strcmp(catalog_fingerprint(cat), catalog_fingerprint(expect)))
		return;
	fprintf(stderr, "%s: %s\n", when, line);
	print_changes(stderr, &changes, false);
	die("a refresh does not give what reading gives");
}

static void refresh(struct catalog *cat, struct catalog *expect, const char *when, const char *line)
{
	struct catalog_changes changes CLEANUP(catalog_changes_release) = CATALOG_CHANGES_INIT;

	if (catalog_refresh(cat, &db, &changes, &err) < 0)
		die(line);
	check(cat, expect, when, line);
}

/* Refreshes, reads, compares; also what the refresh says to have changed. */
static void refresh_and_read(struct catalog *cat, struct catalog *ret, const char *when,
			     const char *line)
{
	struct catalog before CLEANUP(catalog_release) = CATALOG_INIT;
	struct catalog_changes told CLEANUP(catalog_changes_release) = CATALOG_CHANGES_INIT;

	before = *ret;
	*ret = (struct catalog)CATALOG_INIT;
	if (catalog_refresh(cat, &db, &told, &err) < 0 || catalog_read(ret, &db, NULL, &err) < 0)
		die(line);
	check(cat, ret, when, line);
	if (before.nr) {
		struct catalog_changes found CLEANUP(catalog_changes_release) =
			CATALOG_CHANGES_INIT;

		catalog_diff(&found, &before, ret);
		if (found.nr != told.nr)
			die("a refresh does not tell what it changed");
		for (size_t i = 0; i < found.nr; i++)
			if (strcmp(found.item[i].identity, told.item[i].identity) != 0 ||
			    strcmp(found.item[i].before_digest, told.item[i].before_digest) != 0 ||
			    strcmp(found.item[i].after_digest, told.item[i].after_digest) != 0)
				die("a refresh tells something else than what it changed");
	}
}

static void read_lines(struct strvec *ret, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	static const char hole[] = "@DATABASE@";

	if (!file)
		die(path);
	while (getline(&line, &size, file) > 0) {
		char *at = strstr(line, hole);

		line[strcspn(line, "\n")] = '\0';
		if (at)
			strvec_pushf(ret, "%.*s%s%s", (int)(at - line), line, db.name,
				     at + strlen(hole));
		else if (*line && *line != '#')
			strvec_push(ret, line);
	}
	free(line);
	fclose(file);
}

/* A line as PL/pgSQL, in a block that ends with a command that may undo it. */
static void in_block(const char *line, const char *end_of_block)
{
	struct strbuf sb CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addstr(&sb, "DO $outer$ BEGIN BEGIN ");
	while (*line) {
		const char *end = strstr(line, " ;; ");

		if (!end)
			end = line + strlen(line);
		strbuf_addstr(&sb, "EXECUTE $inner$");
		strbuf_add(&sb, line, (size_t)(end - line));
		strbuf_addstr(&sb, "$inner$; ");
		line = *end ? end + 4 : end;
	}
	strbuf_addf(&sb, "%s EXCEPTION WHEN raise_exception THEN NULL; END; END $outer$",
		    end_of_block);
	sql(sb.buf);
}

struct run {
	struct catalog cat, base, one; /* `one`: with the table that each transaction makes first */
};

/* Does a line, in a transaction that is undone; false when the line itself fails. */
static bool in_transaction(struct run *run, const char *line, bool *ret_changed)
{
	struct catalog done CLEANUP(catalog_release) = CATALOG_INIT;

	sql("BEGIN");
	sql("CREATE TABLE public.first_one (a int)");
	if (!run->one.nr)
		refresh_and_read(&run->cat, &run->one, "in a transaction", line);
	else
		refresh(&run->cat, &run->one, "in a transaction", line);
	sql("SAVEPOINT line");
	if (!statements(line)) {
		db_rollback(&db);
		refresh(&run->cat, &run->base, "after a failure", line);
		return false;
	}
	refresh_and_read(&run->cat, &done, "behind a savepoint", line);
	*ret_changed = strcmp(catalog_fingerprint(&done), catalog_fingerprint(&run->one)) != 0;
	refresh(&run->cat, &done, "again", line);
	sql("ROLLBACK TO SAVEPOINT line");
	refresh(&run->cat, &run->one, "after ROLLBACK TO SAVEPOINT", line);
	in_block(line, "raise exception 'no';");
	refresh(&run->cat, &run->one, "after a block with an exception", line);
	in_block(line, "");
	refresh(&run->cat, &done, "after a block", line);
	sql("ROLLBACK");
	refresh(&run->cat, &run->base, "after ROLLBACK", line);
	return true;
}

/* All in one transaction, one after the other as far as they go. */
static void one_transaction(struct run *run, const struct strvec *lines)
{
	struct catalog now CLEANUP(catalog_release) = CATALOG_INIT;

	sql("BEGIN");
	for (size_t i = 0; i < lines->nr; i++) {
		const char *line = lines->v[i];

		expects_change(&line);
		sql("SAVEPOINT line");
		if (!statements(line))
			sql("ROLLBACK TO SAVEPOINT line");
		sql("RELEASE SAVEPOINT line");
		refresh_and_read(&run->cat, &now, "one after the other", line);
	}
	sql("ROLLBACK");
	refresh(&run->cat, &run->base, "after ROLLBACK of all", "");
}

static int run_lines(const char *path)
{
	struct run run = { .cat = CATALOG_INIT, .base = CATALOG_INIT, .one = CATALOG_INIT };
	struct strvec lines CLEANUP(strvec_release) = STRVEC_INIT;
	size_t wrong = 0;

	read_lines(&lines, path);
	if (catalog_read(&run.cat, &db, NULL, &err) < 0 ||
	    catalog_read(&run.base, &db, NULL, &err) < 0)
		die("cannot read");
	for (size_t i = 0; i < lines.nr; i++) {
		const char *line = lines.v[i];
		bool expected = expects_change(&line), changed = false;
		bool done = in_transaction(&run, line, &changed);

		printf("%s\t%s\n", !done ? "failed" : changed ? "changed" : "same", line);
		wrong += !done || changed != expected;
	}
	one_transaction(&run, &lines);
	catalog_release(&run.cat);
	catalog_release(&run.base);
	catalog_release(&run.one);
	return wrong > 0;
}

static int chain_lines(const char *path)
{
	struct catalog cat CLEANUP(catalog_release) = CATALOG_INIT;
	struct catalog now CLEANUP(catalog_release) = CATALOG_INIT;
	struct strvec lines CLEANUP(strvec_release) = STRVEC_INIT;

	read_lines(&lines, path);
	if (catalog_read(&cat, &db, NULL, &err) < 0)
		die("cannot read");
	for (size_t i = 0; i < lines.nr; i++) {
		const char *line = lines.v[i];

		expects_change(&line);
		if (!statements(line))
			printf("failed\t%s\n", line);
		refresh_and_read(&cat, &now, "committed", line);
	}
	return 0;
}

/* All settings of the session, one a line. */
static char *all_settings(void)
{
	struct db_result rows CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(
		    &rows, &db,
		    "SELECT pg_catalog.string_agg(name || ' = ' || setting || ' from ' || source, E'\\n'"
		    " ORDER BY name) FROM pg_catalog.pg_settings WHERE name <> 'transaction_isolation'",
		    0, NULL, &err) < 0)
		die("pg_settings");
	return xstrdup(db_value(&rows, 0, 0));
}

static void check_settings(struct catalog *cat, const char *when)
{
	struct catalog now CLEANUP(catalog_release) = CATALOG_INIT;
	char *before CLEANUP(free_p) = all_settings();

	if (catalog_refresh(cat, &db, NULL, &err) < 0 || catalog_read(&now, &db, NULL, &err) < 0)
		die(when);
	check(cat, &now, when, "");

	char *after CLEANUP(free_p) = all_settings();
	if (strcmp(before, after) != 0)
		die(when);
}

static int settings(void)
{
	struct catalog cat CLEANUP(catalog_release) = CATALOG_INIT;

	if (catalog_read(&cat, &db, NULL, &err) < 0)
		die("cannot read");
	check_settings(&cat, "outside of a transaction");
	sql("SET search_path = other, public");
	sql("SET jit = on");
	check_settings(&cat, "set in the session");
	sql("BEGIN ISOLATION LEVEL SERIALIZABLE");
	sql("SET search_path = other");
	sql("CREATE TABLE s1 (a int)");
	sql("SET LOCAL DateStyle = 'SQL, DMY'");
	check_settings(&cat, "set in a transaction");
	sql("SAVEPOINT git_rollback_catalog"); /* the user's may have any name */
	sql("SET LOCAL TimeZone = 'Asia/Tokyo'");
	sql("CREATE TABLE s2 (a int)");
	check_settings(&cat, "set behind a savepoint");
	sql("ROLLBACK TO SAVEPOINT git_rollback_catalog");
	check_settings(&cat, "after ROLLBACK TO SAVEPOINT");
	sql("COMMIT");
	check_settings(&cat, "after COMMIT");
	sql("CREATE TABLE s3 (a int)"); /* SET outlives its transaction */
	check_settings(&cat, "later");
	return catalog_find(&cat, "table", "other.s1") && catalog_find(&cat, "table", "other.s3") &&
			       !catalog_find(&cat, "table", "other.s2") ?
		       0 :
		       1;
}

static void other_sql(struct db *other, const char *text)
{
	if (db_exec(other, text, &err) < 0)
		die(text);
}

static int others(const char *url)
{
	struct catalog cat CLEANUP(catalog_release) = CATALOG_INIT;
	struct catalog second CLEANUP(catalog_release) = CATALOG_INIT;
	struct catalog now CLEANUP(catalog_release) = CATALOG_INIT;
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	struct db other = DB_INIT;
	char *fingerprint CLEANUP(free_p) = NULL;

	/* Transactions that began before we read and end after we refreshed. */
	connect_to(&other, url);
	other_sql(&other, "BEGIN");
	other_sql(&other, "CREATE TABLE o1 (a int)");
	other_sql(&other, "COMMENT ON TABLE q IS 'by another'");
	if (catalog_read(&cat, &db, NULL, &err) < 0)
		die("cannot read");
	sql("CREATE TABLE m1 (a int)");
	refresh_and_read(&cat, &now, "before another's COMMIT", "");
	other_sql(&other, "COMMIT");
	refresh_and_read(&cat, &now, "after another's COMMIT", "");
	sql("BEGIN");
	sql("CREATE TABLE m2 (a int)");
	other_sql(&other, "DROP TABLE o1");
	refresh_and_read(&cat, &now, "after another's DROP", "");
	sql("COMMIT");

	/* Two catalogs, one session, the same prepared statements. */
	if (catalog_read(&second, &db, NULL, &err) < 0)
		die("cannot read");
	sql("BEGIN");
	sql("CREATE TABLE m3 (a int)");
	if (catalog_refresh(&second, &db, NULL, &err) < 0)
		die("the second catalog");
	check(&second, &second, "the second catalog", "");
	refresh_and_read(&cat, &now, "the first catalog", "");
	check(&second, &now, "the second catalog", "");
	sql("ROLLBACK");
	refresh_and_read(&cat, &now, "after ROLLBACK", "");

	/* On another connection. */
	db_close(&db);
	db = other;
	sql("CREATE TABLE m4 (a int)");
	refresh_and_read(&cat, &now, "on another connection", "");

	/* A transaction that has failed; the catalog stays as it was, and can be refreshed later. */
	fingerprint = xstrdup(catalog_fingerprint(&cat));
	sql("BEGIN");
	sql("DROP TABLE m4");
	if (!db_exec(&db, "SELECT 1/0", &reason))
		die("no error");
	error_clear(&reason);
	if (!catalog_refresh(&cat, &db, NULL, &reason))
		die("a failed transaction was no error");
	if (strcmp(fingerprint, catalog_fingerprint(&cat)) != 0)
		die("a failure changed the catalog");
	sql("ROLLBACK");
	refresh_and_read(&cat, &now, "after a failure", "");
	sql("DROP TABLE m4");
	refresh_and_read(&cat, &now, "after a failure, later", "");

	/* Behind a pooler nothing is prepared. */
	sql("DEALLOCATE ALL");
	db.pooled = true;
	sql("CREATE TABLE m5 (a int REFERENCES p)");
	refresh_and_read(&cat, &now, "behind a pooler", "");
	sql("COMMENT ON TABLE m5 IS 'x'");
	refresh_and_read(&cat, &now, "behind a pooler", "");
	sql("ALTER TABLE p RENAME TO p5");
	refresh_and_read(&cat, &now, "behind a pooler", "");
	sql("DROP TABLE m5");
	refresh_and_read(&cat, &now, "behind a pooler", "");

	struct db_result rows CLEANUP(db_result_release) = DB_RESULT_INIT;
	if (db_query(&rows, &db, "SELECT FROM pg_prepared_statements", 0, NULL, &err) < 0 ||
	    rows.rows)
		die("statements were prepared behind a pooler");
	return 0;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int compare_doubles(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *times, size_t nr)
{
	qsort(times, nr, sizeof(*times), compare_doubles);
	return times[nr / 2];
}

/* Each line in a transaction of its own, with a refresh inside, as a migration would be. */
static int measure(long rounds, const char *path)
{
	struct catalog cat CLEANUP(catalog_release) = CATALOG_INIT;
	struct strvec lines CLEANUP(strvec_release) = STRVEC_INIT;
	double *times = xcalloc((size_t)rounds, sizeof(*times));
	double start;

	read_lines(&lines, path);
	for (long k = 0; k < rounds; k++) {
		start = now_ms();
		if (catalog_read(&cat, &db, NULL, &err) < 0)
			die("cannot read");
		times[k] = now_ms() - start;
	}
	printf("%zu objects\n%8.2f ms  full read\n", cat.nr, median(times, (size_t)rounds));
	for (long k = 0; k < rounds; k++) {
		start = now_ms();
		cat.fingerprint[0] = '\0';
		catalog_fingerprint(&cat);
		times[k] = now_ms() - start;
	}
	printf("%8.2f ms  fingerprint\n", median(times, (size_t)rounds));
	start = now_ms();
	if (catalog_refresh(&cat, &db, NULL, &err) < 0)
		die("cannot refresh");
	printf("%8.2f ms  first refresh, nothing changed\n", now_ms() - start);
	for (size_t i = 0; i <= lines.nr; i++) {
		const char *line = i ? lines.v[i - 1] : "";

		for (long k = 0; k < rounds; k++) {
			sql("BEGIN");
			if (!statements(line))
				die(line);
			start = now_ms();
			if (catalog_refresh(&cat, &db, NULL, &err) < 0)
				die(line);
			times[k] = now_ms() - start;
			sql("ROLLBACK");
			if (catalog_refresh(&cat, &db, NULL, &err) < 0)
				die(line);
		}
		printf("%8.2f ms  %s\n", median(times, (size_t)rounds), i ? line : "nothing");
	}
	free(times);
	return 0;
}

static int compare(const char *first, const char *second)
{
	struct catalog a CLEANUP(catalog_release) = CATALOG_INIT;
	struct catalog b CLEANUP(catalog_release) = CATALOG_INIT;
	struct catalog_changes changes CLEANUP(catalog_changes_release) = CATALOG_CHANGES_INIT;

	connect_to(&db, first);
	if (catalog_read(&a, &db, NULL, &err) < 0)
		die("cannot read");
	db_close(&db);
	connect_to(&db, second);
	if (catalog_read(&b, &db, NULL, &err) < 0)
		die("cannot read");
	catalog_diff(&changes, &a, &b);
	print_changes(stdout, &changes, true);
	return strcmp(catalog_fingerprint(&a), catalog_fingerprint(&b)) != 0;
}

static int show(int argc, char **argv, bool all)
{
	struct catalog cat CLEANUP(catalog_release) = CATALOG_INIT;
	struct catalog_relation_name relations[8];
	const char *schemas[8];
	struct catalog_scope scope = { .relation = relations, .schema = schemas };

	for (; argc > 2 && argv[0][0] == '-'; argc -= 2, argv += 2) {
		char *dot = strchr(argv[1], '.');

		if (!strcmp(argv[0], "-X")) {
			schemas[scope.schema_nr++] = argv[1];
		} else if (dot) {
			*dot = '\0';
			relations[scope.relation_nr++] =
				(struct catalog_relation_name){ argv[1], dot + 1 };
		}
	}
	connect_to(&db, argv[0]);
	if (catalog_read(&cat, &db, &scope, &err) < 0)
		die("cannot read");
	for (size_t i = 0; all && i < cat.nr; i++)
		printf("%s %s\n%s", cat.item[i].kind, cat.item[i].identity, cat.item[i].definition);
	printf("%s\n", catalog_fingerprint(&cat));
	return 0;
}

int main(int argc, char **argv)
{
	int ret = 129;

	if (argc < 3) {
		puts("1..0 # SKIP not a test, but a helper of t1500-catalog.sh");
		return 0;
	}
	if (!strcmp(argv[1], "show") || !strcmp(argv[1], "fingerprint")) {
		ret = show(argc - 2, argv + 2, argv[1][0] == 's');
	} else if (!strcmp(argv[1], "compare") && argc == 4) {
		ret = compare(argv[2], argv[3]);
	} else if (!strcmp(argv[1], "settings") && argc == 3) {
		connect_to(&db, argv[2]);
		ret = settings();
	} else if (!strcmp(argv[1], "others") && argc == 3) {
		connect_to(&db, argv[2]);
		ret = others(argv[2]);
	} else if (argc >= 4) {
		connect_to(&db, argv[2]);
		if (!strcmp(argv[1], "run"))
			ret = run_lines(argv[3]);
		else if (!strcmp(argv[1], "chain"))
			ret = chain_lines(argv[3]);
		else if (!strcmp(argv[1], "measure") && argc == 5)
			ret = measure(strtol(argv[3], NULL, 10), argv[4]);
	}
	db_close(&db);
	error_release(&err);
	return ret;
}
