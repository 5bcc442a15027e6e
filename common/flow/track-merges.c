/* SPDX-License-Identifier: MIT */
#include "flow/track-merges.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "flow/evidence-parts.h"
#include "vcs/git.h"
#include "vcs/object.h"
#include "vcs/path.h"
#include "vcs/textmerge.h"

/* So many merges are looked into: each takes some processes. */
#define MERGES_MAX 32
/* Of more commits than there are bits the last ones share one. */
#define BITS 64

struct merge {
	char *oid, *parent[2];
	bool of_unit;
};
struct search {
	struct track_plan *plan;
	/* The commits that have some of the unit's in their history, and which. */
	struct oid_map holders;
	struct strvec oids;
	uint64_t *bits;
	size_t bits_alloc;
	struct merge *merge; /* oldest first */
	size_t nr, alloc;
};

static void search_release(struct search *s)
{
	oid_map_release(&s->holders);
	strvec_release(&s->oids);
	free(s->bits);
	for (size_t i = 0; i < s->nr; i++) {
		free(s->merge[i].oid);
		free(s->merge[i].parent[0]);
		free(s->merge[i].parent[1]);
	}
	free(s->merge);
}

/* ---- Merges by which commits came ----------------------------------------------------- */

static uint64_t bits_of(const struct search *s, const char *oid)
{
	uint32_t at = oid_map_get(&s->holders, oid);

	return at == NO_COMMIT ? 0 : s->bits[at];
}

static void add_bits(struct search *s, const char *oid, uint64_t bits)
{
	if (!bits)
		return;
	strvec_push(&s->oids, oid);
	ARRAY_GROW(s->bits, s->oids.nr, s->bits_alloc);
	s->bits[s->oids.nr - 1] = bits;
	oid_map_put(&s->holders, s->oids.v[s->oids.nr - 1], (uint32_t)s->oids.nr - 1);
}

static uint64_t own_bit(const struct track_plan *plan, const char *oid)
{
	for (size_t i = 0; i < plan->nr; i++)
		if (!strcmp(plan->commit[i].oid, oid))
			return plan->commit[i].merge ? 0 : UINT64_C(1) << (i < BITS ? i : BITS - 1);
	return 0;
}

/* "<commit> <parent>...", parents before their children. Octopuses are not looked into. */
static void take_line(struct search *s, char *line)
{
	char *save = NULL, *oid = strtok_r(line, " ", &save), *parent[3] = { NULL };
	uint64_t bits = own_bit(s->plan, oid), of[2];
	size_t nr = 0;

	for (char *it; (it = strtok_r(NULL, " ", &save)); nr++) {
		bits |= bits_of(s, it);
		if (nr < ARRAY_SIZE(parent))
			parent[nr] = it;
	}
	add_bits(s, oid, bits);
	if (nr != 2 || !bits || track_plan_has(s->plan, oid))
		return;
	of[0] = bits_of(s, parent[0]);
	of[1] = bits_of(s, parent[1]);
	if (of[0] == of[1])
		return;
	ARRAY_GROW(s->merge, s->nr + 1, s->alloc);
	s->merge[s->nr++] = (struct merge){ .oid = xstrdup(oid),
					    .parent = { xstrdup(parent[0]), xstrdup(parent[1]) } };
}

/* Since the unit began. */
static int find_merges(struct search *s, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;
	const struct track_plan *plan = s->plan;
	int64_t since = INT64_MAX;

	for (size_t i = 0; i < plan->nr; i++)
		if (plan->commit[i].evidence && plan->commit[i].evidence->commit_time < since)
			since = plan->commit[i].evidence->commit_time;
	if (since == INT64_MAX)
		return 0;
	git_prepare(&git, &plan->session->repo, NULL);
	strvec_pushl(&git.argv, "rev-list", "--topo-order", "--reverse", "--parents", NULL);
	strvec_pushf(&git.argv, "--max-age=%" PRId64, since);
	strvec_pushl(&git.argv, plan->session->repo.head, "--", NULL);
	git.input = "";
	git.stop = true;
	if (process_start(&git, err) < 0)
		return -1;
	process_end_input(&git);
	for (; process_read_line(&git, &line); strbuf_reset(&line))
		take_line(s, line.buf);
	return git_finish(&git, "list the merges since the unit began", err);
}

static bool brings_commits(const struct search *s, const struct merge *merge)
{
	return (bits_of(s, merge->parent[1]) & ~bits_of(s, merge->parent[0])) != 0;
}

/* Those that are on the branch which this one brings: what the others have done came to it by them. */
static int mark_inner(struct search *s, const struct merge *merge, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, &s->plan->session->repo, NULL);
	strvec_pushl(&git.argv, "rev-list", "--merges", merge->parent[1], NULL);
	strvec_pushf(&git.argv, "^%s", merge->parent[0]);
	strvec_push(&git.argv, "--");
	if (git_run(&git, "list the merges on a branch", err) < 0)
		return -1;
	for (char *at = git.out.buf, *end; (end = strchr(at, '\n')); at = end + 1) {
		*end = '\0';
		for (size_t i = 0; i < s->nr; i++)
			s->merge[i].of_unit |= !strcmp(s->merge[i].oid, at);
	}
	return 0;
}

/*
 * A merge brings commits of the unit to what has not got them; or is on a branch that another one
 * brings; or more of the unit follows. Later ones, of other branches with what has all of it, are not
 * its.
 */
static int mark_merges(struct search *s, struct error *err)
{
	uint64_t all = bits_of(s, s->plan->session->repo.head);
	size_t nr = 0;

	for (size_t i = s->nr; i-- && nr < MERGES_MAX;) {
		struct merge *merge = &s->merge[i];

		merge->of_unit |= bits_of(s, merge->parent[0]) != all;
		if (!brings_commits(s, merge))
			continue;
		merge->of_unit = true;
		nr++;
		if (mark_inner(s, merge, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- What they change themselves ------------------------------------------------------ */

enum { MERGED, OURS, THEIRS, BASE, SIDES };

/* One that both sides have got from the same commit; NULL: none, or several. free() it. */
static int find_base(char **ret, const struct search *s, const struct merge *merge,
		     struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	char *end;

	git_prepare(&git, &s->plan->session->repo, NULL);
	strvec_pushl(&git.argv, "merge-base", "--all", merge->parent[0], merge->parent[1], NULL);
	if (process_run(&git, err) < 0)
		return -1;
	end = strchr(git.out.buf, '\n');
	*ret = !git.status && end && !end[1] ? xmemdupz(git.out.buf, (size_t)(end - git.out.buf)) :
					       NULL;
	return 0;
}

/*
 * Is it something else than merging comes to? Where a side has no such file, it may have been
 * renamed there: that is not said.
 */
static bool is_own(const struct object *side)
{
	struct strbuf merged CLEANUP(strbuf_release) = STRBUF_INIT;

	if (!side[OURS].oid != !side[THEIRS].oid)
		return false;
	if (!side[MERGED].oid || !side[OURS].oid || !side[BASE].oid)
		return true;
	if (strcmp(side[BASE].type, "blob") != 0 || strcmp(side[MERGED].type, "blob") != 0)
		return true;
	return textmerge(&merged, &side[OURS].data, &side[BASE].data, &side[THEIRS].data) !=
		       TEXTMERGE_CLEAN ||
	       merged.len != side[MERGED].data.len ||
	       memcmp(merged.buf, side[MERGED].data.buf, merged.len) != 0;
}

static int find_own(struct strvec *ret, const struct merge *merge, const char *base,
		    const struct strvec *paths, struct error *err)
{
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	const char *const side[SIDES] = { merge->oid, merge->parent[0], merge->parent[1], base };

	for (size_t i = 0; i < paths->nr; i++)
		for (size_t k = 0; k < SIDES; k++) {
			char *name CLEANUP(free_p) = xstrfmt("%s:%s", side[k], paths->v[i]);

			objects_add(&objects, name);
		}
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < paths->nr; i++)
		if (is_own(&objects.item[i * SIDES]))
			strvec_push(ret, paths->v[i]);
	return 0;
}

/* The files that are as neither side has them; but for documents, which no revert touches. */
static int list_files(struct strvec *ret, const struct search *s, const struct merge *merge,
		      struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, &s->plan->session->repo, NULL);
	strvec_pushl(&git.argv, "diff-tree", "-r", "-c", "-z", "--name-only", "--no-commit-id",
		     "--no-renames", merge->oid, "--", NULL);
	if (git_run(&git, "compare a merge with its parents", err) < 0)
		return -1;
	for (size_t at = 0; at < git.out.len; at += strlen(git.out.buf + at) + 1)
		if (!track_documents_kept(&s->plan->keep, git.out.buf + at) &&
		    !strchr(git.out.buf + at, '\n'))
			strvec_push(ret, git.out.buf + at);
	return 0;
}

static void warn(struct track_plan *plan, const struct merge *merge, const struct strvec *files)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; i < files->nr && i < 3; i++) {
		strbuf_addstr(&text, i ? ", '" : "'");
		path_show(&text, files->v[i]);
		strbuf_addch(&text, '\'');
	}
	if (files->nr > 3)
		strbuf_addf(&text, " and %zu more", files->nr - 3);
	verdict_warn(
		&plan->verdict,
		"merge %.10s, by which commits of the unit came, changes %s by itself: that is no "
		"commit's, and stays; see 'git show %.10s'",
		merge->oid, text.buf, merge->oid);
}

static int judge(struct search *s, const struct merge *merge, struct error *err)
{
	struct strvec files CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec own CLEANUP(strvec_release) = STRVEC_INIT;
	char *base CLEANUP(free_p) = NULL;

	if (list_files(&files, s, merge, err) < 0)
		return -1;
	if (!files.nr)
		return 0;
	if (find_base(&base, s, merge, err) < 0 ||
	    (base && find_own(&own, merge, base, &files, err) < 0))
		return -1;
	if (own.nr)
		warn(s->plan, merge, &own);
	return 0;
}

int track_judge_merges(struct track_plan *plan, struct error *err)
{
	struct search s CLEANUP(search_release) = { .plan = plan };
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	size_t judged = 0;

	if (find_merges(&s, err) < 0 || mark_merges(&s, err) < 0)
		return -1;
	for (size_t i = s.nr; i-- && judged < MERGES_MAX;) {
		if (!s.merge[i].of_unit)
			continue;
		judged++;
		if (judge(&s, &s.merge[i], &ignored) < 0) {
			if (interrupt_pending())
				return error_interrupted(err);
			error_clear(&ignored); /* a partial clone is on its own */
		}
	}
	return 0;
}
