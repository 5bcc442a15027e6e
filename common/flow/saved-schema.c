/* SPDX-License-Identifier: MIT */
#include "flow/saved-schema.h"

#include "base/memory.h"
#include "term/output.h"

void saved_schema_wanted_release(struct saved_schema_wanted *wanted)
{
	for (size_t i = 0; i < wanted->nr; i++) {
		free(wanted->item[i].kind);
		free(wanted->item[i].identity);
	}
	free(wanted->item);
	*wanted = (struct saved_schema_wanted)SAVED_SCHEMA_WANTED_INIT;
}

void saved_schema_want(struct saved_schema_wanted *wanted, const char *kind, const char *identity,
		       const json_t *class_oid, const json_t *oid)
{
	ARRAY_GROW(wanted->item, wanted->nr + 1, wanted->alloc);
	wanted->item[wanted->nr++] = (struct saved_schema_object){
		.kind = xstrdup(kind),
		.identity = xstrdup(identity),
		.class_oid = (uint32_t)json_integer_value(class_oid),
		.oid = (uint32_t)json_integer_value(oid),
	};
}

int saved_schema_remake(struct strvec *ret, const struct saved_schema_wanted *wanted,
			struct saved *saved, struct session *s, struct error *err)
{
	(void)ret;
	(void)saved;
	(void)s;
	(void)err;
	if (wanted->nr)
		warning("%zu objects are missing", wanted->nr);
	return 0;
}
