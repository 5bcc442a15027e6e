/* SPDX-License-Identifier: MIT */
#include "flow/rehearsed.h"

#include "base/memory.h"
#include "base/text.h"
#include "term/amount.h"

void rehearsed_release(struct rehearsed *rehearsed)
{
	relation_witness_release(&rehearsed->witness);
	for (size_t i = 0; i < rehearsed->changes.nr && rehearsed->count; i++)
		rowcount_release(&rehearsed->count[i]);
	free(rehearsed->count);
	relation_losses_release(&rehearsed->changes);
	*rehearsed = (struct rehearsed)REHEARSED_INIT;
}

int rehearsed_begin(struct rehearsed *rehearsed, struct session *s, struct error *err)
{
	return relation_witness_take(&rehearsed->witness, &s->db, err);
}

/* Also what the rehearsal has made itself, and sequences, which have no rows. */
static bool is_left_out(const struct session *s, const struct relation_loss *change)
{
	if (!change->name || change->sequence)
		return true;
	for (size_t i = 0; i < s->scope.relation_nr; i++)
		if (!strcmp(s->scope.relation[i].schema, change->schema) &&
		    !strcmp(s->scope.relation[i].name, change->name))
			return true;
	return false;
}

static void leave_out(struct relation_losses *changes, const struct session *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < changes->nr; i++)
		if (!is_left_out(s, &changes->item[i])) {
			struct relation_loss change = changes->item[i];

			changes->item[i] = changes->item[kept];
			changes->item[kept++] = change;
		}
	for (size_t i = kept; i < changes->nr; i++) {
		free(changes->item[i].schema);
		free(changes->item[i].name);
		free(changes->item[i].columns);
	}
	changes->nr = kept;
}

int rehearsed_look(struct rehearsed *rehearsed, struct session *s, struct error *err)
{
	if (relation_witness_compare(&rehearsed->changes, &rehearsed->witness, &s->db, err) < 0)
		return -1;
	leave_out(&rehearsed->changes, s);
	return 0;
}

int rehearsed_count(struct rehearsed *rehearsed, struct session *s, int limit, struct error *err)
{
	size_t nr = rehearsed->changes.nr;

	rehearsed->count = xcalloc(nr + 1, sizeof(*rehearsed->count));
	for (size_t i = 0; i < nr; i++)
		rehearsed->count[i].oid = rehearsed->changes.item[i].oid;
	return rowcount_read(rehearsed->count, nr, &s->db, limit, err);
}

/* --- Showing it --------------------------------------------------------------------------------- */

static const char *const what_names[] = {
	[RELATION_DROPPED] = "dropped", [RELATION_REWRITTEN] = "rewritten",
	[RELATION_COLUMNS] = "columns", [RELATION_CHANGED] = "changed",
	[RELATION_ADDED] = "added",
};

json_t *rehearsed_to_json(const struct rehearsed *rehearsed)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < rehearsed->changes.nr && rehearsed->count; i++) {
		const struct relation_loss *change = &rehearsed->changes.item[i];
		const struct rowcount *count = &rehearsed->count[i];

		json_array_append_new(ret, json_pack("{s:o, s:s, s:I, s:b, s:I, s:I, s:I}",
						     "object", json_text(count->identity), "what",
						     what_names[relation_loss_kind(change)], "rows",
						     (json_int_t)count->rows, "exact", count->exact,
						     "inserted", (json_int_t)change->inserted,
						     "updated", (json_int_t)change->updated,
						     "deleted", (json_int_t)change->deleted));
	}
	return ret;
}

static void add_change(struct strbuf *out, const struct relation_loss *change)
{
	const struct {
		int64_t rows;
		const char *done;
	} parts[] = {
		{ change->inserted, "inserted" },
		{ change->updated, "updated" },
		{ change->deleted, "deleted" },
	};
	bool first = true;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (parts[i].rows <= 0)
			continue;
		strbuf_addstr(out, first ? "" : ", ");
		amount_add_count(out, (uint64_t)parts[i].rows, "row", NULL);
		strbuf_addf(out, " %s", parts[i].done);
		first = false;
	}
	if (first)
		strbuf_addstr(out, "rows perhaps changed"); /* the server does not count */
}

static void add_what(struct strbuf *out, const struct relation_loss *change)
{
	switch (relation_loss_kind(change)) {
	case RELATION_DROPPED: strbuf_addstr(out, "dropped"); break;
	case RELATION_REWRITTEN: strbuf_addstr(out, "emptied or rewritten"); break;
	case RELATION_COLUMNS: strbuf_addstr(out, "columns dropped or converted"); break;
	case RELATION_CHANGED:
	case RELATION_ADDED: add_change(out, change); break;
	}
}

/* That an empty table goes is no news for who asks for rows. */
static bool is_empty(const struct rowcount *count, const struct relation_loss *change)
{
	return count->exact && !count->rows && !change->inserted;
}

void rehearsed_text(struct strbuf *out, const struct rehearsed *rehearsed)
{
	for (size_t i = 0; i < rehearsed->changes.nr && rehearsed->count; i++) {
		const struct rowcount *count = &rehearsed->count[i];

		if (!count->identity || is_empty(count, &rehearsed->changes.item[i]))
			continue;
		strbuf_addstr(out, "  table ");
		text_escape(out, count->identity, strlen(count->identity), false);
		strbuf_addstr(out, ": ");
		add_what(out, &rehearsed->changes.item[i]);
		strbuf_addstr(out, " (it has ");
		amount_add_estimate(out, count->rows, count->exact, "row");
		strbuf_addstr(out, ")\n");
	}
}
