/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <strings.h>
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

	if (!settings_git_bool(&run->session->settings, "revert.reference")) {
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

static bool is_left_out(const struct revert_origin *origin, const char *commit)
{
	json_t *value CLEANUP(json_decref_p) = json_text(commit);

	return json_has(json_object_get(origin->revert, "left_out"), value);
}

/* Those that earlier operations of the series have reverted are known by their ids alone. */
static size_t add_earlier(struct strbuf *out, const struct revert_origin *origin)
{
	const json_t *commits = json_object_get(origin->revert, "commits");
	size_t nr = 0;

	for (size_t i = 0; i < origin->position; i++) {
		const char *commit = json_member(json_array_get(commits, i), "commit");

		if (is_left_out(origin, commit))
			continue;
		strbuf_addf(out, "This reverts commit %s.\n", commit);
		nr++;
	}
	return nr;
}

int revert_message_of_squash(struct strbuf *out, const struct revert_run *run, struct error *err)
{
	const struct revert_run_request *request = run->request;
	const struct revert_series *series = &run->series;
	struct strbuf commits CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t nr = add_earlier(&commits, &run->inside->origin) + series->nr;

	for (size_t i = 0; i < series->nr; i++)
		if (series->step[i].outcome != REVERT_EMPTY &&
		    add_commit(&commits, run, i, err) < 0)
			return -1;
	if (request->squash_subject)
		strbuf_addf(out, "%s\n", request->squash_subject);
	else if (nr == 1 && series->nr)
		add_subject(out, series->step[0].subject);
	else
		strbuf_addf(out, "Revert %zu commits\n", nr);
	if (commits.len)
		strbuf_addf(out, "\n%s", commits.buf);
	add_end(out, request);
	return 0;
}

void revert_message_of_documents(struct strbuf *out, const struct revert_run *run)
{
	const char *subject = run->request->documents_subject;

	strbuf_addf(out, "%s\n", subject ? subject : "Update the plan documents");
	add_end(out, run->request);
}

/* ---- Of a conflict ------------------------------------------------------------------- */

#define CONFLICTS "Conflicts:"

/* As comments, by git, which knows what these begin with, also where a path has line ends. */
static int add_conflicts(struct strbuf *out, const struct revert_run *run, struct error *err)
{
	const struct revert_step *step = &run->series.step[run->steps];
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf list CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addstr(&list, CONFLICTS "\n");
	for (size_t i = 0; i < step->conflicts; i++)
		strbuf_addf(&list, "\t%s\n", step->conflict[i].path);
	git_prepare(&git, &run->session->repo, NULL);
	strvec_pushl(&git.argv, "stripspace", "--comment-lines", NULL);
	git.input = list.buf;
	git.input_len = list.len;
	if (git_run(&git, "write the message", err) < 0)
		return -1;
	strbuf_addf(out, "\n%s", git.out.buf);
	return 0;
}

/* As git has it there: where its characters cannot say it, it stays UTF-8. */
static void encode(struct strbuf *message, const struct settings *settings)
{
	const char *encoding = settings_git(settings, "i18n.commitencoding");
	struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;
	char *in = message->buf, buf[4096];
	size_t left = message->len;
	iconv_t cd;

	if (!encoding || !*encoding || !strcasecmp(encoding, "UTF-8") ||
	    !strcasecmp(encoding, "UTF8"))
		return;
	cd = iconv_open(encoding, "UTF-8");
	if (cd == (iconv_t)-1)
		return;
	for (;;) {
		char *to = buf;
		size_t room = sizeof(buf);
		size_t done = left ? iconv(cd, &in, &left, &to, &room) :
				     iconv(cd, NULL, NULL, &to, &room);

		strbuf_add(&out, buf, (size_t)(to - buf));
		if (done == (size_t)-1 && errno != E2BIG)
			break;
		if (done != (size_t)-1 && !left && to == buf) {
			strbuf_reset(message);
			strbuf_add(message, out.buf, out.len);
			break;
		}
	}
	iconv_close(cd);
}

int revert_message_of_conflict(struct strbuf *out, const struct revert_run *run, struct error *err)
{
	if (revert_message_of_step(out, run, run->steps, err) < 0 ||
	    add_conflicts(out, run, err) < 0)
		return -1;
	encode(out, &run->session->settings);
	return 0;
}

/*
 * The last paragraph, where it is the list of conflicts: its lines all begin with the same, which is no
 * part of a word. Other lines that look like comments are the message's own.
 */
void revert_message_drop_conflicts(struct strbuf *message)
{
	size_t start = 0, prefix;
	const char *end;

	strbuf_rtrim(message);
	for (const char *at = message->buf; (at = strstr(at, "\n\n")); at++)
		start = (size_t)(at - message->buf) + 2;
	prefix = strcspn(message->buf + start, " \n");
	end = message->buf + start + prefix;
	if (!start || !prefix || isalnum((unsigned char)message->buf[start]) ||
	    strncmp(end, " " CONFLICTS, strlen(" " CONFLICTS)) != 0)
		return;
	for (const char *line = message->buf + start; *line;) {
		if (strncmp(line, message->buf + start, prefix) != 0)
			return;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	strbuf_setlen(message, start);
	strbuf_rtrim(message);
	strbuf_addch(message, '\n');
}

/* ---- Hooks --------------------------------------------------------------------------- */

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
