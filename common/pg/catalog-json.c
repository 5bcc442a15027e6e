/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/memory.h"
#include "base/sort.h"
#include "pg/catalog-sql.h"
#include "pg/catalog-state.h"
#include "pg/catalog.h"

static json_t *object_to_json(const struct catalog_object *object, bool definition)
{
	json_t *json = json_pack("{s:s, s:o, s:s}", "kind", object->kind, "identity",
				 json_text(object->identity), "digest", object->digest);

	if (object->order)
		json_object_set_new(json, "order", json_true());
	if (definition)
		json_object_set_new(json, "definition", json_text(object->definition));
	return json;
}

json_t *catalog_to_json(const struct catalog *cat, bool definitions)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < cat->nr; i++)
		json_array_append_new(ret, object_to_json(&cat->item[i], definitions));
	return ret;
}

static int object_from_json(struct catalog *cat, const json_t *json)
{
	const char *name = json_member(json, "kind");
	const char *kind = name ? catalog_kind_find(name) : NULL;
	const char *identity = json_member(json, "identity");
	const char *digest = json_member(json, "digest");
	const char *definition = json_member(json, "definition");
	struct catalog_object *object;

	if (!kind || !identity || !definition || !digest ||
	    strlen(digest) + 1 != CATALOG_DIGEST_SIZE)
		return -1;
	ARRAY_GROW(cat->item, cat->nr + 1, cat->alloc);
	object = &cat->item[cat->nr++];
	*object = (struct catalog_object){
		.kind = kind,
		.identity = xstrdup(identity),
		.definition = xstrdup(definition),
		.order = json_is_true(json_object_get(json, "order")),
	};
	memcpy(object->digest, digest, CATALOG_DIGEST_SIZE);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return catalog_object_compare(a, b);
}

int catalog_from_json(struct catalog *ret, const json_t *json, struct error *err)
{
	struct catalog cat = CATALOG_INIT;
	size_t i;
	json_t *object;

	catalog_release(ret);
	json_array_foreach(json, i, object)
	{
		if (object_from_json(&cat, object) == 0)
			continue;
		catalog_release(&cat);
		return error_set(err,
				 "cannot read a recorded catalog: object %zu is damaged, "
				 "or of a kind that this version does not know",
				 i + 1);
	}
	sort(cat.item, cat.nr, sizeof(*cat.item), compare);
	*ret = cat;
	return 0;
}
