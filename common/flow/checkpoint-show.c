/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint-show.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "flow/checkpoint-message.h"
#include "term/amount.h"
#include "term/output.h"
#include "vcs/object.h"

struct shown {
	char *ref, *tag; /* `tag`: its ref, or NULL */
	struct snapshot snapshot;
	struct objects objects; /* the commit, and the status in the payload */
	struct checkpoint_message message;
	uint64_t untracked_size;
	int64_t created_at;
};

static void shown_release(struct shown *shown)
{
	free(shown->ref);
	free(shown->tag);
	snapshot_release(&shown->snapshot);
	objects_release(&shown->objects);
	checkpoint_message_release(&shown->message);
}

/* ---- Reading ------------------------------------------------------------------------- */

static int read_commit(struct shown *shown, struct error *err)
{
	char *head CLEANUP(free_p) = NULL;
	const char *message;

	objects_add(&shown->objects, shown->snapshot.commit);
	char *status CLEANUP(free_p) = xstrfmt("%s:status", shown->snapshot.payload_tree);
	objects_add(&shown->objects, status);
	if (objects_read(&shown->objects, err) < 0)
		return -1;
	message =
		checkpoint_commit_parse(shown->objects.item[0].data.buf, &shown->created_at, &head);
	checkpoint_message_parse(&shown->message, message);
	return 0;
}

static int read_size(struct shown *shown, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	strvec_pushl(&git.argv, "git", "ls-tree", "-r", "-l", "-z", "--full-tree",
		     shown->snapshot.untracked_tree, NULL);
	if (process_run(&git, err) < 0)
		return -1;
	if (git.status)
		return process_error(&git, err, "cannot list the untracked files");
	/* "100644 blob <id>      12\t<path>" */
	for (size_t at = 0; at < git.out.len; at += strlen(git.out.buf + at) + 1) {
		const char *entry = git.out.buf + at, *tab = strchr(entry, '\t');
		const char *number = tab;

		while (number && number > entry && number[-1] != ' ')
			number--;
		shown->untracked_size += number ? strtoumax(number, NULL, 10) : 0;
	}
	return 0;
}

static int read_tag(struct shown *shown, struct error *err)
{
	char *ref CLEANUP(free_p) = xstrfmt(SNAPSHOT_TAGS "%s", checkpoint_name(shown->ref));
	char *oid CLEANUP(free_p) = NULL;

	if (strncmp(shown->ref, SNAPSHOT_REFS, strlen(SNAPSHOT_REFS)) != 0)
		return 0;
	if (refs_read(&oid, ref, err) < 0)
		return -1;
	shown->tag = oid ? STEAL(ref) : NULL;
	return 0;
}

/* ---- JSON ---------------------------------------------------------------------------- */

static void print_json(const struct shown *shown)
{
	const struct checkpoint_message *message = &shown->message;
	const char *name = checkpoint_name(shown->ref);
	json_t *json CLEANUP(json_decref_p) = json_pack(
		"{s:i, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:O}", "format", 1,
		"name", json_text(name), "named", !checkpoint_is_unnamed(name), "ref",
		json_text(shown->ref), "snapshot", json_text(shown->snapshot.commit), "tag",
		json_text(shown->tag), "created_at", json_time(shown->created_at), "commit",
		json_text(shown->snapshot.head), "branch", json_text(message->branch), "message",
		json_text(message->text), "counts",
		message->counted ? checkpoint_counts_to_json(&message->counts) : json_null(),
		"untracked_size", json_size(shown->untracked_size), "manifest",
		shown->snapshot.manifest);

	if (!json)
		BUG("cannot pack a checkpoint");
	json_print(json);
}

/* ---- For people ---------------------------------------------------------------------- */

PRINTF(3, 4) static void line(bool color, const char *title, const char *fmt, ...)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf shown CLEANUP(strbuf_release) = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	text_escape(&shown, text.buf, text.len, false);
	printf("%s%-12s%s%s\n", color_code(color, COLOR_DIM), title, color_code(color, COLOR_RESET),
	       shown.buf);
}

/* One line for each of the manifest's list `key`; of objects, their member `path`. */
static void print_list(const struct shown *shown, bool color, const char *title, const char *key)
{
	const json_t *list = json_object_get(shown->snapshot.manifest, key), *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const char *text =
			json_is_object(one) ? json_member(one, "path") : json_string_value(one);
		const char *reason = json_member(one, "reason");

		if (text)
			line(color, i ? "" : title, "%s%s%s", text, reason ? ": " : "",
			     reason ? reason : "");
	}
}

static void print_database(const struct shown *shown, bool color)
{
	const json_t *database = json_object_get(shown->snapshot.manifest, "database");
	const char *name = json_member(database, "name"), *reason = json_member(database, "reason");
	const char *version = json_member(database, "version");

	if (reason)
		line(color, "database", "%s, not reached: %s", name ? name : "?", reason);
	else if (name)
		line(color, "database", "%s at %s", name, version ? version : "no migration");
}

static void print_head(const struct shown *shown, bool color)
{
	bool unborn = json_is_true(
		json_object_get(json_object_get(shown->snapshot.manifest, "head"), "unborn"));

	if (unborn)
		line(color, "commit", "none yet, on %s", shown->message.branch);
	else
		line(color, "commit", "%s%s%s", shown->snapshot.head,
		     shown->message.branch ? ", on " : ", on no branch",
		     shown->message.branch ? shown->message.branch : "");
}

static void print_status(const struct shown *shown)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	const struct object *status = &shown->objects.item[1];

	if (!status->oid || !status->data.len)
		return;
	text_escape_lines(&text, status->data.buf);
	printf("\n%s", text.buf);
}

static void print_text(const struct shown *shown, bool color)
{
	const struct checkpoint_message *message = &shown->message;
	struct strbuf age CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf counts CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf size CLEANUP(strbuf_release) = STRBUF_INIT;
	char time[CLOCK_RFC3339];

	clock_rfc3339(time, shown->created_at);
	amount_add_age(&age, shown->created_at, clock_now());
	amount_add_size(&size, shown->untracked_size);
	checkpoint_counts_add_to(&message->counts, &counts);
	line(color, "checkpoint", "%s", checkpoint_name(shown->ref));
	line(color, "made", "%s, %s", time, age.buf);
	if (message->text)
		line(color, "message", "%.*s", (int)strcspn(message->text, "\n"), message->text);
	print_head(shown, color);
	line(color, "state", "%s%s%s%s", message->counted ? counts.buf : "not counted",
	     shown->untracked_size ? " (" : "", shown->untracked_size ? size.buf : "",
	     shown->untracked_size ? ")" : "");
	print_list(shown, color, "in progress", "in_progress");
	print_database(shown, color);
	print_list(shown, color, "big", "big");
	print_list(shown, color, "secret", "secret");
	print_list(shown, color, "not kept", "nested");
	print_list(shown, color, "left out", "left_out");
	print_list(shown, color, "as on disk", "unconverted");
	line(color, "snapshot", "%s", shown->snapshot.commit);
	if (shown->tag)
		line(color, "tag", "%s", shown->tag);
	print_status(shown);
}

int checkpoint_show(const struct checkpoint_session *s, const char *name, struct error *err)
{
	struct shown shown CLEANUP(shown_release) = { .snapshot = SNAPSHOT_INIT,
						      .message = CHECKPOINT_MESSAGE_INIT };

	if (checkpoint_find(&shown.ref, name, err) < 0 ||
	    snapshot_read(&shown.snapshot, shown.ref, err) < 0 || read_commit(&shown, err) < 0 ||
	    read_size(&shown, err) < 0 || read_tag(&shown, err) < 0)
		return -1;
	if (s->common->json)
		print_json(&shown);
	else
		print_text(&shown,
			   color_wanted(s->common->color, settings_git(&s->settings, "color.ui")));
	return 0;
}
