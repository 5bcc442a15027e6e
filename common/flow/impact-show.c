/* SPDX-License-Identifier: MIT */
#include "flow/impact.h"

#include "base/memory.h"
#include "base/text.h"
#include "term/amount.h"

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *item_to_json(const struct impact_item *item)
{
	return json_pack("{s:o, s:s, s:I, s:b, s:I, s:o}", "object", json_text(item->identity),
			 "kind", impact_kind_name(item->kind), "rows", (json_int_t)item->rows,
			 "exact", item->exact, "bytes", (json_int_t)item->bytes, "why",
			 json_text(item->why));
}

/* What belongs to a kept table goes nowhere. */
static bool is_kept(const struct impact *impact, const struct impact_object *object)
{
	return object->relation && impact_is_kept(impact, object->relation);
}

static json_t *objects_to_json(const struct impact *impact, const struct impact_object *list,
			       size_t nr)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < nr; i++)
		if (!is_kept(impact, &list[i]))
			json_array_append_new(ret, json_pack("{s:o, s:s, s:o}", "object",
							     json_text(list[i].identity), "kind",
							     list[i].kind, "why",
							     json_text(list[i].why)));
	return ret;
}

void impact_to_json(const struct impact *impact, json_t *plan)
{
	static const char *const keys[] = { "destroys", "drops", "affects", "locks", "unknown" };
	json_t *list;

	for (size_t i = 0; i < ARRAY_SIZE(keys) && !impact; i++)
		json_object_set_new(plan, keys[i], json_null());
	if (!impact)
		return;
	list = json_array();
	for (size_t i = 0; i < impact->nr; i++)
		if (!impact->item[i].kept)
			json_array_append_new(list, item_to_json(&impact->item[i]));
	json_object_set_new(plan, "destroys", list);
	json_object_set_new(plan, "drops", objects_to_json(impact, impact->drop, impact->drop_nr));
	json_object_set_new(plan, "affects",
			    objects_to_json(impact, impact->affect, impact->affect_nr));
	list = json_array();
	for (size_t i = 0; i < impact->lock_nr; i++)
		json_array_append_new(list, json_pack("{s:o, s:s, s:o}", "object",
						      json_text(impact->lock[i].identity), "mode",
						      impact->lock[i].mode, "holder",
						      json_text(impact->lock[i].holder)));
	json_object_set_new(plan, "locks", list);
	list = json_array();
	for (size_t i = 0; i < impact->unknown.nr; i++)
		json_array_append_new(list, json_text(impact->unknown.v[i]));
	json_object_set_new(plan, "unknown", list);
}

/* --- for people --------------------------------------------------------------------------------- */

/* Names come from the database: shown, not obeyed. */
static void add_escaped(struct strbuf *out, const char *text)
{
	text_escape(out, text, strlen(text), false);
}

/* Of a column, values that are not null. */
static void add_rows(struct strbuf *out, const struct impact_item *item)
{
	amount_add_estimate(out, item->rows, item->exact, item->column ? "value" : "row");
}

/* Told where it is not what the line's verb says anyway. */
static void add_why(struct strbuf *out, const struct impact_item *item)
{
	static const char *const plain[] = { "DROP TABLE", "DROP COLUMN", "TRUNCATE",
					     "ALTER COLUMN TYPE", "DROP SEQUENCE" };

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (!strcmp(item->why, plain[i]))
			return;
	strbuf_addstr(out, "; ");
	add_escaped(out, item->why);
}

static void add_table(struct strbuf *out, const struct impact_item *item)
{
	strbuf_addstr(out, item->kept  ? "keep table " :
			   item->stays ? "empty table " :
					 "drop table ");
	add_escaped(out, item->identity);
	strbuf_addstr(out, " (");
	add_rows(out, item);
	if (item->bytes || item->exact) {
		strbuf_addstr(out, ", ");
		amount_add_size(out, (uint64_t)item->bytes);
	}
	add_why(out, item);
	strbuf_addch(out, ')');
}

static void add_column(struct strbuf *out, const struct impact_item *item)
{
	strbuf_addstr(out, item->stays ? "convert column " : "drop column ");
	add_escaped(out, item->identity);
	strbuf_addstr(out, " (");
	add_rows(out, item);
	add_why(out, item);
	strbuf_addch(out, ')');
}

static void add_changed(struct strbuf *out, const struct impact_item *item)
{
	if (item->relkind == 'S') {
		strbuf_addstr(out,
			      strncmp(item->why, "DROP", 4) ? "reset sequence " : "drop sequence ");
		add_escaped(out, item->identity);
		strbuf_addstr(out, " (its position");
	} else if (item->inserts_only) {
		strbuf_addstr(out, "add rows to ");
		add_escaped(out, item->identity);
		strbuf_addstr(out, " (it has ");
		add_rows(out, item);
	} else {
		strbuf_addstr(out, "change rows of ");
		add_escaped(out, item->identity);
		strbuf_addstr(out, item->all ? " (all of its " : " (some of its ");
		add_rows(out, item);
	}
	add_why(out, item);
	strbuf_addch(out, ')');
}

static void add_item(struct strbuf *out, const struct impact_item *item)
{
	strbuf_addstr(out, "  ");
	switch (item->kind) {
	case IMPACT_TABLE: add_table(out, item); break;
	case IMPACT_COLUMN: add_column(out, item); break;
	case IMPACT_ROWS: add_changed(out, item); break;
	}
	strbuf_addch(out, '\n');
}

static bool same_why(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* A sequence that goes by itself has an item, too. */
static bool has_item(const struct impact *impact, const struct impact_object *object)
{
	for (size_t i = 0; i < impact->nr; i++)
		if (impact->item[i].oid == object->oid && impact->item[i].relkind == 'S')
			return true;
	return false;
}

/* Those with that reason, NULL: by name. "  drop by CASCADE: view public.v, policy p on public.t" */
static void add_drops(struct strbuf *out, const struct impact *impact, const char *title,
		      const char *why)
{
	const size_t many = 12;
	size_t nr = 0;

	for (size_t i = 0; i < impact->drop_nr; i++) {
		const struct impact_object *object = &impact->drop[i];

		if (!same_why(object->why, why) || has_item(impact, object) ||
		    is_kept(impact, object))
			continue;
		if (nr++ >= many)
			continue;
		strbuf_addstr(out, nr == 1 ? title : ", ");
		strbuf_addf(out, "%s ", object->kind);
		add_escaped(out, object->identity);
	}
	if (nr > many)
		strbuf_addf(out, ", and %zu more", nr - many);
	if (nr)
		strbuf_addch(out, '\n');
}

/* "3 indexes", "2 policies" */
static void add_kind_count(struct strbuf *out, size_t nr, const char *kind)
{
	size_t len = strlen(kind);
	char *many CLEANUP(free_p) = !strcmp(kind, "policy") ?
					     xstrfmt("%.*sies", (int)len - 1, kind) :
				     kind[len - 1] == 'x' ? xstrfmt("%ses", kind) :
				     kind[len - 1] == 's' ? xstrdup(kind) :
							    xstrfmt("%ss", kind);

	amount_add_count(out, nr, kind, many);
}

static bool is_part(const struct impact *impact, size_t i)
{
	return same_why(impact->drop[i].why, "part") && !is_kept(impact, &impact->drop[i]);
}

/* What belongs to something that goes, by numbers: "  drop with that: 1 index, 2 policies". */
static void add_parts(struct strbuf *out, const struct impact *impact)
{
	bool first = true;

	for (size_t i = 0; i < impact->drop_nr; i++) {
		const char *kind = impact->drop[i].kind;
		bool told = !is_part(impact, i);
		size_t nr = 0;

		for (size_t k = 0; k < impact->drop_nr; k++)
			if (is_part(impact, k) && !strcmp(impact->drop[k].kind, kind)) {
				told = told || k < i;
				nr++;
			}
		if (told)
			continue;
		strbuf_addstr(out, first ? "  drop with that: " : ", ");
		add_kind_count(out, nr, kind);
		first = false;
	}
	if (!first)
		strbuf_addch(out, '\n');
}

static void add_affected(struct strbuf *out, const struct impact *impact)
{
	for (size_t i = 0; i < impact->affect_nr; i++) {
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again = again || impact->affect[k].oid == impact->affect[i].oid;
		if (again)
			continue;
		strbuf_addstr(out, i ? ", " : "  affect foreign keys in: ");
		add_escaped(out, impact->affect[i].identity);
	}
	if (impact->affect_nr)
		strbuf_addch(out, '\n');
}

static void add_locks(struct strbuf *out, const struct impact *impact)
{
	for (size_t i = 0; i < impact->lock_nr; i++) {
		const struct impact_lock *lock = &impact->lock[i];

		if (!lock->holder)
			continue;
		strbuf_addstr(out, "  wait for a lock on ");
		add_escaped(out, lock->identity);
		strbuf_addstr(out, ": ");
		add_escaped(out, lock->holder);
		strbuf_addch(out, '\n');
	}
}

void impact_text(struct strbuf *out, const struct impact *impact, bool rehearsable)
{
	struct strbuf will CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; i < impact->nr; i++)
		add_item(&will, &impact->item[i]);
	add_drops(&will, impact, "  drop ", NULL);
	add_parts(&will, impact);
	add_drops(&will, impact, "  drop by CASCADE: ", "CASCADE");
	add_affected(&will, impact);
	add_locks(&will, impact);
	if (will.len)
		strbuf_addf(out, "This will:\n%s", will.buf);
	if (impact->unknown.nr)
		strbuf_addstr(out,
			      rehearsable ? "Not known (--rehearse tells):\n" : "Not known:\n");
	for (size_t i = 0; i < impact->unknown.nr; i++) {
		strbuf_addstr(out, "  ");
		add_escaped(out, impact->unknown.v[i]);
		strbuf_addch(out, '\n');
	}
}
