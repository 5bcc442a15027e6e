/* SPDX-License-Identifier: MIT */
#include "flow/track-migrations.h"

#include "base/memory.h"
#include "flow/forward-fix.h"
#include "migration/version.h"
#include "sql/mention.h"
#include "sql/script.h"
#include "vcs/object.h"

void track_migrations_release(struct track_migrations *m)
{
	for (size_t i = 0; i < m->nr; i++) {
		for (size_t u = 0; u < m->item[i].uses; u++)
			free(m->item[i].use[u].name);
		free(m->item[i].use);
		free(m->item[i].place);
	}
	free(m->item);
	free(m->problem);
	environments_release(&m->environments);
	migrations_release(&m->files);
	migrations_release(&m->after);
	*m = (struct track_migrations)TRACK_MIGRATIONS_INIT;
}

/* ---- Before and after ---------------------------------------------------------------- */

/* Flags of a change. */
enum { IN_CONFLICT = 1 };

static void want(struct tree_changes *changes, const char *path, unsigned mode, const char *oid)
{
	struct tree_change *change = tree_changes_find(changes, path);

	if (!change) {
		tree_changes_add(changes, path);
		tree_changes_sort(changes);
		change = tree_changes_find(changes, path);
	}
	change->new_mode = mode;
	change->flags = IN_CONFLICT;
	string_replace(&change->new_oid, mode ? oid : NULL);
}

/* All that the series comes to; what is in conflict as if it were resolved for what was before. */
static void list_changes(struct tree_changes *ret, const struct revert_series *series)
{
	for (size_t i = 0; i < series->total.nr; i++) {
		const struct tree_change *from = &series->total.item[i];
		struct tree_change *to = tree_changes_add(ret, from->path);

		to->new_mode = from->new_mode;
		to->new_oid = xstrdup_or_null(from->new_oid);
	}
	tree_changes_sort(ret);
	for (size_t s = 0; s < series->nr; s++)
		for (size_t c = 0; c < series->step[s].conflicts; c++) {
			const struct revert_conflict *it = &series->step[s].conflict[c];
			bool moved = it->stage[2].path && strcmp(it->stage[2].path, it->path) != 0;

			want(ret, it->path, moved ? 0 : it->stage[2].mode, it->stage[2].oid);
			if (moved)
				want(ret, it->stage[2].path, it->stage[2].mode, it->stage[2].oid);
		}
}

static bool is_script(const char *path)
{
	bool is_up;
	char *version CLEANUP(free_p) = migration_path_version(path, &is_up);

	return version != NULL;
}

static bool has_scripts(const struct tree_changes *changes)
{
	for (size_t i = 0; i < changes->nr; i++)
		if (is_script(changes->item[i].path))
			return true;
	return false;
}

static void add_file(struct tree_files *files, const char *path, unsigned mode, const char *oid)
{
	ARRAY_GROW(files->item, files->nr + 1, files->alloc);
	files->item[files->nr++] = (struct tree_file){ xstrdup(path), xstrdup(oid), mode };
}

/* Scripts alone: what else there is makes no migration. */
static void apply_changes(struct tree_files *ret, const struct tree_files *files,
			  const struct tree_changes *changes)
{
	for (size_t i = 0; i < files->nr; i++)
		if (is_script(files->item[i].path) &&
		    !tree_changes_find(changes, files->item[i].path))
			add_file(ret, files->item[i].path, files->item[i].mode, files->item[i].oid);
	for (size_t i = 0; i < changes->nr; i++)
		if (changes->item[i].new_mode && is_script(changes->item[i].path))
			add_file(ret, changes->item[i].path, changes->item[i].new_mode,
				 changes->item[i].new_oid);
}

/* ---- What changes -------------------------------------------------------------------- */

static bool same_script(const struct migration_script *a, const struct migration_script *b)
{
	if (!a->path || !b->path)
		return a->path == b->path;
	return !strcmp(a->path, b->path) && !strcmp(a->oid, b->oid);
}

static bool is_conflicting(const struct tree_changes *changes, const struct migration *it)
{
	const char *paths[] = { it ? it->up.path : NULL, it ? it->down.path : NULL };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const struct tree_change *change =
			paths[i] ? tree_changes_find(changes, paths[i]) : NULL;

		if (change && change->flags == IN_CONFLICT)
			return true;
	}
	return false;
}

/* One of the two may be NULL. */
static void compare_one(struct track_migrations *m, const struct tree_changes *changes,
			const struct migration *now, const struct migration *then)
{
	static const struct migration_script none;
	const struct migration_script *up = now ? &now->up : &none;
	const struct migration_script *up_then = then ? &then->up : &none;
	bool same_up = same_script(up, up_then);

	if (same_up && same_script(now ? &now->down : &none, then ? &then->down : &none))
		return;
	ARRAY_GROW(m->item, m->nr + 1, m->alloc);
	m->item[m->nr++] = (struct track_migration){
		.now = now,
		.then = then,
		.file = now ? now : then,
		.change = same_up	 ? TRACK_MIGRATION_DOWN :
			  !up_then->path ? TRACK_MIGRATION_GOES :
			  !up->path	 ? TRACK_MIGRATION_COMES :
					   TRACK_MIGRATION_CHANGES,
		.conflict = is_conflicting(changes, now) || is_conflicting(changes, then),
		.twin = NO_TWIN,
	};
}

/* Both are in the order of versions. */
static void compare(struct track_migrations *m, const struct tree_changes *changes)
{
	size_t f = 0, a = 0;

	while (f < m->files.nr || a < m->after.nr) {
		const struct migration *now = f < m->files.nr ? &m->files.item[f] : NULL;
		const struct migration *then = a < m->after.nr ? &m->after.item[a] : NULL;
		int order = !now ? 1 : !then ? -1 : version_compare(now->version, then->version);

		compare_one(m, changes, order <= 0 ? now : NULL, order >= 0 ? then : NULL);
		f += order <= 0;
		a += order >= 0;
	}
}

/* ---- What is in the scripts ---------------------------------------------------------- */

struct texts {
	const struct revert_series *series;
	struct objects objects;
};

static void add_text(struct texts *texts, const struct migration_script *script)
{
	if (script->path && !revert_blob(texts->series, script->oid))
		objects_add(&texts->objects, script->oid);
}

/* NULL: there is none, or git has lost it. */
static const struct strbuf *text_of(const struct texts *texts,
				    const struct migration_script *script)
{
	const struct strbuf *made = script->path ? revert_blob(texts->series, script->oid) : NULL;

	for (size_t i = 0; !made && script->path && i < texts->objects.nr; i++)
		if (texts->objects.item[i].oid && !strcmp(texts->objects.item[i].name, script->oid))
			return &texts->objects.item[i].data;
	return made;
}

static int read_texts(struct texts *texts, const struct track_migrations *m, struct error *err)
{
	for (size_t i = 0; i < m->nr; i++) {
		add_text(texts, &m->item[i].file->down);
		if (m->item[i].then)
			add_text(texts, &m->item[i].then->up);
	}
	for (size_t i = 0; i < m->files.nr; i++)
		if (version_compare(m->files.item[i].version, m->item[0].file->version) >= 0)
			add_text(texts, &m->files.item[i].up);
	return objects_read(&texts->objects, err);
}

static void sum(char ret[DIGEST_HEX], const struct texts *texts, const struct migration *it)
{
	const struct strbuf *text = it ? text_of(texts, &it->up) : NULL;

	if (text)
		migration_checksum(ret, text->buf, text->len);
}

/* By its text alone; git rollback-db says of a database which, and how many. */
static const char *down_rows(const struct texts *texts, const struct migration_script *down)
{
	static const char *const names[] = {
		[SQL_KEEPS_ROWS] = "keeps", [SQL_LOSES_ROWS] = "loses", [SQL_LOSS_UNKNOWN] = "unknown"
	};
	struct sql_script script CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	const struct strbuf *text = text_of(texts, down);

	if (!down->path)
		return NULL;
	if (!text || sql_script_parse(&script, down->path, text->buf, text->len, &ignored) < 0)
		return names[SQL_LOSS_UNKNOWN];
	return names[sql_script_loss(&script)];
}

static void find_twins(struct track_migrations *m)
{
	for (size_t i = 0; i < m->nr; i++)
		for (size_t k = 0; k < m->nr; k++) {
			struct track_migration *goes = &m->item[i], *comes = &m->item[k];

			if (goes->change != TRACK_MIGRATION_GOES ||
			    comes->change != TRACK_MIGRATION_COMES || goes->twin != NO_TWIN ||
			    comes->twin != NO_TWIN || !*goes->now_sum ||
			    strcmp(goes->now_sum, comes->then_sum) != 0)
				continue;
			goes->twin = k;
			comes->twin = i;
		}
}

/* For each of the files the one that undoes it; of a fix that is undone itself it is none. */
static const struct migration **list_undone(const struct track_migrations *m,
					    const struct texts *texts)
{
	const struct migration **ret = xcalloc(m->files.nr + 1, sizeof(const struct migration *));

	for (size_t i = m->files.nr; i; i--) {
		const struct migration *fix = &m->files.item[i - 1], *old;
		const struct strbuf *text = text_of(texts, &fix->up);
		char *version CLEANUP(free_p) =
			text ? forward_fix_undoes(text->buf, text->len) : NULL;

		old = version && !ret[i - 1] ? migrations_find(&m->files, version) : NULL;
		if (old && old < fix)
			ret[old - m->files.item] = fix;
	}
	return ret;
}

static const struct track_migration *item_of(const struct track_migrations *m,
					     const struct migration *file)
{
	for (size_t i = 0; i < m->nr; i++)
		if (m->item[i].now == file)
			return &m->item[i];
	return NULL;
}

static bool is_fix(const struct track_migrations *m, const struct migration **undone,
		   const struct migration *file)
{
	for (size_t i = 0; i < m->files.nr; i++)
		if (undone[i] == file)
			return true;
	return false;
}

/* Does it come after this one, and count, whatever becomes of the unit? */
static bool is_later(const struct track_migrations *m, const struct migration **undone,
		     const struct track_migration *it, const struct migration *file)
{
	const struct track_migration *touched = item_of(m, file);

	return file > it->now && file->up.path && !undone[file - m->files.item] &&
	       !is_fix(m, undone, file) && (!touched || touched->change != TRACK_MIGRATION_GOES);
}

static struct sql_source source_of(const struct texts *texts, const struct migration *it)
{
	const struct strbuf *text = text_of(texts, &it->up);

	return (struct sql_source){ it->up.path, text ? text->buf : "", text ? text->len : 0 };
}

static int find_uses(struct track_migrations *m, const struct texts *texts,
		     const struct migration **undone, struct track_migration *it, struct error *err)
{
	struct sql_mentions mentions CLEANUP(sql_mentions_release) = SQL_MENTIONS_INIT;
	const struct migration **later = xcalloc(m->files.nr + 1, sizeof(const struct migration *));
	struct sql_source *source = xcalloc(m->files.nr + 1, sizeof(*source));
	struct sql_source maker = source_of(texts, it->now);
	size_t nr = 0;
	int ret;

	for (size_t i = 0; i < m->files.nr; i++)
		if (is_later(m, undone, it, &m->files.item[i])) {
			later[nr] = &m->files.item[i];
			source[nr++] = source_of(texts, &m->files.item[i]);
		}
	ret = nr ? sql_mentions_find(&mentions, &maker, source, nr, err) : 0;
	for (size_t i = 0; i < mentions.nr; i++) {
		ARRAY_GROW(it->use, it->uses + 1, it->uses_alloc);
		it->use[it->uses++] = (struct track_migration_use){ later[mentions.item[i].source],
								    STEAL(mentions.item[i].name) };
	}
	free(later);
	free(source);
	return ret;
}

static int look_inside(struct track_migrations *m, const struct revert_series *series,
		       struct error *err)
{
	struct texts texts = { .series = series, .objects = OBJECTS_INIT };
	const struct migration **undone;
	int ret = read_texts(&texts, m, err);

	if (ret < 0) {
		objects_release(&texts.objects);
		return -1;
	}
	for (size_t i = 0; i < m->nr; i++) {
		sum(m->item[i].now_sum, &texts, m->item[i].now);
		sum(m->item[i].then_sum, &texts, m->item[i].then);
		m->item[i].down_rows = down_rows(&texts, &m->item[i].file->down);
	}
	find_twins(m);
	undone = list_undone(m, &texts);
	for (size_t i = 0; i < m->nr && ret == 0; i++) {
		struct track_migration *it = &m->item[i];

		if (it->now)
			it->undone_by = undone[it->now - m->files.item];
		if (it->change == TRACK_MIGRATION_GOES && it->twin == NO_TWIN && !it->undone_by)
			ret = find_uses(m, &texts, undone, it, err);
	}
	free(undone);
	objects_release(&texts.objects);
	return ret;
}

/* ---- Which --------------------------------------------------------------------------- */

static int read_settings(const char **ret_folder, enum migration_layout *ret_layout,
			 const struct settings *settings, struct error *err)
{
	const char *text;

	if (settings_string(ret_folder, settings, "migrations.directory", err) < 0 ||
	    settings_string(&text, settings, "migrations.layout", err) < 0)
		return -1;
	return migration_layout_parse(ret_layout, text, err);
}

static int read_all(struct track_migrations *m, const struct settings *settings, const char *head,
		    const struct revert_series *series, struct error *err)
{
	struct tree_files files CLEANUP(tree_files_release) = TREE_FILES_INIT;
	struct tree_files after CLEANUP(tree_files_release) = TREE_FILES_INIT;
	struct tree_changes changes CLEANUP(tree_changes_release) = TREE_CHANGES_INIT;
	enum migration_layout layout;
	const char *folder;

	if (read_settings(&folder, &layout, settings, err) < 0 ||
	    tree_list(&files, head, folder ? folder : "", err) < 0 ||
	    migrations_of_files(&m->files, &files, folder, layout, err) < 0)
		return -1;
	if (series)
		list_changes(&changes, series);
	if (!has_scripts(&changes))
		return 0;
	apply_changes(&after, &files, &changes);
	/* Where HEAD has them: another folder that comes back does not make it uncertain. */
	if (m->files.folder)
		folder = m->files.folder;
	if (migrations_of_files(&m->after, &after, folder, layout, err) < 0)
		return -1;
	compare(m, &changes);
	return 0;
}

int track_migrations_find(struct track_migrations *ret, const struct settings *settings,
			  const char *head, const struct revert_series *series, struct error *err)
{
	struct error reason CLEANUP(error_release) = ERROR_INIT;

	if (read_all(ret, settings, head, series, &reason) == 0)
		return ret->nr ? look_inside(ret, series, err) : 0;
	if (reason.exit_code == EXIT_INTERRUPTED) {
		error_move(err, &reason);
		return -1;
	}
	ret->problem = xstrdup(reason.message);
	return 0;
}
