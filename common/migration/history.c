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

static void add_pathspecs(struct strvec *pathspecs, const struct history_search *search)
{
	if (search->nr > PATHSPECS_MAX) {
		strvec_pushl(pathspecs, ":(top,glob)**/*.up.sql", ":(top,glob)**/up.sql", NULL);
		return;
	}
	for (size_t i = 0; i < search->nr; i++) {
		/* Another spelling of the same number ("1" for "001") is caught by the star. */
		const char *significant = search->item[i].version + strspn(search->item[i].version, "0");

		strvec_pushf(pathspecs, ":(top,glob)**/*%s*.up.sql", significant);
		strvec_pushf(pathspecs, ":(top,glob)**/*%s*/up.sql", significant);
	}
}

/* The down script that belongs to `up_path` in the same commit. */
static int find_down(struct history_match *match, struct error *err)
{
	struct tree_files files CLEANUP(tree_files_release) = TREE_FILES_INIT;
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	const char *slash = strrchr(match->up_path, '/');
	char *folder CLEANUP(free_p) =
		xmemdupz(match->up_path, slash ? (size_t)(slash - match->up_path) : 0);

	if (tree_list(&files, match->commit, folder, err) < 0)
		return -1;
	for (size_t i = 0; i < files.nr && !match->down_path; i++) {
		bool is_up = true;
		char *version CLEANUP(free_p) =
			migration_path_version(files.item[i].path, &is_up);

		if (!version || is_up || version_compare(version, match->version) != 0)
			continue;
		match->down_path = xstrdup(files.item[i].path);
		objects_add(&objects, files.item[i].oid);
	}
	if (objects_read(&objects, err) < 0)
		return -1;
	if (objects.nr)
		strbuf_add(&match->down, objects.item[0].data.buf, objects.item[0].data.len);
	return 0;
}

static void take_match(struct history_match *match, const struct history_file *file,
		       const struct strbuf *content)
{
	char checksum[DIGEST_HEX];

	migration_checksum(checksum, content->buf, content->len);
	if (match->checksum && strcmp(match->checksum, checksum) != 0)
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
	add_pathspecs(&pathspecs, search);
	if (history_files_find(&files, &pathspecs, with_remotes, err) < 0)
		return -1;
	for (size_t i = 0; i < files.nr; i++)
		objects_add(&objects, files.item[i].oid);
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < files.nr; i++) {
		bool is_up = false;
		char *version CLEANUP(free_p) =
			migration_path_version(files.item[i].path, &is_up);

		for (size_t k = 0; version && is_up && objects.item[i].oid && k < search->nr; k++)
			if (!search->item[k].found &&
			    !version_compare(version, search->item[k].version))
				take_match(&search->item[k], &files.item[i], &objects.item[i].data);
	}
	for (size_t k = 0; k < search->nr && search->with_downs; k++)
		if (search->item[k].found && find_down(&search->item[k], err) < 0)
			return -1;
	return 0;
}
