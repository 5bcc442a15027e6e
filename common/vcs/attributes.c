/* SPDX-License-Identifier: MIT */
#include "vcs/attributes.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "vcs/git.h"
#include "vcs/import.h"
#include "vcs/mode.h"

enum { TRIES = 3 }; /* of storing files that change meanwhile */

void attributes_config_release(struct attributes_config *config)
{
	free(config->file);
	*config = (struct attributes_config)ATTRIBUTES_CONFIG_INIT;
}

/* ---- May any apply? -------------------------------------------------------------------------- */

static bool exists(const char *folder, const char *name)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/%s", folder, name);

	return !access(path, F_OK);
}

static bool users_file_exists(const struct attributes_config *config)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config->file)
		return *config->file;
	if (xdg && *xdg)
		return exists(xdg, "git/attributes");
	return home && *home && exists(home, ".config/git/attributes");
}

/* Where it is depends on how git was built. */
static bool system_file_exists(void)
{
	static const char *const known[] = { "/etc", "/usr/local/etc", "/opt/homebrew/etc" };
	const char *without = getenv("GIT_ATTR_NOSYSTEM");

	if (without && !strcmp(without, "1"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (exists(known[i], "gitattributes"))
			return true;
	return false;
}

bool attributes_above(int top, const char *path, const char *known)
{
	struct strbuf name CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t same = 0;

	while (known && path[same] && path[same] == known[same])
		same++;
	for (const char *slash = path - 1; slash; slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash + 1 - path);

		if (known && len <= same)
			continue;
		strbuf_reset(&name);
		strbuf_add(&name, path, len);
		strbuf_addstr(&name, ".gitattributes");
		if (!faccessat(top, name.buf, F_OK, AT_SYMLINK_NOFOLLOW))
			return true;
	}
	return false;
}

static bool above_any(int top, const struct strvec *paths)
{
	for (size_t i = 0; i < paths->nr; i++)
		if (attributes_above(top, paths->v[i], i ? paths->v[i - 1] : NULL))
			return true;
	return false;
}

static bool above_changed(int top, const struct worktree_state *state)
{
	const char *known = NULL;

	for (size_t i = 0; i < state->nr; i++) {
		if (!state->entry[i].changed)
			continue;
		if (attributes_above(top, state->entry[i].path, known))
			return true;
		known = state->entry[i].path;
	}
	return false;
}

bool attributes_may_apply(const struct repo *repo, const struct worktree_state *state,
			  const struct attributes_config *config)
{
	const char *source = getenv("GIT_ATTR_SOURCE");
	bool ret;
	int top;

	if (state->crlf || state->index.attributes.nr || config->tree || (source && *source) ||
	    users_file_exists(config) || exists(repo->common_dir, "info/attributes") ||
	    system_file_exists())
		return true;
	top = open(repo->worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return true;
	ret = above_any(top, &state->untracked) || above_any(top, &state->ignored) ||
	      above_changed(top, state);
	close(top);
	return ret;
}

/* ---- Storing by git -------------------------------------------------------------------------- */

struct conversion {
	struct attributes_file *file;
	size_t nr;
	const struct repo *repo;
	const struct worktree_state *state;
	struct strvec env;
	const char *folder; /* of the index */
	struct error *err;
};

static int error_from(const struct conversion *c, const struct process *process)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t first;

	process_error(process, c->err, "cannot have git store files");
	strbuf_add(&text, process->err.buf, process->err.len);
	strbuf_rtrim(&text);
	first = strcspn(text.buf, "\n");
	if (text.buf[first])
		error_detail(c->err, "%s", text.buf + first + 1);
	return -1;
}

static int run(struct conversion *c, struct process *process, const struct strbuf *input)
{
	process->input = input->buf;
	process->input_len = input->len;
	if (process_run(process, c->err) < 0)
		return -1;
	return process->status ? error_from(c, process) : 0;
}

/* Settings under which git takes each file, and syncs what it writes. */
static void update_index(const struct conversion *c, struct process *process)
{
	git_prepare(process, c->repo, &c->env);
	strvec_pushl(&process->argv, "-c", "core.splitIndex=false", "-c",
		     "core.sparseCheckout=false", "-c", "core.fsmonitor=false", "-c",
		     "core.safecrlf=false", "-c", "core.fsync=loose-object", "-c",
		     "core.fsyncMethod=batch", "update-index", "-z", NULL);
}

static void add_info(struct strbuf *to, unsigned mode, const char *oid, unsigned stage,
		     const char *path)
{
	strbuf_addf(to, "%06o %s %u\t%s", mode, oid, stage, path);
	strbuf_addch(to, '\0');
}

/* What the real index has of them. */
static int fill_index(struct conversion *c)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf info CLEANUP(strbuf_release) = STRBUF_INIT;
	const struct index_entries *attributes = &c->state->index.attributes;

	for (size_t i = 0; i < attributes->nr; i++)
		add_info(&info, attributes->item[i].mode, attributes->item[i].oid, 0,
			 attributes->item[i].path);
	for (size_t i = 0; i < c->nr; i++) {
		const struct worktree_entry *entry = c->file[i].entry;

		if (entry && entry->index_oid)
			add_info(&info, entry->index_mode, entry->index_oid, 0, entry->path);
		for (unsigned stage = 1; entry && stage <= 3; stage++)
			if (entry->stage[stage].oid)
				add_info(&info, entry->stage[stage].mode, entry->stage[stage].oid,
					 stage, entry->path);
	}
	if (!info.len)
		return 0;
	update_index(c, &process);
	strvec_pushl(&process.argv, "--index-info", NULL);
	return run(c, &process, &info);
}

/* Of all files, or of those from `first` on that git has to store. */
static void add_paths(struct strbuf *to, const struct conversion *c, bool all, size_t first)
{
	for (size_t i = first; i < c->nr; i++)
		if (all || c->file[i].convert)
			strbuf_add(to, c->file[i].path, strlen(c->file[i].path) + 1);
}

enum { MAY_LINE_ENDS = 1, MAY_IDENT = 2, MAY_ANYTHING = 4, MAY_CRLF = 8 };

/*
 * What one attribute may do. "text", "eol" and "crlf" say what happens to line ends; where
 * they say nothing, core.autocrlf does.
 */
static unsigned may_convert(const char *name, const char *value, bool autocrlf)
{
	bool line_ends = !strcmp(name, "text") || !strcmp(name, "eol") || !strcmp(name, "crlf");

	if (!strcmp(value, "unset"))
		return 0;
	if (!strcmp(value, "unspecified"))
		return autocrlf && !strcmp(name, "text") ? MAY_LINE_ENDS : 0;
	if (!strcmp(name, "eol") && !strcmp(value, "crlf"))
		return MAY_LINE_ENDS | MAY_CRLF;
	return line_ends ? MAY_LINE_ENDS : !strcmp(name, "ident") ? MAY_IDENT : MAY_ANYTHING;
}

/* Line ends are converted where there is a carriage return, ident where there is "$Id". */
static bool has_any(const char *data, size_t len, unsigned may)
{
	return (may & MAY_LINE_ENDS && memchr(data, '\r', len)) ||
	       (may & MAY_IDENT && memmem(data, len, "$Id", 3)) ||
	       (may & MAY_CRLF && memchr(data, '\n', len));
}

static bool content_has_any(struct beneath *top, const char *path, unsigned may)
{
	char buffer[65536];
	const char *name;
	int folder = beneath_find_folder(top, &name, path);
	int fd = folder < 0 ? -1 :
			      openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	size_t kept = 0; /* from the piece before, where a "$Id" may begin */
	bool ret = fd < 0;
	ssize_t n = 1;

	while (!ret && n > 0) {
		n = read(fd, buffer + kept, sizeof(buffer) - kept);
		if (n <= 0) {
			ret = n < 0;
			break;
		}
		size_t len = kept + (size_t)n;
		ret = has_any(buffer, len, may);
		kept = len < 2 ? len : 2;
		memmove(buffer, buffer + len - kept, kept);
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

static void look_at_content(struct conversion *c, int top)
{
	struct beneath b CLEANUP(beneath_release) = BENEATH_INIT(top);

	for (size_t i = 0; i < c->nr; i++) {
		struct attributes_file *file = &c->file[i];

		if (file->may & MAY_ANYTHING ||
		    (file->may && content_has_any(&b, file->path, file->may & ~(unsigned)MAY_CRLF)))
			file->convert = true;
		else if (file->may & MAY_LINE_ENDS && (file->may & MAY_CRLF || c->state->crlf_out))
			file->raw = content_has_any(&b, file->path, MAY_CRLF);
	}
}

static int select_files(struct conversion *c)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf paths CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t at = 0, file = 0;

	add_paths(&paths, c, true, 0);
	git_prepare(&process, c->repo, &c->env);
	strvec_pushl(&process.argv, "check-attr", "-z", "--stdin", "text", "eol", "crlf", "ident",
		     "filter", "working-tree-encoding", NULL);
	if (run(c, &process, &paths) < 0)
		return -1;
	while (at < process.out.len) {
		const char *path = process.out.buf + at, *name = path + strlen(path) + 1,
			   *value = name + strlen(name) + 1;

		at = (size_t)(value + strlen(value) + 1 - process.out.buf);
		while (file < c->nr && strcmp(c->file[file].path, path) != 0)
			file++; /* the answers come in the order of the questions */
		if (file == c->nr || at > process.out.len)
			return error_set(c->err, "cannot read git's attributes of files");
		c->file[file].may |= may_convert(name, value, c->state->crlf);
	}
	return 0;
}

static void take_stats(const struct conversion *c, struct stat *ret, int top)
{
	struct beneath b CLEANUP(beneath_release) = BENEATH_INIT(top);

	for (size_t i = 0; i < c->nr; i++)
		if (beneath_stat(&b, &ret[i], c->file[i].path) < 0)
			ret[i] = (struct stat){ 0 };
}

/* Which of them changed since; NULL: none. */
static const char *find_changed(const struct conversion *c, const struct stat *before, int top)
{
	struct beneath b CLEANUP(beneath_release) = BENEATH_INIT(top);
	const char *ret = NULL;

	for (size_t i = 0; i < c->nr; i++) {
		struct stat st = { 0 };

		if (!c->file[i].convert)
			continue;
		if (beneath_stat(&b, &st, c->file[i].path) < 0)
			st = (struct stat){ 0 };
		if (!file_is_same(&before[i], &st))
			ret = c->file[i].path;
		c->file[i].stat = st;
	}
	return ret;
}

/* Has git store the files from `first` on. Its status; or -1. */
static int add_files(struct conversion *c, struct process *process, size_t first, bool verbose)
{
	struct strbuf paths CLEANUP(strbuf_release) = STRBUF_INIT;

	add_paths(&paths, c, false, first);
	update_index(c, process);
	if (verbose)
		strvec_push(&process->argv, "--verbose");
	strvec_pushl(&process->argv, "--add", "--remove", "--replace", "--stdin", NULL);
	process->input = paths.buf;
	process->input_len = paths.len;
	if (process_run(process, c->err) < 0)
		return -1;
	process->input = NULL;
	return process->status;
}

static bool was_killed(int status)
{
	return status > 128;
}

/* What git died of; what a filter had to say is above that. The path need not be said again. */
static char *last_words(const struct process *process, const char *path)
{
	char *line CLEANUP(free_p) = xstrfmt("fatal: %s: ", path);
	const char *at = strstr(process->err.buf, "fatal: ");

	if (!at)
		return process_reason(process);
	at += strncmp(at, line, strlen(line)) ? strlen("fatal: ") : strlen(line);
	return xmemdupz(at, strcspn(at, "\n"));
}

/* The file at which git gave up: it says "add '<path>'" of each that it has taken. */
static size_t find_first_refused(const struct conversion *c, size_t first, const char *said)
{
	for (; first < c->nr; first++) {
		char *line CLEANUP(free_p) = xstrfmt("add '%s'\n", c->file[first].path);

		if (!c->file[first].convert)
			continue;
		if (strncmp(said, line, strlen(line)) != 0)
			break;
		said += strlen(line);
	}
	return first;
}

/*
 * Takes out those at which git gives up. What is wrong with the disk is not told apart: whoever
 * stores them without git will see it.
 */
static int part_refused(struct conversion *c)
{
	for (size_t at = 0; at < c->nr; at++) {
		struct process process CLEANUP(process_release) = PROCESS_INIT;
		int status;

		if (interrupt_pending())
			return error_interrupted(c->err);
		status = add_files(c, &process, at, true);
		if (status <= 0)
			return status;
		at = find_first_refused(c, at, process.out.buf);
		if (was_killed(status) || at == c->nr)
			return error_from(c, &process);
		c->file[at].convert = false;
		c->file[at].refusal = last_words(&process, c->file[at].path);
	}
	return 0;
}

static int store_once(struct conversion *c)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct process again CLEANUP(process_release) = PROCESS_INIT;
	int status = add_files(c, &process, 0, false);

	if (status <= 0)
		return status;
	if (was_killed(status))
		return error_from(c, &process);
	if (part_refused(c) < 0)
		return -1;
	/* Where git gave up it has not taken those before either. */
	status = add_files(c, &again, 0, false);
	return status > 0 ? error_from(c, &again) : status;
}

static int store(struct conversion *c, int top)
{
	struct stat *before CLEANUP(free_p) = xcalloc(c->nr, sizeof(*before));
	const char *changed = NULL;

	for (int i = 0; i < TRIES; i++) {
		take_stats(c, before, top);
		if (store_once(c) < 0)
			return -1;
		changed = find_changed(c, before, top);
		if (!changed)
			return 0;
	}
	return error_set(c->err, "could not read '%s': it keeps changing", changed);
}

/* "<mode> <oid> <stage>\t<path>", sorted by path as ours are. */
static int take_result(struct conversion *c)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf none = STRBUF_INIT;
	size_t file = 0;

	git_prepare(&process, c->repo, &c->env);
	strvec_pushl(&process.argv, "ls-files", "-z", "--stage", NULL);
	if (run(c, &process, &none) < 0)
		return -1;
	for (const char *at = process.out.buf; at < process.out.buf + process.out.len;
	     at += strlen(at) + 1) {
		const char *tab = strchr(at, '\t');
		char oid[80];
		unsigned mode;

		if (!tab || sscanf(at, "%o %79s", &mode, oid) != 2)
			return error_set(c->err, "cannot read what git stored");
		while (file < c->nr && strcmp(c->file[file].path, tab + 1) < 0)
			file++;
		if (file == c->nr || strcmp(c->file[file].path, tab + 1) != 0 ||
		    !c->file[file].convert)
			continue;
		c->file[file].mode = mode;
		string_replace(&c->file[file].oid, oid);
	}
	return 0;
}

static bool have_same_content(int a, int b)
{
	char x[16384], y[sizeof(x)];

	for (;;) {
		ssize_t n = read(a, x, sizeof(x)), m = read(b, y, sizeof(y));

		if (n < 0 || n != m || memcmp(x, y, (size_t)n) != 0)
			return false;
		if (!n)
			return true;
	}
}

/* Has git write to a folder what it has stored, to see whether that is what there was. */
static int compare_written(struct conversion *c, int top)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf paths CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	char *folder CLEANUP(free_p) = xstrfmt("%s/written", c->folder);
	struct stat st;

	for (size_t i = 0; i < c->nr; i++)
		if (c->file[i].convert && mode_is_regular(c->file[i].mode))
			strbuf_add(&paths, c->file[i].path, strlen(c->file[i].path) + 1);
	if (!paths.len)
		return 0;
	if (file_make_folders(folder, 0700, c->err) < 0)
		return -1;
	git_prepare(&process, c->repo, &c->env);
	strvec_pushl(&process.argv, "checkout-index", "-z", "--quiet", "--stdin", NULL);
	strvec_pushf(&process.argv, "--prefix=%s/", folder);
	process.input = paths.buf;
	process.input_len = paths.len;
	if (process_run(&process, c->err) < 0) /* what it cannot write is not what there was */
		return -1;
	int out CLEANUP(fd_close_p) = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < c->nr; i++) {
		struct attributes_file *file = &c->file[i];
		int there CLEANUP(fd_close_p) = -1, written CLEANUP(fd_close_p) = -1;

		if (!file->convert || !mode_is_regular(file->mode))
			continue;
		file->raw =
			beneath_open(&there, &st, top, file->path, &ignored) == BENEATH_FOUND &&
			(beneath_open(&written, &st, out, file->path, &ignored) != BENEATH_FOUND ||
			 !have_same_content(there, written));
		error_clear(&ignored);
	}
	return 0;
}

static int convert(struct conversion *c, int top)
{
	bool any = false;

	if (fill_index(c) < 0 || select_files(c) < 0)
		return -1;
	look_at_content(c, top);
	for (size_t i = 0; i < c->nr; i++)
		any |= c->file[i].convert;
	if (!any)
		return 0;
	return store(c, top) < 0 || take_result(c) < 0 ? -1 : compare_written(c, top);
}

/* In a folder for the index, `c->folder`. */
static int convert_in_folder(struct conversion *c, const char *quarantine)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	int top = open(c->repo->worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;

	if (top < 0)
		return error_errno(c->err, "cannot open '%s'", c->repo->worktree);
	repo_environment(&c->env, c->repo);
	import_environment(&c->env, c->repo, quarantine);
	strvec_pushf(&c->env, "GIT_INDEX_FILE=%s/index", c->folder);
	ret = convert(c, top);
	if (file_remove_folders(c->folder, &ignored) < 0)
		error_clear(&ignored);
	close(top);
	return ret;
}

int attributes_convert(struct attributes_file *file, size_t nr, const struct repo *repo,
		       const struct worktree_state *state, const char *quarantine,
		       struct error *err)
{
	char *folder CLEANUP(free_p) = xstrfmt("%s/index", quarantine);
	struct conversion c = { .file = file,
				.nr = nr,
				.repo = repo,
				.state = state,
				.env = STRVEC_INIT,
				.folder = folder,
				.err = err };
	int ret;

	if (!nr)
		return 0;
	if (file_make_folders(folder, 0700, err) < 0)
		return -1;
	ret = convert_in_folder(&c, quarantine);
	strvec_release(&c.env);
	return ret;
}
