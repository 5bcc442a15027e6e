/* SPDX-License-Identifier: MIT */
#include "flow/rollback-record.h"

#include "base/clock.h"
#include "base/memory.h"
#include "flow/database-snapshot.h"
#include "term/amount.h"
#include "term/output.h"

void rollback_record_release(struct rollback_record *record)
{
	validation_release(&record->validation);
	free(record->target);
	free(record->reached);
	free(record->snapshot);
	free(record->operation);
	json_decref(record->saved);
	*record = (struct rollback_record)ROLLBACK_RECORD_INIT;
}

/* --- Noting it -------------------------------------------------------------------------------- */

int rollback_record_begin(struct rollback_record *record, struct change *change, bool maintain,
			  struct error *err)
{
	record->start = clock_monotonic();
	record->operation = xstrdup(change->operation.id);
	if (!maintain)
		return 0;
	if (maintenance_find(&record->maintenance, change->session, err) < 0)
		return -1;
	return maintenance_begin(&record->maintenance, change, err);
}

void rollback_record_lock(struct rollback_record *record)
{
	record->locked_since = clock_monotonic();
}

void rollback_record_unlock(struct rollback_record *record)
{
	record->usable = clock_monotonic();
	record->locked += record->usable - record->locked_since;
	record->locked_since = 0;
}

/* Of the schema as the rollback left it, which nobody else has changed: the lock is still held. */
static void take_snapshot(struct rollback_record *record, const struct change *change)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (database_snapshot_for_change(&record->snapshot, change->session, "after-rollback",
					 change->operation.id, &err) < 0)
		warning("%s", err.message);
}

void rollback_record_end(struct rollback_record *record, struct change *change, bool done)
{
	if (!record->start) /* it has not come to it */
		return;
	record->done = done;
	record->undoable = done && json_is_object(record->saved);
	maintenance_end(&record->maintenance, change);
	if (record->maintenance.end)
		record->usable = record->maintenance.end;
	if (done && !record->no_snapshot)
		take_snapshot(record, change);
	record->end = clock_monotonic();
	if (change->operation.record) {
		json_t *report = json_object();

		rollback_record_to_json(record, report);
		/* Closing it writes it. */
		json_object_set_new(change->operation.record, "report", report);
	}
}

/* --- JSON ----------------------------------------------------------------------------------------- */

static json_t *milliseconds(int64_t from, int64_t to)
{
	return from && to ? json_integer((to - from) / 1000) : json_null();
}

static json_t *next_steps(const struct rollback_record *record)
{
	json_t *ret = json_array();

	if (record->maintenance.failed)
		json_array_append_new(ret, json_string("End the maintenance by hand."));
	if (!record->done)
		return ret;
	if (validation_findings(&record->validation))
		json_array_append_new(ret, json_string("See to what the validation has found."));
	json_array_append_new(ret,
			      json_string("Test the application against the schema as it is now."));
	json_array_append_new(ret,
			      json_string("Use 'git migration-status' to see what is applied."));
	if (record->undoable) {
		char *text CLEANUP(free_p) = xstrfmt(
			"Use 'git rollback-db --undo=%s' to take it back.", record->operation);

		json_array_append_new(ret, json_string(text));
	}
	return ret;
}

static json_t *snapshots(const struct rollback_record *record)
{
	bool before = json_is_true(json_object_get(record->saved, "schema"));

	return json_pack("{s:o, s:o}", "before",
			 json_text(before ? json_member(record->saved, "path") : NULL), "after",
			 json_text(record->snapshot));
}

void rollback_record_to_json(const struct rollback_record *record, json_t *report)
{
	const struct maintenance *m = &record->maintenance;
	json_t *members CLEANUP(json_decref_p) =
		json_pack("{s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "target",
			  json_text(record->target), "rolled_back_to", json_text(record->reached),
			  "duration_ms", milliseconds(record->start, record->end), "locked_ms",
			  (json_int_t)(record->locked / 1000), "downtime_ms",
			  milliseconds(m->start, m->end), "recovery_ms",
			  milliseconds(record->done ? record->asked : 0, record->usable), "saved",
			  record->saved ? json_incref(record->saved) : json_null(), "snapshots",
			  snapshots(record), "validation", validation_to_json(&record->validation),
			  "next_steps", next_steps(record));

	if (!members)
		BUG("cannot pack a report");
	json_object_update(report, members);
}

/* --- For people ---------------------------------------------------------------------------------- */

static int64_t saved_number(const struct rollback_record *record, const char *key)
{
	return json_integer_value(json_object_get(record->saved, key));
}

static void add_part(struct strbuf *line, const char *text)
{
	strbuf_addf(line, "%s%s", line->len ? "; " : "", text);
}

/* What is worth a word although nobody asked. */
static void add_summary(struct strbuf *out, const struct rollback_record *record)
{
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;
	int64_t rows = saved_number(record, "rows");
	size_t kept;

	if (rows) {
		add_part(&line, "saved ");
		amount_add_count(&line, (uint64_t)rows, "row", NULL);
		strbuf_addstr(&line, " of ");
		amount_add_count(&line, (uint64_t)saved_number(record, "tables"), "table", NULL);
	}
	kept = json_array_size(json_object_get(record->saved, "kept"));
	if (kept) {
		add_part(&line, "kept ");
		amount_add_count(&line, kept, "table", NULL);
	}
	if (record->maintenance.end) {
		add_part(&line, "in maintenance for ");
		amount_add_duration(&line, record->maintenance.end - record->maintenance.start);
	}
	if (line.len)
		strbuf_addf(out, "%s\n", line.buf);
}

static void add_times(struct strbuf *out, const struct rollback_record *record)
{
	strbuf_addstr(out, "took ");
	amount_add_duration(out, record->end - record->start);
	strbuf_addstr(out, "; locks held for ");
	amount_add_duration(out, record->locked);
	if (record->done && record->asked && record->usable) {
		strbuf_addstr(out, "; usable again ");
		amount_add_duration(out, record->usable - record->asked);
		strbuf_addstr(out, " after the command was given");
	}
	strbuf_addch(out, '\n');
}

static json_int_t count_of(const json_t *objects, const char *kind)
{
	return json_integer_value(json_object_get(objects, kind));
}

/* The kinds of which there are more or fewer now. */
static void add_objects(struct strbuf *out, const struct validation *v)
{
	const char *arrow = output_utf8() ? "→" : "->";
	json_t *kinds CLEANUP(json_decref_p) = NULL;
	const char *kind, *separator = " (";
	json_t *value;

	if (!v->objects_after)
		return;
	strbuf_addf(out, "objects: %zu %s %zu", v->nr_before, arrow, v->nr_after);
	kinds = json_copy(v->objects_before);
	json_object_update_missing(kinds, v->objects_after);
	json_object_foreach(kinds, kind, value)
	{
		json_int_t before = count_of(v->objects_before, kind);
		json_int_t after = count_of(v->objects_after, kind);

		if (before == after)
			continue;
		strbuf_addf(out, "%s%s %" JSON_INTEGER_FORMAT " %s %" JSON_INTEGER_FORMAT,
			    separator, kind, before, arrow, after);
		separator = ", ";
	}
	strbuf_addstr(out, *separator == ',' ? ")\n" : "\n");
}

static void add_next_steps(struct strbuf *out, const struct rollback_record *record)
{
	json_t *steps CLEANUP(json_decref_p) = next_steps(record);
	size_t i;
	json_t *step;

	json_array_foreach(steps, i, step)
	{
		strbuf_addf(out, "%s%s\n", i ? "      " : "next: ", json_string_value(step));
	}
}

void rollback_record_print(const struct rollback_record *record, bool verbose)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	add_summary(&text, record);
	if (verbose && record->end) {
		add_times(&text, record);
		add_objects(&text, &record->validation);
		add_next_steps(&text, record);
	}
	fputs(text.buf ? text.buf : "", stdout);
	validation_warn(&record->validation);
}
