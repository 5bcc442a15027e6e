/* SPDX-License-Identifier: MIT */
#include "vcs/refs.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"

/* ---- Changing ------------------------------------------------------------------------ */

void refs_add(struct refs_update *update, const char *name, const char *old_oid,
	      const char *new_oid)
{
	ARRAY_GROW(update->item, update->nr + 1, update->alloc);
	update->item[update->nr++] = (struct refs_change){ .name = xstrdup(name),
							   .old_oid = xstrdup_or_null(old_oid),
							   .new_oid = xstrdup_or_null(new_oid) };
}

void refs_reverse(struct refs_update *update, const struct refs_update *of)
{
	for (size_t i = 0; i < of->nr; i++) {
		const struct refs_change *change = &of->item[i];

		refs_add(update, change->name, change->new_oid ? change->new_oid : "",
			 refs_old_value(change));
	}
}

void refs_update_release(struct refs_update *update)
{
	for (size_t i = 0; i < update->nr; i++) {
		free(update->item[i].name);
		free(update->item[i].old_oid);
		free(update->item[i].new_oid);
	}
	free(update->item);
	process_release(&update->git); /* git lets go of its locks at the end of its input */
	*update = (struct refs_update)REFS_UPDATE_INIT;
}

/* As `git update-ref --stdin` reads it. */
static void add_instruction(struct strbuf *out, const struct refs_change *change)
{
	bool absent = change->old_oid && !*change->old_oid;

	if (change->new_oid && absent)
		strbuf_addf(out, "create %s %s\n", change->name, change->new_oid);
	else if (absent)
		strbuf_addf(out, "verify %s\n", change->name);
	else if (change->new_oid)
		strbuf_addf(out, "update %s %s%s%s\n", change->name, change->new_oid,
			    change->old_oid ? " " : "", change->old_oid ? change->old_oid : "");
	else
		strbuf_addf(out, "delete %s%s%s\n", change->name, change->old_oid ? " " : "",
			    change->old_oid ? change->old_oid : "");
}

/* When this machine was started, in seconds; 0: not known. */
static time_t boot_time(void)
{
#ifdef CLOCK_BOOTTIME
	struct timespec up;

	if (clock_gettime(CLOCK_BOOTTIME, &up) == 0)
		return time(NULL) - up.tv_sec;
#endif
	return 0;
}

/*
 * A power cut leaves locks behind that come back with the file system, and git waits for
 * nobody to remove them. Nothing tells who made one, but what is older than the machine's
 * start has no owner on this machine.
 */
static void hint_at_stale_lock(const char *reason, struct error *err)
{
	static const char before[] = "Unable to create '";
	const char *start = strstr(reason, before);
	const char *end = start ? strstr(start, "': ") : NULL;
	char *path CLEANUP(free_p) = NULL;
	struct stat st;

	if (!end)
		return;
	start += strlen(before);
	path = xmemdupz(start, (size_t)(end - start));
	if (lstat(path, &st) < 0)
		return;
	if (st.st_mtime < boot_time())
		error_hint(err,
			   "This lock is older than the last start of this machine, so what made "
			   "it is gone: remove it, and try again: rm '%s'",
			   path);
	else
		error_hint(err, "Another git is at work, or was killed: wait, and try again.");
}

/* As the header says of refs_unlock(). */
static void remove_lock(char **ret_left, const char *folder, const char *name, const char *suffix,
			int64_t since, int64_t until)
{
	const int64_t slack = 20000; /* of the clock that files get their times from */
	char *path CLEANUP(free_p) = xstrfmt("%s/%s%s", folder, name, suffix);
	struct stat st;
	int64_t made;

	if (lstat(path, &st) < 0)
		return;
	made = (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
	if (made >= since - slack && (made <= until || st.st_mtim.tv_sec < boot_time()) &&
	    (unlink(path) == 0 || errno == ENOENT))
		return;
	if (!*ret_left)
		*ret_left = STEAL(path);
}

void refs_unlock(char **ret_left, const struct repo *repo, const char *name, int64_t since,
		 int64_t until)
{
	static const char heads[] = "refs/heads/";
	bool own = !strcmp(name, "HEAD"); /* each worktree has one */

	remove_lock(ret_left, own ? repo->git_dir : repo->common_dir, name, ".lock", since, until);
	if (!strcmp(name, "packed-refs")) /* it is written there, and nowhere else */
		remove_lock(ret_left, repo->common_dir, name, ".new", since, until);
	if (!strncmp(name, heads, strlen(heads))) /* for its reflog */
		remove_lock(ret_left, repo->git_dir, "HEAD", ".lock", since, until);
}

/* Of these signals git removes its locks itself. */
static bool cleans_up(int status)
{
	return status == 128 + SIGINT || status == 128 + SIGTERM || status == 128 + SIGHUP ||
	       status == 128 + SIGQUIT || status == 128 + SIGPIPE;
}

/* What the git of this update, which was killed and had no more by `until`, has not let go of. */
static void unlock_all(const struct refs_update *update, const struct repo *repo, int64_t until)
{
	char *left CLEANUP(free_p) = NULL; /* whoever meets it is told by git */
	bool removes = false;

	for (size_t i = 0; i < update->nr; i++) {
		refs_unlock(&left, repo, update->item[i].name, update->started, until);
		removes |= !update->item[i].new_oid;
	}
	if (removes)
		refs_unlock(&left, repo, "packed-refs", update->started, until);
}

/* Ends git's input, and waits for its end: 0 where all is well. */
static int git_end(struct refs_update *update, const struct repo *repo, struct error *err)
{
	int64_t until = update->prepared ? update->prepared : clock_now();

	if (process_finish(&update->git, err) < 0)
		return -1;
	if (!update->git.status)
		return 0;
	if (update->git.status > 128 && !cleans_up(update->git.status)) /* by a signal */
		unlock_all(update, repo, until);
	process_error(&update->git, err, "could not change the refs");
	hint_at_stale_lock(update->git.err.buf, err);
	return -1;
}

/* Waits for git's answer. One that it could not write leaves us and git waiting for each other. */
static int wait_until_prepared(struct refs_update *update, const struct repo *repo,
			       struct error *err)
{
	struct strbuf answer CLEANUP(strbuf_release) = STRBUF_INIT;

	do {
		strbuf_reset(&answer);
		/* Without a commit at the end of its input git changes nothing. */
		if (process_read_line(&update->git, &answer))
			continue;
		if (git_end(update, repo, err) < 0)
			return -1;
		return interrupt_pending() ?
			       error_interrupted(err) :
			       error_set(err, "could not change the refs: git gave no answer");
	} while (strcmp(answer.buf, "prepare: ok") != 0);
	return 0;
}

int refs_prepare(struct refs_update *update, const struct repo *repo, struct error *err)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	strvec_pushl(&update->git.argv, "git", "-c", "core.fsync=reference", "update-ref", NULL);
	if (update->message)
		strvec_pushl(&update->git.argv, "-m", update->message, NULL);
	strvec_pushl(&update->git.argv, "--no-deref", "--stdin", NULL);
	update->git.input = "";
	strbuf_addstr(&text, "start\n");
	for (size_t i = 0; i < update->nr; i++)
		add_instruction(&text, &update->item[i]);
	strbuf_addstr(&text, "prepare\n");
	update->started = clock_now();
	if (process_start(&update->git, err) < 0)
		return -1;
	if (process_write(&update->git, text.buf, text.len, err) < 0 ||
	    wait_until_prepared(update, repo, err) < 0)
		return -1;
	update->prepared = clock_now();
	return 0;
}

/*
 * The folder that the ref's file is in, or was, and those above it: git may have made or
 * removed some of them. Where refs are no files, there are none to be found.
 */
static void add_folders(struct strvec *folders, const char *common_dir, const char *ref)
{
	char *name CLEANUP(free_p) = xstrdup(ref);

	for (char *slash = strrchr(name, '/'); slash; slash = strrchr(name, '/')) {
		char *path CLEANUP(free_p) = NULL;

		*slash = '\0';
		path = xstrfmt("%s/%s", common_dir, name);
		if (!strvec_has(folders, path) && access(path, F_OK) == 0)
			strvec_push(folders, path);
	}
}

/* Another git, packing refs, may have removed it: then the refs are in packed-refs. */
static int sync_folder(const char *path, struct error *err)
{
	if (file_sync_folder(path, err) == 0)
		return 0;
	if (err->sys_errno != ENOENT)
		return -1;
	error_clear(err);
	return 0;
}

/* git syncs the files of refs and packed-refs, but never the folders with their names. */
static int sync_folders(const struct refs_update *update, const struct repo *repo,
			struct error *err)
{
	struct strvec folders CLEANUP(strvec_release) = STRVEC_INIT;

	if (strcmp(repo->git_dir, repo->common_dir) != 0)
		strvec_push(&folders, repo->git_dir); /* HEAD of a linked worktree */
	for (size_t i = 0; i < update->nr; i++)
		add_folders(&folders, repo->common_dir, update->item[i].name);
	for (size_t i = 0; i < folders.nr; i++)
		if (sync_folder(folders.v[i], err) < 0)
			return -1;
	/* packed-refs; last, as it may have got what is gone from the others. */
	return file_sync_folder(repo->common_dir, err);
}

int refs_commit(struct refs_update *update, const struct repo *repo, struct error *err)
{
	static const char commit[] = "commit\n";

	if (!update->nr)
		return 0;
	if (update->git.pid < 0 && refs_prepare(update, repo, err) < 0)
		return -1;
	if (process_write(&update->git, commit, strlen(commit), err) < 0 ||
	    git_end(update, repo, err) < 0)
		return -1;
	return sync_folders(update, repo, err);
}

/* ---- Reading ------------------------------------------------------------------------- */

static void ref_release(struct ref *ref, size_t fields)
{
	free(ref->name);
	free(ref->oid);
	for (size_t i = 0; ref->field && i < fields; i++)
		free(ref->field[i]);
	free(ref->field);
}

void refs_release(struct refs *refs)
{
	for (size_t i = 0; i < refs->nr; i++)
		ref_release(&refs->item[i], refs->fields);
	free(refs->item);
	*refs = (struct refs)REFS_INIT;
}

/* Takes `len` bytes and the NUL behind them; NULL: there is none. */
static char *take_bytes(const char **at, const char *end, size_t len)
{
	char *ret;

	if (len >= (size_t)(end - *at) || (*at)[len])
		return NULL;
	ret = xmemdupz(*at, len);
	*at += len + 1;
	return ret;
}

static char *take_field(const char **at, const char *end)
{
	return take_bytes(at, end, strnlen(*at, (size_t)(end - *at)));
}

/* One record: each field ends in NUL, and the whole in a line end. */
static int take_ref(struct refs *refs, const char *const *fields, const char **at, const char *end)
{
	struct ref ref = { .name = take_field(at, end),
			   .oid = take_field(at, end),
			   .field = xcalloc(refs->fields + 1, sizeof(*ref.field)) };
	bool good = ref.oid != NULL;

	for (size_t i = 0; i < refs->fields && good; i++) {
		/* An object may hold NULs. */
		bool raw = i && !strcmp(fields[i], "raw") && !strcmp(fields[i - 1], "raw:size");

		ref.field[i] = raw ? take_bytes(at, end, strtoul(ref.field[i - 1], NULL, 10)) :
				     take_field(at, end);
		good = ref.field[i] != NULL;
	}
	if (!good || *at == end || **at != '\n') {
		ref_release(&ref, refs->fields);
		return -1;
	}
	(*at)++;
	ARRAY_GROW(refs->item, refs->nr + 1, refs->alloc);
	refs->item[refs->nr++] = ref;
	return 0;
}

int refs_list_start(struct process *process, const char *const *patterns, const char *const *fields,
		    const char *sort, struct error *err)
{
	struct strbuf format CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addstr(&format, "--format=%(refname)%00%(objectname)%00");
	for (const char *const *field = fields; field && *field; field++)
		strbuf_addf(&format, "%%(%s)%%00", *field);
	strvec_pushl(&process->argv, "git", "for-each-ref", format.buf, NULL);
	if (sort)
		strvec_pushf(&process->argv, "--sort=%s", sort);
	strvec_push(&process->argv, "--");
	for (const char *const *pattern = patterns; *pattern; pattern++)
		strvec_push(&process->argv, *pattern);
	return process_start(process, err);
}

int refs_list_finish(struct refs *ret, struct process *process, const char *const *fields,
		     struct error *err)
{
	struct refs refs CLEANUP(refs_release) = REFS_INIT;
	const char *at, *end;

	while (fields && fields[refs.fields])
		refs.fields++;
	if (process_finish(process, err) < 0)
		return -1;
	if (process->status)
		return process_error(process, err, "cannot list refs");
	end = process->out.buf + process->out.len;
	for (at = process->out.buf; at < end;)
		if (take_ref(&refs, fields, &at, end) < 0)
			return error_set(err, "cannot list refs: git's answer is not understood");
	*ret = refs;
	refs = (struct refs)REFS_INIT;
	return 0;
}

int refs_list(struct refs *ret, const char *const *patterns, const char *const *fields,
	      const char *sort, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;

	if (refs_list_start(&process, patterns, fields, sort, err) < 0 ||
	    refs_list_finish(ret, &process, fields, err) < 0)
		return -1;
	ret->by_name = !sort;
	return 0;
}

int refs_list_each(struct refs *ret, const char *const *patterns, const char *const *fields,
		   const char *sort, struct error *err)
{
	struct refs names CLEANUP(refs_release) = REFS_INIT;

	if (refs_list(&names, patterns, NULL, sort, err) < 0)
		return -1;
	while (fields[names.fields])
		names.fields++;
	for (size_t i = 0; i < names.nr; i++) {
		const char *const pattern[] = { names.item[i].name, NULL };
		struct refs one CLEANUP(refs_release) = REFS_INIT;
		struct error reason CLEANUP(error_release) = ERROR_INIT;

		free(STEAL(names.item[i].field));
		if (refs_list(&one, pattern, fields, NULL, &reason) == 0 && one.nr == 1)
			names.item[i].field = STEAL(one.item[0].field);
		if (reason.exit_code == EXIT_INTERRUPTED)
			return error_interrupted(err);
	}
	*ret = names;
	names = (struct refs)REFS_INIT;
	return 0;
}

static int compare_name(const void *name, const void *ref)
{
	return strcmp(name, ((const struct ref *)ref)->name);
}

const struct ref *refs_find(const struct refs *refs, const char *name)
{
	if (refs->by_name && refs->nr)
		return bsearch(name, refs->item, refs->nr, sizeof(*refs->item), compare_name);
	for (size_t i = 0; i < refs->nr; i++)
		if (!strcmp(refs->item[i].name, name))
			return &refs->item[i];
	return NULL;
}

int refs_read(char **ret, const char *name, struct error *err)
{
	struct refs refs CLEANUP(refs_release) = REFS_INIT;
	const char *const patterns[] = { name, NULL };
	const struct ref *found;

	if (refs_list(&refs, patterns, NULL, NULL, err) < 0)
		return -1;
	found = refs_find(&refs, name);
	*ret = found ? xstrdup(found->oid) : NULL;
	return 0;
}
