/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/memory.h"
#include "vcs/git.h"
#include "vcs/revert-parts.h"

enum { MOST = 5 }; /* commits that are named where it is about a whole file */

struct search {
	struct revert_series *series;
	const struct revert_step *step;
	const struct revert_conflict *conflict;
	const char *head;
	const char *base_path; /* in the commit */
	struct strvec found;
};

static void prepare(struct process *git, const struct search *s)
{
	static const struct strvec plain = STRVEC_INIT;

	git_prepare(git, s->series->repo, &plain);
	strvec_pushl(&git->argv, "-c", "blame.ignoreRevsFile=", "-c", "core.quotePath=true", NULL);
}

static void add_found(struct search *s, const char *oid, size_t len)
{
	char *commit CLEANUP(free_p) = xmemdupz(oid, len);

	if (strspn(commit, "0") == len || !strcmp(commit, s->step->commit) ||
	    strvec_has(&s->found, commit))
		return;
	for (size_t i = 0; i < s->series->request->nr; i++)
		if (!strcmp(s->series->request->commit[i].oid, commit))
			return;
	strvec_push(&s->found, commit);
}

static size_t id_length(const struct search *s)
{
	return strlen(s->step->commit);
}

/*
 * The commits in blame's porcelain format, whose headers are "<id> <line> <line> <count>"; those
 * that begin a group have more lines behind, of which "boundary" says that it is not newer than
 * where the search ends.
 */
static void take_blamed(struct strvec *ret, const struct process *git, size_t id)
{
	struct strvec boundary CLEANUP(strvec_release) = STRVEC_INIT;
	bool fresh = false; /* the group's commit has just been added */

	for (const char *line = git->out.buf; *line; line += strcspn(line, "\n") + 1) {
		if (*line == '\t')
			continue;
		if (strspn(line, "0123456789abcdef") == id && line[id] == ' ') {
			char *oid CLEANUP(free_p) = xmemdupz(line, id);

			fresh = !strvec_has(ret, oid) && !strvec_has(&boundary, oid);
			if (fresh)
				strvec_push(ret, oid);
		} else if (fresh && !strncmp(line, "boundary\n", strlen("boundary\n"))) {
			ret->nr--;
			strvec_push_nodup(&boundary, STEAL(ret->v[ret->nr]));
		}
	}
}

/* git blame; one that fails knows of no commit, as of a path that HEAD has not. */
static int blame(struct strvec *ret, struct process *git, size_t id, struct error *err)
{
	if (process_run(git, err) < 0)
		return -1;
	if (!git->status)
		take_blamed(ret, git, id);
	return 0;
}

/* Who made our lines what they are. */
static int blame_ours(struct search *s, struct error *err)
{
	const struct revert_conflict *conflict = s->conflict;
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec commits CLEANUP(strvec_release) = STRVEC_INIT;
	struct strbuf ours CLEANUP(strbuf_release) = STRBUF_INIT;
	char *file CLEANUP(free_p) = NULL;
	size_t lines = 0;

	if (!conflict->stage[1].mode || revert_work_folder(s->series, err) < 0 ||
	    revert_read_blob(s->series, &ours, conflict->stage[1].oid, err) < 0)
		return conflict->stage[1].mode ? -1 : 0;
	file = xstrfmt("%s/blamed", s->series->state->folder);
	if (file_write(file, ours.buf, ours.len, 0600, FILE_SYNC_NOT, err) < 0)
		return -1;
	prepare(&git, s);
	strvec_pushl(&git.argv, "blame", "--porcelain", "--contents", file, NULL);
	for (size_t i = 0; i < conflict->hunks; i++) {
		const struct revert_hunk *hunk = &conflict->hunk[i];

		lines += hunk->ours_lines;
		if (hunk->ours_lines)
			strvec_pushf(&git.argv, "-L%zu,+%zu", hunk->ours, hunk->ours_lines);
	}
	strvec_pushf(&git.argv, "^%s", s->step->commit);
	strvec_pushl(&git.argv, "--", conflict->path, NULL);
	if (lines && blame(&commits, &git, id_length(s), err) < 0)
		return -1;
	for (size_t i = 0; i < commits.nr; i++)
		add_found(s, commits.v[i], strlen(commits.v[i]));
	return 0;
}

/* The first commit behind the last one that still had the lines. */
static int find_next(struct search *s, const char *last, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	prepare(&git, s);
	strvec_pushl(&git.argv, "rev-list", "--reverse", "--topo-order", "--ancestry-path", NULL);
	strvec_pushf(&git.argv, "%s..%s", last, s->head);
	strvec_pushl(&git.argv, "--", s->base_path, NULL);
	if (git_run(&git, "look for the commits", err) < 0)
		return -1;
	if (git.out.len)
		add_found(s, git.out.buf, strcspn(git.out.buf, "\n"));
	return 0;
}

/* Who took the commit's lines away. */
static int blame_base(struct search *s, struct error *err)
{
	const struct revert_conflict *conflict = s->conflict;
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec last CLEANUP(strvec_release) = STRVEC_INIT;
	size_t lines = 0;

	prepare(&git, s);
	strvec_pushl(&git.argv, "blame", "--porcelain", "--reverse", NULL);
	for (size_t i = 0; i < conflict->hunks; i++) {
		const struct revert_hunk *hunk = &conflict->hunk[i];

		lines += hunk->base_lines;
		if (hunk->base_lines)
			strvec_pushf(&git.argv, "-L%zu,+%zu", hunk->base, hunk->base_lines);
	}
	strvec_pushf(&git.argv, "%s..%s", s->step->commit, s->head);
	strvec_pushl(&git.argv, "--", s->base_path, NULL);
	if (!lines || process_run(&git, err) < 0)
		return lines ? -1 : 0;
	if (git.status) /* HEAD does not descend from it */
		return 0;
	for (const char *line = git.out.buf; *line; line += strcspn(line, "\n") + 1) {
		char *oid CLEANUP(free_p) = NULL;

		if (strspn(line, "0123456789abcdef") != id_length(s) || line[id_length(s)] != ' ')
			continue;
		oid = xmemdupz(line, id_length(s));
		if (strcmp(oid, s->head) != 0 && !strvec_has(&last, oid) && last.nr < MOST)
			strvec_push(&last, oid);
	}
	for (size_t i = 0; i < last.nr; i++)
		if (find_next(s, last.v[i], err) < 0)
			return -1;
	return 0;
}

/* Who has touched the file since; or, with a filter, removed it. */
static int find_changes(struct search *s, const char *filter, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	prepare(&git, s);
	strvec_pushl(&git.argv, "log", "--format=%H", "--no-renames", "--no-show-signature",
		     "--no-color", NULL);
	strvec_pushf(&git.argv, "--max-count=%zu", s->series->request->nr + MOST);
	if (filter)
		strvec_push(&git.argv, filter);
	strvec_pushf(&git.argv, "%s..%s", s->step->commit, s->head);
	strvec_pushl(&git.argv, "--", s->base_path, NULL);
	if (strcmp(s->base_path, s->conflict->path) != 0)
		strvec_push(&git.argv, s->conflict->path);
	if (git_run(&git, "look for the commits", err) < 0)
		return -1;
	for (const char *line = git.out.buf; *line && s->found.nr < MOST;
	     line += strcspn(line, "\n") + 1)
		add_found(s, line, strcspn(line, "\n"));
	return 0;
}

static int search(struct search *s, struct error *err)
{
	bool gone = s->conflict->kind == REVERT_DELETE_MODIFY ||
		    (s->conflict->kind == REVERT_RENAME_DELETE && s->conflict->base_path);

	if (s->conflict->hunks && (blame_ours(s, err) < 0 || blame_base(s, err) < 0))
		return -1;
	if (!s->found.nr && gone && find_changes(s, "--diff-filter=D", err) < 0)
		return -1;
	return s->found.nr ? 0 : find_changes(s, NULL, err);
}

/* Newest first, each with its subject. */
static int tell(struct revert_conflict *conflict, const struct search *s, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;

	if (!s->found.nr)
		return 0;
	for (size_t i = 0; i < s->found.nr; i++)
		strbuf_addf(&input, "%s\n", s->found.v[i]);
	prepare(&git, s);
	strvec_pushl(&git.argv, "log", "--no-walk", "--stdin", "-z", "--no-show-signature",
		     "--no-color", "--encoding=UTF-8", "--format=tformat:%H %s", NULL);
	git.input = input.buf;
	git.input_len = input.len;
	if (git_run(&git, "read the commits", err) < 0)
		return -1;
	for (const char *at = git.out.buf; at < git.out.buf + git.out.len; at += strlen(at) + 1) {
		size_t len = strcspn(at, " ");

		ARRAY_GROW(conflict->cause, conflict->causes + 1, conflict->causes_alloc);
		conflict->cause[conflict->causes++] =
			(struct revert_cause){ .commit = xmemdupz(at, len),
					       .subject = xstrdup(at[len] ? at + len + 1 : "") };
	}
	return 0;
}

int revert_find_causes(struct revert_series *series, const char *head, size_t limit,
		       struct error *err)
{
	for (size_t i = 0; i < series->nr; i++)
		for (size_t k = 0; k < series->step[i].conflicts && limit; k++, limit--) {
			struct revert_conflict *conflict = &series->step[i].conflict[k];
			struct search s = { .series = series,
					    .step = &series->step[i],
					    .conflict = conflict,
					    .head = head,
					    .base_path = conflict->base_path ? conflict->base_path :
									       conflict->path,
					    .found = STRVEC_INIT };
			int ret = search(&s, err);

			if (!ret)
				ret = tell(conflict, &s, err);
			strvec_release(&s.found);
			if (ret < 0)
				return -1;
		}
	return 0;
}
