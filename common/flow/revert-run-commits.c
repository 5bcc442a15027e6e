/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "flow/revert-run-parts.h"
#include "vcs/git.h"

/* One commit that is going to be. */
struct planned {
	struct strbuf message;
	const struct tree_changes *changes;
	bool scratch;	 /* a name for a tree, and nobody's commit */
	bool from_start; /* the changes are those since HEAD; else since the one before */
	unsigned mark;
	char *tree;
};
struct making {
	struct revert_operation *op;
	const struct revert_run *run;
	char *author, *committer;
	const char *parent; /* of the first */
	struct planned *item;
	size_t nr;
	struct tree_changes stop, all;
};

static void making_release(struct making *m)
{
	for (size_t i = 0; i < m->nr; i++) {
		strbuf_release(&m->item[i].message);
		free(m->item[i].tree);
	}
	free(m->item);
	free(m->author);
	free(m->committer);
	tree_changes_release(&m->stop);
	tree_changes_release(&m->all);
}

void revert_commits_release(struct revert_commits *commits)
{
	free(commits->tip);
	free(commits->tree);
	*commits = (struct revert_commits){ 0 };
}

/* ---- Which --------------------------------------------------------------------------- */

static struct planned *add(struct making *m, const struct tree_changes *changes)
{
	m->item[m->nr] = (struct planned){ .message = STRBUF_INIT, .changes = changes };
	return &m->item[m->nr++];
}

static int add_steps(struct making *m, struct error *err)
{
	const struct revert_run *run = m->run;

	for (size_t i = 0; i < run->steps; i++) {
		struct planned *planned;

		if (run->series.step[i].outcome == REVERT_EMPTY)
			continue;
		planned = add(m, &run->series.step[i].changes);
		if (revert_message_of_step(&planned->message, run, i, err) < 0 ||
		    revert_message_prepare(&planned->message, run, err) < 0)
			return -1;
	}
	return 0;
}

static int add_documents(struct making *m, struct error *err)
{
	struct planned *planned;

	if (!m->run->inside->documents.nr)
		return 0;
	planned = add(m, &m->run->inside->documents);
	revert_message_of_documents(&planned->message, m->run);
	return revert_message_prepare(&planned->message, m->run, err);
}

/* All in one, on what the series began with. */
static int add_squashed(struct making *m, struct error *err)
{
	const struct revert_origin *origin = &m->run->inside->origin;
	struct planned *planned = add(m, &m->run->moves);

	planned->from_start = true;
	if (origin->revert)
		m->parent = json_member(origin->revert, "onto");
	if (revert_message_of_squash(&planned->message, m->run, err) < 0)
		return -1;
	return revert_message_prepare(&planned->message, m->run, err);
}

static int choose(struct making *m, struct error *err)
{
	const struct revert_run *run = m->run;

	m->item = xcalloc(run->steps + 2, sizeof(*m->item));
	if (run->request->squash && !run->stops)
		return revert_run_is_nothing(run) ? 0 : add_squashed(m, err);
	if (add_steps(m, err) < 0 || add_documents(m, err) < 0)
		return -1;
	if (run->stops) {
		revert_stop_changes(&m->stop, run);
		add(m, &m->stop)->scratch = true;
		m->item[m->nr - 1].from_start = true;
	}
	return 0;
}

/* ---- Written ------------------------------------------------------------------------- */

static int identity_of(char **ret, const struct repo *repo, const char *which, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, repo, NULL);
	strvec_pushl(&git.argv, "var", which, NULL);
	if (git_run(&git, "find out who commits", err) < 0)
		return -1;
	strbuf_rtrim(&git.out);
	*ret = strbuf_detach(&git.out);
	return 0;
}

static int import_one(struct making *m, size_t i, const char *before, struct error *err)
{
	struct planned *planned = &m->item[i];
	struct import *import = &m->op->import;
	const char *head = m->run->head;
	const char *parent = planned->scratch ? head : before ? before : m->parent;
	bool since_head = planned->from_start && strcmp(parent, head) != 0;
	struct import_commit commit = { .author = m->author,
					.committer = m->committer,
					.message = planned->message.buf,
					.base = since_head ? m->run->series.onto : parent,
					.parent = &parent,
					.parents = 1 };
	struct import_path *path CLEANUP(free_p) =
		revert_import_paths(&commit.paths, planned->changes);

	commit.path = path;
	planned->mark = import_mark(import);
	if (import_commit(import, planned->mark, &commit, err) < 0)
		return -1;
	return import_tree(import, &planned->tree, planned->mark, err);
}

static int import_all(struct making *m, struct error *err)
{
	struct import *import = &m->op->import;
	char *quarantine CLEANUP(free_p) = xstrfmt("%s/commits", m->op->work.path);

	if (import_start(import, &m->run->session->repo, quarantine, err) < 0 ||
	    revert_import(&m->run->series, import, err) < 0)
		return -1;
	for (size_t i = 0; i < m->nr; i++) {
		char *before CLEANUP(free_p) = i ? xstrfmt(":%u", m->item[i - 1].mark) : NULL;

		if (import_one(m, i, before, err) < 0)
			return -1;
	}
	return import_finish(import, err);
}

/* ---- Signed -------------------------------------------------------------------------- */

static int sign_one(char **ret, const struct making *m, const struct planned *planned,
		    const char *parent, const struct strvec *env, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, &m->run->session->repo, env);
	strvec_pushl(&git.argv, "-c", "core.fsync=all", "commit-tree", "-S", "-p", parent, "-F",
		     "-", planned->tree, NULL);
	git.input = planned->message.buf;
	git.input_len = planned->message.len;
	if (git_run(&git, "sign a commit", err) < 0)
		return -1;
	string_replace(ret, NULL);
	*ret = xmemdupz(git.out.buf, strcspn(git.out.buf, "\n"));
	return 0;
}

/* The same once more, by git, which alone knows how to sign. */
static int sign_all(char **ret_tip, const struct making *m, struct error *err)
{
	const struct repo *repo = &m->run->session->repo;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	char *tip CLEANUP(free_p) = NULL;

	repo_environment(&env, repo);
	import_environment(&env, repo, m->op->import.quarantine);
	for (size_t i = 0; i < m->nr; i++)
		if (!m->item[i].scratch &&
		    sign_one(&tip, m, &m->item[i], tip ? tip : m->parent, &env, err) < 0)
			return -1;
	*ret_tip = STEAL(tip);
	return 0;
}

int revert_commits_make(struct revert_commits *ret, struct revert_operation *op,
			const struct revert_run *run, struct error *err)
{
	struct making m CLEANUP(making_release) = { .op = op, .run = run, .parent = run->head };
	const struct repo *repo = &run->session->repo;

	if (run->request->reset_to) {
		ret->tip = xstrdup(run->request->reset_to);
		ret->tree = xstrdup(run->request->reset_to);
		return 0;
	}
	if (choose(&m, err) < 0 || identity_of(&m.author, repo, "GIT_AUTHOR_IDENT", err) < 0 ||
	    identity_of(&m.committer, repo, "GIT_COMMITTER_IDENT", err) < 0)
		return -1;
	if (!m.nr)
		return 0;
	if (import_all(&m, err) < 0)
		return -1;
	for (size_t i = 0; i < m.nr; i++) {
		const char *oid = import_oid(&op->import, m.item[i].mark);

		string_replace(&ret->tree, oid);
		if (m.item[i].scratch)
			continue;
		string_replace(&ret->tip, oid);
		ret->made++;
	}
	if (ret->made && settings_git_bool(&run->session->settings, "commit.gpgsign")) {
		free(STEAL(ret->tip));
		return sign_all(&ret->tip, &m, err);
	}
	return 0;
}
