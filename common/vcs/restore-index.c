/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "vcs/git.h"
#include "vcs/index-lock.h"
#include "vcs/restore-parts.h"
#include "vcs/stored-index.h"

/* ---- Plan ---------------------------------------------------------------------------- */

static bool target_has_file(const struct restore *restore)
{
	const json_t *index = json_object_get(restore->request->target->manifest, "index");

	return json_is_true(json_object_get(index, "file"));
}

static bool moves_no_index(const struct restore *restore)
{
	return restore->request->files_only || restore->request->pathspecs;
}

/* Where the index stays, what is wrong with the file is no reason not to restore files. */
int restore_read_index(struct restore *restore, struct error *err)
{
	const struct snapshot *target = restore->request->target;
	struct strvec faults CLEANUP(strvec_release) = STRVEC_INIT;
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	if (!target_has_file(restore))
		return 0;
	git_prepare(&git, restore->repo, NULL);
	strvec_pushl(&git.argv, "cat-file", "blob", NULL);
	strvec_pushf(&git.argv, "%s:index", target->payload_tree);
	if (git_run(&git, "read the index of the snapshot", err) < 0 ||
	    stored_index_read(&restore->index_flags, &faults, &git.out, restore->repo,
			      target->index_tree, err) < 0)
		return -1;
	if (!faults.nr)
		return 0;
	index_file_release(&restore->index_flags);
	for (size_t i = 0; i < faults.nr && !moves_no_index(restore); i++)
		restore_refuse(restore, "%s", faults.v[i]);
	return 0;
}

/* Of two index files that have the same tree: do they say the same of what no tree can hold? */
static bool is_same_special(const struct index_entries *a, const struct index_entries *b)
{
	if (a->nr != b->nr)
		return false;
	for (size_t i = 0; i < a->nr; i++) {
		const struct index_entry *x = &a->item[i], *y = &b->item[i];

		if (strcmp(x->path, y->path) != 0 || strcmp(x->oid, y->oid) != 0 ||
		    x->mode != y->mode || x->stage != y->stage ||
		    x->assume_unchanged != y->assume_unchanged ||
		    x->skip_worktree != y->skip_worktree || x->intent_to_add != y->intent_to_add)
			return false;
	}
	return true;
}

/*
 * Entries of now that no tree can hold: the snapshot has none, so they become plain, or go. With
 * `only`, those of these paths.
 */
static void add_special(struct restore *restore, const struct strvec *only)
{
	const struct index_entries *special = &restore->now.state.index.special;
	size_t known = restore->index.nr;

	for (size_t i = 0; i < special->nr; i++) {
		const struct index_entry *entry = &special->item[i];
		const struct tree_changes planned = { .item = restore->index.item, .nr = known };
		struct tree_change *change;

		if (tree_changes_find(&planned, entry->path) ||
		    (i && !strcmp(special->item[i - 1].path, entry->path)) ||
		    (only && !strvec_has(only, entry->path)))
			continue;
		change = tree_changes_add(&restore->index, entry->path);
		if (entry->stage || entry->intent_to_add)
			continue;
		change->new_mode = entry->mode;
		change->new_oid = xstrdup(entry->oid);
	}
	tree_changes_sort(&restore->index);
}

/* Do any of the files stand in the index? */
static bool touches_tracked(const struct restore *restore)
{
	for (size_t i = 0; i < restore->files.nr; i++)
		if (!(restore->files.item[i].flags & RESTORE_UNTRACKED))
			return true;
	return false;
}

int restore_plan_index(struct restore *restore, struct tree_changes *changes, struct error *err)
{
	const struct restore_request *request = restore->request;
	struct strvec special CLEANUP(strvec_release) = STRVEC_INIT;

	restore->index = *changes;
	*changes = (struct tree_changes)TREE_CHANGES_INIT;
	if (request->pathspecs && restore_merge_index(restore, &special, err) < 0)
		return -1;
	if (request->pathspecs && special.nr && !target_has_file(restore))
		add_special(restore, &special);
	if (!request->pathspecs && !target_has_file(restore))
		add_special(restore, NULL);
	else if (!request->pathspecs &&
		 (restore->index.nr || !is_same_special(&restore->now.state.index.special,
							&restore->index_flags.special)))
		restore->index_kind = RESTORE_INDEX_FILE;
	if (restore->index_kind == RESTORE_INDEX_STAYS && restore->index.nr)
		restore->index_kind = RESTORE_INDEX_ENTRIES;
	if (restore->index_kind == RESTORE_INDEX_STAYS &&
	    (touches_tracked(restore) || restore->rewritten.nr))
		restore->index_kind = RESTORE_INDEX_REFRESH;
	return 0;
}

/* ---- git's lock ---------------------------------------------------------------------- */

/* Where git finds that out, at the first file, it can put nothing back either. */
static int check_writable(const struct restore *restore, struct error *err)
{
	bool files = restore->files.nr || restore->make_folders.nr || restore->remove_folders.nr;

	if (!files || access(restore->repo->worktree, W_OK) == 0)
		return 0;
	return error_errno(err, "cannot write to '%s'", restore->repo->worktree);
}

/* Is the index still the one that was captured? */
static int check_index(const struct restore *restore, struct error *err)
{
	const struct index_file *index = &restore->now.state.index;
	const struct stat *was = &index->stat;
	struct stat is;
	bool missing = lstat(restore->lock.index, &is) < 0;

	if (missing ? index->missing :
		      !index->missing && is.st_ino == was->st_ino && is.st_size == was->st_size &&
			      is.st_mtim.tv_sec == was->st_mtim.tv_sec &&
			      is.st_mtim.tv_nsec == was->st_mtim.tv_nsec)
		return 0;
	error_refused(err, "the index has changed meanwhile");
	return error_hint(err, "Nothing was changed. Try again.");
}

int restore_lock(struct restore *restore, const char *id, struct error *err)
{
	/* It was published: that the folder is there is all that git's environment needs. */
	if (check_writable(restore, err) < 0 ||
	    file_make_folders(restore->quarantine, 0700, err) < 0 ||
	    index_lock_take(&restore->lock, restore->request->folder, id, err) < 0 ||
	    check_index(restore, err) < 0)
		return -1;
	return restore_check_worktree(restore, err) < 0 ? -1 : restore_look_again(restore, err);
}

int restore_unlock(struct restore *restore, struct error *err)
{
	return index_lock_let_go(&restore->lock, err);
}

/* ---- A new index --------------------------------------------------------------------- */

/* One of the entries that the snapshot's file has. */
static int write_index(const struct restore *restore, const char *to, struct error *err)
{
	struct strbuf bytes CLEANUP(strbuf_release) = STRBUF_INIT;

	stored_index_format(&bytes, &restore->index_flags.found, restore->repo);
	return file_write(to, bytes.buf, bytes.len, restore_file_mode(), FILE_SYNC_CONTENT, err);
}

/* As update-index takes them: "<mode> <id> <stage> TAB <path> NUL"; a mode of 0 removes. */
int restore_feed_entries(const struct restore *restore, const struct tree_changes *entries,
			 const struct strvec *env, struct error *err)
{
	bool sha256 = !strcmp(restore->repo->object_format, "sha256");
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;

	if (!entries->nr)
		return 0;
	for (size_t i = 0; i < entries->nr; i++) {
		const struct tree_change *change = &entries->item[i];

		if (change->new_mode)
			strbuf_addf(&input, "%o %s 0\t%s", change->new_mode, change->new_oid,
				    change->path);
		else
			strbuf_addf(&input, "0 %0*d 0\t%s", sha256 ? 64 : 40, 0, change->path);
		strbuf_addch(&input, '\0');
	}
	git_prepare(&git, restore->repo, env);
	strvec_pushl(&git.argv, "-c", "core.ignoreStat=false", "update-index", "--add", "--replace",
		     "-z", "--index-info", NULL);
	git.input = input.buf;
	git.input_len = input.len;
	return git_run(&git, "change the index", err);
}

/*
 * Looks at every file: right in any case, and slow where there are many. A filter that fails must
 * not end it: its file has changed.
 */
static int refresh_index(const struct restore *restore, const struct strvec *env, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, restore->repo, env);
	if (git_relax_filters(&git.argv, restore->repo, err) < 0)
		return -1;
	strvec_pushl(&git.argv, "update-index", "-q", "--unmerged", "--refresh", NULL);
	return git_run(&git, "make the new index", err);
}

/* ---- The quick way ------------------------------------------------------------------- */

/*
 * Most entries that change are what their files are now: update-index makes an entry of a file,
 * with its times, and need not look at others. The rest is given to it as it is.
 */
struct quick {
	struct tree_changes files;   /* new side: what the entry has to be; 0: none, nor a file */
	struct tree_changes entries; /* the rest */
};

static void add_quick(struct tree_changes *to, const char *path, unsigned mode, const char *oid)
{
	struct tree_change *change = tree_changes_add(to, path);

	change->new_mode = mode;
	change->new_oid = xstrdup_or_null(oid);
}

static bool is_on_disk(const struct restore *restore, const char *path)
{
	char *full CLEANUP(free_p) = xstrfmt("%s/%s", restore->repo->worktree, path);
	struct stat st;

	return lstat(full, &st) == 0;
}

/* Is the entry what the file is going to be? */
static bool is_of_file(const struct restore *restore, const struct tree_change *entry)
{
	if (!entry->new_mode)
		return !is_on_disk(restore, entry->path);
	return mode_is_file(entry->new_mode) && !tree_changes_find(&restore->unclean, entry->path);
}

static void part_entries(struct quick *quick, const struct restore *restore)
{
	for (size_t i = 0; i < restore->index.nr; i++) {
		const struct tree_change *entry = &restore->index.item[i];

		add_quick(is_of_file(restore, entry) ? &quick->files : &quick->entries, entry->path,
			  entry->new_mode, entry->new_oid);
	}
}

/* Files that change under entries that stay: those that are now what the entry has been. */
static void add_clean_files(struct quick *quick, const struct restore *restore,
			    const struct index_entries *found)
{
	for (size_t i = 0; i < found->nr; i++) {
		const struct index_entry *entry = &found->item[i];
		const struct tree_change *file = tree_changes_find(&restore->files, entry->path);

		if (file && file->new_mode == entry->mode && !strcmp(file->new_oid, entry->oid))
			add_quick(&quick->files, entry->path, entry->mode, entry->oid);
	}
	tree_changes_sort(&quick->files);
}

/* The entries that an index file has of some paths. */
static int read_entries(struct index_file *ret, struct strbuf *bytes, const struct restore *restore,
			const char *path, const struct strvec *wanted, struct error *err)
{
	bool sha256 = !strcmp(restore->repo->object_format, "sha256");

	if (file_read(bytes, path, err) < 0)
		return -1;
	ret->wanted = wanted;
	return bytes->len ? index_file_parse(ret, (const unsigned char *)bytes->buf, bytes->len,
					     sha256 ? 32 : 20) :
			    INDEX_WHOLE;
}

static int find_clean_files(struct quick *quick, const struct restore *restore, const char *path,
			    struct error *err)
{
	struct index_file index CLEANUP(index_file_release) = INDEX_FILE_INIT;
	struct strbuf bytes CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strvec wanted CLEANUP(strvec_release) = STRVEC_INIT;

	for (size_t i = 0; i < restore->files.nr; i++)
		if (!tree_changes_find(&restore->index, restore->files.item[i].path))
			strvec_push(&wanted, restore->files.item[i].path);
	if (read_entries(&index, &bytes, restore, path, &wanted, err) != INDEX_WHOLE)
		return error_is_set(err) ? -1 : INDEX_OTHER;
	add_clean_files(quick, restore, &index.found);
	return 0;
}

/* Did it come out as it had to? A file may have changed meanwhile, or a filter be of its own mind. */
static int check_entries(const struct quick *quick, const struct restore *restore, const char *path,
			 struct error *err)
{
	struct index_file index CLEANUP(index_file_release) = INDEX_FILE_INIT;
	struct strbuf bytes CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strvec wanted CLEANUP(strvec_release) = STRVEC_INIT;
	size_t at = 0;

	for (size_t i = 0; i < quick->files.nr; i++)
		strvec_push(&wanted, quick->files.item[i].path);
	if (read_entries(&index, &bytes, restore, path, &wanted, err) != INDEX_WHOLE)
		return error_is_set(err) ? -1 : INDEX_OTHER;
	for (size_t i = 0; i < quick->files.nr; i++) {
		const struct tree_change *wants = &quick->files.item[i];
		const struct index_entry *has = at < index.found.nr ? &index.found.item[at] : NULL;

		if (has && strcmp(has->path, wants->path) != 0)
			has = NULL;
		if (has ? has->stage || has->mode != wants->new_mode || !wants->new_oid ||
				    strcmp(has->oid, wants->new_oid) != 0 :
			  wants->new_mode != 0)
			return INDEX_OTHER;
		at += has != NULL;
	}
	return INDEX_WHOLE;
}

static int feed_files(const struct quick *quick, const struct restore *restore,
		      const struct strvec *env, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; i < quick->files.nr; i++)
		strbuf_add(&input, quick->files.item[i].path,
			   strlen(quick->files.item[i].path) + 1);
	git_prepare(&git, restore->repo, env);
	strvec_pushl(&git.argv, "-c", "core.ignoreStat=false", "update-index", "--add", "--remove",
		     "--replace", "-z", "--stdin", NULL);
	git.input = input.buf;
	git.input_len = input.len;
	return git_run(&git, "change the index", err);
}

static int make_quickly(struct quick *quick, const struct restore *restore, const char *path,
			const struct strvec *env, struct error *err)
{
	int found;

	part_entries(quick, restore);
	found = find_clean_files(quick, restore, path, err);
	if (found != INDEX_WHOLE)
		return found;
	if (restore_feed_entries(restore, &quick->entries, env, err) < 0 ||
	    feed_files(quick, restore, env, err) < 0)
		return -1;
	return check_entries(quick, restore, path, err);
}

/* INDEX_OTHER: it did not come out as it has to. */
static int try_quickly(const struct restore *restore, const char *path, const struct strvec *env,
		       struct error *err)
{
	struct quick quick = { 0 };
	int ret;

	/*
	 * Flags go when an entry is made of a file; files that are written anew are none of these;
	 * git makes none of a file that it refuses.
	 */
	if (restore->now.state.special_index || restore->rewritten.nr ||
	    restore_has_unconverted(restore, true))
		return INDEX_OTHER;
	ret = make_quickly(&quick, restore, path, env, err);
	tree_changes_release(&quick.files);
	tree_changes_release(&quick.entries);
	return ret;
}

/* By size alone git would take a file for changed whose line ends are others: forget the size. */
static int feed_rewritten(const struct restore *restore, const struct strvec *env,
			  struct error *err)
{
	struct tree_changes clean = TREE_CHANGES_INIT;
	int ret;

	for (size_t i = 0; i < restore->rewritten.nr; i++) {
		const struct tree_change *file = &restore->rewritten.item[i];

		if (!(file->flags & RESTORE_UNTRACKED) &&
		    !tree_changes_find(&restore->unclean, file->path))
			add_quick(&clean, file->path, file->new_mode, file->new_oid);
	}
	ret = restore_feed_entries(restore, &clean, env, err);
	tree_changes_release(&clean);
	return ret;
}

static int make_index(struct restore *restore, const char *path, struct error *err)
{
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	int made;

	for (size_t i = 0; i < restore->env.nr; i++)
		strvec_push(&env, restore->env.v[i]);
	strvec_pushf(&env, "GIT_INDEX_FILE=%s", path);
	if (restore->index_kind == RESTORE_INDEX_FILE)
		return write_index(restore, path, err) < 0 ? -1 : refresh_index(restore, &env, err);
	made = restore_exchange_times(restore, path, err);
	if (made < 0 || made == INDEX_WHOLE)
		return made < 0 ? -1 : 0;
	if (index_copy(path, restore->lock.index, err) < 0)
		return -1;
	made = try_quickly(restore, path, &env, err);
	if (made < 0 || made == INDEX_WHOLE)
		return made < 0 ? -1 : 0;
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove '%s'", path);
	if (index_copy(path, restore->lock.index, err) < 0 ||
	    restore_feed_entries(restore, &restore->index, &env, err) < 0 ||
	    feed_rewritten(restore, &env, err) < 0)
		return -1;
	return refresh_index(restore, &env, err);
}

static int sync_file(const char *path, struct error *err)
{
	int fd CLEANUP(fd_close_p) = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return error_errno(err, "cannot sync '%s'", path);
	return 0;
}

/* Replaces the index. The old one is kept under another name. */
int restore_index(struct restore *restore, struct error *err)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/index", restore->request->folder);
	char *old CLEANUP(free_p) = xstrfmt("%s/index.old", restore->request->folder);

	if (restore->index_kind == RESTORE_INDEX_STAYS)
		return 0;
	if (make_index(restore, path, err) < 0)
		return -1;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0; /* there was none, and nothing to put in it */
	if (sync_file(path, err) < 0)
		return -1;
	if (!restore->now.state.index.missing && link(restore->lock.index, old) < 0 &&
	    index_copy(old, restore->lock.index, err) < 0)
		return -1;
	if (rename(path, restore->lock.index) < 0)
		return error_errno(err, "cannot replace '%s'", restore->lock.index);
	restore->index_moved = true;
	return index_lock_sync(&restore->lock, err);
}

int restore_index_back(struct restore *restore, struct error *err)
{
	char *old CLEANUP(free_p) = xstrfmt("%s/index.old", restore->request->folder);

	if (!restore->index_moved)
		return 0;
	if (restore->now.state.index.missing ? unlink(restore->lock.index) < 0 :
					       rename(old, restore->lock.index) < 0)
		return error_errno(err, "cannot put back '%s'", restore->lock.index);
	restore->index_moved = false;
	return 0;
}
