/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "flow/track-plan.h"
#include "vcs/git.h"
#include "vcs/log.h"

static struct track_commit *find_commit(const struct track_plan *plan, const char *oid)
{
	for (size_t i = 0; i < plan->nr; i++)
		if (!strcmp(plan->commit[i].oid, oid))
			return &plan->commit[i];
	return NULL;
}

bool track_plan_has(const struct track_plan *plan, const char *oid)
{
	return find_commit(plan, oid) || strvec_has(&plan->passed_over, oid);
}

static void add_commit(struct track_plan *plan, const char *oid, const char *subject,
		       const struct evidence_commit *evidence)
{
	if (find_commit(plan, oid))
		return;
	ARRAY_GROW(plan->commit, plan->nr + 1, plan->alloc);
	plan->commit[plan->nr++] = (struct track_commit){ .oid = xstrdup(oid),
							  .subject = xstrdup(subject),
							  .evidence = evidence };
}

static void clear_commits(struct track_plan *plan)
{
	for (size_t i = 0; i < plan->nr; i++) {
		free(plan->commit[i].oid);
		free(plan->commit[i].subject);
	}
	plan->nr = 0;
	strvec_release(&plan->passed_over);
}

/* ---- What evidence says, and what was typed ------------------------------------------ */

static int resolve(struct strvec *ret, const char *option, const struct strvec *revs,
		   struct error *err)
{
	for (size_t i = 0; i < revs->nr; i++) {
		char *oid CLEANUP(free_p) = NULL;
		int found = repo_commit(&oid, revs->v[i], err);

		if (found < 0)
			return -1;
		if (found == COMMIT_MISSING) {
			error_set(err, "%s: '%s' names no commit", option, revs->v[i]);
			return error_code(err, EXIT_USAGE);
		}
		strvec_push(ret, oid);
	}
	return 0;
}

static void find_evidence(struct track_plan *plan)
{
	size_t had = plan->found_alloc;

	if (plan->units.nr <= had)
		return;
	plan->found = xreallocarray(plan->found, plan->units.nr, sizeof(*plan->found));
	plan->found_alloc = plan->units.nr;
	for (size_t i = had; i < plan->units.nr; i++) {
		plan->found[i] = (struct evidence_commits)EVIDENCE_COMMITS_INIT;
		evidence_find(&plan->found[i], plan->evidence, &plan->units.item[i]);
	}
}

static int on_named(void *data, const struct log_commit *commit, struct error *err UNUSED)
{
	char *subject CLEANUP(free_p) = log_subject(commit->message);

	add_commit(data, commit->oid, subject, NULL);
	return 0;
}

static int add_named(struct track_plan *plan, const struct strvec *also, struct error *err)
{
	const struct log_request request = { .repo = &plan->session->repo,
					     .revs = also,
					     .these = true };

	return also->nr ? log_walk(&request, on_named, plan, err) : 0;
}

/* ---- The order ----------------------------------------------------------------------- */

struct ordering {
	struct track_plan *plan;
	struct track_commit *ordered;
	size_t nr;
};

static int on_commit(void *data, const struct log_commit *commit, struct error *err UNUSED)
{
	struct ordering *ordering = data;
	struct track_commit *it = find_commit(ordering->plan, commit->oid);

	if (it)
		ordering->ordered[ordering->nr++] = *it;
	return 0;
}

static int check_all_there(const struct ordering *ordering, struct error *err)
{
	const struct track_plan *plan = ordering->plan;

	for (size_t i = 0; i < plan->nr; i++) {
		bool found = false;

		for (size_t o = 0; o < ordering->nr && !found; o++)
			found = !strcmp(plan->commit[i].oid, ordering->ordered[o].oid);
		if (!found)
			return error_refused(err, "commit %.10s is not in the history of HEAD",
					     plan->commit[i].oid);
	}
	return 0;
}

/* One unit's evidence is in order; what comes from several places is put into that of history. */
static int put_in_order(struct track_plan *plan, struct error *err)
{
	struct ordering ordering = { .plan = plan };
	struct strvec revs CLEANUP(strvec_release) = STRVEC_INIT;
	const struct log_request request = { .repo = &plan->session->repo, .revs = &revs };
	int ret;

	strvec_push(&revs, "HEAD");
	ordering.ordered = xcalloc(plan->nr + 1, sizeof(*ordering.ordered));
	ret = log_walk(&request, on_commit, &ordering, err);
	if (!ret)
		ret = check_all_there(&ordering, err);
	if (!ret)
		memcpy(plan->commit, ordering.ordered, plan->nr * sizeof(*plan->commit));
	free(ordering.ordered);
	return ret;
}

/* ---- Merges -------------------------------------------------------------------------- */

static int count_parents(size_t *ret, const struct track_plan *plan, const char *oid,
			 struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, &plan->session->repo, NULL);
	strvec_pushl(&git.argv, "rev-list", "--no-walk", "--parents", oid, NULL);
	if (git_run(&git, "read a commit's parents", err) < 0)
		return -1;
	*ret = 0;
	for (const char *c = git.out.buf; *c && *c != '\n'; c++)
		*ret += *c == ' ';
	return 0;
}

/* Is anything that this merge brought in going to be reverted by itself? */
static int has_own_commits(bool *ret, const struct track_plan *plan, const char *merge,
			   struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	char *line, *rest = NULL;

	git_prepare(&git, &plan->session->repo, NULL);
	strvec_pushl(&git.argv, "rev-list", merge, NULL);
	strvec_pushf(&git.argv, "^%s^1", merge);
	if (git_run(&git, "list the commits of a merge", err) < 0)
		return -1;
	*ret = false;
	for (line = strtok_r(git.out.buf, "\n", &rest); line && !*ret;
	     line = strtok_r(NULL, "\n", &rest))
		*ret = strcmp(line, merge) != 0 && find_commit(plan, line);
	return 0;
}

/*
 * A branch that was merged goes as its commits, and the merge has nothing more of its own; where
 * none of them is known to be the unit's, the merge goes as one, back to its first parent.
 */
static int settle_merges(struct track_plan *plan, struct error *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->nr; i++) {
		struct track_commit *it = &plan->commit[i];
		size_t parents = it->evidence && !it->evidence->merge ? 1 : 0;
		bool one_by_one = false;

		if (!parents && count_parents(&parents, plan, it->oid, err) < 0)
			return -1;
		if (parents > 1 && has_own_commits(&one_by_one, plan, it->oid, err) < 0)
			return -1;
		it->merge = parents > 1;
		it->mainline = it->merge && !one_by_one ? 1 : 0;
	}
	for (size_t i = 0; i < plan->nr; i++) {
		struct track_commit it = plan->commit[i];

		if (it.merge && !it.mainline) {
			strvec_push(&plan->passed_over, it.oid);
			free(it.oid);
			free(it.subject);
		} else {
			plan->commit[kept++] = it;
		}
	}
	plan->nr = kept;
	return 0;
}

/* ---- All of it ----------------------------------------------------------------------- */

int track_select(struct track_plan *plan, struct error *err)
{
	const struct track_plan_request *request = plan->request;
	const struct strvec *also = &plan->also, *except = &plan->except;
	struct strvec named CLEANUP(strvec_release) = STRVEC_INIT;

	if ((!also->nr && resolve(&plan->also, "--also", &request->also, err) < 0) ||
	    (!except->nr && resolve(&plan->except, "--except", &request->except, err) < 0))
		return -1;
	clear_commits(plan);
	find_evidence(plan);
	for (size_t u = 0; u < plan->units.nr; u++)
		for (size_t i = 0; i < plan->found[u].nr; i++) {
			const struct evidence_commit *it = &plan->found[u].item[i];

			if (((int)it->level >= request->level || strvec_has(also, it->oid)) &&
			    !strvec_has(except, it->oid))
				add_commit(plan, it->oid, it->subject, it);
		}
	for (size_t i = 0; i < also->nr; i++)
		if (!strvec_has(except, also->v[i]) && !find_commit(plan, also->v[i]))
			strvec_push(&named, also->v[i]);
	if (add_named(plan, &named, err) < 0 ||
	    ((named.nr || plan->units.nr > 1) && put_in_order(plan, err) < 0))
		return -1;
	return settle_merges(plan, err);
}
