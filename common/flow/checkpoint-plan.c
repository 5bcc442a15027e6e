/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint-plan.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "flow/confirm.h"
#include "term/output.h"
#include "vcs/git.h"

void checkpoint_plan_release(struct checkpoint_plan *plan)
{
	refs_update_release(&plan->moves);
	restore_release(&plan->files);
	snapshot_release(&plan->target);
	json_decref(plan->wanted.members);
	json_decref(plan->commits);
	json_decref(plan->database);
	verdict_release(&plan->verdict);
	free(plan->ref);
	free(plan->name);
	free(plan->undoes);
	free(plan->operation);
	import_release(&plan->commit);
	workfolder_release(&plan->work);
	free(plan->identity);
	free(plan->safety);
	*plan = (struct checkpoint_plan)CHECKPOINT_PLAN_INIT;
}

void checkpoint_plan_move(struct checkpoint_plan *plan, const char *name, const char *old_value,
			  const char *new_value)
{
	if (old_value && new_value ? !strcmp(old_value, new_value) : old_value == new_value)
		return;
	refs_add(&plan->moves, name, old_value ? old_value : "", new_value);
}

struct checkpoint_head checkpoint_head_now(const struct checkpoint_plan *plan)
{
	const struct worktree_state *state = &plan->files.now.state;

	return (struct checkpoint_head){ .commit = state->head, .branch = state->branch };
}

struct checkpoint_head checkpoint_head_then(const struct checkpoint_plan *plan)
{
	const json_t *head = json_object_get(plan->target.manifest, "head");
	bool unborn = json_is_true(json_object_get(head, "unborn"));

	return (struct checkpoint_head){ .commit = unborn ? NULL : plan->target.head,
					 .branch = json_member(head, "branch") };
}

char *checkpoint_head_value(const struct checkpoint_head *head)
{
	return head->branch ? xstrfmt("ref: %s", head->branch) : xstrdup_or_null(head->commit);
}

bool checkpoint_head_is_same_branch(const struct checkpoint_head *a,
				    const struct checkpoint_head *b)
{
	return a->branch && b->branch ? !strcmp(a->branch, b->branch) : a->branch == b->branch;
}

bool checkpoint_plan_is_nothing(const struct checkpoint_plan *plan)
{
	return !plan->moves.nr && !plan->settles && restore_is_nothing(&plan->files);
}

/* ---- Branches ------------------------------------------------------------------------ */

int checkpoint_plan_check_branch(struct checkpoint_plan *plan, const char *branch,
				 struct error *err)
{
	static const char *const fields[] = { "worktreepath", NULL };
	const char *const pattern[] = { branch, NULL };
	struct refs refs CLEANUP(refs_release) = REFS_INIT;
	const struct ref *ref;

	if (refs_list(&refs, pattern, fields, NULL, err) < 0)
		return -1;
	ref = refs_find(&refs, branch);
	if (ref && *ref->field[0])
		verdict_refuse(&plan->verdict, "'%s' is checked out in '%s'", branch,
			       ref->field[0]);
	return 0;
}

/* ---- Files --------------------------------------------------------------------------- */

static json_t *safety_members(const struct checkpoint_plan *plan)
{
	json_t *members = json_pack("{s:s}", "kind", "safety");

	if (plan->operation)
		json_object_set_new(members, "operation", json_text(plan->operation));
	return members;
}

static void take_refusals(struct checkpoint_plan *plan)
{
	for (size_t i = 0; i < plan->files.refusal.nr; i++)
		verdict_refuse(&plan->verdict, "%s", plan->files.refusal.v[i]);
}

/* An operation of git's that has its own way back: what we would do comes between its steps. */
static void check_in_progress(struct checkpoint_plan *plan)
{
	const struct strvec *in_progress = &plan->files.now.state.in_progress;
	char *sequencer CLEANUP(free_p) = xstrfmt("%s/sequencer", plan->session->repo.git_dir);

	if (plan->wanted.files_only ||
	    plan->wanted.pathspecs) /* no branch moves, no state changes */
		return;
	if (strvec_has(in_progress, "rebase")) {
		verdict_refuse(&plan->verdict, "a rebase is in progress");
		verdict_hint(&plan->verdict,
			     "Finish it with 'git rebase --continue', or end it with "
			     "'git rebase --abort' or '--quit'.");
	} else if (strvec_has(in_progress, "am")) {
		verdict_refuse(&plan->verdict, "'git am' is in progress");
		verdict_hint(&plan->verdict, "Finish it with 'git am --continue', or end it with "
					     "'git am --abort' or '--quit'.");
	} else if (access(sequencer, F_OK) == 0) {
		verdict_refuse(&plan->verdict,
			       "a series of cherry-picks or reverts is in progress");
		verdict_hint(&plan->verdict,
			     "End it with 'git cherry-pick --quit' or 'git revert --quit'.");
	}
}

int checkpoint_plan_files(struct checkpoint_plan *plan, struct error *err)
{
	const struct checkpoint_session *s = plan->session;
	struct restore_request *wanted = &plan->wanted;

	if (snapshot_read(&plan->target, plan->ref, err) < 0 ||
	    workfolder_make(&plan->work, s->repo.common_dir, err) < 0 ||
	    snapshot_identity(&plan->identity, err) < 0)
		return -1;
	wanted->target = &plan->target;
	wanted->folder = plan->work.path;
	wanted->subject = "safety snapshot";
	wanted->identity = plan->identity;
	wanted->time = clock_now() / 1000000;
	wanted->members = safety_members(plan);
	if (restore_plan(&plan->files, &s->repo, wanted, err) < 0)
		return -1;
	take_refusals(plan);
	check_in_progress(plan);
	return 0;
}

/* ---- Commits ------------------------------------------------------------------------- */

static int list_commits(json_t *ret, const struct repo *repo, const char *old_commit,
			const char *new_commit, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, repo, NULL);
	strvec_pushl(&git.argv, "log", "-z", "--no-show-signature", "--no-color",
		     "--encoding=UTF-8", "--format=%H %s", old_commit, NULL);
	if (new_commit)
		strvec_pushf(&git.argv, "^%s", new_commit);
	strvec_push(&git.argv, "--");
	if (git_run(&git, "list the commits", err) < 0)
		return -1;
	for (const char *at = git.out.buf; at < git.out.buf + git.out.len; at += strlen(at) + 1) {
		size_t len = strcspn(at, " ");
		char *oid CLEANUP(free_p) = xmemdupz(at, len);

		json_array_append_new(ret, json_pack("{s:s, s:o}", "commit", oid, "subject",
						     json_text(at[len] ? at + len + 1 : "")));
	}
	return 0;
}

/* One of the commits that leave and are on a remote, "" when there is none. */
static int find_published(struct strbuf *ret, const struct checkpoint_plan *plan,
			  const char *old_commit, const char *new_commit, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec own CLEANUP(strvec_release) = STRVEC_INIT;

	git_prepare(&git, &plan->session->repo, NULL);
	strvec_pushl(&git.argv, "rev-list", old_commit, NULL);
	if (new_commit)
		strvec_pushf(&git.argv, "^%s", new_commit);
	strvec_pushl(&git.argv, "--not", "--remotes", NULL);
	if (git_run(&git, "look for the commits on remotes", err) < 0)
		return -1;
	for (const char *line = git.out.buf; *line; line += strcspn(line, "\n") + 1)
		strvec_pushf(&own, "%.*s", (int)strcspn(line, "\n"), line);
	strvec_sort(&own);
	for (size_t i = 0; i < json_array_size(plan->commits); i++) {
		const char *oid = json_member(json_array_get(plan->commits, i), "commit");

		if (!strvec_has_sorted(&own, oid)) {
			strbuf_addstr(ret, oid);
			break;
		}
	}
	return 0;
}

static int find_remote_branch(struct strbuf *ret, const struct repo *repo, const char *commit,
			      struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, repo, NULL);
	strvec_pushl(&git.argv, "for-each-ref", "--format=%(refname:lstrip=2)", "--count=1",
		     "--contains", commit, "refs/remotes", NULL);
	if (git_run(&git, "look for the remote branch", err) < 0)
		return -1;
	strbuf_add(ret, git.out.buf, strcspn(git.out.buf, "\n"));
	return 0;
}

int checkpoint_plan_commits(struct checkpoint_plan *plan, const char *old_commit,
			    const char *new_commit, struct error *err)
{
	const struct repo *repo = &plan->session->repo;
	struct strbuf commit CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf branch CLEANUP(strbuf_release) = STRBUF_INIT;

	if (!plan->commits)
		plan->commits = json_array();
	if (!old_commit || (new_commit && !strcmp(old_commit, new_commit)))
		return 0;
	if (list_commits(plan->commits, repo, old_commit, new_commit, err) < 0)
		return -1;
	if (!json_array_size(plan->commits))
		return 0;
	if (find_published(&commit, plan, old_commit, new_commit, err) < 0)
		return -1;
	if (!commit.len)
		return 0;
	if (find_remote_branch(&branch, repo, commit.buf, err) < 0)
		return -1;
	verdict_refuse(&plan->verdict, "commit %.10s would leave the branch, and is on '%s'",
		       commit.buf, branch.buf);
	if (plan->undoes)
		verdict_hint(&plan->verdict,
			     "Use 'git checkpoint restore %s --strategy=revert' to add a commit "
			     "that takes it back, or --strategy=files to change files alone.",
			     plan->undoes);
	else
		verdict_hint(&plan->verdict,
			     "Use --strategy=revert to add a commit that takes it back, or "
			     "--strategy=files to change files alone.");
	return 0;
}

/* ---- All of it ----------------------------------------------------------------------- */

/* What a second plan has to agree with. */
static bool is_same_plan(const struct checkpoint_plan *a, const struct checkpoint_plan *b)
{
	json_t *x CLEANUP(json_decref_p) = checkpoint_plan_to_json(a);
	json_t *y CLEANUP(json_decref_p) = checkpoint_plan_to_json(b);

	return json_equal(x, y);
}

static int make_plan(struct checkpoint_plan *plan, const struct checkpoint_session *s,
		     const char *verb, checkpoint_plan_fn *make, void *data, struct error *err)
{
	plan->session = s;
	plan->verb = verb;
	if (make(plan, data, err) < 0)
		return -1;
	return interrupt_pending() ? error_interrupted(err) : 0;
}

static void print_report(const struct checkpoint_plan *plan, const struct error *failure)
{
	json_t *report CLEANUP(json_decref_p) = checkpoint_plan_report(plan, failure);

	if (plan->session->common->json)
		json_print(report);
}

/* Files change, or a branch moves. Refs of checkpoints are kept, and come back as they went. */
static bool has_to_ask(const struct checkpoint_plan *plan)
{
	for (size_t i = 0; i < plan->moves.nr; i++)
		if (strncmp(plan->moves.item[i].name, SNAPSHOT_REFS, strlen(SNAPSHOT_REFS)) != 0 &&
		    strncmp(plan->moves.item[i].name, SNAPSHOT_TAGS, strlen(SNAPSHOT_TAGS)) != 0)
			return true;
	return !restore_is_nothing(&plan->files);
}

/* -1: refused, by the plan or by whoever was asked. */
static int agree(const struct checkpoint_plan *plan, struct error *err)
{
	if (!verdict_is_clean(&plan->verdict))
		error_refused(err, "nothing was changed");
	else if (!has_to_ask(plan) || confirm_ask(plan->undoes ? "Undo?" : "Restore?", false,
						  plan->session->common, err) == 0)
		return 0;
	print_report(plan, err);
	return -1;
}

static int carry_out(struct checkpoint_plan *plan, struct operation *operation, struct error *err)
{
	const struct common_options *common = plan->session->common;
	int ret = checkpoint_plan_execute(plan, operation, err);

	print_report(plan, ret < 0 ? err : NULL);
	if (!ret && !common->json && !common->quiet)
		note(plan->undoes ? "undone; 'git checkpoint undo %s' does it again" :
				    "restored; 'git checkpoint undo %s' takes it back",
		     operation->id);
	return ret;
}

/* Under the lock; `shown`, if not NULL, is what was agreed to. */
static int run_locked(struct checkpoint_session *s, const char *verb, checkpoint_plan_fn *make,
		      void *data, const struct checkpoint_plan *shown, struct error *err)
{
	struct operation operation CLEANUP(operation_release) = OPERATION_INIT;
	struct checkpoint_plan plan CLEANUP(checkpoint_plan_release) = CHECKPOINT_PLAN_INIT;

	if (checkpoint_lock(&operation, s, verb, err) < 0)
		return -1;
	plan.operation = xstrdup(operation.id);
	if (make_plan(&plan, s, verb, make, data, err) < 0)
		return -1;
	if (!shown)
		checkpoint_plan_show(&plan);
	else if (!is_same_plan(&plan, shown)) {
		error_refused(err, "something has changed since the plan was shown");
		return error_hint(err, "Nothing was changed. Look at the plan again.");
	}
	if (agree(&plan, err) < 0)
		return -1;
	if (!checkpoint_plan_is_nothing(&plan))
		return carry_out(&plan, &operation, err);
	print_report(&plan, NULL);
	return EXIT_DONE;
}

int checkpoint_plan_run(struct checkpoint_session *s, const char *verb, checkpoint_plan_fn *make,
			void *data, struct error *err)
{
	struct checkpoint_plan plan CLEANUP(checkpoint_plan_release) = CHECKPOINT_PLAN_INIT;
	struct common_options answered = *s->common;
	int ret;

	if (s->common->yes && !s->common->dry_run)
		return run_locked(s, verb, make, data, NULL, err);
	if (make_plan(&plan, s, verb, make, data, err) < 0)
		return -1;
	checkpoint_plan_show(&plan);
	if (s->common->dry_run)
		return EXIT_DONE;
	if (agree(&plan, err) < 0)
		return -1;
	if (checkpoint_plan_is_nothing(&plan)) {
		print_report(&plan, NULL);
		return EXIT_DONE;
	}
	answered.yes = true;
	const struct common_options *asked = s->common;
	s->common = &answered;
	ret = run_locked(s, verb, make, data, &plan, err);
	s->common = asked;
	return ret;
}
