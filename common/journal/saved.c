/* SPDX-License-Identifier: MIT */
#include "journal/saved.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "journal/journal.h"

#define MANIFEST "manifest.json"

char *saved_root(const char *common_dir)
{
	return xstrfmt("%s/rollback/saved", common_dir);
}

/* Ids come from folders and command lines: only what operation_new_id() makes is one. */
static bool is_id(const char *name)
{
	return operation_time(name) && !strchr(name, '/');
}

static int open_folder(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * The root, with a lock on it: so that nobody sweeps a folder away between its making and its
 * lock. Where there is no flock(), as on NFS, *ret_locked is false.
 */
static int open_root(bool *ret_locked, const char *root, struct error *err)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "cannot open folder '%s'", root);
	*ret_locked = flock(fd, LOCK_EX) == 0;
	return fd;
}

/* Its name is made to survive a power cut, where it is new. */
static int make_root(const char *root, struct error *err)
{
	char *parent CLEANUP(free_p) = xstrfmt("%s/..", root);

	if (access(root, F_OK) == 0)
		return 0;
	if (file_make_folders(root, 0700, err) < 0)
		return -1;
	return file_sync_folder(parent, err);
}

static int make_folder(struct saved *saved, int root_fd, const char *id, struct error *err)
{
	if (mkdirat(root_fd, id, 0700) < 0)
		return error_errno(err, "cannot create folder '%s'", saved->path);
	saved->fd = open_folder(root_fd, id);
	if (saved->fd < 0 || fsync(root_fd) < 0)
		return error_errno(err, "cannot open folder '%s'", saved->path);
	/* Where there are no such locks, nobody sweeps either. */
	(void)!flock(saved->fd, LOCK_EX | LOCK_NB);
	return 0;
}

int saved_create(struct saved *ret, const char *root, const char *id, const char *command,
		 struct error *err)
{
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;
	int root_fd CLEANUP(fd_close_p) = -1;
	bool locked = false;

	if (!is_id(id))
		BUG("'%s' is no operation's id", id);
	if (make_root(root, err) < 0)
		return -1;
	root_fd = open_root(&locked, root, err);
	if (root_fd < 0)
		return -1;
	saved.path = xstrfmt("%s/%s", root, id);
	if (make_folder(&saved, root_fd, id, err) < 0)
		return -1;
	saved.manifest =
		json_pack("{s:i, s:s, s:s, s:o, s:o}", "format", 1, "operation", id, "command",
			  command, "created_at", json_time(clock_now()), "parts", json_array());
	if (!saved.manifest)
		BUG("cannot pack a manifest");
	*ret = saved;
	saved = (struct saved)SAVED_INIT;
	return 0;
}

int saved_finish(struct saved *saved, struct error *err)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/" MANIFEST, saved->path);
	char *text CLEANUP(free_p) = NULL;

	/* The parts have their names before it says that they are there. */
	if (fsync(saved->fd) < 0)
		return error_errno(err, "could not sync folder '%s'", saved->path);
	json_object_set_new(saved->manifest, "complete", json_true());
	text = json_format(saved->manifest);
	return file_write(path, text, strlen(text), 0600, FILE_SYNC_NAME, err);
}

int saved_discard(struct saved *saved, struct error *err)
{
	/* First: what is left, if this breaks off, is a leftover then. */
	if (unlinkat(saved->fd, MANIFEST, 0) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove '%s/" MANIFEST "'", saved->path);
	return file_remove_folders(saved->path, err);
}

void saved_release(struct saved *saved)
{
	fd_close_p(&saved->fd);
	free(saved->path);
	json_decref(saved->manifest);
	*saved = (struct saved)SAVED_INIT;
}

/* ---- What there is ------------------------------------------------------------------- */

static int read_manifest(struct saved *saved, struct error *err)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/" MANIFEST, saved->path);
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	int fd CLEANUP(fd_close_p) = openat(saved->fd, MANIFEST, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int64_t format;

	if (fd < 0)
		return errno == ENOENT ? SAVED_MISSING : error_errno(err, "cannot open '%s'", path);
	if (file_read_fd(&text, fd, path, err) < 0 ||
	    json_parse(&saved->manifest, path, text.buf, text.len, err) < 0)
		return -1;
	format = json_integer_value(json_object_get(saved->manifest, "format"));
	if (format != 1)
		return error_set(err, "cannot read '%s': its format is %" PRId64 ", not 1", path,
				 format);
	if (!json_is_array(json_object_get(saved->manifest, "parts")))
		return error_set(err, "cannot read '%s': it has no list of parts", path);
	saved->parts = json_array_size(json_object_get(saved->manifest, "parts"));
	return json_is_true(json_object_get(saved->manifest, "complete")) ? SAVED_FOUND :
									    SAVED_MISSING;
}

int saved_open(struct saved *ret, const char *root, const char *id, struct error *err)
{
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;
	int found;

	if (!is_id(id))
		return SAVED_MISSING;
	saved.path = xstrfmt("%s/%s", root, id);
	saved.fd = open_folder(AT_FDCWD, saved.path);
	if (saved.fd < 0)
		return errno == ENOENT ? SAVED_MISSING :
					 error_errno(err, "cannot open folder '%s'", saved.path);
	found = read_manifest(&saved, err);
	if (found != SAVED_FOUND)
		return found;
	*ret = saved;
	saved = (struct saved)SAVED_INIT;
	return SAVED_FOUND;
}

int saved_list(struct strvec *ret, const char *root, struct error *err)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;

	if (file_list(&names, root, err) < 0)
		return -1;
	for (size_t i = names.nr; i-- > 0;) {
		char *path CLEANUP(free_p) = xstrfmt("%s/%s/" MANIFEST, root, names.v[i]);

		if (is_id(names.v[i]) && access(path, F_OK) == 0)
			strvec_push(ret, names.v[i]);
	}
	return 0;
}

/* Has it neither a manifest nor somebody who is about to write one? */
static bool is_leftover(int root_fd, const char *id)
{
	int fd CLEANUP(fd_close_p) = open_folder(root_fd, id);

	return fd >= 0 && faccessat(fd, MANIFEST, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	       errno == ENOENT && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

int saved_sweep(const char *root, const struct strvec *open, struct error *err)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	int root_fd CLEANUP(fd_close_p) = -1;
	int found = file_list(&names, root, err);
	bool locked = false;

	if (found != FILE_FOUND || !names.nr)
		return found < 0 ? -1 : 0;
	root_fd = open_root(&locked, root, err);
	if (root_fd < 0)
		return -1;
	for (size_t i = 0; i < names.nr && locked; i++) {
		char *path CLEANUP(free_p) = xstrfmt("%s/%s", root, names.v[i]);

		if (!is_id(names.v[i]) || (open && strvec_has(open, names.v[i])) ||
		    !is_leftover(root_fd, names.v[i]))
			continue;
		if (file_remove_folders(path, err) < 0)
			return -1;
	}
	return 0;
}

int saved_lock(int *ret_fd, const char *root, struct error *err)
{
	bool locked = false;
	int fd = open_root(&locked, root, err);

	if (fd < 0)
		return -1;
	*ret_fd = fd;
	return 0;
}

int saved_space(int64_t *ret, const char *root, struct error *err)
{
	char *path CLEANUP(free_p) = xstrdup(root);
	struct statvfs fs;

	while (statvfs(path, &fs) < 0) {
		char *slash = strrchr(path, '/');

		if (errno != ENOENT || !slash || slash == path)
			return error_errno(err, "cannot find out the free space at '%s'", root);
		*slash = '\0';
	}
	*ret = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	return 0;
}
