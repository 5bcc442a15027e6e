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

int revert_stop_index(struct revert_operation *op, const struct revert_run *run, struct error *err)
{
	const struct revert_step *step = step_of(run);
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;

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
