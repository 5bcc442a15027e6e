/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/memory.h"
#include "flow/revert-run-parts.h"
#include "term/output.h"
#include "vcs/git.h"

static const struct revert_step *step_of(const struct revert_run *run)
{
	return &run->series.step[run->steps];
}

/* ---- Files --------------------------------------------------------------------------- */

static void set_side(struct tree_changes *ret, const struct revert_series *series, const char *path,
		     unsigned mode, const char *oid)
{
	struct tree_change *change = revert_add_path(ret, series, path);

	change->new_mode = mode;
	string_replace(&change->new_oid, oid);
}

static const char *path_of(const struct revert_conflict *conflict, int stage)
{
	return conflict->stage[stage].path ? conflict->stage[stage].path : conflict->path;
}

/* What git leaves: the text with markers; else our file, or theirs where there is none of ours. */
static void set_conflict(struct tree_changes *ret, const struct revert_series *series,
			 const struct revert_conflict *conflict)
{
	for (int side = 1; side < 3; side++) {
		const char *path = path_of(conflict, side);
		bool other = conflict->stage[1].mode && side == 2;

		if (!conflict->stage[side].mode || (other && !strcmp(path, path_of(conflict, 1))))
			continue;
		set_side(ret, series, path, conflict->stage[side].mode,
			 conflict->text ? conflict->text : conflict->stage[side].oid);
	}
}

void revert_stop_changes(struct tree_changes *ret, const struct revert_run *run)
{
	const struct revert_step *step = step_of(run);

	revert_sum_up(ret, &run->series, run->steps + 1);
	for (size_t i = 0; i < step->conflicts; i++)
		set_conflict(ret, &run->series, &step->conflict[i]);
}

void revert_stop_paths(struct strvec *ret, const struct revert_run *run)
{
	const struct revert_step *step = step_of(run);

	for (size_t i = 0; i < step->conflicts; i++)
		for (int stage = 1; stage < 3; stage++) {
			const char *path = path_of(&step->conflict[i], stage);

			if (step->conflict[i].stage[stage].mode && !strvec_has(ret, path))
				strvec_push(ret, path);
		}
}

/* ---- Index and state ----------------------------------------------------------------- */

static void add_entry(struct strbuf *out, unsigned mode, const char *oid, int stage,
		      const char *path)
{
	strbuf_addf(out, "%06o %s %d\t%s", mode, oid, stage, path);
	strbuf_addch(out, '\0');
}

/* Those of the paths that a sparse checkout keeps out of the worktree; each ends in NUL. */
static int find_sparse(struct strbuf *ret, const struct revert_operation *op,
		       const struct strvec *paths, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;

	for (size_t i = 0; i < op->env.nr; i++)
		strvec_push(&env, op->env.v[i]);
	strvec_push(&env, "GIT_LITERAL_PATHSPECS=1");
	git_prepare(&git, &op->session->repo, &env);
	strvec_pushl(&git.argv, "ls-files", "-z", "-t", "--", NULL);
	for (size_t i = 0; i < paths->nr; i++)
		strvec_push(&git.argv, paths->v[i]);
	if (git_run(&git, "look for sparse files", err) < 0)
		return -1;
	for (const char *at = git.out.buf; at < git.out.buf + git.out.len; at += strlen(at) + 1)
		if (at[0] == 'S' && at[1] == ' ')
			strbuf_add(ret, at + 2, strlen(at + 2) + 1);
	return 0;
}

/* As git does: what is in conflict a person has to see, also outside of a sparse checkout. */
static int write_sparse(struct revert_operation *op, const struct revert_run *run,
			struct error *err)
{
	static const char *const step[][4] = {
		{ "update-index", "--no-skip-worktree", "-z", "--stdin" },
		{ "checkout-index", "--quiet", "-z", "--stdin" },
	};
	struct strvec paths CLEANUP(strvec_release) = STRVEC_INIT;
	struct strbuf sparse CLEANUP(strbuf_release) = STRBUF_INIT;

	revert_stop_paths(&paths, run);
	if (!run->state.sparse || !paths.nr)
		return 0;
	if (find_sparse(&sparse, op, &paths, err) < 0)
		return -1;
	for (size_t i = 0; sparse.len && i < ARRAY_SIZE(step); i++) {
		struct process git CLEANUP(process_release) = PROCESS_INIT;

		git_prepare(&git, &op->session->repo, &op->env);
		strvec_pushl(&git.argv, "-c", "core.splitIndex=false", NULL);
		for (size_t k = 0; k < ARRAY_SIZE(step[i]); k++)
			strvec_push(&git.argv, step[i][k]);
		git.input = sparse.buf;
		git.input_len = sparse.len;
		if (git_run(&git, "write the files that are in conflict", err) < 0)
			return -1;
	}
	return 0;
}

int revert_stop_index(struct revert_operation *op, const struct revert_run *run, struct error *err)
{
	const struct revert_step *step = step_of(run);
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;

	if (write_sparse(op, run, err) < 0)
		return -1;
	for (size_t i = 0; i < step->conflicts; i++) {
		const struct revert_conflict *conflict = &step->conflict[i];

		for (int stage = 0; stage < 3; stage++) /* a mode of 0 removes it */
			if (conflict->stage[stage].mode)
				add_entry(&input, 0, step->commit, 0, path_of(conflict, stage));
		for (int stage = 0; stage < 3; stage++)
			if (conflict->stage[stage].mode)
				add_entry(&input, conflict->stage[stage].mode,
					  conflict->stage[stage].oid, stage + 1,
					  path_of(conflict, stage));
	}
	git_prepare(&git, &op->session->repo, &op->env);
	strvec_pushl(&git.argv, "-c", "core.splitIndex=false", "update-index", "-z", "--index-info",
		     NULL);
	git.input = input.buf;
	git.input_len = input.len;
	return git_run(&git, "write the conflicts to the index", err);
}

static int write_state(const struct repo *repo, const char *name, const char *text, size_t len,
		       struct error *err)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/%s", repo->git_dir, name);

	return file_write(path, text, len, 0644, FILE_SYNC_NAME, err);
}

int revert_stop_state(struct revert_operation *op, const struct revert_run *run, struct error *err)
{
	const struct repo *repo = &op->session->repo;
	char *head CLEANUP(free_p) = xstrfmt("%s\n", step_of(run)->commit);
	struct strbuf message CLEANUP(strbuf_release) = STRBUF_INIT;

	if (revert_message_of_conflict(&message, run, err) < 0 ||
	    write_state(repo, "MERGE_MSG", message.buf, message.len, err) < 0)
		return -1;
	return write_state(repo, "REVERT_HEAD", head, strlen(head), err);
}

void revert_stop_rerere(const struct checkpoint_session *session)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	git_prepare(&git, &session->repo, NULL);
	strvec_push(&git.argv, "rerere");
	if (git_run(&git, "look for conflicts that were resolved before", &err) < 0)
		warning("%s", err.message);
}
