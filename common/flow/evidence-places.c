/* SPDX-License-Identifier: MIT */
/* Where documents of the workflow are, and where they once were. */
#include "base/memory.h"
#include "flow/evidence-parts.h"
#include "vcs/object.h"
#include "workflow/layout.h"

/* ---- By now --------------------------------------------------------------------------- */

static bool starts_with(const char *path, const char *folder)
{
	return !strncmp(path, folder, strlen(folder));
}

bool evidence_is_document(const struct evidence *e, const char *path)
{
	for (size_t i = 0; i < e->paths.nr; i++) {
		const char *place = e->paths.v[i];
		size_t len = strlen(place);

		if (place[len - 1] == '/' ? starts_with(path, place) : !strcmp(path, place))
			return true;
	}
	return false;
}

static void add_place(struct evidence *e, const char *folder, const char *file)
{
	char *path CLEANUP(free_p) = file ? xstrdup(file) : xstrfmt("%s/", folder);

	if (*path != '/' && !strvec_has(&e->paths, path))
		strvec_push(&e->paths, path);
}

/* The folder that a path is in; NULL at the top. */
static char *parent_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? xmemdupz(path, (size_t)(slash - path)) : NULL;
}

/* True: it is a new one. */
static bool add_old_place(struct evidence *e, const char *place)
{
	if (strvec_has(&e->paths, place))
		return false;
	strvec_push(&e->paths, place);
	strvec_push(&e->old, place);
	return true;
}

/* A home at the top of the worktree is not all of it: then it is the folders of the tracks. */
void evidence_find_places(struct evidence *e)
{
	const struct unit *only = e->request.only;

	for (size_t i = 0; i < e->tracks->stories.lists; i++)
		add_place(e, NULL, e->tracks->stories.list[i].path);
	if (only && only->kind == UNIT_STORY)
		return;
	for (size_t i = 0; i < e->tracks->nr; i++) {
		const struct track *track = &e->tracks->item[i];
		char *above CLEANUP(free_p) = track->folder ? parent_folder(track->folder) : NULL;

		if (track->home && *track->home)
			add_place(e, track->home, NULL);
		else if (above)
			add_place(e, above, NULL);
		else if (track->folder)
			add_place(e, track->folder, NULL);
		if (track->plan.path && !evidence_is_document(e, track->plan.path))
			add_place(e, NULL, track->plan.path);
	}
	for (size_t i = 0; i < e->tracks->registries; i++)
		if (!evidence_is_document(e, e->tracks->registry[i].path))
			add_place(e, NULL, e->tracks->registry[i].path);
}

/* ---- Before they were moved ----------------------------------------------------------- */

/* "tracks/x/plan.md" of "conductor/tracks/x/plan.md": what is behind the place that has it. */
static const char *path_in_place(const struct evidence *e, const char *path)
{
	const char *ret = layout_name(path);

	for (size_t i = 0; i < e->paths.nr; i++) {
		const char *place = e->paths.v[i];
		size_t len = strlen(place);

		if (place[len - 1] == '/' && starts_with(path, place) && path + len < ret)
			ret = path + len;
	}
	return ret;
}

/* The last two names of a path: "x/plan.md". */
static const char *last_two(const char *path)
{
	const char *ret = layout_name(path);

	if (ret == path)
		return ret;
	for (ret--; ret > path && ret[-1] != '/';)
		ret--;
	return ret;
}

static bool ends_in(const char *path, const char *end)
{
	size_t len = strlen(path), n = strlen(end);

	return len > n && path[len - n - 1] == '/' && !strcmp(path + len - n, end);
}

/* Has a document come to `to` from `from`? */
static bool is_move(const struct log_change *from, const struct log_change *to)
{
	return from->status == 'D' && !strcmp(layout_name(from->path), layout_name(to->path)) &&
	       (!strcmp(from->old_oid, to->new_oid) ||
		!strcmp(last_two(from->path), last_two(to->path)));
}

/*
 * The folder of all documents, where it is called as the layouts call it; else that of the tracks:
 * what is around may be anything. A registry is alone.
 */
static void note_place(struct evidence *e, const char *from, const char *to)
{
	const char *inner = path_in_place(e, to);
	char *folder CLEANUP(free_p) = layout_parent(from);
	char *above CLEANUP(free_p) = layout_parent(folder);
	char *home CLEANUP(free_p) = NULL, *place CLEANUP(free_p) = NULL;

	if (ends_in(from, inner))
		home = xmemdupz(from, strlen(from) - strlen(inner) - 1);
	if (home && layout_is_home(home))
		place = xstrfmt("%s/", home);
	else if (!strcmp(last_two(from), from) || strcmp(layout_name(from), "plan.md") != 0)
		place = xstrdup(from);
	else
		place = xstrfmt("%s/", *above ? above : folder);
	if (!strvec_has(&e->moved, place))
		strvec_push(&e->moved, place);
}

void evidence_note_moves(struct evidence *e, const struct log_commit *commit)
{
	for (size_t i = 0; i < commit->changes; i++) {
		const struct log_change *to = &commit->change[i];

		if (to->status != 'A' || !source_is_document(to->path) ||
		    !strcmp(layout_name(to->path), "metadata.json") ||
		    !evidence_is_document(e, to->path))
			continue;
		for (size_t k = 0; k < commit->changes; k++)
			if (is_move(&commit->change[k], to) &&
			    !evidence_is_document(e, commit->change[k].path))
				note_place(e, commit->change[k].path, to->path);
	}
}

/*
 * Documents that were copied, or changed too much while they were moved, may have come from where
 * the layouts usually have them: that was there before. To look there in any case is dear: git walks
 * for one path twice as fast as for three, and it has Bloom filters for one alone.
 */
int evidence_note_usual(struct evidence *e, struct error *err)
{
	static const char *const usual[] = { "conductor/", ".conductor/", "storage-conductor/" };
	const struct unit *only = e->request.only;
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	uint32_t last = NO_COMMIT;

	if (!e->tracks->nr || (only && only->kind == UNIT_STORY))
		return 0;
	for (size_t i = 0; i < e->changes; i++) {
		const struct doc_change *change = &e->change[i];

		if (change->status != 'A' || change->commit == last ||
		    !source_is_document(change->path))
			continue;
		last = change->commit;
		for (size_t k = 0; k < ARRAY_SIZE(usual) && e->commit[last].parent; k++) {
			char *name CLEANUP(free_p) =
				xstrfmt("%s:%s", e->commit[last].parent, usual[k]);

			if (!evidence_is_document(e, usual[k]))
				objects_add(&objects, name);
		}
	}
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < objects.nr; i++) {
		const char *place = strchr(objects.item[i].name, ':') + 1;

		if (objects.item[i].oid && !strvec_has(&e->moved, place))
			strvec_push(&e->moved, place);
	}
	return 0;
}

bool evidence_add_moves(struct evidence *e)
{
	bool any = false;

	for (size_t i = 0; i < e->moved.nr; i++)
		any |= add_old_place(e, e->moved.v[i]);
	strvec_release(&e->moved);
	return any;
}

/* ---- Lists of stories ----------------------------------------------------------------- */

/* How near a file is to a list: by the folders that they have in common, then by being below it. */
static size_t nearness(const char *list, const char *path)
{
	const char *end = layout_name(list);
	size_t folders = 0, at = 0;

	for (; list + at < end && list[at] == path[at]; at++)
		folders += list[at] == '/';
	return 2 * folders + (list + at == end);
}

void evidence_note_list(const struct evidence *e, struct known_commit *known, const char *path)
{
	const struct stories *stories = &e->tracks->stories;
	size_t best = NO_INDEX, most = 0;
	bool tie = false;

	for (size_t i = 0; stories->lists > 1 && i < stories->lists; i++) {
		size_t near = stories->list[i].archived ? 0 : nearness(stories->list[i].path, path);

		tie = near == most ? near > 0 : near < most && tie;
		if (near > most) {
			best = i;
			most = near;
		}
	}
	if (tie || best == NO_INDEX || (known->list != NO_INDEX && known->list != best))
		known->lists = true;
	else
		known->list = best;
}
