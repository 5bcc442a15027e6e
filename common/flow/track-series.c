/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/text.h"
#include "flow/hook.h"
#include "flow/track-migrations.h"
#include "flow/track-revert.h"
#include "flow/track-verify.h"
#include "flow/track.h"
#include "term/output.h"
#include "vcs/path.h"

/* What its caller has put into the record of a series; belongs to the record. */
static const json_t *about(const json_t *record)
{
	return json_object_get(json_object_get(record, "revert"), "members");
}

static const char *text_of(const json_t *record)
{
	const char *text = json_member(about(record), "text");

	return text ? text : "a unit of work";
}

static json_t *series_to_json(const json_t *record, const char *verb, const char *outcome)
{
	const json_t *commits = json_object_get(json_object_get(record, "revert"), "commits");
	json_t *unit = json_object_get(about(record), "unit");
	json_t *ret = json_pack("{s:i, s:s, s:s, s:s, s:O?, s:O?, s:o, s:o}", "format", 1,
				"command", "revert-track", "verb", verb, "outcome", outcome, "unit",
				unit, "position", json_object_get(record, "position"), "commits",
				json_size(json_array_size(commits)), "stopped",
				json_text(json_member(record, "stopped")));

	if (!ret)
		BUG("cannot pack a series");
	return ret;
}

/* ---- Where it is --------------------------------------------------------------------- */

static void print_place(const struct revert_present *present, const json_t *record)
{
	const char *stopped = json_member(record, "stopped");

	switch (present->place) {
	case REVERT_CONFLICTED:
	case REVERT_RESOLVED:
		printf("It stopped at a conflict, reverting %.10s.\n", stopped);
		break;
	case REVERT_COMMITTED:
		printf("It stopped at a conflict, reverting %.10s, which is resolved and is committed.\n",
		       stopped);
		break;
	case REVERT_DROPPED:
		printf("It stopped at a conflict, reverting %.10s, which git has forgotten.\n",
		       stopped);
		break;
	case REVERT_BETWEEN: break;
	case REVERT_ELSEWHERE:
		for (size_t i = 0; i < present->verdict.reasons.nr; i++)
			printf("It cannot go on: %s.\n", present->verdict.reasons.v[i]);
		break;
	}
	for (size_t i = 0; i < present->unmerged.nr; i++) {
		struct strbuf path CLEANUP(strbuf_release) = STRBUF_INIT;

		path_show(&path, present->unmerged.v[i]);
		printf("  unmerged: %s\n", path.buf);
	}
	fflush(stdout);
}

static void print_hints(const struct revert_present *present)
{
	switch (present->place) {
	case REVERT_CONFLICTED:
		hint("Resolve what is unmerged, 'git add' it, then run 'git revert-track "
		     "--continue'; or --skip, --abort, --quit.");
		return;
	case REVERT_RESOLVED:
		hint("All is resolved: run 'git revert-track --continue'; or --skip, --abort, "
		     "--quit.");
		return;
	case REVERT_COMMITTED:
	case REVERT_BETWEEN: hint("Run 'git revert-track --continue'; or --abort, --quit."); return;
	case REVERT_DROPPED:
		hint("'git revert-track --skip' leaves the commit out; or --abort, --quit.");
		return;
	case REVERT_ELSEWHERE:
		for (size_t i = 0; i < present->verdict.hints.nr; i++)
			hint("%s", present->verdict.hints.v[i]);
	}
}

static int status(const struct checkpoint_session *s, const json_t *record, struct error *err)
{
	struct revert_present present CLEANUP(revert_present_release) = REVERT_PRESENT_INIT;
	char *unit CLEANUP(free_p) = text_escaped(text_of(record));

	if (revert_present_read(&present, s, record, err) < 0)
		return -1;
	if (s->common->json) {
		json_t *json CLEANUP(json_decref_p) = series_to_json(record, "status", "waiting");
		const json_t *revert = json_object_get(record, "revert");

		json_object_set_new(json, "state", json_string(revert_place_name(present.place)));
		json_object_set_new(json, "branch", json_text(json_member(revert, "branch")));
		json_object_set_new(json, "unmerged", paths_to_json(&present.unmerged));
		json_object_set_new(json, "reasons", json_strings(&present.verdict.reasons));
		json_object_set_new(json, "hints", json_strings(&present.verdict.hints));
		json_print(json);
		return EXIT_DONE;
	}
	printf("Reverting %s: %lld of %zu commits are done.\n", unit,
	       (long long)json_integer_value(json_object_get(record, "position")),
	       json_array_size(json_object_get(json_object_get(record, "revert"), "commits")));
	print_place(&present, record);
	if (!s->common->quiet)
		print_hints(&present);
	return EXIT_DONE;
}

/* ---- Going on ------------------------------------------------------------------------ */

/* By unit, as far as that can be told now; it is only talk. */
static void explain(const struct checkpoint_session *s, struct revert_run *run)
{
	struct tracks tracks CLEANUP(tracks_release) = TRACKS_INIT;
	struct evidence *evidence CLEANUP(evidence_free_p) = NULL;
	struct commit_units owners CLEANUP(commit_units_release) = COMMIT_UNITS_INIT;
	struct file_kinds kinds CLEANUP(file_kinds_release) = FILE_KINDS_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	const struct evidence_request request = { .repo = &s->repo, .tracks = &tracks };
	bool untracked;

	if (track_read(&tracks, &untracked, s, &ignored) == 0 &&
	    evidence_read(&evidence, &request, &ignored) == 0 &&
	    revert_find_causes(&run->series, run->head, TRACK_CAUSES_MAX, &ignored) == 0)
		commit_units_read(&owners, evidence, &tracks);
	error_clear(&ignored);
	if (file_kinds_read(&kinds, &s->settings, &ignored) < 0)
		error_clear(&ignored);
	track_conflict_explain(run, &kinds, &owners, &tracks);
}

static void report(const struct checkpoint_session *s, const json_t *json)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (hook_run("post-rollback", &s->repo, &s->settings, json, &err) < 0)
		warning("%s", err.message);
	if (s->common->json)
		json_print(json);
}

/* Of the unit, as `words` has it; `numbers` keeps the texts. */
static void read_words(struct unit_words *words, struct strvec *numbers, const json_t *unit)
{
	json_t *phase = json_object_get(unit, "phase"), *task = json_object_get(unit, "task");

	words->track = json_member(unit, "track");
	words->story = json_member(unit, "story");
	strvec_pushf(numbers, "%lld", (long long)json_integer_value(phase));
	strvec_pushf(numbers, "%lld", (long long)json_integer_value(task));
	words->phase = json_is_integer(phase) ? numbers->v[0] : NULL;
	words->task = json_is_integer(task) ? numbers->v[1] : NULL;
}

static int verify(struct track_checks *ret, const struct checkpoint_session *s,
		  const json_t *record, const struct strvec *left_out, struct error *err)
{
	const json_t *members = about(record);
	struct strvec numbers CLEANUP(strvec_release) = STRVEC_INIT;
	struct unit_words words = { 0 };
	char head[] = "HEAD";
	const struct track_series_end end = {
		.before = json_member(json_object_get(record, "revert"), "onto"),
		.head = head,
		.left_out = left_out,
		.words = json_is_true(json_object_get(members, "plan_update")) ? &words : NULL,
	};

	read_words(&words, &numbers, json_object_get(members, "unit"));
	return track_verify_series(ret, s, &end, err);
}

static void read_by_hand(struct strvec *ret, const json_t *record)
{
	const json_t *list = json_object_get(about(record), "by_hand");
	json_t *command;
	size_t i;

	json_array_foreach(list, i, command) strvec_push(ret, json_string_value(command));
}

/* Documents say of all of the unit that it is reverted. */
static void warn_of_left_out(const struct strvec *left_out)
{
	for (size_t i = 0; i < left_out->nr; i++)
		warning("commit %.10s stays as it is: look whether the documents say what is true",
			left_out->v[i]);
}

static json_t *report_to_json(const json_t *record, bool skip, int result,
			      const struct revert_run *run, const struct revert_ended *ended)
{
	struct strvec by_hand CLEANUP(strvec_release) = STRVEC_INIT;
	json_t *ret = series_to_json(record, skip ? "skip" : "continue",
				     result == REVERT_RUN_STOPPED ? "conflict" : "done");

	read_by_hand(&by_hand, record);
	json_object_set_new(ret, "operation", json_text(ended->operation));
	json_object_set_new(ret, "new_head", json_text(run->head));
	json_object_set_new(ret, "left_out", json_strings(&ended->left_out));
	json_object_set_new(ret, "by_hand", json_strings(&by_hand));
	return ret;
}

static void print_done(const struct checkpoint_session *s, const json_t *record,
		       const struct track_checks *checks)
{
	struct strvec by_hand CLEANUP(strvec_release) = STRVEC_INIT;
	char *unit CLEANUP(free_p) = text_escaped(text_of(record));

	if (s->common->json)
		return;
	read_by_hand(&by_hand, record);
	if (!s->common->quiet)
		printf("reverted %s\n", unit);
	track_checks_print(checks, s->common->verbose > 0);
	track_print_by_hand(&by_hand);
	if (track_checks_failed(checks))
		hint("'git checkpoint undo' takes the revert back.");
}

static int go_on(const struct checkpoint_session *s, const json_t *record, bool skip,
		 struct error *err)
{
	struct revert_run run CLEANUP(revert_run_release) = REVERT_RUN_INIT;
	struct revert_ended ended CLEANUP(revert_ended_release) = REVERT_ENDED_INIT;
	struct track_checks checks CLEANUP(track_checks_release) = TRACK_CHECKS_INIT;
	json_t *json CLEANUP(json_decref_p) = NULL;
	int ret;

	/* The rest may take away what a database has been given while it waited. */
	if (track_migrations_unchanged(json_object_get(about(record), "migrations"), &s->settings,
				       err) < 0)
		return -1;
	ret = skip ? revert_skip(&run, s, &ended, err) : revert_continue(&run, s, &ended, err);
	if (ret < 0)
		return -1;
	if (skip || ret == REVERT_RUN_DONE)
		warn_of_left_out(&ended.left_out);
	if (ret == REVERT_RUN_DONE && verify(&checks, s, record, &ended.left_out, err) < 0)
		return -1;
	json = report_to_json(record, skip, ret, &run, &ended);
	json_object_set_new(json, "verification", track_checks_to_json(&checks));
	report(s, json);
	if (ret == REVERT_RUN_STOPPED) {
		explain(s, &run);
		return EXIT_NO;
	}
	print_done(s, record, &checks);
	return track_checks_failed(&checks) ? EXIT_NO : EXIT_DONE;
}

static void print_given_up(const struct checkpoint_session *s, const json_t *record, bool quit)
{
	char *unit CLEANUP(free_p) = text_escaped(text_of(record));

	if (s->common->json || s->common->quiet)
		return;
	if (quit)
		printf("the revert of %s is forgotten; what is there stays\n", unit);
	else
		printf("gone back to before the revert of %s; what is local stays\n", unit);
}

static int give_up(const struct checkpoint_session *s, const json_t *record, bool quit,
		   struct error *err)
{
	json_t *json CLEANUP(json_decref_p) =
		series_to_json(record, quit ? "quit" : "abort", "done");

	if (quit ? revert_quit(s, err) < 0 : revert_abort(s, err) < 0)
		return -1;
	report(s, json);
	print_given_up(s, record, quit);
	return EXIT_DONE;
}

/* ---- All of them --------------------------------------------------------------------- */

static int none_waits(enum track_series_verb verb, const struct checkpoint_session *s,
		      struct error *err)
{
	if (verb != TRACK_SERIES_STATUS) {
		error_refused(err, "no revert of a unit waits to be gone on with");
		return -1;
	}
	if (s->common->json) {
		json_t *json CLEANUP(json_decref_p) =
			json_pack("{s:i, s:s, s:s, s:s}", "format", 1, "command", "revert-track",
				  "verb", "status", "outcome", "none");

		json_print(json);
	} else if (!s->common->quiet) {
		puts("No revert of a unit waits to be gone on with.");
	}
	return EXIT_NO;
}

int track_series(enum track_series_verb verb, const struct common_options *common,
		 struct error *err)
{
	struct checkpoint_session s CLEANUP(checkpoint_session_close) = CHECKPOINT_SESSION_INIT;
	json_t *record CLEANUP(json_decref_p) = NULL;

	if (checkpoint_session_open(&s, common, err) < 0 || checkpoint_need_worktree(&s, err) < 0 ||
	    revert_waiting(&record, &s, err) < 0)
		return -1;
	if (!record)
		return none_waits(verb, &s, err);
	switch (verb) {
	case TRACK_SERIES_CONTINUE: return go_on(&s, record, false, err);
	case TRACK_SERIES_SKIP: return go_on(&s, record, true, err);
	case TRACK_SERIES_ABORT: return give_up(&s, record, false, err);
	case TRACK_SERIES_QUIT: return give_up(&s, record, true, err);
	case TRACK_SERIES_STATUS: return status(&s, record, err);
	}
	BUG("unknown verb %d", (int)verb);
}
