/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/text.h"
#include "flow/apply.h"
#include "term/amount.h"
#include "term/output.h"

static json_t *step_to_json(const struct apply_step *step, bool executed)
{
	json_t *ret =
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "version",
			  json_text(step->version), "name", json_text(step->name), "up",
			  json_text(step->file ? step->file->up.path : NULL), "down",
			  json_text(step->file ? step->file->down.path : NULL), "checksum",
			  json_text(step->checksum), "transaction", !step->script.no_transaction,
			  "statements", json_size(step->script.nr));

	if (step->unfinished)
		json_object_set_new(ret, "continues_after", json_size(step->unfinished->done));
	if (!executed)
		return ret;
	json_object_set_new(ret, "done", json_boolean(step->done));
	if (step->done)
		json_object_set_new(ret, "execution_time_ms",
				    json_integer(step->microseconds / 1000));
	json_object_set_new(ret, "changes", catalog_changes_to_json(&step->changes));
	if (step->locks.nr) {
		json_t *locks = json_array();

		for (size_t i = 0; i < step->locks.nr; i++)
			json_array_append_new(locks, json_text(step->locks.v[i]));
		json_object_set_new(ret, "locks", locks);
	}
	return ret;
}

static json_t *plan_to_json(const struct apply_plan *plan, bool executed)
{
	json_t *ret = json_pack("{s:i, s:s, s:o, s:b, s:b, s:b}", "format", 1, "command",
				"apply-migration", "database",
				json_text(plan->session->database.name), "dry_run",
				plan->request->common.dry_run, "rehearse", plan->request->rehearse,
				"single_transaction", plan->request->single_transaction);
	json_t *steps = json_array();

	verdict_to_json(&plan->verdict, ret);
	json_object_set_new(ret, "snapshot",
			    executed ? json_text(plan->snapshot) :
				       json_boolean(plan->session->database.snapshot));
	for (size_t i = 0; i < plan->nr; i++)
		json_array_append_new(steps, step_to_json(&plan->step[i], executed));
	json_object_set_new(ret, "steps", steps);
	return ret;
}

static const char *verb(const struct apply_request *request)
{
	switch (request->mode) {
	case APPLY_BASELINE: return "record as applied, without running";
	case APPLY_CONTINUE: return "go on with";
	default: return request->rehearse ? "rehearse" : "apply";
	}
}

/* "<version> <name>", which come from files and from the log: shown, not obeyed. free() it. */
static char *step_title(const struct apply_step *step)
{
	char *title CLEANUP(free_p) = xstrfmt("%s %s", step->version, step->name);

	return text_escaped(title);
}

static void print_plan(const struct apply_plan *plan, FILE *to)
{
	char *database CLEANUP(free_p) = text_escaped(plan->session->database.name);

	fflush(stdout);
	fprintf(to, "Database %s: %zu to %s.\n", database, plan->nr, verb(plan->request));
	if (plan->nr && plan->session->database.snapshot && !plan->request->rehearse)
		fprintf(to, "  a snapshot of it first\n");
	for (size_t i = 0; i < plan->nr; i++) {
		const struct apply_step *step = &plan->step[i];
		char *title CLEANUP(free_p) = step_title(step);

		fprintf(to, "  %s", title);
		if (step->unfinished)
			fprintf(to, " (after statement %zu of %zu)", step->unfinished->done,
				step->script.nr);
		if (step->script.no_transaction)
			fprintf(to, " (outside a transaction: %s)",
				step->script.why ? sql_kind_name(step->script.why->kind) :
						   "as it is marked");
		putc('\n', to);
	}
}

void apply_show(const struct apply_plan *plan)
{
	const struct common_options *common = &plan->request->common;

	/* What is carried out is printed with what came of it: apply_report(). */
	if (common->json && common->dry_run) {
		json_t *json CLEANUP(json_decref_p) = plan_to_json(plan, false);

		json_print(json);
		return;
	}
	if (!common->json && (common->dry_run || common->verbose))
		print_plan(plan, common->dry_run ? stdout : stderr);
	verdict_print(&plan->verdict, common->dry_run);
}

void apply_show_done(const struct apply_plan *plan, const struct apply_step *step)
{
	struct strbuf time CLEANUP(strbuf_release) = STRBUF_INIT;
	char *title CLEANUP(free_p) = step_title(step);

	if (plan->request->common.json || plan->request->common.quiet)
		return;
	amount_add_duration(&time, step->microseconds);
	printf("%s %s (%s)\n", mark_text(MARK_DONE, output_utf8()), title,
	       plan->request->mode == APPLY_BASELINE ? "recorded" : time.buf);
}

/* --- report --------------------------------------------------------------------------- */

static void report_rehearsal(const struct apply_plan *plan)
{
	bool utf8 = output_utf8();

	for (size_t i = 0; i < plan->nr; i++) {
		const struct apply_step *step = &plan->step[i];
		struct strbuf time CLEANUP(strbuf_release) = STRBUF_INIT;
		char *title CLEANUP(free_p) = step_title(step);

		amount_add_duration(&time, step->microseconds);
		printf("%s (%s)\n", title, time.buf);
		for (size_t k = 0; k < step->changes.nr; k++) {
			const struct catalog_change *change = &step->changes.item[k];
			struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;
			struct strbuf shown CLEANUP(strbuf_release) = STRBUF_INIT;

			catalog_change_text(&line, change, utf8);
			text_escape(&shown, line.buf, line.len, false);
			printf("  %s\n", shown.buf);
		}
		for (size_t k = 0; k < step->locks.nr; k++) {
			char *lock CLEANUP(free_p) = text_escaped(step->locks.v[k]);

			printf("  lock %s\n", lock);
		}
	}
	printf("Everything was rolled back.\n");
}

void apply_report(const struct apply_plan *plan, const struct error *failure)
{
	const struct common_options *common = &plan->request->common;
	char *database CLEANUP(free_p) = text_escaped(plan->session->database.name);

	if (common->json) {
		json_t *json CLEANUP(json_decref_p) = plan_to_json(plan, true);

		json_object_set_new(json, "operation", json_text(plan->operation));
		json_object_set_new(json, "outcome", json_string(outcome_name(failure)));
		if (failure)
			json_object_set_new(json, "error", error_to_json(failure));
		json_print(json);
		return;
	}
	if (failure || common->quiet)
		return;
	if (!plan->nr && !plan->session->files.folder)
		printf("Nothing to apply: no folder with migrations was found.\n");
	else if (!plan->nr)
		printf("Nothing to apply: database %s is up to date.\n", database);
	else if (plan->request->rehearse)
		report_rehearsal(plan);
}
