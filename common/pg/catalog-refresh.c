/* SPDX-License-Identifier: MIT */
#include "pg/catalog.h"

#include "base/memory.h"
#include "pg/catalog-state.h"

int catalog_refresh(struct catalog *cat, struct db *db, struct catalog_changes *ret,
		    struct error *err)
{
	struct catalog now CLEANUP(catalog_release) = CATALOG_INIT;
	struct catalog swap;

	if (catalog_read_scope(&now, db, &cat->state->scope, err) < 0)
		return -1;
	if (ret)
		catalog_diff(ret, cat, &now);
	swap = *cat;
	*cat = now;
	now = swap;
	return 0;
}
