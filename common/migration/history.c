/* SPDX-License-Identifier: MIT */
#include "migration/history.h"

#include "base/memory.h"
#include "base/strvec.h"
#include "migration/migrations.h"
#include "migration/version.h"
#include "vcs/history.h"
#include "vcs/object.h"

void history_search_add(struct history_search *search, const char *version, const char *checksum)
{
	ARRAY_GROW(search->item, search->nr + 1, search->alloc);
	search->item[search->nr++] = (struct history_match){
		.version = xstrdup(version),
		.checksum = xstrdup_or_null(checksum),
		.up = STRBUF_INIT,
		.down = STRBUF_INIT,
	};
}

void history_search_release(struct history_search *search)
{
	for (size_t i = 0; i < search->nr; i++) {
		struct history_match *match = &search->item[i];

		free(match->version);
		free(match->checksum);
		free(match->place);
		free(match->commit);
		free(match->up_path);
		free(match->down_path);
		strbuf_release(&match->up);
		strbuf_release(&match->down);
	}
	free(search->item);
	*search = (struct history_search)HISTORY_SEARCH_INIT;
}

/* git tries every pathspec on every path: for many versions one that takes all is faster. */
#define PATHSPECS_MAX 50

static void add_pathspecs(struct strvec *pathspecs, const struct history_search *search,
			  const char *direction)
{
	if (search->nr > PATHSPECS_MAX) {
		strvec_pushf(pathspecs, ":(top,glob)**/*.%s.sql", direction);
		strvec_pushf(pathspecs, ":(top,glob)**/%s.sql", direction);
		return;
	}
	for (size_t i = 0; i < search->nr; i++) {
		/* Another spelling of the same number ("1" for "001") is caught by the star. */
		const char *significant =
			search->item[i].version + strspn(search->item[i].version, "0");

		strvec_pushf(pathspecs, ":(top,glob)**/*%s*.%s.sql", significant, direction);
		strvec_pushf(pathspecs, ":(top,glob)**/*%s*/%s.sql", significant, direction);
	}
}

static bool is_the_up(const struct history_match *match, const struct strbuf *content)
{
	char checksum[DIGEST_HEX];

	migration_checksum(checksum, content->buf, content->len);
	return !match->checksum || !strcmp(match->checksum, checksum);
}

/* Both scripts of the match's version in `folder` of the commit, if its up is the right one. */
static int look_in_commit(struct history_match *match, const struct history_file *file,
			  const char *folder, struct error *err)
{
	struct tree_files files CLEANUP(tree_files_release) = TREE_FILES_INIT;
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	const char *path[2] = { NULL, NULL }, *oid[2] = { NULL, NULL };

	if (tree_list(&files, file->commit, folder, err) < 0)
		return -1;
	for (size_t i = 0; i < files.nr; i++) {
		bool is_up = true;
		char *version CLEANUP(free_p) = migration_path_version(files.item[i].path, &is_up);

		if (!version || path[is_up] || version_compare(version, match->version) != 0)
			continue;
		path[is_up] = files.item[i].path;
		oid[is_up] = files.item[i].oid;
	}
	if (!path[false] || !path[true])
		return 0;
	objects_add(&objects, oid[true]);
	objects_add(&objects, oid[false]);
	if (objects_read(&objects, err) < 0)
		return -1;
	if (!objects.item[0].oid || !objects.item[1].oid ||
	    !is_the_up(match, &objects.item[0].data))
		return 0;
	free(match->place);
	match->place = history_place(file);
	string_replace(&match->commit, file->commit);
	string_replace(&match->up_path, path[true]);
	match->down_path = xstrdup(path[false]);
	strbuf_add(&match->down, objects.item[1].data.buf, objects.item[1].data.len);
	return 0;
}

/*
 * The newest commit that has the up script and a down beside it: the down may have come, or
 * been corrected, after the up.
 */
static int find_down(struct history_match *match, const struct history_files *files,
		     struct error *err)
{
	const char *tried = "";

	for (size_t i = 0; i < files->nr && !match->down_path; i++) {
		const struct history_file *file = &files->item[i];
		const char *slash = strrchr(file->path, '/');
		bool is_up;
		char *version CLEANUP(free_p) = migration_path_version(file->path, &is_up);
		char *folder CLEANUP(free_p) = NULL;

		if (!version || !strcmp(tried, file->commit) ||
		    version_compare(version, match->version) != 0)
			continue;
		tried = file->commit;
		folder = xmemdupz(file->path, slash ? (size_t)(slash - file->path) : 0);
		if (look_in_commit(match, file, folder, err) < 0)
			return -1;
	}
	return 0;
}

static void take_match(struct history_match *match, const struct history_file *file,
		       const struct strbuf *content)
{
	if (!is_the_up(match, content))
		return;
	match->found = true;
	match->place = history_place(file);
	match->commit = xstrdup(file->commit);
	match->up_path = xstrdup(file->path);
	strbuf_add(&match->up, content->buf, content->len);
}

int history_search_run(struct history_search *search, bool with_remotes, struct error *err)
{
	struct strvec pathspecs CLEANUP(strvec_release) = STRVEC_INIT;
	struct history_files files CLEANUP(history_files_release) = HISTORY_FILES_INIT;
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;

	if (!search->nr)
		return 0;
	add_pathspecs(&pathspecs, search, "up");
	if (search->with_downs)
		add_pathspecs(&pathspecs, search, "down");
	if (history_files_find(&files, &pathspecs, with_remotes, err) < 0)
		return -1;
	for (size_t i = 0; i < files.nr; i++)
		objects_add(&objects, files.item[i].oid);
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < files.nr; i++) {
		bool is_up = false;
		char *version CLEANUP(free_p) = migration_path_version(files.item[i].path, &is_up);

		for (size_t k = 0; version && is_up && objects.item[i].oid && k < search->nr; k++)
			if (!search->item[k].found &&
			    !version_compare(version, search->item[k].version))
				take_match(&search->item[k], &files.item[i], &objects.item[i].data);
	}
	for (size_t k = 0; k < search->nr && search->with_downs; k++)
		if (search->item[k].found && find_down(&search->item[k], &files, err) < 0)
			return -1;
	return 0;
}
