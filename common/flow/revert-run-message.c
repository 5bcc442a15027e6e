/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "flow/hook.h"
#include "flow/revert-run-parts.h"
#include "vcs/git.h"

#define REVERT	"Revert \""
#define REAPPLY "Reapply \""

static bool is_revert(const char *subject)
{
	return !strncmp(subject, REVERT, strlen(REVERT));
}

/* A revert of a revert has a word of its own, in git since 2.43; a third one has not. */
static void add_subject(struct strbuf *out, const char *subject)
{
	if (is_revert(subject) && !is_revert(subject + strlen(REVERT)))
		strbuf_addf(out, REAPPLY "%s\n", subject + strlen(REVERT));
	else
		strbuf_addf(out, REVERT "%s\"\n", subject);
}

/* Its id; or, with revert.reference, "<abbreviated id> (<subject>, <date>)". */
static int add_reference(struct strbuf *out, const struct revert_run *run, const char *oid,
			 struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	if (!revert_setting(run, "revert.reference")) {
		strbuf_addstr(out, oid);
		return 0;
	}
	git_prepare(&git, &run->session->repo, NULL);
	strvec_pushl(&git.argv, "log", "--no-walk", "--no-show-signature", "--no-color",
		     "--format=reference", oid, "--", NULL);
	if (git_run(&git, "read a commit", err) < 0)
		return -1;
	strbuf_add(out, git.out.buf, strcspn(git.out.buf, "\n"));
	return 0;
}

static int add_commit(struct strbuf *out, const struct revert_run *run, size_t i, struct error *err)
{
	const struct revert_step *step = &run->series.step[i];

	strbuf_addstr(out, "This reverts commit ");
	if (add_reference(out, run, step->commit, err) < 0)
		return -1;
	if (step->merge) {
		strbuf_addstr(out, ", reversing\nchanges made to ");
		if (add_reference(out, run, step->parent, err) < 0)
			return -1;
	}
	strbuf_addstr(out, ".\n");
	return 0;
}

static void add_end(struct strbuf *out, const struct revert_run_request *request)
{
	if (request->reason) {
		strbuf_addf(out, "\n%s", request->reason);
		strbuf_rtrim(out);
		strbuf_addch(out, '\n');
	}
	for (size_t i = 0; request->trailers && i < request->trailers->nr; i++)
		strbuf_addf(out, "%s%s\n", i ? "" : "\n", request->trailers->v[i]);
}

int revert_message_of_step(struct strbuf *out, const struct revert_run *run, size_t step,
			   struct error *err)
{
	add_subject(out, run->series.step[step].subject);
	strbuf_addch(out, '\n');
	if (add_commit(out, run, step, err) < 0)
		return -1;
	add_end(out, run->request);
	return 0;
}

/* Those that earlier operations of the series have reverted are known by their ids alone. */
static void add_earlier(struct strbuf *out, const struct revert_origin *origin)
{
	const json_t *commits = json_object_get(origin->revert, "commits");

	for (size_t i = 0; i < origin->position; i++)
		strbuf_addf(out, "This reverts commit %s.\n",
			    json_member(json_array_get(commits, i), "commit"));
}

int revert_message_of_squash(struct strbuf *out, const struct revert_run *run, struct error *err)
{
	const struct revert_run_request *request = run->request;
	const struct revert_series *series = &run->series;
	size_t nr = run->inside->origin.position + series->nr;

	if (request->squash_subject)
		strbuf_addf(out, "%s\n", request->squash_subject);
	else if (nr == 1 && series->nr)
		add_subject(out, series->step[0].subject);
	else
		strbuf_addf(out, "Revert %zu commits\n", nr);
	strbuf_addch(out, '\n');
	add_earlier(out, &run->inside->origin);
	for (size_t i = 0; i < series->nr; i++)
		if (series->step[i].outcome != REVERT_EMPTY && add_commit(out, run, i, err) < 0)
			return -1;
	add_end(out, request);
	return 0;
}

void revert_message_of_documents(struct strbuf *out, const struct revert_run *run)
{
	const char *subject = run->request->documents_subject;

	strbuf_addf(out, "%s\n", subject ? subject : "Update the plan documents");
	add_end(out, run->request);
}

char revert_comment_char(const struct settings *settings)
{
	const char *c = settings_git(settings, "core.commentchar");

	return c && c[0] && !c[1] ? *c : '#';
}

int revert_message_of_conflict(struct strbuf *out, const struct revert_run *run, struct error *err)
{
	const struct revert_step *step = &run->series.step[run->steps];
	char comment = revert_comment_char(&run->session->settings);

	if (revert_message_of_step(out, run, run->steps, err) < 0)
		return -1;
	strbuf_addf(out, "\n%c Conflicts:\n", comment);
	for (size_t i = 0; i < step->conflicts; i++)
		strbuf_addf(out, "%c\t%s\n", comment, step->conflict[i].path);
	return 0;
}

int revert_message_prepare(struct strbuf *message, const struct revert_run *run, struct error *err)
{
	const struct checkpoint_session *s = run->session;
	char *path CLEANUP(free_p) = xstrfmt("%s/COMMIT_EDITMSG", s->repo.git_dir);
	const char *const args[] = { path, "message", NULL };
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;

	if (!hook_may_run("prepare-commit-msg", &s->repo, &s->settings))
		return 0;
	strvec_push(&env, "GIT_EDITOR=:");
	if (file_write(path, message->buf, message->len, 0644, FILE_SYNC_NOT, err) < 0 ||
	    hook_run_git("prepare-commit-msg", args, &env, &s->repo, &s->settings, err) < 0)
		return -1;
	strbuf_reset(message);
	if (file_read(message, path, err) < 0)
		return -1;
	strbuf_rtrim(message);
	strbuf_addch(message, '\n');
	return 0;
}
