/* SPDX-License-Identifier: MIT */
#include "vcs/import.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "vcs/git.h"
#include "vcs/path.h"

/* fast-import wants a branch for each commit; of one that is empty in the end it makes no ref. */
#define BRANCH "refs/rollback/writing"

/* What is in a file that keeps a pack of ours. */
#define KEEP_TEXT "git-rollback %ld\n"

enum {
	CHUNK = 65536,
	SMALL = 1 << 20, /* what is larger is streamed, by us and by git */
	TRIES = 3	 /* of reading a file that changes meanwhile */
};

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), n = strlen(end);

	return len > n && !strcmp(s + len - n, end);
}

/* ---- The process ----------------------------------------------------------------------------- */

static char *objects_folder(const struct repo *repo)
{
	const char *path = getenv("GIT_OBJECT_DIRECTORY");

	return path && *path ? xstrdup(path) : xstrfmt("%s/objects", repo->common_dir);
}

void import_environment(struct strvec *env, const struct repo *repo, const char *quarantine)
{
	const char *others = getenv("GIT_ALTERNATE_OBJECT_DIRECTORIES");
	struct strbuf value CLEANUP(strbuf_release) = STRBUF_INIT;
	char *objects CLEANUP(free_p) = NULL;

	if (!quarantine)
		return;
	objects = objects_folder(repo);
	path_quote(&value, objects, true); /* a colon would end it */
	if (others && *others)
		strbuf_addf(&value, ":%s", others);
	strvec_pushf(env, "GIT_OBJECT_DIRECTORY=%s", quarantine);
	strvec_pushf(env, "GIT_ALTERNATE_OBJECT_DIRECTORIES=%s", value.buf);
}

/* One of our own has a name under which `git prune` removes what a killed process left. */
static int make_quarantine(struct import *import, const char *quarantine, struct error *err)
{
	if (quarantine) {
		import->quarantine = xstrdup(quarantine);
		return file_make_folders(quarantine, 0700, err);
	}
	import->quarantine = xstrfmt("%s/tmp_objdir-rollback-XXXXXX", import->objects);
	if (!mkdtemp(import->quarantine)) {
		error_errno(err, "cannot create a folder in '%s'", import->objects);
		free(STEAL(import->quarantine));
		return -1;
	}
	import->own = true;
	return 0;
}

static int list_packs(struct strvec *ret, const char *objects, struct error *err)
{
	char *folder CLEANUP(free_p) = xstrfmt("%s/pack", objects);
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;

	if (file_list(&names, folder, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++)
		if (ends_with(names.v[i], ".pack"))
			strvec_push(ret, names.v[i]);
	strvec_sort(ret);
	return 0;
}

int import_may_have_lost(bool *ret, const struct import *import, struct error *err)
{
	struct strvec now CLEANUP(strvec_release) = STRVEC_INIT;

	if (list_packs(&now, import->objects, err) < 0)
		return -1;
	*ret = false;
	for (size_t i = 0; i < import->known.nr && !*ret; i++)
		*ret = !strvec_has_sorted(&now, import->known.v[i]);
	return 0;
}

int import_start(struct import *import, const struct repo *repo, const char *quarantine,
		 struct error *err)
{
	import->objects = objects_folder(repo);
	import->git_dir = xstrdup(repo->git_dir);
	if (make_quarantine(import, quarantine, err) < 0 ||
	    list_packs(&import->known, import->objects, err) < 0)
		return -1;
	repo_environment(&import->env, repo);
	import_environment(&import->env, repo, import->quarantine);
	/*
	 * zlib's memory, taken and given back for each object, is the top of git's heap. Where
	 * glibc returns it to the system each time, the page faults cost as much as the work.
	 */
	strvec_push(&import->env, "MALLOC_TOP_PAD_=1048576");
	/*
	 * A pack whatever its size, synced whatever the user's settings; no deltas, which cost
	 * time and memory, and compressed as quickly as git does with loose objects. Without its
	 * "done", as when we are killed, it makes no ref; with it it makes none either, but runs
	 * the hook for that.
	 * `A` and `a` are two files in a tree, whatever the file system.
	 */
	git_prepare(&import->git, repo, &import->env);
	strvec_pushl(&import->git.argv, "-c", "fastimport.unpackLimit=1", "-c",
		     import->scratch ? "core.fsync=none" : "core.fsync=pack,pack-metadata", "-c",
		     "core.fsyncMethod=fsync", "-c", "core.bigFileThreshold=1m", "-c",
		     "core.ignoreCase=false", "-c",
		     import->plain || import->scratch ? "pack.compression=0" : "pack.compression=1",
		     "fast-import", "--quiet", "--done", "--depth=0", "--date-format=raw", NULL);
	import->git.input = "";
	return process_start(&import->git, err);
}

static int send(struct import *import, const void *data, size_t len, struct error *err)
{
	if (process_write(&import->git, data, len, err) == 0)
		return 0;
	import->broken = true;
	return -1;
}

static int flush(struct import *import, struct error *err)
{
	int ret = send(import, import->out.buf, import->out.len, err);

	strbuf_reset(&import->out);
	return ret;
}

static int flush_large(struct import *import, struct error *err)
{
	return import->out.len >= CHUNK ? flush(import, err) : 0;
}

/* When git dies on a damaged stream it leaves a report in the repository. */
static void remove_crash_report(const struct import *import, pid_t pid)
{
	char *path CLEANUP(free_p) =
		xstrfmt("%s/fast_import_crash_%ld", import->git_dir, (long)pid);

	if (unlink(path) < 0)
		errno = 0; /* as it should be: there is none */
}

static int failed(struct import *import, pid_t pid, struct error *err)
{
	remove_crash_report(import, pid);
	return git_error(&import->git, err, "cannot write objects");
}

/* Whatever it was doing: it ends, and nothing comes of it. */
static void stop(struct import *import)
{
	static const char done[] = "reset " BRANCH "\n\ndone\n"; /* so that it makes no ref */
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	pid_t pid = import->git.pid;

	if (pid <= 0)
		return;
	if (process_write(&import->git, done, strlen(done), &ignored) < 0)
		error_clear(&ignored);
	if (process_finish(&import->git, &ignored) < 0)
		error_clear(&ignored);
	remove_crash_report(import, pid);
}

static void remove_keeps(struct import *import)
{
	for (size_t i = 0; i < import->keep.nr; i++)
		unlink(import->keep.v[i]);
	strvec_release(&import->keep);
}

void import_release(struct import *import)
{
	if (import->own)
		import_discard(import);
	stop(import);
	remove_keeps(import);
	process_release(&import->git);
	strbuf_release(&import->out);
	strvec_release(&import->oid);
	strvec_release(&import->env);
	strvec_release(&import->known);
	free(import->quarantine);
	free(import->objects);
	free(import->git_dir);
	free(import->made);
	*import = (struct import)IMPORT_INIT;
}

unsigned import_mark(struct import *import)
{
	import->marks++;
	ARRAY_GROW(import->made, import->marks + 1, import->alloc);
	import->made[import->marks] = false;
	return import->marks;
}

/* ---- Blobs ----------------------------------------------------------------------------------- */

static void begin_blob(struct import *import, unsigned mark, uintmax_t len)
{
	import->made[mark] = true;
	strbuf_addf(&import->out, "blob\nmark :%u\ndata %ju\n", mark, len);
}

int import_blob(struct import *import, unsigned mark, const void *data, size_t len,
		struct error *err)
{
	begin_blob(import, mark, len);
	strbuf_add(&import->out, data, len);
	strbuf_addch(&import->out, '\n');
	return flush_large(import, err);
}

/* Up to `want` bytes, fewer at the end of the file; -1: errno. */
static ssize_t read_full(int fd, char *buffer, size_t want)
{
	size_t got = 0;

	while (got < want) {
		ssize_t n = read(fd, buffer + got, want - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* A file that is being read. */
struct source {
	const char *path, *name; /* the last part of it */
	int folder;		 /* open: where that is */
	struct stat stat;
};

/* Asked for each file, and for each chunk of one: git may take long over them. */
static int check_interrupt(struct import *import, struct error *err)
{
	if (!interrupt_pending())
		return 0;
	import->broken = true;
	return error_interrupted(err);
}

static int cannot_read(const struct source *source, struct error *err)
{
	return error_errno(err, "cannot read '%s'", source->path);
}

/* The whole of a small file; nothing is sent before it is known to be whole. */
static int import_small(struct import *import, unsigned mark, int fd, const struct source *source,
			struct error *err)
{
	size_t size = (size_t)source->stat.st_size;
	struct strbuf data CLEANUP(strbuf_release) = STRBUF_INIT;
	struct stat now;
	ssize_t n;

	strbuf_grow(&data, size + 1);
	n = read_full(fd, data.buf, size + 1);
	if (n < 0 || fstat(fd, &now) < 0)
		return cannot_read(source, err);
	if ((size_t)n != size || !file_is_same(&source->stat, &now))
		return IMPORT_FILE_CHANGED;
	return import_blob(import, mark, data.buf, size, err);
}

/*
 * Git was told how much will come. Where there is less by now it gets zeros, and a blob that
 * nothing will name.
 */
static int import_large(struct import *import, unsigned mark, int fd, const struct source *source,
			struct error *err)
{
	static char buffer[CHUNK];
	uintmax_t left = (uintmax_t)source->stat.st_size;
	int reason = 0;
	struct stat now;

	begin_blob(import, mark, left);
	if (flush(import, err) < 0)
		return -1;
	while (left) {
		size_t want = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);
		ssize_t n = reason ? 0 : read_full(fd, buffer, want);

		if (n < 0)
			reason = errno;
		n = n < 0 ? 0 : n;
		memset(buffer + n, 0, want - (size_t)n);
		if (check_interrupt(import, err) < 0 || send(import, buffer, want, err) < 0)
			return -1;
		left -= want;
	}
	strbuf_addch(&import->out, '\n');
	errno = reason;
	if (reason || fstat(fd, &now) < 0)
		return cannot_read(source, err);
	return file_is_same(&source->stat, &now) ? IMPORT_FILE_DONE : IMPORT_FILE_CHANGED;
}

static int import_link(struct import *import, unsigned mark, const struct source *source,
		       struct error *err)
{
	struct strbuf target CLEANUP(strbuf_release) = STRBUF_INIT;
	/* Some file systems do not tell a target's length. */
	size_t room = (size_t)(source->stat.st_size > 0 ? source->stat.st_size : 4096) + 1;
	ssize_t n;

	strbuf_grow(&target, room);
	n = readlinkat(source->folder, source->name, target.buf, room);
	if (n < 0)
		return errno == EINVAL || errno == ENOENT ? IMPORT_FILE_CHANGED :
							    cannot_read(source, err);
	if ((size_t)n == room)
		return IMPORT_FILE_CHANGED;
	return import_blob(import, mark, target.buf, (size_t)n, err);
}

static int import_regular(struct import *import, unsigned mark, struct source *source,
			  struct error *err)
{
	int fd = openat(source->folder, source->name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? IMPORT_FILE_CHANGED :
							   cannot_read(source, err);
	if (fstat(fd, &source->stat) < 0)
		ret = cannot_read(source, err);
	else if (!S_ISREG(source->stat.st_mode))
		ret = IMPORT_FILE_CHANGED;
	else if (source->stat.st_size > SMALL)
		ret = import_large(import, mark, fd, source, err);
	else
		ret = import_small(import, mark, fd, source, err);
	close(fd);
	return ret;
}

static int import_once(struct import *import, unsigned mark, struct source *source,
		       struct error *err)
{
	if (fstatat(source->folder, source->name, &source->stat, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? IMPORT_FILE_GONE : cannot_read(source, err);
	if (S_ISLNK(source->stat.st_mode))
		return import_link(import, mark, source, err);
	if (S_ISREG(source->stat.st_mode))
		return import_regular(import, mark, source, err);
	return IMPORT_FILE_GONE; /* something else stands there now */
}

int import_file(struct import *import, unsigned mark, int dirfd, const char *path, struct stat *ret,
		struct error *err)
{
	const char *slash = strrchr(path, '/');
	struct source source = { .path = path, .name = slash ? slash + 1 : path };
	int result = IMPORT_FILE_CHANGED;

	if (check_interrupt(import, err) < 0)
		return -1;
	source.folder = beneath_open_folder(dirfd, path, (size_t)(source.name - path));
	if (source.folder < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ?
			       IMPORT_FILE_GONE :
			       cannot_read(&source, err);
	for (int i = 0; i < TRIES && result == IMPORT_FILE_CHANGED; i++)
		result = import_once(import, mark, &source, err);
	close(source.folder);
	if (result != IMPORT_FILE_DONE)
		import->made[mark] = false;
	if (result >= 0)
		*ret = source.stat;
	return result;
}

/* ---- Commits --------------------------------------------------------------------------------- */

static void add_paths(struct import *import, const struct import_commit *commit, bool removals)
{
	for (size_t i = 0; i < commit->paths; i++) {
		const struct import_path *path = &commit->path[i];

		if (!path->mode != removals)
			continue;
		if (removals)
			strbuf_addstr(&import->out, "D ");
		else if (path->mark)
			strbuf_addf(&import->out, "M %06o :%u ", path->mode, path->mark);
		else
			strbuf_addf(&import->out, "M %06o %s ", path->mode, path->oid);
		path_quote(&import->out, path->path, true);
		strbuf_addch(&import->out, '\n');
	}
}

int import_commit(struct import *import, unsigned mark, const struct import_commit *commit,
		  struct error *err)
{
	struct strbuf *out = &import->out;

	import->made[mark] = true;
	strbuf_addf(out, "reset " BRANCH "\n\ncommit " BRANCH "\nmark :%u\n", mark);
	if (commit->author)
		strbuf_addf(out, "author %s\n", commit->author);
	if (commit->committer)
		strbuf_addf(out, "committer %s\n", commit->committer);
	else
		strbuf_addf(out, "committer %s %" PRId64 " +0000\n", commit->identity,
			    commit->time);
	strbuf_addf(out, "data %zu\n%s\n", strlen(commit->message), commit->message);
	for (size_t i = 0; i < commit->parents; i++)
		strbuf_addf(out, "%s %s\n", i ? "merge" : "from", commit->parent[i]);
	if (!commit->base && commit->parents)
		strbuf_addstr(out, "deleteall\n");
	else if (commit->base && (!commit->parents || strcmp(commit->base, commit->parent[0])))
		strbuf_addf(out, "M 040000 %s \"\"\n", commit->base);
	add_paths(import, commit, true);
	add_paths(import, commit, false);
	strbuf_addch(out, '\n');
	return flush_large(import, err);
}

/* One line of its output, as soon as it comes. */
static int read_line(struct import *import, struct strbuf *ret, struct error *err)
{
	char c;

	for (;;) {
		ssize_t n = read(import->git.out_fd, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			pid_t pid = import->git.pid;

			return process_finish(&import->git, err) < 0 ? -1 :
								       failed(import, pid, err);
		}
		if (c == '\n')
			return 0;
		strbuf_addch(ret, c);
	}
}

int import_tree(struct import *import, char **ret_oid, unsigned mark, struct error *err)
{
	static const char start[] = "040000 tree ";
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addf(&import->out, "ls :%u \"\"\n", mark);
	if (flush(import, err) < 0 || read_line(import, &line, err) < 0)
		return -1;
	if (strncmp(line.buf, start, strlen(start)) != 0)
		return error_set(err, "cannot write objects: git named no tree");
	line.buf[strcspn(line.buf, "\t")] = '\0';
	*ret_oid = xstrdup(line.buf + strlen(start));
	return 0;
}

/* ---- The end --------------------------------------------------------------------------------- */

static int take_oids(struct import *import, struct error *err)
{
	const char *at = import->git.out.buf;

	strvec_push(&import->oid, "");
	for (unsigned mark = 1; mark <= import->marks; mark++) {
		size_t len = import->made[mark] ? strcspn(at, "\n") : 0;

		if (import->made[mark] && !at[len])
			return error_set(err, "cannot write objects: git named too few");
		strvec_push_nodup(&import->oid, xmemdupz(at, len));
		if (len)
			at += len + 1;
	}
	return 0;
}

int import_has_folder(struct import *import, bool *ret, const char *commit, const char *path,
		      struct error *err)
{
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addf(&import->out, "ls %s ", commit);
	path_quote(&import->out, path, true);
	strbuf_addch(&import->out, '\n');
	if (flush(import, err) < 0 || read_line(import, &line, err) < 0)
		return -1;
	*ret = !strncmp(line.buf, "040000 ", strlen("040000 "));
	return 0;
}

int import_finish(struct import *import, struct error *err)
{
	pid_t pid = import->git.pid;

	strbuf_addstr(&import->out, "reset " BRANCH "\n\n");
	for (unsigned mark = 1; mark <= import->marks; mark++)
		if (import->made[mark])
			strbuf_addf(&import->out, "get-mark :%u\n", mark);
	strbuf_addstr(&import->out, "done\n");
	/* The answers may be more than a pipe holds: this reads them while it writes. */
	import->git.input = import->out.buf;
	import->git.input_len = import->out.len;
	if (process_finish(&import->git, err) < 0)
		return -1;
	if (import->git.status)
		return failed(import, pid, err);
	if (take_oids(import, err) < 0)
		return -1;
	return import->own ? import_publish(import, err) : 0;
}

const char *import_oid(const struct import *import, unsigned mark)
{
	return import->oid.v[mark];
}

static int publish_names(const char *from, const char *to, const struct strvec *names, bool indexes,
			 struct error *err)
{
	for (size_t i = 0; i < names->nr; i++) {
		bool is_index = ends_with(names->v[i], ".idx");
		char *source CLEANUP(free_p) = xstrfmt("%s/%s", from, names->v[i]);
		char *target CLEANUP(free_p) = xstrfmt("%s/%s", to, names->v[i]);

		if (!strncmp(names->v[i], "tmp_", 4) || is_index != indexes)
			continue;
		if (rename(source, target) < 0)
			return error_errno(err, "cannot move '%s' to '%s'", source, to);
	}
	return 0;
}

/* Those of ours who were killed. */
static void remove_left_keep(const char *path)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	long pid;

	if (file_read(&text, path, &ignored) == FILE_FOUND &&
	    sscanf(text.buf, KEEP_TEXT, &pid) == 1 && pid > 0 && kill((pid_t)pid, 0) < 0 &&
	    errno == ESRCH)
		unlink(path);
}

/* Until there is a ref, a git that removes what nothing refers to leaves a pack with such a file. */
static int keep_packs(struct import *import, const char *to, const struct strvec *names,
		      struct error *err)
{
	struct strvec there CLEANUP(strvec_release) = STRVEC_INIT;
	char *text CLEANUP(free_p) = xstrfmt(KEEP_TEXT, (long)getpid());

	if (file_list(&there, to, err) < 0)
		return -1;
	for (size_t i = 0; i < there.nr; i++) {
		char *path CLEANUP(free_p) = xstrfmt("%s/%s", to, there.v[i]);

		if (ends_with(path, ".keep"))
			remove_left_keep(path);
	}
	for (size_t i = 0; i < names->nr; i++) {
		const char *name = names->v[i];
		char *path CLEANUP(free_p) =
			xstrfmt("%s/%.*s.keep", to, (int)strlen(name) - 5, name);
		int fd;

		if (!ends_with(name, ".pack") || !strncmp(name, "tmp_", 4))
			continue;
		strvec_push(&import->known, name);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 && errno == EEXIST)
			continue; /* the user's, or that of another who makes the same pack */
		if (fd < 0)
			return error_errno(err, "cannot create '%s'", path);
		strvec_push(&import->keep, path);
		if (write(fd, text, strlen(text)) < 0)
			error_errno(err, "cannot write '%s'", path);
		close(fd);
		if (error_is_set(err))
			return -1;
	}
	return 0;
}

/* A pack counts from when its index is there: that comes last. */
static int publish_folder(struct import *import, const char *from, const char *to,
			  struct error *err)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;

	if (file_list(&names, from, err) < 0 || file_make_folders(to, 0777, err) < 0 ||
	    keep_packs(import, to, &names, err) < 0 ||
	    publish_names(from, to, &names, false, err) < 0 ||
	    publish_names(from, to, &names, true, err) < 0)
		return -1;
	return file_sync_folder(to, err);
}

int import_publish(struct import *import, struct error *err)
{
	struct strvec folders CLEANUP(strvec_release) = STRVEC_INIT;
	bool loose = false;

	if (file_list(&folders, import->quarantine, err) < 0)
		return -1;
	for (size_t i = 0; i < folders.nr; i++) {
		char *from CLEANUP(free_p) = xstrfmt("%s/%s", import->quarantine, folders.v[i]);
		char *to CLEANUP(free_p) = xstrfmt("%s/%s", import->objects, folders.v[i]);

		if (publish_folder(import, from, to, err) < 0)
			return -1;
		loose |= strcmp(folders.v[i], "pack") != 0;
	}
	import_discard(import);
	return loose ? file_sync_folder(import->objects, err) : 0;
}

void import_discard(struct import *import)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	stop(import);
	import->own = false;
	if (import->quarantine && file_remove_folders(import->quarantine, &ignored) < 0)
		error_clear(&ignored);
}
