/* SPDX-License-Identifier: MIT */
#include "flow/track-dependents.h"

#include "base/memory.h"
#include "base/text.h"
#include "flow/track.h"
#include "migration/version.h"
#include "vcs/log.h"
#include "vcs/path.h"

void track_dependents_release(struct track_dependents *dependents)
{
	for (size_t i = 0; i < dependents->nr; i++) {
		struct track_dependent *it = &dependents->item[i];

		for (size_t b = 0; b < it->nr; b++) {
			free(it->because[b].what);
			free(it->because[b].uses);
			free(it->because[b].commit);
		}
		free(it->because);
		evidence_commits_release(&it->commits);
	}
	free(dependents->item);
	*dependents = (struct track_dependents)TRACK_DEPENDENTS_INIT;
}

/* ---- Units --------------------------------------------------------------------------- */

static bool same_unit(const struct unit *a, const struct unit *b)
{
	return unit_contains(a, b) && unit_contains(b, a);
}

static struct track_dependent *dependent_of(struct track_dependents *ret, const struct unit *unit)
{
	for (size_t i = 0; i < ret->nr; i++)
		if (same_unit(&ret->item[i].unit, unit))
			return &ret->item[i];
	ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
	ret->item[ret->nr] = (struct track_dependent){ .unit = *unit };
	return &ret->item[ret->nr++];
}

/* Copies it. */
static void add_because(struct track_dependent *dependent, const struct track_dependency *because)
{
	for (size_t i = 0; i < dependent->nr; i++)
		if (!strcmp(dependent->because[i].what, because->what) &&
		    !strcmp(dependent->because[i].commit, because->commit))
			return;
	ARRAY_GROW(dependent->because, dependent->nr + 1, dependent->alloc);
	dependent->because[dependent->nr++] = (struct track_dependency){
		.migration = because->migration,
		.what = xstrdup(because->what),
		.uses = xstrdup_or_null(because->uses),
		.commit = xstrdup(because->commit),
	};
}

/* A commit that is in the way: its units depend on what is reverted. */
static void add_commit(struct track_dependents *ret, const struct track_dependents_request *request,
		       const struct track_dependency *because)
{
	size_t nr;
	const struct commit_unit *owner = commit_units_find(request->owners, because->commit, &nr);

	for (size_t i = 0; i < nr; i++) {
		/* The unit around what is reverted does not depend on it: it is made of it. */
		if (units_contain(request->reverted, &owner[i].unit) || owner[i].role == ROLE_PLAN)
			continue;
		add_because(dependent_of(ret, &owner[i].unit), because);
	}
}

/* ---- Lines --------------------------------------------------------------------------- */

static void find_by_lines(struct track_dependents *ret,
			  const struct track_dependents_request *request)
{
	for (size_t s = 0; s < request->series->nr; s++) {
		const struct revert_step *step = &request->series->step[s];

		for (size_t c = 0; c < step->conflicts; c++)
			for (size_t i = 0; i < step->conflict[c].causes; i++)
				add_commit(ret, request,
					   &(struct track_dependency){
						   .what = step->conflict[c].path,
						   .commit = step->conflict[c].cause[i].commit });
	}
}

/* ---- Migrations ---------------------------------------------------------------------- */

static bool is_touched(const struct track_migrations *migrations, const struct migration *file)
{
	for (size_t i = 0; i < migrations->nr; i++)
		if (migrations->item[i].now == file)
			return true;
	return false;
}

/* What it speaks of that one of those makes that go; or NULL. */
static const char *used_by(const struct track_migrations *migrations, const struct migration *file)
{
	for (size_t i = 0; i < migrations->nr; i++)
		for (size_t u = 0; u < migrations->item[i].uses; u++)
			if (migrations->item[i].use[u].by == file)
				return migrations->item[i].use[u].name;
	return NULL;
}

struct walk {
	const struct track_dependents_request *request;
	struct track_dependents *dependents;
	struct strvec paths; /* of up scripts that come after */
	const struct tree_changes *changes;
	struct track_file *files;
	size_t own;
};

/* Git may call one that was renamed added: so it is, where it is now. */
static int on_migration(void *data, const struct log_commit *commit, struct error *err UNUSED)
{
	const struct walk *walk = data;
	const struct migrations *files = &walk->request->migrations->files;

	for (size_t c = 0; c < commit->changes; c++)
		for (size_t i = 0; i < files->nr; i++) {
			const struct migration *it = &files->item[i];
			char *what CLEANUP(free_p) = NULL, *uses CLEANUP(free_p) = NULL,
				   *oid CLEANUP(free_p) = NULL;

			if (commit->change[c].status != 'A' || !it->up.path ||
			    strcmp(it->up.path, commit->change[c].path) != 0 ||
			    !strvec_has(&walk->paths, it->up.path))
				continue;
			what = xstrfmt("%s %s", it->version, it->name);
			uses = xstrdup_or_null(used_by(walk->request->migrations, it));
			oid = xstrdup(commit->oid);
			add_commit(walk->dependents, walk->request,
				   &(struct track_dependency){ true, what, uses, oid });
		}
	return 0;
}

static int walk_paths(struct walk *walk, log_fn *fn, struct error *err)
{
	struct strvec revs CLEANUP(strvec_release) = STRVEC_INIT;
	const struct log_request request = {
		.repo = walk->request->repo,
		.revs = &revs,
		.paths = &walk->paths,
		.changes = true,
	};

	if (!walk->paths.nr)
		return 0;
	strvec_push(&revs, "HEAD");
	return log_walk(&request, fn, walk, err);
}

/*
 * By whatever comes later. What is undone already, stays, or only has another number, nobody misses;
 * what --forward-fix has to leave where others use it, only these.
 */
static bool is_missed(const struct track_migrations *m, const struct track_migration *it)
{
	return (it->change == TRACK_MIGRATION_GOES || it->change == TRACK_MIGRATION_CHANGES) &&
	       !it->undone_by && !it->stays && it->twin == NO_TWIN && !(m->forward && it->applied);
}

static int find_by_migrations(struct track_dependents *ret,
			      const struct track_dependents_request *request, struct error *err)
{
	const struct track_migrations *m = request->migrations;
	struct walk walk = { .request = request, .dependents = ret };
	const char *first = NULL;
	int result;

	for (size_t i = 0; i < m->nr; i++)
		if (is_missed(m, &m->item[i]) &&
		    (!first || version_compare(m->item[i].file->version, first) < 0))
			first = m->item[i].file->version;
	for (size_t i = 0; i < m->files.nr; i++) {
		const struct migration *it = &m->files.item[i];

		if (it->up.path && !is_touched(m, it) &&
		    (used_by(m, it) || (first && version_compare(it->version, first) > 0)))
			strvec_push(&walk.paths, it->up.path);
	}
	result = walk_paths(&walk, on_migration, err);
	strvec_release(&walk.paths);
	return result;
}

/* A task need not be named where its phase is: that has its reasons then. */
static void join_parts(struct track_dependents *dependents)
{
	size_t kept = 0;

	for (size_t i = 0; i < dependents->nr; i++) {
		struct track_dependent it = dependents->item[i];
		struct track_dependent *around = NULL;

		for (size_t o = 0; o < dependents->nr && !around; o++)
			if ((o < kept || o > i) &&
			    unit_contains(&dependents->item[o].unit, &it.unit))
				around = &dependents->item[o];
		if (!around) {
			dependents->item[kept++] = it;
			continue;
		}
		for (size_t b = 0; b < it.nr; b++) {
			add_because(around, &it.because[b]);
			free(it.because[b].what);
			free(it.because[b].uses);
			free(it.because[b].commit);
		}
		free(it.because);
	}
	dependents->nr = kept;
}

int track_dependents_find(struct track_dependents *ret,
			  const struct track_dependents_request *request, struct error *err)
{
	find_by_lines(ret, request);
	if (find_by_migrations(ret, request, err) < 0)
		return -1;
	join_parts(ret);
	for (size_t i = 0; i < ret->nr; i++)
		evidence_find(&ret->item[i].commits, request->evidence, &ret->item[i].unit);
	ret->level = request->level;
	return 0;
}

/* ---- Files --------------------------------------------------------------------------- */

static int on_file(void *data, const struct log_commit *commit, struct error *err UNUSED)
{
	const struct walk *walk = data;
	size_t nr;
	const struct commit_unit *owner =
		commit_units_find(walk->request->owners, commit->oid, &nr);

	for (size_t c = 0; nr && c < commit->changes; c++) {
		const struct tree_change *change =
			tree_changes_find(walk->changes, commit->change[c].path);
		struct strvec *tracks =
			change ? &walk->files[change - walk->changes->item].tracks : NULL;

		for (size_t i = 0; change && i < nr; i++) {
			const struct unit *unit = &owner[i].unit;

			if (unit->kind != UNIT_STORY && unit->track != walk->own &&
			    !strvec_has(tracks, walk->request->tracks->item[unit->track].id))
				strvec_push(tracks, walk->request->tracks->item[unit->track].id);
		}
	}
	return 0;
}

int track_files_find(struct track_file **ret, const struct track_dependents_request *request,
		     const struct tree_changes *changes, size_t own, struct error *err)
{
	struct walk walk = { .request = request, .changes = changes, .own = own };
	int result;

	walk.files = xcalloc(changes->nr + 1, sizeof(*walk.files));
	for (size_t i = 0; i < changes->nr; i++)
		strvec_push(&walk.paths, changes->item[i].path);
	result = walk_paths(&walk, on_file, err);
	strvec_release(&walk.paths);
	for (size_t i = 0; i < changes->nr; i++)
		strvec_sort(&walk.files[i].tracks);
	if (result < 0)
		track_files_free(walk.files, changes->nr);
	else
		*ret = walk.files;
	return result;
}

void track_files_free(struct track_file *files, size_t nr)
{
	for (size_t i = 0; files && i < nr; i++)
		strvec_release(&files[i].tracks);
	free(files);
}

/* ---- Showing it ---------------------------------------------------------------------- */

json_t *track_dependents_to_json(const struct track_dependents *dependents,
				 const struct tracks *tracks)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < dependents->nr; i++) {
		const struct track_dependent *it = &dependents->item[i];
		json_t *because = json_array(), *commits = json_array();

		for (size_t b = 0; b < it->nr; b++)
			json_array_append_new(
				because, json_pack("{s:s, s:o, s:o, s:s}", "kind",
						   it->because[b].migration ? "migration" : "lines",
						   "what", path_to_json(it->because[b].what),
						   "uses", json_text(it->because[b].uses), "commit",
						   it->because[b].commit));
		for (size_t c = 0; c < it->commits.nr; c++)
			if (it->commits.item[c].level >= dependents->level)
				json_array_append_new(
					commits, evidence_commit_to_json(&it->commits.item[c]));
		json_array_append_new(ret, json_pack("{s:o, s:o, s:o}", "unit",
						     track_unit_to_json(tracks, &it->unit),
						     "because", because, "commits", commits));
	}
	return ret;
}

/* What would be reverted with it: the documents follow from that. */
static void add_commits(struct strbuf *out, const struct track_dependent *it,
			enum evidence_level level)
{
	for (size_t i = 0; i < it->commits.nr; i++) {
		const struct evidence_commit *commit = &it->commits.item[i];

		if (commit->level < level || !commit->code)
			continue;
		strbuf_addf(out, "      %.10s ", commit->oid);
		text_escape(out, commit->subject, strlen(commit->subject), false);
		strbuf_addch(out, '\n');
	}
}

void track_dependents_text(struct strbuf *out, const struct track_dependents *dependents,
			   const struct tracks *tracks)
{
	if (dependents->nr)
		strbuf_addstr(out, "What was built on it (--with-dependents reverts it too):\n");
	for (size_t i = 0; i < dependents->nr; i++) {
		const struct track_dependent *it = &dependents->item[i];

		strbuf_addstr(out, "  ");
		unit_describe(out, tracks, &it->unit);
		for (size_t b = 0; b < it->nr; b++) {
			strbuf_addf(out, "%s %s ", b ? "," : ":",
				    it->because[b].migration ? "migration" : "the same lines of");
			text_escape(out, it->because[b].what, strlen(it->because[b].what), false);
			strbuf_addf(out, " (%.10s)", it->because[b].commit);
			if (!it->because[b].uses)
				continue;
			strbuf_addstr(out, ", which uses '");
			text_escape(out, it->because[b].uses, strlen(it->because[b].uses), false);
			strbuf_addch(out, '\'');
		}
		strbuf_addch(out, '\n');
		add_commits(out, it, dependents->level);
	}
}
