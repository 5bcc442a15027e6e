/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "flow/checkpoint-creation.h"

const char *creation_event(int event)
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
	*ret = request->stage ?
		       xstrfmt("stage-%s-%s", request->stage, creation_event(request->event)) :
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

int creation_settle_name(struct creation *c, struct error *err)
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
