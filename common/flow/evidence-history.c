/* SPDX-License-Identifier: MIT */
/* The walk over all commits: what their messages name, and the runs of commits before each mark. */
#include "base/memory.h"
#include "flow/evidence-parts.h"
#include "vcs/git.h"

/* A mark that stands for more commits than this is no evidence for any. */
#define RUN_MAX 64

/* So long before its folder a track's work may have begun: seconds. */
#define BEFORE_TRACK ((int64_t)30 * 24 * 3600)
/* And so long before its list a story's. */
#define BEFORE_STORIES ((int64_t)90 * 24 * 3600)

/* The commits before a mark, which are met one by one. */
struct open_run {
	char *expected; /* the id of the next one */
	size_t mark, merges;
};

struct walk {
	struct evidence *e;
	struct vocabulary *vocabulary;
	struct oid_map recorded; /* the record of an id; the last of several */
	struct oid_map times;	 /* lost records by author time, in hex digits */
	struct strvec time_keys;
	size_t *first_mark; /* of a commit known before the walk; NO_INDEX: none */
	size_t documents;   /* so many commits were known then */
	struct open_run *run;
	size_t runs, runs_alloc;
	uint32_t walked;
};

/* ---- Runs ----------------------------------------------------------------------------- */

/* Where the run before `mark` ends: at another mark, or where the track came to be. */
static bool ends_run(const struct walk *w, uint32_t known, const struct mark *mark,
		     size_t *ret_other)
{
	const struct evidence *e = w->e;

	if (known >= w->documents)
		return false;
	for (size_t i = w->first_mark[known]; i < e->marks && e->mark[i].commit == known; i++) {
		if (e->mark[i].track == mark->track &&
		    (e->mark[i].created || mark_finishes(&e->mark[i])))
			return true;
		if (e->mark[i].track != mark->track && mark_finishes(&e->mark[i])) {
			*ret_other = e->mark[i].track;
			return true;
		}
	}
	return false;
}

static void close_run(struct walk *w, size_t i)
{
	free(w->run[i].expected);
	w->run[i] = w->run[--w->runs];
}

static void open_run(struct walk *w, size_t mark, const char *parent)
{
	ARRAY_GROW(w->run, w->runs + 1, w->runs_alloc);
	w->run[w->runs++] = (struct open_run){ xstrdup(parent), mark, 0 };
}

/* The next commit of a run: true while the run goes on. */
static bool extend_run(struct walk *w, struct open_run *run, const struct log_commit *commit)
{
	struct mark *mark = &w->e->mark[run->mark];
	const char *blank = strchr(commit->parents, ' ');
	uint32_t known = oid_map_get(&w->e->by_oid, commit->oid);

	if (blank) { /* what came with it is not in line */
		if (mark->run_merge == SIZE_MAX)
			mark->run_merge = mark->runs;
		free(run->expected);
		run->expected = xmemdupz(commit->parents, (size_t)(blank - commit->parents));
		return ++run->merges < RUN_MAX;
	}
	if (known != NO_COMMIT && ends_run(w, known, mark, &mark->run_other))
		return false;
	known = evidence_keep(w->e, commit);
	ARRAY_GROW(mark->run, mark->runs + 1, mark->runs_alloc);
	mark->run[mark->runs++] = known;
	string_replace(&run->expected, commit->parents);
	return *commit->parents && mark->runs < RUN_MAX;
}

static void extend_runs(struct walk *w, const struct log_commit *commit)
{
	for (size_t i = w->runs; i--;)
		if (!strcmp(w->run[i].expected, commit->oid) && !extend_run(w, &w->run[i], commit))
			close_run(w, i);
}

static void open_runs(struct walk *w, uint32_t known)
{
	const struct evidence *e = w->e;
	const struct known_commit *commit = &e->commit[known];

	if (known >= w->documents || !commit->parent || commit->merge)
		return;
	for (size_t i = w->first_mark[known]; i < e->marks && e->mark[i].commit == known; i++)
		if (mark_finishes(&e->mark[i]))
			open_run(w, i, commit->parent);
}

/* ---- Commits that plans name ---------------------------------------------------------- */

static char *time_key(int64_t time)
{
	return xstrfmt("%08" PRIx64, (uint64_t)time * 2654435761U & 0xffffffffU);
}

/* Of several, that one is meant which lies before the mark that wrote it. */
static bool is_before_mark(const struct evidence *e, const struct record *record)
{
	const struct mark *mark = record->mark == NO_INDEX ? NULL : &e->mark[record->mark];

	for (size_t i = 0; mark && record->commit != NO_COMMIT && i < mark->runs; i++)
		if (mark->run[i] == record->commit)
			return true;
	return false;
}

/* Rewriting keeps author, date and message: whoever has these has taken the place of the other. */
static void match_lost(struct walk *w, const struct log_commit *commit)
{
	struct evidence *e = w->e;
	char *key CLEANUP(free_p) = NULL, *subject CLEANUP(free_p) = NULL;

	if (!w->times.nr)
		return;
	key = time_key(commit->author_time);
	if (oid_map_get(&w->times, key) == NO_COMMIT)
		return;
	subject = log_subject(commit->message);
	for (size_t i = 0; i < e->records; i++) {
		struct record *record = &e->record[i];

		if (record->lost && record->author_time == commit->author_time &&
		    !strcmp(record->author, commit->author) && !strcmp(record->subject, subject) &&
		    !is_before_mark(e, record))
			record->commit = evidence_keep(e, commit);
	}
}

/* A squash commit lists the subjects of what it is made of. */
static void match_squash(struct walk *w, const struct log_commit *commit)
{
	struct evidence *e = w->e;
	const char *body = strstr(commit->message, "\n\n");

	if (!w->times.nr || !body)
		return;
	for (size_t i = 0; i < e->records; i++) {
		struct record *record = &e->record[i];

		if (record->lost && strlen(record->subject) > 8 && strstr(body, record->subject))
			record->squash = evidence_keep(e, commit);
	}
}

static void match_records(struct walk *w, const struct log_commit *commit)
{
	struct evidence *e = w->e;

	if (oid_map_get(&w->recorded, commit->oid) == NO_COMMIT)
		return;
	for (size_t i = 0; i < e->records; i++)
		if (e->record[i].oid && !strcmp(e->record[i].oid, commit->oid))
			e->record[i].commit = evidence_keep(e, commit);
}

/* ---- The walk ------------------------------------------------------------------------- */

static int take_commit(void *data, const struct log_commit *commit, struct error *err)
{
	struct walk *w = data;
	uint32_t known;

	(void)err;
	if (w->runs)
		extend_runs(w, commit);
	match_records(w, commit);
	match_lost(w, commit);
	match_squash(w, commit);
	vocabulary_read(w->vocabulary, w->e, commit);
	known = oid_map_get(&w->e->by_oid, commit->oid);
	if (known != NO_COMMIT) {
		w->e->commit[known].order = w->walked;
		open_runs(w, known);
	}
	w->walked++;
	return 0;
}

static void walk_release(struct walk *w)
{
	if (w->vocabulary)
		vocabulary_free(w->vocabulary);
	oid_map_release(&w->recorded);
	oid_map_release(&w->times);
	strvec_release(&w->time_keys);
	free(w->first_mark);
	for (size_t i = 0; i < w->runs; i++)
		free(w->run[i].expected);
	free(w->run);
}

static void prepare(struct walk *w)
{
	struct evidence *e = w->e;

	evidence_learn_names(e);
	w->vocabulary = vocabulary_new(e);
	w->documents = e->commits;
	w->first_mark = xreallocarray(NULL, e->commits + 1, sizeof(*w->first_mark));
	for (size_t i = 0; i <= e->commits; i++)
		w->first_mark[i] = NO_INDEX;
	for (size_t i = e->marks; i--;)
		w->first_mark[e->mark[i].commit] = i;
	for (size_t i = 0; i < e->records; i++) {
		const struct record *record = &e->record[i];

		if (!record->oid)
			continue;
		oid_map_put(&w->recorded, record->oid, (uint32_t)i);
		if (record->lost) {
			strvec_push_nodup(&w->time_keys, time_key(record->author_time));
			oid_map_put(&w->times, w->time_keys.v[w->time_keys.nr - 1], (uint32_t)i);
		}
	}
}

/* The first commit of a track, by the time it was made; INT64_MAX: none is known. */
static int64_t track_since(const struct evidence *e, size_t track)
{
	int64_t ret = INT64_MAX;

	for (size_t i = 0; i < e->marks; i++)
		if (e->mark[i].track == track && e->commit[e->mark[i].commit].commit_time < ret)
			ret = e->commit[e->mark[i].commit].commit_time;
	return ret;
}

/*
 * Back to where the documents came to be: no work was done for them before. Where one track is
 * asked for, back to where that began: its folder may have been added only when some of its work
 * was done. A story may be older than any document.
 */
static int64_t walk_since(const struct evidence *e)
{
	const struct unit *only = e->request.only;
	int64_t begun;

	if (e->since == INT64_MAX || (only && only->kind == UNIT_STORY))
		return 0;
	if (!only && e->tracks->stories.nr)
		return e->since > BEFORE_STORIES ? e->since - BEFORE_STORIES : 0;
	begun = only ? track_since(e, only->track) : INT64_MAX;
	if (begun == INT64_MAX || begun - BEFORE_TRACK < e->since)
		return e->since;
	return begun - BEFORE_TRACK;
}

int evidence_read_history(struct evidence *e, struct error *err)
{
	struct walk w CLEANUP(walk_release) = { .e = e };
	struct strvec revs CLEANUP(strvec_release) = STRVEC_INIT;
	struct log_request request = { .repo = e->request.repo,
				       .revs = &revs,
				       .since = walk_since(e) };

	e->walked = request.since;
	prepare(&w);
	strvec_push(&revs, e->rev);
	return log_walk(&request, take_commit, &w, err);
}

/* The same walk again, for ids alone. */
int evidence_number(struct evidence *e, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	struct strbuf oid CLEANUP(strbuf_release) = STRBUF_INIT;

	repo_environment(&env, e->request.repo);
	git_prepare(&git, e->request.repo, &env);
	strvec_push(&git.argv, "rev-list");
	if (e->walked)
		strvec_pushf(&git.argv, "--max-age=%" PRId64, e->walked);
	strvec_pushl(&git.argv, e->rev, "--", NULL);
	git.input = "";
	git.stop = true;
	if (process_start(&git, err) < 0)
		return -1;
	process_end_input(&git);
	for (uint32_t at = 0; process_read_line(&git, &oid); at++, strbuf_reset(&oid)) {
		uint32_t known = oid_map_get(&e->by_oid, oid.buf);

		if (known != NO_COMMIT && e->commit[known].order == NO_COMMIT)
			e->commit[known].order = at;
	}
	return git_finish(&git, "read the history", err);
}

/* ---- What they change ----------------------------------------------------------------- */

static int take_changes(void *data, const struct log_commit *commit, struct error *err)
{
	struct evidence *e = data;
	uint32_t known = evidence_keep(e, commit);

	(void)err;
	evidence_look_at(e, &e->commit[known], commit);
	return 0;
}

/* Commits that plans name, from before the walk. */
static void add_older(struct evidence *e, struct strvec *these)
{
	for (size_t i = 0; i < e->records; i++)
		if (e->record[i].oid && !e->record[i].lost && e->record[i].commit == NO_COMMIT &&
		    !strvec_has(these, e->record[i].oid))
			strvec_push(these, e->record[i].oid);
}

static void find_older(struct evidence *e)
{
	for (size_t i = 0; i < e->records; i++)
		if (e->record[i].oid && !e->record[i].lost && e->record[i].commit == NO_COMMIT)
			e->record[i].commit = oid_map_get(&e->by_oid, e->record[i].oid);
}

/* What came with a merge of a branch that is called after a track. */
struct branch {
	struct evidence *e;
	struct mention mention;
};

static int take_branch(void *data, const struct log_commit *commit, struct error *err)
{
	struct branch *branch = data;
	struct evidence *e = branch->e;
	uint32_t known;

	(void)err;
	if (strchr(commit->parents, ' '))
		return 0;
	known = evidence_keep(e, commit);
	ARRAY_GROW(e->mention, e->mentions + 1, e->mentions_alloc);
	e->mention[e->mentions] = branch->mention;
	e->mention[e->mentions++].commit = known;
	return 0;
}

static int read_branches(struct evidence *e, struct error *err)
{
	for (size_t i = 0, nr = e->mentions; i < nr; i++) {
		struct strvec revs CLEANUP(strvec_release) = STRVEC_INIT;
		struct branch branch = { e, e->mention[i] };
		struct log_request request = { .repo = e->request.repo, .revs = &revs };
		const struct known_commit *merge = &e->commit[e->mention[i].commit];

		if (e->mention[i].kind != EVIDENCE_BRANCH || !merge->merge)
			continue;
		strvec_pushf(&revs, "%s^2", merge->oid);
		strvec_pushf(&revs, "^%s", merge->parent);
		if (log_walk(&request, take_branch, &branch, err) < 0)
			return -1;
	}
	return 0;
}

/* What only says that it takes another back is no work; what was picked is where that is ours. */
static bool may_be_work(const struct evidence *e, const struct known_commit *commit)
{
	if (commit->merge)
		return false;
	if (!commit->origin_only)
		return true;
	for (size_t i = 0; i < e->records && commit->picked_from; i++)
		if (e->record[i].lost)
			return true;
	return commit->picked_from && evidence_find_commit(e, commit->picked_from) != NO_COMMIT;
}

int evidence_read_changes(struct evidence *e, struct error *err)
{
	struct strvec these CLEANUP(strvec_release) = STRVEC_INIT;
	struct log_request request = {
		.repo = e->request.repo, .revs = &these, .these = true, .changes = true
	};

	if (read_branches(e, err) < 0 || evidence_read_merged(e, err) < 0)
		return -1;
	add_older(e, &these);
	for (size_t i = 0; i < e->commits; i++)
		if (!e->commit[i].looked_at && may_be_work(e, &e->commit[i]))
			strvec_push(&these, e->commit[i].oid);
	if (log_walk(&request, take_changes, e, err) < 0)
		return -1;
	find_older(e);
	return 0;
}
