/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "flow/checkpoint-undo.h"
#include "flow/patience.h"
#include "flow/revert-run-parts.h"
#include "term/output.h"
#include "vcs/git.h"

void revert_operation_release(struct revert_operation *op)
{
	index_lock_release(&op->lock);
	import_release(&op->import);
	snapshot_capture_release(&op->safety);
	operation_release(&op->operation);
	workfolder_release(&op->work);
	strvec_release(&op->env);
	free(op->identity);
	free(op->index);
	*op = (struct revert_operation)REVERT_OPERATION_INIT;
}

int revert_operation_lock(struct revert_operation *op, const struct checkpoint_session *session,
			  struct error *err)
{
	const char *common_dir = session->repo.common_dir;

	op->session = session;
	if (patience_lock_operation(&op->operation, common_dir, CHECKPOINT_REVERT_TRACK,
				    session->common, err) < 0 ||
	    checkpoint_check_open(session, op->operation.id, err) < 0 ||
	    workfolder_make(&op->work, common_dir, err) < 0)
		return -1;
	op->index = xstrfmt("%s/index", op->work.path);
	repo_environment(&op->env, &session->repo);
	strvec_pushf(&op->env, "GIT_INDEX_FILE=%s", op->index);
	index_lock_init(&op->lock, &session->repo);
	return 0;
}

/* ---- The state before ---------------------------------------------------------------- */

static int capture(struct revert_operation *op, struct error *err)
{
	char *quarantine CLEANUP(free_p) = xstrfmt("%s/objects", op->work.path);
	json_t *members CLEANUP(json_decref_p) =
		json_pack("{s:s, s:s}", "kind", "safety", "operation", op->operation.id);
	struct snapshot_request request = { .members = members,
					    .subject = "safety snapshot",
					    .time = clock_now() / 1000000,
					    .may_leave_out = true,
					    .quarantine = quarantine };

	if (snapshot_identity(&op->identity, err) < 0)
		return -1;
	request.identity = op->identity;
	return snapshot_capture(&op->safety, &op->session->repo, &request, err);
}

static int begin_record(struct revert_operation *op, json_t *members, const char *safety,
			struct error *err)
{
	const struct checkpoint_session *s = op->session;
	json_t *all CLEANUP(json_decref_p) =
		json_pack("{s:o}", "worktree", json_text(checkpoint_worktree_id(&s->repo)));

	if (!json_member(members, "series")) {
		json_object_set_new(members, "series", json_text(op->operation.id));
		if (json_is_true(json_object_get(members, "waits")) &&
		    revert_waiting_mark(s, op->operation.id, err) < 0)
			return -1;
	}
	json_object_update(all, members);
	if (json_object_get(members, "branch"))
		json_object_set_new(all, "branch",
				    json_text(op->safety.state.branch ? op->safety.state.branch :
									"HEAD"));
	json_object_set_new(all, "kept", json_array());
	json_object_set_new(all, "safety", json_text(safety));
	return patience_begin_operation(&op->operation, s->repo.common_dir, CHECKPOINT_REVERT_TRACK,
					all, s->common, err);
}

int revert_operation_keep(struct revert_operation *op, json_t *members, struct error *err)
{
	const struct repo *repo = &op->session->repo;
	struct refs_update keep CLEANUP(refs_update_release) = REFS_UPDATE_INIT;
	char *safety CLEANUP(free_p) = checkpoint_safety_ref(op->operation.id);

	if (capture(op, err) < 0)
		return -1;
	if (interrupt_pending())
		return error_interrupted(err);
	if (begin_record(op, members, safety, err) < 0)
		return -1;
	op->kept = true;
	keep.message = "safety snapshot";
	refs_add(&keep, safety, "", op->safety.commit);
	if ((op->import.quarantine && import_publish(&op->import, err) < 0) ||
	    import_publish(&op->safety.import, err) < 0 || refs_commit(&keep, repo, err) < 0)
		return -1;
	return checkpoint_check_kept(&op->safety, &keep, repo, err) ? -1 : 0;
}

int revert_operation_begin(struct revert_operation *op, struct error *err)
{
	if (interrupt_pending())
		return error_interrupted(err);
	json_object_set_new(op->operation.record, "safety_made", json_true());
	if (operation_record(&op->operation, "locked_at", json_time(clock_now()), err) < 0)
		return -1;
	op->moving = true;
	return 0;
}

/* ---- The index ----------------------------------------------------------------------- */

int revert_operation_take_index(struct revert_operation *op, struct error *err)
{
	enum { NEEDS_UPDATE = 1 }; /* where a file has changed; that is looked at elsewhere */
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	if (index_lock_take(&op->lock, op->work.path, op->operation.id, err) < 0 ||
	    index_copy(op->index, op->lock.index, err) < 0)
		return -1;
	git_prepare(&git, &op->session->repo, &op->env);
	if (git_relax_filters(&git.argv, &op->session->repo, err) < 0)
		return -1;
	strvec_pushl(&git.argv, "-c", "core.splitIndex=false", "update-index", "-q", "--unmerged",
		     "--refresh", NULL);
	if (process_run(&git, err) < 0)
		return -1;
	return git.status > NEEDS_UPDATE ? git_error(&git, err, "could not refresh the index") : 0;
}

int revert_operation_replace_index(struct revert_operation *op, struct error *err)
{
	int fd CLEANUP(fd_close_p) = open(op->index, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0 || rename(op->index, op->lock.index) < 0)
		return error_errno(err, "cannot replace '%s'", op->lock.index);
	return index_lock_sync(&op->lock, err);
}

/* ---- The end ------------------------------------------------------------------------- */

static void unlock(struct revert_operation *op)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (index_lock_let_go(&op->lock, &err) == 0)
		return;
	warning("%s", err.message);
	hint("%s", err.hint);
}

void revert_operation_done(struct revert_operation *op)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	unlock(op);
	if (operation_close(&op->operation, OPERATION_DONE, &err) < 0)
		warning("%s", err.message);
}

/* As `git checkpoint undo` would, which says nothing of it here. */
static int put_back(const struct checkpoint_session *session, const char *id, struct error *err)
{
	struct common_options common = *session->common;
	struct checkpoint_session quiet = *session;
	int ret;

	common.yes = common.quiet = true;
	common.dry_run = common.json = false;
	quiet.common = &common;
	interrupt_hold(true);
	ret = checkpoint_undo(&quiet, id, err);
	interrupt_hold(false);
	return ret;
}

int revert_operation_fail(struct revert_operation *op, struct error *err)
{
	struct error second CLEANUP(error_release) = ERROR_INIT;
	char *id CLEANUP(free_p) = xstrdup(op->operation.id);

	unlock(op);
	if (!op->kept)
		return -1;
	if (!op->moving) {
		if (operation_close(&op->operation, OPERATION_DISCARDED, &second) < 0)
			warning("%s", second.message);
		return -1;
	}
	operation_release(&op->operation);
	if (put_back(op->session, id, &second) < 0) {
		error_detail(err, "Putting back what was there failed as well: %s.",
			     second.message);
		error_hint(err, "Nothing is lost: run 'git checkpoint undo %s'.", id);
	}
	return -1;
}
