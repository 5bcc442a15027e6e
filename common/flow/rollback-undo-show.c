/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "flow/rollback-undo.h"
#include "term/amount.h"
#include "term/output.h"

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *step_to_json(const struct undo_step *step, bool executed)
{
	json_t *ret = json_pack("{s:o, s:o, s:o}", "version", json_text(step->version), "name",
				json_text(step->name), "statements", json_size(step->script.nr));

	if (step->recorded)
		json_object_set_new(ret, "concurrently", json_false());
	if (executed) {
		json_object_set_new(ret, "done", json_boolean(step->done));
		json_object_set_new(ret, "execution_time_ms",
				    json_integer(step->microseconds / 1000));
	}
	return ret;
}

static json_t *table_to_json(const struct undo_table *table, bool executed)
{
	json_t *ret = json_pack("{s:o, s:s, s:O}", "object", json_text(table->table), "kind",
				table->whole ? "table" : "columns", "rows",
				json_object_get(table->part, "rows"));

	json_object_set(ret, "columns", json_object_get(table->part, "columns"));
	json_object_set_new(ret, "kept", json_text(table->kept));
	if (executed) {
		json_object_set_new(ret, "moved", json_boolean(table->swapped));
		json_object_set_new(ret, "put_back", json_integer(table->result.rows));
		json_object_set_new(ret, "missing", json_integer(table->result.missing));
		json_object_set_new(ret, "newer", json_integer(table->result.newer));
		json_object_set_new(ret, "different", json_integer(table->result.different));
	}
	return ret;
}

static json_t *unproven_to_json(const struct undo_plan *plan)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < plan->unproven_nr; i++)
		json_array_append_new(ret, json_pack("{s:o, s:o}", "object",
						     json_text(plan->unproven[i].table), "why",
						     json_text(plan->unproven[i].why)));
	return ret;
}

static json_t *plan_to_json(const struct undo_plan *plan, bool executed)
{
	json_t *steps = json_array(), *tables = json_array();
	json_t *ret = json_pack("{s:i, s:s, s:o, s:o, s:b, s:b, s:b, s:o}", "format", 1, "command",
				"rollback-db", "database", json_text(plan->session->database.name),
				"undoes", json_text(plan->undone), "dry_run",
				plan->request->common.dry_run, "rehearse", plan->request->rehearse,
				"merge", plan->request->merge, "conflicts",
				json_strings(&plan->conflicts));

	json_object_set_new(ret, "script", json_text(json_member(plan->script, "name")));
	verdict_to_json(&plan->verdict, ret);
	if (plan->conflicts.nr && !plan->request->merge && verdict_is_clean(&plan->verdict))
		json_object_set_new(ret, "verdict", json_string("conflict"));
	for (size_t i = 0; i < plan->nr; i++)
		if (!plan->step[i].there)
			json_array_append_new(steps, step_to_json(&plan->step[i], executed));
	for (size_t i = 0; i < plan->table_nr; i++)
		json_array_append_new(tables, table_to_json(&plan->table[i], executed));
	json_object_set_new(ret, "steps", steps);
	json_object_set_new(ret, "restores", tables);
	impact_to_json(&plan->impact, ret);
	return ret;
}

/* --- for people --------------------------------------------------------------------------------- */

static void add_escaped(struct strbuf *out, const char *text)
{
	text_escape(out, text, strlen(text), false);
}

static void add_rows(struct strbuf *out, const struct undo_table *table)
{
	const json_t *columns = json_object_get(table->part, "saved_columns");

	strbuf_addstr(out, table->kept ? "  the kept table " : "  rows of ");
	add_escaped(out, table->table);
	for (size_t i = 0; !table->whole && i < json_array_size(columns); i++) {
		strbuf_addstr(out, i ? ", " : ": column ");
		add_escaped(out, json_string_value(json_array_get(columns, i)));
	}
	/* Of one that is kept nobody may have counted them. */
	if (json_is_integer(json_object_get(table->part, "rows"))) {
		strbuf_addstr(out, " (");
		amount_add_count(out,
				 (uint64_t)json_integer_value(json_object_get(table->part, "rows")),
				 "row", NULL);
		strbuf_addch(out, ')');
	}
	strbuf_addch(out, '\n');
}

static void add_plan(struct strbuf *out, const struct undo_plan *plan)
{
	strbuf_addf(out, "Undoing rollback %s (", plan->undone);
	amount_add_age(out, plan->undone_at, clock_now());
	strbuf_addstr(out, ") in database ");
	add_escaped(out, plan->session->database.name);
	strbuf_addstr(out, ", in one transaction.\n");
	if (plan->script) {
		strbuf_addstr(out, "What script ");
		add_escaped(out, json_member(plan->script, "name"));
		strbuf_addstr(out, " dropped is made again from the saved schema.\n");
	} else if (plan->unrestored) {
		strbuf_addstr(out, "Its migrations are applied already.\n");
	} else {
		strbuf_addstr(out, "Applying again:\n");
	}
	for (size_t i = 0; i < plan->nr; i++) {
		if (plan->step[i].there && !plan->step[i].stopped)
			continue;
		strbuf_addstr(out, "  ");
		add_escaped(out, plan->step[i].version);
		strbuf_addch(out, ' ');
		add_escaped(out, plan->step[i].name);
		strbuf_addstr(out,
			      plan->step[i].stopped ?
				      " (what its down script has taken away before it failed)\n" :
			      plan->step[i].recorded ?
				      " (in the transaction too, without CONCURRENTLY)\n" :
				      "\n");
	}
	if (plan->table_nr)
		strbuf_addstr(out, "Putting back:\n");
	for (size_t i = 0; i < plan->table_nr; i++)
		add_rows(out, &plan->table[i]);
	impact_text(out, &plan->impact, !plan->request->rehearse);
	if (plan->conflicts.nr)
		strbuf_addstr(out, "Written since, and in the way:\n");
	for (size_t i = 0; i < plan->conflicts.nr; i++) {
		strbuf_addstr(out, "  ");
		add_escaped(out, plan->conflicts.v[i]);
		strbuf_addch(out, '\n');
	}
}

void undo_show(const struct undo_plan *plan)
{
	const struct common_options *common = &plan->request->common;
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	if (common->json && common->dry_run) {
		json_t *json CLEANUP(json_decref_p) = plan_to_json(plan, false);

		json_print(json);
		return;
	}
	if (!((common->quiet || common->json) && common->yes)) {
		add_plan(&text, plan);
		fflush(stdout);
		fputs(text.buf, common->dry_run ? stdout : stderr);
	}
	verdict_print(&plan->verdict, common->dry_run);
}

/* --- report --------------------------------------------------------------------------------------- */

static void print_lines(const char *title, const struct strvec *lines)
{
	if (lines->nr)
		puts(title);
	for (size_t i = 0; i < lines->nr; i++) {
		char *shown CLEANUP(free_p) = text_escaped(lines->v[i]);

		printf("  %s\n", shown);
	}
}

static void add_number(struct strbuf *line, int64_t n, const char *one, const char *many)
{
	strbuf_addf(line, "; %" PRId64 " %s", n, n == 1 ? one : many);
}

static void print_table(const struct undo_table *table)
{
	const struct put_back_result *result = &table->result;
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;

	if (table->swapped) {
		strbuf_addstr(&line, "moved back ");
		add_escaped(&line, table->table);
		strbuf_addstr(&line, ", the very table that was kept");
		puts(line.buf);
		return;
	}
	strbuf_addstr(&line, "put back ");
	amount_add_count(&line, (uint64_t)result->rows, "row", NULL);
	strbuf_addstr(&line, " of ");
	add_escaped(&line, table->table);
	if (result->missing)
		add_number(&line, result->missing, "saved value has no row any more",
			   "saved values have no row any more");
	if (result->newer)
		add_number(&line, result->newer, "newer row stays as it is",
			   "newer rows stay as they are");
	if (result->different)
		add_number(&line, result->different,
			   "row was not restored, as it has other values now",
			   "rows were not restored, as they have other values now");
	puts(line.buf);
}

/* Have others added rows or deleted some? */
static bool has_newer(const struct undo_plan *plan)
{
	for (size_t i = 0; i < plan->table_nr; i++)
		if (plan->table[i].result.newer || plan->table[i].result.missing)
			return true;
	return false;
}

static void print_unproven(const struct undo_plan *plan)
{
	struct strvec lines CLEANUP(strvec_release) = STRVEC_INIT;

	for (size_t i = 0; i < plan->unproven_nr; i++)
		strvec_pushf(&lines, "%s: %s",
			     plan->unproven[i].table ? plan->unproven[i].table : "any table",
			     plan->unproven[i].why);
	print_lines("Not proven, the rows of:", &lines);
}

static void print_proof(const struct undo_plan *plan)
{
	const struct proof *proof = &plan->proof;

	if (proof->result == PROOF_DIFFERENT)
		print_lines("Not proven: the schema is not what it was before the rollback:",
			    &proof->differences);
	else if (proof->result == PROOF_UNRECORDED)
		puts("Of the schema nothing was recorded (--no-proof): what went by CASCADE may be "
		     "missing.");
	else if (plan->unproven_nr)
		puts("Proven: the schema is what it was before the rollback.");
	else if (has_newer(plan))
		puts("Proven: the schema is what it was before the rollback, and so are the rows that "
		     "were put back.");
	else if (proof->result == PROOF_PROVEN)
		puts("Proven: schema and rows are what they were before the rollback.");
	if (proof->result == PROOF_UNRECORDED && !plan->unproven_nr)
		puts("The rows that were put back are proven.");
	print_unproven(plan);
}

static void print_replaced(const struct undo_plan *plan)
{
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;

	if (!plan->replaced)
		return;
	strbuf_addstr(&line, "saved what was there before, ");
	amount_add_count(&line,
			 (uint64_t)json_integer_value(json_object_get(plan->replaced, "rows")),
			 "row", NULL);
	strbuf_addstr(&line, ", in ");
	add_escaped(&line, json_member(plan->replaced, "path"));
	puts(line.buf);
}

void undo_report(const struct undo_plan *plan, enum rollback_outcome outcome,
		 const struct error *failure)
{
	const struct common_options *common = &plan->request->common;

	if (common->json) {
		json_t *json CLEANUP(json_decref_p) = plan_to_json(plan, true);

		json_object_set_new(json, "operation", json_text(plan->operation));
		json_object_set_new(json, "outcome",
				    json_string(outcome == ROLLBACK_UNPROVEN ?
							"unproven" :
							outcome_name(failure)));
		json_object_set_new(json, "remade", json_strings(&plan->remade));
		json_object_set_new(json, "proof", proof_to_json(&plan->proof));
		rollback_record_to_json(&plan->record, json);
		json_object_set_new(json, "left",
				    plan->left ? json_incref(plan->left) : json_object());
		json_object_set_new(json, "sequences_further", json_strings(&plan->further));
		json_object_set_new(json, "not_proven_rows", unproven_to_json(plan));
		json_object_set_new(json, "saved",
				    plan->replaced ? json_incref(plan->replaced) : json_null());
		if (failure)
			json_object_set_new(json, "error", error_to_json(failure));
		json_print(json);
		return;
	}
	if (outcome == ROLLBACK_FAILED || (common->quiet && outcome == ROLLBACK_DONE))
		return;
	for (size_t i = 0; i < plan->nr; i++) {
		struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;

		if (plan->step[i].there)
			continue;
		strbuf_addstr(&line, outcome == ROLLBACK_DONE ? "applied again " : "undone again ");
		add_escaped(&line, plan->step[i].version);
		strbuf_addch(&line, ' ');
		add_escaped(&line, plan->step[i].name);
		puts(line.buf);
	}
	print_lines("made again, from the saved schema:", &plan->remade);
	for (size_t i = 0; i < plan->table_nr; i++)
		print_table(&plan->table[i]);
	print_lines("sequences that were used since:", &plan->further);
	print_replaced(plan);
	print_proof(plan);
	rollback_record_print(&plan->record, common->verbose);
	if (outcome == ROLLBACK_UNPROVEN) {
		puts("Everything was undone: nothing has changed.");
		hint("Use --accept-difference to take the difference.");
	}
	if (plan->left && outcome == ROLLBACK_DONE)
		hint("The rollback is not undone with that. Take the rows away that are not to stay, "
		     "and use 'git rollback-db --undo=%s --merge' again.",
		     plan->undone);
	if (plan->request->rehearse)
		puts("It was a rehearsal: everything was undone.");
}
