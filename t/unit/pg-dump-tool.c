/* SPDX-License-Identifier: MIT */
/*
 * What t1610-dump.sh does with archives. No test program itself.
 *
 *   archive URL FILE           the schema of the database, into FILE
 *   archive-rows URL FILE      all of it
 *   list URL FILE              its entries: id, class and object, type, rest; separated by "|"
 *   sql URL FILE [OID...]      the SQL of entries with these OIDs, or of all
 *   restore URL FILE           an archive into the database
 *   restore-text URL FILE      SQL into it
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "pg/dump.h"

static struct db db = DB_INIT;
static struct error err = ERROR_INIT;

static void check(int ret)
{
	if (ret < 0)
		exit(error_exit(&err));
}

static void write_archive(const char *path, bool rows)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct dump dump CLEANUP(dump_release) = DUMP_INIT;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int started;

	check(db_exec(&db, "BEGIN ISOLATION LEVEL REPEATABLE READ", &err));
	check(db_query(&res, &db, "SELECT pg_catalog.pg_export_snapshot()", 0, NULL, &err));
	started = dump_start_archive(&dump, &db, db_value(&res, 0, 0), rows, fd, &err);
	check(started == DUMP_NO_PROGRAM ? dump_no_program(&db, &err) : started);
	check(dump_finish(NULL, &dump, &err));
	close(fd);
}

static void print_entries(const struct archive_entries *entries)
{
	for (size_t i = 0; i < entries->nr; i++) {
		const struct archive_entry *e = &entries->item[i];

		printf("%d|%u|%u|%s|%s\n", e->id, e->class_oid, e->oid, e->type, e->rest);
	}
}

static void print_sql(const char *path, const struct archive_entries *entries, char **oids)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	bool *wanted CLEANUP(free_p) = xcalloc(entries->nr + 1, sizeof(*wanted));

	for (char **oid = oids; *oid; oid++)
		for (size_t i = 0; i < entries->nr; i++)
			wanted[i] |= entries->item[i].oid == strtoul(*oid, NULL, 10);
	check(archive_sql(&sql, path, &db, entries, *oids ? wanted : NULL, &err));
	fputs(sql.buf, stdout);
}

int main(int argc, char **argv)
{
	struct archive_entries entries CLEANUP(archive_entries_release) = ARCHIVE_ENTRIES_INIT;
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	const struct db_options options = {
		.conninfo = argc > 2 ? argv[2] : "",
		.environment = "test",
		.application_name = "pg-dump-tool",
	};

	if (argc < 4) {
		puts("1..0 # SKIP not a test, but a helper of t1610-dump.sh");
		return 0;
	}
	interrupt_catch();
	check(db_open_start(&db, &options, &err));
	check(db_open_finish(&db, &err));
	if (!strncmp(argv[1], "archive", 7)) {
		write_archive(argv[3], !strcmp(argv[1], "archive-rows"));
	} else if (!strcmp(argv[1], "restore")) {
		check(dump_restore_archive(&db, argv[3], &err));
	} else if (!strcmp(argv[1], "restore-text")) {
		check(file_read(&text, argv[3], &err));
		check(dump_restore_text(&db, &text, &err));
	} else {
		check(archive_list(&entries, argv[3], &db, &err));
		if (!strcmp(argv[1], "list"))
			print_entries(&entries);
		else
			print_sql(argv[3], &entries, argv + 4);
	}
	db_close(&db);
	return 0;
}
