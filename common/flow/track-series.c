/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/text.h"
#include "flow/hook.h"
#include "flow/track-revert.h"
#include "flow/track-verify.h"
#include "flow/track.h"
#include "term/output.h"
#include "vcs/path.h"

/* What the record of a series says about the whole of it; belongs to the record. */
static const json_t *members_of(const json_t *record)
{
	return json_object_get(json_object_get(record, "revert"), "members");
}

static const char *text_of(const json_t *record)
{
	const char *text = json_member(members_of(record), "text");

	return text ? text : "a unit of work";
}

static json_t *series_to_json(const json_t *record, const char *verb, const char *outcome)
{
	const json_t *commits = json_object_get(json_object_get(record, "revert"), "commits");
	json_t *unit = json_object_get(members_of(record), "unit");
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

static int status(const struct checkpoint_session *s, const json_t *record, struct error *err)
{
	struct strvec unmerged CLEANUP(strvec_release) = STRVEC_INIT;
	const char *stopped = json_member(record, "stopped");
	char *unit CLEANUP(free_p) = text_escaped(text_of(record));

	if (revert_unmerged(&unmerged, s, err) < 0)
		return -1;
	if (s->common->json) {
		json_t *json CLEANUP(json_decref_p) = series_to_json(record, "status", "waiting");

		json_object_set_new(json, "unmerged", paths_to_json(&unmerged));
		json_print(json);
		return EXIT_DONE;
	}
	printf("Reverting %s: %lld of %zu commits are done.\n", unit,
	       (long long)json_integer_value(json_object_get(record, "position")),
	       json_array_size(json_object_get(json_object_get(record, "revert"), "commits")));
	if (stopped)
		printf("It stopped at a conflict, reverting %.10s.\n", stopped);
	for (size_t i = 0; i < unmerged.nr; i++) {
		struct strbuf path CLEANUP(strbuf_release) = STRBUF_INIT;

		path_show(&path, unmerged.v[i]);
		printf("  unmerged: %s\n", path.buf);
	}
	hint("Resolve what is unmerged, 'git add' it, then run 'git revert-track --continue'; or "
	     "--skip, --abort, --quit.");
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
	    revert_find_causes(&run->series, run->head, 100, &ignored) == 0)
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
		  const json_t *record, struct error *err)
{
	const json_t *members = members_of(record);
	struct strvec numbers CLEANUP(strvec_release) = STRVEC_INIT;
	struct unit_words words = { 0 };
	char head[] = "HEAD";
	const struct track_series_end end = {
		.before = json_member(json_object_get(record, "revert"), "onto"),
		.head = head,
		.words = json_is_true(json_object_get(members, "plan_update")) ? &words : NULL,
	};

	read_words(&words, &numbers, json_object_get(members, "unit"));
	return track_verify_series(ret, s, &end, err);
}

static void read_by_hand(struct strvec *ret, const json_t *record)
{
	const json_t *list = json_object_get(members_of(record), "by_hand");
	json_t *command;
	size_t i;

	json_array_foreach(list, i, command) strvec_push(ret, json_string_value(command));
}

/* Documents say of all of the unit that it is reverted. */
static void warn_of_skipped(const json_t *record)
{
	const char *stopped = json_member(record, "stopped");

	if (stopped)
		warning("commit %.10s stays as it is: look whether the documents say what is true",
			stopped);
}

static int go_on(const struct checkpoint_session *s, const json_t *record, bool skip,
		 struct error *err)
{
	struct strvec by_hand CLEANUP(strvec_release) = STRVEC_INIT;
	struct revert_run run CLEANUP(revert_run_release) = REVERT_RUN_INIT;
	struct track_checks checks CLEANUP(track_checks_release) = TRACK_CHECKS_INIT;
	char *operation CLEANUP(free_p) = NULL, *unit CLEANUP(free_p) = NULL;
	json_t *json CLEANUP(json_decref_p) = NULL;
	int ret = skip ? revert_skip(&run, s, &operation, err) :
			 revert_continue(&run, s, &operation, err);

	if (ret < 0)
		return -1;
	if (skip)
		warn_of_skipped(record);
	if (ret == REVERT_RUN_DONE && verify(&checks, s, record, err) < 0)
		return -1;
	read_by_hand(&by_hand, record);
	unit = text_escaped(text_of(record));
	json = series_to_json(record, skip ? "skip" : "continue",
			      ret == REVERT_RUN_STOPPED ? "conflict" : "done");
	json_object_set_new(json, "operation", json_text(operation));
	json_object_set_new(json, "new_head", json_text(run.head));
	json_object_set_new(json, "verification", track_checks_to_json(&checks));
	json_object_set_new(json, "by_hand", json_strings(&by_hand));
	report(s, json);
	if (ret == REVERT_RUN_STOPPED) {
		explain(s, &run);
		return EXIT_NO;
	}
	if (!s->common->json && !s->common->quiet)
		printf("reverted %s\n", unit);
	if (!s->common->json) {
		track_checks_print(&checks, s->common->verbose > 0);
		track_print_by_hand(&by_hand);
	}
	return track_checks_failed(&checks) ? EXIT_NO : EXIT_DONE;
}

static int give_up(struct checkpoint_session *s, const json_t *record, bool quit, struct error *err)
{
	char *unit CLEANUP(free_p) = text_escaped(text_of(record));

	if (quit ? revert_quit(s, err) < 0 : revert_abort(s, err) < 0)
		return -1;
	if (s->common->json) {
		json_t *json CLEANUP(json_decref_p) =
			series_to_json(record, quit ? "quit" : "abort", "done");

		json_print(json);
	} else if (!s->common->quiet) {
		printf(quit ? "the revert of %s is forgotten; what is there stays\n" :
			      "all is as it was before the revert of %s\n",
		       unit);
	}
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
