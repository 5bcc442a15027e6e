/* SPDX-License-Identifier: MIT */
/*
 * Lost commits that nothing else has led to, found by what they changed: the commit that changes the
 * same, as one does that was picked or reworded; that changes what several of them in a row did,
 * which is a squash; or in which theirs is found beside something else.
 *
 * It takes two walks for all of them, by `git log`: over the branches that the lost commits were
 * on, and over the commits of ours that change one of their files since.
 */
#include "base/digest.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "flow/evidence-lines.h"
#include "flow/evidence-parts.h"
#include "vcs/git.h"

/* So many lost commits are looked for, of so many commits on their branches, and among so many. */
#define WANTED_MAX     256
#define BRANCH_MAX     1024
#define CANDIDATES_MAX 4096
#define COMPARED_MAX   512
/* A commit of more files, and a squash of more commits, are not looked at. */
#define FILES_MAX  2000
#define SQUASH_MAX 128
/* So few lines may be changed alike by chance. */
#define FEW_LINES 2

/* So long before the first lost commit its branch may have begun; clocks may be wrong by so much. */
#define BEFORE_LOST ((int64_t)30 * 24 * 3600)
#define CLOCKS	    ((int64_t)24 * 3600)

/* A commit of a branch that has gone, or one that may have taken the place of some. */
struct piece {
	char *oid, *parent; /* parent: the first; "" of a root */
	char *others;	    /* further parents, with blanks between; "" */
	int64_t author_time;
	uint64_t author; /* a digest of it */
	struct line_files files;
	struct line_counts lines;
	bool counted;
	bool wanted; /* a plan names it, and nothing is known of it */
	bool named;  /* a plan names it */
	size_t tip;  /* the branch that it was last put into; NO_INDEX: none */
};
struct pieces {
	struct piece *item;
	size_t nr, alloc;
	struct oid_map by_oid;
};

struct search {
	struct evidence *e;
	struct pieces lost; /* newest first */
	struct pieces ours; /* newest first */
	uint64_t *path;	    /* of files of lost commits, sorted */
	size_t paths;
	struct strvec look; /* one file of each that is wanted, by its path */
	struct object_reader reader;
	struct strvec found; /* ids of ours */
};

static void pieces_release(struct pieces *pieces)
{
	for (size_t i = 0; i < pieces->nr; i++) {
		free(pieces->item[i].oid);
		free(pieces->item[i].parent);
		free(pieces->item[i].others);
		line_files_release(&pieces->item[i].files);
		line_counts_release(&pieces->item[i].lines);
	}
	free(pieces->item);
	oid_map_release(&pieces->by_oid);
}

static void search_release(struct search *s)
{
	pieces_release(&s->lost);
	pieces_release(&s->ours);
	free(s->path);
	strvec_release(&s->look);
	object_reader_release(&s->reader);
	strvec_release(&s->found);
}

/* ---- What is wanted ------------------------------------------------------------------- */

static bool is_wanted(const struct evidence *e, const struct record *record)
{
	return record->lost && record->commit == NO_COMMIT && evidence_wants(e, &record->unit);
}

/* The ids of the lost commits, each once; *ret_since is when the first of them was made. */
static void list_wanted(const struct evidence *e, struct strvec *ret, int64_t *ret_since)
{
	*ret_since = INT64_MAX;
	for (size_t i = 0; i < e->records && ret->nr < WANTED_MAX; i++) {
		const struct record *record = &e->record[i];

		if (!is_wanted(e, record) || strvec_has(ret, record->oid))
			continue;
		strvec_push(ret, record->oid);
		if (record->author_time < *ret_since)
			*ret_since = record->author_time;
	}
}

static bool is_document(const void *data, const char *path)
{
	return evidence_is_document(data, path);
}

static struct piece *add_piece(struct pieces *pieces, const struct evidence *e,
			       const struct log_commit *commit)
{
	size_t parent = strcspn(commit->parents, " ");
	struct piece *piece;

	ARRAY_GROW(pieces->item, pieces->nr + 1, pieces->alloc);
	piece = &pieces->item[pieces->nr++];
	*piece = (struct piece){
		.oid = xstrdup(commit->oid),
		.parent = xmemdupz(commit->parents, parent),
		.others = xstrdup(commit->parents + parent),
		.author_time = commit->author_time,
		.author = digest_number(commit->author),
		.tip = NO_INDEX,
	};
	if (commit->changes <= FILES_MAX)
		line_files_take(&piece->files, commit, is_document, e);
	return piece;
}

/* ---- The branches that have gone ------------------------------------------------------ */

static bool is_named(const struct evidence *e, const char *oid, bool *ret_wanted)
{
	bool named = false;

	for (size_t i = 0; i < e->records; i++)
		if (e->record[i].oid && !strcmp(e->record[i].oid, oid)) {
			named = true;
			*ret_wanted |= is_wanted(e, &e->record[i]);
		}
	return named;
}

/* A file that is new is touched by few others; of the rest, the one with the longest name. */
static const char *path_to_look_at(const struct evidence *e, const struct log_commit *commit)
{
	const struct log_change *best = NULL;

	for (size_t i = 0; i < commit->changes; i++) {
		const struct log_change *it = &commit->change[i];

		if (evidence_is_document(e, it->path))
			continue;
		if (!best || (it->status == 'A') > (best->status == 'A') ||
		    ((it->status == 'A') == (best->status == 'A') &&
		     strlen(it->path) > strlen(best->path)))
			best = it;
	}
	return best ? best->path : NULL;
}

static int take_lost(void *data, const struct log_commit *commit, struct error *err UNUSED)
{
	struct search *s = data;
	const char *look;
	struct piece *piece;

	if (s->lost.nr == BRANCH_MAX)
		return 0;
	piece = add_piece(&s->lost, s->e, commit);
	piece->named = is_named(s->e, commit->oid, &piece->wanted);
	look = piece->wanted ? path_to_look_at(s->e, commit) : NULL;
	if (look && !strvec_has(&s->look, look))
		strvec_push(&s->look, look);
	return 0;
}

static int compare_paths(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void collect_paths(struct search *s)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->lost.nr; i++) {
		oid_map_put(&s->lost.by_oid, s->lost.item[i].oid, (uint32_t)i);
		nr += s->lost.item[i].files.nr;
	}
	s->path = xcalloc(nr + 1, sizeof(*s->path));
	for (size_t i = 0; i < s->lost.nr; i++)
		for (size_t k = 0; k < s->lost.item[i].files.nr; k++)
			s->path[s->paths++] = s->lost.item[i].files.item[k].path;
	qsort(s->path, s->paths, sizeof(*s->path), compare_paths);
}

static int read_lost(struct search *s, const struct strvec *wanted, int64_t since,
		     struct error *err)
{
	struct strvec revs CLEANUP(strvec_release) = STRVEC_INIT;
	struct log_request request = { .repo = s->e->request.repo,
				       .revs = &revs,
				       .since = since > BEFORE_LOST ? since - BEFORE_LOST : 0,
				       .changes = true };

	for (size_t i = 0; i < wanted->nr; i++)
		strvec_push(&revs, wanted->v[i]);
	if (evidence_add_tips(s->e, &revs, wanted, err) < 0)
		return -1;
	strvec_pushf(&revs, "^%s", s->e->rev);
	if (log_walk(&request, take_lost, s, err) < 0)
		return -1;
	collect_paths(s);
	for (size_t i = 0; s->look.nr && i < s->lost.nr; i++) {
		struct piece *piece = &s->lost.item[i];

		if (line_counts_read(&piece->lines, &piece->files, &s->reader, err) < 0)
			return -1;
		piece->counted = true;
	}
	return 0;
}

/* ---- Ours ----------------------------------------------------------------------------- */

static int take_ours(void *data, const struct log_commit *commit, struct error *err UNUSED)
{
	struct search *s = data;

	if (!strchr(commit->parents, ' ') && s->ours.nr < CANDIDATES_MAX)
		add_piece(&s->ours, s->e, commit);
	return 0;
}

/* Can it be lost commits and nothing else? */
static bool has_only_lost_files(const struct search *s, const struct piece *ours)
{
	for (size_t i = 0; i < ours->files.nr; i++)
		if (!bsearch(&ours->files.item[i].path, s->path, s->paths, sizeof(*s->path),
			     compare_paths))
			return false;
	return true;
}

static bool has_all_files(const struct piece *ours, const struct piece *lost)
{
	for (size_t i = 0; i < lost->files.nr; i++)
		if (!line_files_has(&ours->files, lost->files.item[i].path))
			return false;
	return lost->files.nr > 0;
}

static bool is_candidate(const struct search *s, const struct piece *ours)
{
	if (ours->files.nr && has_only_lost_files(s, ours))
		return true;
	for (size_t i = 0; i < s->lost.nr; i++)
		if (s->lost.item[i].wanted && has_all_files(ours, &s->lost.item[i]))
			return true;
	return false;
}

/* The oldest first: those are the nearest. */
static int read_ours(struct search *s, int64_t since, struct error *err)
{
	struct strvec revs CLEANUP(strvec_release) = STRVEC_INIT;
	struct log_request request = { .repo = s->e->request.repo,
				       .revs = &revs,
				       .paths = &s->look,
				       .since = since > CLOCKS ? since - CLOCKS : 0,
				       .changes = true };
	size_t nr = 0;

	strvec_push(&revs, s->e->rev);
	if (log_walk(&request, take_ours, s, err) < 0)
		return -1;
	for (size_t i = s->ours.nr; i-- && nr < COMPARED_MAX;) {
		struct piece *ours = &s->ours.item[i];

		if (!is_candidate(s, ours))
			continue;
		if (line_counts_read(&ours->lines, &ours->files, &s->reader, err) < 0)
			return -1;
		ours->counted = true;
		nr++;
	}
	return 0;
}

/* ---- One branch, from its first commit to the last ------------------------------------ */

/*
 * A step of it is a commit, or a merge with all that came by it; `sum` is that of all steps up to
 * this one.
 */
struct step {
	size_t first, members; /* in branch.member[] */
	uint64_t sum;
	bool unknown; /* some of it was not counted */
};
struct branch {
	size_t tip;
	struct step *step;
	size_t steps, steps_alloc;
	size_t *member; /* in search.lost */
	size_t members, members_alloc;
};

static void branch_release(struct branch *branch)
{
	free(branch->step);
	free(branch->member);
}

static uint32_t lost_at(const struct search *s, const char *oid, size_t len)
{
	char *whole CLEANUP(free_p) = xmemdupz(oid, len);

	return oid_map_get(&s->lost.by_oid, whole);
}

static void add_member(struct search *s, struct branch *branch, uint32_t at)
{
	if (at == NO_COMMIT || s->lost.item[at].tip == branch->tip)
		return;
	s->lost.item[at].tip = branch->tip;
	ARRAY_GROW(branch->member, branch->members + 1, branch->members_alloc);
	branch->member[branch->members++] = at;
}

/* Of a commit whose first parent is the step before. */
static void add_step(struct search *s, struct branch *branch, uint32_t at)
{
	struct step step = { .first = branch->members };

	if (branch->steps)
		step.sum = branch->step[branch->steps - 1].sum;
	add_member(s, branch, at);
	for (size_t i = step.first; i < branch->members; i++) {
		const struct piece *piece = &s->lost.item[branch->member[i]];

		step.unknown |= !piece->counted;
		step.sum += piece->lines.sum;
		if (i > step.first)
			add_member(s, branch, lost_at(s, piece->parent, strlen(piece->parent)));
		for (const char *other = piece->others; *other; other += strcspn(other, " ")) {
			other++;
			add_member(s, branch, lost_at(s, other, strcspn(other, " ")));
		}
	}
	step.members = branch->members - step.first;
	ARRAY_GROW(branch->step, branch->steps + 1, branch->steps_alloc);
	branch->step[branch->steps++] = step;
}

static void read_branch(struct search *s, struct branch *ret, size_t tip)
{
	uint32_t *line CLEANUP(free_p) = xcalloc(s->lost.nr, sizeof(*line));
	size_t nr = 0;

	ret->tip = tip;
	for (uint32_t at = (uint32_t)tip; at != NO_COMMIT && nr < s->lost.nr;
	     at = oid_map_get(&s->lost.by_oid, s->lost.item[at].parent))
		line[nr++] = at;
	while (nr)
		add_step(s, ret, line[--nr]);
}

static bool is_tip(const struct search *s, size_t at)
{
	for (size_t i = 0; i < s->lost.nr; i++)
		if (!strcmp(s->lost.item[i].parent, s->lost.item[at].oid))
			return false;
	return true;
}

/* ---- What was found ------------------------------------------------------------------- */

static bool changes_lines(const struct piece *piece)
{
	return piece->lines.nr > 0;
}

/* All records of a lost commit come to one of ours. */
static void settle(struct search *s, struct piece *lost, const struct piece *ours,
		   enum record_match match, size_t others)
{
	lost->wanted = false;
	if (!strvec_has(&s->found, ours->oid))
		strvec_push(&s->found, ours->oid);
	for (size_t i = 0; i < s->e->records; i++) {
		struct record *record = &s->e->record[i];

		if (!record->lost || record->commit != NO_COMMIT || record->successor ||
		    strcmp(record->oid, lost->oid) != 0)
			continue;
		record->match = match;
		record->others = others;
		record->successor = xstrdup(ours->oid);
	}
}

/* The commits of some steps that do something which is not taken back by another of them. */
static size_t find_lasting(const struct search *s, const size_t *member, size_t nr, size_t *ret)
{
	size_t lasting = 0;

	for (size_t i = 0; i < nr; i++) {
		const struct piece *it = &s->lost.item[member[i]];
		bool undone = !changes_lines(it);

		for (size_t k = 0; k < nr && !undone; k++)
			undone = s->lost.item[member[k]].lines.sum == -it->lines.sum;
		if (!undone)
			ret[lasting++] = member[i];
	}
	return lasting;
}

static bool same_oid(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Were the files the same before and after? */
static bool has_same_files(const struct search *s, const size_t *member, size_t nr,
			   const struct piece *ours)
{
	for (size_t f = 0; f < ours->files.nr; f++) {
		const struct line_file *file = &ours->files.item[f];
		const struct line_file *first = NULL, *last = NULL;

		for (size_t i = 0; i < nr; i++) {
			const struct line_files *files = &s->lost.item[member[i]].files;

			for (size_t k = 0; k < files->nr; k++)
				if (files->item[k].path == file->path) {
					last = &files->item[k];
					first = first ? first : last;
				}
		}
		if (!first || !same_oid(first->old_oid, file->old_oid) ||
		    !same_oid(last->new_oid, file->new_oid))
			return false;
	}
	return true;
}

/*
 * The same counts of lines are no proof where they are few, and somebody else may have made the same
 * change; nor where lines have changed places. A new file of the same name and text is no chance.
 */
static bool is_proof(const struct search *s, const struct branch *branch, size_t first, size_t end,
		     const struct piece *ours)
{
	const struct step *last = &branch->step[end - 1];
	const size_t *member = branch->member + branch->step[first].first;
	const size_t nr = last->first + last->members - branch->step[first].first;
	const struct piece *lost = &s->lost.item[*member];

	if (ours->lines.text <= FEW_LINES && !ours->lines.creates &&
	    (nr > 1 || lost->author_time != ours->author_time || lost->author != ours->author))
		return false;
	if (has_same_files(s, member, nr, ours))
		return true;
	return !ours->lines.moved && (nr > 1 || lost->lines.order == ours->lines.order);
}

/* Some steps in a row, which change together what the commit changes. */
static void settle_steps(struct search *s, const struct branch *branch, size_t first, size_t end,
			 const struct piece *ours, bool proof)
{
	const struct step *last = &branch->step[end - 1];
	const size_t from = branch->step[first].first, to = last->first + last->members;
	size_t *lasting CLEANUP(free_p) = xcalloc(to - from, sizeof(*lasting));
	size_t nr = find_lasting(s, branch->member + from, to - from, lasting), unnamed = 0;

	for (size_t i = 0; i < nr; i++)
		unnamed += !s->lost.item[lasting[i]].named;
	for (size_t i = 0; i < nr; i++)
		if (s->lost.item[lasting[i]].named)
			settle(s, &s->lost.item[lasting[i]], ours,
			       !proof  ? MATCH_ALIKE :
			       unnamed ? MATCH_UNNAMED :
			       nr > 1  ? MATCH_SQUASHED :
					 MATCH_SAME,
			       nr - 1);
}

/* Is one wanted among them, and all of them known? */
static bool is_worth_it(const struct search *s, const struct branch *branch, size_t first,
			size_t end)
{
	bool wanted = false;

	for (size_t i = first; i < end; i++) {
		const struct step *step = &branch->step[i];

		if (step->unknown)
			return false;
		for (size_t k = step->first; k < step->first + step->members; k++)
			wanted |= s->lost.item[branch->member[k]].wanted &&
				  changes_lines(&s->lost.item[branch->member[k]]);
	}
	return wanted;
}

/* The fewest steps: what was done and taken back on the branch is not in the squash. */
static bool find_steps(struct search *s, const struct branch *branch, const struct piece *ours,
		       bool proof)
{
	for (size_t nr = 1; nr <= branch->steps && nr <= SQUASH_MAX; nr++)
		for (size_t first = 0; first + nr <= branch->steps; first++) {
			uint64_t before = first ? branch->step[first - 1].sum : 0;

			if (branch->step[first + nr - 1].sum - before == ours->lines.sum &&
			    is_worth_it(s, branch, first, first + nr) &&
			    is_proof(s, branch, first, first + nr, ours) == proof) {
				settle_steps(s, branch, first, first + nr, ours, proof);
				return true;
			}
		}
	return false;
}

/* Those that are proof, or those that are not. */
static void find_equal(struct search *s, bool proof)
{
	for (size_t t = 0; t < s->lost.nr; t++) {
		struct branch branch CLEANUP(branch_release) = { 0 };

		if (!is_tip(s, t))
			continue;
		read_branch(s, &branch, t);
		for (size_t i = s->ours.nr; i--;)
			if (s->ours.item[i].counted && changes_lines(&s->ours.item[i]) &&
			    (proof || !strvec_has(&s->found, s->ours.item[i].oid)))
				find_steps(s, &branch, &s->ours.item[i], proof);
	}
}

/* Not in one that is all accounted for. */
static void find_containing(struct search *s)
{
	for (size_t i = s->ours.nr; i--;) {
		const struct piece *ours = &s->ours.item[i];

		if (!ours->counted || strvec_has(&s->found, ours->oid))
			continue;
		for (size_t l = 0; l < s->lost.nr; l++)
			if (s->lost.item[l].wanted &&
			    line_counts_contain(&ours->lines, &s->lost.item[l].lines))
				settle(s, &s->lost.item[l], ours, MATCH_WITHIN, 0);
	}
}

static int take_found(void *data, const struct log_commit *commit, struct error *err UNUSED)
{
	struct evidence *e = data;
	uint32_t known = evidence_keep(e, commit);

	evidence_look_at(e, &e->commit[known], commit);
	return 0;
}

static int keep_found(struct evidence *e, const struct strvec *found, struct error *err)
{
	const struct log_request request = {
		.repo = e->request.repo, .revs = found, .these = true, .changes = true
	};
	size_t known = e->commits;

	if (log_walk(&request, take_found, e, err) < 0)
		return -1;
	for (size_t i = 0; i < e->records; i++) {
		struct record *record = &e->record[i];
		uint32_t commit =
			record->successor ? oid_map_get(&e->by_oid, record->successor) : NO_COMMIT;

		if (record->match == MATCH_SAME || record->match == MATCH_SQUASHED)
			record->commit = commit;
		else if (commit != NO_COMMIT)
			record->squash = commit;
	}
	return e->commits > known ? evidence_number(e, err) : 0;
}

/*
 * Where a part of what has gone is gone for good, or a partial clone is on its own, there is nothing
 * to compare.
 */
static int read_pieces(struct search *s, const struct strvec *wanted, int64_t since,
		       struct error *err)
{
	struct error why CLEANUP(error_release) = ERROR_INIT;

	if (read_lost(s, wanted, since, &why) == 0 &&
	    (!s->look.nr || read_ours(s, since, &why) == 0))
		return 0;
	return interrupt_pending() ? error_interrupted(err) : 0;
}

int evidence_match_changes(struct evidence *e, struct error *err)
{
	struct search s CLEANUP(search_release) = { .e = e, .reader = OBJECT_READER_INIT };
	struct strvec wanted CLEANUP(strvec_release) = STRVEC_INIT;
	int64_t since;

	list_wanted(e, &wanted, &since);
	if (!wanted.nr)
		return 0;
	if (read_pieces(&s, &wanted, since, err) < 0)
		return -1;
	find_equal(&s, true);
	for (size_t i = 0; i < s.lost.nr; i++)
		s.lost.item[i].tip = NO_INDEX;
	find_equal(&s, false);
	find_containing(&s);
	return s.found.nr ? keep_found(e, &s.found, err) : 0;
}
