/* SPDX-License-Identifier: MIT */
#include "workflow/layout.h"

#include <strings.h>

#include "base/memory.h"
#include "base/sort.h"
#include "base/strbuf.h"

void layout_release(struct layout *layout)
{
	for (size_t i = 0; i < layout->nr; i++) {
		free(layout->folder[i].path);
		free(layout->folder[i].home);
		free(layout->folder[i].plan);
		free(layout->folder[i].metadata);
	}
	free(layout->folder);
	strvec_release(&layout->registry);
	strvec_release(&layout->stories);
	*layout = (struct layout)LAYOUT_INIT;
}

/* ---- Paths --------------------------------------------------------------------------- */

bool layout_is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return !len || (!strncmp(path, folder, len) && (path[len] == '/' || !path[len]));
}

const char *layout_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *layout_parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	return xmemdupz(path, slash ? (size_t)(slash - path) : 0);
}

char *layout_resolve(const char *folder, const char *link)
{
	struct strbuf path CLEANUP(strbuf_release) = STRBUF_INIT;

	if (*link != '/')
		strbuf_addstr(&path, folder);
	for (size_t len; *link && *link != '#' && *link != '?'; link += len) {
		link += *link == '/';
		len = strcspn(link, "/#?");
		if (!len || (len == 1 && *link == '.'))
			continue;
		if (len == 2 && !strncmp(link, "..", 2)) {
			const char *slash = strrchr(path.buf, '/');

			if (!path.len)
				return NULL;
			strbuf_setlen(&path, slash ? (size_t)(slash - path.buf) : 0);
			continue;
		}
		if (path.len)
			strbuf_addch(&path, '/');
		strbuf_add(&path, link, len);
	}
	return strbuf_detach(&path);
}

/* ---- What a path says ---------------------------------------------------------------- */

static bool has_name(const char *path, const char *name)
{
	return !strcasecmp(layout_name(path), name);
}

static bool is_one_of(const char *s, size_t len, const char *const *list)
{
	for (; *list; list++)
		if (strlen(*list) == len && !strncasecmp(s, *list, len))
			return true;
	return false;
}

static const char *const homes[] = { "conductor", ".conductor", "storage-conductor", NULL };
static const char *const containers[] = { "tracks", "archive", "archived", "storages", NULL };

bool layout_is_home(const char *folder)
{
	const char *name = layout_name(folder);

	return is_one_of(name, strlen(name), homes);
}

/*
 * The length of the home in front of a container: "a/conductor" in "a/conductor/tracks/x/plan.md".
 * NO_HOME where there is none. Without `named`, any folder that has a container is a home.
 */
#define NO_HOME SIZE_MAX
static size_t home_len(const char *path, bool named)
{
	size_t before = 0, before_len = 0, home = 0;

	for (size_t at = 0, len; path[at]; at += len + (path[at + len] == '/')) {
		len = strcspn(path + at, "/");
		if (!path[at + len])
			break;
		if (is_one_of(path + at, len, containers) &&
		    (!named || is_one_of(path + before, before_len, homes)))
			return home;
		before = at;
		before_len = len;
		home = at + len;
	}
	return NO_HOME;
}

/* Is it itself "tracks", "archive", ...? A plan there is nobody's. */
static bool is_container(const char *folder, const char *home)
{
	const char *rest = folder + strlen(home);

	rest += *rest == '/';
	return is_one_of(rest, strlen(rest), containers);
}

/* ---- Folders ------------------------------------------------------------------------- */

static struct layout_folder *find_folder(struct layout *layout, const char *path)
{
	for (size_t i = 0; i < layout->nr; i++)
		if (!strcmp(layout->folder[i].path, path))
			return &layout->folder[i];
	return NULL;
}

static bool is_known_home(const struct strvec *known, const char *path, size_t len)
{
	for (size_t i = 0; i < known->nr; i++)
		if (strlen(known->v[i]) == len && !strncmp(known->v[i], path, len))
			return true;
	return false;
}

/* Where the track's own folder begins is for others: here each document says its folder. */
static void add_folder(struct layout *layout, const char *path, const char *home)
{
	char *folder CLEANUP(free_p) = layout_parent(path);
	struct layout_folder *it = find_folder(layout, folder);

	if (!it) {
		ARRAY_GROW(layout->folder, layout->nr + 1, layout->alloc);
		it = &layout->folder[layout->nr++];
		*it = (struct layout_folder){
			.path = STEAL(folder),
			.home = xstrdup(home),
		};
	}
	string_replace(has_name(path, "plan.md") ? &it->plan : &it->metadata, path);
}

static void add_document(struct layout *layout, const char *path, const char *home)
{
	char *folder CLEANUP(free_p) = layout_parent(path);

	if (!is_container(folder, home) && strcmp(folder, home) != 0)
		add_folder(layout, path, home);
}

/* A plan in a folder of a track's own is no track: the outermost folder is it. */
static void drop_inner(struct layout *layout)
{
	size_t kept = 0;

	for (size_t i = 0; i < layout->nr; i++) {
		struct layout_folder *it = &layout->folder[i];
		bool inner = false;

		for (size_t k = 0; k < kept && !inner; k++)
			inner = layout_is_below(it->path, layout->folder[k].path);
		if (inner) {
			free(it->path);
			free(it->home);
			free(it->plan);
			free(it->metadata);
		} else {
			layout->folder[kept++] = *it;
		}
	}
	layout->nr = kept;
}

static int folder_compare(const void *a, const void *b)
{
	const struct layout_folder *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* ---- Homes --------------------------------------------------------------------------- */

static void add_home(struct strvec *known, const char *path, size_t len)
{
	if (len != NO_HOME && !is_known_home(known, path, len))
		strvec_push_nodup(known, xmemdupz(path, len));
}

/* By name; or by a registry beside a folder of plans. */
static void find_homes(struct strvec *known, const struct strvec *paths)
{
	for (size_t i = 0; i < paths->nr; i++)
		if (has_name(paths->v[i], "plan.md") || has_name(paths->v[i], "metadata.json"))
			add_home(known, paths->v[i], home_len(paths->v[i], true));
	for (size_t i = 0; i < paths->nr; i++) {
		char *folder CLEANUP(free_p) = layout_parent(paths->v[i]);

		if (!has_name(paths->v[i], "tracks.md"))
			continue;
		if (layout_is_home(folder))
			add_home(known, folder, strlen(folder));
		for (size_t k = 0; k < paths->nr; k++)
			if (has_name(paths->v[k], "plan.md") &&
			    home_len(paths->v[k], false) == strlen(folder) &&
			    layout_is_below(paths->v[k], folder))
				add_home(known, folder, strlen(folder));
	}
}

/* ".conductor/plan.md" was the registry once. */
static void find_registries(struct layout *ret, const struct strvec *known,
			    const struct strvec *paths, const char *registry)
{
	static const char *const registries[] = { "tracks.md", "plan.md" };

	if (registry)
		strvec_push(&ret->registry, registry);
	for (size_t h = 0; h < known->nr; h++) {
		bool found = false;

		for (size_t n = 0; n < ARRAY_SIZE(registries) && !found; n++)
			for (size_t i = 0; i < paths->nr; i++) {
				char *folder CLEANUP(free_p) = layout_parent(paths->v[i]);

				if (strcmp(folder, known->v[h]) != 0 ||
				    !has_name(paths->v[i], registries[n]))
					continue;
				found = true;
				if (!strvec_has(&ret->registry, paths->v[i]))
					strvec_push(&ret->registry, paths->v[i]);
			}
	}
}

static void find_folders(struct layout *ret, const struct strvec *known, const struct strvec *paths,
			 const char *directory)
{
	char *home CLEANUP(free_p) = directory ? layout_parent(directory) : NULL;

	for (size_t i = 0; i < paths->nr; i++) {
		const char *path = paths->v[i];
		size_t len = home_len(path, false);

		if (!has_name(path, "plan.md") && !has_name(path, "metadata.json"))
			continue;
		if (directory && layout_is_below(path, directory)) {
			char *folder CLEANUP(free_p) = layout_parent(path);

			if (strcmp(folder, directory) != 0)
				add_document(ret, path, home);
			continue;
		}
		if (home_len(path, true) != NO_HOME)
			len = home_len(path, true);
		if (len == NO_HOME || !is_known_home(known, path, len))
			continue;

		char *own CLEANUP(free_p) = xmemdupz(path, len);

		add_document(ret, path, own);
	}
	sort(ret->folder, ret->nr, sizeof(*ret->folder), folder_compare);
	drop_inner(ret);
}

static bool is_in_folder(const struct layout *layout, const char *path)
{
	for (size_t i = 0; i < layout->nr; i++)
		if (layout_is_below(path, layout->folder[i].path))
			return true;
	return false;
}

bool layout_follow(struct layout *layout, const struct strvec *paths, const char *place,
		   bool directory)
{
	struct layout found = LAYOUT_INIT;

	for (size_t i = 0; *place && i < paths->nr; i++) {
		const char *path = paths->v[i];
		char *folder CLEANUP(free_p) = layout_parent(path);

		if ((!has_name(path, "plan.md") && !has_name(path, "metadata.json")) ||
		    !layout_is_below(path, place) || directory == !strcmp(folder, place) ||
		    is_in_folder(layout, folder))
			continue;
		add_folder(&found, path, place);
	}
	sort(found.folder, found.nr, sizeof(*found.folder), folder_compare);
	drop_inner(&found);
	for (size_t i = 0; i < found.nr; i++) {
		ARRAY_GROW(layout->folder, layout->nr + 1, layout->alloc);
		layout->folder[layout->nr++] = found.folder[i];
	}
	free(found.folder);
	sort(layout->folder, layout->nr, sizeof(*layout->folder), folder_compare);
	return found.nr > 0;
}

static size_t depth(const char *path)
{
	size_t ret = 0;

	for (; *path; path++)
		ret += *path == '/';
	return ret;
}

/* The outermost first. */
static void find_stories(struct layout *ret, const struct strvec *paths)
{
	size_t deepest = 0;

	for (size_t i = 0; i < paths->nr; i++)
		if (has_name(paths->v[i], "prd.json") && depth(paths->v[i]) > deepest)
			deepest = depth(paths->v[i]);
	for (size_t level = 0; level <= deepest; level++)
		for (size_t i = 0; i < paths->nr; i++)
			if (has_name(paths->v[i], "prd.json") && depth(paths->v[i]) == level)
				strvec_push(&ret->stories, paths->v[i]);
}

void layout_find(struct layout *ret, struct strvec *paths, const char *registry,
		 const char *directory)
{
	struct strvec known CLEANUP(strvec_release) = STRVEC_INIT;

	*ret = (struct layout)LAYOUT_INIT;
	strvec_sort(paths);
	find_homes(&known, paths);
	find_registries(ret, &known, paths, registry);
	find_folders(ret, &known, paths, directory);
	find_stories(ret, paths);
}
