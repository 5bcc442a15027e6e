/* SPDX-License-Identifier: MIT */
#include "flow/track-plan.h"

#include "base/memory.h"
#include "base/text.h"
#include "flow/track-merges.h"
#include "flow/track-reset.h"
#include "flow/track-split.h"
#include "flow/track.h"

/* --with-dependents: what depends on dependents, and so on; more rounds than this need nobody. */
#define ROUNDS_MAX 50
/* So many commits are named in one line. */
#define NAMES_MAX 5

void track_plan_request_release(struct track_plan_request *request)
{
	strvec_release(&request->also);
	strvec_release(&request->except);
	strvec_release(&request->databases);
}

/* What one round of planning has made, and the next makes anew. */
static void clear_round(struct track_plan *plan)
{
	revert_run_release(&plan->run);
	free(plan->wanted_commit);
	free(plan->document);
	free(plan->reset_to);
	free(plan->squash_subject);
	free(plan->documents_subject);
	json_decref(plan->members);
	strvec_release(&plan->keep);
	strvec_release(&plan->trailers);
	strvec_release(&plan->split_off);
	track_documents_release(&plan->documents);
	track_forward_fixes_release(&plan->fixes);
	track_migrations_release(&plan->migrations);
	track_mentions_release(&plan->mentions);
	track_dependents_release(&plan->dependents);
	track_files_free(plan->files, plan->files_nr);
	tree_changes_release(&plan->touched);
	verdict_release(&plan->verdict);
	plan->run = (struct revert_run)REVERT_RUN_INIT;
	plan->wanted_commit = NULL;
	plan->document = NULL;
	plan->reset_to = plan->squash_subject = plan->documents_subject = NULL;
	plan->members = NULL;
	plan->files = NULL;
	plan->document_nr = plan->files_nr = 0;
}

void track_plan_release(struct track_plan *plan)
{
	clear_round(plan);
	for (size_t i = 0; i < plan->nr; i++) {
		free(plan->commit[i].oid);
		free(plan->commit[i].subject);
	}
	free(plan->commit);
	strvec_release(&plan->passed_over);
	strvec_release(&plan->done_already);
	strvec_release(&plan->also);
	strvec_release(&plan->except);
	for (size_t i = 0; i < plan->found_alloc; i++)
		evidence_commits_release(&plan->found[i]);
	free(plan->found);
	commit_units_release(&plan->owners);
	file_kinds_release(&plan->kinds);
	units_release(&plan->units);
	if (plan->evidence)
		evidence_free(plan->evidence);
	tracks_release(&plan->tracks);
	free(plan->operation);
	*plan = (struct track_plan)TRACK_PLAN_INIT;
}

char *track_unit_text(const struct track_plan *plan)
{
	struct strbuf text = STRBUF_INIT;

	unit_describe(&text, &plan->tracks, &plan->unit);
	return strbuf_detach(&text);
}

/* ---- The unit ------------------------------------------------------------------------ */

int track_read(struct tracks *ret, bool *ret_untracked, const struct checkpoint_session *s,
	       struct error *err)
{
	if (track_read_documents(ret, s, s->repo.head, err) < 0)
		return -1;
	*ret_untracked = !ret->nr && !ret->stories.lists;
	if (!*ret_untracked)
		return 0;
	tracks_release(ret);
	return track_read_documents(ret, s, NULL, err);
}

/* 0, or as track_find_unit() has it. */
static int find_unit(struct track_plan *plan, struct error *err)
{
	/* Borrowed, and given back: a story that no list has is added to the tracks. */
	struct track_session view = { .session = *plan->session, .tracks = plan->tracks };
	int found = track_find_unit(&plan->unit, &view, &plan->request->words, err);

	plan->tracks = view.tracks;
	plan->guessed = view.guessed;
	if (!found)
		units_add(&plan->units, plan->unit);
	else
		track_warn(&plan->tracks); /* it may be in one of them */
	return found;
}

/* ---- What is wanted of the run ------------------------------------------------------- */

static void add_trailer(struct strvec *trailers, const char *key, const char *value)
{
	struct strbuf line = STRBUF_INIT;

	strbuf_addf(&line, "%s: ", key);
	text_escape(&line, value, strlen(value), false);
	if (strvec_has(trailers, line.buf))
		strbuf_release(&line);
	else
		strvec_push_nodup(trailers, strbuf_detach(&line));
}

static void add_trailers(struct track_plan *plan)
{
	for (size_t i = 0; i < plan->units.nr; i++) {
		const struct unit *unit = &plan->units.item[i];
		const struct track *track;

		if (unit->kind == UNIT_STORY) {
			add_trailer(&plan->trailers, "Reverts-Story",
				    plan->tracks.stories.item[unit->story].name);
			continue;
		}
		track = &plan->tracks.item[unit->track];
		add_trailer(&plan->trailers, "Reverts-Track", track->id);
		if (unit->phase != NO_INDEX && track->plan.phase[unit->phase].has_heading)
			add_trailer(&plan->trailers, "Reverts-Phase",
				    track->plan.phase[unit->phase].is.title);
		if (unit->task != NO_INDEX)
			add_trailer(&plan->trailers, "Reverts-Task",
				    track->plan.task[unit->task].is.title);
	}
}

static void add_document(struct track_plan *plan, const char *path, const struct strbuf *text)
{
	plan->document[plan->document_nr++] =
		(struct revert_document){ .path = path, .data = text ? text->buf : NULL };
}

static void gather_documents(struct track_plan *plan)
{
	plan->document =
		xcalloc(plan->documents.nr + 2 * plan->fixes.nr + 1, sizeof(*plan->document));
	for (size_t i = 0; i < plan->documents.nr; i++) {
		const struct track_document *it = &plan->documents.item[i];

		add_document(plan, it->path, it->removed ? NULL : &it->text);
	}
	for (size_t i = 0; i < plan->fixes.nr; i++) {
		add_document(plan, plan->fixes.item[i].up_path, &plan->fixes.item[i].up);
		add_document(plan, plan->fixes.item[i].down_path, &plan->fixes.item[i].down);
	}
}

/* For subjects: "task 'Add a login'"; the trailers say of what. */
static char *short_name(const struct track_plan *plan)
{
	const struct unit *unit = &plan->unit;
	const char *name = unit->kind == UNIT_TRACK ? plan->tracks.item[unit->track].id :
			   unit->kind == UNIT_STORY ? plan->tracks.stories.item[unit->story].name :
						      unit_title(&plan->tracks, unit);
	char *shown CLEANUP(free_p) = text_escaped(name);

	return xstrfmt("%s '%s'", unit_kind_name(unit->kind), shown);
}

/* As they were when it was planned? */
static int check_databases_again(void *data, struct error *err)
{
	const struct track_plan *plan = data;
	json_t *state CLEANUP(json_decref_p) =
		track_migrations_state(&plan->migrations, &plan->request->databases);

	return track_migrations_unchanged(state, &plan->session->settings, err);
}

static void fill_in_request(struct track_plan *plan)
{
	const struct track_plan_request *request = plan->request;
	char *unit CLEANUP(free_p) = track_unit_text(plan),
		   *name CLEANUP(free_p) = short_name(plan);

	plan->squash_subject = xstrfmt("Revert %s", name);
	plan->documents_subject = xstrfmt(plan->documents.nr ? "Update the plan: %s is reverted" :
							       "Undo the migrations of %s",
					  name);
	plan->members = json_pack("{s:o, s:s}", "unit",
				  track_unit_to_json(&plan->tracks, &plan->unit), "text", unit);
	plan->wanted = (struct revert_run_request){
		.commit = plan->wanted_commit,
		.nr = plan->wanted_nr,
		.keep = &plan->keep,
		.trailers = &plan->trailers,
		.reason = request->reason,
		.squash = request->squash,
		.squash_subject = plan->squash_subject,
		.document = plan->document,
		.documents = plan->document_nr,
		.documents_subject = plan->documents_subject,
		.reset_to = plan->reset_to,
		.members = plan->members,
		.check = check_databases_again,
		.check_data = plan,
	};
}

/*
 * What created a track is taken back by editing the documents. What it did besides is the set-up of
 * the project, and stays; but where it says that it is about the track, and there is no other.
 */
static bool is_creation(const struct track_plan *plan, const struct track_commit *commit)
{
	if (!commit->evidence || commit->evidence->role != ROLE_CREATION || commit->evidence->code)
		return false;
	return plan->tracks.nr > 1 || !strcasestr(commit->subject, "track");
}

static void list_commits(struct track_plan *plan)
{
	bool resets = plan->request->strategy == TRACK_RESET;

	plan->wanted_commit = xcalloc(plan->nr + 1, sizeof(*plan->wanted_commit));
	plan->wanted_nr = 0;
	for (size_t i = 0; i < plan->nr; i++)
		if (resets || (!is_creation(plan, &plan->commit[i]) &&
			       !strvec_has(&plan->done_already, plan->commit[i].oid)))
			plan->wanted_commit[plan->wanted_nr++] =
				(struct revert_commit){ plan->commit[i].oid,
							plan->commit[i].mainline };
}

static void keep_also(struct strvec *keep, const struct strvec *more)
{
	for (size_t i = 0; i < more->nr; i++)
		strvec_push(keep, more->v[i]);
	strvec_sort(keep);
}

/* Also once more, with more documents, or more to keep. */
static int plan_series(struct track_plan *plan, struct error *err)
{
	revert_run_release(&plan->run);
	free(plan->document);
	free(plan->squash_subject);
	free(plan->documents_subject);
	json_decref(plan->members);
	plan->document_nr = 0;
	gather_documents(plan);
	fill_in_request(plan);
	return revert_run_plan(&plan->run, plan->session, &plan->wanted, err);
}

/* ---- Files --------------------------------------------------------------------------- */

static void touch(struct tree_changes *ret, const char *path, unsigned old_mode, unsigned new_mode)
{
	struct tree_change *it = tree_changes_add(ret, path);

	it->old_mode = old_mode;
	it->new_mode = new_mode;
}

/* In the series a file that is in conflict stays as it is; for whoever reads the plan it does not. */
static void list_touched(struct tree_changes *ret, const struct revert_series *series)
{
	for (size_t i = 0; i < series->total.nr; i++)
		touch(ret, series->total.item[i].path, series->total.item[i].old_mode,
		      series->total.item[i].new_mode);
	for (size_t s = 0; s < series->nr; s++)
		for (size_t c = 0; c < series->step[s].conflicts; c++) {
			const struct revert_conflict *it = &series->step[s].conflict[c];

			if (tree_changes_find(ret, it->path))
				continue;
			touch(ret, it->path, it->stage[1].mode, it->stage[2].mode);
			tree_changes_sort(ret);
		}
}

/* ---- Migrations ---------------------------------------------------------------------- */

/* Which there are, where they are applied, and which stay: then all of it once more without those. */
static int plan_migrations(struct track_plan *plan, struct error *err)
{
	const struct checkpoint_session *s = plan->session;
	const struct track_plan_request *request = plan->request;
	bool resets = request->strategy == TRACK_RESET;
	const struct track_migrations_wish wish = { .forward_fix = request->forward_fix,
						    .no_fix = resets,
						    .common = s->common };
	struct strvec kept CLEANUP(strvec_release) = STRVEC_INIT;

	if (track_migrations_find(&plan->migrations, &s->settings, s->repo.head, &plan->run.series,
				  err) < 0 ||
	    track_migrations_ask(&plan->migrations, &s->settings, &request->databases, err) < 0 ||
	    (!resets && track_forward_fixes_plan(&plan->fixes, s, &plan->migrations,
						 request->forward_fix, &plan->verdict, err) < 0))
		return -1;
	track_migrations_judge(&plan->migrations, &wish, &plan->verdict);
	track_migrations_kept(&plan->migrations, &kept);
	for (size_t i = 0; i < plan->fixes.nr; i++) {
		strvec_push(&kept, plan->fixes.item[i].up_path);
		strvec_push(&kept, plan->fixes.item[i].down_path);
	}
	if (!kept.nr)
		return 0;
	keep_also(&plan->keep, &kept);
	return plan_series(plan, err);
}

/* ---- What is said about it ----------------------------------------------------------- */

static void judge_documents(struct track_plan *plan)
{
	for (size_t i = 0; i < plan->tracks.problem.nr; i++) {
		const struct document_problem *it = &plan->tracks.problem.item[i];

		if (it->line)
			verdict_warn(&plan->verdict, "%s:%zu: %s", it->path, it->line, it->text);
		else
			verdict_warn(&plan->verdict, "%s: %s", it->path, it->text);
	}
	for (size_t i = 0; i < plan->documents.problem.nr; i++)
		verdict_warn(&plan->verdict, "%s stays as it is: %s",
			     plan->documents.problem.item[i].path,
			     plan->documents.problem.item[i].text);
	if (plan->untracked)
		verdict_warn(&plan->verdict, "the plan's documents are not tracked by git: update "
					     "them by hand");
}

static void take_verdict(struct track_plan *plan)
{
	const struct verdict *from = &plan->run.verdict;

	for (size_t i = 0; i < from->reasons.nr; i++)
		verdict_refuse(&plan->verdict, "%s", from->reasons.v[i]);
	for (size_t i = 0; i < from->hints.nr; i++)
		verdict_hint(&plan->verdict, "%s", from->hints.v[i]);
	for (size_t i = 0; i < from->warnings.nr; i++)
		verdict_warn(&plan->verdict, "%s", from->warnings.v[i]);
}

/* ---- One round ----------------------------------------------------------------------- */

static int plan_documents(struct track_plan *plan, struct error *err)
{
	const struct track_plan_request *request = plan->request;
	int mode =
		plan->untracked || plan->guessed ? TRACK_DOCUMENTS_UNTOUCHED : request->documents;

	track_documents_keep(&plan->keep, &plan->tracks, evidence_old_places(plan->evidence));
	track_refuse_unsure(plan);
	track_refuse_untrue(plan);
	if (track_split(plan, err) < 0)
		return -1;
	keep_also(&plan->keep, &plan->split_off);
	return track_documents_plan(&plan->documents, &plan->tracks, &plan->units,
				    (enum track_documents_mode)mode, plan->session->repo.head, err);
}

static int plan_run(struct track_plan *plan, struct error *err)
{
	list_commits(plan);
	/* Going back, documents go back as all other files do. */
	if (plan->request->strategy == TRACK_RESET ? track_reset(plan, err) < 0 :
						     plan_documents(plan, err) < 0)
		return -1;
	add_trailers(plan);
	return plan_series(plan, err);
}

static int find_dependents(struct track_plan *plan, struct error *err)
{
	struct revert_series *series = &plan->run.series;
	const struct track_dependents_request request = {
		.repo = &plan->session->repo,
		.tracks = &plan->tracks,
		.evidence = plan->evidence,
		.owners = &plan->owners,
		.reverted = &plan->units,
		.series = series,
		.migrations = &plan->migrations,
		.level = (enum evidence_level)plan->request->level,
	};
	size_t own = plan->unit.kind == UNIT_STORY ? NO_INDEX : plan->unit.track;

	if (series->conflicting &&
	    revert_find_causes(series, plan->session->repo.head, TRACK_CAUSES_MAX, err) < 0)
		return -1;
	if (track_dependents_find(&plan->dependents, &request, err) < 0 ||
	    track_files_find(&plan->files, &request, &plan->touched, own, err) < 0)
		return -1;
	plan->files_nr = plan->touched.nr;
	return 0;
}

/* Are there units that --with-dependents reverts too, and that are not in it yet? */
static bool add_dependents(struct track_plan *plan)
{
	if (!plan->request->with_dependents)
		return false;
	for (size_t i = 0; i < plan->dependents.nr; i++)
		units_add(&plan->units, plan->dependents.item[i].unit);
	return plan->dependents.nr;
}

/*
 * A later commit says that it reverts this one, and nothing of it is left that could go without a
 * conflict: it was reverted, and resolved then. Are there such ones that are not passed over yet?
 */
static bool pass_over_reverted(struct track_plan *plan)
{
	size_t had = plan->done_already.nr;

	for (size_t i = 0; i < plan->nr; i++) {
		const struct evidence_commit *evidence = plan->commit[i].evidence;
		const struct revert_step *step = track_plan_step(plan, plan->commit[i].oid);

		if (evidence && evidence->reverted && step && step->outcome == REVERT_CONFLICT &&
		    !strvec_has(&plan->also, evidence->oid))
			strvec_push(&plan->done_already, evidence->oid);
	}
	return plan->done_already.nr > had;
}

static void judge_reverted(struct track_plan *plan)
{
	for (size_t i = 0; i < plan->done_already.nr; i++)
		verdict_warn(&plan->verdict,
			     "commit %.10s was reverted before, and its lines have changed since: "
			     "it is passed over, but with --also=%.10s",
			     plan->done_already.v[i], plan->done_already.v[i]);
}

/* The documents are going to say that it is reverted. */
static void judge_unfound(struct track_plan *plan)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	struct strbuf list CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; i < plan->units.nr && !plan->also.nr; i++)
		evidence_add_unfound(&names, plan->evidence, &plan->units.item[i]);
	if (!names.nr)
		return;
	for (size_t i = 0; i < names.nr && i < NAMES_MAX; i++)
		strbuf_addf(&list, "%s%s", i ? ", " : "", names.v[i]);
	if (names.nr > NAMES_MAX)
		strbuf_addf(&list, " and %zu more", names.nr - NAMES_MAX);
	verdict_warn(&plan->verdict,
		     "the plan names %s for work that was not found: it may still be there; name "
		     "what did it by --also=<commit>",
		     list.buf);
}

static int plan_round(struct track_plan *plan, struct error *err)
{
	do {
		clear_round(plan);
		if (track_select(plan, err) < 0 || plan_run(plan, err) < 0)
			return -1;
	} while (pass_over_reverted(plan));
	if (plan_migrations(plan, err) < 0)
		return -1;
	list_touched(&plan->touched, &plan->run.series);
	if (find_dependents(plan, err) < 0 || track_mentions_find(&plan->mentions, plan, err) < 0)
		return -1;
	judge_reverted(plan);
	judge_unfound(plan);
	if (track_judge_merges(plan, err) < 0)
		return -1;
	judge_documents(plan);
	take_verdict(plan);
	return 0;
}

/* ---- All of it ----------------------------------------------------------------------- */

static int no_commits(struct track_plan *plan, struct error *err)
{
	const struct evidence_commits *found = &plan->found[0];
	char *unit CLEANUP(free_p) = track_unit_text(plan);
	char *around CLEANUP(free_p) = track_offer_around(plan);

	if (plan->guessed && !found->nr) {
		const struct track_session view = { .session = *plan->session,
						    .tracks = plan->tracks };

		return track_deny_story(&view, &plan->unit);
	}
	error_set(err, "no commit of %s is known", unit);
	if (around)
		error_hint(err, "%s", around);
	if (found->nr)
		error_hint(
			err,
			"%zu %s likely: see 'git revert-track --show', then name them by --also, "
			"or use --min-evidence=likely.",
			found->nr, found->nr == 1 ? "commit is" : "commits are");
	else
		error_hint(err, "Name its commits by --also=<commit>.");
	return error_code(err, EXIT_NO);
}

/* A name that is misspelled is told before any work, whether there are migrations or not. */
static int check_databases(const struct track_plan *plan, struct error *err)
{
	if (!environments_check(&plan->request->databases, &plan->session->settings, err))
		return 0;
	return error_code(err, EXIT_USAGE);
}

/* As track_plan(). */
static int read_all(struct track_plan *plan, struct error *err)
{
	const struct checkpoint_session *s = plan->session;
	const struct evidence_request request = { .repo = &s->repo, .tracks = &plan->tracks };
	int found;

	if (check_databases(plan, err) < 0 || checkpoint_need_worktree(s, err) < 0)
		return -1;
	if (!s->repo.head) {
		error_set(err, "there is no commit yet");
		return error_code(err, EXIT_NO);
	}
	if (track_read(&plan->tracks, &plan->untracked, s, err) < 0)
		return -1;
	found = find_unit(plan, err);
	if (found)
		return found;
	if (file_kinds_read(&plan->kinds, &s->settings, err) < 0 ||
	    evidence_read(&plan->evidence, &request, err) < 0)
		return -1;
	commit_units_read(&plan->owners, plan->evidence, &plan->tracks);
	return 0;
}

static int check_request(const struct track_plan *plan, struct error *err)
{
	const struct track_plan_request *request = plan->request;

	if (request->documents == TRACK_DOCUMENTS_REMOVE && plan->unit.kind != UNIT_TRACK) {
		error_set(err, "--remove is for whole tracks");
		return error_code(err, EXIT_USAGE);
	}
	return 0;
}

int track_plan(struct track_plan *ret, const struct checkpoint_session *session,
	       const struct track_plan_request *request, struct error *err)
{
	int rounds = 0, found;

	ret->session = session;
	ret->request = request;
	found = read_all(ret, err);
	if (found)
		return found;
	if (check_request(ret, err) < 0)
		return -1;
	do {
		if (plan_round(ret, err) < 0)
			return -1;
		if (!ret->nr && !ret->passed_over.nr)
			return no_commits(ret, err);
	} while (rounds++ < ROUNDS_MAX && add_dependents(ret));
	ret->result = revert_run_is_nothing(&ret->run) ? TRACK_DONE_ALREADY : TRACK_READY;
	return 0;
}
