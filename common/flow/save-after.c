/* SPDX-License-Identifier: MIT */
#include "flow/save-rows.h"
#include "flow/save.h"

/* Those of the saved columns that the table still has. */
static json_t *columns_left(const json_t *part, const struct relation *now)
{
	json_t *ret = json_array(), *column;
	size_t i;

	json_array_foreach(json_object_get(part, "columns"), i, column)
	{
		for (size_t k = 0; k < now->nr; k++)
			if (!now->column[k].generated &&
			    !strcmp(now->column[k].name, json_string_value(column)))
				json_array_append(ret, column);
	}
	return ret;
}

/* What is left under the name of one that is gone. */
static int note_place(struct db *db, json_t *part, struct error *err)
{
	uint32_t oid;

	if (relation_find(&oid, db, json_member(part, "table"), err) < 0)
		return -1;
	if (oid)
		json_object_set_new(part, "place", json_size(oid));
	return 0;
}

/* By its OID: what has its name now may be a view. */
static int count_after(struct db *db, json_t *part, struct error *err)
{
	struct relations now CLEANUP(relations_release) = RELATIONS_INIT;
	uint32_t oid = (uint32_t)json_integer_value(json_object_get(part, "oid"));
	json_t *columns CLEANUP(json_decref_p) = NULL;
	struct save_count count;

	json_object_set_new(part, "after", json_null());
	if (relations_read(&now, db, &oid, 1, err) < 0)
		return -1;
	if (!now.nr || now.item[0].kind != 'r')
		return note_place(db, part, err);
	columns = columns_left(part, now.item);
	if (save_count_rows(&count, db, part, now.item[0].identity, columns, err) < 0)
		return -1;
	json_object_set_new(part, "after",
			    json_pack("{s:O, s:o, s:O, s:I, s:s}", "oid",
				      json_object_get(part, "oid"), "table",
				      json_text(now.item[0].identity), "columns", columns, "rows",
				      (json_int_t)count.rows, "digest", count.digest));
	return 0;
}

static bool is_of_group(const json_t *part, size_t group)
{
	const char *kind = json_member(part, "kind");

	return kind && !strcmp(kind, "rows") &&
	       json_integer_value(json_object_get(part, "group")) == (json_int_t)group;
}

static int count_group(struct save *save, struct error *err)
{
	size_t i;
	json_t *part;

	json_array_foreach(json_object_get(save->folder.manifest, "parts"), i, part)
	{
		if (is_of_group(part, save->group) &&
		    count_after(&save->session->db, part, err) < 0)
			return -1;
	}
	return 0;
}

int save_after(struct save *save, struct error *err)
{
	struct db *db = &save->session->db;

	if (!save->folder.path || !save->nr)
		return 0;
	if (db_exec(db, "SAVEPOINT git_rollback_after", err) < 0 || save_settings(db, err) < 0 ||
	    count_group(save, err) < 0 ||
	    db_exec(db, "ROLLBACK TO SAVEPOINT git_rollback_after", err) < 0)
		return -1;
	return db_exec(db, "RELEASE SAVEPOINT git_rollback_after", err);
}

int save_take_back(struct save *save, struct error *err)
{
	json_t *parts = json_object_get(save->folder.manifest, "parts");

	for (size_t i = json_array_size(parts); i; i--)
		if (is_of_group(json_array_get(parts, i - 1), save->group))
			json_array_remove(parts, i - 1);
	return save->folder.path ? saved_finish(&save->folder, err) : 0;
}
