/* SPDX-License-Identifier: MIT */
/* What marks come to: the commits that make them, and the runs of commits before. */
#include "base/memory.h"
#include "flow/evidence-parts.h"

/* ---- Marks ----------------------------------------------------------------------------------- */

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

/* A mark is of one track. */
static struct unit around(const struct unit *a, const struct unit *b)
{
	struct unit ret;

	if (!unit_enclosing(&ret, a, b))
		BUG("a mark of two tracks");
	return ret;
}

static void join(struct finished *f, const struct unit *unit)
{
	f->all = f->any ? around(&f->all, unit) : *unit;
	f->any = true;
}

static void close_phase(struct finished *f, const struct mark *mark, size_t phase)
{
	struct unit unit =
		phase == NO_INDEX ? unit_of_track(mark->track) : unit_of_phase(mark->track, phase);

	f->phase = f->closes ? around(&f->phase, &unit) : unit;
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

static size_t count_tracks(const struct evidence *e, uint32_t commit)
{
	size_t nr = 0;

	for (size_t i = evidence_first_mark(e, commit); i < e->marks && e->mark[i].commit == commit;
	     i++)
		nr++;
	return nr;
}

/* What was done elsewhere is only marked here. */
static void claim_slip(struct evidence *e, const struct mark *mark, const struct finished *f,
		       bool alone)
{
	const struct known_commit *commit = &e->commit[mark->commit];
	bool bookkeeping = commit_is_called_bookkeeping(commit);
	enum evidence_level level = bookkeeping ? EVIDENCE_CERTAIN : EVIDENCE_LIKELY;
	size_t nr = 0;

	for (size_t i = 0; i < f->tasks; i++)
		if (evidence_is_done_elsewhere(e, &f->task[i], mark->commit))
			claim_add(e, mark->commit, f->task[i], EVIDENCE_PLAN, level, ROLE_PLAN,
				  "marks it as done, and changes other files");
	/* Whichever task's work it is: it is the track's. */
	for (size_t i = 0; i < f->tasks; i++)
		nr += evidence_is_done_elsewhere(e, &f->task[i], mark->commit);
	if (alone && nr && nr == f->tasks && !bookkeeping)
		claim_add(e, mark->commit, unit_of_track(mark->track), EVIDENCE_PLAN,
			  EVIDENCE_CERTAIN, commit_work_role(commit),
			  "marks tasks of it as done, and changes other files");
}

/* So many files are more than the work of a task, mostly. */
#define MANY_FILES 40

/* Does the subject share a word with the track, or with what the mark says is done? */
static bool speaks_of_mark(const struct evidence *e, const struct mark *mark,
			   const struct finished *f)
{
	const char *subject = e->commit[mark->commit].subject;
	const struct track *track = &e->tracks->item[mark->track];

	for (size_t i = 0; i < f->tasks; i++)
		if (common_words(subject, unit_title(e->tracks, &f->task[i])))
			return true;
	return (f->any && common_words(subject, unit_title(e->tracks, &f->all))) ||
	       (f->closes && common_words(subject, unit_title(e->tracks, &f->phase))) ||
	       common_words(subject, track->description) || common_words(subject, track->id);
}

/* A heap of changes that speaks of something else, with a box or two ticked on the way. */
static bool is_heap(const struct evidence *e, const struct mark *mark, const struct finished *f)
{
	const struct known_commit *commit = &e->commit[mark->commit];

	return (commit->files > MANY_FILES || !commit->files) &&
	       !commit_is_called_bookkeeping(commit) && !speaks_of_mark(e, mark, f);
}

/* Of a commit that changes other files, too: the work itself. */
static void claim_work(struct evidence *e, const struct mark *mark)
{
	struct finished f CLEANUP(finished_release) = { 0 };
	const struct known_commit *commit = &e->commit[mark->commit];
	bool alone = count_tracks(e, mark->commit) == 1 && (commit->parent || !mark->created);
	enum evidence_level level;
	struct unit rest;
	size_t left = 0;

	finished_read(&f, e, mark);
	alone &= !is_heap(e, mark, &f);
	level = alone ? EVIDENCE_CERTAIN : EVIDENCE_LIKELY;
	claim_slip(e, mark, &f, alone);
	for (size_t i = 0; i < f.tasks; i++) {
		if (evidence_is_done_elsewhere(e, &f.task[i], mark->commit))
			continue;
		rest = left++ ? around(&rest, &f.task[i]) : f.task[i];
	}
	if (left == 1) {
		claim_add(e, mark->commit, rest, EVIDENCE_PLAN, level, commit_work_role(commit),
			  "marks it as done, and changes other files");
		return;
	}
	for (size_t i = 0; left && i < f.tasks; i++)
		if (!evidence_is_done_elsewhere(e, &f.task[i], mark->commit))
			claim_add(e, mark->commit, f.task[i], EVIDENCE_PLAN, EVIDENCE_LIKELY,
				  commit_work_role(commit), "marks it as done, with %zu others",
				  left - 1);
	if (left)
		claim_add(e, mark->commit, rest, EVIDENCE_PLAN, level, commit_work_role(commit),
			  "marks %zu tasks of it as done, and changes other files", left);
	else if (!f.any && f.closes)
		claim_add(e, mark->commit, f.phase, EVIDENCE_PLAN, level,
			  commit_is_called_bookkeeping(commit) &&
					  evidence_is_done_elsewhere(e, &f.phase, mark->commit) ?
				  ROLE_PLAN :
				  commit_work_role(commit),
			  "closes the phase, and changes other files");
	else if (!mark->created && !mark->moved && !mark->removed)
		claim_add(e, mark->commit, unit_of_track(mark->track), EVIDENCE_PLAN,
			  EVIDENCE_LIKELY, commit_work_role(commit),
			  "changes the plan, and other files");
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
		    !e->commit[named].code && evidence_has_mark(e, named, task))
			return true;
	}
	return false;
}

/* Of a commit that does nothing else. */
static void claim_part(struct evidence *e, const struct mark *mark, const struct mark_part *part)
{
	bool clear =
		part->flags & MARK_FINISHED || (part->flags & MARK_STARTED && !mark_finishes(mark));
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
 * A plan that comes with a single task done was not committed before, and is now for that mark; or
 * with some, where the message says that it marks them. Where more is done, or all of it, it is a
 * plan of old that was added at some time.
 */
static bool comes_for_mark(const struct evidence *e, const struct mark *mark)
{
	const char *subject = e->commit[mark->commit].subject;
	size_t finished = 0, open = 0;

	for (size_t i = 0; i < mark->parts; i++) {
		finished += (mark->part[i].flags & MARK_FINISHED) != 0;
		open += !(mark->part[i].flags & MARK_FINISHED) && mark->part[i].task != NO_INDEX;
	}
	return open && (finished == 1 || (finished && strcasestr(subject, "(plan): mark")));
}

static void claim_bookkeeping_mark(struct evidence *e, const struct mark *mark)
{
	bool clear = false;

	if (mark->removed || (mark->created && !comes_for_mark(e, mark)))
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
			  commit_is_called_checkpoint(&e->commit[mark->commit]) ? ROLE_CHECKPOINT :
										  ROLE_PLAN,
			  "changes the plan");
}

/*
 * Is the mark nothing but bookkeeping? Also where something slipped in: it says so, and the work is
 * in the commits before it.
 */
static bool is_bookkeeping(const struct evidence *e, const struct mark *mark)
{
	const struct known_commit *commit = &e->commit[mark->commit];
	struct unit track = unit_of_track(mark->track);

	if (!commit->code)
		return true;
	for (size_t i = 0; i < mark->runs && commit_is_called_bookkeeping(commit); i++)
		if (commit_is_work(&e->commit[mark->run[i]]) &&
		    !commit_is_called_bookkeeping(&e->commit[mark->run[i]]) &&
		    !evidence_is_others(e, mark->run[i], &track))
			return true;
	return false;
}

void evidence_claim_marks(struct evidence *e)
{
	for (size_t i = 0; i < e->marks; i++) {
		const struct known_commit *commit = &e->commit[e->mark[i].commit];

		if (commit->merge || commit->reverts)
			continue;
		if (is_bookkeeping(e, &e->mark[i]))
			claim_bookkeeping_mark(e, &e->mark[i]);
		else
			claim_work(e, &e->mark[i]);
	}
}

/* ---- Runs ------------------------------------------------------------------------------------ */

/* How many files both change, but for those of the first that were `seen`: they are now. NULL: all. */
static size_t count_shared_files(const struct known_commit *a, const struct known_commit *b,
				 bool *seen)
{
	size_t nr = 0;

	for (size_t i = 0, k = 0; i < a->files && k < b->files;) {
		if (a->file[i] == b->file[k] && !(seen && seen[i])) {
			nr++;
			if (seen)
				seen[i] = true;
		}
		if (a->file[i] <= b->file[k])
			i++;
		else
			k++;
	}
	return nr;
}

/*
 * Are half of its files, or more, among those of the commits that are surely the unit's, or of the
 * phase around it? One is not enough: nearly all touch the list of packages.
 */
static bool touches_files_of(const struct evidence *e, uint32_t commit, const struct unit *unit)
{
	const struct known_commit *known = &e->commit[commit];
	bool *seen CLEANUP(free_p) = xcalloc(known->files + 1, sizeof(*seen));
	struct unit around = unit_around(unit);
	size_t nr = 0;

	for (size_t i = 0; known->files && i < e->claims; i++) {
		const struct claim *claim = &e->claim[i];

		if (claim->commit != commit && claim->level == EVIDENCE_CERTAIN &&
		    (claim->role == ROLE_IMPLEMENTATION || claim->role == ROLE_CHECKPOINT) &&
		    unit_contains(&around, &claim->unit))
			nr += count_shared_files(known, &e->commit[claim->commit], seen);
		if (2 * nr >= known->files)
			return true;
	}
	return false;
}

/*
 * Does a subject say what the title does, and little else? Some words are soon in common with what is
 * about something else; two are enough where the title has no more.
 */
static bool is_about(const char *subject, const char *title)
{
	const char *colon = strstr(subject, ": ");
	const char *text = colon ? colon + 2 : subject;
	size_t common = common_words(text, title);

	return common >= 2 && 2 * common > common_words(text, text) &&
	       (common > 2 || common == common_words(title, title));
}

/* Does it speak of what the unit is about? */
static bool speaks_of(const struct evidence *e, uint32_t commit, const struct unit *unit)
{
	const char *subject = e->commit[commit].subject;
	struct unit phase = unit_around(unit);

	return is_about(subject, unit_title(e->tracks, unit)) ||
	       is_about(subject, unit_title(e->tracks, &phase));
}

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
		if (e->mark[i].track == mark->run_other && e->mark[i].commit < mark->commit &&
		    mark_finishes(&e->mark[i]))
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

static bool is_candidate(const struct evidence *e, const struct run *run, uint32_t commit)
{
	return commit_is_work(&e->commit[commit]) &&
	       !commit_is_called_bookkeeping(&e->commit[commit]) &&
	       !evidence_is_ours(e, commit, &run->unit) &&
	       !evidence_is_others(e, commit, &run->unit);
}

/* Where the run reaches back to another track's work, it may be more of that one's. */
static bool is_as_akin_to_other(const struct evidence *e, const struct run *run, uint32_t commit)
{
	struct unit other = unit_of_track(run->mark->run_other);

	return run->mark->run_other != NO_INDEX && touches_files_of(e, commit, &other);
}

static bool is_akin(const struct evidence *e, const struct run *run, uint32_t commit,
		    bool *ret_files)
{
	bool same_author = !strcmp(e->commit[commit].author, e->commit[run->mark->commit].author);

	*ret_files = same_author && touches_files_of(e, commit, &run->unit) &&
		     !is_as_akin_to_other(e, run, commit);
	return *ret_files || (same_author && speaks_of(e, commit, &run->unit));
}

/* Then the work is known by that, and the latest commit is not it for being the latest. */
static bool has_akin(const struct evidence *e, const struct run *run)
{
	bool files;

	for (size_t i = 0; i < run->mark->runs; i++)
		if (is_candidate(e, run, run->mark->run[i]) &&
		    is_akin(e, run, run->mark->run[i], &files))
			return true;
	return false;
}

/* Do they change the same, half of it or more? */
static bool share_files(const struct known_commit *a, const struct known_commit *b)
{
	size_t files = a->files < b->files ? a->files : b->files;

	return files && 2 * count_shared_files(a, b, NULL) >= files;
}

/*
 * Is there another commit that may as well be the work as the latest one, by who made it, and has
 * nothing to do with that?
 */
static bool has_rival(const struct evidence *e, const struct run *run)
{
	const struct known_commit *mark = &e->commit[run->mark->commit], *latest = NULL;

	for (size_t i = 0; i < run->mark->runs; i++) {
		const struct known_commit *commit = &e->commit[run->mark->run[i]];

		if (!is_candidate(e, run, run->mark->run[i]))
			continue;
		if (!latest)
			latest = commit;
		else if (!strcmp(commit->author, mark->author) && !share_files(commit, latest))
			return true;
	}
	return false;
}

/* "feat(billing): ...", where billing_20260102 is another track. */
static bool has_scope_of_another(const struct evidence *e, uint32_t commit, size_t track)
{
	for (size_t i = 0; i < e->tracks->nr; i++) {
		const char *id = e->tracks->item[i].id, *end = strrchr(id, '_');
		size_t len = end && strspn(end + 1, "0123456789") == strlen(end + 1) ?
				     (size_t)(end - id) :
				     strlen(id);
		char *scope CLEANUP(free_p) = xstrfmt("(%.*s):", (int)len, id);

		if (i != track && len && strcasestr(e->commit[commit].subject, scope) &&
		    strncasecmp(id, e->tracks->item[track].id, len) != 0)
			return true;
	}
	return false;
}

static void claim_run_commit(struct evidence *e, const struct run *run, uint32_t commit, bool first)
{
	const struct known_commit *mark = &e->commit[run->mark->commit];
	bool files, akin = is_akin(e, run, commit, &files);
	enum evidence_role role = commit_work_role(&e->commit[commit]);
	bool sure =
		akin || (first && run->sure && !has_scope_of_another(e, commit, run->mark->track));
	enum evidence_level level = sure ? EVIDENCE_CERTAIN : EVIDENCE_LIKELY;

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
	bool first = !has_akin(e, run) && !has_rival(e, run);

	for (size_t i = 0; i < run->mark->runs; i++) {
		uint32_t commit = run->mark->run[i];

		if (!is_candidate(e, run, commit))
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

		if (commit_is_work(&e->commit[commit]) &&
		    !commit_is_called_bookkeeping(&e->commit[commit]) &&
		    !evidence_is_others(e, commit, task))
			claim_add(e, commit, *task, EVIDENCE_RUN, EVIDENCE_LIKELY,
				  commit_work_role(&e->commit[commit]),
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
		if (!evidence_is_done_elsewhere(e, &f.task[i], mark->commit))
			rest = left++ ? around(&rest, &f.task[i]) : f.task[i];
	run.unit = left ? rest : f.any ? f.all : f.phase;
	run.only_akin = !left;
	run.outer = unit_around(&run.unit);
	run.sure = left && (names_any(e, &run.unit) || !names_commits(e, mark->track));
	if (!f.any && !f.closes)
		return;
	for (size_t i = 0; left > 1 && i < f.tasks; i++)
		if (!evidence_is_done_elsewhere(e, &f.task[i], mark->commit))
			claim_shared_run(e, &run, &f.task[i]);
	claim_run(e, &run);
}

void evidence_claim_runs(struct evidence *e)
{
	for (size_t i = 0; i < e->marks; i++) {
		const struct known_commit *commit = &e->commit[e->mark[i].commit];
		const struct unit track = unit_of_track(e->mark[i].track);

		if (!commit->merge && !commit->reverts && is_bookkeeping(e, &e->mark[i]) &&
		    (!e->mark[i].created || comes_for_mark(e, &e->mark[i])) &&
		    evidence_wants(e, &track))
			claim_runs_of(e, &e->mark[i]);
	}
}

/* ---- Checkpoints ----------------------------------------------------------------------------- */

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
	unit = f.closes ? f.phase : unit_around(&f.all);
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

void evidence_claim_checkpoints(struct evidence *e)
{
	for (size_t i = 0; i < e->marks; i++) {
		const struct mark *mark = &e->mark[i];

		for (size_t k = 0; k < mark->runs; k++) {
			const struct known_commit *commit = &e->commit[mark->run[k]];
			struct unit unit;

			if (commit->looked_at && !commit->reverts &&
			    commit_is_called_checkpoint(commit) &&
			    checkpoint_phase(&unit, e, mark, commit) &&
			    !evidence_is_others(e, mark->run[k], &unit))
				claim_add(e, mark->run[k], unit, EVIDENCE_RUN,
					  is_contested(e, mark) ? EVIDENCE_LIKELY :
								  EVIDENCE_CERTAIN,
					  ROLE_CHECKPOINT, "a checkpoint before the mark %.7s",
					  e->commit[mark->commit].oid);
		}
	}
}
