/* SPDX-License-Identifier: MIT */
/* What messages come to; and what was done once more, or taken back. */
#include "base/memory.h"
#include "flow/evidence-parts.h"

/* A title of so many words is not said by chance. */
#define TITLE_CERTAIN 4

/* ---- Messages -------------------------------------------------------------------------------- */

/* From the oldest to the newest commit that the track has for sure, by git's order; if it has any. */
struct span_of_track {
	uint32_t newest, oldest;
};

static struct span_of_track *track_spans(const struct evidence *e)
{
	struct span_of_track *ret = xcalloc(e->tracks->nr + 1, sizeof(*ret));

	for (size_t i = 0; i < e->tracks->nr; i++)
		ret[i] = (struct span_of_track){ NO_COMMIT, 0 };
	for (size_t i = 0; i < e->claims; i++) {
		const struct claim *claim = &e->claim[i];
		uint32_t order = e->commit[claim->commit].order;
		struct span_of_track *span;

		if (claim->unit.track == NO_INDEX || claim->level != EVIDENCE_CERTAIN ||
		    order == NO_COMMIT)
			continue;
		span = &ret[claim->unit.track];
		span->newest = order < span->newest ? order : span->newest;
		span->oldest = order > span->oldest ? order : span->oldest;
	}
	return ret;
}

/* Bookkeeping may follow the last of these: what else is done by a track's name then is new work. */
static bool is_within(const struct span_of_track *spans, const struct unit *unit, uint32_t order,
		      bool bookkeeping)
{
	const struct span_of_track *span = unit->kind == UNIT_STORY ? NULL : &spans[unit->track];

	return !span || span->newest == NO_COMMIT ||
	       ((bookkeeping || order >= span->newest) && order <= span->oldest);
}

/* Stories of two lists; or a track that was archived by copying, and is there twice. */
static bool are_same_id(const struct evidence *e, const struct unit *a, const struct unit *b)
{
	if (a->kind != UNIT_STORY && b->kind != UNIT_STORY)
		return a->track != b->track &&
		       !strcmp(e->tracks->item[a->track].id, e->tracks->item[b->track].id);
	return a->kind == UNIT_STORY && b->kind == UNIT_STORY &&
	       !strcmp(e->tracks->stories.item[a->story].id, e->tracks->stories.item[b->story].id);
}

/* The mentions of the commit, of which this is one: the first, and *ret_end is behind the last. */
static const struct mention *mentions_beside(const struct evidence *e,
					     const struct mention *mention,
					     const struct mention **ret_end)
{
	const struct mention *from = mention, *all_end = e->mention + e->mentions;

	while (from > e->mention && from[-1].commit == mention->commit)
		from--;
	while (mention < all_end && mention->commit == from->commit)
		mention++;
	*ret_end = mention;
	return from;
}

/*
 * A story of the same id as another one is the one meant where a trailer says so in full, or where
 * its list is the nearest to the commit's files.
 */
enum meant { MEANT, PERHAPS_MEANT, NOT_MEANT };
static enum meant story_meant(const struct evidence *e, const struct mention *mention)
{
	const struct known_commit *commit = &e->commit[mention->commit];
	const struct story *story = mention->unit.kind == UNIT_STORY ?
					    &e->tracks->stories.item[mention->unit.story] :
					    NULL;
	const struct mention *end;

	if (!story || !strcmp(story->name, story->id))
		return MEANT;
	for (const struct mention *it = mentions_beside(e, mention, &end); it < end; it++)
		if (it->clear && are_same_id(e, &it->unit, &mention->unit))
			return it->unit.story == mention->unit.story ? MEANT : NOT_MEANT;
	if (commit->lists || commit->list == NO_INDEX)
		return PERHAPS_MEANT;
	return commit->list == story->list ? MEANT : NOT_MEANT;
}

/* Does it name another unit in the same way, which is no part of this one, or around it? */
static bool names_another(const struct evidence *e, const struct mention *mention)
{
	const struct mention *end;

	for (const struct mention *from = mentions_beside(e, mention, &end); from < end; from++)
		if (from->kind == mention->kind &&
		    units_are_disjoint(&from->unit, &mention->unit) &&
		    !are_same_id(e, &from->unit, &mention->unit))
			return true;
	return false;
}

/* Is it from before the list had this story, so that its id was another's? */
static bool is_older_story(const struct evidence *e, const struct mention *mention)
{
	const struct story_life *life =
		mention->unit.kind == UNIT_STORY ? &e->story[mention->unit.story] : NULL;

	return life && mention->by_id && life->reused &&
	       (life->begun == NO_COMMIT ||
		e->commit[mention->commit].commit_time < e->commit[life->begun].commit_time);
}

static bool is_exact(const struct evidence *e, const struct mention *mention)
{
	if (is_older_story(e, mention))
		return false;
	switch (mention->kind) {
	case EVIDENCE_TRAILER: return mention->named;
	case EVIDENCE_BRANCH: return mention->named && !names_another(e, mention);
	case EVIDENCE_NOTE:
		return (mention->by_id ? mention->named : mention->words >= TITLE_CERTAIN) &&
		       !names_another(e, mention);
	default:
		return mention->in_subject &&
		       (mention->quoted ||
			(mention->by_id ? mention->named : mention->words >= TITLE_CERTAIN)) &&
		       !names_another(e, mention);
	}
}

static const char *mention_detail(const struct mention *mention)
{
	switch (mention->kind) {
	case EVIDENCE_TRAILER: return "a trailer names it";
	case EVIDENCE_BRANCH: return "came with a branch that is named after it";
	case EVIDENCE_NOTE: return "a note names it";
	default: return mention->by_id ? "its message names its id" : "its message has its title";
	}
}

static enum evidence_role mention_role(const struct evidence *e, const struct mention *mention)
{
	const struct known_commit *commit = &e->commit[mention->commit];

	if (mention->unit.kind == UNIT_STORY && !commit->code && commit->documents)
		return ROLE_PLAN;
	if (mention->unit.kind == UNIT_STORY ||
	    (commit->code && !commit_is_called_bookkeeping(commit)))
		return commit_work_role(commit);
	if (commit_is_called_checkpoint(commit))
		return ROLE_CHECKPOINT;
	if (mention->kind == EVIDENCE_TRAILER && !commit->documents)
		return ROLE_IMPLEMENTATION;
	return commit->plans || mention->unit.kind != UNIT_TRACK ? ROLE_PLAN : ROLE_CLOSING;
}

static void claim_mention(struct evidence *e, const struct mention *mention,
			  const struct span_of_track *spans)
{
	const struct known_commit *commit = &e->commit[mention->commit];
	enum meant meant = story_meant(e, mention);
	bool sure = is_exact(e, mention) && meant == MEANT;

	if (commit->merge || commit->reverts || !commit->looked_at || meant == NOT_MEANT)
		return;
	if (mention->kind != EVIDENCE_TRAILER) {
		sure &= !evidence_is_others(e, mention->commit, &mention->unit);
		/* What a plan names goes before a title, which may be said of more than once. */
		if (mention->kind == EVIDENCE_MESSAGE && !mention->by_id && commit->code &&
		    mention->unit.kind == UNIT_TASK)
			sure &= !evidence_is_done_elsewhere(e, &mention->unit, mention->commit);
		if (mention->kind != EVIDENCE_NOTE && mention->kind != EVIDENCE_BRANCH)
			sure &= is_within(spans, &mention->unit, commit->order,
					  !commit->code || commit_is_called_bookkeeping(commit));
		/* What it did to the plan was looked at: the words add nothing. */
		if (commit->plans && !commit->code)
			sure = false;
	}
	claim_add(e, mention->commit, mention->unit, mention->kind,
		  sure ? EVIDENCE_CERTAIN : EVIDENCE_LIKELY, mention_role(e, mention), "%s",
		  mention_detail(mention));
}

void evidence_claim_trailers(struct evidence *e)
{
	for (size_t i = 0; i < e->mentions; i++)
		if (e->mention[i].kind == EVIDENCE_TRAILER)
			claim_mention(e, &e->mention[i], NULL);
}

void evidence_claim_mentions(struct evidence *e)
{
	struct span_of_track *spans CLEANUP(free_p) = track_spans(e);

	for (size_t i = 0; i < e->mentions; i++)
		if (e->mention[i].kind != EVIDENCE_TRAILER)
			claim_mention(e, &e->mention[i], spans);
}

/* ---- The same change again, and taken back --------------------------------------------------- */

/* A lost commit may have been picked: then it is known what has taken its place. */
void evidence_find_picked_records(struct evidence *e)
{
	for (size_t i = 0; i < e->records; i++) {
		struct record *record = &e->record[i];

		for (size_t k = 0; k < e->commits && record->lost && record->commit == NO_COMMIT;
		     k++)
			if (e->commit[k].picked_from &&
			    !strncmp(record->oid, e->commit[k].picked_from,
				     strlen(e->commit[k].picked_from)))
				record->commit = (uint32_t)k;
	}
}

void evidence_claim_picked(struct evidence *e)
{
	for (size_t k = 0; k < e->commits; k++) {
		const char *from = e->commit[k].picked_from;
		uint32_t of =
			from && !e->commit[k].merge ? evidence_find_commit(e, from) : NO_COMMIT;
		size_t next;

		for (size_t i = of == NO_COMMIT ? NO_INDEX : e->commit[of].first_claim;
		     i != NO_INDEX; i = next) {
			struct claim claim = e->claim[i];

			next = claim.next;
			if (claim.role == ROLE_IMPLEMENTATION)
				claim_add(e, (uint32_t)k, claim.unit, EVIDENCE_PICKED, claim.level,
					  claim.role, "picked from %.7s", e->commit[of].oid);
		}
	}
}

/* Does what it did still stand, or has a later one taken it back in turn? */
static bool still_stands(const struct evidence *e, uint32_t commit, int depth)
{
	for (size_t i = 0; i < e->commits && depth < 16; i++)
		if (e->commit[i].reverts &&
		    evidence_find_commit(e, e->commit[i].reverts) == commit &&
		    still_stands(e, (uint32_t)i, depth + 1))
			return false;
	return true;
}

void evidence_claim_reverted(struct evidence *e)
{
	for (size_t i = 0; i < e->commits; i++) {
		uint32_t of = e->commit[i].reverts ? evidence_find_commit(e, e->commit[i].reverts) :
						     NO_COMMIT;

		if (of != NO_COMMIT && e->commit[of].first_claim != NO_INDEX &&
		    still_stands(e, (uint32_t)i, 0))
			claim_add(e, of, unit_of_track(NO_INDEX), EVIDENCE_REVERTED,
				  EVIDENCE_LIKELY, ROLE_PLAN, "%.7s says that it reverts it",
				  e->commit[i].oid);
	}
}
