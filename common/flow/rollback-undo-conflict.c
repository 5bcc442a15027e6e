/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/text.h"
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

/* The rollback left not this table: is there one now, which is not a view in its place? */
static int check_name(bool *ret, struct undo_plan *plan, struct undo_table *table,
		      struct error *err)
{
	struct relations now CLEANUP(relations_release) = RELATIONS_INIT;
	struct db *db = &plan->session->db;
	uint32_t oid;

	*ret = false;
	table->place = 0;
	if (!table->whole)
		return 0;
	if (relation_find(&oid, db, table->table, err) < 0 ||
	    relations_read(&now, db, &oid, 1, err) < 0)
		return -1;
	*ret = oid && (!now.nr || now.item[0].kind != 'v');
	/* The rollback left that, as where it had been renamed. */
	if (*ret && json_integer_value(json_object_get(table->part, "place")) == (json_int_t)oid) {
		table->place = oid;
		*ret = false;
	}
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
		struct undo_table *table = &plan->table[i];
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

/* --- Rows that others wrote while a script ran outside a transaction ---------------------------- */

static bool is_unwatched(const struct undo_plan *plan, const json_t *group)
{
	size_t i;
	json_t *migration;

	json_array_foreach(json_object_get(plan->saved.manifest, "migrations"), i, migration)
	{
		if (json_is_true(json_object_get(migration, "unwatched")) && group &&
		    json_equal(json_object_get(migration, "group"), group))
			return true;
	}
	return false;
}

/* What a script did to a table, outside a transaction, by its text. */
struct outside_effect {
	bool any, adds, changes;
};

static bool names_any(const char *why, const char *const *word, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (strstr(why, word[i]))
			return true;
	return false;
}

static struct outside_effect effect_on(const struct undo_plan *plan, const struct undo_table *table)
{
	static const char *const adding[] = { "INSERT", "MERGE", "COPY" };
	static const char *const taking[] = { "DELETE", "TRUNCATE" };
	struct outside_effect ret = { 0 };
	size_t i;
	json_t *part;

	json_array_foreach(json_object_get(plan->saved.manifest, "parts"), i, part)
	{
		const char *why = json_member(part, "why");

		if (!why ||
		    !json_equal(json_object_get(part, "oid"), json_object_get(table->part, "oid")))
			continue;
		ret.any = ret.any || is_unwatched(plan, json_object_get(part, "group"));
		ret.adds = ret.adds || names_any(why, adding, ARRAY_SIZE(adding));
		ret.changes = ret.changes || strchr(why, ',') ||
			      !text_is_one_of(why, taking, ARRAY_SIZE(taking));
	}
	return ret;
}

/* Its own new rows nobody can tell from those of others; changed ones only by their keys. */
static bool is_told_apart(const struct undo_table *table, struct outside_effect effect)
{
	const json_t *after = json_object_get(table->part, "after");

	return table->whole && !table->conflict && undo_table_left(table) && effect.any &&
	       !effect.adds &&
	       (!effect.changes || json_array_size(json_object_get(table->part, "key"))) &&
	       json_equal(json_object_get(after, "columns"),
			  json_object_get(table->part, "columns"));
}

static int find_others(bool *ret, struct undo_plan *plan, const struct undo_table *table,
		       struct put_back *back, struct error *err)
{
	struct relations now CLEANUP(relations_release) = RELATIONS_INIT;
	struct outside_effect effect = effect_on(plan, table);
	uint32_t oid = undo_table_left(table);
	int64_t rows = 0;

	*ret = false;
	if (!is_told_apart(table, effect))
		return 0;
	if (relations_read(&now, &plan->session->db, &oid, 1, err) < 0 ||
	    (now.nr && put_back_count_others(&rows, back, table->part, now.item[0].identity,
					     effect.changes, err) < 0))
		return -1;
	*ret = rows > 0;
	return 0;
}

int undo_find_others(struct undo_plan *plan, struct put_back *back, struct error *err)
{
	for (size_t i = 0; i < plan->table_nr; i++) {
		struct undo_table *table = &plan->table[i];
		bool others;

		if (find_others(&others, plan, table, back, err) < 0)
			return -1;
		if (!others)
			continue;
		table->conflict = true;
		if (!strvec_has(&plan->conflicts, table->table))
			strvec_push(&plan->conflicts, table->table);
	}
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
		if (oid && oid == table->place) {
			error_set(err,
				  "cannot put rows back: table %s is what the rollback left, and "
				  "was not moved",
				  table->table);
			return error_code(err, EXIT_NO);
		}
		if (oid)
			continue;
		error_set(err, "cannot put rows back: there is no table %s now", table->table);
		return error_code(err, EXIT_NO);
	}
	return 0;
}
