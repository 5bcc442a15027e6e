/* SPDX-License-Identifier: MIT */
#include "vcs/restore-parts.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "vcs/git.h"
#include "vcs/ignore.h"
#include "vcs/path.h"

void restore_refuse(struct restore *restore, const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	strvec_push_nodup(&restore->refusal, strbuf_detach(&text));
}

static void release_lists(struct restore *restore)
{
	tree_changes_release(&restore->files);
	tree_changes_release(&restore->rewritten);
	tree_changes_release(&restore->index);
	strvec_release(&restore->make_folders);
	strvec_release(&restore->remove_folders);
	strvec_release(&restore->stays);
	strvec_release(&restore->exposed);
	strvec_release(&restore->submodules);
	strvec_release(&restore->alone);
	strvec_release(&restore->refusal);
	strvec_release(&restore->absent);
	tree_changes_release(&restore->unclean);
	tree_files_release(&restore->raw_now);
	tree_files_release(&restore->raw_then);
}

void restore_release(struct restore *restore)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	process_release(&restore->refresh);
	release_lists(restore);
	restore_state_release(restore);
	snapshot_capture_release(&restore->now);
	strvec_release(&restore->env);
	strvec_release(&restore->scratch_env);
	free(restore->quarantine);
	free(restore->scratch);
	free(restore->from);
	free(restore->to);
	index_lock_release(&restore->lock);
	index_file_release(&restore->index_flags);
	if (restore->request && file_remove_folders(restore->request->folder, &ignored) < 0)
		error_clear(&ignored); /* whoever works there next removes it */
	*restore = (struct restore)RESTORE_INIT;
}

bool restore_is_nothing(const struct restore *restore)
{
	return restore_state_is_same(restore) && !restore->files.nr && !restore->rewritten.nr &&
	       !restore->make_folders.nr && !restore->remove_folders.nr &&
	       restore->index_kind == RESTORE_INDEX_STAYS;
}

/* ---- The two states ------------------------------------------------------------------ */

static void set_up(struct restore *restore)
{
	const struct restore_request *request = restore->request;

	restore->quarantine = xstrfmt("%s/objects", request->folder);
	restore->scratch = xstrfmt("%s/scratch", request->folder);
	index_lock_init(&restore->lock, restore->repo);
	repo_environment(&restore->env, restore->repo);
	import_environment(&restore->env, restore->repo, restore->quarantine);
	strvec_push(&restore->env, "GIT_OPTIONAL_LOCKS=0");
}

static int capture(struct restore *restore, const struct strvec *also, struct error *err)
{
	const struct restore_request *request = restore->request;
	const struct snapshot_request wanted = { .members = request->members,
						 .subject = request->subject,
						 .identity = request->identity,
						 .time = request->time,
						 .also = also->nr ? also : NULL,
						 .may_leave_out = true,
						 .short_lived = true,
						 .quarantine = restore->quarantine };

	return snapshot_capture(&restore->now, restore->repo, &wanted, err);
}

int restore_manifest_paths(struct strvec *ret, const json_t *manifest, const char *key,
			   struct error *err)
{
	json_t *array = json_object_get(manifest, key), *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		const char *text =
			json_is_object(item) ? json_member(item, "path") : json_string_value(item);
		char *path = text ? path_from_json(text) : NULL;

		if (!path)
			return error_set(err, "the manifest's list '%s' is damaged", key);
		strvec_push_nodup(ret, path);
	}
	strvec_sort(ret);
	return 0;
}

/* One side of the same path in two comparisons: tracked files are in one, the others in the other. */
static void take_side(unsigned *mode, char **oid, struct tree_change *tracked,
		      struct tree_change *untracked, bool new_side)
{
	struct tree_change *from = tracked;

	if (!tracked || !(new_side ? tracked->new_mode : tracked->old_mode))
		from = untracked;
	if (!from)
		return;
	*mode = new_side ? from->new_mode : from->old_mode;
	*oid = new_side ? STEAL(from->new_oid) : STEAL(from->old_oid);
}

/*
 * The comparisons of tracked and of untracked files as one: a file that only begins or ceases
 * to be tracked does not change.
 */
static void merge_changes(struct restore *restore, struct tree_changes *tracked,
			  struct tree_changes *untracked)
{
	for (size_t i = 0, k = 0;;) {
		struct tree_change *a = i < tracked->nr ? &tracked->item[i] : NULL;
		struct tree_change *b = k < untracked->nr ? &untracked->item[k] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->path, b->path);
		struct tree_change change = { 0 }, *added;

		if (!a && !b)
			return;
		a = order <= 0 ? a : NULL;
		b = order >= 0 ? b : NULL;
		i += order <= 0;
		k += order >= 0;
		if (a && b && a->new_mode && b->new_mode)
			restore_refuse(restore, "the snapshot has '%s' twice", a->path);
		if (!(a && a->old_mode) && b)
			change.flags = RESTORE_UNTRACKED;
		take_side(&change.old_mode, &change.old_oid, a, b, false);
		take_side(&change.new_mode, &change.new_oid, a, b, true);
		if (change.old_mode == change.new_mode &&
		    (!change.old_oid || !strcmp(change.old_oid, change.new_oid))) {
			free(change.old_oid);
			free(change.new_oid);
			continue;
		}
		added = tree_changes_add(&restore->files, a ? a->path : b->path);
		change.path = added->path;
		*added = change;
	}
}

/* diff-tree reads all of an index, for attributes in pathspecs: where there are none of these, it finds none. */
static void add_no_index(struct strvec *env, const struct restore *restore)
{
	for (size_t i = 0; i < restore->env.nr; i++)
		strvec_push(env, restore->env.v[i]);
	if (!restore->request->pathspecs)
		strvec_pushf(env, "GIT_INDEX_FILE=%s/none", restore->request->folder);
}

static int compare(struct restore *restore, struct tree_changes *ret_index, struct error *err)
{
	const struct restore_request *request = restore->request;
	const struct snapshot *target = request->target;
	const struct snapshot_capture *now = &restore->now;
	struct tree_pair pair[] = {
		{ .old_tree = now->worktree_tree, .new_tree = target->worktree_tree },
		{ .old_tree = now->untracked_tree, .new_tree = target->untracked_tree },
		{ .old_tree = now->index_tree, .new_tree = target->index_tree },
		{ .old_tree = target->index_tree, .new_tree = target->worktree_tree },
	};
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	int ret;

	add_no_index(&env, restore);
	ret = tree_pairs_compare(pair, request->files_only ? 2 : ARRAY_SIZE(pair),
				 request->pathspec, request->pathspecs, &env, err);
	if (!ret)
		merge_changes(restore, &pair[0].changes, &pair[1].changes);
	tree_changes_release(&pair[0].changes);
	tree_changes_release(&pair[1].changes);
	restore->unclean = pair[3].changes;
	*ret_index = pair[2].changes;
	return ret;
}

/* ---- What is not to be touched ------------------------------------------------------- */

/* A file of the snapshot that lies below another one is no file that git ever made. */
static void check_below(struct restore *restore, const struct tree_changes *changes,
			const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *above CLEANUP(free_p) = xmemdupz(path, (size_t)(slash - path));
		const struct tree_change *change = tree_changes_find(changes, above);

		if (change && mode_is_file(change->new_mode))
			restore_refuse(restore, "the snapshot has '%s' and, below it, '%s'", above,
				       path);
	}
}

static void check_hostile(struct restore *restore, const struct tree_changes *changes)
{
	for (size_t i = 0; i < changes->nr; i++) {
		const struct tree_change *change = &changes->item[i];
		const char *fault =
			change->new_mode ? repo_path_fault(restore->repo, change->path) : NULL;

		if (fault)
			restore_refuse(restore, "the snapshot has the path '%s': %s", change->path,
				       fault);
		if (i && change->new_mode && !strcmp(changes->item[i - 1].path, change->path))
			restore_refuse(restore, "the snapshot has '%s' twice", change->path);
		if (change->new_mode && change->new_mode != MODE_FILE &&
		    change->new_mode != MODE_EXECUTABLE && change->new_mode != MODE_LINK &&
		    change->new_mode != MODE_SUBMODULE)
			restore_refuse(restore, "the snapshot has '%s' with the mode %o",
				       change->path, change->new_mode);
		if (change->new_mode)
			check_below(restore, changes, change->path);
	}
}

/* A submodule's folder is its own affair: only what is a file on the other side counts. */
static void part_submodules(struct restore *restore)
{
	for (size_t i = 0; i < restore->files.nr; i++) {
		struct tree_change *change = &restore->files.item[i];
		bool was = change->old_mode == MODE_SUBMODULE;
		bool will = change->new_mode == MODE_SUBMODULE;

		if (!was && !will)
			continue;
		strvec_push(&restore->submodules, change->path);
		if (will) {
			strvec_push(&restore->make_folders, change->path);
			change->new_mode = 0;
			free(STEAL(change->new_oid));
		}
		if (was) {
			change->old_mode = 0;
			free(STEAL(change->old_oid));
		}
		if (!change->old_mode && !change->new_mode)
			change->flags |= RESTORE_STAYS;
	}
}

/* What a snapshot could not keep is neither written nor removed; written over, it is lost. */
static int part_left_out(struct restore *restore, struct error *err)
{
	struct strvec now CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec then CLEANUP(strvec_release) = STRVEC_INIT;

	if (restore_manifest_paths(&now, restore->now.manifest, "left_out", err) < 0 ||
	    restore_manifest_paths(&then, restore->request->target->manifest, "left_out", err) < 0)
		return -1;
	for (size_t i = 0; i < restore->files.nr; i++) {
		struct tree_change *change = &restore->files.item[i];

		if (strvec_has(&then, change->path)) {
			strvec_push(&restore->alone, change->path);
			change->flags |= RESTORE_STAYS;
		} else if (strvec_has(&now, change->path)) {
			if (change->new_mode)
				restore_refuse(restore,
					       "'%s' would be overwritten, and cannot be kept",
					       change->path);
			strvec_push(&restore->alone, change->path);
			change->flags |= RESTORE_STAYS;
		}
	}
	return 0;
}

/* ---- Ignore rules -------------------------------------------------------------------- */

static bool is_rules(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !strcmp(slash ? slash + 1 : path, ".gitignore");
}

static bool rules_differ(const struct restore *restore)
{
	for (size_t i = 0; i < restore->files.nr; i++)
		if (is_rules(restore->files.item[i].path))
			return true;
	return false;
}

/* Those of the paths, which go, that the snapshot's rules would ignore: they stay. */
static int find_protected(struct restore *restore, const struct strvec *paths, struct error *err)
{
	char *folder CLEANUP(free_p) = xstrfmt("%s/rules", restore->request->folder);
	struct strvec found CLEANUP(strvec_release) = STRVEC_INIT;

	if (!rules_differ(restore))
		return 0;
	if (ignore_find(&found, paths, &restore->files, restore->repo, &restore->env, folder, err) <
	    0)
		return -1;
	for (size_t i = 0; i < found.nr; i++)
		if (!strvec_has(&restore->absent, found.v[i]))
			tree_changes_find(&restore->files, found.v[i])->flags |= RESTORE_STAYS;
	return 0;
}

/* Untracked files that the snapshot has not: which of them go? Those taken as obstacles do. */
static int part_untracked(struct restore *restore, struct error *err)
{
	const json_t *untracked = json_object_get(restore->request->target->manifest, "untracked");
	bool keep = restore->request->keep_untracked || json_is_false(untracked);
	struct strvec going CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec ignored CLEANUP(strvec_release) = STRVEC_INIT;

	if (restore_manifest_paths(&ignored, restore->now.manifest, "ignored", err) < 0)
		return -1;
	for (size_t i = 0; i < restore->files.nr; i++) {
		struct tree_change *change = &restore->files.item[i];

		if (!(change->flags & RESTORE_UNTRACKED))
			continue;
		if (strvec_has(&ignored, change->path))
			change->flags |= RESTORE_IGNORED;
		else if (!change->new_mode && keep)
			change->flags |= RESTORE_STAYS;
		else if (!change->new_mode)
			strvec_push(&going, change->path);
	}
	return find_protected(restore, &going, err);
}

/* Ignored files that nothing will ignore any more. Whole folders count as one. */
static int find_exposed(struct restore *restore, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	char *folder CLEANUP(free_p) = xstrfmt("%s/rules-exposed", restore->request->folder);
	struct strvec ignored CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec still CLEANUP(strvec_release) = STRVEC_INIT;

	if (!rules_differ(restore))
		return 0;
	git_prepare(&git, restore->repo, &restore->env);
	strvec_pushl(&git.argv, "ls-files", "-z", "--others", "--ignored", "--exclude-standard",
		     "--directory", NULL);
	if (git_run(&git, "list the ignored files", err) < 0)
		return -1;
	for (const char *at = git.out.buf; at < git.out.buf + git.out.len; at += strlen(at) + 1)
		if (!repo_owns(restore->repo, at))
			strvec_push(&ignored, at);
	if (ignore_find(&still, &ignored, &restore->files, restore->repo, &restore->env, folder,
			err) < 0)
		return -1;
	strvec_sort(&still);
	for (size_t i = 0; i < ignored.nr; i++) {
		const struct strvec *exposed = &restore->exposed;
		const char *last = exposed->nr ? exposed->v[exposed->nr - 1] : "";

		/* A folder with nothing but ignored files is listed, and they are, too. */
		if (!strvec_has(&still, ignored.v[i]) &&
		    !tree_changes_find(&restore->files, ignored.v[i]) &&
		    !(*last && last[strlen(last) - 1] == '/' &&
		      !strncmp(ignored.v[i], last, strlen(last))))
			strvec_push(&restore->exposed, ignored.v[i]);
	}
	return 0;
}

/*
 * Files that the snapshot had untracked, and that are ignored by the rules of now: were they
 * not named as absent, an undo would take them for ignored files, which stay.
 */
static int find_newly_ignored(struct restore *restore, struct strvec *also, struct error *err)
{
	char *folder CLEANUP(free_p) = xstrfmt("%s/rules-now", restore->request->folder);
	struct strvec paths CLEANUP(strvec_release) = STRVEC_INIT;

	for (size_t i = 0; i < restore->files.nr; i++) {
		const struct tree_change *change = &restore->files.item[i];

		if (!change->old_mode && change->new_mode)
			strvec_push(&paths, change->path);
	}
	return ignore_find(also, &paths, NULL, restore->repo, &restore->env, folder, err);
}

/* ---- Folders ------------------------------------------------------------------------- */

static void plan_folder(struct restore *restore, const char *folder)
{
	char *inside CLEANUP(free_p) = xstrfmt("%s/", folder);
	const char *fault = repo_path_fault(restore->repo, folder);

	if (fault)
		restore_refuse(restore, "the snapshot has the folder '%s': %s", folder, fault);
	else if (!strvec_has(&restore->now.state.empty_folders, folder))
		strvec_push(&restore->make_folders, folder);
	check_below(restore, &restore->files, inside);
}

static int plan_folders(struct restore *restore, struct error *err)
{
	const json_t *manifest = restore->request->target->manifest;
	const struct strvec *now = &restore->now.state.empty_folders;
	struct strvec then CLEANUP(strvec_release) = STRVEC_INIT;
	bool keep = restore->request->keep_untracked ||
		    json_is_false(json_object_get(manifest, "untracked"));

	if (restore->request->pathspecs)
		return 0;
	if (restore_manifest_paths(&then, manifest, "empty_folders", err) < 0)
		return -1;
	for (size_t i = 0; i < then.nr; i++)
		plan_folder(restore, then.v[i]);
	for (size_t i = 0; i < now->nr && !keep; i++)
		if (!strvec_has(&then, now->v[i]))
			strvec_push(&restore->remove_folders, now->v[i]);
	return 0;
}

/* ---- All of it ----------------------------------------------------------------------- */

/* While objects are verified the merge is made ready; it fails where one of them is missing. */
static int make_ready(struct restore *restore, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct error of_merge CLEANUP(error_release) = ERROR_INIT;

	if (restore_start_verifying(&git, restore, err) < 0)
		return -1;
	if (restore_plan_worktree(restore, &of_merge) < 0) {
		if (restore_finish_verifying(&git, err) == 0)
			error_move(err, &of_merge);
		return -1;
	}
	return restore_finish_verifying(&git, err);
}

/* The present, what differs, and what is in the way. */
static int look(struct restore *restore, struct tree_changes *ret_index, const struct strvec *also,
		struct strvec *obstacles, struct error *err)
{
	if (capture(restore, also, err) < 0 || compare(restore, ret_index, err) < 0)
		return -1;
	check_hostile(restore, &restore->files);
	check_hostile(restore, ret_index);
	if (restore->refusal.nr)
		return 0;
	if (restore_manifest_paths(&restore->absent, restore->request->target->manifest, "absent",
				   err) < 0)
		return -1;
	restore_part_sparse(restore);
	part_submodules(restore);
	if (part_left_out(restore, err) < 0)
		return -1;
	tree_changes_drop(&restore->files, RESTORE_STAYS);
	if (part_untracked(restore, err) < 0 || plan_folders(restore, err) < 0)
		return -1;
	if (restore_check_case(restore, err) < 0)
		return -1;
	return restore_look_ahead(restore, obstacles, err);
}

/* Once more where ignored files turn out to be in the way, now with them in the safety snapshot. */
static int look_twice(struct restore *restore, struct tree_changes *ret_index, struct error *err)
{
	struct strvec also CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec obstacles CLEANUP(strvec_release) = STRVEC_INIT;

	if (look(restore, ret_index, &(struct strvec)STRVEC_INIT, &also, err) < 0)
		return -1;
	if (restore->refusal.nr)
		return 0;
	if (find_newly_ignored(restore, &also, err) < 0 ||
	    restore_look_behind(restore, &also, err) < 0)
		return -1;
	if (!also.nr)
		return 0;
	strvec_sort(&also);
	import_discard(&restore->now.import);
	snapshot_capture_release(&restore->now);
	restore->now = (struct snapshot_capture)SNAPSHOT_CAPTURE_INIT;
	release_lists(restore);
	tree_changes_release(ret_index);
	if (look(restore, ret_index, &also, &obstacles, err) < 0)
		return -1;
	for (size_t i = 0; i < obstacles.nr; i++)
		restore_refuse(restore, "'%s' is in the way, and cannot be kept", obstacles.v[i]);
	return 0;
}

static void list_what_stays(struct restore *restore)
{
	for (size_t i = 0; i < restore->files.nr; i++)
		if (restore->files.item[i].flags & RESTORE_STAYS)
			strvec_push(&restore->stays, restore->files.item[i].path);
	tree_changes_drop(&restore->files, RESTORE_STAYS);
}

int restore_plan(struct restore *ret, const struct repo *repo,
		 const struct restore_request *request, struct error *err)
{
	struct tree_changes index CLEANUP(tree_changes_release) = TREE_CHANGES_INIT;

	ret->repo = repo;
	ret->request = request;
	set_up(ret);
	if (file_make_folders(request->folder, 0700, err) < 0 || restore_read_index(ret, err) < 0)
		return -1;
	if (!ret->refusal.nr && look_twice(ret, &index, err) < 0)
		return -1;
	if (ret->refusal.nr)
		return 0;
	if (find_exposed(ret, err) < 0)
		return -1;
	list_what_stays(ret);
	if (restore_plan_unconverted(ret, err) < 0 || restore_plan_attributes(ret, err) < 0 ||
	    restore_plan_raw(ret, err) < 0)
		return -1;
	if (!request->files_only && restore_plan_index(ret, &index, err) < 0)
		return -1;
	if (!request->files_only && !request->pathspecs && restore_plan_state(ret, err) < 0)
		return -1;
	if (restore_check_pathspecs(ret, err) < 0 || restore_fetch(ret, err) < 0)
		return -1;
	return make_ready(ret, err);
}
