/* SPDX-License-Identifier: MIT */
#include "flow/validation.h"

#include "base/memory.h"
#include "term/output.h"

void validation_release(struct validation *validation)
{
	json_decref(validation->objects_before);
	json_decref(validation->objects_after);
	validation_defects_release(&validation->before);
	validation_defects_release(&validation->state);
	validation_defects_release(&validation->rows);
	*validation = (struct validation)VALIDATION_INIT;
}

/* "materialized view" is counted as materialized_view. */
static void set_count(json_t *counts, const char *kind, size_t nr)
{
	char *key CLEANUP(free_p) = xstrdup(kind);

	for (char *blank = strchr(key, ' '); blank; blank = strchr(blank, ' '))
		*blank = '_';
	json_object_set_new(counts, key, json_size(nr));
}

/* The catalog is sorted by kind. */
static json_t *count_objects(const struct catalog *catalog, size_t *ret_nr)
{
	json_t *ret = json_object();

	*ret_nr = 0;
	for (size_t i = 0, end; i < catalog->nr; i = end) {
		const char *kind = catalog->item[i].kind;

		for (end = i; end < catalog->nr && !strcmp(catalog->item[end].kind, kind);)
			end++;
		if (catalog->item[i].order)
			continue;
		set_count(ret, kind, end - i);
		*ret_nr += end - i;
	}
	return ret;
}

int validation_begin(struct validation *validation, struct db *db, const struct catalog *catalog,
		     struct error *err)
{
	validation->objects_before = count_objects(catalog, &validation->nr_before);
	return validation_read_defects(&validation->before, db, err);
}

int validation_check(struct validation *validation, struct db *db, const struct catalog *catalog,
		     struct validation_rows rows, struct error *err)
{
	struct validation_defects now CLEANUP(validation_defects_release) = VALIDATION_DEFECTS_INIT;

	rows.horizon = validation->before.horizon;
	rows.limit = 2000;
	json_decref(validation->objects_after);
	validation->objects_after = count_objects(catalog, &validation->nr_after);
	if (validation_read_defects(&now, db, err) < 0 ||
	    validation_read_rows(&validation->rows, db, &rows, err) < 0)
		return error_prefix(err, "could not validate the result");
	validation_defects_release(&validation->state);
	validation_take_new(&validation->state, &now, &validation->before);
	return 0;
}

/* In whatever way it is set: SET, set_config(). A mention too many only makes us look. */
bool validation_is_unguarded(const struct sql_script *script)
{
	return script->text && strcasestr(script->text, "session_replication_role");
}

size_t validation_findings(const struct validation *validation)
{
	return validation->state.nr + validation->rows.nr;
}

static void add_findings(json_t *list, const struct validation_defects *defects)
{
	for (size_t i = 0; i < defects->nr; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "kind",
						      json_text(defects->item[i].kind), "object",
						      json_text(defects->item[i].object), "detail",
						      json_text(defects->item[i].detail)));
}

json_t *validation_to_json(const struct validation *validation)
{
	json_t *findings;

	if (!validation->objects_after)
		return json_null();
	findings = json_array();
	add_findings(findings, &validation->state);
	add_findings(findings, &validation->rows);
	return json_pack("{s:O, s:O, s:o}", "objects_before", validation->objects_before,
			 "objects_after", validation->objects_after, "findings", findings);
}

static void warn_of(const struct validation_defects *defects)
{
	for (size_t i = 0; i < defects->nr; i++)
		warning("%s: %s: %s", defects->item[i].kind, defects->item[i].object,
			defects->item[i].detail);
}

void validation_warn(const struct validation *validation)
{
	warn_of(&validation->state);
	warn_of(&validation->rows);
}
