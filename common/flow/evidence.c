/* SPDX-License-Identifier: MIT */
#include "flow/evidence.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/sort.h"
#include "flow/evidence-parts.h"
#include "vcs/object.h"

/* Of so many files no use is made: a commit that changes them all says nothing of any. */
#define FILES_MAX 2000

/* So long before its first mention a story may have been marked: seconds. */
#define BEFORE_STORY ((int64_t)90 * 24 * 3600)

/* ---- Names ---------------------------------------------------------------------------- */

const char *evidence_level_name(enum evidence_level level)
{
	return level == EVIDENCE_CERTAIN ? "certain" : "likely";
}

const char *evidence_role_name(enum evidence_role role)
{
	static const char *const names[] = { "implementation", "plan", "checkpoint", "creation",
					     "closing" };

	return names[role];
}

const char *evidence_kind_name(enum evidence_kind kind)
{
	static const char *const names[] = { "trailer", "recorded", "rewritten", "note",
					     "plan",	"run",	    "message",	 "files",
					     "folder",	"branch",   "picked",	 "stories",
					     "shared",	"reverted" };

	return names[kind];
}

/* ---- Ids ------------------------------------------------------------------------------ */

/* Ids are digests already: their first digits are as good a number as any. */
static size_t oid_slot(const struct oid_map *map, const char *oid)
{
	char digits[9] = "";
	size_t at;

	memccpy(digits, oid, '\0', 8);
	at = strtoul(digits, NULL, 16) & (map->size - 1);
	while (map->slot[at].oid && strcmp(map->slot[at].oid, oid) != 0)
		at = (at + 1) & (map->size - 1);
	return at;
}

uint32_t oid_map_get(const struct oid_map *map, const char *oid)
{
	size_t at;

	if (!map->size)
		return NO_COMMIT;
	at = oid_slot(map, oid);
	return map->slot[at].oid ? map->slot[at].value : NO_COMMIT;
}

static void oid_map_grow(struct oid_map *map)
{
	struct oid_map larger = { .size = map->size ? map->size * 2 : 256 };

	larger.slot = xcalloc(larger.size, sizeof(*larger.slot));
	for (size_t i = 0; i < map->size; i++)
		if (map->slot[i].oid)
			larger.slot[oid_slot(&larger, map->slot[i].oid)] = map->slot[i];
	larger.nr = map->nr;
	free(map->slot);
	*map = larger;
}

void oid_map_put(struct oid_map *map, const char *oid, uint32_t value)
{
	size_t at;

	if (map->nr * 2 >= map->size)
		oid_map_grow(map);
	at = oid_slot(map, oid);
	map->nr += map->slot[at].oid ? 0 : 1;
	map->slot[at] = (struct oid_slot){ oid, value };
}

void oid_map_release(struct oid_map *map)
{
	free(map->slot);
	*map = (struct oid_map){ 0 };
}

/* ---- Commits -------------------------------------------------------------------------- */

int evidence_compare_files(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void evidence_look_at(struct evidence *e, struct known_commit *known,
		      const struct log_commit *commit)
{
	if (known->looked_at || known->merge)
		return;
	known->looked_at = true;
	for (size_t i = 0; i < commit->changes; i++) {
		const struct log_change *change = &commit->change[i];

		known->submodule |= change->submodule;
		evidence_note_list(e, known, change->path);
		if (evidence_is_document(e, change->path)) {
			known->documents = true;
			continue;
		}
		known->code = true;
		if (commit->changes > FILES_MAX)
			continue;
		ARRAY_GROW(known->file, known->files + 1, known->files_alloc);
		known->file[known->files++] = digest_number(change->path);
	}
	sort(known->file, known->files, sizeof(*known->file), evidence_compare_files);
	if (known->code && commit->changes <= FILES_MAX)
		evidence_note_renames(e, commit, (uint32_t)(known - e->commit));
}

uint32_t evidence_keep(struct evidence *e, const struct log_commit *commit)
{
	uint32_t found = oid_map_get(&e->by_oid, commit->oid);
	size_t parent = strcspn(commit->parents, " ");
	struct known_commit *known;

	if (found != NO_COMMIT) {
		e->commit[found].origin_only = false;
		if (commit->changes)
			evidence_look_at(e, &e->commit[found], commit);
		return found;
	}
	ARRAY_GROW(e->commit, e->commits + 1, e->commits_alloc);
	known = &e->commit[e->commits];
	*known = (struct known_commit){
		.oid = xstrdup(commit->oid),
		.parent = parent ? xmemdupz(commit->parents, parent) : NULL,
		.subject = log_subject(commit->message),
		.author = xstrdup(commit->author),
		.author_time = commit->author_time,
		.commit_time = commit->commit_time,
		.merge = commit->parents[parent] != '\0',
		.order = NO_COMMIT,
		.first_claim = NO_INDEX,
		.list = NO_INDEX,
	};
	if (commit->changes)
		evidence_look_at(e, known, commit);
	oid_map_put(&e->by_oid, known->oid, (uint32_t)e->commits);
	return (uint32_t)e->commits++;
}

uint32_t evidence_find_commit(const struct evidence *e, const char *hex)
{
	uint32_t found = oid_map_get(&e->by_oid, hex);

	for (size_t i = 0; found == NO_COMMIT && i < e->commits && strlen(hex) < 40; i++)
		if (!strncmp(e->commit[i].oid, hex, strlen(hex)))
			found = (uint32_t)i;
	return found;
}

static void free_commit(struct known_commit *known)
{
	free(known->oid);
	free(known->parent);
	free(known->subject);
	free(known->author);
	free(known->picked_from);
	free(known->reverts);
	free(known->file);
}

static void free_changes(struct evidence *e)
{
	for (size_t i = 0; i < e->changes; i++) {
		free(e->change[i].path);
		free(e->change[i].old_oid);
		free(e->change[i].new_oid);
	}
	free(e->change);
}

void evidence_forget(struct evidence *e, size_t from)
{
	free_changes(e);
	e->change = NULL;
	e->changes = e->changes_alloc = 0;
	oid_map_release(&e->by_oid);
	for (size_t i = 0; i < e->commits; i++) {
		struct known_commit *known = &e->commit[i];

		if (i >= from) {
			free_commit(known);
			continue;
		}
		known->looked_at = known->code = known->documents = known->submodule = false;
		known->files = 0;
		known->list = NO_INDEX;
		known->lists = 0;
		oid_map_put(&e->by_oid, known->oid, (uint32_t)i);
	}
	e->commits = from;
	e->renames = 0;
}

/* ---- Units ---------------------------------------------------------------------------- */

bool evidence_wants(const struct evidence *e, const struct unit *unit)
{
	const struct unit *only = e->request.only;

	if (!only)
		return true;
	if (only->kind == UNIT_STORY || unit->kind == UNIT_STORY)
		return only->kind == unit->kind && only->story == unit->story;
	return only->track == unit->track;
}

void claim_add(struct evidence *e, uint32_t commit, struct unit unit, enum evidence_kind kind,
	       enum evidence_level level, enum evidence_role role, const char *fmt, ...)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	ARRAY_GROW(e->claim, e->claims + 1, e->claims_alloc);
	e->claim[e->claims] = (struct claim){ .commit = commit,
					      .unit = unit,
					      .kind = kind,
					      .level = level,
					      .role = role,
					      .detail = strbuf_detach(&text),
					      .next = e->commit[commit].first_claim };
	e->commit[commit].first_claim = e->claims++;
}

static size_t *first_claim(const struct evidence *e, const struct unit *unit)
{
	size_t tracks = e->tracks->nr, stories = e->tracks->stories.nr;

	if (unit->kind == UNIT_STORY)
		return &e->first_claim[tracks + unit->story];
	return &e->first_claim[unit->track == NO_INDEX ? tracks + stories : unit->track];
}

/* All are made: now they are found by unit, and by commit, in the order in which they were. */
static void link_claims(struct evidence *e)
{
	size_t lists = e->tracks->nr + e->tracks->stories.nr + 1;

	e->first_claim = xreallocarray(NULL, lists, sizeof(*e->first_claim));
	for (size_t i = 0; i < lists; i++)
		e->first_claim[i] = NO_INDEX;
	for (size_t i = 0; i < e->commits; i++)
		e->commit[i].first_claim = NO_INDEX;
	for (size_t i = e->claims; i--;) {
		struct claim *claim = &e->claim[i];
		size_t *first = first_claim(e, &claim->unit);

		claim->next_unit = *first;
		*first = i;
		claim->next = e->commit[claim->commit].first_claim;
		e->commit[claim->commit].first_claim = i;
	}
}

/* ---- Reading -------------------------------------------------------------------------- */

/*
 * A story has no plan whose history leads to its commits. Messages name it; and the list of stories
 * is looked at from a good time before that on.
 */
static int read_story(struct evidence *e, struct error *err)
{
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	const struct stories *stories = &e->tracks->stories;
	bool any = false;

	if (evidence_read_history(e, err) < 0)
		return -1;
	if (e->mentioned != INT64_MAX)
		return evidence_read_documents(e, e->mentioned - BEFORE_STORY, err);
	if (!stories->lists)
		return 0;
	for (size_t i = 0; i < stories->lists; i++) {
		char *name CLEANUP(free_p) = xstrfmt("%s:%s", e->rev, stories->list[i].path);

		objects_add(&objects, name);
	}
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < objects.nr; i++)
		any |= objects.item[i].oid != NULL;
	return any ? evidence_read_documents(e, 0, err) : 0;
}

static int read_track(struct evidence *e, struct error *err)
{
	if (evidence_read_documents(e, 0, err) < 0 || evidence_read_marks(e, err) < 0 ||
	    evidence_resolve_records(e, err) < 0)
		return -1;
	return evidence_read_history(e, err);
}

static int read_all(struct evidence *e, struct error *err)
{
	const struct unit *only = e->request.only;

	if ((only && only->kind == UNIT_STORY ? read_story(e, err) : read_track(e, err)) < 0 ||
	    evidence_read_changes(e, err) < 0 || evidence_match_changes(e, err) < 0 ||
	    evidence_read_folders(e, err) < 0)
		return -1;
	evidence_follow_renames(e);
	evidence_make_claims(e);
	link_claims(e);
	return 0;
}

int evidence_read(struct evidence **ret, const struct evidence_request *request, struct error *err)
{
	struct evidence *e CLEANUP(evidence_free_p) = xcalloc(1, sizeof(*e));
	int found = repo_commit(&e->rev, request->rev ? request->rev : "HEAD", err);

	if (found < 0)
		return -1;
	e->request = *request;
	e->tracks = request->tracks;
	e->since = e->mentioned = INT64_MAX;
	if (found == COMMIT_MISSING) {
		*ret = NULL;
		return 0;
	}
	if (read_all(e, err) < 0)
		return -1;
	*ret = STEAL(e);
	return 0;
}

static void free_commits(struct evidence *e)
{
	for (size_t i = 0; i < e->commits; i++)
		free_commit(&e->commit[i]);
	free(e->commit);
}

static void free_marks(struct evidence *e)
{
	for (size_t i = 0; i < e->marks; i++) {
		free(e->mark[i].part);
		free(e->mark[i].run);
	}
	free(e->mark);
	for (size_t i = 0; i < e->records; i++) {
		free(e->record[i].hex);
		free(e->record[i].oid);
		free(e->record[i].subject);
		free(e->record[i].author);
		free(e->record[i].successor);
	}
	free(e->record);
	free(e->mention);
	free_changes(e);
}

void evidence_free(struct evidence *e)
{
	free_commits(e);
	free_marks(e);
	for (size_t i = 0; i < e->claims; i++)
		free(e->claim[i].detail);
	free(e->claim);
	free(e->first_claim);
	free(e->story);
	free(e->alias);
	free(e->merged);
	for (size_t i = 0; i < e->tenants; i++)
		free(e->tenant[i].folder);
	free(e->tenant);
	for (size_t i = 0; i < e->names; i++)
		free(e->name[i].text);
	free(e->name);
	oid_map_release(&e->by_oid);
	strvec_release(&e->paths);
	strvec_release(&e->old);
	strvec_release(&e->moved);
	free(e->rename);
	free(e->rev);
	free(e);
}

/* ---- One unit ------------------------------------------------------------------------- */

void evidence_commits_release(struct evidence_commits *commits)
{
	for (size_t i = 0; i < commits->nr; i++) {
		struct evidence_commit *commit = &commits->item[i];

		free(commit->oid);
		free(commit->subject);
		for (size_t k = 0; k < commit->reasons; k++)
			free(commit->reason[k].detail);
		free(commit->reason);
	}
	free(commits->item);
	*commits = (struct evidence_commits)EVIDENCE_COMMITS_INIT;
}

/* What of two roles of the same level the commit has: the work goes before all. */
static unsigned role_rank(enum evidence_role role)
{
	static const unsigned rank[] = { [ROLE_IMPLEMENTATION] = 4,
					 [ROLE_CHECKPOINT] = 3,
					 [ROLE_CREATION] = 2,
					 [ROLE_CLOSING] = 1,
					 [ROLE_PLAN] = 0 };

	return rank[role];
}

static bool is_reason(enum evidence_kind kind)
{
	return kind != EVIDENCE_SHARED && kind != EVIDENCE_REVERTED;
}

/* Is it known, and at least as certain? What is known but less so is forgotten. */
static bool has_reason(struct evidence_commit *commit, const struct claim *claim)
{
	for (size_t i = 0; i < commit->reasons; i++) {
		struct evidence_reason *reason = &commit->reason[i];

		if (reason->kind != claim->kind || strcmp(reason->detail, claim->detail) != 0)
			continue;
		if (reason->level >= claim->level)
			return true;
		free(reason->detail);
		memmove(reason, reason + 1, (--commit->reasons - i) * sizeof(*reason));
		return false;
	}
	return false;
}

static void add_reason(struct evidence_commit *commit, const struct claim *claim)
{
	struct evidence_reason reason = { claim->kind, claim->level, NULL };
	size_t at = 0;

	if (has_reason(commit, claim))
		return;
	if (is_reason(claim->kind) &&
	    (claim->level > commit->level ||
	     (claim->level == commit->level && role_rank(claim->role) > role_rank(commit->role)))) {
		commit->role = claim->role;
		commit->level = claim->level;
	}
	commit->shared |= claim->kind == EVIDENCE_SHARED;
	commit->reverted |= claim->kind == EVIDENCE_REVERTED;
	reason.detail = xstrdup(claim->detail);
	ARRAY_GROW(commit->reason, commit->reasons + 1, commit->reasons_alloc);
	while (at < commit->reasons && commit->reason[at].level >= reason.level &&
	       (is_reason(commit->reason[at].kind) || !is_reason(reason.kind)))
		at++;
	memmove(commit->reason + at + 1, commit->reason + at,
		(commit->reasons - at) * sizeof(*commit->reason));
	commit->reason[at] = reason;
	commit->reasons++;
}

/* Index of each commit in the result, for those that have a claim. */
static void add_claim(struct evidence_commits *ret, uint32_t *where, const struct evidence *e,
		      const struct claim *claim)
{
	const struct known_commit *known = &e->commit[claim->commit];
	struct evidence_commit *commit;

	if (where[claim->commit] == NO_COMMIT) {
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		where[claim->commit] = (uint32_t)ret->nr;
		ret->item[ret->nr++] = (struct evidence_commit){
			.oid = xstrdup(known->oid),
			.subject = xstrdup(known->subject),
			.commit_time = known->commit_time,
			.role = ROLE_PLAN,
			.merge = known->merge,
			.code = known->code,
			.empty = known->looked_at && !known->code && !known->documents,
		};
	}
	commit = &ret->item[where[claim->commit]];
	add_reason(commit, claim);
}

/* Does it say that the work is another unit's as well, which is no part of this one? */
static bool is_anothers(const struct claim *claim, const struct unit *unit)
{
	return claim->level == EVIDENCE_CERTAIN && claim->role == ROLE_IMPLEMENTATION &&
	       (unit->kind == UNIT_STORY) == (claim->unit.kind == UNIT_STORY) &&
	       !unit_contains(unit, &claim->unit) && !unit_contains(&claim->unit, unit);
}

static void add_shared(struct evidence_commit *commit, const struct evidence *e,
		       const struct claim *claim)
{
	struct strbuf what CLEANUP(strbuf_release) = STRBUF_INIT;
	struct claim shared = { .kind = EVIDENCE_SHARED, .level = EVIDENCE_LIKELY };

	strbuf_addstr(&what, "also of ");
	unit_describe(&what, e->tracks, &claim->unit);
	shared.detail = what.buf;
	add_reason(commit, &shared);
}

/* What else is claimed of a commit of the unit. */
static void add_others(struct evidence_commit *commit, const struct evidence *e,
		       const struct unit *unit)
{
	uint32_t known = oid_map_get(&e->by_oid, commit->oid);

	for (size_t i = e->commit[known].first_claim; i != NO_INDEX; i = e->claim[i].next) {
		if (e->claim[i].kind == EVIDENCE_REVERTED)
			add_reason(commit, &e->claim[i]);
		else if (is_anothers(&e->claim[i], unit))
			add_shared(commit, e, &e->claim[i]);
	}
}

/* The order of git's walk, which is that of the history; `data` of qsort_r(). */
static int compare_order(const void *a, const void *b, void *data)
{
	const struct evidence *e = data;
	const struct evidence_commit *x = a, *y = b;
	uint32_t m = e->commit[oid_map_get(&e->by_oid, x->oid)].order;
	uint32_t n = e->commit[oid_map_get(&e->by_oid, y->oid)].order;

	if (m != n)
		return m < n ? -1 : 1;
	return x->commit_time > y->commit_time ? -1 : x->commit_time < y->commit_time;
}

void evidence_find(struct evidence_commits *ret, const struct evidence *e, const struct unit *unit)
{
	uint32_t *where CLEANUP(free_p) = NULL;

	*ret = (struct evidence_commits)EVIDENCE_COMMITS_INIT;
	ret->unit = *unit;
	if (!e)
		return;
	where = xreallocarray(NULL, e->commits + 1, sizeof(*where));
	memset(where, 0xff, (e->commits + 1) * sizeof(*where));
	for (size_t i = *first_claim(e, unit); i != NO_INDEX; i = e->claim[i].next_unit)
		if (is_reason(e->claim[i].kind) && unit_contains(unit, &e->claim[i].unit))
			add_claim(ret, where, e, &e->claim[i]);
	for (size_t i = 0; i < ret->nr; i++)
		add_others(&ret->item[i], e, unit);
	if (ret->nr)
		qsort_r(ret->item, ret->nr, sizeof(*ret->item), compare_order,
			(void *)(uintptr_t)e);
	for (size_t i = 0; i < ret->nr; i++)
		ret->certain += ret->item[i].level == EVIDENCE_CERTAIN;
}

const struct strvec *evidence_old_places(const struct evidence *e)
{
	static const struct strvec none = STRVEC_INIT;

	return e ? &e->old : &none;
}

static bool has_work(const struct evidence *e, const struct unit *unit)
{
	for (size_t i = 0; i < e->claims; i++) {
		const struct claim *claim = &e->claim[i];

		if (claim->level == EVIDENCE_CERTAIN && unit_contains(unit, &claim->unit) &&
		    (claim->role == ROLE_IMPLEMENTATION || e->commit[claim->commit].code))
			return true;
	}
	return false;
}

void evidence_add_unfound(struct strvec *ret, const struct evidence *e, const struct unit *unit)
{
	for (size_t i = 0; e && i < e->records; i++) {
		const struct record *record = &e->record[i];

		if (record->current && !record->checkpoint && record->commit == NO_COMMIT &&
		    record->squash == NO_COMMIT && unit_contains(unit, &record->unit) &&
		    !has_work(e, &record->unit) && !strvec_has(ret, record->hex))
			strvec_push(ret, record->hex);
	}
}

void evidence_add_lost(struct strvec *ret, const struct evidence *e, const char *oid,
		       const struct unit *unit)
{
	uint32_t commit = e ? oid_map_get(&e->by_oid, oid) : NO_COMMIT;

	for (size_t i = 0; commit != NO_COMMIT && i < e->records; i++) {
		const struct record *record = &e->record[i];

		if (record->lost && record->commit == commit &&
		    unit_contains(unit, &record->unit) && !strvec_has(ret, record->oid))
			strvec_push(ret, record->oid);
	}
}

json_t *evidence_commit_to_json(const struct evidence_commit *commit)
{
	json_t *list = json_array();
	json_t *ret =
		json_pack("{s:o, s:o, s:s, s:s, s:o}", "oid", json_text(commit->oid), "subject",
			  json_text(commit->subject), "level", evidence_level_name(commit->level),
			  "role", evidence_role_name(commit->role), "evidence", list);

	if (!ret)
		BUG("cannot pack a commit");
	for (size_t i = 0; i < commit->reasons; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:o}", "kind",
						evidence_kind_name(commit->reason[i].kind),
						"detail", json_text(commit->reason[i].detail)));
	return ret;
}
