/* SPDX-License-Identifier: MIT */
/*
 * impact-item: from what the catalog says of the targets to an impact's items and objects. For
 * impact*.c alone.
 */
#ifndef FLOW_IMPACT_ITEM_H
#define FLOW_IMPACT_ITEM_H

#include "flow/impact-target.h"
#include "pg/lockwait.h"

struct oids {
	uint32_t *item;
	size_t nr, alloc;
};
void oids_add(struct oids *oids, uint32_t oid);
void oids_sort(struct oids *oids);
/* Of a few, or of many that are sorted. */
bool oids_have(const struct oids *oids, uint32_t oid);
bool oids_have_sorted(const struct oids *oids, uint32_t oid);

/* While an impact is read. */
struct reading {
	struct impact *impact;
	const struct catalog_scope *scope;
	struct dependency_reader reader;
	struct impact_targets targets;
	struct oids excluded; /* the scope's relations */
	/* What goes. `drop` in there is an index of drop_target, and that is one of targets. */
	struct dependencies gone;
	struct oids gone_relations; /* sorted */
	size_t *drop_target;
	/* Whose rows change; `change` likewise. */
	struct dependency_reached_list reached;
	size_t *change_target;
	struct dependency_objects triggers, foreign_keys;
	struct lockwait *lock;
	size_t lock_nr, lock_alloc;
};

void impact_item_release(struct impact_item *item);

/* Itself a relation, and not something of one. */
bool dependency_is_relation(const struct dependency *d);
/* And one with rows of its own, or of its partitions. */
bool dependency_is_table(const struct dependency *d);

/* Fills items (without counts), drop and affect, each in its order. */
void impact_collect_items(struct reading *r);

#endif
