/* SPDX-License-Identifier: MIT */
/* What is claimed, and what is sure of a commit by then; and the commits that plans name. */
#include "base/memory.h"
#include "flow/evidence-parts.h"

/* ---- Commits --------------------------------------------------------------------------------- */

bool commit_is_work(const struct known_commit *commit)
{
	return commit->looked_at && commit->code && !commit->merge && !commit->reverts;
}

bool commit_is_called_checkpoint(const struct known_commit *commit)
{
	const char *at = strcasestr(commit->subject, "checkpoint");
	const char *colon = strstr(commit->subject, ": ");
	const char *text = colon ? colon + 2 : commit->subject;

	/* "conductor(checkpoint): ...", "chore: checkpoint ..."; not "handle an odd checkpoint". */
	return at && ((colon && at < colon) || !strncasecmp(text, "checkpoint", 10) ||
		      commit_is_called_bookkeeping(commit));
}

bool commit_is_called_bookkeeping(const struct known_commit *commit)
{
	return subject_is_bookkeeping(commit->subject);
}

enum evidence_role commit_work_role(const struct known_commit *commit)
{
	return commit_is_called_checkpoint(commit) ? ROLE_CHECKPOINT : ROLE_IMPLEMENTATION;
}

bool units_are_disjoint(const struct unit *a, const struct unit *b)
{
	return (a->kind == UNIT_STORY) == (b->kind == UNIT_STORY) && !unit_contains(a, b) &&
	       !unit_contains(b, a);
}

static bool speaks_for_itself(enum evidence_kind kind)
{
	return kind == EVIDENCE_TRAILER || kind == EVIDENCE_RECORDED ||
	       kind == EVIDENCE_REWRITTEN || kind == EVIDENCE_PLAN;
}

bool evidence_is_others(const struct evidence *e, uint32_t commit, const struct unit *unit)
{
	for (size_t i = e->commit[commit].first_claim; i != NO_INDEX; i = e->claim[i].next) {
		const struct claim *claim = &e->claim[i];

		if (claim->level == EVIDENCE_CERTAIN && claim->role != ROLE_PLAN &&
		    speaks_for_itself(claim->kind) && units_are_disjoint(&claim->unit, unit))
			return true;
	}
	return false;
}

bool evidence_is_ours(const struct evidence *e, uint32_t commit, const struct unit *unit)
{
	for (size_t i = e->commit[commit].first_claim; i != NO_INDEX; i = e->claim[i].next)
		if (e->claim[i].level == EVIDENCE_CERTAIN && unit_contains(unit, &e->claim[i].unit))
			return true;
	return false;
}

struct unit unit_around(const struct unit *unit)
{
	return unit->phase == NO_INDEX ? unit_of_track(unit->track) :
					 unit_of_phase(unit->track, unit->phase);
}

/* ---- Records --------------------------------------------------------------------------------- */

/* Is the commit what the plan means, and no bookkeeping? */
static bool is_record_of_work(const struct evidence *e, const struct record *record)
{
	return record->commit != NO_COMMIT &&
	       (commit_is_work(&e->commit[record->commit]) || record->brought);
}

static bool is_in_run(const struct mark *mark, uint32_t commit)
{
	for (size_t i = 0; i < mark->runs; i++)
		if (mark->run[i] == commit)
			return true;
	return false;
}

/* Did it bring the plan of the track? Then it is where the run before the first mark ends. */
static bool brought_plan(const struct evidence *e, uint32_t commit, size_t track)
{
	for (size_t i = evidence_first_mark(e, commit); i < e->marks && e->mark[i].commit == commit;
	     i++)
		if (e->mark[i].track == track)
			return e->mark[i].created;
	return false;
}

static bool was_written_at_it(const struct evidence *e, const struct record *record)
{
	return record->mark != NO_INDEX && (is_in_run(&e->mark[record->mark], record->commit) ||
					    e->mark[record->mark].commit == record->commit ||
					    brought_plan(e, record->commit, record->unit.track));
}

static bool is_recorded(const struct evidence *e, uint32_t commit)
{
	for (size_t i = 0; i < e->records; i++)
		if (e->record[i].commit == commit && e->record[i].current)
			return true;
	return false;
}

/* Is there work before the mark that wrote it which no plan names, so that this may be a slip? */
static bool has_unnamed_work(const struct evidence *e, const struct record *record)
{
	const struct mark *mark = record->mark == NO_INDEX ? NULL : &e->mark[record->mark];

	for (size_t i = 0; mark && i < mark->runs; i++)
		if (commit_is_work(&e->commit[mark->run[i]]) && !is_recorded(e, mark->run[i]))
			return true;
	return false;
}

/* The current record of the same unit that names work, or NULL. */
static const struct record *current_record(const struct evidence *e, const struct unit *unit)
{
	for (size_t i = 0; i < e->records; i++) {
		const struct record *record = &e->record[i];

		if (record->current && is_record_of_work(e, record) &&
		    unit_contains(unit, &record->unit) && unit_contains(&record->unit, unit))
			return record;
	}
	return NULL;
}

/*
 * Several plans, or lines of one, may name the same commit: rightly, where it did the work of all
 * of them; or by a slip, and then it is that line's before which it was made.
 */
static enum evidence_level record_level(const struct evidence *e, const struct record *record)
{
	if (!record->current && current_record(e, &record->unit))
		return EVIDENCE_LIKELY;
	if (was_written_at_it(e, record))
		return EVIDENCE_CERTAIN;
	for (size_t i = 0; i < e->records; i++) {
		const struct record *other = &e->record[i];

		if (other->commit != record->commit || !other->current ||
		    !units_are_disjoint(&other->unit, &record->unit))
			continue;
		if (other->unit.track != record->unit.track && was_written_at_it(e, other))
			return EVIDENCE_LIKELY;
		if (record->unit.kind == UNIT_PHASE || has_unnamed_work(e, record))
			return EVIDENCE_LIKELY;
	}
	return EVIDENCE_CERTAIN;
}

/*
 * Of a commit that is likely of more than one line of the same plan, or was one line's once: it is
 * certain of what is around them, where no other plan names it.
 */
static void claim_around(struct evidence *e, const struct record *record)
{
	struct unit around = record->unit;

	if (!record->current && !was_written_at_it(e, record))
		return;
	if (!record->current)
		around = unit_around(&around);
	for (size_t i = 0; i < e->records; i++) {
		const struct record *other = &e->record[i];

		if (other->commit != record->commit)
			continue;
		if (!unit_enclosing(&around, &around, &other->unit))
			return;
	}
	if (!unit_contains(&record->unit, &around))
		claim_add(e, record->commit, around, EVIDENCE_RECORDED, EVIDENCE_CERTAIN,
			  commit_work_role(&e->commit[record->commit]), "the plan %s it as %s",
			  record->current ? "names" : "once named", record->hex);
}

bool evidence_has_mark(const struct evidence *e, uint32_t commit, const struct unit *unit)
{
	for (size_t i = evidence_first_mark(e, commit); i < e->marks && e->mark[i].commit == commit;
	     i++) {
		const struct mark *mark = &e->mark[i];

		if (mark->track != unit->track)
			continue;
		for (size_t k = 0; k < mark->parts; k++)
			if ((unit->task != NO_INDEX ?
				     mark->part[k].task == unit->task :
				     unit->phase == NO_INDEX || mark->part[k].phase == unit->phase))
				return true;
	}
	return false;
}

/* A plan that names bookkeeping: the mark itself, a checkpoint, or work on documents. */
static void claim_bookkeeping(struct evidence *e, const struct record *record)
{
	const struct known_commit *commit = &e->commit[record->commit];
	enum evidence_role role = record->checkpoint || commit_is_called_checkpoint(commit) ?
					  ROLE_CHECKPOINT :
					  ROLE_IMPLEMENTATION;

	if (commit->plans && !commit_is_called_checkpoint(commit)) {
		if (!evidence_has_mark(e, record->commit, &record->unit))
			return; /* somebody else's mark */
		role = ROLE_PLAN;
	}
	claim_add(e, record->commit, record->unit, EVIDENCE_RECORDED, EVIDENCE_CERTAIN, role,
		  "the plan names it as %s", record->hex);
}

/* How one that is lost has come to be `commit` or `squash`. free() it. */
static char *match_text(const struct record *record)
{
	const char *plural = record->others == 1 ? "" : "s";

	switch (record->match) {
	case MATCH_SAME: return xstrfmt("the plan names %s, which changed the same", record->hex);
	case MATCH_SQUASHED:
		return xstrfmt("the plan names %s, which changed the same, with %zu other%s",
			       record->hex, record->others, plural);
	case MATCH_UNNAMED:
		return xstrfmt("the plan names %s, which changed the same, with %zu other%s, "
			       "not all of which plans name",
			       record->hex, record->others, plural);
	case MATCH_ALIKE:
		return xstrfmt("it changes the same lines as %s, which may be chance", record->hex);
	case MATCH_WITHIN: return xstrfmt("it has what %s changed, and more", record->hex);
	case MATCH_MESSAGE: break;
	}
	if (record->commit == NO_COMMIT)
		return xstrfmt("it lists '%s', which the plan names as %s", record->subject,
			       record->hex);
	return xstrfmt("the plan names %s, of the same author, date and message", record->hex);
}

/* Of a squash several units may be sure: that they share it is no slip. */
static enum evidence_level lost_level(const struct evidence *e, const struct record *record)
{
	if (record->commit == NO_COMMIT || !commit_is_work(&e->commit[record->commit]))
		return EVIDENCE_LIKELY;
	if (record->match == MATCH_SQUASHED)
		return record->current || !current_record(e, &record->unit) ? EVIDENCE_CERTAIN :
									      EVIDENCE_LIKELY;
	return record_level(e, record);
}

static void claim_lost(struct evidence *e, const struct record *record)
{
	uint32_t commit = record->commit == NO_COMMIT ? record->squash : record->commit;
	char *text CLEANUP(free_p) = NULL;

	if (commit == NO_COMMIT)
		return;
	text = match_text(record);
	claim_add(e, commit, record->unit, EVIDENCE_REWRITTEN, lost_level(e, record),
		  commit_work_role(&e->commit[commit]), "%s", text);
}

static void claim_work_record(struct evidence *e, const struct record *record)
{
	enum evidence_level level = record_level(e, record);

	claim_add(e, record->commit, record->unit, EVIDENCE_RECORDED, level,
		  commit_work_role(&e->commit[record->commit]), "the plan %s it as %s",
		  record->current ? "names" : "once named", record->hex);
	if (level == EVIDENCE_LIKELY)
		claim_around(e, record);
}

void evidence_claim_records(struct evidence *e)
{
	for (size_t i = 0; i < e->records; i++) {
		const struct record *record = &e->record[i];
		const struct known_commit *commit;

		if (record->lost) {
			claim_lost(e, record);
			continue;
		}
		if (record->commit == NO_COMMIT)
			continue;
		commit = &e->commit[record->commit];
		if (commit->merge)
			claim_add(e, record->commit, record->unit, EVIDENCE_RECORDED,
				  EVIDENCE_LIKELY, ROLE_IMPLEMENTATION,
				  "the plan names it as %s, and it is a merge", record->hex);
		else if (!commit->code)
			claim_bookkeeping(e, record);
		else
			claim_work_record(e, record);
	}
}

bool evidence_is_done_elsewhere(const struct evidence *e, const struct unit *task, uint32_t commit)
{
	for (size_t i = 0; i < e->records; i++)
		if (e->record[i].commit != commit && is_record_of_work(e, &e->record[i]) &&
		    unit_contains(task, &e->record[i].unit) &&
		    record_level(e, &e->record[i]) == EVIDENCE_CERTAIN)
			return true;
	return false;
}

/* ---- All ------------------------------------------------------------------------------------- */

void evidence_make_claims(struct evidence *e)
{
	evidence_find_picked_records(e);
	evidence_claim_records(e);
	evidence_claim_trailers(e);
	evidence_claim_merged(e);
	evidence_claim_marks(e);
	evidence_claim_runs(e);
	evidence_claim_checkpoints(e);
	evidence_claim_mentions(e);
	evidence_claim_picked(e);
	evidence_claim_reverted(e);
}
