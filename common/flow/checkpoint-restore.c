/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint-restore.h"

#include "base/memory.h"
#include "base/text.h"
#include "flow/checkpoint-plan.h"
#include "flow/payload-database.h"
#include "migration/version.h"
#include "term/output.h"
#include "vcs/git.h"

#define BRANCHES "refs/heads/"

/* ---- What was asked for -------------------------------------------------------------- */

static bool moves_nothing(const struct checkpoint_restore_request *request)
{
	return request->strategy == CHECKPOINT_FILES || request->pathspecs;
}

/* git has names that a ref can have and a branch cannot, and others that it expands. */
static int check_branch(const char *name, const struct repo *repo, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	git_prepare(&git, repo, NULL);
	strvec_pushl(&git.argv, "check-ref-format", "--branch", name, NULL);
	if (process_run(&git, err) < 0)
		return -1;
	strbuf_rtrim(&git.out);
	if (!git.status && !strcmp(git.out.buf, name))
		return 0;
	error_set(err, "'%s' cannot be the name of a branch", name);
	return error_code(err, EXIT_USAGE);
}

/* ---- HEAD and branch ----------------------------------------------------------------- */

static int move_branch(struct checkpoint_plan *plan, const char *branch, const char *from,
		       const char *to, struct error *err)
{
	checkpoint_plan_move(plan, branch, from, to);
	return checkpoint_plan_commits(plan, from, to, err);
}

/* --branch: HEAD goes to that branch, which is made, or goes to the checkpoint's commit. */
static int plan_branch(struct checkpoint_plan *plan, const char *name, struct error *err)
{
	struct checkpoint_head now = checkpoint_head_now(plan);
	struct checkpoint_head then = checkpoint_head_then(plan);
	char *branch CLEANUP(free_p) = xstrfmt(BRANCHES "%s", name);
	char *value CLEANUP(free_p) = xstrfmt("ref: %s", branch);
	char *head CLEANUP(free_p) = checkpoint_head_value(&now);
	char *commit CLEANUP(free_p) = NULL;

	if (now.branch && !strcmp(now.branch, branch))
		return move_branch(plan, branch, now.commit, then.commit, err);
	if (!then.commit) {
		verdict_refuse(&plan->verdict, "the checkpoint has no commit that '%s' could be at",
			       name);
		return 0;
	}
	if (refs_read(&commit, branch, err) < 0 ||
	    checkpoint_plan_check_branch(plan, branch, err) < 0 ||
	    move_branch(plan, branch, commit, then.commit, err) < 0)
		return -1;
	checkpoint_plan_move(plan, "HEAD", head, value);
	return 0;
}

static void plan_detach(struct checkpoint_plan *plan)
{
	struct checkpoint_head now = checkpoint_head_now(plan);
	struct checkpoint_head then = checkpoint_head_then(plan);
	char *head CLEANUP(free_p) = checkpoint_head_value(&now);

	if (then.commit)
		checkpoint_plan_move(plan, "HEAD", head, then.commit);
	else
		verdict_refuse(&plan->verdict,
			       "the checkpoint has no commit that HEAD could be at");
}

static void refuse_branch(struct checkpoint_plan *plan, const struct checkpoint_head *now,
			  const struct checkpoint_head *then)
{
	if (!now->branch)
		verdict_refuse(&plan->verdict, "HEAD is detached, and the checkpoint is of '%s'",
			       then->branch);
	else if (!then->branch)
		verdict_refuse(&plan->verdict,
			       "HEAD is '%s', and the checkpoint is of a detached HEAD",
			       now->branch);
	else
		verdict_refuse(&plan->verdict, "HEAD is '%s', and the checkpoint is of '%s'",
			       now->branch, then->branch);
	verdict_hint(&plan->verdict,
		     "Use --branch=<branch> to go to that branch, --detach to leave all branches "
		     "alone, or --strategy=files to change files alone.");
}

static int plan_revert(struct checkpoint_plan *plan, const struct checkpoint_head *now,
		       const struct checkpoint_head *then)
{
	if (!now->commit || !then->commit) {
		verdict_refuse(&plan->verdict, "there is no commit %s",
			       now->commit ? "in the checkpoint" : "yet");
		return 0;
	}
	if (!strcmp(now->commit, then->commit))
		return 0;
	checkpoint_plan_move(plan, now->branch ? now->branch : "HEAD", now->commit, "");
	plan->adds_commit = true;
	return 0;
}

static int plan_head(struct checkpoint_plan *plan, struct error *err)
{
	const struct checkpoint_restore_request *request = plan->request;
	struct checkpoint_head now = checkpoint_head_now(plan);
	struct checkpoint_head then = checkpoint_head_then(plan);

	if (moves_nothing(request))
		return 0;
	if (request->detach) {
		plan_detach(plan);
		return 0;
	}
	if (request->branch)
		return plan_branch(plan, request->branch, err);
	if (!checkpoint_head_is_same_branch(&now, &then)) {
		refuse_branch(plan, &now, &then);
		return 0;
	}
	if (request->strategy == CHECKPOINT_REVERT)
		return plan_revert(plan, &now, &then);
	if (now.branch)
		return move_branch(plan, now.branch, now.commit, then.commit, err);
	checkpoint_plan_move(plan, "HEAD", now.commit, then.commit);
	return 0;
}

/* ---- The database -------------------------------------------------------------------- */

static void warn_of_database(struct checkpoint_plan *plan, const json_t *then, const json_t *now)
{
	const char *name = json_member(then, "name");
	const char *was = json_member(then, "version"), *is = json_member(now, "version");
	struct strbuf option CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf to CLEANUP(strbuf_release) = STRBUF_INIT;

	verdict_warn(&plan->verdict,
		     "database '%s' is at migration %s, and at the checkpoint's time was at %s",
		     name, is ? is : "none", was ? was : "none");
	strbuf_addstr(&option, "--database=");
	text_shell_word(&option, name);
	if (was && (!is || version_compare(is, was) < 0)) {
		text_shell_word(&to, was);
		verdict_hint(&plan->verdict,
			     "To take the database there too, once the files are restored: "
			     "git apply-migration %s --to %s",
			     option.buf, to.buf);
	} else if (is && (!was || version_compare(is, was) > 0)) {
		verdict_hint(&plan->verdict,
			     "To take the database back too: "
			     "git rollback-db %s --to-commit=%.12s",
			     option.buf, plan->target.head);
	} else {
		verdict_hint(&plan->verdict, "git migration-status %s tells which it has.",
			     option.buf);
	}
}

/* A restore changes no database: where it is not what the checkpoint saw, that is said. */
static int plan_database(struct checkpoint_plan *plan, struct error *err)
{
	const json_t *then = json_object_get(plan->target.manifest, "database");
	const char *name = json_member(then, "name");
	json_t *now CLEANUP(json_decref_p) = NULL;

	/* Without a name it would be any that the settings choose. */
	if (plan->request->no_db || !name || !json_object_get(then, "applied"))
		return 0;
	if (payload_database_now(&now, plan->session, name, err) < 0)
		return -1;
	plan->database = json_pack("{s:o, s:o, s:o, s:O}", "name", json_text(name), "version",
				   json_text(json_member(then, "version")), "applied",
				   json_incref(json_object_get(then, "applied")), "now", now);
	if (!json_object_get(now, "applied"))
		verdict_warn(&plan->verdict, "database '%s' could not be looked at: %s", name,
			     json_member(now, "reason"));
	else if (!json_equal(json_object_get(then, "applied"), json_object_get(now, "applied")) ||
		 !json_equal(json_object_get(then, "version"), json_object_get(now, "version")))
		warn_of_database(plan, then, now);
	return 0;
}

/* ---- The verb ------------------------------------------------------------------------ */

static int make_plan(struct checkpoint_plan *plan, void *data, struct error *err)
{
	const struct checkpoint_restore_request *request = data;

	plan->request = request;
	if (checkpoint_check_open(plan->session, plan->operation, err) < 0 ||
	    checkpoint_find(&plan->ref, request->name, err) < 0)
		return -1;
	plan->name = xstrdup(request->name);
	plan->wanted = (struct restore_request){
		.pathspec = request->pathspec,
		.pathspecs = request->pathspecs,
		.files_only = request->strategy == CHECKPOINT_FILES,
		.keep_untracked = request->keep_untracked,
	};
	if (checkpoint_plan_files(plan, err) < 0)
		return -1;
	if (!plan->files.now.commit)
		return 0; /* refused before the present was looked at */
	return plan_head(plan, err) < 0 ? -1 : plan_database(plan, err);
}

int checkpoint_restore(struct checkpoint_session *s,
		       const struct checkpoint_restore_request *request, struct error *err)
{
	struct checkpoint_restore_request own = *request;

	if ((request->branch && check_branch(request->branch, &s->repo, err) < 0) ||
	    checkpoint_need_worktree(s, err) < 0)
		return -1;
	if (request->with_db) {
		error_refused(err, "--with-db is not there yet");
		return error_hint(err,
				  "Restore the files, then use 'git rollback-db --to-commit'.");
	}
	return checkpoint_plan_run(s, "restore", make_plan, &own, err);
}
