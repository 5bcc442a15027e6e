/* SPDX-License-Identifier: MIT */
#include "flow/track-reset.h"

#include "base/memory.h"
#include "vcs/git.h"

/* A commit's first parent; NULL: it is a root. */
static int parent_of(char **ret, const struct track_plan *plan, const char *oid, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, &plan->session->repo, NULL);
	strvec_pushl(&git.argv, "rev-parse", "--verify", "--quiet", NULL);
	strvec_pushf(&git.argv, "%s^1", oid);
	if (process_run(&git, err) < 0)
		return -1;
	*ret = git.status ? NULL : xmemdupz(git.out.buf, strcspn(git.out.buf, "\n"));
	return 0;
}

/* The ids that rev-list prints for HEAD without `base`, and without `also` where it is not NULL. */
static int list(struct strvec *ret, const struct track_plan *plan, const char *base,
		const char *also, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	const char *line, *end;

	git_prepare(&git, &plan->session->repo, NULL);
	strvec_pushl(&git.argv, "rev-list", "HEAD", NULL);
	strvec_pushf(&git.argv, "^%s", base);
	if (also)
		strvec_pushl(&git.argv, "--not", also, NULL);
	if (git_run(&git, "list the newest commits", err) < 0)
		return -1;
	for (line = git.out.buf; (end = strchr(line, '\n')); line = end + 1)
		strvec_push_nodup(ret, xmemdupz(line, (size_t)(end - line)));
	return 0;
}

static int check(struct track_plan *plan, const char *base, struct error *err)
{
	struct strvec newest CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec local CLEANUP(strvec_release) = STRVEC_INIT;

	if (list(&newest, plan, base, NULL, err) < 0 ||
	    list(&local, plan, base, "--remotes", err) < 0)
		return -1;
	for (size_t i = 0; i < newest.nr; i++) {
		if (!track_plan_has(plan, newest.v[i]))
			verdict_refuse(&plan->verdict,
				       "commit %.10s came later, and is not the unit's",
				       newest.v[i]);
		else if (!strvec_has(&local, newest.v[i]))
			verdict_refuse(&plan->verdict, "commit %.10s is on a remote", newest.v[i]);
		else
			continue;
		verdict_hint(&plan->verdict, "Revert it, without --strategy=reset.");
		return 0;
	}
	plan->reset_to = xstrdup(base);
	return 0;
}

int track_reset(struct track_plan *plan, struct error *err)
{
	char *base CLEANUP(free_p) = NULL;

	if (!plan->nr)
		return 0;
	if (parent_of(&base, plan, plan->commit[plan->nr - 1].oid, err) < 0)
		return -1;
	if (base)
		return check(plan, base, err);
	verdict_refuse(&plan->verdict, "there is no commit before the unit's to go back to");
	return 0;
}
