/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "flow/rollback-undo.h"
#include "flow/save-rows.h"

static void add(struct undo_plan *plan, const char *table, const char *why)
{
	for (size_t i = 0; i < plan->unproven_nr; i++)
		if (table && plan->unproven[i].table && !strcmp(plan->unproven[i].table, table))
			return;
	ARRAY_GROW(plan->unproven, plan->unproven_nr + 1, plan->unproven_alloc);
	plan->unproven[plan->unproven_nr++] = (struct undo_unproven){
		.table = xstrdup_or_null(table),
		.why = xstrdup(why),
	};
}

/* It has the very rows that were saved. */
static bool is_filled(const struct undo_plan *plan, uint32_t oid)
{
	for (size_t i = 0; i < plan->table_nr; i++)
		if (plan->table[i].whole && plan->table[i].now == oid)
			return !undo_is_merged(plan, &plan->table[i]);
	return false;
}

static bool is_put_back(const struct undo_plan *plan, uint32_t oid)
{
	for (size_t i = 0; i < plan->table_nr; i++)
		if (plan->table[i].now == oid)
			return true;
	/* An earlier undo has put the others back. */
	return plan->unrestored != NULL;
}

static bool is_kind(const json_t *object, const char *kind)
{
	const char *is = json_member(object, "kind");

	return is && !strcmp(is, kind);
}

const json_t *undo_find_saved(const struct save *save, uint32_t oid)
{
	size_t i;
	json_t *part;

	json_array_foreach(json_object_get(save->folder.manifest, "parts"), i, part)
	{
		if (is_kind(part, "rows") && json_is_true(json_object_get(part, "whole")) &&
		    json_integer_value(json_object_get(part, "oid")) == (json_int_t)oid)
			return part;
	}
	return NULL;
}

/* In the columns that it had before the scripts, are the rows what they were then? */
static int is_same(bool *ret, struct undo_plan *plan, const struct relation *now,
		   const struct save *save, struct error *err)
{
	const json_t *part = undo_find_saved(save, now->oid);
	const json_t *columns = json_object_get(part, "columns");
	struct save_count count;
	size_t i;
	json_t *name;

	*ret = false;
	json_array_foreach(columns, i, name)
	{
		if (!relation_has_column(now, json_string_value(name)))
			return 0;
	}
	if (!part)
		return 0;
	if (save_count_rows(&count, &plan->session->db, part, now->identity, columns, err) < 0)
		return -1;
	*ret = !strcmp(count.digest, json_member(part, "digest")) &&
	       count.rows == json_integer_value(json_object_get(part, "rows"));
	return 0;
}

/* Did the scripts change other rows than those that were put back? */
static int check_change(struct undo_plan *plan, const struct relation_loss *change,
			const struct save *save, struct error *err)
{
	struct relations now CLEANUP(relations_release) = RELATIONS_INIT;
	bool same;

	/* A column that went takes nothing along: the proof of the schema says that it is to go. */
	if (change->dropped || is_filled(plan, change->oid) ||
	    (!change->rewritten && !change->inserted && !change->updated && !change->deleted))
		return 0;
	if (relations_read(&now, &plan->session->db, &change->oid, 1, err) < 0)
		return -1;
	if (!now.nr)
		return 0;
	if (is_same(&same, plan, now.item, save, err) < 0)
		return -1;
	if (!same)
		add(plan, now.item[0].identity, "changed by the scripts again");
	return 0;
}

/* Tables that the rollback only put rows into, which nobody has taken out. */
static int check_inserted(struct undo_plan *plan, const json_t *inserted, struct error *err)
{
	struct relations now CLEANUP(relations_release) = RELATIONS_INIT;
	uint32_t oid = (uint32_t)json_integer_value(json_object_get(inserted, "oid"));

	if (is_filled(plan, oid))
		return 0;
	if (relations_read(&now, &plan->session->db, &oid, 1, err) < 0)
		return -1;
	if (now.nr)
		add(plan, now.item[0].identity, "rows that the rollback added are still there");
	return 0;
}

/* Their rows are saved by nobody: they are filled from what is there now. */
static int check_view(struct undo_plan *plan, const json_t *object, struct error *err)
{
	const char *identity = json_member(object, "identity");
	uint32_t oid;

	if (!is_kind(object, "materialized view") || !identity ||
	    !json_is_string(json_object_get(object, "before")))
		return 0;
	if (relation_find(&oid, &plan->session->db, identity, err) < 0)
		return -1;
	if (oid)
		add(plan, identity, "a materialized view, filled anew");
	return 0;
}

/* It went, or a column of it, and is there again: from where are its rows? */
static int check_dropped(struct undo_plan *plan, const json_t *object, struct error *err)
{
	struct relations now CLEANUP(relations_release) = RELATIONS_INIT;
	const char *identity = json_member(object, "identity");
	uint32_t oid;

	if (!is_kind(object, "table") || !identity ||
	    !json_is_string(json_object_get(object, "before")) ||
	    !json_is_null(json_object_get(object, "after")))
		return 0;
	if (relation_find(&oid, &plan->session->db, identity, err) < 0 ||
	    relations_read(&now, &plan->session->db, &oid, 1, err) < 0)
		return -1;
	for (size_t i = 0; i < now.nr; i++)
		if (now.item[i].kind == 'r' && !is_put_back(plan, now.item[i].oid))
			add(plan, now.item[i].identity, "its rows were not saved");
	return 0;
}

/* What nobody could look at while it was done. */
static void add_unknown(struct undo_plan *plan)
{
	const json_t *migrations = json_object_get(plan->saved.manifest, "migrations");
	size_t i;
	json_t *migration;

	if (plan->unsaved)
		add(plan, NULL, "what the rollback changed was not saved (--no-save)");
	json_array_foreach(migrations, i, migration)
	{
		if (!json_is_true(json_object_get(migration, "unwatched")))
			continue;
		add(plan, NULL,
		    "of what ran outside a transaction only what its text says was saved");
		return;
	}
}

static int check_objects(struct undo_plan *plan, struct error *err)
{
	size_t i, k;
	json_t *list, *object;

	json_array_foreach(json_object_get(plan->saved.manifest, "objects"), i, list)
	{
		json_array_foreach(list, k, object)
		{
			if (check_view(plan, object, err) < 0 ||
			    check_dropped(plan, object, err) < 0)
				return -1;
		}
	}
	return 0;
}

int undo_find_unproven(struct undo_plan *plan, const struct relation_losses *changes,
		       const struct save *save, struct error *err)
{
	size_t i;
	json_t *inserted;

	for (i = 0; i < changes->nr; i++)
		if (check_change(plan, &changes->item[i], save, err) < 0)
			return -1;
	json_array_foreach(json_object_get(plan->saved.manifest, "inserted"), i, inserted)
	{
		if (check_inserted(plan, inserted, err) < 0)
			return -1;
	}
	for (i = 0; i < plan->table_nr; i++)
		if (plan->table[i].result.different)
			add(plan, plan->table[i].table, "not all rows are as they were saved");
	add_unknown(plan);
	return check_objects(plan, err);
}
