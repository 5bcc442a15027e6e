/* SPDX-License-Identifier: MIT */
/* What marks, records, runs and messages come to: which commit belongs to which unit. */
#include "base/memory.h"
#include "flow/evidence-parts.h"

/* A title of so many words is not said by chance. */
#define TITLE_CERTAIN 4

/* ---- Commits -------------------------------------------------------------------------- */

/* Does it change something, by itself and to stay? */
static bool is_work(const struct known_commit *commit)
{
	return commit->looked_at && commit->code && !commit->merge && !commit->reverts;
}

static bool is_called_checkpoint(const struct known_commit *commit)
{
	return strcasestr(commit->subject, "checkpoint") != NULL;
}

/* Is it bookkeeping by its own words, as Conductor has it, whatever slipped in? */
static bool is_called_bookkeeping(const struct known_commit *commit)
{
	return !strncasecmp(commit->subject, "conductor(", strlen("conductor(")) ||
	       strcasestr(commit->subject, "(conductor)") || strcasestr(commit->subject, "(plan)");
}

static enum evidence_role work_role(const struct known_commit *commit)
{
	return is_called_checkpoint(commit) ? ROLE_CHECKPOINT : ROLE_IMPLEMENTATION;
}

/* Neither is a part of the other. Work may be for a story and for a task as well. */
static bool disjoint(const struct unit *a, const struct unit *b)
{
	return (a->kind == UNIT_STORY) == (b->kind == UNIT_STORY) && !unit_contains(a, b) &&
	       !unit_contains(b, a);
}

static bool speaks_for_itself(enum evidence_kind kind)
{
	return kind == EVIDENCE_TRAILER || kind == EVIDENCE_RECORDED ||
	       kind == EVIDENCE_REWRITTEN || kind == EVIDENCE_PLAN;
}

/* Is it, for sure and by what its makers wrote, of a unit beside this one? */
static bool is_others(const struct evidence *e, uint32_t commit, const struct unit *unit)
{
	for (size_t i = e->commit[commit].first_claim; i != NO_INDEX; i = e->claim[i].next) {
		const struct claim *claim = &e->claim[i];

		if (claim->level == EVIDENCE_CERTAIN && claim->role != ROLE_PLAN &&
		    speaks_for_itself(claim->kind) && disjoint(&claim->unit, unit))
			return true;
	}
	return false;
}

/* Is it, for sure, of this unit, or a part of it? */
static bool is_ours(const struct evidence *e, uint32_t commit, const struct unit *unit)
{
	for (size_t i = e->commit[commit].first_claim; i != NO_INDEX; i = e->claim[i].next)
		if (e->claim[i].level == EVIDENCE_CERTAIN && unit_contains(unit, &e->claim[i].unit))
			return true;
	return false;
}

/* How many files both change. */
static size_t count_shared_files(const struct known_commit *a, const struct known_commit *b)
{
	size_t nr = 0;

	for (size_t i = 0, k = 0; i < a->files && k < b->files;) {
		nr += a->file[i] == b->file[k];
		if (a->file[i] <= b->file[k])
			i++;
		else
			k++;
	}
	return nr;
}

static struct unit enclosing(const struct unit *unit)
{
	return unit->phase == NO_INDEX ? unit_of_track(unit->track) :
					 unit_of_phase(unit->track, unit->phase);
}

/*
 * Are half of its files, or more, among those of a commit that is surely the unit's, or of the
 * phase around it? One is not enough: nearly all touch the list of packages.
 */
static bool touches_files_of(const struct evidence *e, uint32_t commit, const struct unit *unit)
{
	struct unit around = enclosing(unit);

	for (size_t i = 0; i < e->claims; i++) {
		const struct claim *claim = &e->claim[i];

		if (claim->commit != commit && claim->level == EVIDENCE_CERTAIN &&
		    (claim->role == ROLE_IMPLEMENTATION || claim->role == ROLE_CHECKPOINT) &&
		    unit_contains(&around, &claim->unit) && e->commit[commit].files &&
		    2 * count_shared_files(&e->commit[commit], &e->commit[claim->commit]) >=
			    e->commit[commit].files)
			return true;
	}
	return false;
}

/* Does it speak of what the unit is about? */
static bool speaks_of(const struct evidence *e, uint32_t commit, const struct unit *unit)
{
	const char *subject = e->commit[commit].subject;
	struct unit phase = enclosing(unit);

	return common_words(subject, unit_title(e->tracks, unit)) >= 2 ||
	       common_words(subject, unit_title(e->tracks, &phase)) >= 2;
}

/* ---- Records -------------------------------------------------------------------------- */

/* Is the commit what the plan means, and no bookkeeping? */
static bool is_record_of_work(const struct evidence *e, const struct record *record)
{
	return record->commit != NO_COMMIT && is_work(&e->commit[record->commit]);
}

static bool is_in_run(const struct mark *mark, uint32_t commit)
{
	for (size_t i = 0; i < mark->runs; i++)
		if (mark->run[i] == commit)
			return true;
	return false;
}

static bool was_written_at_it(const struct evidence *e, const struct record *record)
{
	return record->mark != NO_INDEX && (is_in_run(&e->mark[record->mark], record->commit) ||
					    e->mark[record->mark].commit == record->commit);
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
		if (is_work(&e->commit[mark->run[i]]) && !is_recorded(e, mark->run[i]))
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
		    !disjoint(&other->unit, &record->unit))
			continue;
		if (other->unit.track != record->unit.track && was_written_at_it(e, other))
			return EVIDENCE_LIKELY;
		if (record->unit.kind == UNIT_PHASE || has_unnamed_work(e, record))
			return EVIDENCE_LIKELY;
	}
	return EVIDENCE_CERTAIN;
}

static bool has_mark(const struct evidence *e, uint32_t commit, const struct unit *unit)
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
	enum evidence_role role = record->checkpoint || is_called_checkpoint(commit) ?
					  ROLE_CHECKPOINT :
					  ROLE_IMPLEMENTATION;

	if (commit->plans && !is_called_checkpoint(commit)) {
		if (!has_mark(e, record->commit, &record->unit))
			return; /* somebody else's mark */
		role = ROLE_PLAN;
	}
	claim_add(e, record->commit, record->unit, EVIDENCE_RECORDED, EVIDENCE_CERTAIN, role,
		  "the plan names it as %s", record->hex);
}

static void claim_lost(struct evidence *e, const struct record *record)
{
	if (record->commit != NO_COMMIT)
		claim_add(e, record->commit, record->unit, EVIDENCE_REWRITTEN,
			  is_work(&e->commit[record->commit]) ? record_level(e, record) :
								EVIDENCE_LIKELY,
			  work_role(&e->commit[record->commit]), "the plan names %s, %s",
			  record->hex,
			  record->same_patch ? "which changed the same" :
					       "of the same author, date and message");
	if (record->squash != NO_COMMIT && record->commit == NO_COMMIT)
		claim_add(e, record->squash, record->unit, EVIDENCE_REWRITTEN, EVIDENCE_LIKELY,
			  ROLE_IMPLEMENTATION, "it lists '%s', which the plan names as %s",
			  record->subject, record->hex);
}

static void claim_records(struct evidence *e)
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
			claim_add(e, record->commit, record->unit, EVIDENCE_RECORDED,
				  record_level(e, record), work_role(commit),
				  "the plan %s it as %s", record->current ? "names" : "once named",
				  record->hex);
	}
}

/* ---- Marks ---------------------------------------------------------------------------- */

/* What a mark says is done. */
struct finished {
	struct unit *task; /* but for verifications */
	size_t tasks;
	struct unit all;   /* the smallest unit around them; valid when `any` */
	struct unit phase; /* that is closed; valid when `closes` */
	bool any, closes;
};

static void finished_release(struct finished *finished)
{
	free(finished->task);
}

static void join(struct finished *f, const struct unit *unit)
{
	f->all = f->any ? unit_join(&f->all, unit) : *unit;
	f->any = true;
}

static void close_phase(struct finished *f, const struct mark *mark, size_t phase)
{
	struct unit unit =
		phase == NO_INDEX ? unit_of_track(mark->track) : unit_of_phase(mark->track, phase);

	f->phase = f->closes ? unit_join(&f->phase, &unit) : unit;
	f->closes = true;
}

static void finished_read(struct finished *ret, const struct evidence *e, const struct mark *mark)
{
	*ret = (struct finished){ .task = xcalloc(mark->parts + 1, sizeof(*ret->task)) };
	for (size_t i = 0; i < mark->parts; i++) {
		const struct mark_part *part = &mark->part[i];
		struct unit unit = part->phase == NO_INDEX ?
					   unit_of_track(mark->track) :
					   unit_of_phase(mark->track, part->phase);

		if (!(part->flags & MARK_FINISHED))
			continue;
		if (part->verification || (part->task == NO_INDEX && part->phase != NO_INDEX)) {
			close_phase(ret, mark, part->phase);
			continue;
		}
		if (part->task != NO_INDEX) {
			unit = unit_of_task(e->tracks, mark->track, part->task);
			ret->task[ret->tasks++] = unit;
		}
		join(ret, &unit);
	}
}

/* Has it a record, which is to be believed, of another commit that did the work? */
static bool is_done_elsewhere(const struct evidence *e, const struct unit *task, uint32_t commit)
{
	for (size_t i = 0; i < e->records; i++)
		if (e->record[i].commit != commit && is_record_of_work(e, &e->record[i]) &&
		    unit_contains(task, &e->record[i].unit) &&
		    record_level(e, &e->record[i]) == EVIDENCE_CERTAIN)
			return true;
	return false;
}

static size_t count_tracks(const struct evidence *e, uint32_t commit)
{
	size_t nr = 0;

	for (size_t i = evidence_first_mark(e, commit); i < e->marks && e->mark[i].commit == commit;
	     i++)
		nr++;
	return nr;
}

/* What was done elsewhere is only marked here. */
static void claim_slip(struct evidence *e, const struct mark *mark, const struct finished *f)
{
	const struct known_commit *commit = &e->commit[mark->commit];
	enum evidence_level level =
		is_called_bookkeeping(commit) ? EVIDENCE_CERTAIN : EVIDENCE_LIKELY;

	for (size_t i = 0; i < f->tasks; i++)
		if (is_done_elsewhere(e, &f->task[i], mark->commit))
			claim_add(e, mark->commit, f->task[i], EVIDENCE_PLAN, level, ROLE_PLAN,
				  "marks it as done, and changes other files");
}

/* Of a commit that changes other files, too: the work itself. */
static void claim_work(struct evidence *e, const struct mark *mark)
{
	struct finished f CLEANUP(finished_release) = { 0 };
	const struct known_commit *commit = &e->commit[mark->commit];
	bool alone = count_tracks(e, mark->commit) == 1 && (commit->parent || !mark->created);
	enum evidence_level level = alone ? EVIDENCE_CERTAIN : EVIDENCE_LIKELY;
	struct unit rest;
	size_t left = 0;

	finished_read(&f, e, mark);
	claim_slip(e, mark, &f);
	for (size_t i = 0; i < f.tasks; i++) {
		if (is_done_elsewhere(e, &f.task[i], mark->commit))
			continue;
		rest = left++ ? unit_join(&rest, &f.task[i]) : f.task[i];
	}
	if (left == 1) {
		claim_add(e, mark->commit, rest, EVIDENCE_PLAN, level, work_role(commit),
			  "marks it as done, and changes other files");
		return;
	}
	for (size_t i = 0; left && i < f.tasks; i++)
		if (!is_done_elsewhere(e, &f.task[i], mark->commit))
			claim_add(e, mark->commit, f.task[i], EVIDENCE_PLAN, EVIDENCE_LIKELY,
				  work_role(commit), "marks it as done, with %zu others", left - 1);
	if (left)
		claim_add(e, mark->commit, rest, EVIDENCE_PLAN, level, work_role(commit),
			  "marks %zu tasks of it as done, and changes other files", left);
	else if (!f.any && f.closes)
		claim_add(e, mark->commit, f.phase, EVIDENCE_PLAN, level,
			  is_called_bookkeeping(commit) &&
					  is_done_elsewhere(e, &f.phase, mark->commit) ?
				  ROLE_PLAN :
				  work_role(commit),
			  "closes the phase, and changes other files");
	else if (!mark->created && !mark->moved && !mark->removed)
		claim_add(e, mark->commit, unit_of_track(mark->track), EVIDENCE_PLAN,
			  EVIDENCE_LIKELY, work_role(commit), "changes the plan, and other files");
}

static const char *what_it_does(unsigned flags)
{
	if (flags & MARK_FINISHED)
		return "marks it as done";
	if (flags & MARK_STARTED)
		return "marks it as in progress";
	if (flags & MARK_REOPENED)
		return "marks it as not done";
	return flags & MARK_RECORDED ? "writes a commit to it" : "changes its lines";
}

/* Does the plan itself name another commit as the one that marked it? */
static bool is_marked_elsewhere(const struct evidence *e, const struct unit *task, uint32_t commit)
{
	for (size_t i = 0; i < e->records; i++) {
		uint32_t named = e->record[i].commit;

		if (named != NO_COMMIT && named != commit && e->record[i].current &&
		    unit_contains(task, &e->record[i].unit) && e->commit[named].plans &&
		    !e->commit[named].code && has_mark(e, named, task))
			return true;
	}
	return false;
}

/* Of a commit that does nothing else. */
static void claim_part(struct evidence *e, const struct mark *mark, const struct mark_part *part)
{
	bool clear = part->flags & (MARK_FINISHED | MARK_STARTED);
	bool alone = mark->parts == 1;
	struct unit unit;

	if (part->phase == NO_INDEX && part->task == NO_INDEX)
		return;
	if (part->task == NO_INDEX)
		unit = unit_of_phase(mark->track, part->phase);
	else
		unit = unit_of_task(e->tracks, mark->track, part->task);
	if ((part->flags & MARK_ADDED) && !clear) {
		if (unit.phase == NO_INDEX)
			return;
		unit = unit_of_phase(mark->track, unit.phase);
		alone = false;
	}
	if (part->task != NO_INDEX && !alone && is_marked_elsewhere(e, &unit, mark->commit))
		clear = false;
	claim_add(e, mark->commit, unit, EVIDENCE_PLAN,
		  clear || alone ? EVIDENCE_CERTAIN : EVIDENCE_LIKELY, ROLE_PLAN, "%s",
		  part->flags & MARK_ADDED ? "adds lines to it" : what_it_does(part->flags));
}

/*
 * A plan that comes with a single task done was not committed before, and is now for that mark;
 * where more is done, or all of it, it is a plan of old that was added at some time.
 */
static bool marks_one(const struct mark *mark)
{
	size_t finished = 0, open = 0;

	for (size_t i = 0; i < mark->parts; i++) {
		finished += (mark->part[i].flags & MARK_FINISHED) != 0;
		open += !(mark->part[i].flags & MARK_FINISHED) && mark->part[i].task != NO_INDEX;
	}
	return finished == 1 && open;
}

static void claim_bookkeeping_mark(struct evidence *e, const struct mark *mark)
{
	bool clear = false;

	if (mark->removed || (mark->created && !marks_one(mark)))
		return; /* the folder tells */
	for (size_t i = 0; i < mark->parts; i++) {
		if (mark->created && !(mark->part[i].flags & MARK_FINISHED))
			continue;
		claim_part(e, mark, &mark->part[i]);
		clear |=
			(mark->part[i].flags & (MARK_FINISHED | MARK_STARTED | MARK_RECORDED)) != 0;
	}
	if (!mark->moved)
		claim_add(e, mark->commit, unit_of_track(mark->track), EVIDENCE_PLAN,
			  clear || count_tracks(e, mark->commit) == 1 ? EVIDENCE_CERTAIN :
									EVIDENCE_LIKELY,
			  is_called_checkpoint(&e->commit[mark->commit]) ? ROLE_CHECKPOINT :
									   ROLE_PLAN,
			  "changes the plan");
}

static void claim_marks(struct evidence *e)
{
	for (size_t i = 0; i < e->marks; i++) {
		const struct known_commit *commit = &e->commit[e->mark[i].commit];

		if (commit->merge || commit->reverts)
			continue;
		if (is_work(commit))
			claim_work(e, &e->mark[i]);
		else
			claim_bookkeeping_mark(e, &e->mark[i]);
	}
}

/* ---- Runs ----------------------------------------------------------------------------- */

/* Does this plan mostly name commits? Then a task without one has perhaps had none. */
static bool names_commits(const struct evidence *e, size_t track)
{
	const struct plan_document *plan = &e->tracks->item[track].plan;
	size_t done = 0, named = 0;

	for (size_t i = 0; i < plan->tasks; i++) {
		if (plan->task[i].is.state != UNIT_DONE)
			continue;
		done++;
		named += plan->task[i].is.commit.nr > 0;
	}
	return named * 2 > done;
}

static bool names_any(const struct evidence *e, const struct unit *unit)
{
	for (size_t i = 0; i < e->records; i++)
		if (unit_contains(unit, &e->record[i].unit))
			return true;
	return false;
}

/*
 * Was another track worked on in turn with this one? The run ends at a mark of it, and a later one
 * followed: then the commits between may be that one's.
 */
static bool is_contested(const struct evidence *e, const struct mark *mark)
{
	if (mark->run_other == NO_INDEX)
		return false;
	for (size_t i = 0; i < e->marks; i++)
		if (e->mark[i].track == mark->run_other && e->mark[i].commit < mark->commit)
			for (size_t k = 0; k < e->mark[i].parts; k++)
				if (e->mark[i].part[k].flags & MARK_FINISHED)
					return true;
	return false;
}

/* A run before a mark, and whose work it is. */
struct run {
	const struct mark *mark;
	struct unit unit;  /* what the mark finishes, and has no commit yet */
	bool sure;	   /* the latest commit is its, whatever it looks like */
	bool only_akin;	   /* the work is known: what else is there has to be akin */
	struct unit outer; /* that gets what is akin */
};

static void claim_run_commit(struct evidence *e, const struct run *run, uint32_t commit, bool first)
{
	const struct known_commit *mark = &e->commit[run->mark->commit];
	bool same_author = !strcmp(e->commit[commit].author, mark->author);
	bool files = same_author && touches_files_of(e, commit, &run->unit);
	bool akin = files || (same_author && speaks_of(e, commit, &run->unit));
	enum evidence_role role = work_role(&e->commit[commit]);
	enum evidence_level level =
		akin || (first && run->sure) ? EVIDENCE_CERTAIN : EVIDENCE_LIKELY;

	if (run->only_akin)
		claim_add(e, commit, run->unit, EVIDENCE_RUN, EVIDENCE_LIKELY, role,
			  "lies before the mark %.7s", mark->oid);
	if (!run->only_akin || akin)
		claim_add(e, commit, run->only_akin ? run->outer : run->unit, EVIDENCE_RUN, level,
			  role, "lies before the mark %.7s%s", mark->oid,
			  akin ? ", and is akin to its work" : "");
	if (files)
		claim_add(e, commit, run->only_akin ? run->outer : run->unit, EVIDENCE_FILES, level,
			  role, "changes files of the unit");
}

static void claim_run(struct evidence *e, const struct run *run)
{
	bool first = true;

	for (size_t i = 0; i < run->mark->runs; i++) {
		uint32_t commit = run->mark->run[i];

		if (!is_work(&e->commit[commit]) || is_called_bookkeeping(&e->commit[commit]) ||
		    is_ours(e, commit, &run->unit) || is_others(e, commit, &run->unit))
			continue;
		claim_run_commit(e, run, commit,
				 first && !is_contested(e, run->mark) && i < run->mark->run_merge);
		first = false;
	}
}

/* One of several tasks that a mark finishes: which commit is whose cannot be told. */
static void claim_shared_run(struct evidence *e, const struct run *run, const struct unit *task)
{
	for (size_t i = 0; i < run->mark->runs; i++) {
		uint32_t commit = run->mark->run[i];

		if (is_work(&e->commit[commit]) && !is_called_bookkeeping(&e->commit[commit]) &&
		    !is_others(e, commit, task))
			claim_add(e, commit, *task, EVIDENCE_RUN, EVIDENCE_LIKELY,
				  work_role(&e->commit[commit]),
				  "lies before the mark %.7s, which is one for several tasks",
				  e->commit[run->mark->commit].oid);
	}
}

static void claim_runs_of(struct evidence *e, const struct mark *mark)
{
	struct finished f CLEANUP(finished_release) = { 0 };
	struct run run = { .mark = mark };
	struct unit rest = { 0 };
	size_t left = 0;

	finished_read(&f, e, mark);
	for (size_t i = 0; i < f.tasks; i++)
		if (!is_done_elsewhere(e, &f.task[i], mark->commit))
			rest = left++ ? unit_join(&rest, &f.task[i]) : f.task[i];
	run.unit = left ? rest : f.any ? f.all : f.phase;
	run.only_akin = !left;
	run.outer = enclosing(&run.unit);
	run.sure = left && (names_any(e, &run.unit) || !names_commits(e, mark->track));
	if (!f.any && !f.closes)
		return;
	for (size_t i = 0; left > 1 && i < f.tasks; i++)
		if (!is_done_elsewhere(e, &f.task[i], mark->commit))
			claim_shared_run(e, &run, &f.task[i]);
	claim_run(e, &run);
}

static void claim_runs(struct evidence *e)
{
	for (size_t i = 0; i < e->marks; i++) {
		const struct known_commit *commit = &e->commit[e->mark[i].commit];

		if (!commit->merge && !commit->code && !commit->reverts &&
		    (!e->mark[i].created || marks_one(&e->mark[i])) &&
		    evidence_wants(e,
				   &(struct unit){ .kind = UNIT_TRACK, .track = e->mark[i].track }))
			claim_runs_of(e, &e->mark[i]);
	}
}

/* ---- Checkpoints ---------------------------------------------------------------------- */

/* The number behind "phase", or 0. */
static size_t phase_number(const char *subject)
{
	const char *at = strcasestr(subject, "phase");

	return at ? strtoul(at + strlen("phase"), NULL, 10) : 0;
}

/* The phase that a checkpoint before this mark is for: the one it names, else the mark's. */
static bool checkpoint_phase(struct unit *ret, const struct evidence *e, const struct mark *mark,
			     const struct known_commit *commit)
{
	struct finished f CLEANUP(finished_release) = { 0 };
	const struct plan_document *plan = &e->tracks->item[mark->track].plan;
	size_t number = phase_number(commit->subject);
	struct unit unit;

	finished_read(&f, e, mark);
	if (!f.any && !f.closes)
		return false;
	unit = f.closes ? f.phase : enclosing(&f.all);
	if (unit.kind != UNIT_PHASE)
		return false;
	if (number && number != plan->phase[unit.phase].number) {
		if (number > plan->phases)
			return false;
		unit = unit_of_phase(mark->track, number - 1);
	}
	*ret = unit;
	return true;
}

static void claim_checkpoints(struct evidence *e)
{
	for (size_t i = 0; i < e->marks; i++) {
		const struct mark *mark = &e->mark[i];

		for (size_t k = 0; k < mark->runs; k++) {
			const struct known_commit *commit = &e->commit[mark->run[k]];
			struct unit unit;

			if (commit->looked_at && !commit->reverts && is_called_checkpoint(commit) &&
			    checkpoint_phase(&unit, e, mark, commit) &&
			    !is_others(e, mark->run[k], &unit))
				claim_add(e, mark->run[k], unit, EVIDENCE_RUN,
					  is_contested(e, mark) ? EVIDENCE_LIKELY :
								  EVIDENCE_CERTAIN,
					  ROLE_CHECKPOINT, "a checkpoint before the mark %.7s",
					  e->commit[mark->commit].oid);
		}
	}
}

/* ---- Messages ------------------------------------------------------------------------- */

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

/* Does it name another unit in the same way, which is no part of this one, or around it? */
static bool names_another(const struct evidence *e, const struct mention *mention)
{
	const struct mention *from = mention, *end = e->mention + e->mentions;

	while (from > e->mention && from[-1].commit == mention->commit)
		from--;
	for (; from < end && from->commit == mention->commit; from++)
		if (from->kind == mention->kind && disjoint(&from->unit, &mention->unit))
			return true;
	return false;
}

static bool is_exact(const struct evidence *e, const struct mention *mention)
{
	switch (mention->kind) {
	case EVIDENCE_TRAILER: return true;
	case EVIDENCE_BRANCH: return !names_another(e, mention);
	case EVIDENCE_NOTE:
		return (mention->by_id || mention->words >= TITLE_CERTAIN) &&
		       !names_another(e, mention);
	default:
		return mention->in_subject && (mention->by_id || mention->words >= TITLE_CERTAIN) &&
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

	if (mention->unit.kind == UNIT_STORY ||
	    (commit->code && !(is_called_bookkeeping(commit) && mention->unit.kind == UNIT_TRACK)))
		return work_role(commit);
	if (is_called_checkpoint(commit))
		return ROLE_CHECKPOINT;
	if (mention->kind == EVIDENCE_TRAILER && !commit->documents)
		return ROLE_IMPLEMENTATION;
	return commit->plans || mention->unit.kind != UNIT_TRACK ? ROLE_PLAN : ROLE_CLOSING;
}

static void claim_mention(struct evidence *e, const struct mention *mention,
			  const struct span_of_track *spans)
{
	const struct known_commit *commit = &e->commit[mention->commit];
	bool sure = is_exact(e, mention);

	if (commit->merge || commit->reverts || !commit->looked_at)
		return;
	if (mention->kind != EVIDENCE_TRAILER) {
		sure &= !is_others(e, mention->commit, &mention->unit);
		if (mention->kind != EVIDENCE_NOTE && mention->kind != EVIDENCE_BRANCH)
			sure &= is_within(spans, &mention->unit, commit->order,
					  !commit->code || is_called_bookkeeping(commit));
		/* What it did to the plan was looked at: the words add nothing. */
		if (commit->plans && !commit->code)
			sure = false;
	}
	claim_add(e, mention->commit, mention->unit, mention->kind,
		  sure ? EVIDENCE_CERTAIN : EVIDENCE_LIKELY, mention_role(e, mention), "%s",
		  mention_detail(mention));
}

static void claim_mentions(struct evidence *e, enum evidence_kind kind,
			   const struct span_of_track *spans)
{
	for (size_t i = 0; i < e->mentions; i++)
		if (kind == EVIDENCE_TRAILER ? e->mention[i].kind == kind :
					       e->mention[i].kind != EVIDENCE_TRAILER)
			claim_mention(e, &e->mention[i], spans);
}

/* ---- The same change again, and taken back -------------------------------------------- */

/* A commit that we know, by its whole id or the beginning of it. */
static uint32_t find_commit(const struct evidence *e, const char *hex)
{
	uint32_t found = oid_map_get(&e->by_oid, hex);

	for (size_t i = 0; found == NO_COMMIT && i < e->commits && strlen(hex) < 40; i++)
		if (!strncmp(e->commit[i].oid, hex, strlen(hex)))
			found = (uint32_t)i;
	return found;
}

/* A lost commit may have been picked: then it is known what has taken its place. */
static void find_picked_records(struct evidence *e)
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

static void claim_picked(struct evidence *e)
{
	for (size_t k = 0; k < e->commits; k++) {
		const char *from = e->commit[k].picked_from;
		uint32_t of = from && !e->commit[k].merge ? find_commit(e, from) : NO_COMMIT;
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
		if (e->commit[i].reverts && find_commit(e, e->commit[i].reverts) == commit &&
		    still_stands(e, (uint32_t)i, depth + 1))
			return false;
	return true;
}

static void claim_reverted(struct evidence *e)
{
	for (size_t i = 0; i < e->commits; i++) {
		uint32_t of =
			e->commit[i].reverts ? find_commit(e, e->commit[i].reverts) : NO_COMMIT;

		if (of != NO_COMMIT && e->commit[of].first_claim != NO_INDEX &&
		    still_stands(e, (uint32_t)i, 0))
			claim_add(e, of, unit_of_track(NO_INDEX), EVIDENCE_REVERTED,
				  EVIDENCE_LIKELY, ROLE_PLAN, "%.7s says that it reverts it",
				  e->commit[i].oid);
	}
}

void evidence_make_claims(struct evidence *e)
{
	struct span_of_track *spans CLEANUP(free_p) = NULL;

	find_picked_records(e);
	claim_records(e);
	claim_mentions(e, EVIDENCE_TRAILER, NULL);
	claim_marks(e);
	claim_runs(e);
	claim_checkpoints(e);
	spans = track_spans(e);
	claim_mentions(e, EVIDENCE_MESSAGE, spans);
	claim_picked(e);
	claim_reverted(e);
}
