/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/text.h"
#include "flow/hook.h"
#include "flow/track-plan.h"
#include "flow/track-verify.h"
#include "term/amount.h"
#include "term/output.h"
#include "vcs/path.h"

/* ---- What a person has to do --------------------------------------------------------- */

static void list_by_hand(struct strvec *ret, const struct track_plan *plan)
{
	const struct environments *environments = &plan->migrations.environments;

	track_migrations_commands(&plan->migrations, ret);
	track_migrations_commands_after(&plan->migrations, ret);
	for (size_t i = 0; i < plan->fixes.nr; i++)
		for (size_t d = 0; d < plan->fixes.item[i].databases.nr; d++) {
			struct strbuf command = STRBUF_INIT;

			strbuf_addstr(&command, "git apply-migration --database=");
			text_shell_word(&command, plan->fixes.item[i].databases.v[d]);
			if (!strvec_has(ret, command.buf))
				strvec_push(ret, command.buf);
			strbuf_release(&command);
		}
	for (size_t e = 0; e < environments->nr; e++) {
		struct strbuf command = STRBUF_INIT;

		strbuf_addstr(&command, "git migration-status --database=");
		text_shell_word(&command, environments->item[e].name);
		if (!environments->item[e].reachable)
			strvec_push(ret, command.buf);
		strbuf_release(&command);
	}
}

/* ---- A conflict ---------------------------------------------------------------------- */

static const char *advice_for(enum file_kind kind)
{
	switch (kind) {
	case FILE_MIGRATION:
		return "a migration that some database has must stay as it was applied there";
	case FILE_SCHEMA: return "it has to fit the migrations that are left";
	case FILE_MODEL: return "it has to fit the schema that is left";
	case FILE_SHARED: return "others use it too: look for what still calls the part that goes";
	case FILE_OTHER: return NULL;
	}
	BUG("unknown kind of file %d", (int)kind);
}

/* Whose the commit is: a track that the other one is not of. */
static bool has_other_track(const struct commit_units *owners, const char *commit,
			    const char *other)
{
	size_t nr, others;
	const struct commit_unit *owner = commit_units_find(owners, commit, &nr);
	const struct commit_unit *own = commit_units_find(owners, other, &others);

	for (size_t i = 0; i < nr; i++)
		for (size_t o = 0; o < others; o++)
			if (owner[i].unit.track != own[o].unit.track)
				return true;
	return false;
}

/* As in the plan: what another track has changed is shared, whatever it is called. */
static enum file_kind kind_of(const struct revert_step *step, const struct revert_conflict *it,
			      const struct file_kinds *kinds, const struct commit_units *owners)
{
	enum file_kind kind = file_kind_of(kinds, it->path);

	for (size_t i = 0; kind == FILE_OTHER && i < it->causes; i++)
		if (has_other_track(owners, it->cause[i].commit, step->commit))
			kind = FILE_SHARED;
	return kind;
}

static void explain_file(const struct revert_step *step, const struct revert_conflict *it,
			 const struct file_kinds *kinds, const struct commit_units *owners,
			 const struct tracks *tracks)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	enum file_kind kind = kind_of(step, it, kinds, owners);
	const char *advice = advice_for(kind);

	path_show(&text, it->path);
	note("  %s (%s)", text.buf, revert_conflict_name(it->kind));
	strbuf_reset(&text);
	strbuf_addstr(&text, "ours: what is there now");
	for (size_t i = 0; i < it->causes; i++) {
		strbuf_addf(&text, "%s %.10s %s", i ? "," : ", by", it->cause[i].commit,
			    it->cause[i].subject);
		commit_units_describe(&text, owners, tracks, it->cause[i].commit);
	}
	note("    %s", text.buf);
	strbuf_reset(&text);
	strbuf_addf(&text, "theirs: what was there before %.10s %s", step->commit, step->subject);
	commit_units_describe(&text, owners, tracks, step->commit);
	note("    %s", text.buf);
	if (it->kind == REVERT_LOCATION && it->base_path) {
		strbuf_reset(&text);
		path_show(&text, it->base_path);
		note("    it was %s, and is here since that folder was renamed: 'git add' it where it "
		     "belongs",
		     text.buf);
	}
	if (advice)
		note("    %s: %s", file_kind_name(kind), advice);
}

void track_conflict_explain(const struct revert_run *run, const struct file_kinds *kinds,
			    const struct commit_units *owners, const struct tracks *tracks)
{
	const struct revert_step *step = &run->series.step[run->steps];

	note("stopped at a conflict, reverting %.10s %s:", step->commit, step->subject);
	for (size_t i = 0; i < step->conflicts; i++)
		explain_file(step, &step->conflict[i], kinds, owners, tracks);
	hint("Resolve the conflicts, mark the files with 'git add' or 'git rm', then run "
	     "'git revert-track --continue'.");
	hint("'git revert-track --skip' leaves this commit out; 'git revert-track --abort' goes "
	     "back to before the whole revert.");
}

/* ---- The report ---------------------------------------------------------------------- */

struct report {
	const struct track_plan *plan;
	const char *outcome;
	const struct error *failure;
	struct track_checks checks;
	struct strvec by_hand;
};

static void report_release(struct report *report)
{
	track_checks_release(&report->checks);
	strvec_release(&report->by_hand);
}

static json_t *report_to_json(const struct report *report)
{
	const struct track_plan *plan = report->plan;
	json_t *ret = track_plan_to_json(plan);

	json_object_set_new(ret, "outcome", json_string(report->outcome));
	json_object_set_new(ret, "operation", json_text(plan->operation));
	json_object_set_new(ret, "new_head", json_text(plan->run.head));
	json_object_set_new(ret, "verification", track_checks_to_json(&report->checks));
	json_object_set_new(ret, "by_hand", json_strings(&report->by_hand));
	if (report->failure)
		json_object_set_new(ret, "error", error_to_json(report->failure));
	return ret;
}

void track_print_by_hand(const struct strvec *commands)
{
	if (commands->nr)
		puts("To be done by hand:");
	for (size_t i = 0; i < commands->nr; i++) {
		char *shown CLEANUP(free_p) = text_escaped(commands->v[i]);

		printf("  %s\n", shown);
	}
	fflush(stdout);
}

static void print_done(const struct report *report)
{
	const struct track_plan *plan = report->plan;
	const struct common_options *common = plan->session->common;
	char *unit CLEANUP(free_p) = track_unit_text(plan);
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	amount_add_count(&text, plan->run.series.clean, "commit", NULL);
	if (plan->documents.nr) {
		strbuf_addstr(&text, ", ");
		amount_add_count(&text, plan->documents.nr, "document", NULL);
	}
	if (!common->quiet)
		printf("reverted %s: %s (operation %s)\n", unit, text.buf,
		       plan->operation ? plan->operation : "none");
	track_checks_print(&report->checks, common->verbose > 0);
	track_print_by_hand(&report->by_hand);
	if (track_checks_failed(&report->checks))
		hint("'git checkpoint undo' takes the revert back.");
}

static void print_report(const struct report *report)
{
	const struct track_plan *plan = report->plan;

	if (plan->session->common->json) {
		json_t *json CLEANUP(json_decref_p) = report_to_json(report);

		json_print(json);
	} else if (!report->failure && !plan->run.stops) {
		print_done(report);
	}
	if (!report->failure && plan->run.stops)
		track_conflict_explain(&plan->run, &plan->kinds, &plan->owners, &plan->tracks);
}

void track_plan_refused(const struct track_plan *plan, const struct error *failure)
{
	struct report report CLEANUP(report_release) = { .plan = plan,
							 .outcome = outcome_name(failure),
							 .failure = failure };

	if (plan->session->common->json)
		print_report(&report);
}

/* ---- All of it ----------------------------------------------------------------------- */

static void after(const struct report *report)
{
	const struct checkpoint_session *s = report->plan->session;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	json_t *json CLEANUP(json_decref_p) = report_to_json(report);

	if (hook_run("post-rollback", &s->repo, &s->settings, json, &err) < 0)
		warning("%s", err.message);
}

/* Whatever verification meets, the revert is done. */
static void verify(struct report *report)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (track_verify(&report->checks, report->plan, &err) < 0)
		warning("could not verify it all: %s", err.message);
}

/* What later commits did to the lines: the second plan, under the lock, has not looked for it. */
static void find_causes(struct track_plan *plan)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (revert_find_causes(&plan->run.series, plan->session->repo.head, TRACK_CAUSES_MAX,
			       &ignored) < 0)
		error_clear(&ignored);
}

int track_plan_execute(struct track_plan *plan, struct error *err)
{
	const struct checkpoint_session *s = plan->session;
	json_t *json CLEANUP(json_decref_p) = track_plan_to_json(plan);
	struct report report CLEANUP(report_release) = { .plan = plan };
	int ret;

	if (hook_run("pre-rollback", &s->repo, &s->settings, json, err) < 0) {
		track_plan_refused(plan, err);
		return -1;
	}
	list_by_hand(&report.by_hand, plan);
	/* Where it stops at a conflict, --continue says it in the end. */
	json_object_set_new(plan->members, "by_hand", json_strings(&report.by_hand));
	json_object_set_new(plan->members, "plan_update", json_boolean(plan->documents.nr));
	json_object_set_new(plan->members, "migrations",
			    track_migrations_state(&plan->migrations, &plan->request->databases));
	ret = revert_run_execute(&plan->run, &plan->operation, err);
	report.failure = ret < 0 ? err : NULL;
	if (ret < 0)
		strvec_release(&report.by_hand);
	report.outcome = ret == REVERT_RUN_STOPPED ? "conflict" : outcome_name(report.failure);
	if (ret == REVERT_RUN_STOPPED)
		find_causes(plan);
	if (ret == REVERT_RUN_DONE)
		verify(&report);
	after(&report);
	print_report(&report);
	if (ret < 0)
		return -1;
	return ret == REVERT_RUN_STOPPED || track_checks_failed(&report.checks) ? EXIT_NO :
										  EXIT_DONE;
}
