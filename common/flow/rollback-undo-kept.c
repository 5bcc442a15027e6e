/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "flow/rollback-undo.h"
#include "flow/save-rows.h"
#include "pg/keep.h"

static struct db *db_of(const struct undo_plan *plan)
{
	return &plan->session->db;
}

static uint32_t kept_oid(const struct undo_table *table)
{
	return (uint32_t)json_integer_value(json_object_get(table->part, "oid"));
}

/* --- The plan ------------------------------------------------------------------------------- */

static json_t *columns_of(const struct relation *relation)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < relation->nr; i++)
		if (!relation->column[i].generated)
			json_array_append_new(ret, json_text(relation->column[i].name));
	return ret;
}

/* A part as one of what is saved, but with "kept" instead of a file. */
static json_t *part_of(const json_t *kept, const struct relation *now)
{
	json_t *ret =
		json_pack("{s:s, s:O, s:O, s:O, s:O, s:s, s:b, s:o, s:o, s:[], s:s, s:n, s:o}",
			  "kind", "rows", "table", json_object_get(kept, "table"), "schema",
			  json_object_get(kept, "schema"), "name", json_object_get(kept, "name"),
			  "oid", json_object_get(kept, "oid"), "why", "DROP TABLE", "whole", true,
			  "columns", columns_of(now), "key", json_strings(&now->key),
			  "saved_columns", "format", "text", "after", "kept",
			  json_text(now->identity));

	json_object_set(ret, "place", json_object_get(kept, "place"));
	json_object_set_new(ret, "rows",
			    json_is_true(json_object_get(kept, "exact")) ?
				    json_incref(json_object_get(kept, "rows")) :
				    json_null());
	return ret;
}

/* It could be made again, but not what was in it. */
static void check_columns(struct undo_plan *plan, const json_t *kept, const struct relation *now)
{
	size_t i;
	json_t *name;

	json_array_foreach(json_object_get(kept, "columns"), i, name)
	{
		if (relation_has_column(now, json_string_value(name)))
			continue;
		verdict_refuse(&plan->verdict,
			       "table %s, which was kept as %s, has lost its column %s",
			       json_member(kept, "table"), now->identity, json_string_value(name));
		verdict_hint(&plan->verdict, "Its values are gone. To undo the rest, give the kept "
					     "table a column of that name and type.");
	}
}

static int add_kept(struct undo_plan *plan, const json_t *kept, struct error *err)
{
	struct relations now CLEANUP(relations_release) = RELATIONS_INIT;
	uint32_t oid = (uint32_t)json_integer_value(json_object_get(kept, "oid"));
	enum keep_place place;
	json_t *part;

	if (keep_find(&place, kept, db_of(plan), err) < 0)
		return error_prefix(err, "'%s/manifest.json'", plan->saved.path);
	if (place == KEEP_GONE && !plan->unrestored)
		verdict_refuse(&plan->verdict, "table %s, which was kept as %s.%s, is gone",
			       json_member(kept, "table"), json_member(kept, "in"),
			       json_member(kept, "name"));
	if (place != KEEP_THERE)
		return 0;
	if (relations_read(&now, db_of(plan), &oid, 1, err) < 0)
		return -1;
	check_columns(plan, kept, &now.item[0]);
	part = part_of(kept, &now.item[0]);
	ARRAY_GROW(plan->table, plan->table_nr + 1, plan->table_alloc);
	plan->table[plan->table_nr] = (struct undo_table){
		.part = part,
		.table = json_member(part, "table"),
		.kept = json_member(part, "kept"),
		.oid = oid,
		.order = json_array_size(json_object_get(plan->saved.manifest, "parts")) +
			 plan->table_nr,
		.whole = true,
	};
	plan->table_nr++;
	return 0;
}

int undo_add_kept(struct undo_plan *plan, struct error *err)
{
	size_t i;
	json_t *kept;

	json_array_foreach(json_object_get(plan->saved.manifest, "kept"), i, kept)
	{
		if (add_kept(plan, kept, err) < 0)
			return -1;
	}
	return 0;
}

/* --- In the place of the new one ------------------------------------------------------------ */

/*
 * What the scripts have made in its place: *ret_oid is 0 where there is nothing. False: it must not
 * go, as with it would go what nobody could make again.
 */
static int check_place(bool *ret, uint32_t *ret_oid, struct undo_plan *plan,
		       const struct undo_table *table, struct error *err)
{
	struct keep_obstacles obstacles CLEANUP(keep_obstacles_release) = KEEP_OBSTACLES_INIT;

	if (relation_find(ret_oid, db_of(plan), table->table, err) < 0 ||
	    (*ret_oid && keep_obstacles_now(&obstacles, db_of(plan), *ret_oid, false, err) < 0))
		return -1;
	*ret = !obstacles.nr && (!*ret_oid || *ret_oid != table->place);
	return 0;
}

static int swap(struct undo_plan *plan, struct undo_table *table, struct error *err)
{
	char *drop CLEANUP(free_p) = xstrfmt("DROP TABLE %s CASCADE", table->table);
	struct strbuf move CLEANUP(strbuf_release) = STRBUF_INIT;
	uint32_t oid;
	bool may_go;

	if (check_place(&may_go, &oid, plan, table, err) < 0)
		return -1;
	table->unfit = !may_go;
	if (!may_go)
		return 0;
	strbuf_addf(&move, "ALTER TABLE %s SET SCHEMA ", table->kept);
	db_quote_identifier(&move, db_of(plan), json_member(table->part, "schema"));
	if ((oid && db_exec(db_of(plan), drop, err) < 0) || db_exec(db_of(plan), move.buf, err) < 0)
		return -1;
	table->swapped = true;
	return 0;
}

/* Not where newer rows are to stay beside its own. */
static bool is_wanted(const struct undo_plan *plan, const struct undo_table *table)
{
	return table->kept && !table->unfit && !table->conflict && !plan->unrestored;
}

static bool has_kept(const struct undo_plan *plan)
{
	for (size_t i = 0; i < plan->table_nr; i++)
		if (plan->table[i].kept)
			return true;
	return false;
}

int undo_swap_kept(struct undo_plan *plan, struct error *err)
{
	if (!has_kept(plan))
		return 0;
	/* That the new tables go is no news for anybody. */
	if (db_exec(db_of(plan), "SAVEPOINT git_rollback_kept", err) < 0 ||
	    db_exec(db_of(plan),
		    "SELECT pg_catalog.set_config('search_path', '', true),"
		    " pg_catalog.set_config('client_min_messages', 'warning', true)",
		    err) < 0)
		return -1;
	for (size_t i = 0; i < plan->table_nr; i++)
		if (is_wanted(plan, &plan->table[i]) && swap(plan, &plan->table[i], err) < 0)
			return error_prefix(err, "could not put the kept table %s back",
					    plan->table[i].table);
	return 0;
}

static const json_t *find_object(const struct undo_plan *plan, const struct catalog_object *object)
{
	size_t i, k;
	json_t *list, *was;

	json_array_foreach(json_object_get(plan->saved.manifest, "objects"), i, list)
	{
		json_array_foreach(list, k, was)
		{
			const char *kind = json_member(was, "kind");
			const char *identity = json_member(was, "identity");

			if (kind && identity && !strcmp(kind, object->kind) &&
			    !strcmp(identity, object->identity))
				return was;
		}
	}
	return NULL;
}

/* Is all of it that is there as it was? What is not there is made again. */
static bool fits(const struct undo_plan *plan, const struct undo_table *table,
		 const struct catalog *now)
{
	for (size_t i = 0; i < now->nr; i++) {
		const struct catalog_object *object = &now->item[i];
		const char *before;

		if (object->group_oid != kept_oid(table) || object->order)
			continue;
		before = json_member(find_object(plan, object), "before");
		if (!before || strcmp(before, object->digest) != 0)
			return false;
	}
	return true;
}

int undo_check_kept(bool *ret_fits, struct undo_plan *plan, const struct catalog *now,
		    struct error *err)
{
	*ret_fits = true;
	if (!has_kept(plan))
		return 0;
	for (size_t i = 0; i < plan->table_nr; i++) {
		struct undo_table *table = &plan->table[i];

		if (table->swapped && !fits(plan, table, now)) {
			table->unfit = true;
			*ret_fits = false;
		}
	}
	if (*ret_fits)
		return db_exec(db_of(plan), "RELEASE SAVEPOINT git_rollback_kept", err);
	for (size_t i = 0; i < plan->table_nr; i++)
		plan->table[i].swapped = false;
	return db_exec(db_of(plan), "ROLLBACK TO SAVEPOINT git_rollback_kept", err);
}

/* --- Copied ------------------------------------------------------------------------------------ */

static bool is_copied(const struct undo_table *table)
{
	return table->kept && !table->swapped;
}

/* Its sequences' positions, by the names that they had, among those that were saved. */
static int note_sequences(struct undo_plan *plan, const struct undo_table *table, struct error *err)
{
	struct relation_sequences sequences CLEANUP(relation_sequences_release) =
		RELATION_SEQUENCES_INIT;
	json_t *list = json_object_get(plan->saved.manifest, "sequences");
	uint32_t oid = kept_oid(table);

	if (relation_sequences_read(&sequences, db_of(plan), &oid, 1, err) < 0)
		return -1;
	if (!list) {
		list = json_array();
		json_object_set_new(plan->saved.manifest, "sequences", list);
	}
	for (size_t i = 0; i < sequences.nr; i++) {
		const struct relation_sequence *sequence = &sequences.item[i];
		const char *dot = strchr(sequence->identity, '.');
		struct strbuf name CLEANUP(strbuf_release) = STRBUF_INIT;

		/* The schema's own name has no dot, and no quotes. */
		db_quote_identifier(&name, db_of(plan), json_member(table->part, "schema"));
		strbuf_addstr(&name, dot);
		json_array_append_new(list,
				      json_pack("{s:o, s:I, s:b}", "sequence", json_text(name.buf),
						"last_value", (json_int_t)sequence->last_value,
						"is_called", sequence->is_called));
	}
	return 0;
}

int undo_count_kept(struct undo_plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->table_nr; i++) {
		struct undo_table *table = &plan->table[i];
		struct save_count count;

		if (!is_copied(table))
			continue;
		if (note_sequences(plan, table, err) < 0 ||
		    save_count_rows(&count, db_of(plan), table->part, table->kept,
				    json_object_get(table->part, "columns"), err) < 0)
			return -1;
		json_object_set_new(table->part, "rows", json_integer(count.rows));
		json_object_set_new(table->part, "digest", json_string(count.digest));
	}
	return 0;
}

int undo_drop_kept(struct undo_plan *plan, struct error *err)
{
	size_t i;
	json_t *kept;

	for (i = 0; i < plan->table_nr; i++) {
		const struct undo_table *table = &plan->table[i];
		char *sql CLEANUP(free_p) = NULL;

		if (!is_copied(table) || table->result.different)
			continue;
		sql = xstrfmt("DROP TABLE %s", table->kept);
		if (db_exec(db_of(plan), sql, err) < 0)
			return error_prefix(err, "could not drop what was kept");
	}
	json_array_foreach(json_object_get(plan->saved.manifest, "kept"), i, kept)
	{
		if (keep_drop_schema(db_of(plan), json_member(kept, "in"), err) < 0)
			return error_prefix(err, "could not drop the schema of what was kept");
	}
	return 0;
}
