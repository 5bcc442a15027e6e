/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint-create.h"

#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/text.h"
#include "flow/checkpoint-commit.h"
#include "flow/checkpoint-message.h"
#include "flow/checkpoint-warn.h"
#include "flow/verdict.h"
#include "journal/workfolder.h"
#include "term/output.h"

enum { TRIES = 3 }; /* where others remove objects meanwhile */

struct creation {
	struct checkpoint_session *session;
	const struct checkpoint_create_request *request;
	struct operation operation;
	char *name; /* of the ref; `named`: somebody chose it */
	bool named;
	char *ref, *tag_ref;	      /* in full */
	char *old_snapshot, *old_tag; /* ids, or NULL */
	char *identity, *tag;
	char *branch, *old_head; /* what --commit moved: its ref, and the value that it had */
	bool committed;
	bool with_tag;
	int64_t time; /* seconds */
	struct snapshot_parts parts;
	json_t *members; /* of the manifest */
	struct checkpoint_warnings warnings;
	struct checkpoint_message message;
	struct snapshot_capture capture;
	struct workfolder work;
	char *quarantine; /* where objects are until they are published */
};

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

/* ---- Names --------------------------------------------------------------------------- */

static const char *event_name(int event)
{
	return event == CHECKPOINT_START    ? "start" :
	       event == CHECKPOINT_COMPLETE ? "complete" :
					      NULL;
}

int checkpoint_derive_name(char **ret, const struct checkpoint_create_request *request,
			   struct error *err)
{
	if (request->stage && request->phase)
		return error_set(err,
				 "a stage and a phase give no name together; say what it shall be");
	if (request->stage && !request->event)
		return error_set(err, "--stage needs --start or --complete, or a name");
	if (request->event && !request->stage && !request->phase)
		return error_set(err, "--start and --complete need --stage, or a name");
	if (request->phase && request->event == CHECKPOINT_START)
		return error_set(err, "a phase is kept when it is complete; for its start, "
				      "choose a name");
	*ret = request->stage ? xstrfmt("stage-%s-%s", request->stage, event_name(request->event)) :
	       request->phase ? xstrfmt("phase-%s-complete", request->phase) :
				NULL;
	return 0;
}

/* The time by the clock: an operation's id may have to be later than that. */
static void name_by_time(struct creation *c, int64_t at)
{
	const char *worktree = checkpoint_worktree_id(&c->session->repo);
	time_t seconds = (time_t)(at / 1000000);
	char date[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%S", &tm);
	free(c->name);
	c->name =
		xstrfmt("%s.%06dZ%s%s", date, (int)(at % 1000000), *worktree ? "-" : "", worktree);
	free(c->ref);
	c->ref = xstrfmt(SNAPSHOT_REFS "%s", c->name);
}

static int refuse_existing(const struct creation *c, struct error *err)
{
	error_refused(err, "checkpoint '%s' exists already", c->name);
	return error_hint(err, "Use --force to replace it; 'git checkpoint undo' takes that back.");
}

static int find_named(struct creation *c, struct error *err)
{
	const char *const patterns[] = { c->ref, c->tag_ref, NULL };
	struct refs refs CLEANUP(refs_release) = REFS_INIT;
	const struct ref *snapshot, *tag;

	if (refs_list(&refs, patterns, NULL, NULL, err) < 0)
		return -1;
	snapshot = refs_find(&refs, c->ref);
	tag = refs_find(&refs, c->tag_ref);
	if (refs.nr && !snapshot && !tag)
		return error_set(err, "'%s' cannot be a name beside '%s'", c->name,
				 checkpoint_name(refs.item[0].name));
	if (snapshot && !c->request->force)
		return refuse_existing(c, err);
	if (tag && !c->request->force) {
		error_refused(err,
			      "the tag of checkpoint '%s' exists already, without its snapshot",
			      c->name);
		checkpoint_hint_fetch(err);
		return error_hint(err, "'git checkpoint drop %s' removes the tag.", c->name);
	}
	c->old_snapshot = snapshot ? xstrdup(snapshot->oid) : NULL;
	c->old_tag = tag ? xstrdup(tag->oid) : NULL;
	return 0;
}

/* Two operations of one microsecond, one after the other, must not have one name. */
static int find_free_time(struct creation *c, struct error *err)
{
	struct strbuf pattern CLEANUP(strbuf_release) = STRBUF_INIT;
	struct refs refs CLEANUP(refs_release) = REFS_INIT;
	int64_t at = clock_now();

	name_by_time(c, at);
	strbuf_addf(&pattern, SNAPSHOT_REFS "%.*s.*", (int)strcspn(c->name, "."), c->name);
	const char *const patterns[] = { pattern.buf, NULL };
	if (refs_list(&refs, patterns, NULL, NULL, err) < 0)
		return -1;
	while (refs_find(&refs, c->ref))
		name_by_time(c, ++at);
	return 0;
}

static int settle_name(struct creation *c, struct error *err)
{
	if (!c->named)
		return find_free_time(c, err);
	if (checkpoint_check_name(c->name, err) < 0)
		return -1;
	if (checkpoint_is_unnamed(c->name)) {
		error_set(err, "'%s' is the name of a checkpoint that was given none", c->name);
		return error_code(err, EXIT_USAGE);
	}
	c->ref = xstrfmt(SNAPSHOT_REFS "%s", c->name);
	c->tag_ref = xstrfmt(SNAPSHOT_TAGS "%s", c->name);
	if (settings_bool(&c->with_tag, &c->session->settings, "checkpoint.tag", err) < 0)
		return -1;
	return find_named(c, err);
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
	set_text(c->members, "event", event_name(request->event));
	set_text(c->members, "phase", request->phase);
	set_text(c->members, "story", request->story);
}

/* "refs/heads/main" as people say it. */
static const char *branch_name(const char *ref)
{
	static const char heads[] = "refs/heads/";

	return ref && !strncmp(ref, heads, strlen(heads)) ? ref + strlen(heads) : ref;
}

static void fill_message(struct creation *c)
{
	const struct worktree_state *state = &c->capture.state;
	const struct checkpoint_create_request *request = c->request;
	const json_t *database = json_object_get(c->members, "database");
	const char *branch = branch_name(state->branch);
	struct strbuf in_progress CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; i < state->in_progress.nr; i++)
		strbuf_addf(&in_progress, "%s%s", i ? ", " : "", state->in_progress.v[i]);
	c->message = (struct checkpoint_message){
		.subject = c->named ? xstrfmt("checkpoint: %s", c->name) :
			   branch   ? xstrfmt("checkpoint on %s", branch) :
				      xstrdup("checkpoint on no branch"),
		.text = xstrdup_or_null(request->message),
		.stage = xstrdup_or_null(request->stage),
		.event = xstrdup_or_null(event_name(request->event)),
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

/* Into the record: before the first writing on, or to what it has by now. */
static int record(struct creation *c, json_t *members, struct error *err)
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
	if (record(c, members, err) < 0 ||
	    checkpoint_refs_commit(&refs.update, c->session, &c->operation, err) < 0)
		return -1;
	return checkpoint_check_kept(&c->capture, &refs.update, &c->session->repo, err);
}

/* ---- --commit ------------------------------------------------------------------------ */

/* The state before, which undo goes back to: its ref is made before anything else. */
static int keep_safe(struct creation *c, const struct snapshot_capture *now, struct error *err)
{
	struct refs_update update CLEANUP(refs_update_release) = REFS_UPDATE_INIT;
	json_t *members CLEANUP(json_decref_p) = json_object();
	char *ref CLEANUP(free_p) = checkpoint_safety_ref(c->operation.id);

	set_text(members, "safety", ref);
	set_text(members, "branch", c->branch); /* which git is going to move, and so HEAD */
	if (record(c, members, err) < 0)
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

static int commit_everything(struct creation *c, struct error *err)
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

/* ---- Report -------------------------------------------------------------------------- */

static json_t *report_to_json(const struct creation *c)
{
	static const char *const lists[] = { "in_progress", "big",	"secret",      "nested",
					     "submodules",  "left_out", "unconverted", NULL };
	json_t *manifest = c->capture.manifest, *database = json_object_get(manifest, "database");
	bool dry_run = c->session->common->dry_run;
	json_t *ret =
		json_pack("{s:i, s:s, s:b, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			  "format", 1, "verdict", "clean", "dry_run", dry_run, "operation",
			  json_text(dry_run ? NULL : c->operation.id), "name", json_text(c->name),
			  "named", c->named, "ref", json_text(c->ref), "snapshot",
			  json_text(c->capture.commit), "tag",
			  json_text(c->tag ? c->tag_ref : NULL), "created_at",
			  json_time(c->time * 1000000), "commit", json_text(c->capture.state.head),
			  "branch", json_text(branch_name(c->capture.state.branch)), "counts",
			  checkpoint_counts_to_json(&c->message.counts));

	for (const char *const *key = lists; *key; key++) {
		json_t *list = json_object_get(manifest, *key);

		json_object_set_new(ret, *key, list ? json_incref(list) : json_array());
	}
	json_object_set_new(ret, "database", database ? json_incref(database) : json_null());
	if (!dry_run)
		json_object_set_new(ret, "outcome", json_string(outcome_name(NULL)));
	return ret;
}

static void report_failure(const struct creation *c, const struct error *failure)
{
	json_t *json CLEANUP(json_decref_p) =
		json_pack("{s:i, s:s, s:b, s:o, s:o, s:s, s:o}", "format", 1, "verdict",
			  failure->exit_code == EXIT_REFUSED ? "refused" : "clean", "dry_run",
			  c->session->common->dry_run, "operation",
			  json_text(c->operation.record ? c->operation.id : NULL), "name",
			  json_text(c->name), "outcome", outcome_name(failure), "error",
			  error_to_json(failure));

	json_print(json);
}

static void report(const struct creation *c)
{
	const struct common_options *common = c->session->common;
	const json_t *database = json_object_get(c->capture.manifest, "database");
	const char *version = json_member(database, "version");
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	char *shown CLEANUP(free_p) = NULL;

	if (common->json) {
		json_t *json CLEANUP(json_decref_p) = report_to_json(c);

		json_print(json);
		return;
	}
	if (common->quiet)
		return;
	strbuf_addf(&text, "%scheckpoint '%s': ", common->dry_run ? "would make " : "", c->name);
	checkpoint_counts_add_to(&c->message.counts, &text);
	if (c->message.branch)
		strbuf_addf(&text, ", on %s", c->message.branch);
	if (version)
		strbuf_addf(&text, ", database %s at %s", json_member(database, "name"), version);
	shown = text_escaped(text.buf);
	puts(shown);
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
		ret = commit_everything(c, err);
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
	if (settle_name(c, err) < 0)
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
			report_failure(&c, err);
		return -1;
	}
	report(&c);
	return EXIT_DONE;
}
