/* SPDX-License-Identifier: MIT */
/* The commits that plans name: which ones they are, and whether the history has them. */
#include "base/interrupt.h"
#include "base/memory.h"
#include "flow/evidence-parts.h"
#include "vcs/git.h"
#include "vcs/object.h"

/* Of more branches it is not asked which of them has a lost commit: that takes a walk for each. */
#define REFS_MAX 256

/* ---- What they are -------------------------------------------------------------------- */

/* "author A <a@b> 1700000000 +0100": true where there is one. */
static bool parse_author(struct record *record, const char *text)
{
	const char *line = strstr(text, "\nauthor "), *end, *mail;

	if (!line)
		return false;
	line += strlen("\nauthor ");
	end = line + strcspn(line, "\n");
	for (mail = end; mail > line && mail[-1] != '>'; mail--)
		;
	if (mail == line)
		return false;
	record->author = xmemdupz(line, (size_t)(mail - line));
	record->author_time = strtoll(mail, NULL, 10);
	return true;
}

static void take_object(struct record *record, const struct object *object)
{
	const char *message;

	/* A branch may have a name of such digits: then it is not what the plan means. */
	if (!object->oid || strncmp(object->oid, record->hex, strlen(record->hex)) != 0)
		return;
	if (!parse_author(record, object->data.buf))
		return;
	message = strstr(object->data.buf, "\n\n");
	record->subject = log_subject(message ? message + 2 : "");
	record->oid = xstrdup(object->oid);
}

static int read_objects(struct evidence *e, struct error *err)
{
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;

	for (size_t i = 0; i < e->records; i++) {
		char *name CLEANUP(free_p) = xstrfmt("%s^{commit}", e->record[i].hex);

		objects_add(&objects, name);
	}
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < e->records; i++)
		take_object(&e->record[i], &objects.item[i]);
	return 0;
}

static void set_lost(struct evidence *e, const char *oid, bool lost)
{
	for (size_t i = 0; i < e->records; i++)
		if (e->record[i].oid && !strcmp(e->record[i].oid, oid))
			e->record[i].lost = lost;
}

/* Calls set_lost() for those that `git rev-list` says, of the revisions in `input`. */
static int list_lost(struct evidence *e, const struct oid_map *known, const struct strbuf *input,
		     bool lost, struct process *git, struct error *err)
{
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;

	repo_environment(&env, e->request.repo);
	git_prepare(git, e->request.repo, &env);
	strvec_pushl(&git->argv, "rev-list", "--stdin", NULL);
	git->input = "";
	git->stop = true;
	if (process_start(git, err) < 0 || process_write(git, input->buf, input->len, err) < 0)
		return -1;
	process_end_input(git);
	for (; process_read_line(git, &line); strbuf_reset(&line))
		if (oid_map_get(known, line.buf) != NO_COMMIT)
			set_lost(e, line.buf, lost);
	return process_finish(git, err);
}

/*
 * Which of them HEAD does not reach. Where a part of what they lead to has been pruned git cannot say
 * that: then all of our history is gone through.
 */
static int find_lost(struct evidence *e, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct process all CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;
	struct oid_map known CLEANUP(oid_map_release) = { 0 };

	for (size_t i = 0; i < e->records; i++) {
		if (!e->record[i].oid)
			continue;
		strbuf_addf(&input, "%s\n", e->record[i].oid);
		oid_map_put(&known, e->record[i].oid, (uint32_t)i);
	}
	strbuf_addf(&input, "^%s\n", e->rev);
	if (!known.nr)
		return 0;
	if (list_lost(e, &known, &input, true, &git, err) < 0)
		return -1;
	if (!git.status || interrupt_pending())
		return interrupt_pending() ? error_interrupted(err) : 0;
	for (size_t i = 0; i < e->records; i++)
		e->record[i].lost = e->record[i].oid != NULL;
	strbuf_reset(&input);
	strbuf_addf(&input, "%s\n", e->rev);
	if (list_lost(e, &known, &input, false, &all, err) < 0)
		return -1;
	return all.status ? process_error(&all, err, "cannot find the commits that plans name") : 0;
}

int evidence_resolve_records(struct evidence *e, struct error *err)
{
	for (size_t i = 0; i < e->records; i++)
		e->record[i].squash = NO_COMMIT;
	if (read_objects(e, err) < 0)
		return -1;
	return find_lost(e, err);
}

/* ---- The branches that they were on ---------------------------------------------------- */

/* Are there so few branches that each can be asked for the commits in it? */
static int has_few_branches(bool *ret, const struct evidence *e, const struct strvec *env,
			    struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	size_t nr = 0;

	git_prepare(&git, e->request.repo, env);
	strvec_pushl(&git.argv, "for-each-ref", "--format=.", NULL);
	strvec_pushf(&git.argv, "--count=%d", REFS_MAX + 1);
	strvec_pushl(&git.argv, "refs/heads", "refs/remotes", NULL);
	if (git_run(&git, "count the branches", err) < 0)
		return -1;
	for (const char *at = git.out.buf; (at = strchr(at, '\n')); at++)
		nr++;
	*ret = nr <= REFS_MAX;
	return 0;
}

/*
 * A branch that was left behind goes on behind the last commit that a plan names: what was squashed
 * is all of it.
 */
int evidence_add_tips(const struct evidence *e, struct strvec *revs, const struct strvec *lost,
		      struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	bool few;

	repo_environment(&env, e->request.repo);
	if (has_few_branches(&few, e, &env, err) < 0)
		return -1;
	if (!few)
		return 0;
	git_prepare(&git, e->request.repo, &env);
	strvec_pushl(&git.argv, "for-each-ref", "--format=%(objectname)", NULL);
	for (size_t i = 0; i < lost->nr; i++)
		strvec_pushf(&git.argv, "--contains=%s", lost->v[i]);
	strvec_pushl(&git.argv, "refs/heads", "refs/remotes", NULL);
	if (git_run(&git, "find the branches of commits that plans name", err) < 0)
		return -1;
	for (char *at = git.out.buf, *end; (end = strchr(at, '\n')); at = end + 1)
		strvec_push_nodup(revs, xmemdupz(at, (size_t)(end - at)));
	return 0;
}
