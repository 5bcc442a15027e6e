/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "flow/rollback-undo.h"
#include "flow/save-rows.h"

uint32_t undo_table_left(const struct undo_table *table)
{
	const json_t *after = json_object_get(table->part, "after");

	return (uint32_t)json_integer_value(json_object_get(after, "oid"));
}

bool undo_is_merged(const struct undo_plan *plan, const struct undo_table *table)
{
	return plan->request->merge && table->conflict;
}

int undo_lock_tables(struct undo_plan *plan, struct error *err)
{
	uint32_t *oid CLEANUP(free_p) = xcalloc(plan->table_nr + 1, sizeof(*oid));
	size_t nr = 0;

	for (size_t i = 0; i < plan->table_nr; i++)
		if (undo_table_left(&plan->table[i]))
			oid[nr++] = undo_table_left(&plan->table[i]);
	if (nr && relations_lock(&plan->session->db, oid, nr, err) < 0)
		return error_prefix(err, "could not lock the tables whose rows are put back");
	return 0;
}

static bool has_columns(const struct relation *relation, const json_t *names)
{
	size_t i;
	json_t *name;

	json_array_foreach(names, i, name)
	{
		if (!relation_has_column(relation, json_string_value(name)))
			return false;
	}
	return true;
}

/* Of columns that are gone nobody can have written values: then any rows may come and go. */
static bool are_rows_free(const struct undo_table *table)
{
	const json_t *after = json_object_get(table->part, "after");
	size_t i;
	json_t *name;

	json_array_foreach(json_object_get(after, "columns"), i, name)
	{
		if (!json_has(json_object_get(table->part, "key"), name))
			return false;
	}
	return !table->whole;
}

/* The rollback left no such table: is there one now, which is not a view in its place? */
static int check_name(bool *ret, struct undo_plan *plan, const struct undo_table *table,
		      struct error *err)
{
	struct relations now CLEANUP(relations_release) = RELATIONS_INIT;
	struct db *db = &plan->session->db;
	uint32_t oid;

	*ret = false;
	if (!table->whole)
		return 0;
	if (relation_find(&oid, db, table->table, err) < 0 ||
	    relations_read(&now, db, &oid, 1, err) < 0)
		return -1;
	*ret = oid && (!now.nr || now.item[0].kind != 'v');
	return 0;
}

/* Is what the rollback left not there any more as it was? */
static int check_left(bool *ret, struct undo_plan *plan, const struct undo_table *table,
		      struct error *err)
{
	struct relations now CLEANUP(relations_release) = RELATIONS_INIT;
	const json_t *after = json_object_get(table->part, "after");
	const json_t *columns = json_object_get(after, "columns");
	uint32_t oid = undo_table_left(table);
	struct save_count count;

	if (relations_read(&now, &plan->session->db, &oid, 1, err) < 0)
		return -1;
	*ret = !now.nr || !has_columns(now.item, columns);
	if (*ret || are_rows_free(table))
		return 0;
	if (save_count_rows(&count, &plan->session->db, table->part, now.item[0].identity, columns,
			    err) < 0)
		return -1;
	*ret = strcmp(count.digest, json_member(after, "digest")) != 0 ||
	       count.rows != json_integer_value(json_object_get(after, "rows"));
	return 0;
}

int undo_find_conflicts(struct undo_plan *plan, struct error *err)
{
	strvec_release(&plan->conflicts);
	for (size_t i = 0; i < plan->table_nr; i++) {
		const struct undo_table *table = &plan->table[i];
		bool conflict;

		if ((undo_table_left(table) ? check_left(&conflict, plan, table, err) :
					      check_name(&conflict, plan, table, err)) < 0)
			return -1;
		if ((conflict || table->unclear) && !strvec_has(&plan->conflicts, table->table))
			strvec_push(&plan->conflicts, table->table);
	}
	/* Whichever of its parts it was. */
	for (size_t i = 0; i < plan->table_nr; i++)
		plan->table[i].conflict = strvec_has(&plan->conflicts, plan->table[i].table);
	return 0;
}

int undo_find_tables(struct undo_plan *plan, struct error *err)
{
	struct db *db = &plan->session->db;

	for (size_t i = 0; i < plan->table_nr; i++) {
		struct relations now CLEANUP(relations_release) = RELATIONS_INIT;
		struct undo_table *table = &plan->table[i];
		uint32_t oid = undo_table_left(table);

		if (relations_read(&now, db, &oid, 1, err) < 0)
			return -1;
		if (now.nr) {
			json_object_set_new(table->part, "table", json_text(now.item[0].identity));
			table->table = json_member(table->part, "table");
		} else if (relation_find(&oid, db, table->table, err) < 0) {
			return -1;
		}
		table->now = oid;
		if (oid)
			continue;
		error_set(err, "cannot put rows back: there is no table %s now", table->table);
		return error_code(err, EXIT_NO);
	}
	return 0;
}
