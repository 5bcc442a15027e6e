/* SPDX-License-Identifier: MIT */
#include "flow/impact.h"

#include "base/memory.h"
#include "flow/impact-item.h"
#include "flow/impact-target.h"
#include "pg/lockwait.h"
#include "pg/rowcount.h"
#include "term/amount.h"

static void reading_release(struct reading *r)
{
	dependency_end(&r->reader);
	impact_targets_release(&r->targets);
	free(r->excluded.item);
	dependencies_release(&r->gone);
	free(r->gone_relations.item);
	free(r->drop_target);
	dependency_reached_list_release(&r->reached);
	free(r->change_target);
	dependency_objects_release(&r->triggers);
	dependency_objects_release(&r->foreign_keys);
	for (size_t i = 0; i < r->lock_nr; i++)
		lockwait_release(&r->lock[i]);
	free(r->lock);
}

PRINTF(2, 3) static void unknown(struct reading *r, const char *fmt, ...)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (!strvec_has(&r->impact->unknown, text.buf))
		strvec_push(&r->impact->unknown, text.buf);
}

/* --- What the names mean -------------------------------------------------------------------- */

static bool is_looked_up(const struct impact_target *t)
{
	return t->name.type && t->meaning == IMPACT_LOOKED_UP;
}

/* All names in one query: the targets', and the scope's relations. */
static int find_names(struct reading *r, struct error *err)
{
	size_t scope_nr = r->scope ? r->scope->relation_nr : 0, nr = 0, next = 0;
	struct dependency_name *names CLEANUP(free_p) =
		xcalloc(r->targets.nr + scope_nr + 1, sizeof(*names));

	for (size_t i = 0; i < scope_nr; i++)
		names[nr++] = (struct dependency_name){
			.type = "relation",
			.schema = r->scope->relation[i].schema,
			.name = r->scope->relation[i].name,
		};
	for (size_t i = 0; i < r->targets.nr; i++)
		if (is_looked_up(&r->targets.item[i]))
			names[nr++] = r->targets.item[i].name;
	if (dependency_find(&r->reader, names, nr, err) < 0)
		return -1;
	for (; next < scope_nr; next++)
		if (names[next].oid)
			oids_add(&r->excluded, names[next].oid);
	for (size_t i = 0; i < r->targets.nr; i++)
		if (is_looked_up(&r->targets.item[i]))
			r->targets.item[i].name = names[next++];
	return 0;
}

static bool is_call(const struct impact_target *t)
{
	return t->effect->kind == SQL_EFFECT_UNKNOWN && t->effect->name.nr;
}

static void say_unknown(struct reading *r, const struct impact_target *t)
{
	char *place CLEANUP(free_p) = impact_place(r->impact, t);

	unknown(r, "what %s in %s does", t->effect->why, place);
}

/* What is unknown by its text, unless it only calls functions of the server's own. */
static int say_unknowns(struct reading *r, struct error *err)
{
	struct dependency_call *calls CLEANUP(free_p) = xcalloc(r->targets.nr + 1, sizeof(*calls));
	size_t nr = 0, next = 0;

	for (size_t i = 0; i < r->targets.nr; i++) {
		const struct strvec *name = &r->targets.item[i].effect->name;

		if (is_call(&r->targets.item[i]))
			calls[nr++] = (struct dependency_call){
				.schema = name->nr > 1 ? name->v[0] : NULL,
				.name = name->v[name->nr - 1],
			};
	}
	if (dependency_calls(&r->reader, calls, nr, err) < 0)
		return -1;
	for (size_t i = 0; i < r->targets.nr; i++) {
		const struct impact_target *t = &r->targets.item[i];

		if (t->effect->kind == SQL_EFFECT_UNKNOWN &&
		    !(is_call(t) && calls[next++].harmless))
			say_unknown(r, t);
	}
	return 0;
}

static void say_missing(struct reading *r, const struct impact_target *t)
{
	char *what CLEANUP(free_p) = impact_target_text(t);
	char *place CLEANUP(free_p) = impact_place(r->impact, t);

	if (t->meaning == IMPACT_MOVED)
		unknown(r, "what %s in %s is: something gets that name before", what, place);
	else if (!dependency_knows(t->name.type) && t->effect->cascade)
		unknown(r, "what goes with %s by CASCADE in %s", what, place);
	else if (dependency_knows(t->name.type) && !t->optional)
		unknown(r, "what %s in %s is: it is not there now", what, place);
}

static int find_targets(struct reading *r, struct error *err)
{
	if (find_names(r, err) < 0 || say_unknowns(r, err) < 0)
		return -1;
	for (size_t i = 0; i < r->targets.nr; i++) {
		const struct impact_target *t = &r->targets.item[i];

		if (t->name.type && t->meaning != IMPACT_MADE && !t->name.oid)
			say_missing(r, t);
	}
	return 0;
}

/* --- What goes, and whose rows change --------------------------------------------------------- */

static bool is_usable(const struct reading *r, const struct impact_target *t)
{
	return t->name.oid && !oids_have(&r->excluded, t->name.oid);
}

static int read_drops(struct reading *r, struct error *err)
{
	struct dependency_drop *drops CLEANUP(free_p) = xcalloc(r->targets.nr + 1, sizeof(*drops));
	size_t nr = 0;

	r->drop_target = xcalloc(r->targets.nr + 1, sizeof(*r->drop_target));
	for (size_t i = 0; i < r->targets.nr; i++) {
		const struct impact_target *t = &r->targets.item[i];

		if (!is_usable(r, t) || (t->effect->kind != SQL_EFFECT_DROP &&
					 t->effect->kind != SQL_EFFECT_DROP_COLUMN))
			continue;
		r->drop_target[nr] = i;
		drops[nr++] = (struct dependency_drop){
			.class_oid = t->name.class_oid,
			.oid = t->name.oid,
			.sub = t->name.sub,
			.cascade = t->effect->cascade,
			.only = t->effect->only,
		};
	}
	if (dependency_of_drops(&r->gone, &r->reader, drops, nr, err) < 0)
		return -1;
	for (size_t i = 0; i < r->gone.nr; i++)
		if (dependency_is_relation(&r->gone.item[i]))
			oids_add(&r->gone_relations, r->gone.item[i].oid);
	oids_sort(&r->gone_relations);
	return 0;
}

/* Of a view only the server knows whose rows it shows. */
static bool changes_view(struct reading *r, const struct impact_target *t)
{
	char *what CLEANUP(free_p) = NULL, *place CLEANUP(free_p) = NULL,
		   *verb CLEANUP(free_p) = NULL;

	if (t->name.relkind != 'v')
		return false;
	what = impact_target_text(t);
	place = impact_place(r->impact, t);
	verb = impact_effect_text(t->effect, false);
	/* Its "table" is a view. */
	unknown(r, "whose rows %s changes through view%s in %s", verb, strchr(what, ' '), place);
	return true;
}

static int read_changes(struct reading *r, struct error *err)
{
	struct dependency_change *changes CLEANUP(free_p) =
		xcalloc(r->targets.nr + 1, sizeof(*changes));
	struct strvec *column CLEANUP(free_p) = xcalloc(r->targets.nr + 1, sizeof(*column));
	char *(*names)[2] CLEANUP(free_p) = xcalloc(r->targets.nr + 1, sizeof(*names));
	enum dependency_change_kind kind;
	size_t nr = 0;

	r->change_target = xcalloc(r->targets.nr + 1, sizeof(*r->change_target));
	for (size_t i = 0; i < r->targets.nr; i++) {
		const struct impact_target *t = &r->targets.item[i];
		const struct sql_effect *e = t->effect;

		if (!is_usable(r, t) || !impact_changes_rows(&kind, e) || changes_view(r, t))
			continue;
		names[nr][0] = e->column;
		column[nr] = (struct strvec){ .v = names[nr], .nr = 1 };
		r->change_target[nr] = i;
		changes[nr] = (struct dependency_change){
			.kind = kind,
			.oid = t->name.oid,
			.columns = e->column	 ? &column[nr] :
				   e->columns.nr ? &e->columns :
						   NULL,
			.only = e->only,
			.cascade = e->cascade,
			.restart = e->restart,
		};
		nr++;
	}
	if (dependency_of_changes(&r->reached, &r->reader, changes, nr, err) < 0 ||
	    dependency_triggers(&r->triggers, &r->reader, &r->reached, err) < 0)
		return -1;
	for (size_t i = 0; i < r->triggers.nr; i++)
		if (!oids_have(&r->excluded, r->triggers.item[i].table))
			unknown(r, "what %s %s does", r->triggers.item[i].kind,
				r->triggers.item[i].identity);
	return 0;
}

static int read_foreign_keys(struct reading *r, struct error *err)
{
	uint32_t *tables CLEANUP(free_p) = xcalloc(r->gone.nr + 1, sizeof(*tables));
	size_t nr = 0;

	for (size_t i = 0; i < r->gone.nr; i++)
		if (dependency_is_table(&r->gone.item[i]))
			tables[nr++] = r->gone.item[i].oid;
	return dependency_foreign_keys(&r->foreign_keys, &r->reader, tables, nr, err);
}

/* --- Locks -------------------------------------------------------------------------------------- */

/* By strength, as lockdefs.h numbers them. */
static int lock_strength(const char *mode)
{
	static const char *const modes[] = {
		"AccessShareLock",  "RowShareLock",
		"RowExclusiveLock", "ShareUpdateExclusiveLock",
		"ShareLock",	    "ShareRowExclusiveLock",
		"ExclusiveLock",    "AccessExclusiveLock",
	};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(mode, modes[i]))
			return (int)i;
	return -1;
}

static void add_lock(struct reading *r, uint32_t oid, char relkind, const char *mode)
{
	if (!mode || !oid || !relkind || !strchr("rpmf", relkind) || oids_have(&r->excluded, oid))
		return;
	for (size_t i = 0; i < r->lock_nr; i++)
		if (r->lock[i].oid == oid) {
			if (lock_strength(mode) > lock_strength(r->lock[i].mode))
				r->lock[i].mode = mode;
			return;
		}
	ARRAY_GROW(r->lock, r->lock_nr + 1, r->lock_alloc);
	r->lock[r->lock_nr++] = (struct lockwait){ .oid = oid, .mode = mode };
}

static int read_locks(struct reading *r, struct error *err)
{
	for (size_t i = 0; i < r->targets.nr; i++) {
		const struct impact_target *t = &r->targets.item[i];

		if (t->effect->kind == SQL_EFFECT_ALTER && is_usable(r, t))
			add_lock(r, t->name.oid, t->name.relkind, t->effect->lock);
	}
	for (size_t i = 0; i < r->gone.nr; i++) {
		const struct dependency *d = &r->gone.item[i];

		add_lock(r, d->relation, d->relkind,
			 r->targets.item[r->drop_target[d->drop]].effect->lock);
	}
	for (size_t i = 0; i < r->reached.nr; i++) {
		const struct dependency_reached *c = &r->reached.item[i];

		add_lock(r, c->oid, c->relkind,
			 c->kind == DEPENDENCY_TRUNCATE || c->kind == DEPENDENCY_RETYPE ?
				 "AccessExclusiveLock" :
				 "RowExclusiveLock");
	}
	return lockwait_read(r->lock, r->lock_nr, r->reader.db, err);
}

/* "psql of alice (pid 12), idle in transaction for 3 min, and 2 more"; NULL: nobody. */
static char *holder_text(const struct lockwait *lock)
{
	struct strbuf ret = STRBUF_INIT;

	if (!lock->nr)
		return NULL;
	if (!lock->pid)
		strbuf_addstr(&ret, "a prepared transaction");
	else
		strbuf_addf(&ret, "%s%s%s (pid %" PRId64 ")",
			    lock->application && *lock->application ? lock->application :
								      "a session",
			    lock->role ? " of " : "", lock->role ? lock->role : "", lock->pid);
	if (lock->waiting)
		strbuf_addstr(&ret, ", waiting for it");
	else if (lock->state && lock->since >= 0) {
		strbuf_addf(&ret, ", %s for ", lock->state);
		amount_add_duration(&ret, lock->since);
	}
	if (lock->nr > 1)
		strbuf_addf(&ret, ", and %zu more", lock->nr - 1);
	return strbuf_detach(&ret);
}

static void take_locks(struct reading *r)
{
	struct impact *impact = r->impact;

	for (size_t i = 0; i < r->lock_nr; i++) {
		const struct lockwait *lock = &r->lock[i];

		if (!lock->identity)
			continue;
		ARRAY_GROW(impact->lock, impact->lock_nr + 1, impact->lock_alloc);
		impact->lock[impact->lock_nr++] = (struct impact_lock){
			.identity = xstrdup(lock->identity),
			.mode = xstrdup(lock->mode),
			.holder = holder_text(lock),
		};
	}
}

/* --- Rows ------------------------------------------------------------------------------------------- */

static bool is_unreadable(const struct reading *r, uint32_t oid)
{
	for (size_t i = 0; i < r->lock_nr; i++)
		if (r->lock[i].oid == oid)
			return r->lock[i].unreadable;
	return false;
}

/* One for each table, however many items it has. */
static struct rowcount *counts_of(struct reading *r, size_t *ret_nr)
{
	struct rowcount *counts = xcalloc(r->impact->nr + 1, sizeof(*counts));
	size_t nr = 0;

	for (size_t i = 0; i < r->impact->nr; i++) {
		const struct impact_item *item = &r->impact->item[i];
		size_t k = 0;

		while (k < nr && counts[k].oid != item->oid)
			k++;
		if (k == nr)
			counts[nr++] = (struct rowcount){
				.oid = item->oid,
				.unreadable = is_unreadable(r, item->oid),
			};
		if (item->column)
			strvec_push(&counts[k].columns, item->column);
	}
	*ret_nr = nr;
	return counts;
}

static void take_count(struct impact_item *item, const struct rowcount *count)
{
	item->schema = xstrdup(count->schema);
	item->table = xstrdup(count->name);
	if (!item->column)
		item->identity = xstrdup(count->identity);
	item->exact = count->exact;
	item->rows = count->rows;
	item->bytes = item->column ? 0 : count->bytes;
	for (size_t i = 0; i < count->columns.nr; i++)
		if (item->column && !strcmp(count->columns.v[i], item->column))
			item->rows = count->values[i];
}

static const struct rowcount *count_of(const struct rowcount *counts, size_t nr, uint32_t oid)
{
	for (size_t i = 0; i < nr; i++)
		if (counts[i].oid == oid)
			return &counts[i];
	BUG("table %" PRIu32 " was not counted", oid);
}

/*
 * Says why it was not counted, where that is not for lack of time; the count is a guess then. A
 * table that somebody has dropped since is no item any more.
 */
static void take_counts(struct reading *r, const struct rowcount *counts, size_t nr)
{
	struct impact *impact = r->impact;
	size_t kept = 0;

	for (size_t i = 0; i < nr; i++)
		if (counts[i].failure)
			unknown(r, "how many rows %s has: %s", counts[i].identity,
				counts[i].failure);
	for (size_t i = 0; i < impact->nr; i++) {
		const struct rowcount *count = count_of(counts, nr, impact->item[i].oid);

		if (count->identity) {
			take_count(&impact->item[i], count);
			impact->item[kept++] = impact->item[i];
		} else {
			impact_item_release(&impact->item[i]);
		}
	}
	impact->nr = kept;
}

static int count_rows(struct reading *r, struct db *db, int limit, struct error *err)
{
	size_t nr;
	struct rowcount *counts = counts_of(r, &nr);
	int ret = rowcount_read(counts, nr, db, limit, err);

	if (!ret)
		take_counts(r, counts, nr);
	for (size_t i = 0; i < nr; i++)
		rowcount_release(&counts[i]);
	free(counts);
	return ret;
}

static int read_catalog(struct reading *r, struct db *db, struct error *err)
{
	if (dependency_begin(&r->reader, db, err) < 0 || find_targets(r, err) < 0 ||
	    read_drops(r, err) < 0 || read_changes(r, err) < 0 || read_foreign_keys(r, err) < 0 ||
	    read_locks(r, err) < 0)
		return -1;
	dependency_end(&r->reader);
	return 0;
}

int impact_read(struct impact *impact, struct db *db, const struct catalog_scope *scope,
		int count_limit, struct error *err)
{
	struct reading r CLEANUP(reading_release) = { .impact = impact, .scope = scope };
	struct error failure CLEANUP(error_release) = ERROR_INIT;

	impact_targets_collect(&r.targets, impact);
	if (!r.targets.nr)
		return 0;
	if (read_catalog(&r, db, &failure) < 0) {
		if (strcmp(failure.sqlstate, "42501") != 0) {
			error_move(err, &failure);
			return error_prefix(err, "could not find out what would be destroyed");
		}
		unknown(&r, "what would be destroyed: %s", failure.message);
		return 0;
	}
	take_locks(&r);
	impact_collect_items(&r);
	return count_rows(&r, db, count_limit, err);
}
