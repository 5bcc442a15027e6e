/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/memory.h"
#include "flow/checkpoint-commit.h"
#include "flow/checkpoint-creation.h"
#include "term/output.h"

/* The state before, which undo goes back to: its ref is made before anything else. */
static int keep_safe(struct creation *c, const struct snapshot_capture *now, struct error *err)
{
	struct refs_update update CLEANUP(refs_update_release) = REFS_UPDATE_INIT;
	json_t *members CLEANUP(json_decref_p) = json_object();
	char *ref CLEANUP(free_p) = checkpoint_safety_ref(c->operation.id);

	json_object_set_new(members, "safety", json_text(ref));
	json_object_set_new(members, "branch",
			    json_text(c->branch)); /* which git is going to move, and so HEAD */
	if (creation_record(c, members, err) < 0)
		return -1;
	refs_add(&update, ref, "", now->commit);
	if (refs_commit(&update, &c->session->repo, err) < 0 ||
	    checkpoint_check_kept(now, &update, &c->session->repo, err))
		return -1;
	return operation_record(&c->operation, "safety_made", json_true(), err);
}

/* Nothing was changed, so there is nothing to come back to. */
static void forget_safe(struct creation *c)
{
	struct refs_update update CLEANUP(refs_update_release) = REFS_UPDATE_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	char *ref CLEANUP(free_p) = checkpoint_safety_ref(c->operation.id);

	refs_add(&update, ref, NULL, NULL);
	json_object_del(c->operation.record, "safety");
	json_object_del(c->operation.record, "branch");
	if (operation_record(&c->operation, "safety_made", json_false(), &err) < 0 ||
	    refs_commit(&update, &c->session->repo, &err) < 0)
		warning("%s", err.message);
}

static int capture_safety(struct snapshot_capture *ret, struct creation *c, struct error *err)
{
	json_t *members CLEANUP(json_decref_p) = json_pack("{s:n, s:s, s:s}", "name", "kind",
							   "safety", "operation", c->operation.id);
	char *subject CLEANUP(free_p) = xstrfmt("before operation %s", c->operation.id);
	const struct snapshot_request request = {
		.members = members,
		.subject = subject,
		.time = clock_now() / 1000000,
		.may_leave_out = true,
		.identity = c->identity,
		.quarantine = c->quarantine,
	};

	if (snapshot_capture(ret, &c->session->repo, &request, err) < 0)
		return -1;
	return import_publish(&ret->import, err);
}

int creation_commit(struct creation *c, struct error *err)
{
	struct snapshot_capture now CLEANUP(snapshot_capture_release) = SNAPSHOT_CAPTURE_INIT;
	char *message CLEANUP(free_p) = NULL;
	int ret;

	if (snapshot_identity(&c->identity, err) < 0 || capture_safety(&now, c, err) < 0)
		return -1;
	if (now.state.in_progress.nr) {
		error_refused(err, "a %s is in progress", now.state.in_progress.v[0]);
		return error_hint(err, "Finish it first, or leave out --commit: the checkpoint "
				       "keeps it as it is.");
	}
	c->branch = xstrdup(now.state.branch ? now.state.branch : "HEAD");
	c->old_head = xstrdup_or_null(now.state.head);
	if (keep_safe(c, &now, err) < 0)
		return -1;
	message = c->request->message ? xstrdup(c->request->message) :
		  c->named	      ? xstrfmt("checkpoint: %s", c->name) :
					xstrdup("checkpoint");
	ret = checkpoint_commit(&c->session->repo,
				&(struct checkpoint_commit){ .operation = c->operation.id,
							     .old_head = c->old_head,
							     .message = message },
				err);
	c->committed = ret == CHECKPOINT_COMMITTED;
	if (ret == CHECKPOINT_HALF_COMMITTED)
		return checkpoint_leave_open(&c->operation, err);
	if (!c->committed)
		forget_safe(c);
	if (ret == CHECKPOINT_NOTHING_TO_COMMIT)
		note("there is nothing to commit");
	return ret < 0 ? -1 : 0;
}
