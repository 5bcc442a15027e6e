/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint-drop.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/process.h"
#include "flow/confirm.h"
#include "flow/verdict.h"
#include "term/amount.h"
#include "term/output.h"
#include "term/table.h"

static const char *const fields[] = { "creatordate:unix", NULL };

/* A checkpoint that goes, or all that one old operation keeps. */
struct goner {
	const char *name; /* belongs to the refs; an operation's is `id` */
	char *id;
	int64_t time;
	const struct ref **ref;
	size_t nr, alloc;
};
struct drop_plan {
	struct refs checkpoints, tags, kept;
	struct refs matching; /* tags, with their times, by the patterns of prune */
	struct goner *checkpoint, *operation;
	size_t checkpoints_nr, checkpoints_alloc, operations_nr, operations_alloc;
	size_t spared;	    /* by --keep and --older-than */
	struct strvec lost; /* ids of objects that are not there, so that no ref can keep them */
};

static void goners_release(struct goner *item, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(item[i].id);
		free(item[i].ref);
	}
	free(item);
}

static void drop_plan_release(struct drop_plan *plan)
{
	goners_release(plan->checkpoint, plan->checkpoints_nr);
	goners_release(plan->operation, plan->operations_nr);
	refs_release(&plan->checkpoints);
	refs_release(&plan->tags);
	refs_release(&plan->matching);
	refs_release(&plan->kept);
	strvec_release(&plan->lost);
}

/* ---- Plan ---------------------------------------------------------------------------- */

static void goner_add(struct goner *goner, const struct ref *ref)
{
	ARRAY_GROW(goner->ref, goner->nr + 1, goner->alloc);
	goner->ref[goner->nr++] = ref;
}

static int64_t time_of(const struct ref *ref)
{
	return ref->field && ref->field[0] ? strtoll(ref->field[0], NULL, 10) * 1000000 : 0;
}

static struct goner *add_goner(struct drop_plan *plan, const char *name, const struct ref *ref)
{
	struct goner *ret;

	ARRAY_GROW(plan->checkpoint, plan->checkpoints_nr + 1, plan->checkpoints_alloc);
	ret = &plan->checkpoint[plan->checkpoints_nr++];
	*ret = (struct goner){ .name = name, .time = time_of(ref) };
	goner_add(ret, ref);
	return ret;
}

/* The snapshot, and the tag where it has one. */
static void add_checkpoint(struct drop_plan *plan, const struct ref *ref)
{
	const char *name = checkpoint_name(ref->name);
	char *tag CLEANUP(free_p) = xstrfmt(SNAPSHOT_TAGS "%s", name);
	const struct ref *tagged = refs_find(&plan->tags, tag);
	struct goner *goner = add_goner(plan, name, ref);

	if (!goner->time)
		goner->time = operation_time(name);
	if (tagged)
		goner_add(goner, tagged);
}

/* With their times, as far as those can be read. */
static int read_refs(struct refs *ret, const char *const *patterns, struct error *err)
{
	static const char sort[] = "version:refname";

	if (refs_list(ret, patterns, fields, sort, err) == 0)
		return 0;
	if (err->exit_code == EXIT_INTERRUPTED)
		return -1;
	error_clear(err); /* one that is broken must not keep the others */
	return refs_list_each(ret, patterns, fields, sort, err);
}

static int read_checkpoints(struct drop_plan *plan, const char *const *patterns, struct error *err)
{
	const char *const tags[] = { SNAPSHOT_TAGS, NULL };

	if (read_refs(&plan->checkpoints, patterns, err) < 0)
		return -1;
	return refs_list(&plan->tags, tags, NULL, NULL, err);
}

/* A fetch brings tags without their snapshots. NULL: there is no such tag, or its snapshot is here. */
static const struct ref *find_lone_tag(const struct drop_plan *plan, const char *name)
{
	static const char short_tag[] = "checkpoint/";
	size_t skip = strncmp(name, short_tag, strlen(short_tag)) ? 0 : strlen(short_tag);
	char *tag CLEANUP(free_p) = xstrfmt(SNAPSHOT_TAGS "%s", name + skip);
	char *ref CLEANUP(free_p) = xstrfmt(SNAPSHOT_REFS "%s", name + skip);
	char *full CLEANUP(free_p) = xstrfmt(SNAPSHOT_REFS "%s", name);

	if (refs_find(&plan->checkpoints, ref) || refs_find(&plan->checkpoints, full))
		return NULL;
	return refs_find(&plan->tags, tag);
}

static int plan_drop(struct drop_plan *plan, const char *const *name, size_t names,
		     struct error *err)
{
	const char *const all[] = { SNAPSHOT_REFS, NULL };

	if (read_checkpoints(plan, all, err) < 0)
		return -1;
	for (size_t i = 0; i < names; i++) {
		const struct ref *lone = find_lone_tag(plan, name[i]), *found = lone;
		char *ref CLEANUP(free_p) = NULL;
		bool twice = false;

		if (!lone) {
			if (checkpoint_find(&ref, name[i], err) < 0)
				return -1;
			found = refs_find(&plan->checkpoints, ref);
		}
		if (!found) {
			error_set(err, "'%s' is what an operation keeps, no checkpoint", name[i]);
			return error_hint(err, "'git checkpoint prune --dangling' drops old ones.");
		}
		for (size_t k = 0; k < plan->checkpoints_nr; k++)
			twice |= plan->checkpoint[k].ref[0] == found;
		if (twice)
			continue;
		if (lone)
			add_goner(plan, lone->name + strlen(SNAPSHOT_TAGS), lone);
		else
			add_checkpoint(plan, found);
	}
	return 0;
}

/* "2.weeks", "yesterday": git reads the date; what it cannot read is an error. */
static int read_date(int64_t *ret, const char *date, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	char *end;

	strvec_pushl(&git.argv, "git", "-c", NULL);
	strvec_pushf(&git.argv, "rollback.date=%s", date);
	strvec_pushl(&git.argv, "config", "--type=expiry-date", "--get", "rollback.date", NULL);
	if (process_run(&git, err) < 0)
		return -1;
	errno = 0;
	/* "now" and "all" are the end of time: the largest number that there is. */
	uintmax_t seconds = strtoumax(git.out.buf, &end, 10);
	if (git.status || end == git.out.buf) {
		error_set(err, "'%s' is no date", date);
		return error_hint(err, "Say it as for git: 2.weeks, yesterday, 2026-01-31.");
	}
	*ret = seconds > INT64_MAX / 1000000 ? INT64_MAX : (int64_t)seconds * 1000000;
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct goner *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? 1 : -1;
	return -strcmp(x->name, y->name);
}

/* Leaves those that may go: neither among the newest `keep` nor as new as `before`. */
static void spare(struct drop_plan *plan, struct goner *item, size_t *nr, size_t keep,
		  int64_t before)
{
	size_t left = 0;

	if (*nr)
		qsort(item, *nr, sizeof(*item), newest_first);
	for (size_t i = 0; i < *nr; i++) {
		struct goner one = item[i];

		if (i >= keep && one.time < before) {
			item[left++] = one;
			continue;
		}
		free(one.id);
		free(one.ref);
		plan->spared++;
	}
	*nr = left;
}

static bool is_open(const json_t *open, const char *id)
{
	const json_t *record;
	size_t i;

	json_array_foreach(open, i, record)
	{
		const char *other = json_member(record, "id");

		if (other && !strcmp(other, id))
			return true;
	}
	return false;
}

/* Each operation's refs together. What an interrupted one keeps it may need yet. */
static int plan_dangling(struct drop_plan *plan, const struct checkpoint_session *s,
			 const char *own_id, struct error *err)
{
	const char *const patterns[] = { SNAPSHOT_OPERATIONS, NULL };
	json_t *open CLEANUP(json_decref_p) = NULL;

	if (journal_open(&open, s->repo.common_dir, own_id, err) < 0 ||
	    refs_list(&plan->kept, patterns, NULL, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->kept.nr; i++) {
		const struct ref *ref = &plan->kept.item[i];
		const char *name = checkpoint_name(ref->name);
		char *id CLEANUP(free_p) = xmemdupz(name, strcspn(name, "/"));
		size_t last = plan->operations_nr - 1;

		if (is_open(open, id))
			continue;
		if (!plan->operations_nr || strcmp(plan->operation[last].id, id) != 0) {
			ARRAY_GROW(plan->operation, plan->operations_nr + 1,
				   plan->operations_alloc);
			last = plan->operations_nr++;
			plan->operation[last] = (struct goner){ .time = operation_time(id) };
			plan->operation[last].name = plan->operation[last].id = STEAL(id);
		}
		goner_add(&plan->operation[last], ref);
	}
	return 0;
}

/* All that have no name; or all of the patterns, tags without a snapshot as well. */
static int plan_prune_checkpoints(struct drop_plan *plan,
				  const struct checkpoint_prune_request *request, struct error *err)
{
	struct strvec snapshots CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec tags CLEANUP(strvec_release) = STRVEC_INIT;

	for (size_t i = 0; i < request->patterns; i++) {
		strvec_pushf(&snapshots, SNAPSHOT_REFS "%s", request->pattern[i]);
		strvec_pushf(&tags, SNAPSHOT_TAGS "%s", request->pattern[i]);
	}
	if (!request->patterns)
		strvec_push(&snapshots, SNAPSHOT_REFS);
	if (read_checkpoints(plan, (const char *const *)snapshots.v, err) < 0 ||
	    (tags.nr && read_refs(&plan->matching, (const char *const *)tags.v, err) < 0))
		return -1;
	for (size_t i = 0; i < plan->checkpoints.nr; i++)
		if (request->patterns ||
		    checkpoint_is_unnamed(checkpoint_name(plan->checkpoints.item[i].name)))
			add_checkpoint(plan, &plan->checkpoints.item[i]);
	for (size_t i = 0; i < plan->matching.nr; i++) {
		const struct ref *tag = &plan->matching.item[i];
		const char *name = tag->name + strlen(SNAPSHOT_TAGS);

		if (find_lone_tag(plan, name))
			add_goner(plan, name, tag);
	}
	return 0;
}

static int plan_prune(struct drop_plan *plan, const struct checkpoint_session *s,
		      const struct checkpoint_prune_request *request, const char *own_id,
		      struct error *err)
{
	int64_t keep = request->keep, before = INT64_MAX;

	if ((keep < 0 && settings_integer(&keep, &s->settings, "checkpoint.keep", err) < 0) ||
	    (request->older_than && read_date(&before, request->older_than, err) < 0) ||
	    plan_prune_checkpoints(plan, request, err) < 0 ||
	    (request->dangling && plan_dangling(plan, s, own_id, err) < 0))
		return -1;
	if (keep < 0)
		return error_set(err, "rollback.checkpoint.keep is less than 0");
	spare(plan, plan->checkpoint, &plan->checkpoints_nr, (size_t)keep, before);
	spare(plan, plan->operation, &plan->operations_nr, (size_t)keep, before);
	return 0;
}

/* ---- Show ---------------------------------------------------------------------------- */

static json_t *goners_to_json(const struct goner *item, size_t nr)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < nr; i++) {
		json_t *refs = json_array();

		for (size_t k = 0; k < item[i].nr; k++)
			json_array_append_new(refs,
					      json_pack("{s:o, s:o}", "ref",
							json_text(item[i].ref[k]->name), "old",
							json_text(item[i].ref[k]->oid)));
		json_array_append_new(ret, json_pack("{s:o, s:o, s:o}", "name",
						     json_text(item[i].name), "created_at",
						     item[i].time ? json_time(item[i].time) :
								    json_null(),
						     "refs", refs));
	}
	return ret;
}

static void show_json(const struct drop_plan *plan, const struct checkpoint_session *s,
		      const char *operation, const struct error *failure)
{
	json_t *json CLEANUP(json_decref_p) =
		json_pack("{s:i, s:s, s:b, s:o, s:o, s:o, s:o}", "format", 1, "verdict", "clean",
			  "dry_run", s->common->dry_run, "operation", json_text(operation),
			  "checkpoints", goners_to_json(plan->checkpoint, plan->checkpoints_nr),
			  "operations", goners_to_json(plan->operation, plan->operations_nr),
			  "spared", json_size(plan->spared));

	if (!s->common->dry_run)
		json_object_set_new(json, "outcome", json_string(outcome_name(failure)));
	if (failure)
		json_object_set_new(json, "error", error_to_json(failure));
	json_print(json);
}

static void add_rows(struct table *table, const struct goner *item, size_t nr, const char *what)
{
	int64_t now = clock_now();

	for (size_t i = 0; i < nr; i++) {
		struct strbuf age CLEANUP(strbuf_release) = STRBUF_INIT;

		if (item[i].time)
			amount_add_age(&age, item[i].time, now);
		table_cell(table, COLOR_NONE, what);
		table_cell(table, COLOR_YELLOW, item[i].name);
		table_cell(table, COLOR_NONE, age.buf);
	}
}

/* What is going to be asked about is for stderr, where the question goes. */
static void show_plan(const struct drop_plan *plan, const struct checkpoint_session *s, FILE *out)
{
	struct table table CLEANUP(table_release) = { .columns = 3 };
	const char *verb = s->common->dry_run ? "would drop" : "dropping";
	char *operation CLEANUP(free_p) = xstrfmt("%s for good, of operation", verb);

	add_rows(&table, plan->checkpoint, plan->checkpoints_nr, verb);
	add_rows(&table, plan->operation, plan->operations_nr, operation);
	table_print(&table,
		    out == stdout &&
			    color_wanted(s->common->color, settings_git(&s->settings, "color.ui")),
		    out);
}

/* ---- Execute ------------------------------------------------------------------------- */

/* No ref can be made for an object that is not there: what is lost is dropped for good. */
static int find_lost(struct drop_plan *plan, struct error *err)
{
	static const char missing[] = " missing";
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; i < plan->checkpoints_nr; i++)
		for (size_t k = 0; k < plan->checkpoint[i].nr; k++)
			strbuf_addf(&input, "%s\n", plan->checkpoint[i].ref[k]->oid);
	if (!input.len)
		return 0;
	strvec_pushl(&git.argv, "git", "cat-file", "--batch-check", NULL);
	git.input = input.buf;
	git.input_len = input.len;
	if (process_run(&git, err) < 0)
		return -1;
	if (git.status)
		return process_error(&git, err, "cannot look for the objects");
	for (const char *line = git.out.buf; *line; line += strcspn(line, "\n") + 1) {
		size_t oid = strcspn(line, " ");

		if (!strncmp(line + oid, missing, strlen(missing)))
			strvec_push_nodup(&plan->lost, xmemdupz(line, oid));
	}
	return 0;
}

/* Kept values are dropped for good: a ref that keeps what a ref kept would never end. */
static void add_changes(struct checkpoint_refs *refs, const struct drop_plan *plan)
{
	for (size_t i = 0; i < plan->checkpoints_nr; i++)
		for (size_t k = 0; k < plan->checkpoint[i].nr; k++) {
			const struct ref *ref = plan->checkpoint[i].ref[k];

			if (strvec_has(&plan->lost, ref->oid))
				refs_add(&refs->update, ref->name, ref->oid, NULL);
			else
				checkpoint_refs_add(refs, ref->name, ref->oid, NULL);
		}
	for (size_t i = 0; i < plan->operations_nr; i++)
		for (size_t k = 0; k < plan->operation[i].nr; k++)
			refs_add(&refs->update, plan->operation[i].ref[k]->name,
				 plan->operation[i].ref[k]->oid, NULL);
}

static json_t *dangling_names(const struct drop_plan *plan)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < plan->operations_nr; i++)
		for (size_t k = 0; k < plan->operation[i].nr; k++)
			json_array_append_new(ret, json_text(plan->operation[i].ref[k]->name));
	return ret;
}

static int execute(struct drop_plan *plan, const struct checkpoint_session *s,
		   struct operation *operation, const char *verb, struct error *err)
{
	struct checkpoint_refs refs CLEANUP(checkpoint_refs_release) = CHECKPOINT_REFS_INIT;
	json_t *members CLEANUP(json_decref_p) = json_object();
	int ret;

	if (find_lost(plan, err) < 0)
		return -1;
	checkpoint_refs_init(&refs, operation);
	add_changes(&refs, plan);
	refs.update.message = verb;
	checkpoint_refs_to_members(&refs, members);
	if (plan->operations_nr)
		json_object_set_new(members, "dangling", dangling_names(plan));
	if (checkpoint_begin(operation, s, verb, members, err) < 0)
		return -1;
	ret = checkpoint_refs_commit(&refs.update, s, operation, err);
	checkpoint_end(operation, err);
	return ret;
}

/* Before anything goes for good, on stderr, where the question goes. */
static int agree(const struct drop_plan *plan, const struct checkpoint_session *s,
		 struct error *err)
{
	if (!plan->operations_nr)
		return 0;
	show_plan(plan, s, stderr);
	if (confirm_ask("Drop what old operations keep, so that they cannot be undone any more?",
			false, s->common, err) == 0)
		return 0;
	if (s->common->json)
		show_json(plan, s, NULL, err);
	return -1;
}

static bool is_same_plan(const struct drop_plan *a, const struct drop_plan *b)
{
	json_t *x CLEANUP(json_decref_p) =
		json_pack("[o, o]", goners_to_json(a->checkpoint, a->checkpoints_nr),
			  goners_to_json(a->operation, a->operations_nr));
	json_t *y CLEANUP(json_decref_p) =
		json_pack("[o, o]", goners_to_json(b->checkpoint, b->checkpoints_nr),
			  goners_to_json(b->operation, b->operations_nr));

	return json_equal(x, y);
}

/* `shown`: what was agreed to has been seen. */
static int carry_out(struct drop_plan *plan, const struct checkpoint_session *s,
		     struct operation *operation, const char *verb, bool shown, struct error *err)
{
	const struct common_options *common = s->common;
	bool nothing = !plan->checkpoints_nr && !plan->operations_nr;
	int ret = 0;

	if (!shown && !common->json && !common->quiet)
		show_plan(plan, s, stdout);
	if (nothing && !common->json && !common->quiet)
		note("nothing to drop");
	if (!nothing && !common->dry_run)
		ret = execute(plan, s, operation, verb, err);
	if (common->json)
		show_json(plan, s, operation->record ? operation->id : NULL, ret < 0 ? err : NULL);
	return ret < 0 ? -1 : EXIT_DONE;
}

int checkpoint_drop(struct checkpoint_session *s, const char *const *name, size_t names,
		    struct error *err)
{
	struct drop_plan plan CLEANUP(drop_plan_release) = { 0 };
	struct operation operation CLEANUP(operation_release) = OPERATION_INIT;

	if ((!s->common->dry_run && checkpoint_lock(&operation, s, "drop", err) < 0) ||
	    plan_drop(&plan, name, names, err) < 0)
		return -1;
	return carry_out(&plan, s, &operation, "drop", false, err);
}

/* Nobody is kept from his work while a person thinks about a question. */
int checkpoint_prune(struct checkpoint_session *s, const struct checkpoint_prune_request *request,
		     struct error *err)
{
	struct drop_plan shown CLEANUP(drop_plan_release) = { 0 };
	struct drop_plan plan CLEANUP(drop_plan_release) = { 0 };
	struct operation operation CLEANUP(operation_release) = OPERATION_INIT;
	bool asks = request->dangling && !s->common->yes && !s->common->dry_run;

	if (asks && (plan_prune(&shown, s, request, NULL, err) < 0 || agree(&shown, s, err) < 0))
		return -1;
	if ((!s->common->dry_run && checkpoint_lock(&operation, s, "prune", err) < 0) ||
	    plan_prune(&plan, s, request, s->common->dry_run ? NULL : operation.id, err) < 0)
		return -1;
	if (asks && !is_same_plan(&shown, &plan)) {
		error_refused(err, "something has changed since the plan was shown");
		return error_hint(err, "Nothing was changed. Look at the plan again.");
	}
	return carry_out(&plan, s, &operation, "prune", shown.operations_nr, err);
}
