/* SPDX-License-Identifier: MIT */
#include "flow/track-schema.h"

#include <strings.h>

#include "base/memory.h"
#include "sql/effect.h"
#include "vcs/object.h"

/* One text at a time of a commit: "<head>:<path>". */
static int read_text(struct objects *ret, const char *commit, const char *path, struct error *err)
{
	char *name CLEANUP(free_p) = xstrfmt("%s:%s", commit, path);

	objects_add(ret, name);
	return objects_read(ret, err);
}

/*
 * Adds "<type>\t<name>" of all that the script makes, without schemas: a dump names
 * them, and a migration often does not. What cannot be parsed has none.
 */
static int add_made(struct strvec *ret, const char *commit, const char *path, struct error *err)
{
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	struct sql_script script CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
	struct sql_effects effects CLEANUP(sql_effects_release) = SQL_EFFECTS_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (read_text(&objects, commit, path, err) < 0)
		return -1;
	if (!objects.item[0].oid ||
	    sql_script_parse(&script, path, objects.item[0].data.buf, objects.item[0].data.len,
			     &ignored) < 0 ||
	    sql_script_effects(&effects, &script, &ignored) < 0)
		return 0;
	for (size_t i = 0; i < effects.nr; i++) {
		const struct sql_effect *it = &effects.item[i];
		struct strbuf made = STRBUF_INIT;

		if (it->kind != SQL_EFFECT_CREATE || !it->type || !it->name.nr)
			continue;
		strbuf_addf(&made, "%s\t%s", it->type, it->name.v[it->name.nr - 1]);
		if (strvec_has(ret, made.buf))
			strbuf_release(&made);
		else
			strvec_push_nodup(ret, strbuf_detach(&made));
	}
	return 0;
}

/* What migrations make that are gone, and none that is left. */
static int read_gone(struct strvec *ret, const struct track_plan *plan, struct error *err)
{
	struct strvec left CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec made CLEANUP(strvec_release) = STRVEC_INIT;
	const struct track_migrations *m = &plan->migrations;
	bool any = false;

	for (size_t i = 0; i < m->nr; i++) {
		if (m->item[i].change != TRACK_MIGRATION_GOES)
			continue;
		any = true;
		if (add_made(&made, plan->session->repo.head, m->item[i].file->up.path, err) < 0)
			return -1;
	}
	for (size_t i = 0; any && i < m->files.nr; i++) {
		const struct migration *file = &m->files.item[i];
		bool goes = false;

		for (size_t k = 0; k < m->nr && !goes; k++)
			goes = m->item[k].file == file && m->item[k].change == TRACK_MIGRATION_GOES;
		if (!goes && file->up.path &&
		    add_made(&left, plan->run.head, file->up.path, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < made.nr; i++)
		if (!strvec_has(&left, made.v[i]))
			strvec_push(ret, made.v[i]);
	return 0;
}

static bool is_schema_file(const struct track_plan *plan, const char *path)
{
	size_t len = strlen(path);

	return len > 4 && !strcasecmp(path + len - 4, ".sql") &&
	       file_kind_of(&plan->kinds, path) == FILE_SCHEMA;
}

int track_schema_left(char **ret, const struct track_plan *plan, struct error *err)
{
	struct strvec gone CLEANUP(strvec_release) = STRVEC_INIT;
	struct tree_files files CLEANUP(tree_files_release) = TREE_FILES_INIT;
	bool looked = false;

	if (!plan->migrations.nr)
		return TRACK_SCHEMA_NOTHING;
	if (read_gone(&gone, plan, err) < 0 ||
	    (gone.nr && tree_list(&files, plan->run.head, "", err) < 0))
		return -1;
	for (size_t f = 0; f < files.nr && !*ret; f++) {
		struct strvec made CLEANUP(strvec_release) = STRVEC_INIT;

		if (!is_schema_file(plan, files.item[f].path))
			continue;
		looked = true;
		if (add_made(&made, plan->run.head, files.item[f].path, err) < 0)
			return -1;
		for (size_t i = 0; i < made.nr && !*ret; i++)
			if (strvec_has(&gone, made.v[i]))
				*ret = xstrfmt("'%s' still makes '%s', whose migration is gone",
					       files.item[f].path, strchr(made.v[i], '\t') + 1);
	}
	return looked ? TRACK_SCHEMA_LOOKED : TRACK_SCHEMA_NOTHING;
}
