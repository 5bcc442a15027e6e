/* SPDX-License-Identifier: MIT */
/* What commits did to the folders of tracks, to their entries in registries, and to stories. */
#include "base/memory.h"
#include "base/text.h"
#include "flow/evidence-parts.h"
#include "vcs/object.h"
#include "workflow/layout.h"

#define AT_ONCE 100 /* documents in memory */

/* ---- Folders -------------------------------------------------------------------------- */

/* The name of the folder that a plan is in; free() it. */
static char *folder_name(const char *plan)
{
	char *folder CLEANUP(free_p) = layout_parent(plan);

	return xstrdup(layout_name(folder));
}

size_t evidence_track_of_path(const struct evidence *e, const char *path)
{
	size_t exact = tracks_find_by_path(e->tracks, path);

	for (size_t t = 0; exact == NO_INDEX && t < e->tracks->nr; t++) {
		const char *folder = e->tracks->item[t].folder;
		char *middle CLEANUP(free_p) = folder ? xstrfmt("/%s/", layout_name(folder)) : NULL;

		if (middle && strstr(path, middle))
			return t;
	}
	for (size_t i = 0; exact == NO_INDEX && i < e->aliases; i++) {
		char *folder CLEANUP(free_p) = layout_parent(e->alias[i].plan);

		if (layout_is_below(path, folder))
			return e->alias[i].track;
	}
	return exact;
}

size_t evidence_track_of_change(const struct evidence *e, size_t change)
{
	size_t tenant = evidence_tenant(e, change);

	return tenant != NO_INDEX ? tenant : evidence_track_of_path(e, e->change[change].path);
}

/* What one commit did to one track's folder. */
struct touch {
	uint32_t commit;
	size_t track;
	bool added, archived, from_archive;
};
struct touches {
	struct touch *item;
	size_t nr, alloc;
};

static void touches_release(struct touches *touches)
{
	free(touches->item);
}

static void add_touch(struct touches *ret, const struct doc_change *change, size_t track)
{
	struct touch *touch = NULL;

	for (size_t i = ret->nr; i && ret->item[i - 1].commit == change->commit && !touch; i--)
		if (ret->item[i - 1].track == track)
			touch = &ret->item[i - 1];
	if (!touch) {
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		touch = &ret->item[ret->nr++];
		*touch = (struct touch){ .commit = change->commit, .track = track };
	}
	if (change->status == 'A') {
		touch->added = true;
		touch->archived |= strstr(change->path, "archive") != NULL;
	} else if (change->status == 'D') {
		touch->from_archive |= strstr(change->path, "archive") != NULL;
	}
}

static size_t count_tracks(const struct touches *touches, uint32_t commit)
{
	size_t nr = 0;

	for (size_t i = 0; i < touches->nr; i++)
		nr += touches->item[i].commit == commit;
	return nr;
}

static const struct mark *mark_of(const struct evidence *e, const struct touch *touch)
{
	for (size_t i = evidence_first_mark(e, touch->commit);
	     i < e->marks && e->mark[i].commit == touch->commit; i++)
		if (e->mark[i].track == touch->track)
			return &e->mark[i];
	return NULL;
}

/* Is all that was ever done in the plan done by then? */
static bool is_behind_work(const struct evidence *e, const struct touch *touch)
{
	bool any = false;

	for (size_t i = 0; i < e->marks; i++) {
		const struct mark *mark = &e->mark[i];

		if (mark->track != touch->track)
			continue;
		for (size_t k = 0; k < mark->parts; k++)
			if (mark->part[k].flags & MARK_FINISHED) {
				any = true;
				if (mark->commit < touch->commit) /* newer */
					return false;
			}
	}
	return any;
}

static void claim_creation(struct evidence *e, const struct touch *touch, size_t tracks)
{
	const struct known_commit *commit = &e->commit[touch->commit];
	bool sure = (!commit->code || commit_is_called_bookkeeping(commit)) && tracks == 1;

	claim_add(e, touch->commit, unit_of_track(touch->track), EVIDENCE_FOLDER,
		  sure ? EVIDENCE_CERTAIN : EVIDENCE_LIKELY,
		  touch->archived ? ROLE_CLOSING : ROLE_CREATION, "creates the track's folder%s",
		  commit->code ? ", and changes other files" :
		  tracks > 1   ? ", and other tracks'" :
				 "");
}

static void claim_touch(struct evidence *e, const struct touch *touch, size_t tracks)
{
	const struct known_commit *commit = &e->commit[touch->commit];
	const struct mark *mark = mark_of(e, touch);
	bool moved = mark ? mark->moved || mark->removed : touch->added && touch->archived;
	enum evidence_level level = commit->code ? EVIDENCE_LIKELY : EVIDENCE_CERTAIN;

	if (commit->reverts)
		return;
	/* Several are archived together; else it is a move of all documents. */
	if ((tracks > 1 && !(moved && touch->archived && !touch->from_archive)) ||
	    evidence_names_other(e, touch->commit, touch->track))
		level = EVIDENCE_LIKELY;
	if (moved) {
		claim_add(e, touch->commit, unit_of_track(touch->track), EVIDENCE_FOLDER, level,
			  ROLE_CLOSING, "moves or removes the track's folder");
		return;
	}
	if (mark) /* the plan tells more */
		return;
	claim_add(e, touch->commit, unit_of_track(touch->track), EVIDENCE_FOLDER, level,
		  is_behind_work(e, touch) ? ROLE_CLOSING : ROLE_PLAN,
		  "changes files in the track's folder");
}

static void claim_folders(struct evidence *e)
{
	struct touches touches CLEANUP(touches_release) = { 0 };
	bool *created CLEANUP(free_p) = xcalloc(e->tracks->nr + 1, sizeof(*created));

	for (size_t i = 0; i < e->changes; i++) {
		size_t track = evidence_track_of_change(e, i);

		if (track != NO_INDEX)
			add_touch(&touches, &e->change[i], track);
	}
	for (size_t i = touches.nr; i--;) { /* the oldest first */
		const struct touch *touch = &touches.item[i];
		size_t tracks = count_tracks(&touches, touch->commit);

		if (!created[touch->track] && touch->added)
			claim_creation(e, touch, tracks);
		else
			claim_touch(e, touch, tracks);
		created[touch->track] = true;
	}
}

/* ---- Pairs of versions ---------------------------------------------------------------- */

struct pair {
	const struct doc_change *change;
	const char *old_oid;
	size_t old, new; /* in the objects; NO_INDEX: none */
};
typedef void pair_fn(struct evidence *e, const struct doc_change *change, const struct strbuf *old,
		     const struct strbuf *new);

/* What was there before: where the file came from another place, that. */
static const char *old_version(const struct evidence *e, size_t at)
{
	const struct doc_change *change = &e->change[at];

	if (change->old_oid)
		return change->old_oid;
	while (at && e->change[at - 1].commit == change->commit)
		at--;
	for (; at < e->changes && e->change[at].commit == change->commit; at++)
		if (e->change[at].status == 'D' &&
		    !strcmp(layout_name(e->change[at].path), layout_name(change->path)))
			return e->change[at].old_oid;
	return NULL;
}

static const struct strbuf *text_at(const struct objects *objects, size_t i)
{
	return i == NO_INDEX || !objects->item[i].oid || objects->item[i].data.len > DOCUMENT_MAX ?
		       NULL :
		       &objects->item[i].data;
}

static int compare_some(struct evidence *e, struct pair *pair, size_t nr, pair_fn *fn,
			struct error *err)
{
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;

	for (size_t i = 0; i < nr; i++) {
		pair[i].old = pair[i].old_oid ? objects_add(&objects, pair[i].old_oid) : NO_INDEX;
		pair[i].new = pair[i].change->new_oid ?
				      objects_add(&objects, pair[i].change->new_oid) :
				      NO_INDEX;
	}
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < nr; i++)
		fn(e, pair[i].change, text_at(&objects, pair[i].old),
		   text_at(&objects, pair[i].new));
	return 0;
}

/* Does a file come elsewhere in the same commit that is called as the one which goes? */
static bool goes_elsewhere(const struct evidence *e, size_t at)
{
	const struct doc_change *gone = &e->change[at];

	while (at && e->change[at - 1].commit == gone->commit)
		at--;
	for (; at < e->changes && e->change[at].commit == gone->commit; at++)
		if (e->change[at].status == 'A' &&
		    !strcmp(layout_name(e->change[at].path), layout_name(gone->path)))
			return true;
	return false;
}

/* Calls fn for each change of such a file, the oldest first. */
static int compare_versions(struct evidence *e,
			    bool (*wanted)(const struct evidence *, const char *), pair_fn *fn,
			    struct error *err)
{
	struct pair pair[AT_ONCE];
	size_t nr = 0;

	for (size_t i = e->changes; i--;) {
		const struct doc_change *change = &e->change[i];

		if (!wanted(e, change->path) || (change->status == 'D' && goes_elsewhere(e, i)))
			continue;
		pair[nr++] = (struct pair){ .change = change, .old_oid = old_version(e, i) };
		if (nr == AT_ONCE) {
			if (compare_some(e, pair, nr, fn, err) < 0)
				return -1;
			nr = 0;
		}
	}
	return nr ? compare_some(e, pair, nr, fn, err) : 0;
}

/* ---- Registries ----------------------------------------------------------------------- */

static bool is_registry(const struct evidence *e, const char *path)
{
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	for (size_t i = 0; i < e->tracks->registries; i++)
		if (!strcmp(e->tracks->registry[i].path, path))
			return true;
	return !strcmp(name, "tracks.md");
}

/* Is the track called so, or was it? */
static bool is_called(const struct evidence *e, size_t t, const char *id)
{
	const struct track *track = &e->tracks->item[t];
	bool ret = !strcasecmp(id, track->id) ||
		   (track->folder && !strcasecmp(id, layout_name(track->folder)));

	for (size_t i = 0; i < e->aliases && !ret; i++) {
		char *name CLEANUP(free_p) =
			e->alias[i].track == t ? folder_name(e->alias[i].plan) : NULL;

		ret = name && !strcasecmp(id, name);
	}
	return ret;
}

/* Among `nr` entries, from that one on. */
static const struct registry_entry *find_entry(const struct evidence *e,
					       const struct registry *registry, size_t from,
					       size_t nr, size_t t)
{
	const struct track *track = &e->tracks->item[t];

	for (size_t i = from; i < from + nr; i++)
		if (registry->entry[i].id && is_called(e, t, registry->entry[i].id))
			return &registry->entry[i];
	for (size_t i = from; i < from + nr; i++)
		if (!registry->entry[i].id && *registry->entry[i].title &&
		    !strcasecmp(registry->entry[i].title, track->description))
			return &registry->entry[i];
	return NULL;
}

static bool same_entry(const struct registry_entry *a, const struct registry_entry *b)
{
	return a->state == b->state && a->archived == b->archived && !strcmp(a->title, b->title) &&
	       !a->id == !b->id && (!a->id || !strcmp(a->id, b->id));
}

/*
 * The entries that may differ: most changes of a registry are of one, and to look all of them up for
 * each track and change would take long where there are hundreds.
 */
struct difference {
	size_t from;	      /* so many are the same in front */
	size_t before, after; /* so many are there then; and those behind are the same again */
};

static struct difference compare_entries(const struct registry *before,
					 const struct registry *after)
{
	const struct registry_entry *was = before->entry, *is = after->entry;
	struct difference d = { 0, before->nr, after->nr };

	for (; d.before && d.after && same_entry(&was[d.from], &is[d.from]); d.from++) {
		d.before--;
		d.after--;
	}
	while (d.before && d.after &&
	       same_entry(&was[d.from + d.before - 1], &is[d.from + d.after - 1])) {
		d.before--;
		d.after--;
	}
	return d;
}

static void claim_entry(struct evidence *e, const struct doc_change *change, size_t track,
			enum evidence_role role, enum evidence_level level, const char *what)
{
	/* Whoever registers a track, or archives it, often tidies up others' entries. */
	if (e->commit[change->commit].code || evidence_names_other(e, change->commit, track))
		level = EVIDENCE_LIKELY;
	if (!e->commit[change->commit].reverts)
		claim_add(e, change->commit, unit_of_track(track), EVIDENCE_FOLDER, level, role,
			  "%s in the registry", what);
}

static void compare_registries(struct evidence *e, const struct doc_change *change,
			       const struct strbuf *old, const struct strbuf *new)
{
	struct registry before CLEANUP(registry_release) = REGISTRY_INIT;
	struct registry after CLEANUP(registry_release) = REGISTRY_INIT;
	struct difference difference;
	size_t come, gone;

	if (old)
		registry_parse(&before, change->path, old->buf, old->len);
	if (new)
		registry_parse(&after, change->path, new->buf, new->len);
	come = after.nr > before.nr ? after.nr - before.nr : 0;
	gone = before.nr > after.nr ? before.nr - after.nr : 0;
	difference = compare_entries(&before, &after);
	for (size_t t = 0; t < e->tracks->nr; t++) {
		const struct registry_entry *was, *is;

		if (!find_entry(e, &before, difference.from, difference.before, t) &&
		    !find_entry(e, &after, difference.from, difference.after, t))
			continue;
		was = find_entry(e, &before, 0, before.nr, t);
		is = find_entry(e, &after, 0, after.nr, t);
		if (!was && is)
			claim_entry(e, change, t, ROLE_CREATION,
				    come == 1 ? EVIDENCE_CERTAIN : EVIDENCE_LIKELY, "enters it");
		else if (was && !is)
			claim_entry(e, change, t, ROLE_CLOSING,
				    new || gone <= 1 ? EVIDENCE_CERTAIN : EVIDENCE_LIKELY,
				    "removes it");
		else if (was && is && was->state != is->state)
			claim_entry(e, change, t, is->state == UNIT_DONE ? ROLE_CLOSING : ROLE_PLAN,
				    EVIDENCE_CERTAIN, "changes its state");
		else if (was && is && was->archived != is->archived)
			claim_entry(e, change, t, ROLE_CLOSING, EVIDENCE_CERTAIN, "archives it");
	}
}

/* ---- Stories -------------------------------------------------------------------------- */

/* The list that a file is, or was: where there are several, only by its path as it is now. */
static size_t story_list_of(const struct evidence *e, const char *path)
{
	const struct stories *stories = &e->tracks->stories;
	size_t list = stories_find_list(stories, path);

	if (list == NO_INDEX && stories->lists == 1 && evidence_is_document(e, path) &&
	    !strcmp(layout_name(path), layout_name(stories->list[0].path)))
		list = 0;
	return list;
}

static bool is_stories(const struct evidence *e, const char *path)
{
	return story_list_of(e, path) != NO_INDEX;
}

static const struct story *find_story(const struct stories *stories, const char *id)
{
	for (size_t i = 0; i < stories->nr; i++)
		if (!strcmp(stories->item[i].id, id))
			return &stories->item[i];
	return NULL;
}

/* Is it the same story, perhaps in other words? Of an id alone that cannot be said. */
static bool is_same_story(const struct story *a, const struct story *b)
{
	return !strcasecmp(a->title, b->title) ||
	       3 * common_words(a->title, b->title) > 2 * common_words(b->title, b->title);
}

/* The versions come from the oldest on. */
static void follow_stories(struct evidence *e, const struct doc_change *change,
			   const struct stories *before, const struct stories *after)
{
	const struct stories *now = &e->tracks->stories;
	size_t list = story_list_of(e, change->path);

	for (size_t i = 0; i < now->nr; i++) {
		if (now->item[i].list != list)
			continue;
		const struct story *was = find_story(before, now->item[i].id);
		const struct story *is = find_story(after, now->item[i].id);
		struct story_life *life = &e->story[i];

		if (is && !is_same_story(is, &now->item[i]))
			life->reused = true;
		else if (is && life->reused && !(was && is_same_story(was, &now->item[i])))
			life->begun = change->commit;
	}
}

/* Does the version say of a story that it is done, and the one before did not? */
static bool finishes(const struct stories *before, const struct stories *after,
		     const struct story *story)
{
	const struct story *was = find_story(before, story->id);
	const struct story *is = find_story(after, story->id);

	return is && is->state == UNIT_DONE && is_same_story(is, story) &&
	       !(was && was->state == UNIT_DONE && is_same_story(was, story));
}

/* The stories that a version finishes: each gets the commit, for sure where it is the only one. */
static void claim_stories(struct evidence *e, const struct doc_change *change,
			  const struct stories *before, const struct stories *after)
{
	const struct stories *now = &e->tracks->stories;
	size_t list = story_list_of(e, change->path), nr = 0;
	uint32_t commit = change->commit;
	bool code = e->commit[commit].code;

	for (size_t i = 0; i < now->nr; i++)
		nr += now->item[i].list == list && finishes(before, after, &now->item[i]);
	for (size_t i = 0; i < now->nr; i++)
		if (now->item[i].list == list && finishes(before, after, &now->item[i]))
			claim_add(e, commit, unit_of_story(i), EVIDENCE_STORIES,
				  nr == 1 || !code ? EVIDENCE_CERTAIN : EVIDENCE_LIKELY,
				  code ? ROLE_IMPLEMENTATION : ROLE_PLAN, "marks %s as done",
				  nr > 1 ? "it, and others," : "it");
}

static void compare_stories(struct evidence *e, const struct doc_change *change,
			    const struct strbuf *old, const struct strbuf *new)
{
	struct stories before CLEANUP(stories_release) = STORIES_INIT;
	struct stories after CLEANUP(stories_release) = STORIES_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (!new)
		return;
	if (stories_parse(&after, change->path, new->buf, new->len, &err) == 0 &&
	    (!old || stories_parse(&before, change->path, old->buf, old->len, &err) == 0)) {
		follow_stories(e, change, &before, &after);
		if (!e->commit[change->commit].reverts)
			claim_stories(e, change, &before, &after);
	}
}

int evidence_read_folders(struct evidence *e, struct error *err)
{
	e->story = xcalloc(e->tracks->stories.nr + 1, sizeof(*e->story));
	for (size_t i = 0; i < e->tracks->stories.nr; i++)
		e->story[i].begun = NO_COMMIT;
	claim_folders(e);
	if (compare_versions(e, is_registry, compare_registries, err) < 0)
		return -1;
	return compare_versions(e, is_stories, compare_stories, err);
}
