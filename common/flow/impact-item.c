/* SPDX-License-Identifier: MIT */
#include "flow/impact-item.h"

#include "base/memory.h"
#include "base/sort.h"

void oids_add(struct oids *oids, uint32_t oid)
{
	ARRAY_GROW(oids->item, oids->nr + 1, oids->alloc);
	oids->item[oids->nr++] = oid;
}

static int compare_oids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void oids_sort(struct oids *oids)
{
	sort(oids->item, oids->nr, sizeof(*oids->item), compare_oids);
}

bool oids_have(const struct oids *oids, uint32_t oid)
{
	for (size_t i = 0; i < oids->nr; i++)
		if (oids->item[i] == oid)
			return true;
	return false;
}

bool oids_have_sorted(const struct oids *oids, uint32_t oid)
{
	return oids->nr && bsearch(&oid, oids->item, oids->nr, sizeof(oid), compare_oids);
}

bool dependency_is_relation(const struct dependency *d)
{
	return d->relation && d->relation == d->oid && !d->sub;
}

bool dependency_is_table(const struct dependency *d)
{
	return dependency_is_relation(d) && (d->relkind == 'r' || d->relkind == 'p');
}

/* --- Items ---------------------------------------------------------------------------------- */

struct collected {
	struct impact_item item;
	size_t target; /* the first that does it, which is its place in the order */
};
struct collection {
	struct reading *reading;
	struct collected *found;
	size_t nr, alloc;
};

/* The same kind of the same table and column: NULL when there is none yet. */
static struct collected *find_item(const struct collection *c, enum impact_kind kind, uint32_t oid,
				   const char *column)
{
	for (size_t i = 0; i < c->nr; i++) {
		const struct impact_item *item = &c->found[i].item;

		if (item->kind == kind && item->oid == oid &&
		    (!column || !strcmp(column, item->column)))
			return &c->found[i];
	}
	return NULL;
}

/* `why` is taken over, and the column and its identity are copied. */
static struct impact_item *add_item(struct collection *c, const struct impact_item *item,
				    size_t target)
{
	struct collected *found = find_item(c, item->kind, item->oid, item->column);

	if (found) {
		if (target < found->target)
			found->target = target;
		if (!strstr(found->item.why, item->why)) {
			char *both = xstrfmt("%s, %s", found->item.why, item->why);

			free(found->item.why);
			found->item.why = both;
		}
		free(item->why);
		found->item.stays = found->item.stays && item->stays;
		found->item.inserts_only = found->item.inserts_only && item->inserts_only;
		found->item.all = found->item.all || item->all;
		return &found->item;
	}
	ARRAY_GROW(c->found, c->nr + 1, c->alloc);
	c->found[c->nr] = (struct collected){ .item = *item, .target = target };
	c->found[c->nr].item.rows = -1;
	c->found[c->nr].item.column = xstrdup_or_null(item->column);
	c->found[c->nr].item.identity = xstrdup_or_null(item->identity);
	return &c->found[c->nr++].item;
}

static bool goes_as_a_whole(const struct collection *c, uint32_t oid)
{
	return oids_have_sorted(&c->reading->gone_relations, oid) ||
	       find_item(c, IMPACT_TABLE, oid, NULL);
}

/* "DROP TABLE" of what is named, "DROP SCHEMA s CASCADE" of what goes with that. */
static char *why_it_goes(const struct reading *r, const struct dependency *d)
{
	const struct sql_effect *e = r->targets.item[r->drop_target[d->drop]].effect;
	bool inherited = d->sub && e->kind == SQL_EFFECT_DROP_COLUMN && !d->cascaded;

	return impact_effect_text(e, !d->named && !inherited);
}

/* The DROP TABLE that names it, if that is what takes it. */
static const struct sql_effect *drop_of(const struct reading *r, const struct dependency *d)
{
	const struct sql_effect *e = r->targets.item[r->drop_target[d->drop]].effect;

	return d->named && e->kind == SQL_EFFECT_DROP && !strcmp(e->type, "table") ? e : NULL;
}

static void add_object(struct impact *impact, const struct dependency *d)
{
	ARRAY_GROW(impact->drop, impact->drop_nr + 1, impact->drop_alloc);
	impact->drop[impact->drop_nr++] = (struct impact_object){
		.kind = d->kind,
		.identity = xstrdup(d->identity),
		.class_oid = d->class_oid,
		.oid = d->oid,
		.sub = d->sub,
		.relation = d->relation,
		.why = d->named		       ? NULL :
		       d->cascaded && !d->part ? xstrdup("CASCADE") :
						 xstrdup("part"),
	};
}

/* Tables and columns with rows of their own are items, and what else goes are objects. */
static void collect_gone(struct collection *c, const struct dependency *d)
{
	struct reading *r = c->reading;
	struct impact_item item = {
		.kind = IMPACT_TABLE,
		.oid = d->relation,
		.relkind = d->relkind,
	};
	bool column = d->sub && (d->relkind == 'r' || d->relkind == 'p');

	if (d->hidden || oids_have(&r->excluded, d->relation) || (column && d->part))
		return;
	if (((column && !d->generated) || dependency_is_table(d)) && !d->part) {
		item.kind = column ? IMPACT_COLUMN : IMPACT_TABLE;
		item.attnum = (int16_t)d->sub;
		item.column = column ? d->name : NULL;
		item.identity = column ? d->identity : NULL;
		item.why = why_it_goes(r, d);
		item.drop = column ? NULL : drop_of(r, d);
		add_item(c, &item, r->drop_target[d->drop]);
		return;
	}
	add_object(r->impact, d);
	if (d->relkind == 'S' && dependency_is_relation(d) && !d->part) {
		item.kind = IMPACT_ROWS;
		item.why = why_it_goes(r, d);
		add_item(c, &item, r->drop_target[d->drop]);
	}
}

static char *why_it_changes(const struct reading *r, const struct dependency_reached *d)
{
	const struct sql_effect *e = r->targets.item[r->change_target[d->change]].effect;
	char *verb CLEANUP(free_p) = impact_effect_text(e, false);

	if (!d->why)
		return xstrdup(verb);
	return d->kind == DEPENDENCY_TRUNCATE || d->kind == DEPENDENCY_RESTART ?
		       xstrfmt("%s, %s", verb, d->why) :
		       xstrdup(d->why);
}

static void collect_reached(struct collection *c, const struct dependency_reached *d)
{
	struct reading *r = c->reading;
	size_t target = r->change_target[d->change];
	const struct impact_target *t = &r->targets.item[target];
	struct impact_item item = {
		.kind = d->kind == DEPENDENCY_TRUNCATE ? IMPACT_TABLE :
			d->kind == DEPENDENCY_RETYPE   ? IMPACT_COLUMN :
							 IMPACT_ROWS,
		.oid = d->oid,
		.relkind = d->relkind,
		.column = d->kind == DEPENDENCY_RETYPE ? t->effect->column : NULL,
		.identity = d->column,
		.attnum = d->kind == DEPENDENCY_RETYPE && d->named ? (int16_t)t->name.sub : 0,
		.stays = d->kind == DEPENDENCY_TRUNCATE || d->kind == DEPENDENCY_RETYPE,
		.inserts_only = d->kind == DEPENDENCY_INSERT,
		.all = t->effect->all && !d->why,
	};

	if (goes_as_a_whole(c, d->oid) || oids_have(&r->excluded, d->oid))
		return;
	item.why = why_it_changes(r, d);
	add_item(c, &item, target);
}

static void collect_restarts(struct collection *c)
{
	struct reading *r = c->reading;

	for (size_t i = 0; i < r->targets.nr; i++) {
		const struct impact_target *t = &r->targets.item[i];
		struct impact_item item = {
			.kind = IMPACT_ROWS,
			.oid = t->name.oid,
			.relkind = 'S',
		};

		if (t->effect->kind != SQL_EFFECT_RESTART || !t->name.oid ||
		    goes_as_a_whole(c, t->name.oid))
			continue;
		item.why = impact_effect_text(t->effect, false);
		add_item(c, &item, i);
	}
}

/* --- Who else is affected ---------------------------------------------------------------------- */

static void add_affected(struct impact *impact, const char *identity, uint32_t oid,
			 const char *foreign_key)
{
	char *why = xstrfmt("foreign key %s", foreign_key);

	for (size_t i = 0; i < impact->affect_nr; i++)
		if (impact->affect[i].oid == oid && !strcmp(impact->affect[i].why, why)) {
			free(why);
			return;
		}
	ARRAY_GROW(impact->affect, impact->affect_nr + 1, impact->affect_alloc);
	impact->affect[impact->affect_nr++] = (struct impact_object){
		.kind = "table",
		.identity = xstrdup(identity),
		.class_oid = DEPENDENCY_CLASS_RELATION,
		.oid = oid,
		.why = why,
	};
}

static bool is_dropped_by_name(const struct reading *r, uint32_t class_oid, uint32_t oid)
{
	for (size_t i = 0; i < r->gone.nr; i++)
		if (r->gone.item[i].class_oid == class_oid && r->gone.item[i].oid == oid)
			return r->gone.item[i].named;
	return false;
}

/* Tables that keep their rows, but whose foreign key to a table that goes cannot stay. */
static void collect_affected(struct reading *r)
{
	for (size_t i = 0; i < r->foreign_keys.nr; i++) {
		const struct dependency_object *key = &r->foreign_keys.item[i];

		if (!is_dropped_by_name(r, key->class_oid, key->oid))
			add_affected(r->impact, key->table_identity, key->table, key->identity);
	}
}

/* --- All ------------------------------------------------------------------------------------------ */

static int compare_collected(const void *a, const void *b)
{
	const struct collected *x = a, *y = b;

	return (x->target > y->target) - (x->target < y->target);
}

static bool is_touched(const struct reading *r, const struct impact_item *item)
{
	for (size_t i = 0; i < r->targets.nr; i++) {
		const struct impact_target *t = &r->targets.item[i];

		if (t->name.oid == item->oid && t->name.class_oid == DEPENDENCY_CLASS_RELATION &&
		    t->effect->kind != SQL_EFFECT_DROP)
			return true;
	}
	return false;
}

static void take_items(struct collection *c)
{
	struct impact *impact = c->reading->impact;

	sort(c->found, c->nr, sizeof(*c->found), compare_collected);
	for (size_t i = 0; i < c->nr; i++) {
		ARRAY_GROW(impact->item, impact->nr + 1, impact->alloc);
		c->found[i].item.script = c->reading->targets.item[c->found[i].target].script;
		if (c->found[i].item.drop)
			c->found[i].item.touched = is_touched(c->reading, &c->found[i].item);
		impact->item[impact->nr++] = c->found[i].item;
	}
	free(c->found);
}

/* Columns of tables that are emptied go with all their rows. */
static void drop_columns_of_emptied(struct collection *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->nr; i++) {
		struct impact_item *item = &c->found[i].item;

		if (item->kind == IMPACT_COLUMN && find_item(c, IMPACT_TABLE, item->oid, NULL)) {
			impact_item_release(item);
		} else {
			c->found[kept++] = c->found[i];
		}
	}
	c->nr = kept;
}

void impact_collect_items(struct reading *r)
{
	struct collection c = { .reading = r };

	for (size_t i = 0; i < r->gone.nr; i++)
		collect_gone(&c, &r->gone.item[i]);
	for (size_t i = 0; i < r->reached.nr; i++)
		if (r->reached.item[i].kind == DEPENDENCY_TRUNCATE)
			collect_reached(&c, &r->reached.item[i]);
	drop_columns_of_emptied(&c);
	for (size_t i = 0; i < r->reached.nr; i++)
		if (r->reached.item[i].kind != DEPENDENCY_TRUNCATE)
			collect_reached(&c, &r->reached.item[i]);
	collect_restarts(&c);
	collect_affected(r);
	take_items(&c);
}
