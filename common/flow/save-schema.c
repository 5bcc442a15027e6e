/* SPDX-License-Identifier: MIT */
#include "flow/save-schema.h"

#include <unistd.h>

#include "flow/payload-schema.h"
#include "term/output.h"

void save_schema_release(struct save_schema *schema)
{
	dump_release(&schema->dump);
	saved_part_release(&schema->part);
}

static int note_populated(struct saved *folder, struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	json_t *list;

	if (db_query(&res, db,
		     "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)"
		     " FROM pg_catalog.pg_class c"
		     " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		     " WHERE c.relkind = 'm' AND c.relispopulated ORDER BY c.oid",
		     0, NULL, err) < 0)
		return -1;
	list = json_array();
	for (size_t i = 0; i < res.rows; i++)
		json_array_append_new(list, json_text(db_value(&res, i, 0)));
	json_object_set_new(folder->manifest, "populated", list);
	return 0;
}

int save_schema_is_masked(bool *ret, struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(
		    &res, db,
		    "SELECT EXISTS (SELECT FROM pg_catalog.pg_user_mappings"
		    "  WHERE umoptions IS NOT NULL)"
		    " OR EXISTS (SELECT FROM pg_catalog.pg_foreign_server s,"
		    "  pg_catalog.unnest(s.srvoptions) o WHERE o ~* '(pass|secret|token|key)[^=]*=')",
		    0, NULL, err) < 0)
		return -1;
	*ret = db_bool(&res, 0, 0);
	return 0;
}

/*
 * pg_dump locks, and so has to be allowed to read, each table that it writes down. Those that the
 * role may not read it could not drop or change either, as a rule.
 */
static int exclude_unreadable(struct save_schema *schema, struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(&res, db,
		     "SELECT '--exclude-schema=\"' || pg_catalog.replace(nspname, '\"', '\"\"') || '\"'"
		     " FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_'"
		     "  AND NOT pg_catalog.has_schema_privilege(oid, 'USAGE')"
		     " UNION ALL SELECT '--exclude-table=\"'"
		     "  || pg_catalog.replace(n.nspname, '\"', '\"\"') || '\".\"'"
		     "  || pg_catalog.replace(c.relname, '\"', '\"\"') || '\"'"
		     " FROM pg_catalog.pg_class c"
		     " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		     " WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND n.nspname !~ '^pg_'"
		     "  AND n.nspname <> 'information_schema'"
		     "  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
		     "  AND NOT pg_catalog.has_table_privilege(c.oid, 'SELECT')",
		     0, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < res.rows; i++)
		strvec_push(&schema->dump.options, db_value(&res, i, 0));
	if (res.rows)
		warning("%zu schemas and tables that the role may not read are not in the schema "
			"that is saved",
			res.rows);
	/* Longer than its default: what stands in its way may be no business of the rollback's. */
	strvec_push(&schema->dump.options, "--lock-wait-timeout=20s");
	return 0;
}

/* Many a table of the database is none of the rollback's. */
static int explain(struct error *err)
{
	error_prefix(err, "could not save the schema first");
	error_hint(err,
		   "Use --no-snapshot to go without, where what holds it up cannot be helped.");
	return err->exit_code ? -1 : error_code(err, EXIT_REFUSED);
}

/* An archive that is none would be found out when it is needed. */
static int check_archive(struct save_schema *schema, struct error *err)
{
	static const char magic[] = "PGDMP";
	char start[sizeof(magic)] = "";

	if (pread(saved_part_fd(&schema->part), start, strlen(magic), 0) ==
		    (ssize_t)strlen(magic) &&
	    !strcmp(start, magic))
		return 0;
	return error_set(err, "pg_dump has written no archive");
}

static int start(struct save_schema *schema, struct saved *folder, struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *snapshot;

	if (saved_part_begin(&schema->part, folder, schema->text ? "sql" : "dump", schema->text,
			     err) < 0 ||
	    db_query(&res, db, "SELECT pg_catalog.pg_export_snapshot()", 0, NULL, err) < 0)
		return -1;
	snapshot = db_value(&res, 0, 0);
	return schema->text ? dump_start(&schema->dump, db, snapshot, err) :
			      dump_start_archive(&schema->dump, db, snapshot, false,
						 saved_part_fd(&schema->part), err);
}

int save_schema_start(struct save_schema *schema, struct saved *folder, struct session *s,
		      struct error *err)
{
	int started;

	if (note_populated(folder, &s->db, err) < 0 ||
	    save_schema_is_masked(&schema->text, &s->db, err) < 0 ||
	    exclude_unreadable(schema, &s->db, err) < 0)
		return -1;
	started = start(schema, folder, &s->db, err);
	if (started != DUMP_NO_PROGRAM)
		return started;
	dump_no_program(&s->db, err);
	error_prefix(err, "cannot save the schema first");
	error_hint(err, "Use --no-snapshot to go without.");
	return error_code(err, EXIT_REFUSED);
}

static int finish_text(struct save_schema *schema, struct error *err)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf masked CLEANUP(strbuf_release) = STRBUF_INIT;

	if (dump_finish(&text, &schema->dump, err) < 0)
		return -1;
	payload_schema_mask(&masked, text.buf, text.len);
	if (saved_part_write(&schema->part, masked.buf, masked.len, err) < 0)
		return -1;
	warning("the schema is saved with the options of user mappings and servers masked; what "
		"goes by CASCADE cannot be made again out of it");
	return saved_part_finish(&schema->part, json_pack("{s:s}", "kind", "schema text"), err);
}

int save_schema_finish(struct save_schema *schema, struct error *err)
{
	int ret;

	if (schema->text)
		ret = finish_text(schema, err);
	else if (dump_finish(NULL, &schema->dump, err) < 0 || check_archive(schema, err) < 0)
		ret = -1;
	else
		ret = saved_part_finish(&schema->part, json_pack("{s:s}", "kind", "schema"), err);
	return ret < 0 ? explain(err) : 0;
}
