/* SPDX-License-Identifier: MIT */
#include "vcs/worktree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
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

/* ---- What git status says -------------------------------------------------------------------- */

static struct worktree_entry *add_entry(struct worktree_state *state)
{
	ARRAY_GROW(state->entry, state->nr + 1, state->alloc);
	state->entry[state->nr] = (struct worktree_entry){ .path = NULL };
	return &state->entry[state->nr++];
}

/* Takes a word and the blank behind it off the front of *at. */
static char *take_word(const char **at)
{
	size_t len = strcspn(*at, " ");
	char *word = xmemdupz(*at, len);

	*at += len + ((*at)[len] == ' ');
	return word;
}

static unsigned take_mode(const char **at)
{
	char *word CLEANUP(free_p) = take_word(at);

	return (unsigned)strtoul(word, NULL, 8);
}

/* An id; none where nothing has the mode. */
static char *take_oid(const char **at, unsigned mode)
{
	char *word CLEANUP(free_p) = take_word(at);

	return mode ? STEAL(word) : NULL;
}

/* "M. S.M." : the letters, and what a submodule is. */
static void take_code(struct worktree_entry *entry, const char **at)
{
	char *code CLEANUP(free_p) = take_word(at), *sub CLEANUP(free_p) = take_word(at);

	memcpy(entry->code, code, strnlen(code, 2));
	if (strlen(sub) == 4 && sub[0] == 'S') {
		entry->submodule = true;
		entry->submodule_commit = sub[1] == 'C';
		entry->submodule_dirty = sub[2] == 'M';
		entry->submodule_untracked = sub[3] == 'U';
	}
}

/* "1 <XY> <sub> <mH> <mI> <mW> <hH> <hI> <path>" */
static void parse_ordinary(struct worktree_state *state, const char *at)
{
	struct worktree_entry *entry = add_entry(state);

	take_code(entry, &at);
	entry->head_mode = take_mode(&at);
	entry->index_mode = take_mode(&at);
	entry->worktree_mode = take_mode(&at);
	entry->head_oid = take_oid(&at, entry->head_mode);
	entry->index_oid = take_oid(&at, entry->index_mode);
	entry->path = xstrdup(at);
	entry->staged = entry->code[0] != '.';
	entry->changed = entry->code[1] != '.';
}

/* "u <XY> <sub> <m1> <m2> <m3> <mW> <h1> <h2> <h3> <path>" */
static void parse_unmerged(struct worktree_state *state, const char *at)
{
	struct worktree_entry *entry = add_entry(state);

	take_code(entry, &at);
	for (size_t i = 1; i <= 3; i++)
		entry->stage[i].mode = take_mode(&at);
	entry->worktree_mode = take_mode(&at);
	for (size_t i = 1; i <= 3; i++)
		entry->stage[i].oid = take_oid(&at, entry->stage[i].mode);
	entry->path = xstrdup(at);
	entry->staged = entry->changed = entry->unmerged = true;
}

static void parse_header(struct worktree_state *state, const char *at)
{
	static const char oid[] = "branch.oid ", head[] = "branch.head ";

	if (!strncmp(at, oid, strlen(oid)) && strcmp(at + strlen(oid), "(initial)") != 0)
		string_replace(&state->head, at + strlen(oid));
	if (!strncmp(at, head, strlen(head)) && strcmp(at + strlen(head), "(detached)") != 0) {
		free(state->branch);
		state->branch = xstrfmt("refs/heads/%s", at + strlen(head));
	}
}

static void parse_untracked(struct worktree_state *state, const struct repo *repo, const char *path)
{
	size_t len = strlen(path);

	if (repo_owns(repo, path))
		return;
	/* All files are listed one by one, so what is a folder is a repository of its own. */
	strvec_push(len && path[len - 1] == '/' ? &state->nested : &state->untracked, path);
}

static int compare_entries(const void *a, const void *b)
{
	const struct worktree_entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int parse_status(struct worktree_state *state, const struct repo *repo,
			const struct strbuf *text, struct error *err)
{
	static const char first[] = "# branch.oid ";

	/* It ends well even where it could not write to its pipe. */
	if (strncmp(text->buf, first, strlen(first)) != 0 || text->buf[text->len - 1])
		return error_set(err, "cannot read the worktree's state: git's answer is cut off");
	for (const char *at = text->buf; at < text->buf + text->len; at += strlen(at) + 1) {
		const char *rest = *at && at[1] == ' ' ? at + 2 : "";

		if (*at == '1')
			parse_ordinary(state, rest);
		else if (*at == 'u')
			parse_unmerged(state, rest);
		else if (*at == '?')
			parse_untracked(state, repo, rest);
		else if (*at == '#')
			parse_header(state, rest);
		else
			return error_set(err, "cannot read the worktree's state: git says '%s'",
					 at);
	}
	sort(state->entry, state->nr, sizeof(*state->entry), compare_entries);
	strvec_sort(&state->untracked);
	strvec_sort(&state->nested);
	return 0;
}

/* Git goes on without what it may not look at, and says so only here. */
static void parse_warnings(struct worktree_state *state, const struct strbuf *text)
{
	static const char folder[] = "warning: could not open directory '",
			  denied[] = ": Permission denied";
	const char *end;

	for (const char *at = text->buf; (end = strchr(at, '\n')); at = end + 1) {
		char *line CLEANUP(free_p) = xmemdupz(at, (size_t)(end - at));
		char *stop = strstr(line, denied), *path = line;

		if (!stop)
			continue;
		*stop = '\0';
		if (!strncmp(line, folder, strlen(folder))) {
			path += strlen(folder);
			path[strcspn(path, "'")] = '\0';
		}
		if (*path && path[strlen(path) - 1] == '/')
			path[strlen(path) - 1] = '\0';
		if (!strvec_has(&state->unreadable, path))
			strvec_push(&state->unreadable, path);
	}
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
	if (parse_status(state, r->repo, &r->status.out, err) < 0)
		return -1;
	parse_warnings(state, &r->status.err);
	parse_config(state, &config, &r->config.out);
	parse_ignored(state, r->repo, &r->ignored.out);
	state->attributes = attributes_may_apply(r->repo, state, &config);
	return 0;
}

/* ---- What git status does not say ------------------------------------------------------------ */

static bool has(const char *folder, const char *name)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/%s", folder, name);
	struct stat st;

	return !lstat(path, &st);
}

/* A sequence that waits between two commits has its next command in the first line. */
static const char *sequencer_kind(const char *git_dir)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/sequencer/todo", git_dir);
	struct strbuf todo CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (file_read(&todo, path, &ignored) != FILE_FOUND)
		return NULL;
	return !strncmp(todo.buf, "revert", 6) ? "revert" : "cherry-pick";
}

static void find_in_progress(struct strvec *ret, const char *git_dir)
{
	static const struct {
		const char *file, *name;
	} known[] = {
		{ "MERGE_HEAD", "merge" },
		{ "rebase-merge", "rebase" },
		{ "rebase-apply/rebasing", "rebase" },
		{ "rebase-apply/applying", "am" },
		{ "CHERRY_PICK_HEAD", "cherry-pick" },
		{ "REVERT_HEAD", "revert" },
		{ "BISECT_LOG", "bisect" },
	};
	const char *sequence = sequencer_kind(git_dir);

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (has(git_dir, known[i].file))
			strvec_push(ret, known[i].name);
	if (sequence && !strvec_has(ret, sequence))
		strvec_push(ret, sequence);
}

/* HEAD's own file names a branch in full; what status prints may be cut, or in parentheses. */
static void read_branch(struct worktree_state *state, const char *git_dir)
{
	static const char start[] = "ref: ";
	char *path CLEANUP(free_p) = xstrfmt("%s/HEAD", git_dir);
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (file_read(&text, path, &ignored) != FILE_FOUND ||
	    strncmp(text.buf, start, strlen(start)) != 0)
		return;
	strbuf_rtrim(&text);
	if (strcmp(text.buf + strlen(start), "refs/heads/.invalid") != 0) /* reftables */
		string_replace(&state->branch, text.buf + strlen(start));
}

unsigned worktree_mode(const struct worktree_state *state, const struct stat *st, unsigned before)
{
	if (S_ISLNK(st->st_mode))
		return MODE_LINK;
	if (!S_ISREG(st->st_mode))
		return 0;
	/* A new file has only what is on disk, whatever that is worth. */
	if (!state->file_mode && before)
		return before == 0100755 ? 0100755 : 0100644;
	return st->st_mode & 0100 ? 0100755 : 0100644;
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

/* lstat() of a path that no symlink leads to; false: nothing is there. */
static bool stat_path(int top, const char *path, struct stat *ret)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	int folder = beneath_open_folder(top, path, (size_t)(name - path)), found;

	if (folder < 0)
		return false;
	found = fstatat(folder, name, ret, AT_SYMLINK_NOFOLLOW);
	close(folder);
	return !found;
}

/*
 * Files whose edits a flag hides from git status. One that is not there is deleted, but
 * where it is kept out of the worktree on purpose.
 */
static void add_hidden(struct worktree_state *state, int top, size_t known)
{
	for (size_t i = 0; i < state->index.special.nr; i++) {
		const struct index_entry *special = &state->index.special.item[i];
		bool hides = special->assume_unchanged || special->skip_worktree;
		struct worktree_state seen = { .entry = state->entry, .nr = known };
		struct stat st = { 0 };
		bool there;

		if (special->stage || special->mode == MODE_SUBMODULE || !hides)
			continue;
		const struct worktree_entry *old = worktree_find(&seen, special->path);
		there = stat_path(top, special->path, &st) &&
			(S_ISREG(st.st_mode) || S_ISLNK(st.st_mode));
		if ((old && old->changed) || (!there && special->skip_worktree) ||
		    (there && index_entry_is_fresh(&state->index, special, &st)))
			continue;
		struct worktree_entry *entry =
			old ? &state->entry[old - state->entry] : add_entry(state);
		if (!entry->path) {
			entry->path = xstrdup(special->path);
			entry->head_mode = entry->index_mode = special->mode;
			entry->head_oid = xstrdup(special->oid);
			entry->index_oid = xstrdup(special->oid);
			memcpy(entry->code, "..", 2);
		}
		entry->worktree_mode = there ? worktree_mode(state, &st, special->mode) : 0;
		entry->changed = entry->hidden = true;
	}
	sort(state->entry, state->nr, sizeof(*state->entry), compare_entries);
}

/* What git cannot store, such as a FIFO, it takes for a submodule. */
static void drop_devices(struct worktree_state *state, int top)
{
	for (size_t i = 0; i < state->nr; i++) {
		struct worktree_entry *entry = &state->entry[i];
		struct stat st;

		if (entry->worktree_mode == MODE_SUBMODULE && stat_path(top, entry->path, &st) &&
		    !S_ISDIR(st.st_mode)) {
			entry->worktree_mode = 0;
			entry->device = true;
		}
	}
}

static void note_special(struct worktree_state *state)
{
	for (size_t i = 0; i < state->index.special.nr; i++) {
		const struct index_entry *special = &state->index.special.item[i];
		const struct worktree_entry *found = worktree_find(state, special->path);

		state->special_index = true;
		state->sparse |= special->skip_worktree;
		if (!special->intent_to_add || !found)
			continue;
		struct worktree_entry *entry = &state->entry[found - state->entry];
		entry->intent_to_add = true;
		entry->index_mode = 0; /* where the file is gone, git shows an empty one */
		string_replace(&entry->index_oid, NULL);
	}
}

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
	add_hidden(state, top, state->nr);
	note_special(state);
	drop_devices(state, top);
	for (size_t i = 0; i < state->nr && !request->no_untracked; i++)
		if (!state->entry[i].worktree_mode)
			folders_find_left(&state->empty_folders, top, state->entry[i].path);
	close(top);
	unique(&state->empty_folders);
	unique(&state->unreadable);
	find_in_progress(&state->in_progress, repo->git_dir);
	read_branch(state, repo->git_dir);
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
	struct worktree_state branch CLEANUP(worktree_state_release) = WORKTREE_STATE_INIT;
	struct stamp before, after;

	reading.repo = repo;
	reading.request = request;
	reading.settings = settings;
	read_branch(&branch, repo->git_dir);
	stamp_take(&before, repo, branch.branch);
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
	stamp_take(&after, repo, branch.branch);
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
