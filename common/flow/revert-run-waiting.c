/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "flow/revert-run-parts.h"
#include "vcs/log.h"

/* ---- Which one ----------------------------------------------------------------------- */

/*
 * It names the last series that has stopped in this worktree, and stays. Where git makes a worktree
 * anew, under the name of one that is gone, it is not there: a series of the old one does not wait in it.
 */
static char *marker_path(const struct checkpoint_session *session)
{
	return xstrfmt("%s/rollback-series", session->repo.git_dir);
}

int revert_waiting_mark(const struct checkpoint_session *session, const char *series,
			struct error *err)
{
	char *path CLEANUP(free_p) = marker_path(session);

	return file_write(path, series, strlen(series), 0600, FILE_SYNC_NAME, err);
}

static bool is_of_series(const json_t *record, const char *id)
{
	const char *command = json_member(record, "command");
	const char *series = json_member(record, "series");

	return command && !strcmp(command, CHECKPOINT_REVERT_TRACK) && series &&
	       !strcmp(series, id);
}

/*
 * From the newest operation back to one of the series that counts: that is not undone, nor is the
 * series. None of them is older than the first.
 */
static int find_newest(json_t **ret, const char *common_dir, const char *series, struct error *err)
{
	struct strvec ids CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec undone CLEANUP(strvec_release) = STRVEC_INIT;

	if (journal_ids(&ids, common_dir, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.nr && strcmp(ids.v[i], series) >= 0; i++) {
		json_t *record CLEANUP(json_decref_p) = NULL;
		const char *ends;

		if (journal_read(&record, common_dir, ids.v[i], err) < 0)
			return -1;
		if (!journal_is_state(record, "done") || strvec_has(&undone, ids.v[i]))
			continue;
		if (json_member(record, "undoes"))
			strvec_push(&undone, json_member(record, "undoes"));
		ends = json_member(record, "ends");
		if (!is_of_series(record, series) || strvec_has(&undone, series) ||
		    (ends && strvec_has(&undone, ends)))
			continue;
		*ret = STEAL(record);
		return 0;
	}
	return 0;
}

int revert_waiting(json_t **ret, const struct checkpoint_session *session, struct error *err)
{
	char *path CLEANUP(free_p) = marker_path(session);
	struct strbuf series CLEANUP(strbuf_release) = STRBUF_INIT;
	json_t *newest CLEANUP(json_decref_p) = NULL;

	*ret = NULL;
	if (file_read(&series, path, err) < 0)
		return -1;
	strbuf_rtrim(&series);
	if (!series.len)
		return 0;
	if (find_newest(&newest, session->repo.common_dir, series.buf, err) < 0)
		return -1;
	if (json_is_true(json_object_get(newest, "waits")))
		*ret = STEAL(newest);
	return 0;
}

/* ---- Where it is --------------------------------------------------------------------- */

void revert_present_release(struct revert_present *present)
{
	worktree_state_release(&present->state);
	strvec_release(&present->unmerged);
	verdict_release(&present->verdict);
	*present = (struct revert_present)REVERT_PRESENT_INIT;
}

const char *revert_place_name(enum revert_place place)
{
	static const char *const names[] = {
		[REVERT_CONFLICTED] = "conflict", [REVERT_RESOLVED] = "resolved",
		[REVERT_COMMITTED] = "committed", [REVERT_DROPPED] = "dropped",
		[REVERT_BETWEEN] = "between",	  [REVERT_ELSEWHERE] = "elsewhere",
	};

	return names[place];
}

int revert_is_stopped(bool *ret, const struct checkpoint_session *session, const json_t *waiting,
		      struct error *err)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/REVERT_HEAD", session->repo.git_dir);
	const char *stopped = json_member(waiting, "stopped");
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	if (file_read(&text, path, err) < 0)
		return -1;
	strbuf_rtrim(&text);
	*ret = stopped && !strcmp(text.buf, stopped);
	return 0;
}

static const char *short_branch(const char *ref)
{
	static const char heads[] = "refs/heads/";

	return strncmp(ref, heads, strlen(heads)) != 0 ? ref : ref + strlen(heads);
}

static void check_branch(struct revert_present *present, const json_t *waiting)
{
	const char *was = json_member(json_object_get(waiting, "revert"), "branch");
	const char *is = present->state.branch;

	if (was && is && !strcmp(was, is))
		return;
	if (!was && !is)
		return;
	if (!was) {
		verdict_refuse(&present->verdict,
			       "the revert began on a detached HEAD, and is '%s' by now",
			       short_branch(is));
		verdict_hint(&present->verdict, "Go back by 'git switch --detach %.10s'.",
			     json_member(waiting, "head"));
		return;
	}
	if (is)
		verdict_refuse(&present->verdict,
			       "the revert began on branch '%s', and HEAD is '%s'",
			       short_branch(was), short_branch(is));
	else
		verdict_refuse(&present->verdict,
			       "the revert began on branch '%s', and HEAD is detached",
			       short_branch(was));
	verdict_hint(&present->verdict, "Go back by 'git switch %s'.", short_branch(was));
}

static void check_in_progress(struct revert_present *present, bool stopped)
{
	const struct strvec *in_progress = &present->state.in_progress;

	for (size_t i = 0; i < in_progress->nr; i++) {
		const char *what = in_progress->v[i];

		if (!strcmp(what, "bisect") || (stopped && !strcmp(what, "revert")))
			continue;
		verdict_refuse(&present->verdict,
			       "a %s is in progress that is not the revert's own", what);
		verdict_hint(&present->verdict,
			     "Finish or abort that first; 'git status' says how.");
	}
}

/* The commits between where the series left HEAD and where it is, newest first. */
struct behind {
	const char *expected, *stopped;
	struct strvec subject; /* "<id> <subject>" */
	char *oldest;
	bool follows, own; /* the oldest one follows on `expected`, and is what was stopped at */
};

/* Its id may be an abbreviated one: see revert.reference of git-config(1). */
static bool says_it_reverts(const char *message, const char *stopped)
{
	static const char says[] = "This reverts commit ";
	const size_t shortest = 4;

	for (const char *at = message; stopped && (at = strstr(at, says)); at++) {
		const char *id = at + strlen(says);
		size_t len = strspn(id, "0123456789abcdef");

		if (len >= shortest && !strncmp(id, stopped, len))
			return true;
	}
	return false;
}

static int take_commit(void *data, const struct log_commit *commit, struct error *err)
{
	struct behind *behind = data;
	char *subject CLEANUP(free_p) = log_subject(commit->message);
	char *shown CLEANUP(free_p) = text_escaped(subject);

	(void)err;
	strvec_pushf(&behind->subject, "%.10s %s", commit->oid, shown);
	string_replace(&behind->oldest, commit->oid);
	behind->follows = !strcmp(commit->parents, behind->expected);
	behind->own = behind->follows && says_it_reverts(commit->message, behind->stopped);
	return 0;
}

static void refuse_commits(struct revert_present *present, const struct behind *behind)
{
	const size_t shown = 5;
	struct strbuf list CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t others = behind->subject.nr - behind->own;

	if (!behind->follows) {
		verdict_refuse(&present->verdict,
			       "HEAD is no longer where the revert left it, at %.10s",
			       behind->expected);
		verdict_hint(&present->verdict,
			     "Go back by 'git reset --keep %.10s', once what came since is on a "
			     "branch of its own.",
			     behind->expected);
		return;
	}
	for (size_t i = 0; i < others && i < shown; i++)
		strbuf_addf(&list, "%s%s", i ? ", " : "", behind->subject.v[i]);
	if (others > shown)
		strbuf_addf(&list, ", and %zu more", others - shown);
	verdict_refuse(&present->verdict, "HEAD has commits that are not the revert's own: %s",
		       list.buf);
	verdict_hint(&present->verdict,
		     "Move them to a branch, 'git branch <name>', and go back by 'git reset --keep "
		     "%.10s'; when all is done, pick them again.",
		     behind->own ? behind->oldest : behind->expected);
	if (!behind->own && behind->stopped)
		verdict_hint(&present->verdict,
			     "A commit of what was resolved says in its message: This reverts "
			     "commit %s.",
			     behind->stopped);
}

/* HEAD has moved since the series left it; *ret_committed: by the one commit that is its own. */
static int check_commits(bool *ret_committed, struct revert_present *present,
			 const struct checkpoint_session *session, const json_t *waiting,
			 struct error *err)
{
	struct strvec revs CLEANUP(strvec_release) = STRVEC_INIT;
	struct behind behind = { .expected = json_member(waiting, "head"),
				 .stopped = json_member(waiting, "stopped") };
	const struct log_request request = { .repo = &session->repo, .revs = &revs };
	int ret;

	strvec_push(&revs, present->state.head);
	strvec_pushf(&revs, "^%s", behind.expected);
	ret = log_walk(&request, take_commit, &behind, err);
	*ret_committed = behind.own && behind.subject.nr == 1;
	if (!ret && !*ret_committed)
		refuse_commits(present, &behind);
	strvec_release(&behind.subject);
	free(behind.oldest);
	return ret;
}

static enum revert_place place_of(const struct revert_present *present, const json_t *waiting,
				  bool stopped, bool committed)
{
	if (!verdict_is_clean(&present->verdict))
		return REVERT_ELSEWHERE;
	if (committed)
		return REVERT_COMMITTED;
	if (!json_member(waiting, "stopped"))
		return REVERT_BETWEEN;
	if (!stopped)
		return REVERT_DROPPED;
	return present->unmerged.nr ? REVERT_CONFLICTED : REVERT_RESOLVED;
}

int revert_present_read(struct revert_present *ret, const struct checkpoint_session *session,
			const json_t *waiting, struct error *err)
{
	const struct worktree_request files = { .no_untracked = true };
	const char *expected = json_member(waiting, "head");
	bool stopped, committed = false;

	if (revert_is_stopped(&stopped, session, waiting, err) < 0 ||
	    worktree_read(&ret->state, &session->repo, &files, err) < 0)
		return -1;
	if (!expected)
		return error_set(err, "the operation's record is damaged");
	for (size_t i = 0; i < ret->state.nr; i++)
		if (ret->state.entry[i].unmerged)
			strvec_push(&ret->unmerged, ret->state.entry[i].path);
	check_branch(ret, waiting);
	check_in_progress(ret, stopped);
	if (verdict_is_clean(&ret->verdict) &&
	    (!ret->state.head || strcmp(ret->state.head, expected) != 0) &&
	    check_commits(&committed, ret, session, waiting, err) < 0)
		return -1;
	if (!verdict_is_clean(&ret->verdict))
		verdict_hint(&ret->verdict, "To forget the revert and keep what is there: 'git "
					    "revert-track --quit'.");
	ret->stopped = stopped;
	ret->place = place_of(ret, waiting, stopped, committed);
	return 0;
}
