/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/text.h"
#include "flow/track-plan.h"
#include "flow/track-verify.h"
#include "flow/track.h"
#include "term/amount.h"
#include "term/output.h"
#include "vcs/path.h"

/* ---- What there is to say of each ---------------------------------------------------- */

const struct revert_step *track_plan_step(const struct track_plan *plan, const char *oid)
{
	for (size_t i = 0; i < plan->run.series.nr; i++)
		if (!strcmp(plan->run.series.step[i].commit, oid))
			return &plan->run.series.step[i];
	return NULL;
}

/* What is in no step is edited in the documents, or was reverted before. */
static const char *outcome_of(const struct track_plan *plan, const char *oid)
{
	const struct revert_step *step = track_plan_step(plan, oid);

	if (!step)
		return strvec_has(&plan->done_already, oid) ? "reverted" : "documents";
	switch (step->outcome) {
	case REVERT_CLEAN: return "clean";
	case REVERT_CONFLICT: return "conflict";
	case REVERT_EMPTY:
		return step->nothing ? "empty" : step->kept.nr ? "documents" : "reverted";
	}
	BUG("unknown outcome %d", (int)step->outcome);
}

static enum file_kind kind_of(const struct track_plan *plan, const char *path)
{
	enum file_kind kind = file_kind_of(&plan->kinds, path);
	const struct tree_change *file = tree_changes_find(&plan->touched, path);
	size_t at = file ? (size_t)(file - plan->touched.item) : plan->files_nr;

	/* What several tracks have changed is shared, whatever it is called. */
	if (kind == FILE_OTHER && at < plan->files_nr && plan->files[at].tracks.nr)
		return FILE_SHARED;
	return kind;
}

static bool is_conflicting(const struct track_plan *plan, const char *path)
{
	for (size_t s = 0; s < plan->run.series.nr; s++)
		for (size_t c = 0; c < plan->run.series.step[s].conflicts; c++)
			if (!strcmp(plan->run.series.step[s].conflict[c].path, path))
				return true;
	return false;
}

static const char *change_name(const struct tree_change *change)
{
	return !change->old_mode ? "appears" : !change->new_mode ? "goes" : "changes";
}

/* ---- JSON ---------------------------------------------------------------------------- */

static json_t *commit_to_json(const struct track_plan *plan, const struct track_commit *it)
{
	const struct revert_step *step = track_plan_step(plan, it->oid);
	json_t *ret = it->evidence ? evidence_commit_to_json(it->evidence) :
				     json_pack("{s:s, s:o, s:s, s:s, s:[{s:s, s:s}]}", "oid",
					       it->oid, "subject", json_text(it->subject), "level",
					       "certain", "role", "implementation", "evidence",
					       "kind", "also", "detail", "named by --also");

	if (!ret)
		BUG("cannot pack a commit");
	json_object_set_new(ret, "mainline",
			    it->mainline ? json_integer(it->mainline) : json_null());
	json_object_set_new(ret, "outcome", json_string(outcome_of(plan, it->oid)));
	json_object_set_new(ret, "uncertain", json_boolean(step && step->uncertain));
	return ret;
}

static json_t *left_out_to_json(const struct track_plan *plan)
{
	json_t *ret = json_array();

	for (size_t u = 0; u < plan->units.nr; u++)
		for (size_t i = 0; i < plan->found[u].nr; i++)
			if (!track_plan_has(plan, plan->found[u].item[i].oid))
				json_array_append_new(
					ret, evidence_commit_to_json(&plan->found[u].item[i]));
	return ret;
}

static json_t *files_to_json(const struct track_plan *plan)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < plan->touched.nr; i++) {
		const struct tree_change *it = &plan->touched.item[i];
		json_t *tracks =
			i < plan->files_nr ? json_strings(&plan->files[i].tracks) : json_array();

		json_array_append_new(
			ret, json_pack("{s:o, s:s, s:s, s:b, s:o}", "path", path_to_json(it->path),
				       "change", change_name(it), "kind",
				       file_kind_name(kind_of(plan, it->path)), "conflict",
				       is_conflicting(plan, it->path), "other_tracks", tracks));
	}
	return ret;
}

/* The smallest units that a commit is known to be of. */
static json_t *owners_to_json(const struct track_plan *plan, const char *oid)
{
	json_t *ret = json_array();
	size_t nr;
	const struct commit_unit *owner = commit_units_find(&plan->owners, oid, &nr);

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(ret, track_unit_to_json(&plan->tracks, &owner[i].unit));
	return ret;
}

static json_t *hunk_to_json(const struct revert_hunk *hunk)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "line", json_size(hunk->ours), "lines",
			 json_size(hunk->ours_lines), "reverted_line", json_size(hunk->base),
			 "reverted_lines", json_size(hunk->base_lines));
}

static json_t *conflict_to_json(const struct track_plan *plan, const struct revert_step *step,
				const struct revert_conflict *it)
{
	json_t *hunks = json_array(), *causes = json_array();

	for (size_t i = 0; i < it->hunks; i++)
		json_array_append_new(hunks, hunk_to_json(&it->hunk[i]));
	for (size_t i = 0; i < it->causes; i++)
		json_array_append_new(causes,
				      json_pack("{s:s, s:o, s:o}", "commit", it->cause[i].commit,
						"subject", json_text(it->cause[i].subject), "units",
						owners_to_json(plan, it->cause[i].commit)));
	return json_pack("{s:s, s:o, s:s, s:s, s:o, s:b, s:o, s:o}", "commit", step->commit, "path",
			 path_to_json(it->path), "kind", revert_conflict_name(it->kind),
			 "file_kind", file_kind_name(kind_of(plan, it->path)), "base_path",
			 it->base_path ? path_to_json(it->base_path) : json_null(), "uncertain",
			 step->uncertain, "hunks", hunks, "causes", causes);
}

static json_t *conflicts_to_json(const struct track_plan *plan)
{
	json_t *ret = json_array();

	for (size_t s = 0; s < plan->run.series.nr; s++) {
		const struct revert_step *step = &plan->run.series.step[s];

		for (size_t c = 0; c < step->conflicts; c++)
			json_array_append_new(ret,
					      conflict_to_json(plan, step, &step->conflict[c]));
	}
	return ret;
}

static void set_lists(const struct track_plan *plan, json_t *ret)
{
	json_t *commits = json_array();

	for (size_t i = 0; i < plan->nr; i++)
		json_array_append_new(commits, commit_to_json(plan, &plan->commit[i]));
	json_object_set_new(ret, "commits", commits);
	json_object_set_new(ret, "merges", json_strings(&plan->passed_over));
	json_object_set_new(ret, "left_out", left_out_to_json(plan));
	json_object_set_new(ret, "files", files_to_json(plan));
	json_object_set_new(ret, "split_off", paths_to_json(&plan->split_off));
	json_object_set_new(ret, "conflicts", conflicts_to_json(plan));
	json_object_set_new(ret, "dependents",
			    track_dependents_to_json(&plan->dependents, &plan->tracks));
	track_migrations_to_json(&plan->migrations, ret);
	json_object_set_new(ret, "mentions", track_mentions_to_json(&plan->mentions));
	json_object_set_new(ret, "forward_fixes", track_forward_fixes_to_json(&plan->fixes));
	json_object_set_new(ret, "documents", track_documents_to_json(&plan->documents));
	json_object_set_new(ret, "verify", track_commands_to_json(&plan->session->settings));
	json_object_set_new(ret, "in_the_way", paths_to_json(&plan->run.in_the_way));
}

json_t *track_plan_to_json(const struct track_plan *plan)
{
	const struct track_plan_request *request = plan->request;
	json_t *with = json_array();
	json_t *ret;

	for (size_t i = 1; i < plan->units.nr; i++)
		json_array_append_new(with,
				      track_unit_to_json(&plan->tracks, &plan->units.item[i]));
	ret = json_pack("{s:i, s:s, s:b, s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:o}", "format", 1,
			"command", "revert-track", "dry_run", plan->session->common->dry_run,
			"unit", track_unit_to_json(&plan->tracks, &plan->unit), "with_dependents",
			with, "strategy", request->strategy == TRACK_RESET ? "reset" : "revert",
			"squash", request->squash, "reason", json_text(request->reason), "branch",
			json_text(plan->run.branch), "head", json_text(plan->session->repo.head),
			"trailers", json_strings(&plan->trailers));
	if (!ret)
		BUG("cannot pack a plan");
	json_object_set_new(ret, "reset_to", json_text(plan->reset_to));
	verdict_to_json(&plan->verdict, ret);
	if (verdict_is_clean(&plan->verdict) && plan->run.series.conflicting)
		json_object_set_new(ret, "verdict", json_string("conflict"));
	json_object_set_new(ret, "nothing_to_do", json_boolean(plan->result == TRACK_DONE_ALREADY));
	set_lists(plan, ret);
	return ret;
}

/* ---- For people ---------------------------------------------------------------------- */

static void add_escaped(struct strbuf *out, const char *text)
{
	text_escape(out, text, strlen(text), false);
}

static void add_evidence(struct strbuf *out, const struct evidence_commit *evidence, bool verbose)
{
	size_t shown = verbose ? evidence->reasons : evidence->reasons ? 1 : 0;

	for (size_t i = 0; i < shown; i++) {
		strbuf_addf(out, "      %s: ", evidence_kind_name(evidence->reason[i].kind));
		add_escaped(out, evidence->reason[i].detail);
		strbuf_addch(out, '\n');
	}
}

static const char *outcome_words(const struct track_plan *plan, const char *oid)
{
	const struct revert_step *step = track_plan_step(plan, oid);

	if (!step)
		return strvec_has(&plan->done_already, oid) ? " (reverted already)" :
							      " (documents alone)";
	if (step->outcome == REVERT_CLEAN)
		return "";
	if (step->outcome == REVERT_CONFLICT)
		return " (conflicts)";
	if (step->nothing)
		return " (empty: passed over)";
	return step->kept.nr ? " (documents alone)" : " (reverted already)";
}

static void add_commits(struct strbuf *out, const struct track_plan *plan, bool verbose)
{
	amount_add_count(out, plan->nr, "commit", NULL);
	strbuf_addstr(out, plan->nr > 1 ? ", newest first:\n" : ":\n");
	for (size_t i = 0; i < plan->nr; i++) {
		const struct track_commit *it = &plan->commit[i];

		strbuf_addf(out, "  %.10s ", it->oid);
		add_escaped(out, it->subject);
		if (it->mainline)
			strbuf_addf(out, " (a merge, back to its parent %u)", it->mainline);
		strbuf_addf(out, "%s\n", outcome_words(plan, it->oid));
		if (it->evidence)
			add_evidence(out, it->evidence, verbose);
		else
			strbuf_addstr(out, "      named by --also\n");
	}
	for (size_t i = 0; i < plan->passed_over.nr; i++)
		strbuf_addf(out, "  %.10s is a merge, and is reverted as the commits it merged\n",
			    plan->passed_over.v[i]);
}

static void add_left_out(struct strbuf *out, const struct track_plan *plan)
{
	bool any = false;

	for (size_t u = 0; u < plan->units.nr; u++)
		for (size_t i = 0; i < plan->found[u].nr; i++) {
			const struct evidence_commit *it = &plan->found[u].item[i];

			if (track_plan_has(plan, it->oid))
				continue;
			if (!any)
				strbuf_addstr(out, "Left out (--also=<commit> takes one):\n");
			any = true;
			strbuf_addf(out, "  %.10s ", it->oid);
			add_escaped(out, it->subject);
			strbuf_addf(out, " (%s)\n", evidence_level_name(it->level));
			add_evidence(out, it, false);
		}
}

static void add_files(struct strbuf *out, const struct track_plan *plan)
{
	const struct tree_changes *touched = &plan->touched;

	if (touched->nr)
		strbuf_addstr(out, "Files:\n");
	for (size_t i = 0; i < touched->nr; i++) {
		const struct tree_change *it = &touched->item[i];
		enum file_kind kind = kind_of(plan, it->path);

		strbuf_addf(out, "  %c ", !it->old_mode ? 'A' : !it->new_mode ? 'D' : 'M');
		path_show(out, it->path);
		if (kind != FILE_OTHER)
			strbuf_addf(out, " (%s)", file_kind_name(kind));
		for (size_t t = 0; i < plan->files_nr && t < plan->files[i].tracks.nr; t++) {
			strbuf_addstr(out, t ? ", " : ", changed by track ");
			add_escaped(out, plan->files[i].tracks.v[t]);
		}
		strbuf_addch(out, '\n');
	}
	for (size_t i = 0; i < plan->split_off.nr; i++) {
		strbuf_addstr(out, "  stays: ");
		path_show(out, plan->split_off.v[i]);
		strbuf_addch(out, '\n');
	}
}

static void add_conflict(struct strbuf *out, const struct track_plan *plan,
			 const struct revert_step *step, const struct revert_conflict *it)
{
	strbuf_addstr(out, "  ");
	path_show(out, it->path);
	strbuf_addf(out, " (%s), reverting %.10s%s\n", revert_conflict_name(it->kind), step->commit,
		    step->uncertain ? ", if the conflict before it is solved so" : "");
	for (size_t i = 0; i < it->hunks; i++)
		strbuf_addf(out, "    lines %zu to %zu\n", it->hunk[i].ours,
			    it->hunk[i].ours +
				    (it->hunk[i].ours_lines ? it->hunk[i].ours_lines - 1 : 0));
	for (size_t i = 0; i < it->causes; i++) {
		strbuf_addf(out, "    changed since by %.10s ", it->cause[i].commit);
		add_escaped(out, it->cause[i].subject);
		commit_units_describe(out, &plan->owners, &plan->tracks, it->cause[i].commit);
		strbuf_addch(out, '\n');
	}
}

static void add_conflicts(struct strbuf *out, const struct track_plan *plan)
{
	if (plan->run.series.conflicting)
		strbuf_addstr(out, "Conflicts, where it will stop:\n");
	for (size_t s = 0; s < plan->run.series.nr; s++) {
		const struct revert_step *step = &plan->run.series.step[s];

		for (size_t c = 0; c < step->conflicts; c++)
			add_conflict(out, plan, step, &step->conflict[c]);
	}
}

void track_plan_text(struct strbuf *out, const struct track_plan *plan, bool verbose)
{
	char *unit CLEANUP(free_p) = track_unit_text(plan);

	strbuf_addf(out, "Reverting %s", unit);
	for (size_t i = 1; i < plan->units.nr; i++) {
		strbuf_addstr(out, i + 1 < plan->units.nr ? ", " : " and ");
		unit_describe(out, &plan->tracks, &plan->units.item[i]);
	}
	strbuf_addstr(out, ", ");
	add_commits(out, plan, verbose);
	if (plan->reset_to)
		strbuf_addf(out, "%s goes back to %.10s.\n",
			    plan->run.branch ? plan->run.branch : "HEAD", plan->reset_to);
	add_left_out(out, plan);
	add_files(out, plan);
	add_conflicts(out, plan);
	track_dependents_text(out, &plan->dependents, &plan->tracks);
	track_migrations_text(out, &plan->migrations);
	track_mentions_text(out, &plan->mentions, verbose);
	track_forward_fixes_text(out, &plan->fixes);
	track_documents_text(out, &plan->documents, verbose);
	track_commands_text(out, &plan->session->settings);
}

void track_plan_show(const struct track_plan *plan)
{
	const struct common_options *common = plan->session->common;
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	if (common->json && common->dry_run) {
		json_t *json CLEANUP(json_decref_p) = track_plan_to_json(plan);

		json_print(json);
		return;
	}
	if (!((common->quiet || common->json) && common->yes)) {
		track_plan_text(&text, plan, common->verbose > 0);
		fflush(stdout);
		fputs(text.buf, common->dry_run ? stdout : stderr);
	}
	verdict_print(&plan->verdict, common->dry_run);
}
