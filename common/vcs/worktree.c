/* SPDX-License-Identifier: MIT */
#include "vcs/worktree-parts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/sort.h"
#include "base/strbuf.h"
#include "vcs/attributes.h"
#include "vcs/folders.h"
#include "vcs/git.h"
#include "vcs/mode.h"

enum { TRIES = 30 }; /* of reading a state that others change meanwhile */

static void entry_release(struct worktree_entry *entry)
{
	free(entry->path);
	free(entry->head_oid);
	free(entry->index_oid);
	for (size_t i = 0; i < ARRAY_SIZE(entry->stage); i++)
		free(entry->stage[i].oid);
}

void worktree_state_release(struct worktree_state *state)
{
	for (size_t i = 0; i < state->nr; i++)
		entry_release(&state->entry[i]);
	free(state->entry);
	free(state->head);
	free(state->branch);
	strvec_release(&state->untracked);
	strvec_release(&state->ignored);
	strvec_release(&state->nested);
	strvec_release(&state->empty_folders);
	strvec_release(&state->unreadable);
	strvec_release(&state->in_progress);
	index_file_release(&state->index);
	*state = (struct worktree_state)WORKTREE_STATE_INIT;
}

struct worktree_entry *worktree_add_entry(struct worktree_state *state)
{
	ARRAY_GROW(state->entry, state->nr + 1, state->alloc);
	state->entry[state->nr] = (struct worktree_entry){ .path = NULL };
	return &state->entry[state->nr++];
}

static int compare_entries(const void *a, const void *b)
{
	const struct worktree_entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void worktree_sort_entries(struct worktree_state *state)
{
	sort(state->entry, state->nr, sizeof(*state->entry), compare_entries);
}

const struct worktree_entry *worktree_find(const struct worktree_state *state, const char *path)
{
	size_t low = 0, high = state->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(path, state->entry[middle].path);

		if (!order)
			return &state->entry[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

unsigned worktree_mode(const struct worktree_state *state, const struct stat *st, unsigned before)
{
	if (S_ISLNK(st->st_mode))
		return MODE_LINK;
	if (!S_ISREG(st->st_mode))
		return 0;
	/* A new file has only what is on disk, whatever that is worth. */
	if (!state->file_mode && before)
		return before == MODE_EXECUTABLE ? 0100755 : MODE_FILE;
	return st->st_mode & 0100 ? MODE_EXECUTABLE : MODE_FILE;
}

/* ---- The processes --------------------------------------------------------------------------- */

/* What runs at the same time. */
struct reading {
	const struct repo *repo;
	const struct worktree_request *request;
	const struct strvec *settings; /* for git status: "-c", "<name>=<value>" */
	struct process status, config, ignored;
	struct strvec env;
};
#define READING_INIT                                                                     \
	{                                                                                \
		.status = PROCESS_INIT, .config = PROCESS_INIT, .ignored = PROCESS_INIT, \
		.env = STRVEC_INIT                                                       \
	}

static void reading_release(struct reading *r)
{
	process_release(&r->status);
	process_release(&r->config);
	process_release(&r->ignored);
	strvec_release(&r->env);
}

static int start_status(struct reading *r, struct error *err)
{
	/* Whatever the user's status.*, diff.* and submodule.* settings make of it. */
	git_prepare(&r->status, r->repo, &r->env);
	for (size_t i = 0; i < r->settings->nr; i++)
		strvec_push(&r->status.argv, r->settings->v[i]);
	strvec_pushl(&r->status.argv, "--no-optional-locks", "status", "--porcelain=v2", "-z",
		     "--branch", "--no-ahead-behind", "--no-renames", "--ignore-submodules=none",
		     NULL);
	strvec_push(&r->status.argv,
		    r->request->no_untracked ? "--untracked-files=no" : "--untracked-files=all");
	return process_start(&r->status, err);
}

static int start_config(struct reading *r, struct error *err)
{
	git_prepare(&r->config, r->repo, &r->env);
	strvec_pushl(&r->config.argv, "config", "-z", "--get-regexp",
		     "^(core\\.(filemode|ignorecase|autocrlf|eol|attributesfile)|attr\\.tree)$",
		     NULL);
	return process_start(&r->config, err);
}

/* Pathspecs are from where the user is. */
static int start_ignored(struct reading *r, struct error *err)
{
	if (!r->request->ignored || !r->request->ignored->nr)
		return 0;
	strvec_pushl(&r->ignored.argv, "git", "ls-files", "-z", "--others", "--ignored",
		     "--exclude-standard", "--full-name", "--", NULL);
	for (size_t i = 0; i < r->request->ignored->nr; i++)
		strvec_push(&r->ignored.argv, r->request->ignored->v[i]);
	return process_start(&r->ignored, err);
}

static int reading_start(struct reading *r, struct error *err)
{
	repo_environment(&r->env, r->repo);
	return start_status(r, err) < 0 || start_config(r, err) < 0 || start_ignored(r, err) < 0 ?
		       -1 :
		       0;
}

static int finish(struct process *process, int allowed, struct error *err)
{
	if (process_finish(process, err) < 0)
		return -1;
	if (!process->status || process->status == allowed)
		return 0;
	return process_error(process, err, "cannot read the worktree's state");
}

static void take_autocrlf(struct worktree_state *state, bool no, const char *value)
{
	state->crlf = !no;
	state->crlf_out |= !no && strcasecmp(value, "input") != 0;
}

/* "core.filemode\nfalse": the last one counts; a key alone is true. */
static void parse_config(struct worktree_state *state, struct attributes_config *ret,
			 const struct strbuf *text)
{
	state->file_mode = true;
	for (const char *at = text->buf; at < text->buf + text->len; at += strlen(at) + 1) {
		const char *end = strchr(at, '\n'), *value = end ? end + 1 : "true";
		size_t len = end ? (size_t)(end - at) : strlen(at);
		bool no = !strcasecmp(value, "false") || !strcasecmp(value, "no") ||
			  !strcasecmp(value, "off") || !strcmp(value, "0") || !*value;

		if (!strncmp(at, "core.filemode", len))
			state->file_mode = !no;
		else if (!strncmp(at, "core.ignorecase", len))
			state->ignore_case = !no;
		else if (!strncmp(at, "core.autocrlf", len))
			take_autocrlf(state, no, value);
		else if (!strncmp(at, "core.eol", len))
			state->crlf_out |= !strcasecmp(value, "crlf");
		else if (!strncmp(at, "core.attributesfile", len))
			string_replace(&ret->file, value);
		else
			ret->tree = true;
	}
}

static void parse_ignored(struct worktree_state *state, const struct repo *repo,
			  const struct strbuf *text)
{
	for (const char *at = text->buf; at < text->buf + text->len; at += strlen(at) + 1)
		if (*at && at[strlen(at) - 1] != '/' && !repo_owns(repo, at))
			strvec_push(&state->ignored, at);
	strvec_sort(&state->ignored);
}

static int reading_finish(struct reading *r, struct worktree_state *state, struct error *err)
{
	struct attributes_config config CLEANUP(attributes_config_release) = ATTRIBUTES_CONFIG_INIT;

	/* git config exits with 1 where nothing is set. */
	if (finish(&r->status, 0, err) < 0 || finish(&r->config, 1, err) < 0)
		return -1;
	if (r->ignored.pid > 0 && finish(&r->ignored, 0, err) < 0)
		return -1;
	if (worktree_parse_status(state, r->repo, &r->status.out, err) < 0)
		return -1;
	worktree_parse_warnings(state, &r->status.err);
	parse_config(state, &config, &r->config.out);
	parse_ignored(state, r->repo, &r->ignored.out);
	state->attributes = attributes_may_apply(r->repo, state, &config);
	return 0;
}

/* ---- What git status does not say ------------------------------------------------------------ */

static void unique(struct strvec *sv)
{
	size_t kept = 0;

	strvec_sort(sv);
	for (size_t i = 0; i < sv->nr; i++) {
		if (kept && !strcmp(sv->v[kept - 1], sv->v[i]))
			free(sv->v[i]);
		else
			sv->v[kept++] = sv->v[i];
	}
	sv->nr = kept;
	if (sv->v)
		sv->v[kept] = NULL;
}

static int add_what_git_does_not_say(struct worktree_state *state, const struct repo *repo,
				     const struct worktree_request *request, struct error *err)
{
	int top = open(repo->worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (top < 0)
		return error_errno(err, "cannot open '%s'", repo->worktree);
	worktree_add_hidden(state, top, state->nr);
	worktree_note_special(state);
	worktree_drop_devices(state, top);
	for (size_t i = 0; i < state->nr && !request->no_untracked; i++)
		if (!state->entry[i].worktree_mode)
			folders_find_left(&state->empty_folders, top, state->entry[i].path);
	close(top);
	unique(&state->empty_folders);
	unique(&state->unreadable);
	worktree_find_in_progress(&state->in_progress, repo->git_dir);
	worktree_read_branch(&state->branch, repo->git_dir);
	return 0;
}

/* ---- All of it, at one moment ---------------------------------------------------------------- */

/* What git replaces when HEAD or the index changes. */
struct stamp {
	struct stat file[5];
};

static void stamp_take(struct stamp *ret, const struct repo *repo, const char *branch)
{
	char *paths[] = {
		index_path(repo),
		xstrfmt("%s/HEAD", repo->git_dir),
		xstrfmt("%s/%s", repo->common_dir, branch ? branch : "HEAD"),
		xstrfmt("%s/packed-refs", repo->common_dir),
		xstrfmt("%s/reftable/tables.list", repo->common_dir),
	};

	*ret = (struct stamp){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (stat(paths[i], &ret->file[i]) < 0)
			ret->file[i] = (struct stat){ 0 };
		free(paths[i]);
	}
}

static bool stamp_is_same(const struct stamp *a, const struct stamp *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(a->file); i++) {
		const struct stat *x = &a->file[i], *y = &b->file[i];

		if (x->st_ino != y->st_ino || x->st_size != y->st_size ||
		    x->st_mtim.tv_sec != y->st_mtim.tv_sec ||
		    x->st_mtim.tv_nsec != y->st_mtim.tv_nsec)
			return false;
	}
	return true;
}

enum moment { MOMENT_SAME = 0, MOMENT_PASSED = 1 };

static int read_once(struct worktree_state *ret, const struct repo *repo,
		     const struct worktree_request *request, const struct strvec *settings,
		     struct error *err)
{
	struct reading reading CLEANUP(reading_release) = READING_INIT;
	char *branch CLEANUP(free_p) = NULL;
	struct stamp before, after;

	reading.repo = repo;
	reading.request = request;
	reading.settings = settings;
	worktree_read_branch(&branch, repo->git_dir);
	stamp_take(&before, repo, branch);
	if (reading_start(&reading, err) < 0)
		return -1;
	/* While git looks at the files: */
	if (index_file_read(&ret->index, repo, err) < 0)
		return -1;
	if (!request->no_untracked &&
	    folders_find(&ret->empty_folders, &ret->unreadable, repo, &ret->index, err) < 0)
		return -1;
	if (reading_finish(&reading, ret, err) < 0 ||
	    add_what_git_does_not_say(ret, repo, request, err) < 0)
		return -1;
	stamp_take(&after, repo, branch);
	return stamp_is_same(&before, &after) ? MOMENT_SAME : MOMENT_PASSED;
}

/*
 * Did git end because a filter is required and fails? It then has to take the file for changed,
 * which it does where that filter is not required. If there is one, clears the error.
 */
static bool can_relax(struct strvec *settings, const struct repo *repo, struct error *err)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (settings->nr || interrupt_pending() ||
	    git_relax_filters(settings, repo, &ignored) < 0 || !settings->nr)
		return false;
	error_clear(err);
	return true;
}

int worktree_read(struct worktree_state *ret, const struct repo *repo,
		  const struct worktree_request *request, struct error *err)
{
	struct strvec settings CLEANUP(strvec_release) = STRVEC_INIT;

	if (!repo->worktree)
		return error_set(err, "this repository has no worktree here");
	for (int i = 0; i < TRIES; i++) {
		struct worktree_state state CLEANUP(worktree_state_release) = WORKTREE_STATE_INIT;
		int moment = read_once(&state, repo, request, &settings, err);

		if (moment < 0 && !can_relax(&settings, repo, err))
			return -1;
		if (moment != MOMENT_SAME)
			continue;
		*ret = state;
		state = (struct worktree_state)WORKTREE_STATE_INIT;
		return 0;
	}
	return error_set(err, "could not read the worktree's state: another process keeps"
			      " changing HEAD or the index");
}
