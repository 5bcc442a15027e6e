/* SPDX-License-Identifier: MIT */
/* Merges that plans name: the work is what they brought, and nothing else has. */
#include "base/memory.h"
#include "flow/evidence-parts.h"
#include "vcs/git.h"

/* A merge of more commits than these is no evidence for any. */
#define BROUGHT_MAX 64

/* ---- What a merge brought -------------------------------------------------------------- */

/*
 * A merge that says where it was merged to, or from which repository, may bring what others have done
 * to a branch of one's own.
 */
static bool may_bring_others(const char *subject)
{
	const char *quote = strchr(subject, '\''), *end = quote ? strchr(quote + 1, '\'') : NULL;

	return !strncasecmp(subject, "Merge ", 6) && end &&
	       (end[1] || strncasecmp(subject, "Merge branch ", strlen("Merge branch ")) != 0);
}

/* What came with a merge; of each whether it has come by another way as well. */
enum way { BY_MERGE, BY_ANOTHER };
struct brought {
	struct strvec names;
	struct oid_map way; /* of the names */
	struct strvec only; /* those that came by nothing else */
	const char *merge;
	bool on_mainline; /* the merge is one of the branch that we are on */
};

static void brought_release(struct brought *brought)
{
	strvec_release(&brought->names);
	strvec_release(&brought->only);
	oid_map_release(&brought->way);
}

static int take_name(void *data, const struct log_commit *commit, struct error *err)
{
	struct brought *b = data;

	(void)err;
	if (strcmp(commit->oid, b->merge) != 0 && b->names.nr <= BROUGHT_MAX)
		strvec_push(&b->names, commit->oid);
	return 0;
}

static int read_names(struct brought *b, const struct evidence *e, const struct known_commit *merge,
		      struct error *err)
{
	struct strvec revs CLEANUP(strvec_release) = STRVEC_INIT;
	struct log_request request = { .repo = e->request.repo, .revs = &revs };

	b->merge = merge->oid;
	strvec_push(&revs, merge->oid);
	strvec_pushf(&revs, "^%s", merge->parent);
	if (log_walk(&request, take_name, b, err) < 0)
		return -1;
	for (size_t i = 0; i < b->names.nr; i++)
		oid_map_put(&b->way, b->names.v[i], BY_MERGE);
	return 0;
}

/* "<id> <parent>...", behind those of all that are made from it. `next`: of the branch that we are on. */
static void take_line(struct brought *b, char *line, struct strbuf *next)
{
	char *rest = NULL, *oid = strtok_r(line, " ", &rest), *parent = strtok_r(NULL, " ", &rest);
	bool merge = !strcmp(oid, b->merge);

	if (!strcmp(oid, next->buf)) {
		b->on_mainline |= merge;
		strbuf_reset(next);
		strbuf_addstr(next, parent ? parent : "");
	}
	if (merge || oid_map_get(&b->way, oid) == BY_MERGE)
		return;
	for (; parent; parent = strtok_r(NULL, " ", &rest))
		for (size_t i = 0; i < b->names.nr; i++)
			if (!strcmp(b->names.v[i], parent))
				oid_map_put(&b->way, b->names.v[i], BY_ANOTHER);
}

static int read_ways(struct brought *b, const struct evidence *e, const struct known_commit *merge,
		     struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf next CLEANUP(strbuf_release) = STRBUF_INIT;

	repo_environment(&env, e->request.repo);
	git_prepare(&git, e->request.repo, &env);
	strvec_pushl(&git.argv, "rev-list", "--topo-order", "--parents", e->rev, NULL);
	strvec_pushf(&git.argv, "^%s", merge->parent);
	strvec_push(&git.argv, "--");
	strbuf_addstr(&next, e->rev);
	git.input = "";
	git.stop = true;
	if (process_start(&git, err) < 0)
		return -1;
	process_end_input(&git);
	for (; process_read_line(&git, &line); strbuf_reset(&line))
		if (line.len)
			take_line(b, line.buf, &next);
	if (git_finish(&git, "list the commits of a merge", err) < 0)
		return -1;
	for (size_t i = 0; i < b->names.nr; i++)
		if (oid_map_get(&b->way, b->names.v[i]) == BY_MERGE)
			strvec_push(&b->only, b->names.v[i]);
	return 0;
}

static int keep_commit(void *data, const struct log_commit *commit, struct error *err)
{
	(void)err;
	if (!strchr(commit->parents, ' '))
		evidence_keep(data, commit);
	return 0;
}

static void add_brought(struct evidence *e, size_t record, const struct brought *b)
{
	const char *subject = e->commit[e->record[record].commit].subject;
	bool sure = !(b->on_mainline && may_bring_others(subject));

	for (size_t i = 0; i < b->only.nr; i++) {
		uint32_t known = oid_map_get(&e->by_oid, b->only.v[i]);

		if (known == NO_COMMIT)
			continue;
		ARRAY_GROW(e->merged, e->mergeds + 1, e->mergeds_alloc);
		e->merged[e->mergeds++] = (struct merged){ record, known, sure };
	}
}

int evidence_read_merged(struct evidence *e, struct error *err)
{
	for (size_t i = 0; i < e->records; i++) {
		struct brought brought CLEANUP(brought_release) = { .names = STRVEC_INIT,
								    .only = STRVEC_INIT };
		const struct record *record = &e->record[i];
		struct log_request request = { .repo = e->request.repo,
					       .revs = &brought.only,
					       .these = true };

		if (record->lost || record->checkpoint || record->commit == NO_COMMIT ||
		    !e->commit[record->commit].merge || !evidence_wants(e, &record->unit))
			continue;
		if (read_names(&brought, e, &e->commit[record->commit], err) < 0)
			return -1;
		if (brought.names.nr > BROUGHT_MAX)
			continue;
		if (read_ways(&brought, e, &e->commit[record->commit], err) < 0 ||
		    log_walk(&request, keep_commit, e, err) < 0)
			return -1;
		add_brought(e, i, &brought);
	}
	return 0;
}

/* ---- Claims ------------------------------------------------------------------------------ */

/* Do plans name the same merge for another unit? Then which commit is whose cannot be told. */
static bool is_named_for_another(const struct evidence *e, const struct record *record)
{
	for (size_t i = 0; i < e->records; i++)
		if (e->record[i].commit == record->commit &&
		    units_are_disjoint(&e->record[i].unit, &record->unit))
			return true;
	return false;
}

void evidence_claim_merged(struct evidence *e)
{
	for (size_t i = 0; i < e->mergeds; i++) {
		struct record *record = &e->record[e->merged[i].record];
		const struct known_commit *commit = &e->commit[e->merged[i].commit];
		const struct known_commit *merge = &e->commit[record->commit];
		bool sure = e->merged[i].sure && record->current && !commit->plans &&
			    !is_named_for_another(e, record) &&
			    !evidence_is_others(e, e->merged[i].commit, &record->unit);

		if (!commit_is_work(commit) || commit_is_called_bookkeeping(commit))
			continue;
		record->brought |= sure;
		claim_add(e, e->merged[i].commit, record->unit, EVIDENCE_RECORDED,
			  sure ? EVIDENCE_CERTAIN : EVIDENCE_LIKELY, commit_work_role(commit),
			  "the plan names %.7s, the merge by which it came", merge->oid);
	}
}
