/* SPDX-License-Identifier: MIT */
#include "vcs/worktree-parts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/memory.h"
#include "vcs/mode.h"

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
void worktree_add_hidden(struct worktree_state *state, int top, size_t known)
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
			old ? &state->entry[old - state->entry] : worktree_add_entry(state);
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
	worktree_sort_entries(state);
}

/* What git cannot store, such as a FIFO, it takes for a submodule. */
void worktree_drop_devices(struct worktree_state *state, int top)
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

void worktree_note_special(struct worktree_state *state)
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
