/* SPDX-License-Identifier: MIT */
/*
 * Steps that only git's own merge knows how to do: where a file has a merge driver of one's own,
 * where a folder may have been renamed, where contents are renormalized first, and where a file
 * was renamed and that is not to count (up to 2.49 it does all the same). `git merge-tree` does it
 * in memory (from git 2.38), on commits in a folder that is thrown away.
 *
 * The step was worked out as all others before, and stays so where this git has no such merge; of
 * what is in conflict by both, it says more than git does.
 */
#include <unistd.h>

#include "base/memory.h"
#include "vcs/git.h"
#include "vcs/revert-parts.h"

/* ---- Whether it is one --------------------------------------------------------------- */

static bool is_below(const char *path, const char *folder, size_t len)
{
	return !strncmp(path, folder, len) && path[len] == '/';
}

static int has_folder(bool *ret, struct revert_series *series, const char *tree, const char *folder,
		      struct error *err)
{
	char *name CLEANUP(free_p) = xstrfmt("%s:%s", tree, folder);

	*ret = false;
	return strchr(folder, '\n') ? 0 : object_exists(&series->state->reader, ret, name, err);
}

/* By now. True too often rather than not enough: others of its files may have gone. */
static int may_be_gone(bool *ret, struct revert_series *series, const char *folder,
		       struct error *err)
{
	const struct tree_changes *ours = &series->state->ours;
	size_t len = strlen(folder);
	bool has = false;

	*ret = false;
	for (size_t i = 0; i < ours->nr; i++) {
		if (!is_below(ours->item[i].path, folder, len))
			continue;
		if (ours->item[i].new_mode)
			return 0;
		*ret = *ret || ours->item[i].old_mode;
	}
	if (*ret)
		return 0;
	if (has_folder(&has, series, series->onto, folder, err) < 0)
		return -1;
	*ret = !has;
	return 0;
}

/*
 * Where there was a folder before that one side has no more, the other side's new file in it goes
 * where its files are. Only files that come back can be new on their side; new on ours are those
 * that are there when the folder is none of the parent's.
 */
static int is_folder_moved(bool *ret, struct revert_series *series,
			   const struct revert_source *source, const char *folder, bool comes,
			   struct error *err)
{
	bool has = false;

	*ret = false;
	if (!comes) {
		if (has_folder(&has, series, source->parent_tree, folder, err) < 0)
			return -1;
		*ret = !has;
		return 0;
	}
	if (may_be_gone(&has, series, folder, err) < 0)
		return -1;
	return has ? has_folder(ret, series, source->tree, folder, err) : 0;
}

int revert_find_moved_folder(struct revert_series *series, size_t i, struct error *err)
{
	const struct revert_source *source = &series->state->source[i];
	const struct tree_changes *changes = &series->state->pair[i].changes;
	struct strvec seen[2] = { STRVEC_INIT, STRVEC_INIT };
	bool some_come = false, *ret = &series->state->moved_folder;
	int done = 0;

	*ret = false;
	for (size_t k = 0; k < changes->nr; k++)
		some_come = some_come || (!changes->item[k].old_mode &&
					  !revert_is_kept(series->request, changes->item[k].path));
	for (size_t k = 0; k < changes->nr && some_come && !*ret && !done; k++) {
		const char *path = changes->item[k].path;
		bool comes = !changes->item[k].old_mode;

		if ((!comes && changes->item[k].new_mode) || revert_is_kept(series->request, path))
			continue;
		for (const char *end = strrchr(path, '/'); end && !*ret && !done;
		     end = memrchr(path, '/', (size_t)(end - path))) {
			char *folder CLEANUP(free_p) = xmemdupz(path, (size_t)(end - path));

			if (strvec_has(&seen[comes], folder))
				break;
			strvec_push(&seen[comes], folder);
			done = is_folder_moved(ret, series, source, folder, comes, err);
		}
	}
	strvec_release(&seen[0]);
	strvec_release(&seen[1]);
	return done;
}

static int needs_git(bool *ret, struct revert_series *series, const struct revert_step *step,
		     struct error *err)
{
	const struct revert_settings *settings;
	bool moved = series->state->moved_folder;

	*ret = false;
	for (size_t k = 0; k < step->conflicts; k++)
		*ret = *ret || step->conflict[k].kind == REVERT_DRIVER;
	if (*ret)
		return 0;
	if (!moved && !series->state->renamed && !series->state->contested && !step->conflicts)
		return 0;
	if (revert_read_settings(&settings, series, err) < 0)
		return -1;
	*ret = (moved && settings->directory_renames) ||
	       (series->state->renamed && !settings->renames) || settings->renormalize;
	return 0;
}

/* ---- What git makes of it ------------------------------------------------------------ */

/* A path that is in conflict, on one side; stages count from 0. */
struct entry {
	unsigned mode;
	char *oid, *path;
	int stage;
	bool taken;
};

enum { BASE, OURS, THEIRS, SIDES };

struct merged {
	char *folder;	   /* of the new objects */
	struct strvec env; /* that finds them */
	char *tree[2];	   /* ours before; and what it comes to */
	char *commit[SIDES];
	struct entry *entry; /* none: it is clean */
	size_t nr, alloc;
	struct object_reader reader;
};

static void merged_release(struct merged *merged)
{
	object_reader_release(&merged->reader);
	for (size_t i = 0; i < merged->nr; i++) {
		free(merged->entry[i].oid);
		free(merged->entry[i].path);
	}
	for (int i = 0; i < SIDES; i++)
		free(merged->commit[i]);
	free(merged->entry);
	free(merged->tree[0]);
	free(merged->tree[1]);
	free(merged->folder);
	strvec_release(&merged->env);
}

static void add_path(struct import_commit *commit, struct import_path *path,
		     const struct tree_change *change)
{
	path[commit->paths++] = (struct import_path){ .path = change->path,
						      .mode = change->new_mode,
						      .oid = change->new_oid };
}

/* The commit, what there is by now, and the commit's parent, but for what is kept: three commits. */
static int write_sides(struct merged *ret, struct import *import, struct revert_series *series,
		       size_t i, struct error *err)
{
	const struct revert_state *state = series->state;
	const struct tree_changes *changes[SIDES] = { NULL, &state->ours, &state->pair[i].changes };
	const char *base[SIDES] = { state->source[i].tree, series->onto, state->source[i].tree };
	unsigned mark[SIDES];

	for (int side = 0; side < SIDES; side++) {
		char *parent CLEANUP(free_p) = xstrfmt(":%u", side ? mark[BASE] : 0);
		const char *const parents = parent;
		struct import_path *path CLEANUP(free_p) =
			xcalloc(side ? changes[side]->nr : 1, sizeof(*path));
		struct import_commit commit = { .identity = "revert <revert>",
						.message = "",
						.base = base[side],
						.parent = &parents,
						.parents = side != BASE,
						.path = path };

		for (size_t k = 0; side && k < changes[side]->nr; k++)
			if (side == OURS ||
			    !revert_is_kept(series->request, changes[side]->item[k].path))
				add_path(&commit, path, &changes[side]->item[k]);
		mark[side] = import_mark(import);
		if (import_commit(import, mark[side], &commit, err) < 0)
			return -1;
	}
	if (import_tree(import, &ret->tree[0], mark[OURS], err) < 0 ||
	    import_finish(import, err) < 0)
		return -1;
	for (int side = 0; side < SIDES; side++)
		ret->commit[side] = xstrdup(import_oid(import, mark[side]));
	return 0;
}

static int import_sides(struct merged *ret, struct revert_series *series, size_t i,
			struct error *err)
{
	struct import import CLEANUP(import_release) = IMPORT_INIT;

	if (revert_work_folder(series, err) < 0)
		return -1;
	ret->folder = xstrfmt("%s/merge-%zu", series->state->folder, series->state->folders++);
	import.scratch = true;
	import_environment(&ret->env, series->repo, ret->folder);
	ret->reader.git.env = &ret->env;
	if (import_start(&import, series->repo, ret->folder, err) < 0 ||
	    revert_import(series, &import, err) < 0)
		return -1;
	return write_sides(ret, &import, series, i, err);
}

/* "<tree>\0", then for each "<mode> <id> <stage>\t<path>\0"; in front of it what drivers say. */
static bool parse(struct merged *ret, const struct strbuf *out)
{
	size_t len = strlen(out->buf), id = strlen(ret->tree[0]);
	const char *at = out->buf + len + 1;

	if (len < id)
		return false;
	ret->tree[1] = xstrdup(out->buf + len - id);
	for (; at < out->buf + out->len; at += strlen(at) + 1) {
		const char *tab = strchr(at, '\t');
		char oid[80];
		unsigned mode;
		int stage;

		if (!tab || sscanf(at, "%o %79s %d", &mode, oid, &stage) != 3 || stage < 1 ||
		    stage > SIDES)
			return false;
		ARRAY_GROW(ret->entry, ret->nr + 1, ret->alloc);
		ret->entry[ret->nr++] = (struct entry){ .mode = mode,
							.oid = xstrdup(oid),
							.stage = stage - 1,
							.path = xstrdup(tab + 1) };
	}
	return true;
}

enum { DONE = 0, UNKNOWN = 1 }; /* UNKNOWN: this git cannot do it */
static int merge(struct merged *ret, struct revert_series *series, size_t i, struct error *err)
{
	enum { CONFLICT = 1, USAGE = 129 };
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	if (import_sides(ret, series, i, err) < 0)
		return -1;
	git_prepare(&git, series->repo, &ret->env);
	strvec_pushl(&git.argv, "merge-tree", "--write-tree", "-z", "--no-messages",
		     ret->commit[OURS], ret->commit[THEIRS], NULL);
	if (process_run(&git, err) < 0)
		return -1;
	if (git.status == USAGE)
		return UNKNOWN;
	if (git.status > CONFLICT)
		return git_error(&git, err, "could not merge what commit %s has changed",
				 series->state->source[i].abbreviated);
	if (!parse(ret, &git.out))
		return error_set(err, "could not merge: git merge-tree says '%s'", git.out.buf);
	return DONE;
}

/* ---- What is new --------------------------------------------------------------------- */

/* git has made it if it is loose in its folder. */
static bool is_made(const struct merged *merged, const char *oid)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/%.2s/%s", merged->folder, oid, oid + 2);

	return access(path, F_OK) == 0;
}

static int read_made(struct merged *merged, struct revert_series *series,
		     const struct revert_side *side, struct error *err)
{
	struct strbuf data CLEANUP(strbuf_release) = STRBUF_INIT;

	if (!side->mode || side->mode == MODE_SUBMODULE || !is_made(merged, side->oid))
		return 0;
	if (object_read(&merged->reader, &data, side->oid, err) < 0)
		return -1;
	revert_add_blob(series, data.buf, data.len);
	return 0;
}

/* The sides have no names but the ids of the commits, which are those of git's markers then. */
static void add_label(struct strbuf *out, const struct merged *merged,
		      const struct revert_source *source, const char *id, size_t len)
{
	if (!strncmp(merged->commit[OURS], id, len))
		strbuf_addstr(out, "HEAD");
	else if (!strncmp(merged->commit[THEIRS], id, len))
		strbuf_addf(out, "parent of %s (%s)", source->abbreviated, source->subject);
	else if (!strncmp(merged->commit[BASE], id, len))
		strbuf_addf(out, "%s (%s)", source->abbreviated, source->subject);
	else
		strbuf_add(out, id, len);
}

static bool name_sides(struct strbuf *out, const struct merged *merged,
		       const struct revert_source *source, const struct strbuf *text)
{
	enum { SHORTEST = 4 }; /* that an id is abbreviated to */
	bool marked = false;

	for (const char *at = text->buf, *end = at + text->len; at < end;) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		const char *next = lf ? lf + 1 : end;
		size_t marker = strspn(at, (char[]){ *at, '\0' });

		if (marker >= 7 && strchr("<|>", *at) && at[marker] == ' ') {
			const char *id = at + marker + 1;
			size_t len = strspn(id, "0123456789abcdef");

			strbuf_add(out, at, marker + 1);
			if (len >= SHORTEST) {
				add_label(out, merged, source, id, len);
				marked = true;
			}
			at = len >= SHORTEST ? id + len : id;
		}
		strbuf_add(out, at, (size_t)(next - at));
		at = next;
	}
	return marked;
}

/* A blob that git has made, with our names for the sides: its id then. */
static int name_made(char **ret, bool *ret_marked, struct merged *merged,
		     struct revert_series *series, size_t i, const char *oid, struct error *err)
{
	struct strbuf data CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	if (object_read(&merged->reader, &data, oid, err) < 0)
		return -1;
	*ret_marked = name_sides(&text, merged, &series->state->source[i], &data);
	string_replace(ret, revert_add_blob(series, text.buf, text.len));
	return 0;
}

/*
 * What git would leave in the file, where that is not ours: its id; or NULL. It may well be what
 * there was once, and is in the repository then. With markers, it is new in any case.
 */
static int text_of(char **ret, bool *ret_marked, struct merged *merged,
		   struct revert_series *series, size_t i, const struct tree_changes *changes,
		   const char *path, struct error *err)
{
	const struct tree_change *change = tree_changes_find(changes, path);

	*ret_marked = false;
	if (!change || !mode_is_regular(change->new_mode))
		return 0;
	if (is_made(merged, change->new_oid))
		return name_made(ret, ret_marked, merged, series, i, change->new_oid, err);
	if (!change->old_oid || strcmp(change->old_oid, change->new_oid) != 0)
		string_replace(ret, change->new_oid);
	return 0;
}

/* ---- The step, once more ------------------------------------------------------------- */

/* One that was worked out before, and is taken back: what `ours` was. */
static void take_back(struct revert_series *series, const struct tree_changes *changes)
{
	for (size_t i = changes->nr; i-- > 0;) {
		const struct tree_change *change = &changes->item[i];
		struct tree_change *ours = revert_add_ours(series, change->path);

		ours->new_mode = change->old_mode;
		string_replace(&ours->new_oid, change->old_oid);
	}
}

static void put_again(struct revert_series *series, const struct tree_changes *changes)
{
	for (size_t i = 0; i < changes->nr; i++) {
		const struct tree_change *change = &changes->item[i];
		struct tree_change *ours = revert_add_ours(series, change->path);

		ours->new_mode = change->new_mode;
		string_replace(&ours->new_oid, change->new_oid);
	}
}

static struct entry *find_entry(struct merged *merged, const char *path, int stage)
{
	for (size_t i = 0; i < merged->nr; i++)
		if (merged->entry[i].stage == stage && !strcmp(merged->entry[i].path, path))
			return &merged->entry[i];
	return NULL;
}

static const char *path_of(const struct revert_conflict *conflict, int stage)
{
	return conflict->stage[stage].path ? conflict->stage[stage].path : conflict->path;
}

/* Has git the same one? Its entries are taken then. */
static bool is_the_same(struct merged *merged, const struct revert_conflict *conflict)
{
	struct entry *entry[SIDES] = { NULL };

	if (conflict->kind == REVERT_DRIVER)
		return false;
	for (int i = 0; i < SIDES; i++) {
		if (!conflict->stage[i].mode)
			continue;
		entry[i] = find_entry(merged, path_of(conflict, i), i);
		if (!entry[i] || entry[i]->mode != conflict->stage[i].mode ||
		    strcmp(entry[i]->oid, conflict->stage[i].oid) != 0)
			return false;
	}
	for (int i = 0; i < SIDES; i++)
		if (entry[i])
			entry[i]->taken = true;
	return true;
}

/* All paths that a conflict is about. */
static void list_paths(struct strvec *ret, const struct revert_conflict *conflict)
{
	strvec_push(ret, conflict->path);
	if (conflict->base_path)
		strvec_push(ret, conflict->base_path);
	for (int i = 0; i < SIDES; i++)
		if (conflict->stage[i].path)
			strvec_push(ret, conflict->stage[i].path);
}

struct redo {
	struct revert_series *series;
	struct revert_step *step, fast; /* fast: as it was worked out before */
	size_t i;
	struct merged merged;
	struct tree_pair pair; /* what git's merge has changed of ours */
	struct strvec claimed; /* paths of conflicts that stay as they were */
};

static void redo_release(struct redo *r)
{
	for (size_t i = 0; i < r->fast.conflicts; i++)
		revert_conflict_release(&r->fast.conflict[i]);
	free(r->fast.conflict);
	tree_changes_release(&r->fast.changes);
	tree_changes_release(&r->pair.changes);
	strvec_release(&r->claimed);
	merged_release(&r->merged);
}

/* Those that both have; git's text of them where it is not that of the contents as they are. */
static int keep_conflicts(struct redo *r, struct error *err)
{
	struct revert_step *fast = &r->fast;
	size_t left = 0;
	bool marked;

	for (size_t k = 0; k < fast->conflicts; k++) {
		struct revert_conflict *conflict = &fast->conflict[k];

		if (!is_the_same(&r->merged, conflict)) {
			fast->conflict[left++] = *conflict;
			continue;
		}
		if (r->series->state->settings.renormalize &&
		    text_of(&conflict->text, &marked, &r->merged, r->series, r->i, &r->pair.changes,
			    conflict->path, err) < 0)
			return -1;
		list_paths(&r->claimed, conflict);
		ARRAY_GROW(r->step->conflict, r->step->conflicts + 1, r->step->alloc);
		r->step->conflict[r->step->conflicts++] = *conflict;
	}
	fast->conflicts = left;
	for (size_t k = 0; k < fast->changes.nr; k++) {
		const struct tree_change *change = &fast->changes.item[k];
		const struct revert_side side = { .mode = change->new_mode,
						  .oid = change->new_oid };

		if (strvec_has(&r->claimed, change->path))
			revert_put(r->series, r->step, change->path, &side);
	}
	return 0;
}

/* `marked`: lines are in conflict. Where they are not, a text says that only the place is. */
static enum revert_conflict_kind kind_of(const struct revert_conflict *conflict, bool driver,
					 bool marked)
{
	bool has[SIDES];

	for (int i = 0; i < SIDES; i++)
		has[i] = conflict->stage[i].mode != 0;
	if (has[OURS] && has[THEIRS]) {
		if ((conflict->stage[OURS].mode & MODE_TYPE) !=
		    (conflict->stage[THEIRS].mode & MODE_TYPE))
			return REVERT_TYPE;
		if (!has[BASE])
			return REVERT_ADD_ADD;
		if (driver)
			return REVERT_DRIVER;
		return marked ? REVERT_CONTENT : conflict->text ? REVERT_LOCATION : REVERT_BINARY;
	}
	if (has[BASE] && has[OURS])
		return REVERT_MODIFY_DELETE;
	if (has[BASE] && has[THEIRS])
		return REVERT_DELETE_MODIFY;
	return has[BASE] ? REVERT_RENAME_RENAME : REVERT_LOCATION;
}

/* Where a file was that git has put into another folder. */
static const char *moved_from(const struct redo *r, const struct revert_conflict *conflict)
{
	bool theirs = conflict->stage[THEIRS].mode != 0;
	const struct tree_changes *changes =
		theirs ? &r->series->state->pair[r->i].changes : &r->pair.changes;

	for (size_t k = 0; k < changes->nr; k++) {
		const struct tree_change *change = &changes->item[k];

		if (theirs ? !change->old_mode &&
				     !strcmp(change->new_oid, conflict->stage[THEIRS].oid) :
			     !change->new_mode &&
				     !strcmp(change->old_oid, conflict->stage[OURS].oid))
			return change->path;
	}
	return NULL;
}

static bool is_new_text(const struct merged *merged, const struct entry *entry)
{
	return mode_is_regular(entry->mode) && is_made(merged, entry->oid);
}

/* A stage may be a merge of its own, where a file has gone to two places: with markers. */
static int add_stage(struct redo *r, struct revert_conflict *conflict, struct entry *entry,
		     struct error *err)
{
	bool marked;

	if (is_new_text(&r->merged, entry) &&
	    name_made(&entry->oid, &marked, &r->merged, r->series, r->i, entry->oid, err) < 0)
		return -1;
	const struct revert_side side = { .mode = entry->mode, .oid = entry->oid };
	entry->taken = true;
	revert_add_stage(conflict, entry->stage, &side);
	if (entry->stage == OURS)
		revert_put(r->series, r->step, conflict->path, &side);
	return 0;
}

/* Of a path that git has in conflict otherwise than we had. */
static int add_conflict(struct redo *r, const char *path, struct error *err)
{
	struct revert_conflict *conflict =
		revert_add_conflict(r->series, r->step, REVERT_CONTENT, path);
	bool driver = false, marked = false;

	for (int stage = 0; stage < SIDES; stage++) {
		struct entry *entry = find_entry(&r->merged, path, stage);

		if (entry && add_stage(r, conflict, entry, err) < 0)
			return -1;
	}
	if (revert_has_driver(&driver, r->series, path, err) < 0)
		return -1;
	if (conflict->stage[OURS].mode && conflict->stage[THEIRS].mode &&
	    text_of(&conflict->text, &marked, &r->merged, r->series, r->i, &r->pair.changes, path,
		    err) < 0)
		return -1;
	conflict->kind = kind_of(conflict, driver, marked);
	if (conflict->kind == REVERT_LOCATION)
		conflict->base_path = xstrdup_or_null(moved_from(r, conflict));
	/* One of the places that a file has gone to. */
	if (conflict->kind == REVERT_LOCATION && !conflict->base_path && !conflict->text)
		conflict->kind = REVERT_RENAME_RENAME;
	strvec_push(&r->claimed, path);
	return 0;
}

/* What has not been in the way of anything. */
static int take_clean(struct redo *r, struct error *err)
{
	for (size_t k = 0; k < r->pair.changes.nr; k++) {
		const struct tree_change *change = &r->pair.changes.item[k];
		const struct revert_side side = { .mode = change->new_mode,
						  .oid = change->new_oid };

		if (strvec_has(&r->claimed, change->path))
			continue;
		if (read_made(&r->merged, r->series, &side, err) < 0)
			return -1;
		revert_put(r->series, r->step, change->path, &side);
	}
	return 0;
}

/* Paths that we have not looked at yet are in ours as they are in `onto`. */
static void learn_paths(struct redo *r)
{
	for (size_t k = 0; k < r->pair.changes.nr; k++) {
		const struct tree_change *change = &r->pair.changes.item[k];
		struct tree_change *ours;

		if (tree_changes_find(&r->series->state->ours, change->path))
			continue;
		ours = revert_add_ours(r->series, change->path);
		ours->old_mode = ours->new_mode = change->old_mode;
		ours->old_oid = xstrdup_or_null(change->old_oid);
		ours->new_oid = xstrdup_or_null(change->old_oid);
	}
}

static int redo(struct redo *r, struct error *err)
{
	r->pair.old_tree = r->merged.tree[0];
	r->pair.new_tree = r->merged.tree[1];
	if (tree_pairs_compare(&r->pair, 1, NULL, 0, &r->merged.env, err) < 0)
		return -1;
	learn_paths(r);
	if (keep_conflicts(r, err) < 0)
		return -1;
	for (size_t k = 0; k < r->merged.nr; k++)
		if (!r->merged.entry[k].taken && add_conflict(r, r->merged.entry[k].path, err) < 0)
			return -1;
	return take_clean(r, err);
}

int revert_by_git(struct revert_series *series, struct revert_step *step, size_t i,
		  struct error *err)
{
	struct redo r CLEANUP(redo_release) = {
		.series = series, .step = step, .i = i, .merged.reader = OBJECT_READER_INIT
	};
	bool needed = false;
	int done;

	if (!series->state->without_git && needs_git(&needed, series, step, err) < 0)
		return -1;
	if (!needed)
		return 0;
	r.fast = *step;
	step->changes = (struct tree_changes)TREE_CHANGES_INIT;
	step->conflict = NULL;
	step->conflicts = step->alloc = 0;
	take_back(series, &r.fast.changes);
	done = merge(&r.merged, series, i, err);
	if (done != UNKNOWN)
		return done < 0 ? -1 : redo(&r, err);
	series->state->without_git = true;
	put_again(series, &r.fast.changes);
	step->changes = r.fast.changes;
	step->conflict = r.fast.conflict;
	step->conflicts = r.fast.conflicts;
	step->alloc = r.fast.alloc;
	r.fast = (struct revert_step){ 0 };
	return 0;
}
