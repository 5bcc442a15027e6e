/* SPDX-License-Identifier: MIT */
/* The commits that change documents of the workflow, and what they mark in the plans. */
#include <strings.h>

#include "base/memory.h"
#include "flow/evidence-parts.h"
#include "vcs/object.h"
#include "workflow/layout.h"

/* Versions of plans that are in memory at a time. */
#define AT_ONCE 100

/* So often the documents may have come from another place: each time it is looked there. */
#define MOVES_MAX 8

/* ---- The commits ---------------------------------------------------------------------- */

static char *oid_or_null(const char *oid)
{
	return strspn(oid, "0") == strlen(oid) ? NULL : xstrdup(oid);
}

static int take_commit(void *data, const struct log_commit *commit, struct error *err)
{
	struct evidence *e = data;
	uint32_t known = evidence_keep(e, commit);

	(void)err;
	if (commit->commit_time < e->since)
		e->since = commit->commit_time;
	evidence_note_moves(e, commit);
	for (size_t i = 0; i < commit->changes; i++) {
		const struct log_change *change = &commit->change[i];

		if (!evidence_is_document(e, change->path))
			continue;
		ARRAY_GROW(e->change, e->changes + 1, e->changes_alloc);
		e->change[e->changes++] = (struct doc_change){
			.commit = known,
			.status = change->status,
			.path = xstrdup(change->path),
			.old_oid = oid_or_null(change->old_oid),
			.new_oid = oid_or_null(change->new_oid),
		};
	}
	return 0;
}

int evidence_read_documents(struct evidence *e, int64_t since, struct error *err)
{
	struct strvec revs CLEANUP(strvec_release) = STRVEC_INIT;
	struct log_request request = { .repo = e->request.repo,
				       .revs = &revs,
				       .paths = &e->paths,
				       .since = since,
				       .changes = true };
	size_t known = e->commits;

	evidence_find_places(e);
	if (!e->paths.nr)
		return 0;
	strvec_push(&revs, e->rev);
	if (log_walk(&request, take_commit, e, err) < 0 || evidence_note_usual(e, err) < 0)
		return -1;
	for (size_t i = 0; i < MOVES_MAX && evidence_add_moves(e); i++) {
		evidence_forget(e, known);
		if (log_walk(&request, take_commit, e, err) < 0)
			return -1;
	}
	return 0;
}

size_t evidence_first_mark(const struct evidence *e, uint32_t commit)
{
	size_t low = 0, high = e->marks;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (e->mark[middle].commit > commit)
			low = middle + 1;
		else
			high = middle;
	}
	return low < e->marks && e->mark[low].commit == commit ? low : e->marks;
}

bool mark_finishes(const struct mark *mark)
{
	for (size_t i = 0; i < mark->parts; i++)
		if (mark->part[i].flags & MARK_FINISHED)
			return true;
	return false;
}

/* ---- Which plan a file was ------------------------------------------------------------ */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Is it "<anything>/<id>/<plan.md>", for the folder and the plan that the track has? */
static bool is_moved_plan(const struct track *track, const char *path)
{
	const char *file = base_name(path), *id;
	size_t len;

	if (!track->folder || !track->plan.path || strcmp(file, base_name(track->plan.path)) != 0)
		return false;
	id = base_name(track->folder);
	len = strlen(id);
	return (size_t)(file - path) > len && file[-1] == '/' &&
	       !strncmp(file - 1 - len, id, len) &&
	       (file - 1 - len == path || file[-2 - (ptrdiff_t)len] == '/');
}

static size_t plan_track(const struct evidence *e, const char *path)
{
	for (size_t i = 0; i < e->tracks->nr; i++)
		if (e->tracks->item[i].plan.path && !strcmp(e->tracks->item[i].plan.path, path))
			return i;
	for (size_t i = 0; i < e->aliases; i++)
		if (!strcmp(e->alias[i].plan, path))
			return e->alias[i].track;
	for (size_t i = 0; i < e->tracks->nr; i++)
		if (is_moved_plan(&e->tracks->item[i], path))
			return i;
	return NO_INDEX;
}

/* Is the file removed by a newer commit than the change? */
static bool goes_later(const struct evidence *e, size_t change)
{
	for (size_t i = 0; i < change; i++)
		if (e->change[i].status == 'D' &&
		    !strcmp(e->change[i].path, e->change[change].path))
			return true;
	return false;
}

/*
 * What a plan that comes was before: a file of the same content that the commit removes, or that is
 * as it was when it was copied, and is removed later. One that has a track of its own is none.
 */
static const struct doc_change *find_source(const struct evidence *e, size_t come)
{
	const struct doc_change *to = &e->change[come];
	size_t i = come;

	while (i && e->change[i - 1].commit == to->commit)
		i--;
	for (; i < e->changes && e->change[i].commit == to->commit; i++)
		if (e->change[i].status == 'D' && !strcmp(e->change[i].old_oid, to->new_oid) &&
		    plan_track(e, e->change[i].path) == NO_INDEX)
			return &e->change[i];
	for (; i < e->changes; i++)
		if (e->change[i].new_oid && !strcmp(e->change[i].new_oid, to->new_oid) &&
		    plan_track(e, e->change[i].path) == NO_INDEX && goes_later(e, i))
			return &e->change[i];
	return NULL;
}

/* A plan that comes where a file of the same content goes was that file: newest first. */
static void find_aliases(struct evidence *e)
{
	for (size_t i = 0; i < e->changes; i++) {
		const struct doc_change *from;
		size_t track;

		if (e->change[i].status != 'A' ||
		    (track = plan_track(e, e->change[i].path)) == NO_INDEX ||
		    !(from = find_source(e, i)))
			continue;
		ARRAY_GROW(e->alias, e->aliases + 1, e->aliases_alloc);
		e->alias[e->aliases++] = (struct alias){ from->path, track };
	}
}

/* Where the plan that a commit removes came to, in the same commit, as another track's; or NO_INDEX. */
static size_t moved_to(const struct evidence *e, size_t gone, size_t first)
{
	const struct doc_change *from = &e->change[gone];
	size_t owner = plan_track(e, from->path);

	for (size_t i = first; i < e->changes && e->change[i].commit == from->commit; i++) {
		const struct doc_change *to = &e->change[i];
		size_t track = to->status == 'A' ? plan_track(e, to->path) : NO_INDEX;

		if (track != NO_INDEX && track != owner &&
		    !strcmp(base_name(to->path), base_name(from->path)) &&
		    (!strcmp(to->new_oid, from->old_oid) ||
		     !strcasecmp(e->tracks->item[track].id, e->tracks->item[owner].id)))
			return track;
	}
	return NO_INDEX;
}

static void find_tenants(struct evidence *e)
{
	for (size_t i = 0, first = 0; i < e->changes; i++) {
		const struct doc_change *change = &e->change[i];
		size_t owner = plan_track(e, change->path), track;

		if (e->change[first].commit != change->commit)
			first = i;
		/* Only of a track that has its plan there by now. */
		if (change->status != 'D' || owner == NO_INDEX ||
		    strcmp(e->tracks->item[owner].plan.path, change->path) != 0 ||
		    (track = moved_to(e, i, first)) == NO_INDEX)
			continue;
		ARRAY_GROW(e->tenant, e->tenants + 1, e->tenants_alloc);
		e->tenant[e->tenants++] =
			(struct tenant){ layout_parent(change->path), track, first };
	}
}

size_t evidence_tenant(const struct evidence *e, size_t change)
{
	for (size_t i = e->tenants; i-- > 0;)
		if (e->tenant[i].from <= change &&
		    layout_is_below(e->change[change].path, e->tenant[i].folder))
			return e->tenant[i].track;
	return NO_INDEX;
}

static size_t plan_track_then(const struct evidence *e, size_t change)
{
	size_t owner = plan_track(e, e->change[change].path);
	size_t tenant = owner == NO_INDEX ? NO_INDEX : evidence_tenant(e, change);

	return tenant == NO_INDEX ? owner : tenant;
}

/* ---- Versions of plans ---------------------------------------------------------------- */

struct version {
	size_t mark;
	const char *old_oid, *new_oid; /* NULL: none; belong to changes */
};
struct versions {
	struct version *item;
	size_t nr, alloc;
};

static void versions_release(struct versions *versions)
{
	free(versions->item);
}

/* One commit's changes of one track's plan, wherever it lay. */
static void add_version(struct evidence *e, struct versions *ret, size_t first, size_t end,
			const size_t *track_of, size_t track, const char **last)
{
	struct version version = { .mark = e->marks };
	struct mark mark = { .commit = e->change[first].commit,
			     .track = track,

			     .run_merge = SIZE_MAX,
			     .run_other = NO_INDEX };

	for (size_t i = first; i < end; i++) {
		const struct doc_change *change = &e->change[i];

		if (track_of[i] != track)
			continue;
		if (change->status == 'D')
			mark.removed = true;
		else
			version.new_oid = change->new_oid;
		if (change->status != 'A' && (!version.old_oid || change->status == 'D'))
			version.old_oid = change->old_oid;
		mark.created |= change->status == 'A';
	}
	mark.moved = mark.created && (mark.removed || last[track]);
	if (mark.moved && !version.old_oid)
		version.old_oid = last[track]; /* the copy of another place */
	if (mark.moved || version.new_oid)
		mark.removed = false;
	mark.created &= !mark.moved;
	if (version.new_oid)
		last[track] = version.new_oid;
	ARRAY_GROW(e->mark, e->marks + 1, e->marks_alloc);
	e->mark[e->marks++] = mark;
	ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
	ret->item[ret->nr++] = version;
}

/* Oldest first, so that what a plan was before it came to another place is known. */
static void collect_versions(struct evidence *e, struct versions *ret)
{
	size_t *track_of CLEANUP(free_p) = xcalloc(e->changes + 1, sizeof(*track_of));
	const char **last CLEANUP(free_p) = xcalloc(e->tracks->nr + 1, sizeof(*last));

	find_aliases(e);
	find_tenants(e);
	for (size_t i = 0; i < e->changes; i++)
		track_of[i] = plan_track_then(e, i);
	for (size_t end = e->changes; end;) {
		size_t first = end - 1;

		while (first && e->change[first - 1].commit == e->change[end - 1].commit)
			first--;
		for (size_t i = first; i < end; i++) {
			bool seen = track_of[i] == NO_INDEX;

			for (size_t j = first; j < i && !seen; j++)
				seen = track_of[j] == track_of[i];
			if (!seen) {
				e->commit[e->change[i].commit].plans = true;
				add_version(e, ret, first, end, track_of, track_of[i], last);
			}
		}
		end = first;
	}
}

/* ---- What a version marks ------------------------------------------------------------- */

/* The three versions that a change is about. */
struct comparison {
	struct evidence *e;
	size_t mark, track;
	const struct plan_document *old, *new, *now;
};

static bool has_hex(const struct plan_commits *commits, const char *hex)
{
	for (size_t i = 0; i < commits->nr; i++)
		if (!strcmp(commits->item[i].hex, hex))
			return true;
	return false;
}

static void add_record(struct evidence *e, size_t mark, const struct unit *unit,
		       const struct plan_commit *commit, bool checkpoint, bool current)
{
	for (size_t i = 0; i < e->records; i++) {
		struct record *record = &e->record[i];

		if (!strcmp(record->hex, commit->hex) && record->unit.kind == unit->kind &&
		    record->unit.track == unit->track && record->unit.phase == unit->phase &&
		    record->unit.task == unit->task) {
			record->current |= current;
			return;
		}
	}
	ARRAY_GROW(e->record, e->records + 1, e->records_alloc);
	e->record[e->records++] = (struct record){
		.hex = xstrdup(commit->hex),
		.unit = *unit,
		.checkpoint = checkpoint || commit->label == COMMIT_CHECKPOINT,
		.current = current,
		.mark = mark,
		.commit = NO_COMMIT,
	};
}

/* All that are in `list` and not in `old`. True: there are some. */
static bool add_records(const struct comparison *c, const struct plan_commits *list,
			const struct plan_commits *old, const struct unit *unit, bool checkpoint)
{
	bool any = false;

	for (size_t i = 0; i < list->nr; i++) {
		if (old && has_hex(old, list->item[i].hex))
			continue;
		add_record(c->e, c->mark, unit, &list->item[i], checkpoint, false);
		any = true;
	}
	return any;
}

static void add_part(const struct comparison *c, size_t phase, size_t task, unsigned flags,
		     bool verification)
{
	struct mark *mark = &c->e->mark[c->mark];

	if (!flags)
		return;
	ARRAY_GROW(mark->part, mark->parts + 1, mark->parts_alloc);
	mark->part[mark->parts++] = (struct mark_part){ phase, task, flags, verification };
}

/* The last task of a phase, by which somebody says that he has looked at it. */
static bool is_verification(const struct plan_task *task)
{
	return strcasestr(task->is.title, "manual verification") ||
	       strcasestr(task->is.title, "protocol in workflow");
}

static unsigned compare_state(enum unit_state new, enum unit_state old)
{
	unsigned flags = 0;

	if (new == UNIT_DONE && old != UNIT_DONE)
		flags |= MARK_FINISHED;
	if (new == UNIT_IN_PROGRESS && old != UNIT_IN_PROGRESS)
		flags |= MARK_STARTED;
	if (new != UNIT_DONE && old == UNIT_DONE)
		flags |= MARK_REOPENED;
	return flags;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* But for white space: line ends, and how deep lists are set, are nothing to a task. */
static bool same_block(const struct plan_document *a, struct span x, const struct plan_document *b,
		       struct span y)
{
	const char *at = a->text + x.at, *end = at + x.len;
	const char *other = b->text + y.at, *other_end = other + y.len;

	for (;;) {
		while (at < end && is_blank(*at))
			at++;
		while (other < other_end && is_blank(*other))
			other++;
		if (at == end || other == other_end)
			return at == end && other == other_end;
		if (*at++ != *other++)
			return false;
	}
}

/*
 * The same task, perhaps in other words: then it has kept its place, most of its words, and neither
 * version has a task called like the other's.
 */
static size_t find_task(const struct plan_document *other, const struct plan_document *plan,
			size_t task)
{
	const struct plan_task *mine = &plan->task[task];
	size_t ret = plan_document_find_same_task(other, plan, task), phase, words;
	const char *title;

	if (ret != NO_INDEX || mine->phase == NO_INDEX)
		return ret;
	phase = plan_document_find_same_phase(other, plan, mine->phase);
	ret = phase == NO_INDEX ? NO_INDEX : plan_document_task_at(other, phase, mine->number);
	if (ret == NO_INDEX || plan_document_find_same_task(plan, other, ret) != NO_INDEX)
		return NO_INDEX;
	title = other->task[ret].is.title;
	words = common_words(mine->is.title, title);
	return 3 * words >= 2 * common_words(title, title) &&
			       3 * words >= 2 * common_words(mine->is.title, mine->is.title) &&
			       words ?
		       ret :
		       NO_INDEX;
}

static void compare_task(const struct comparison *c, size_t i)
{
	const struct plan_task *task = &c->new->task[i], *was = NULL;
	size_t old = c->old ? find_task(c->old, c->new, i) : NO_INDEX;
	size_t now = find_task(c->now, c->new, i), phase = NO_INDEX;
	struct unit unit = unit_of_track(c->track);
	unsigned flags;

	if (now != NO_INDEX) {
		unit = unit_of_task(c->e->tracks, c->track, now);
		phase = unit.phase;
	} else if (task->phase != NO_INDEX &&
		   (phase = plan_document_find_same_phase(c->now, c->new, task->phase)) !=
			   NO_INDEX) {
		unit = unit_of_phase(c->track, phase);
	}
	if (old != NO_INDEX)
		was = &c->old->task[old];
	flags = compare_state(task->is.state, was ? was->is.state : UNIT_PENDING);
	if (!was)
		flags |= MARK_ADDED;
	if (add_records(c, &task->is.commit, was ? &was->is.commit : NULL, &unit, false))
		flags |= MARK_RECORDED;
	for (size_t k = 0; k < task->items; k++)
		add_records(c, &c->new->item[task->first_item + k].is.commit, NULL, &unit, false);
	if (was && !flags && !same_block(c->new, task->block, c->old, was->block))
		flags |= MARK_EDITED;
	add_part(c, phase, now, flags, is_verification(task));
}

static void compare_phase(const struct comparison *c, size_t i)
{
	const struct plan_phase *phase = &c->new->phase[i], *was = NULL;
	size_t old = c->old ? plan_document_find_same_phase(c->old, c->new, i) : NO_INDEX;
	size_t now = plan_document_find_same_phase(c->now, c->new, i);
	struct unit unit = now == NO_INDEX ? unit_of_track(c->track) : unit_of_phase(c->track, now);
	unsigned flags = 0;

	if (!phase->has_heading)
		return;
	if (old != NO_INDEX)
		was = &c->old->phase[old];
	if (phase->is.has_box)
		flags = compare_state(phase->is.state,
				      was && was->is.has_box ? was->is.state : UNIT_PENDING);
	if (!was)
		flags |= MARK_ADDED;
	if (add_records(c, &phase->is.commit, was ? &was->is.commit : NULL, &unit, true))
		flags |= MARK_RECORDED | MARK_FINISHED;
	if (phase->is.status.len && !(was && was->is.status.len))
		flags |= MARK_FINISHED;
	if (was && !flags && !same_block(c->new, phase->is.text, c->old, was->is.text))
		flags |= MARK_EDITED;
	add_part(c, now, NO_INDEX, flags, false);
}

static void compare_plans(const struct comparison *c)
{
	struct unit track = unit_of_track(c->track);

	for (size_t i = 0; i < c->new->phases; i++)
		compare_phase(c, i);
	for (size_t i = 0; i < c->new->tasks; i++)
		compare_task(c, i);
	add_records(c, &c->new->commit, c->old ? &c->old->commit : NULL, &track, false);
}

static size_t want_object(struct objects *objects, const char *oid)
{
	return oid ? objects_add(objects, oid) : NO_INDEX;
}

static const struct object *object_at(const struct objects *objects, size_t i)
{
	return i == NO_INDEX || !objects->item[i].oid ? NULL : &objects->item[i];
}

static void compare_version(struct evidence *e, const struct version *version,
			    const struct object *old, const struct object *new)
{
	struct plan_document before CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;
	struct plan_document after CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;
	size_t track = e->mark[version->mark].track;
	struct comparison c = { .e = e,
				.mark = version->mark,
				.track = track,
				.new = &after,
				.now = &e->tracks->item[track].plan };

	if (!new || new->data.len > DOCUMENT_MAX || (old && old->data.len > DOCUMENT_MAX))
		return;
	plan_document_parse(&after, c.now->path, new->data.buf, new->data.len);
	if (old) {
		plan_document_parse(&before, c.now->path, old->data.buf, old->data.len);
		c.old = &before;
	}
	compare_plans(&c);
}

static int compare_some(struct evidence *e, const struct version *version, size_t nr,
			struct error *err)
{
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	size_t where[AT_ONCE][2];

	for (size_t i = 0; i < nr; i++) {
		where[i][0] = want_object(&objects, version[i].old_oid);
		where[i][1] = want_object(&objects, version[i].new_oid);
	}
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < nr; i++)
		compare_version(e, &version[i], object_at(&objects, where[i][0]),
				object_at(&objects, where[i][1]));
	return 0;
}

/* The commits that the plans name now. */
static void add_current_records(struct evidence *e)
{
	for (size_t t = 0; t < e->tracks->nr; t++) {
		const struct plan_document *plan = &e->tracks->item[t].plan;
		struct unit unit = unit_of_track(t);

		for (size_t i = 0; plan->path && i < plan->commit.nr; i++)
			add_record(e, NO_INDEX, &unit, &plan->commit.item[i], false, true);
		for (size_t p = 0; p < plan->phases; p++) {
			unit = unit_of_phase(t, p);
			for (size_t i = 0; i < plan->phase[p].is.commit.nr; i++)
				add_record(e, NO_INDEX, &unit, &plan->phase[p].is.commit.item[i],
					   true, true);
		}
		for (size_t k = 0; k < plan->tasks; k++) {
			const struct plan_task *task = &plan->task[k];

			unit = unit_of_task(e->tracks, t, k);
			for (size_t i = 0; i < task->is.commit.nr; i++)
				add_record(e, NO_INDEX, &unit, &task->is.commit.item[i], false,
					   true);
			for (size_t j = 0; j < task->items; j++) {
				const struct plan_commits *own =
					&plan->item[task->first_item + j].is.commit;

				for (size_t i = 0; i < own->nr; i++)
					add_record(e, NO_INDEX, &unit, &own->item[i], false, true);
			}
		}
	}
}

int evidence_read_marks(struct evidence *e, struct error *err)
{
	struct versions versions CLEANUP(versions_release) = { 0 };

	collect_versions(e, &versions);
	for (size_t i = 0; i < versions.nr; i += AT_ONCE) {
		size_t nr = versions.nr - i < AT_ONCE ? versions.nr - i : AT_ONCE;

		if (compare_some(e, versions.item + i, nr, err) < 0)
			return -1;
	}
	add_current_records(e);
	return 0;
}
