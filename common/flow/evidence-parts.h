/* SPDX-License-Identifier: MIT */
/*
 * evidence-parts: what the files of evidence.h share, in the order in which it comes to be.
 *
 *   evidence-places     where documents are, and were
 *   evidence-documents  the commits that change documents of the workflow, and what they mark
 *   evidence-record     the commits that plans name, and which of them the history has lost
 *   evidence-history    one walk over all messages, and the runs of commits before each mark
 *   evidence-message    what a message names
 *   evidence-names      what it calls a track
 *   evidence-ids        where an id stands in it, and the branch that it says was merged
 *   evidence-renames    files of the work that have other names by now
 *   evidence-rewritten  lost commits, by what they changed, by counts of lines: evidence-lines.h
 *   evidence-folders    what was done to folders, registries and stories
 *   evidence-merged     what came by merges that plans name
 *   evidence-claims, -marks, -mentions
 *                       what follows from all that: which commit belongs to which unit
 *   evidence.c          joins it by unit
 */
#ifndef FLOW_EVIDENCE_PARTS_H
#define FLOW_EVIDENCE_PARTS_H

#include "flow/evidence.h"
#include "vcs/log.h"

#define NO_COMMIT UINT32_MAX

/* ---- Commits --------------------------------------------------------------------------- */

/* A commit that may matter. */
struct known_commit {
	char *oid, *parent; /* parent: the first one; NULL: a root */
	char *subject, *author;
	char *picked_from, *reverts; /* ids that the message names, perhaps abbreviated; or NULL */
	bool origin_only;	     /* it is kept for these, and for nothing else so far */
	int64_t author_time, commit_time;
	uint32_t order; /* in git's walk: the newest is 0. NO_COMMIT: it was not met */
	bool merge;
	bool looked_at; /* what it changes is known: */
	bool code;	/* files that are no documents */
	bool documents; /* documents, or other files in their folder */
	bool plans;	/* some track's plan */
	bool submodule;
	uint64_t *file; /* digests of the paths of the former, sorted */
	size_t files, files_alloc;
	size_t first_claim; /* on it; NO_INDEX: none */
	size_t list; /* of stories, of several: beside which it changes files; NO_INDEX: none */
	bool lists;  /* beside more than one, or none */
};

/* From an id to a number: of the commits, and of what waits to be met. */
struct oid_map {
	struct oid_slot {
		const char *oid; /* belongs to somebody else; NULL: free */
		uint32_t value;
	} * slot;
	size_t nr, size; /* size: a power of 2, or 0 */
};
uint32_t oid_map_get(const struct oid_map *map, const char *oid); /* NO_COMMIT: not there */
void oid_map_put(struct oid_map *map, const char *oid, uint32_t value);
void oid_map_release(struct oid_map *map);

/* ---- What documents say ---------------------------------------------------------------- */

enum mark_flags {
	MARK_FINISHED = 1 << 0, /* it became done */
	MARK_STARTED = 1 << 1,	/* it came to be in progress */
	MARK_ADDED = 1 << 2,	/* it was not there before */
	MARK_RECORDED = 1 << 3, /* a commit was written to it */
	MARK_EDITED = 1 << 4,	/* some other change in its lines */
	MARK_REOPENED = 1 << 5	/* it is done no longer */
};
/* A task or a phase, by its index in the plan as it is now. */
struct mark_part {
	size_t phase, task; /* task: NO_INDEX is the phase itself; both: of a part that has gone */
	unsigned flags;
	bool verification; /* the task at the end of a phase that asks a person to look */
};
/* What one commit did to one track's plan. */
struct mark {
	uint32_t commit;
	size_t track;
	bool created, removed, moved; /* the file */
	struct mark_part *part;
	size_t parts, parts_alloc;
	uint32_t *run; /* commits before it, since the mark before that; the newest first */
	size_t runs, runs_alloc;
	size_t run_merge; /* of these, so many came after the last merge; SIZE_MAX: all */
	size_t run_other; /* the track whose mark the run ends at; NO_INDEX: its own */
};

/* A message, a note, or a branch that names a unit. */
struct mention {
	uint32_t commit;
	struct unit unit;
	enum evidence_kind kind; /* EVIDENCE_TRAILER, _NOTE, _MESSAGE, _BRANCH */
	bool by_id;		 /* by its id, not by its title */
	bool quoted;		 /* as "track '<name>'" */
	bool in_subject;
	bool named;   /* a trailer says all of it, or its id stands where one is named */
	bool clear;   /* a trailer that can mean no other story */
	size_t words; /* of the title */
};

enum record_match {
	MATCH_MESSAGE,	/* by author, date and message; of a squash: its message lists it */
	MATCH_SAME,	/* it changes the same */
	MATCH_SQUASHED, /* it changes the same as several in a row, which plans name */
	MATCH_UNNAMED,	/* the same, and there are some that no plan names */
	MATCH_ALIKE,	/* the same lines, but too few, or in another order, to be sure */
	MATCH_WITHIN	/* it changes the same, and more */
};

/*
 * Since when the list of stories has a story as it is now. Lists are replaced, and count from US-001
 * again: then what names the id before that is of another story.
 */
struct story_life {
	uint32_t begun; /* the commit; NO_COMMIT: not known, or there is no other of its id */
	bool reused;	/* an older version has another story of its id */
};

/* A commit that a plan names, or named. */
struct record {
	char *hex;
	struct unit unit;
	bool checkpoint; /* it is called so, or stands at a phase */
	bool current;	 /* in the plan as it is now */
	size_t mark;	 /* that wrote it; NO_INDEX: none is known */
	/* What came of it: */
	char *oid; /* in full; NULL: there is no such commit */
	char *subject, *author;
	int64_t author_time;
	bool lost;		 /* the history does not have it */
	uint32_t commit;	 /* of the history: it, or what has taken its place; or NO_COMMIT */
	uint32_t squash;	 /* what has it among others that are not known; or NO_COMMIT */
	enum record_match match; /* how `commit` or `squash` was found, where it is lost */
	size_t others;		 /* that it was squashed with */
	bool brought;		 /* it is a merge, and what came by it is the work, for sure */
	char *successor;	 /* the id of `commit` or `squash`, found by what it changes */
};

/* A commit that came by a merge that a plan names, and by no other way. */
struct merged {
	size_t record;
	uint32_t commit;
	bool sure; /* it is the work that the plan means, and not what others had done meanwhile */
};

/* A file, by digests of its paths. */
struct file_rename {
	uint32_t commit;
	uint64_t from, to;
};
/* A plan that a track had under another name of its folder. */
struct alias {
	const char *plan; /* its path; belongs to a change */
	size_t track;
};

/*
 * A track was in this folder before it went elsewhere, and another one of the same id came: of changes
 * from `from` on, which are older, what is below it is that track's.
 */
struct tenant {
	char *folder;
	size_t track, from;
};

/* ---- What follows ---------------------------------------------------------------------- */

struct claim {
	uint32_t commit;
	struct unit unit;
	enum evidence_kind kind;
	enum evidence_level level;
	enum evidence_role role;
	char *detail;
	size_t next; /* on the same commit; NO_INDEX: none. The latest first, until all are made */
	size_t next_unit; /* once all are made: on the same track, or story */
};

struct evidence {
	struct evidence_request request;
	const struct tracks *tracks;
	char *rev;
	struct known_commit *commit;
	size_t commits, commits_alloc;
	struct oid_map by_oid;
	struct strvec paths; /* places of documents: folders, "conductor/", and single files */
	struct strvec old;   /* those of them that they have come from */
	struct strvec moved; /* the same, that are not looked at yet */
	struct doc_change *change;
	size_t changes, changes_alloc;
	struct file_rename *rename;
	size_t renames, renames_alloc;
	struct alias *alias;
	size_t aliases, aliases_alloc;
	struct tenant *tenant; /* by `from` */
	size_t tenants, tenants_alloc;
	struct mark *mark; /* the oldest first: by commit, from the largest to the smallest */
	size_t marks, marks_alloc;
	struct mention *mention;
	size_t mentions, mentions_alloc;
	struct record *record;
	size_t records, records_alloc;
	struct merged *merged;
	size_t mergeds, mergeds_alloc;
	struct track_name {
		char *text; /* that a message has called it by */
		size_t track;
	} * name;
	size_t names, names_alloc;
	struct story_life *story; /* of each of tracks->stories; NULL: not read yet */
	struct claim *claim;
	size_t claims, claims_alloc;
	size_t *first_claim; /* by track, then by story; then of what is neither; NO_INDEX: none */
	int64_t mentioned;   /* commit time of the oldest that names a unit; INT64_MAX: none */
	int64_t since;	/* commit time of the oldest that changes a document; INT64_MAX: none */
	int64_t walked; /* the walk over all messages went back to this time; 0: to the end */
};

/* What a commit changed of the documents, in the order of git's log. */
struct doc_change {
	uint32_t commit;
	char status;
	char *path;
	char *old_oid, *new_oid; /* NULL: none */
};

/* Adds it, or finds it; looks at its changes where there are any. It counts, whatever its origin. */
uint32_t evidence_keep(struct evidence *e, const struct log_commit *commit);
/* As it is now: what it changes is taken in. */
void evidence_look_at(struct evidence *e, struct known_commit *known,
		      const struct log_commit *commit);
/* All that is known of commits is forgotten, and those from this one on; and all changes. */
void evidence_forget(struct evidence *e, size_t from);
/* Where the documents are. */
void evidence_find_places(struct evidence *e);
/* Does it move documents to where they are? Then they were elsewhere: evidence_add_moves(). */
void evidence_note_moves(struct evidence *e, const struct log_commit *commit);
/* The same, where documents may have come from without being moved: the layouts' own places. */
int evidence_note_usual(struct evidence *e, struct error *err) MUST_CHECK;
/* True: there are new places. */
bool evidence_add_moves(struct evidence *e);
/* The order of known_commit.file. */
int evidence_compare_files(const void *a, const void *b);
/* Of a commit that is looked at. */
void evidence_note_renames(struct evidence *e, const struct log_commit *commit, uint32_t known);
/* Once all are looked at: what they change has the names of the end. */
void evidence_follow_renames(struct evidence *e);
/* Which of several lists of stories lies nearest to what the commit changes. */
void evidence_note_list(const struct evidence *e, struct known_commit *known, const char *path);
/* Is it a document, or in the folder of documents? */
bool evidence_is_document(const struct evidence *e, const char *path);
/* Is anything about this track, or story, going to be asked? */
bool evidence_wants(const struct evidence *e, const struct unit *unit);

/* The first mark that a commit made; those of the same commit follow. e->marks: none. */
size_t evidence_first_mark(const struct evidence *e, uint32_t commit);

PRINTF(7, 8)
void claim_add(struct evidence *e, uint32_t commit, struct unit unit, enum evidence_kind kind,
	       enum evidence_level level, enum evidence_role role, const char *fmt, ...);

/* Only what changed them since; 0: all. */
int evidence_read_documents(struct evidence *e, int64_t since, struct error *err) MUST_CHECK;
int evidence_read_marks(struct evidence *e, struct error *err) MUST_CHECK;
int evidence_resolve_records(struct evidence *e, struct error *err) MUST_CHECK;
int evidence_read_history(struct evidence *e, struct error *err) MUST_CHECK;
/* What came by merges that plans name. */
int evidence_read_merged(struct evidence *e, struct error *err) MUST_CHECK;
/* What the commits change that have not been looked at yet. */
int evidence_read_changes(struct evidence *e, struct error *err) MUST_CHECK;
/* Appends the branches that have some of these commits, by their ids; where there are few branches. */
int evidence_add_tips(const struct evidence *e, struct strvec *revs, const struct strvec *lost,
		      struct error *err) MUST_CHECK;
/* The lost commits that nothing has led to, by what they changed. */
int evidence_match_changes(struct evidence *e, struct error *err) MUST_CHECK;
/* Gives commits their places in the walk that were not known at that time. */
int evidence_number(struct evidence *e, struct error *err) MUST_CHECK;

/* What messages can name; vocabulary_read() looks for it in one, and adds mentions. */
struct vocabulary;
struct vocabulary *vocabulary_new(const struct evidence *e) MUST_CHECK;
void vocabulary_free(struct vocabulary *vocabulary);
CLEANUP_POINTER(struct vocabulary, vocabulary_free)
void vocabulary_read(const struct vocabulary *vocabulary, struct evidence *e,
		     const struct log_commit *commit);
/* Names of tracks, from the messages of commits that bring the folder of one. */
void evidence_learn_names(struct evidence *e);
/*
 * The tracks that a subject speaks of as "track '<name>'": by id, with or without the date behind;
 * by description or plan, whole or how it begins; or as another commit has called it. How many.
 */
size_t evidence_named_tracks(const struct evidence *e, const char *subject, size_t *ret,
			     size_t max);
/* Is it another track, or are they others, that the commit's subject speaks of so? */
bool evidence_names_other(const struct evidence *e, uint32_t commit, size_t track);
/* The track that a path is in, by the name of its folder, wherever that lay; or NO_INDEX. */
size_t evidence_track_of_path(const struct evidence *e, const char *path);
/* The same of what a change is about, as it was then. */
size_t evidence_track_of_change(const struct evidence *e, size_t change);
/* Who was in the folder of that path then, before the track that has it now; NO_INDEX: nobody. */
size_t evidence_tenant(const struct evidence *e, size_t change);
/* Of "auth_20260107" the length of "auth"; of an id without a date its own. */
size_t id_length_without_date(const char *id);
/*
 * Is the id at `at`, of `len` bytes, what its line is about, by where it stands: as scope, in
 * brackets, behind "track", in front of a colon or a dash? Of one that is `distinct`, and no word of
 * any language, also what comes first, and what parentheses have for themselves. In prose it is only
 * spoken of. The text is in lower case.
 */
bool id_is_named(const char *text, const char *at, size_t len, bool distinct);
/* Is it all of a part of a branch's name: "track/<id>"? */
bool id_is_part_of_branch(const char *branch, const char *at, size_t len);
/* What the subject of a merge says was merged, in whatever case; NULL: no name. free() it. */
char *merged_branch(const char *subject);
/* Is it bookkeeping by its own words, as Conductor has it? */
bool subject_is_bookkeeping(const char *subject);
/* How many words of some length the two have in common; with itself, how many it has. */
size_t common_words(const char *a, const char *b);
int evidence_read_folders(struct evidence *e, struct error *err) MUST_CHECK;

/* ---- Claims, in this order: what comes later looks at what is sure by then --------------- */

void evidence_make_claims(struct evidence *e);
void evidence_find_picked_records(struct evidence *e);
void evidence_claim_records(struct evidence *e);
void evidence_claim_trailers(struct evidence *e);
void evidence_claim_merged(struct evidence *e);
void evidence_claim_marks(struct evidence *e);
void evidence_claim_runs(struct evidence *e);
void evidence_claim_checkpoints(struct evidence *e);
void evidence_claim_mentions(struct evidence *e);
void evidence_claim_picked(struct evidence *e);
void evidence_claim_reverted(struct evidence *e);

/* The commit that we know of this id, or beginning of one; or NO_COMMIT. */
uint32_t evidence_find_commit(const struct evidence *e, const char *hex);

/* Does it change something, by itself and to stay? */
bool commit_is_work(const struct known_commit *commit);
bool commit_is_called_checkpoint(const struct known_commit *commit);
/* Is it bookkeeping by its own words, as Conductor has it, whatever slipped in? */
bool commit_is_called_bookkeeping(const struct known_commit *commit);
/* Of work: ROLE_CHECKPOINT where it is called so. */
enum evidence_role commit_work_role(const struct known_commit *commit);
/* Neither is a part of the other. Work may be for a story and for a task as well. */
bool units_are_disjoint(const struct unit *a, const struct unit *b);
/* The phase that it is in, or is; else the track. */
struct unit unit_around(const struct unit *unit);
/* Is it, for sure and by what its makers wrote, of a unit beside this one? */
bool evidence_is_others(const struct evidence *e, uint32_t commit, const struct unit *unit);
/* Is it, for sure, of this unit, or a part of it? */
bool evidence_is_ours(const struct evidence *e, uint32_t commit, const struct unit *unit);
/* Did the commit change the plan at the unit's lines? */
bool evidence_has_mark(const struct evidence *e, uint32_t commit, const struct unit *unit);
/* Has it a record, which is to be believed, of another commit that did the work? */
bool evidence_is_done_elsewhere(const struct evidence *e, const struct unit *unit, uint32_t commit);
/* Does it say that something is done? */
bool mark_finishes(const struct mark *mark);

#endif
