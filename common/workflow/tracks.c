/* SPDX-License-Identifier: MIT */
#include "workflow/tracks.h"

#include <strings.h>

#include "base/memory.h"
#include "workflow/layout.h"
#include "workflow/markdown.h"

void tracks_release(struct tracks *tracks)
{
	for (size_t i = 0; i < tracks->nr; i++) {
		struct track *track = &tracks->item[i];

		free(track->id);
		free(track->description);
		free(track->folder);
		free(track->home);
		free(track->entry);
		plan_document_release(&track->plan);
		metadata_release(&track->metadata);
	}
	free(tracks->item);
	for (size_t i = 0; i < tracks->registries; i++)
		registry_release(&tracks->registry[i]);
	free(tracks->registry);
	stories_release(&tracks->stories);
	document_problems_release(&tracks->problem);
	*tracks = (struct tracks)TRACKS_INIT;
}

/* ---- Reading one document ------------------------------------------------------------ */

/* Where the tracks come from, while they are read. */
struct gathering {
	struct tracks *tracks;
	struct document_source *source;
	const struct strvec *paths; /* of all documents, sorted */
	struct layout layout;
	size_t *track_of; /* of each folder of the layout: the track, or NO_INDEX */
	bool **placed;	  /* of each registry, of each entry: it has a track */
};

/* The line of a place "file:line:column". */
static size_t line_of(const char *place)
{
	const char *column = place ? strrchr(place, ':') : NULL;

	while (column && column > place && column[-1] != ':')
		column--;
	return column ? (size_t)strtoull(column, NULL, 10) : 0;
}

/* The problem has the path by itself. */
static void report(struct tracks *tracks, const char *path, const struct error *err)
{
	char *prefix CLEANUP(free_p) = xstrfmt("cannot read '%s': ", path);
	size_t skip = strncmp(err->message, prefix, strlen(prefix)) ? 0 : strlen(prefix);

	document_problems_add(&tracks->problem, path, line_of(err->place), "%s",
			      err->message + skip);
}

/* False, and perhaps a problem, when it cannot be read. Nothing writes a NUL into a text. */
static bool read_document(struct gathering *g, struct strbuf *ret, const char *path)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	int found = path ? g->source->read(g->source, path, ret, &err) : SOURCE_MISSING;

	if (found == SOURCE_FOUND && memchr(ret->buf, '\0', ret->len))
		found = error_set(&err, "it is no text: it has a NUL byte in it");
	if (found < 0)
		report(g->tracks, path, &err);
	return found == SOURCE_FOUND;
}

static void read_plan(struct gathering *g, struct track *track, const char *path)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	if (read_document(g, &text, path))
		plan_document_parse(&track->plan, path, text.buf, text.len);
	track->unread = path && !track->plan.path;
}

static void read_metadata(struct gathering *g, struct track *track, const char *path)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (read_document(g, &text, path) &&
	    metadata_parse(&track->metadata, path, text.buf, text.len, &err) < 0)
		report(g->tracks, path, &err);
}

static void read_stories(struct gathering *g)
{
	for (size_t i = 0; i < g->layout.stories.nr; i++) {
		struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
		struct error err CLEANUP(error_release) = ERROR_INIT;
		const char *path = g->layout.stories.v[i];

		if (read_document(g, &text, path) &&
		    stories_parse(&g->tracks->stories, path, text.buf, text.len, &err) < 0)
			report(g->tracks, path, &err);
	}
	stories_name(&g->tracks->stories);
}

static void read_registry(struct gathering *g, const char *path)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct tracks *tracks = g->tracks;

	if (!read_document(g, &text, path))
		return;
	ARRAY_GROW(tracks->registry, tracks->registries + 1, tracks->registries_alloc);
	registry_parse(&tracks->registry[tracks->registries++], path, text.buf, text.len);
}

/* ---- Tracks -------------------------------------------------------------------------- */

static bool is_archived(const struct layout_folder *folder)
{
	const char *rest = folder->path + strlen(folder->home);

	return strstr(rest, "archive/") || strstr(rest, "archived/");
}

static size_t add_track(struct gathering *g, size_t folder, const char *id)
{
	struct tracks *tracks = g->tracks;
	struct track *track;

	ARRAY_GROW(tracks->item, tracks->nr + 1, tracks->alloc);
	track = &tracks->item[tracks->nr++];
	*track = (struct track){ .state = UNIT_OTHER };
	if (folder != NO_INDEX) {
		const struct layout_folder *it = &g->layout.folder[folder];

		track->folder = xstrdup(it->path);
		track->home = xstrdup(it->home);
		track->archived = is_archived(it);
		read_plan(g, track, it->plan);
		read_metadata(g, track, it->metadata);
		g->track_of[folder] = tracks->nr - 1;
		id = layout_name(it->path);
	}
	track->id = xstrdup(id);
	return tracks->nr - 1;
}

static void add_entry(struct gathering *g, size_t index, size_t registry, size_t entry)
{
	struct track *track = &g->tracks->item[index];
	const struct registry_entry *it = &g->tracks->registry[registry].entry[entry];

	ARRAY_GROW(track->entry, track->entries + 1, track->entries_alloc);
	track->entry[track->entries++] = (struct track_entry){ registry, entry };
	g->placed[registry][entry] = true;
	if (!track->description && *it->title)
		track->description = xstrdup(it->title);
	if (track->state == UNIT_OTHER)
		track->state = it->state;
	track->archived |= it->archived && !track->folder;
}

/* ---- The folder of an entry ---------------------------------------------------------- */

/* The folder that a path is, or is in. */
static size_t folder_at(const struct gathering *g, const char *path)
{
	for (size_t i = 0; i < g->layout.nr; i++)
		if (layout_is_below(path, g->layout.folder[i].path))
			return i;
	return NO_INDEX;
}

/* The folder that is called so: of this home, and not archived, before others. */
static size_t folder_named(const struct gathering *g, const char *id, const char *home)
{
	size_t ret = NO_INDEX;
	int best = -1;

	for (size_t i = 0; i < g->layout.nr; i++) {
		const struct layout_folder *it = &g->layout.folder[i];
		int fits = 2 * !strcmp(it->home, home) + !is_archived(it);

		if (strcasecmp(layout_name(it->path), id) != 0 || fits <= best)
			continue;
		best = fits;
		ret = i;
	}
	return ret;
}

/* A link is meant from the registry, from the folder that the home is in, or from the top. */
static size_t folder_linked(const struct gathering *g, const char *link, const char *home)
{
	char *outer CLEANUP(free_p) = layout_parent(home);
	const char *const from[] = { home, outer, "" };

	for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
		char *path CLEANUP(free_p) = layout_resolve(from[i], link);
		size_t found = path && *path ? folder_at(g, path) : NO_INDEX;

		if (found != NO_INDEX)
			return found;
	}
	return NO_INDEX;
}

static bool is_same_text(const char *a, const char *b)
{
	return a && b && *a && !strcasecmp(a, b);
}

/* Of those that no entry has named: by what the folder's documents say, or by all words of its id. */
static bool fits_title(const struct track *track, const char *title)
{
	size_t words = 0;

	if (is_same_text(track->metadata.description, title) ||
	    is_same_text(track->plan.title, title))
		return true;
	for (const char *at = track->id; *at;) {
		size_t len = strcspn(at, "_-. ");

		if (len > 2 && strspn(at, "0123456789") != len) {
			char *word CLEANUP(free_p) = xmemdupz(at, len);

			if (!strcasestr(title, word))
				return false;
			words++;
		}
		at += len + (at[len] != '\0');
	}
	return words >= 2;
}

static size_t track_titled(const struct gathering *g, const char *title)
{
	size_t ret = NO_INDEX;

	for (size_t i = 0; i < g->layout.nr; i++) {
		const struct track *track = &g->tracks->item[g->track_of[i]];

		if (track->entries || !fits_title(track, title))
			continue;
		if (ret != NO_INDEX)
			return NO_INDEX; /* more than one */
		ret = g->track_of[i];
	}
	return ret;
}

static size_t entry_folder(const struct gathering *g, const struct registry *registry,
			   const struct registry_entry *entry)
{
	char *home CLEANUP(free_p) = layout_parent(registry->path);
	size_t found = entry->link ? folder_linked(g, entry->link, home) : NO_INDEX;

	if (found == NO_INDEX && entry->id)
		found = folder_named(g, entry->id, home);
	return found;
}

static size_t track_of_folder(struct gathering *g, size_t folder)
{
	return g->track_of[folder] == NO_INDEX ? add_track(g, folder, NULL) : g->track_of[folder];
}

/* Do the folder's documents have this title? */
static bool is_titled(struct gathering *g, size_t folder, const char *title)
{
	size_t index = track_of_folder(g, folder); /* may move the array */
	const struct track *track = &g->tracks->item[index];

	return is_same_text(track->metadata.description, title) ||
	       is_same_text(track->plan.title, title);
}

/*
 * A link may still lead to where the track was before it was archived, and another one of the same id
 * be there now. Then the entry is of that which is archived as it is, or whose title it has.
 */
static size_t settle_namesakes(struct gathering *g, size_t found,
			       const struct registry_entry *entry)
{
	const struct layout_folder *folder = g->layout.folder;
	const char *name = layout_name(folder[found].path);
	bool archived = is_archived(&folder[found]);

	for (size_t i = 0; i < g->layout.nr; i++) {
		if (i == found || is_archived(&folder[i]) == archived ||
		    strcmp(folder[i].home, folder[found].home) != 0 ||
		    strcmp(layout_name(folder[i].path), name) != 0)
			continue;
		if ((entry->archived && !archived) ||
		    (is_titled(g, i, entry->title) && !is_titled(g, found, entry->title)))
			return i;
	}
	return found;
}

/* ---- Links to other places ----------------------------------------------------------- */

static bool is_web(const char *url)
{
	return strstr(url, "://") || !strncmp(url, "mailto:", strlen("mailto:"));
}

/* An entry of the project's index: its label says what it leads to. */
static void follow_index_link(struct gathering *g, const char *label, const char *target)
{
	if (strcasestr(label, "registry")) {
		if (!strvec_has(&g->layout.registry, target))
			strvec_push(&g->layout.registry, target);
	} else if (strcasestr(label, "track") &&
		   (strcasestr(label, "directory") || strcasestr(label, "folder"))) {
		layout_follow(&g->layout, g->paths, target, true);
	}
}

/* "Tracks Registry" of "[Tracks Registry](./tracks.md)", in that line. free() it. */
static char *link_label(const struct markdown *md, const struct markdown_link *link)
{
	struct span span = markdown_line(md, link->line);
	char *line = xmemdupz(md->text + span.at, span.len), *url = strstr(line, link->url), *start;

	if (url) {
		*url = '\0';
		start = strrchr(line, '[');
		if (start)
			memmove(line, start, strlen(start) + 1);
	}
	return line;
}

/* Links are relative to the index. */
static void follow_index(struct gathering *g, const char *path)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct markdown md CLEANUP(markdown_release) = MARKDOWN_INIT;
	char *folder CLEANUP(free_p) = layout_parent(path);

	if (!read_document(g, &text, path))
		return;
	markdown_parse(&md, text.buf, text.len);
	for (size_t i = 0; i < md.links; i++) {
		const struct markdown_link *link = &md.link[i];
		char *label CLEANUP(free_p) = link_label(&md, link);
		char *target CLEANUP(free_p) =
			is_web(link->url) ? NULL : layout_resolve(folder, link->url);

		if (target && *target)
			follow_index_link(g, label, target);
	}
}

/* A registry may name folders where nobody would look; not one that the registry itself is in. */
static void follow_entry(struct gathering *g, const struct registry *registry, const char *link)
{
	char *home CLEANUP(free_p) = layout_parent(registry->path);
	char *outer CLEANUP(free_p) = layout_parent(home);
	const char *const from[] = { home, outer, "" };

	if (is_web(link) || folder_linked(g, link, home) != NO_INDEX)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
		char *path CLEANUP(free_p) = layout_resolve(from[i], link);
		char *folder CLEANUP(free_p) = path ? layout_parent(path) : NULL;

		if (!path || layout_is_below(registry->path, path))
			continue;
		if (layout_follow(&g->layout, g->paths, path, false) ||
		    (strvec_has(g->paths, path) && !layout_is_below(registry->path, folder) &&
		     layout_follow(&g->layout, g->paths, folder, false)))
			return;
	}
}

static void follow_links(struct gathering *g)
{
	for (size_t i = 0; i < g->paths->nr; i++)
		if (!strcasecmp(layout_name(g->paths->v[i]), "index.md"))
			follow_index(g, g->paths->v[i]);
	for (size_t i = 0; i < g->layout.registry.nr; i++)
		read_registry(g, g->layout.registry.v[i]);
	for (size_t r = 0; r < g->tracks->registries; r++) {
		const struct registry *registry = &g->tracks->registry[r];

		for (size_t i = 0; i < registry->nr; i++)
			if (registry->entry[i].link)
				follow_entry(g, registry, registry->entry[i].link);
	}
}

/* ---- All together -------------------------------------------------------------------- */

static void add_registered(struct gathering *g, size_t registry)
{
	for (size_t e = 0; e < g->tracks->registry[registry].nr; e++) {
		const struct registry *it = &g->tracks->registry[registry];
		size_t folder = entry_folder(g, it, &it->entry[e]);
		size_t track;

		if (folder == NO_INDEX)
			continue;
		track = track_of_folder(g, settle_namesakes(g, folder, &it->entry[e]));
		add_entry(g, track, registry, e);
	}
}

/* An entry that leads to no folder: one of the folders that are left, or a track without one. */
static void add_unplaced(struct gathering *g, size_t registry)
{
	for (size_t e = 0; e < g->tracks->registry[registry].nr; e++) {
		const struct registry *it = &g->tracks->registry[registry];
		const struct registry_entry *entry = &it->entry[e];
		size_t track;

		if (g->placed[registry][e])
			continue;
		track = *entry->title ? track_titled(g, entry->title) : NO_INDEX;
		if (track == NO_INDEX) {
			if (!entry->labelled && !entry->link)
				continue; /* a line of a legend, or of other lists */
			document_problems_add(&g->tracks->problem, it->path, entry->line,
					      "no folder for track '%s'",
					      *entry->title ? entry->title : entry->id);
			track = add_track(g, NO_INDEX, entry->id ? entry->id : entry->title);
		}
		add_entry(g, track, registry, e);
	}
}

static enum unit_state state_of_tasks(const struct plan_document *plan)
{
	size_t done = 0, begun = 0;

	for (size_t i = 0; i < plan->tasks; i++) {
		enum unit_state state = plan->task[i].is.state;

		done += state == UNIT_DONE || state == UNIT_CANCELLED;
		begun += state == UNIT_DONE || state == UNIT_IN_PROGRESS;
	}
	return done == plan->tasks ? UNIT_DONE : begun ? UNIT_IN_PROGRESS : UNIT_PENDING;
}

/* metadata.json mostly stays at "new", so that the tasks say more; but for what only it says. */
static void complete_track(struct track *track)
{
	enum unit_state told = track->metadata.path ? track->metadata.state : UNIT_OTHER;

	if (told == UNIT_REVERTED && track->state != UNIT_IN_PROGRESS)
		track->state = told;
	if (track->state == UNIT_OTHER && told == UNIT_CANCELLED)
		track->state = told;
	if (track->state == UNIT_OTHER && track->plan.tasks)
		track->state = state_of_tasks(&track->plan);
	if (track->state == UNIT_OTHER)
		track->state = told;
	if (track->state == UNIT_OTHER)
		track->state = track->archived ? UNIT_DONE : UNIT_PENDING;
	if (!track->description)
		track->description = xstrdup_or_null(track->metadata.description);
	if (!track->description && track->plan.title && *track->plan.title)
		track->description = xstrdup(track->plan.title);
	if (!track->description)
		track->description = xstrdup(track->id);
}

/* Registered ones first, in the order of the registries; the first entry of each counts. */
static int track_compare(const void *a, const void *b)
{
	const struct track *x = a, *y = b;

	if (!x->entries != !y->entries)
		return x->entries ? -1 : 1;
	if (!x->entries)
		return strcmp(x->folder, y->folder);
	if (x->entry[0].registry != y->entry[0].registry)
		return x->entry[0].registry < y->entry[0].registry ? -1 : 1;
	return (x->entry[0].entry > y->entry[0].entry) - (x->entry[0].entry < y->entry[0].entry);
}

static void gather(struct gathering *g)
{
	struct tracks *tracks = g->tracks;

	follow_links(g);
	g->track_of = xcalloc(g->layout.nr + 1, sizeof(*g->track_of));
	for (size_t i = 0; i < g->layout.nr; i++)
		g->track_of[i] = NO_INDEX;
	g->placed = xcalloc(tracks->registries + 1, sizeof(*g->placed));
	for (size_t i = 0; i < tracks->registries; i++)
		g->placed[i] = xcalloc(tracks->registry[i].nr + 1, sizeof(**g->placed));
	for (size_t i = 0; i < tracks->registries; i++)
		add_registered(g, i);
	for (size_t i = 0; i < g->layout.nr; i++)
		if (g->track_of[i] == NO_INDEX)
			add_track(g, i, NULL);
	for (size_t i = 0; i < tracks->registries; i++)
		add_unplaced(g, i);
	read_stories(g);
	for (size_t i = 0; i < tracks->nr; i++)
		complete_track(&tracks->item[i]);
	if (tracks->nr)
		qsort(tracks->item, tracks->nr, sizeof(*tracks->item), track_compare);
}

static const char *plain(const char *path)
{
	while (path && !strncmp(path, "./", 2))
		path += 2;
	return path && *path ? path : NULL;
}

int tracks_read(struct tracks *ret, struct document_source *source,
		const struct tracks_places *places, struct error *err)
{
	struct gathering g = { .tracks = ret, .source = source };
	struct strvec paths CLEANUP(strvec_release) = STRVEC_INIT;
	char *directory CLEANUP(free_p) =
		places && plain(places->directory) ? layout_resolve("", places->directory) : NULL;

	if (source->list(source, &paths, err) < 0)
		return -1;
	*ret = (struct tracks)TRACKS_INIT;
	layout_find(&g.layout, &paths, places ? plain(places->registry) : NULL, directory);
	g.paths = &paths;
	gather(&g);
	free(g.track_of);
	for (size_t i = 0; i < ret->registries; i++)
		free(g.placed[i]);
	free(g.placed);
	layout_release(&g.layout);
	return 0;
}

/* ---- Names --------------------------------------------------------------------------- */

bool track_folder_ends(const struct track *track, const char *end)
{
	size_t len = track->folder ? strlen(track->folder) : 0, n = strlen(end);

	return len >= n && !strcmp(track->folder + len - n, end) &&
	       (len == n || track->folder[len - n - 1] == '/');
}

/* Has another track this id, and a folder whose path ends so? */
static bool is_taken(const struct tracks *tracks, size_t track, const char *end)
{
	for (size_t i = 0; i < tracks->nr; i++)
		if (i != track && !strcmp(tracks->item[i].id, tracks->item[track].id) &&
		    (!end || track_folder_ends(&tracks->item[i], end)))
			return true;
	return false;
}

char *track_name(const struct tracks *tracks, size_t track)
{
	const struct track *it = &tracks->item[track];
	const char *end;

	if (!it->folder || !is_taken(tracks, track, NULL))
		return xstrdup(it->id);
	for (end = layout_name(it->folder); end > it->folder;) {
		for (end--; end > it->folder && end[-1] != '/';)
			end--;
		if (!is_taken(tracks, track, end))
			break;
	}
	return xstrdup(end);
}

/* ---- Whose file ---------------------------------------------------------------------- */

size_t tracks_find_by_path(const struct tracks *tracks, const char *path)
{
	for (size_t i = 0; i < tracks->nr; i++)
		if (tracks->item[i].folder && layout_is_below(path, tracks->item[i].folder))
			return i;
	return NO_INDEX;
}

bool tracks_own_path(const struct tracks *tracks, const char *path, size_t *ret_track)
{
	size_t track = tracks_find_by_path(tracks, path);

	if (ret_track)
		*ret_track = track;
	if (track != NO_INDEX)
		return true;
	for (size_t i = 0; i < tracks->registries; i++)
		if (!strcmp(tracks->registry[i].path, path))
			return true;
	return stories_find_list(&tracks->stories, path) != NO_INDEX;
}
