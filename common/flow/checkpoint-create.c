/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint-creation.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "term/output.h"

enum { TRIES = 3 }; /* where others remove objects meanwhile */

/* What comes of one capture. */
static void forget_capture(struct creation *c)
{
	free(STEAL(c->tag));
	snapshot_parts_release(&c->parts);
	c->parts = (struct snapshot_parts)SNAPSHOT_PARTS_INIT;
	json_decref(STEAL(c->members));
	checkpoint_warnings_release(&c->warnings);
	c->warnings = (struct checkpoint_warnings){ 0 };
	checkpoint_message_release(&c->message);
	c->message = (struct checkpoint_message)CHECKPOINT_MESSAGE_INIT;
	snapshot_capture_release(&c->capture);
}

static void creation_release(struct creation *c)
{
	forget_capture(c);
	operation_release(&c->operation);
	free(c->name);
	free(c->ref);
	free(c->tag_ref);
	free(c->old_snapshot);
	free(c->old_tag);
	free(c->identity);
	free(c->branch);
	free(c->old_head);
	workfolder_release(&c->work);
	free(c->quarantine);
}

int creation_record(struct creation *c, json_t *members, struct error *err)
{
	json_t *value;
	const char *key;

	if (!c->operation.record)
		return checkpoint_begin(&c->operation, c->session, "create", members, err);
	json_object_foreach(members, key, value)
	{
		if (operation_record(&c->operation, key, json_incref(value), err) < 0)
			return -1;
	}
	return 0;
}

/* ---- Capture ------------------------------------------------------------------------- */

static void set_text(json_t *members, const char *key, const char *text)
{
	if (text)
		json_object_set_new(members, key, json_text(text));
}

static void set_members(struct creation *c)
{
	const struct checkpoint_create_request *request = c->request;

	c->members = json_object();
	json_object_set_new(c->members, "name", json_text(c->named ? c->name : NULL));
	set_text(c->members, "kind", "checkpoint");
	set_text(c->members, "operation", c->operation.id);
	set_text(c->members, "message", request->message);
	set_text(c->members, "stage", request->stage);
	set_text(c->members, "event", creation_event(request->event));
	set_text(c->members, "phase", request->phase);
	set_text(c->members, "story", request->story);
}

static void fill_message(struct creation *c)
{
	const struct worktree_state *state = &c->capture.state;
	const struct checkpoint_create_request *request = c->request;
	const json_t *database = json_object_get(c->members, "database");
	const char *branch = creation_branch(state->branch);
	struct strbuf in_progress CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; i < state->in_progress.nr; i++)
		strbuf_addf(&in_progress, "%s%s", i ? ", " : "", state->in_progress.v[i]);
	c->message = (struct checkpoint_message){
		.subject = c->named ? xstrfmt("checkpoint: %s", c->name) :
			   branch   ? xstrfmt("checkpoint on %s", branch) :
				      xstrdup("checkpoint on no branch"),
		.text = xstrdup_or_null(request->message),
		.stage = xstrdup_or_null(request->stage),
		.event = xstrdup_or_null(creation_event(request->event)),
		.phase = xstrdup_or_null(request->phase),
		.story = xstrdup_or_null(request->story),
		.branch = xstrdup_or_null(branch),
		.in_progress = in_progress.len ? xstrdup(in_progress.buf) : NULL,
		.version = xstrdup_or_null(json_member(database, "version")),
		.fingerprint = xstrdup_or_null(json_member(database, "fingerprint")),
		.counts = checkpoint_counts_of(state),
	};
}

static int on_inspect(const struct worktree_state *state, void *data, struct error *err)
{
	struct creation *c = data;

	if (checkpoint_warnings_find(&c->warnings, state, c->session, err) < 0)
		return -1;
	checkpoint_warnings_print(&c->warnings, state);
	return 0;
}

static bool gets_tag(const struct creation *c)
{
	return c->named && c->with_tag && c->capture.state.head;
}

static int on_describe(struct strbuf *message, json_t *manifest,
		       const struct snapshot_capture *capture UNUSED, void *data,
		       struct error *err UNUSED)
{
	struct creation *c = data;

	if (gets_tag(c))
		json_object_set_new(manifest, "tag", json_true());
	checkpoint_warnings_to_manifest(&c->warnings, manifest);
	fill_message(c);
	checkpoint_message_add_to(&c->message, message);
	return 0;
}

static int capture(struct creation *c, const char *quarantine, struct error *err)
{
	struct snapshot_request request = {
		.worktree = { .no_untracked = !c->request->untracked,
			      .ignored = &c->request->ignored },
		.parts = &c->parts,
		.inspect = on_inspect,
		.describe = on_describe,
		.data = c,
		.may_leave_out = true,
		.quarantine = quarantine,
	};

	c->time = clock_now() / 1000000;
	set_members(c);
	if ((!c->identity && snapshot_identity(&c->identity, err) < 0) ||
	    payload_collect(&c->parts, c->members, c->session,
			    (enum payload_database)c->request->payload, c->request->database,
			    err) < 0)
		return -1;
	request.members = c->members;
	request.identity = c->identity;
	request.time = c->time;
	if (snapshot_capture(&c->capture, &c->session->repo, &request, err) < 0)
		return -1;
	checkpoint_warn_of_left_out(c->capture.manifest);
	return 0;
}

/* ---- Refs ---------------------------------------------------------------------------- */

static int write_tag(struct creation *c, struct error *err)
{
	struct strbuf message CLEANUP(strbuf_release) = STRBUF_INIT;
	char *name CLEANUP(free_p) = xstrfmt("checkpoint/%s", c->name);

	if (!c->named || !c->with_tag)
		return 0;
	if (!gets_tag(c)) {
		note("there is no commit yet: checkpoint '%s' gets no tag", c->name);
		return 0;
	}
	string_replace(&c->message.snapshot, c->capture.commit);
	checkpoint_message_add_to(&c->message, &message);
	return import_tag(&c->tag, &c->session->repo, c->quarantine, name, c->capture.state.head,
			  c->identity, c->time, message.buf, err);
}

static int make_refs(struct creation *c, struct error *err)
{
	struct checkpoint_refs refs CLEANUP(checkpoint_refs_release) = CHECKPOINT_REFS_INIT;
	json_t *members CLEANUP(json_decref_p) = json_object();

	checkpoint_refs_init(&refs, &c->operation);
	if (c->committed)
		json_array_append_new(refs.refs, checkpoint_change_to_json(c->branch, c->old_head,
									   c->capture.state.head));
	checkpoint_refs_add(&refs, c->ref, c->old_snapshot, c->capture.commit);
	if (c->tag || c->old_tag)
		checkpoint_refs_add(&refs, c->tag_ref, c->old_tag, c->tag);
	checkpoint_refs_to_members(&refs, members);
	refs.update.message = c->message.subject;
	if (creation_record(c, members, err) < 0 ||
	    checkpoint_refs_commit(&refs.update, c->session, &c->operation, err) < 0)
		return -1;
	return checkpoint_check_kept(&c->capture, &refs.update, &c->session->repo, err);
}

/* ---- */

static int try_out(struct creation *c, struct error *err)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	char *quarantine CLEANUP(free_p) = NULL;
	int ret;

	if (file_make_temporary_folder(&quarantine, err) < 0)
		return -1;
	ret = capture(c, quarantine, err);
	import_discard(&c->capture.import);
	if (file_remove_folders(quarantine, &ignored) <
	    0) /* it failed before there was an import */
		error_clear(&ignored);
	return ret;
}

/* The present state as a checkpoint, or SNAPSHOT_BROKEN. */
static int keep(struct creation *c, struct error *err)
{
	if (capture(c, c->quarantine, err) < 0)
		return -1;
	if (interrupt_pending()) /* nothing points to what was captured */
		return error_interrupted(err);
	if (write_tag(c, err) < 0 || import_publish(&c->capture.import, err) < 0)
		return -1;
	return make_refs(c, err);
}

/* What is gone was there already: this time it is written. */
static int keep_again(struct creation *c, struct error *err)
{
	int ret = keep(c, err);

	for (int i = 1; i < TRIES && ret == SNAPSHOT_BROKEN; i++) {
		error_clear(err);
		forget_capture(c);
		ret = keep(c, err);
	}
	return ret == SNAPSHOT_BROKEN ? -1 : ret;
}

static int make(struct creation *c, struct error *err)
{
	int ret = workfolder_make(&c->work, c->session->repo.common_dir, err);

	if (!ret)
		c->quarantine = xstrfmt("%s/objects", c->work.path);
	if (!ret && c->request->commit)
		ret = creation_commit(c, err);
	if (!ret)
		ret = keep_again(c, err);
	if (ret < 0 && c->committed && c->operation.record) /* the commit is there */
		return checkpoint_leave_open(&c->operation, err);
	checkpoint_end(&c->operation, err);
	return ret;
}

static int create(struct creation *c, struct error *err)
{
	const struct checkpoint_create_request *request = c->request;
	struct checkpoint_session *s = c->session;

	if (checkpoint_need_worktree(s, err) < 0)
		return -1;
	if (request->name)
		c->name = xstrdup(request->name);
	else if (checkpoint_derive_name(&c->name, request, err) < 0)
		return -1;
	c->named = c->name != NULL;
	if (s->common->dry_run) /* nothing is written, and nobody kept from his work */
		c->operation.id = operation_new_id();
	else if (checkpoint_lock(&c->operation, s, "create", err) < 0)
		return -1;
	if (creation_settle_name(c, err) < 0)
		return -1;
	if (s->common->dry_run && request->commit)
		note("everything would be committed first");
	return s->common->dry_run ? try_out(c, err) : make(c, err);
}

int checkpoint_create(struct checkpoint_session *s, const struct checkpoint_create_request *request,
		      struct error *err)
{
	struct creation c CLEANUP(creation_release) = { .session = s,
							.request = request,
							.operation = OPERATION_INIT,
							.parts = SNAPSHOT_PARTS_INIT,
							.capture = SNAPSHOT_CAPTURE_INIT,
							.work = WORKFOLDER_INIT };

	if (create(&c, err) < 0) {
		if (s->common->json)
			creation_report_failure(&c, err);
		return -1;
	}
	creation_report(&c);
	return EXIT_DONE;
}
