/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint-list.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/sort.h"
#include "base/text.h"
#include "flow/checkpoint-message.h"
#include "flow/checkpoint.h"
#include "term/amount.h"
#include "term/output.h"
#include "term/table.h"

/* The whole commit: git takes twice as long to pick single fields out of it. */
static const char *const fields[] = { "raw:size", "raw", NULL };
enum { FIELD_SIZE, FIELD_RAW };

struct entry {
	const struct ref *ref;
	struct checkpoint_message message;
	int64_t created_at;
	char *head;  /* the commit that HEAD was; NULL: it is no checkpoint */
	bool broken; /* its commit is missing, or damaged */
};
struct entries {
	struct entry *item;
	size_t nr, alloc;
};

static void entries_release(struct entries *entries)
{
	for (size_t i = 0; i < entries->nr; i++) {
		checkpoint_message_release(&entries->item[i].message);
		free(entries->item[i].head);
	}
	free(entries->item);
}

static void entries_read(struct entries *ret, const struct refs *refs, const char *stage)
{
	for (size_t i = 0; i < refs->nr; i++) {
		struct entry entry = { .ref = &refs->item[i], .broken = !refs->item[i].field };
		const char *text = entry.broken ? "" : entry.ref->field[FIELD_RAW];
		const char *message = checkpoint_commit_parse(text, &entry.created_at, &entry.head);

		if (entry.broken) /* the name has it, where it was given none */
			entry.created_at = operation_time(checkpoint_name(entry.ref->name));
		checkpoint_message_parse(&entry.message, message);
		if (stage && (!entry.message.stage || strcmp(stage, entry.message.stage) != 0)) {
			checkpoint_message_release(&entry.message);
			free(entry.head);
			continue;
		}
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = entry;
	}
}

/* ---- Order --------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes a run of digits off: its length without zeros in front, where *ret begins. */
static size_t take_number(const char **at, const char **ret)
{
	const char *from = *at;

	while (*from == '0' && is_digit(from[1]))
		from++;
	*ret = from;
	for (*at = from; is_digit(**at);)
		(*at)++;
	return (size_t)(*at - from);
}

/* Runs of digits count as numbers: stage-2 is before stage-10. */
static int compare_natural(const char *a, const char *b)
{
	while (*a && *b) {
		if (is_digit(*a) && is_digit(*b)) {
			const char *x, *y;
			size_t m = take_number(&a, &x), n = take_number(&b, &y);
			int order = m != n ? (m < n ? -1 : 1) : strncmp(x, y, m);

			if (order)
				return order;
		} else if (*a++ != *b++) {
			return (unsigned char)a[-1] - (unsigned char)b[-1];
		}
	}
	return (unsigned char)*a - (unsigned char)*b;
}

static int compare_entries(const void *a, const void *b)
{
	const char *x = ((const struct entry *)a)->ref->name;
	const char *y = ((const struct entry *)b)->ref->name;
	int order = compare_natural(x, y);

	return order ? order : strcmp(x, y);
}

/* ---- JSON and porcelain -------------------------------------------------------------- */

static json_t *entry_to_json(const struct entry *entry)
{
	const struct checkpoint_message *message = &entry->message;
	const char *name = checkpoint_name(entry->ref->name);
	json_t *ret = json_pack(
		"{s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"name", json_text(name), "named", !checkpoint_is_unnamed(name), "broken",
		entry->broken, "ref", json_text(entry->ref->name), "snapshot",
		json_text(entry->ref->oid), "created_at", json_time(entry->created_at), "commit",
		json_text(entry->head), "branch", json_text(message->branch), "stage",
		json_text(message->stage), "event", json_text(message->event), "phase",
		json_text(message->phase), "story", json_text(message->story), "in_progress",
		json_text(message->in_progress), "counts",
		message->counted ? checkpoint_counts_to_json(&message->counts) : json_null(),
		"migration_version", json_text(message->version), "schema_fingerprint",
		json_text(message->fingerprint), "message", json_text(message->text));

	if (!ret)
		BUG("cannot pack a checkpoint");
	return ret;
}

static void print_json(const struct entries *entries, const struct strvec *lone)
{
	json_t *list = json_array(), *tags = json_array();
	json_t *json CLEANUP(json_decref_p) =
		json_pack("{s:i, s:o, s:o}", "format", 1, "checkpoints", list, "only_tags", tags);

	for (size_t i = 0; i < lone->nr; i++)
		json_array_append_new(tags, json_text(lone->v[i]));

	for (size_t i = 0; i < entries->nr; i++)
		json_array_append_new(list, entry_to_json(&entries->item[i]));
	json_print(json);
}

/* The first line of a text; free() it. */
static char *first_line(const char *text)
{
	return text ? xmemdupz(text, strcspn(text, "\n")) : xstrdup("");
}

static void print_porcelain(const struct entries *entries, bool nul)
{
	for (size_t i = 0; i < entries->nr; i++) {
		const struct entry *entry = &entries->item[i];
		const struct checkpoint_message *message = &entry->message;
		char *text CLEANUP(free_p) = first_line(message->text);
		char time[CLOCK_RFC3339];

		clock_rfc3339(time, entry->created_at);
		output_field(checkpoint_name(entry->ref->name), nul, '\t');
		printf("%s\t%s\t%s\t", entry->ref->oid, time, entry->head ? entry->head : "");
		output_field(message->branch, nul, '\t');
		output_field(message->stage, nul, '\t');
		output_field(message->event, nul, '\t');
		printf("%zu\t%zu\t%zu\t", message->counts.staged, message->counts.changed,
		       message->counts.untracked);
		output_field(message->version, nul, '\t');
		output_field(text, nul, nul ? '\0' : '\n');
	}
}

/* ---- For people ---------------------------------------------------------------------- */

static void add_row(struct table *table, const struct entry *entry, int64_t now)
{
	const struct checkpoint_message *message = &entry->message;
	struct strbuf age CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf counts CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	char *line CLEANUP(free_p) = first_line(message->text);

	if (entry->created_at)
		amount_add_age(&age, entry->created_at, now);
	if (entry->broken)
		strbuf_addstr(&counts, "broken");
	else if (!entry->head)
		strbuf_addstr(&counts, "not a checkpoint");
	else if (message->counted)
		checkpoint_counts_add_to(&message->counts, &counts);
	strbuf_addstr(&text, line);
	if (message->in_progress)
		strbuf_addf(&text, "%s(%s in progress)", text.len ? " " : "", message->in_progress);
	if (message->version)
		strbuf_addf(&text, "%s(migration %s)", text.len ? " " : "", message->version);
	table_cell(table, COLOR_YELLOW, checkpoint_name(entry->ref->name));
	table_cell(table, COLOR_NONE, age.buf);
	table_cell(table, COLOR_GREEN, message->branch ? message->branch : "(no branch)");
	table_cell(table, COLOR_NONE, counts.buf);
	table_cell(table, COLOR_NONE, text.buf);
}

static void print_people(const struct entries *entries, const struct checkpoint_session *s)
{
	struct table table CLEANUP(table_release) = { .columns = 5 };
	int64_t now = clock_now();

	for (size_t i = 0; i < entries->nr; i++)
		add_row(&table, &entries->item[i], now);
	table_print(&table, color_wanted(s->common->color, settings_git(&s->settings, "color.ui")),
		    stdout);
	if (!entries->nr && !s->common->quiet)
		note("no checkpoints");
}

static void print(const struct entries *entries, const struct strvec *lone,
		  const struct checkpoint_session *s)
{
	if (s->common->json)
		print_json(entries, lone);
	else if (s->common->porcelain)
		print_porcelain(entries, s->common->nul);
	else
		print_people(entries, s);
}

/* ---- Operations ---------------------------------------------------------------------- */

/* The operation that undid the one of this id, or NULL: not undone, or redone since. */
static const char *undone_by(const json_t *list, const char *id)
{
	json_t *record;
	size_t i;

	json_array_foreach(list, i, record) /* newest first: the last word counts */
	{
		const char *undoes = json_member(record, "undoes");
		const char *state = json_member(record, "state");

		if (undoes && state && !strcmp(undoes, id) && !strcmp(state, "done"))
			return json_member(record, "id");
	}
	return NULL;
}

static json_t *operation_to_json(const json_t *list, const json_t *record)
{
	static const char *const keys[] = { "id",	   "command", "state", "started_at",
					    "finished_at", "undoes",  NULL };
	const char *undone = undone_by(list, json_member(record, "id"));
	json_t *ret = json_object();

	for (const char *const *key = keys; *key; key++)
		json_object_set_new(ret, *key, json_text(json_member(record, *key)));
	/* What undid it may have been undone itself: then it stands again. */
	if (undone && undone_by(list, undone))
		undone = NULL;
	json_object_set_new(ret, "undone_by", json_text(undone));
	return ret;
}

static void print_operation(struct table *table, const json_t *operation)
{
	const char *undoes = json_member(operation, "undoes");
	const char *undone = json_member(operation, "undone_by");

	table_cell(table, COLOR_YELLOW, json_member(operation, "id"));
	table_cellf(table, COLOR_NONE, "git %s", json_member(operation, "command"));
	table_cell(table, COLOR_NONE, json_member(operation, "state"));
	if (undoes)
		table_cellf(table, COLOR_NONE, "undoes %s%s%s", undoes,
			    undone ? ", undone by " : "", undone ? undone : "");
	else
		table_cellf(table, COLOR_NONE, "%s%s", undone ? "undone by " : "",
			    undone ? undone : "");
}

static void print_operation_porcelain(const json_t *operation, bool nul)
{
	static const char *const keys[] = { "id",	   "command", "state", "started_at",
					    "finished_at", "undoes",  NULL };

	for (const char *const *key = keys; *key; key++)
		output_field(json_member(operation, *key), nul, '\t');
	output_field(json_member(operation, "undone_by"), nul, nul ? '\0' : '\n');
}

static void print_operations(const json_t *operations, const struct checkpoint_session *s)
{
	struct table table CLEANUP(table_release) = { .columns = 4 };
	json_t *operation;
	size_t i;

	json_array_foreach(operations, i, operation)
	{
		if (s->common->porcelain)
			print_operation_porcelain(operation, s->common->nul);
		else
			print_operation(&table, operation);
	}
	table_print(&table, color_wanted(s->common->color, settings_git(&s->settings, "color.ui")),
		    stdout);
}

static int list_operations(const struct checkpoint_session *s, struct error *err)
{
	json_t *list CLEANUP(json_decref_p) = NULL, *record;
	json_t *operations = json_array();
	json_t *json CLEANUP(json_decref_p) =
		json_pack("{s:i, s:o}", "format", 1, "operations", operations);
	size_t i;

	if (journal_list(&list, s->repo.common_dir, err) < 0)
		return -1;
	json_array_foreach(list, i, record) if (json_member(record, "id"))
		json_array_append_new(operations, operation_to_json(list, record));
	if (s->common->json)
		json_print(json);
	else
		print_operations(operations, s);
	return 0;
}

/* ---- */

/* One that is broken must not hide the others. */
static int finish_refs(struct refs *ret, struct process *git, const struct strvec *patterns,
		       struct error *err)
{
	if (refs_list_finish(ret, git, fields, err) == 0)
		return 0;
	if (err->exit_code == EXIT_INTERRUPTED)
		return -1;
	error_clear(err);
	return refs_list_each(ret, (const char *const *)patterns->v, fields, NULL, err);
}

/* Tags that came without their snapshots, as with a plain fetch. Both lists are sorted alike. */
static void find_lone_tags(struct strvec *ret, const struct refs *tags, const struct refs *refs)
{
	size_t at = 0;

	for (size_t i = 0; i < tags->nr; i++) {
		const char *name = tags->item[i].name + strlen(SNAPSHOT_TAGS);
		int order = -1;

		while (at < refs->nr &&
		       (order = strcmp(name, checkpoint_name(refs->item[at].name))) > 0)
			at++;
		if (at == refs->nr || order)
			strvec_push(ret, name);
	}
}

static void tell_of_lone_tags(const struct strvec *lone, const struct checkpoint_session *s)
{
	if (s->common->json || s->common->porcelain || s->common->quiet || !lone->nr)
		return;
	for (size_t i = 0; i < lone->nr; i++) {
		char *name CLEANUP(free_p) = text_escaped(lone->v[i]);

		note("of checkpoint '%s' the tag is here, and its snapshot is not", name);
	}
	hint("Get the snapshots of a remote with " CHECKPOINT_FETCH ".");
}

static void hint_at_broken(const struct entries *entries)
{
	for (size_t i = 0; i < entries->nr; i++)
		if (entries->item[i].broken) {
			char *name CLEANUP(free_p) =
				text_escaped(checkpoint_name(entries->item[i].ref->name));

			warning("checkpoint '%s' is broken: its commit is missing or damaged",
				name);
			hint("'git checkpoint verify' says what is lost, and how it may come back; "
			     "'git checkpoint drop' takes it away.");
			return;
		}
}

int checkpoint_list(const struct checkpoint_list_request *request,
		    const struct common_options *common, struct error *err)
{
	struct checkpoint_session s CLEANUP(checkpoint_session_close) = CHECKPOINT_SESSION_INIT;
	struct strvec patterns CLEANUP(strvec_release) = STRVEC_INIT;
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct refs refs CLEANUP(refs_release) = REFS_INIT;
	struct entries entries CLEANUP(entries_release) = { 0 };
	const char *const tags_pattern[] = { SNAPSHOT_TAGS, NULL };
	struct process tags_git CLEANUP(process_release) = PROCESS_INIT;
	struct refs tags CLEANUP(refs_release) = REFS_INIT;
	struct strvec lone CLEANUP(strvec_release) = STRVEC_INIT;
	bool all = !request->patterns && !request->stage;

	if (request->operations)
		return checkpoint_session_open(&s, common, err) < 0 ? -1 : list_operations(&s, err);
	for (size_t i = 0; i < request->patterns; i++)
		strvec_pushf(&patterns, SNAPSHOT_REFS "%s", request->pattern[i]);
	if (!request->patterns)
		strvec_push(&patterns, SNAPSHOT_REFS);
	if (refs_list_start(&git, (const char *const *)patterns.v, fields, NULL, err) < 0 ||
	    (all && refs_list_start(&tags_git, tags_pattern, NULL, NULL, err) < 0) ||
	    checkpoint_session_open(&s, common, err) < 0 ||
	    finish_refs(&refs, &git, &patterns, err) < 0 ||
	    (all && refs_list_finish(&tags, &tags_git, NULL, err) < 0))
		return -1;
	find_lone_tags(&lone, &tags, &refs);
	entries_read(&entries, &refs, request->stage);
	sort(entries.item, entries.nr, sizeof(*entries.item), compare_entries);
	print(&entries, &lone, &s);
	tell_of_lone_tags(&lone, &s);
	hint_at_broken(&entries);
	return 0;
}
