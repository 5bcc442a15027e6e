/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "flow/rollback-undo.h"

static bool has_attribute(const char *definition, const char *name)
{
	char *value CLEANUP(free_p) = catalog_attribute_value(definition, name);

	return value != NULL;
}

/* DROP INDEX CONCURRENTLY broke off: it is of no use any more, and is made anew. */
static int drop_invalid(bool *ret, struct undo_plan *plan, const json_t *object,
			const struct catalog_object *now, struct error *err)
{
	const char *was = json_member(object, "definition");
	char *sql CLEANUP(free_p) = xstrfmt("DROP INDEX %s", now->identity);

	*ret = !strcmp(now->kind, "index") && was && !has_attribute(was, "invalid") &&
	       has_attribute(now->definition, "invalid");
	return *ret ? db_exec(&plan->session->db, sql, err) : 0;
}

/*
 * What is not there; of a column that is, what others had given it: a script that adds it again has
 * not that, and a default can have gone by CASCADE.
 */
static int want(struct saved_schema_wanted *ret, struct undo_plan *plan, const json_t *object,
		const struct catalog *catalog, struct error *err)
{
	const struct catalog_object *now =
		catalog_find(catalog, json_member(object, "kind"), json_member(object, "identity"));
	bool gone = !now;

	if (now && !strcmp(now->digest, json_member(object, "before")))
		return 0;
	if (now && drop_invalid(&gone, plan, object, now, err) < 0)
		return -1;
	if (gone || !strcmp(now->kind, "column"))
		saved_schema_want(ret, object, gone ? NULL : now->definition);
	return 0;
}

static bool is_same_object(const json_t *a, const json_t *b)
{
	return json_equal(json_object_get(a, "kind"), json_object_get(b, "kind")) &&
	       json_equal(json_object_get(a, "identity"), json_object_get(b, "identity"));
}

/* What a later transaction found is what an earlier one had left, and not how it was. */
static bool is_first(const json_t *groups, size_t group, const json_t *object)
{
	const json_t *other;
	size_t k;

	if (!json_member(object, "kind") || !json_member(object, "identity"))
		return false;
	for (size_t i = 0; i < group; i++)
		json_array_foreach(json_array_get(groups, i), k, other)
		{
			if (is_same_object(other, object))
				return false;
		}
	return true;
}

int undo_find_missing(struct saved_schema_wanted *ret, bool *ret_fits, struct undo_plan *plan,
		      struct error *err)
{
	struct catalog now CLEANUP(catalog_release) = CATALOG_INIT;
	const json_t *groups = json_object_get(plan->saved.manifest, "objects");
	size_t i, k;
	json_t *list, *object;

	if (catalog_read(&now, &plan->session->db, &plan->session->scope, err) < 0)
		return error_prefix(err, "could not read the catalog");
	if (undo_check_kept(ret_fits, plan, &now, err) < 0)
		return -1;
	json_array_foreach(groups, i, list)
	{
		json_array_foreach(list, k, object)
		{
			if (json_is_string(json_object_get(object, "before")) &&
			    is_first(groups, i, object) && want(ret, plan, object, &now, err) < 0)
				return -1;
		}
	}
	return 0;
}
