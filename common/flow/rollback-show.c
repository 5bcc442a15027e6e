/* SPDX-License-Identifier: MIT */
#include "base/linediff.h"
#include "base/memory.h"
#include "base/text.h"
#include "flow/rollback-script.h"
#include "term/amount.h"
#include "term/output.h"

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *step_to_json(const struct rollback_step *step, bool executed)
{
	const struct down *down = step->down;
	json_t *ret =
		json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:b, s:o, s:b}", "version",
			  json_text(step->applied->version), "name", json_text(step->applied->name),
			  "applied_at", json_time(step->applied->applied_at), "down_from",
			  down ? down_origin_name(down->origin) : "log", "down",
			  json_text(down ? down->path : NULL), "down_checksum",
			  json_text(down && *down->checksum ? down->checksum : NULL), "transaction",
			  !step->script.no_transaction, "statements", json_size(step->script.nr),
			  "corrected", down && down->corrected);

	if (!ret)
		BUG("cannot pack a step");
	if (step->unfinished)
		json_object_set_new(ret, "interrupted",
				    json_pack("{s:s, s:o, s:o}", "direction",
					      step->unfinished->down ? "down" : "up",
					      "statements_done", json_size(step->unfinished->done),
					      "statements",
					      json_size(step->unfinished->statements)));
	if (executed) {
		json_object_set_new(ret, "done", json_boolean(step->done));
		json_object_set_new(ret, "execution_time_ms",
				    json_integer(step->microseconds / 1000));
	}
	return ret;
}

json_t *rollback_to_json(const struct rollback_plan *plan, bool executed)
{
	json_t *steps = json_array();
	json_t *ret =
		json_pack("{s:i, s:s, s:o, s:b, s:b, s:s}", "format", 1, "command", "rollback-db",
			  "database", json_text(plan->session->database.name), "dry_run",
			  plan->request->common.dry_run, "rehearse", plan->request->rehearse,
			  "confirm", plan->destroys ? "ROLLBACK" : "yes");

	verdict_to_json(&plan->verdict, ret);
	for (size_t i = 0; i < plan->nr && !plan->script; i++)
		json_array_append_new(steps, step_to_json(&plan->step[i], executed));
	json_object_set_new(ret, "steps", steps);
	if (plan->script)
		json_object_set_new(ret, "script", rollback_script_to_json(plan, executed));
	impact_to_json(plan->has_impact ? &plan->impact : NULL, ret);
	if (plan->request->keep)
		json_object_set_new(ret, "keeps", keep_to_json(&plan->keep));
	json_object_set_new(ret, "checklist", checklist_to_json(plan));
	return ret;
}

/* --- for people --------------------------------------------------------------------------------- */

/* Names and paths come from elsewhere: they are shown, not obeyed, line ends too. */
static void add_escaped(struct strbuf *out, const char *before, const char *text, const char *after)
{
	strbuf_addstr(out, before);
	text_escape(out, text, strlen(text), false);
	strbuf_addstr(out, after);
}

static void add_step_line(struct strbuf *out, const struct rollback_step *step)
{
	const struct log_unfinished *u = step->unfinished;

	add_escaped(out, "  ", step->applied->version, " ");
	add_escaped(out, "", step->applied->name, "");
	if (u)
		strbuf_addf(out, " (%s was interrupted after statement %zu of %zu)",
			    u->down ? "rollback" : "apply", u->done, u->statements);
	strbuf_addch(out, '\n');
	if (step->down && step->down->origin != DOWN_NOWHERE) {
		add_escaped(out, "    down script: ", step->down->path, " (");
		add_escaped(out, "", step->down->place, ")\n");
	}
	if (step->script.no_transaction)
		strbuf_addf(out, "    runs outside a transaction: %s\n",
			    step->script.why ? sql_kind_name(step->script.why->kind) :
					       "as it is marked");
}

static bool can_take_back(const struct rollback_request *request)
{
	return !request->no_save && !request->no_snapshot && !request->no_proof;
}

static void add_migrations(struct strbuf *out, const struct rollback_plan *plan)
{
	strbuf_addstr(out, "Rolling back ");
	amount_add_count(out, plan->nr, "migration", NULL);
	add_escaped(out, " in database ", plan->session->database.name, ", the newest first");
	strbuf_addstr(out, plan->outside ? ":\n" : ", in one transaction:\n");
	for (size_t i = 0; i < plan->nr; i++)
		add_step_line(out, &plan->step[i]);
	if (plan->outside)
		strbuf_addstr(out,
			      can_take_back(plan->request) ?
				      "When a step fails, what is done by then is undone from "
				      "what was saved.\n" :
				      "What runs outside a transaction stays done when a later "
				      "step fails.\n");
}

void rollback_text(struct strbuf *out, const struct rollback_plan *plan)
{
	if (plan->script)
		rollback_script_text(out, plan);
	else
		add_migrations(out, plan);
	impact_text(out, &plan->impact, !plan->outside && !plan->request->rehearse);
	keep_text(out, &plan->keep);
	if (plan->request->common.verbose)
		checklist_text(out, plan);
}

/* The recorded down script against the worktree's, which was corrected. */
static void show_differences(const struct rollback_plan *plan, FILE *to)
{
	for (size_t i = 0; i < plan->nr; i++) {
		const struct down *down = plan->step[i].down;
		struct strbuf diff CLEANUP(strbuf_release) = STRBUF_INIT;
		struct strbuf shown CLEANUP(strbuf_release) = STRBUF_INIT;

		if (!down || !down->corrected || !down->recorded.len)
			continue;
		strbuf_addf(&diff, "--- %s as it was recorded\n+++ %s\n", down->path, down->path);
		linediff(&diff, down->recorded.buf, down->text.buf);
		text_escape_lines(&shown, diff.buf);
		fputs(shown.buf, to);
	}
}

void rollback_show(const struct rollback_plan *plan)
{
	const struct common_options *common = &plan->request->common;
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	FILE *to = common->dry_run ? stdout : stderr;

	if (common->json && common->dry_run) {
		json_t *json CLEANUP(json_decref_p) = rollback_to_json(plan, false);

		json_print(json);
		return;
	}
	if (plan->nr && !((common->quiet || common->json) && common->yes)) {
		rollback_text(&text, plan);
		fflush(stdout);
		fputs(text.buf, to);
		if (common->verbose)
			show_differences(plan, to);
	}
	verdict_print(&plan->verdict, common->dry_run);
}

/* --- report --------------------------------------------------------------------------------------- */

static void print_escaped(const char *prefix, const char *text)
{
	char *shown CLEANUP(free_p) = text_escaped(text);

	printf("%s%s\n", prefix, shown);
}

static bool something_stays(const struct rollback_plan *plan)
{
	for (size_t i = 0; i < plan->nr; i++)
		if (plan->step[i].done && !plan->request->rehearse)
			return true;
	return false;
}

static const char *proof_text(enum proof_result result)
{
	static const char *const texts[] = {
		[PROOF_SKIPPED] = "",
		[PROOF_PROVEN] = "Proven: the schema is what it was before.",
		[PROOF_UNRECORDED] =
			"Not proven: nothing is recorded of what these migrations changed:",
		[PROOF_DIFFERENT] = "Not proven: the schema is not what it should be:",
	};

	return texts[result];
}

static void print_proof(const struct rollback_plan *plan, enum rollback_outcome outcome)
{
	const struct proof *proof = &plan->proof;

	if (proof->result != PROOF_SKIPPED)
		puts(plan->script ? rollback_script_proof_text(plan) : proof_text(proof->result));
	for (size_t i = 0; i < proof->unrecorded.nr && proof->result == PROOF_UNRECORDED; i++)
		print_escaped("  ", proof->unrecorded.v[i]);
	for (size_t i = 0; i < proof->differences.nr && proof->result == PROOF_DIFFERENT; i++)
		print_escaped("  ", proof->differences.v[i]);
	for (size_t i = 0; i < proof->order.nr && plan->request->common.verbose; i++)
		print_escaped("The order of columns is another: ", proof->order.v[i]);
	if (outcome == ROLLBACK_UNPROVEN) {
		if (!plan->request->rehearse)
			puts(something_stays(plan) ?
				     "What is rolled back above stays so; nothing else has changed." :
				     "Everything was undone: nothing has changed.");
		hint("Correct the %s, or use --accept-difference to take the difference.",
		     plan->script ? "script" : "down script");
	}
}

json_t *rollback_outcome_to_json(const struct rollback_plan *plan, enum rollback_outcome outcome,
				 const struct error *failure)
{
	json_t *ret = rollback_to_json(plan, true);

	json_object_set_new(ret, "operation", json_text(plan->operation));
	json_object_set_new(ret, "outcome",
			    json_string(outcome == ROLLBACK_UNPROVEN ? "unproven" :
								       outcome_name(failure)));
	json_object_set_new(ret, "proof", proof_to_json(&plan->proof));
	if (plan->request->rehearse)
		json_object_set_new(ret, "rehearsed", rehearsed_to_json(&plan->rehearsed));
	rollback_record_to_json(&plan->record, ret);
	if (failure) {
		json_object_set_new(ret, "taken_back_by", json_text(plan->taken_back));
		json_object_set_new(ret, "error", error_to_json(failure));
	}
	return ret;
}

static void print_step(const struct rollback_plan *plan, const struct rollback_step *step)
{
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;

	if (!plan->script)
		strbuf_addf(&line, "%s ", step->applied->version);
	strbuf_addf(&line, "%s (", step->applied->name);
	amount_add_duration(&line, step->microseconds);
	strbuf_addch(&line, ')');
	print_escaped(plan->request->rehearse	 ? "rehearsed " :
		      step->done && plan->script ? "ran " :
		      step->done		 ? "rolled back " :
						   "undone again ",
		      line.buf);
}

static void print_rehearsed(const struct rehearsed *rehearsed)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	rehearsed_text(&text, rehearsed);
	if (text.len)
		printf("What it did to rows:\n%s", text.buf);
	puts("It was a rehearsal: everything was undone.");
}

void rollback_report(const struct rollback_plan *plan, enum rollback_outcome outcome,
		     const struct error *failure)
{
	const struct common_options *common = &plan->request->common;

	if (common->json) {
		json_t *json CLEANUP(json_decref_p) =
			rollback_outcome_to_json(plan, outcome, failure);

		json_print(json);
		return;
	}
	if (common->quiet && outcome == ROLLBACK_DONE) {
		validation_warn(&plan->record.validation);
		return;
	}
	if (!plan->nr) {
		char *database CLEANUP(free_p) = text_escaped(plan->session->database.name);

		printf("Nothing to roll back in database %s.\n", database);
		return;
	}
	/* What never ran has no line; nor has, where something failed, what was undone with it. */
	for (size_t i = 0; i < plan->nr; i++)
		if (plan->step[i].ran && (outcome != ROLLBACK_FAILED || plan->step[i].done))
			print_step(plan, &plan->step[i]);
	if (outcome == ROLLBACK_FAILED)
		return;
	print_proof(plan, outcome);
	rollback_record_print(&plan->record, common->verbose);
	if (plan->request->rehearse)
		print_rehearsed(&plan->rehearsed);
}
