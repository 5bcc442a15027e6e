/* SPDX-License-Identifier: MIT */
/*
 * checkpoint: what the verbs of `git checkpoint` share: names, one checkpoint's refs, and the
 * operation that a changing verb is.
 *
 * A checkpoint <name> is the snapshot refs/checkpoints/<name> and, where it was given a name
 * and rollback.checkpoint.tag is not false, the annotated tag refs/tags/checkpoint/<name> on
 * the commit that HEAD was, whose message ends in trailers; checkpoint-message.h has them.
 * One that was given no name is called by its time, 20260112T102030.123456Z, and in a linked
 * worktree by that and the worktree's id.
 */
/*
 * The record of an operation (journal/journal.h has the members that all have), in the order in
 * which its members are written, each before what it tells of is done:
 *
 *   "worktree"     with the first writing: whose files it is about, checkpoint_worktree_id()
 *   "refs"         with the first writing, but of create after the capture: what it is about to
 *                  change, [{"name", "old", "new"}]; null: not there; of HEAD also "ref: <branch>"
 *   "kept"         with "refs": names of the refs that get the old values, made with the changes,
 *                  or by restore with the safety snapshot
 *   "target"       restore, undo of files: the snapshot, {"ref", "commit"}
 *   "undoes"       undo: the operation
 *   "dangling"     prune: names of refs of old operations that go for good
 *   "safety"       restore, undo of files, create --commit: the ref of the snapshot of the state
 *                  before. It is made next; while it is not there, nothing has changed
 *   "branch"       create --commit, with "safety": what git is about to move, or "HEAD"
 *   "safety_made"  true: that ref is there, and from now on files, index or HEAD may change; it
 *                  must not be missing any more. false: it was not needed, and is removed
 *   "locked_at"    restore, undo of files, with "safety_made": when git had the locks on all
 *                  "refs". A lock that is older, and younger than "started_at", was ours
 *
 * Where it broke off: before "safety_made" with a missing ref it is discarded, or without
 * "safety" its refs tell how far it came; else the safety snapshot is gone back to.
 */
#ifndef FLOW_CHECKPOINT_H
#define FLOW_CHECKPOINT_H

#include "base/json.h"
#include "config/settings.h"
#include "journal/journal.h"
#include "term/options.h"
#include "vcs/refs.h"
#include "vcs/repo.h"
#include "vcs/snapshot.h"

/* The command in the records of flow/revert-run.h. */
#define CHECKPOINT_REVERT_TRACK "revert-track"

/* What every verb has in its hands. */
struct checkpoint_session {
	struct repo repo;
	struct settings settings;
	const struct common_options *common;
};
#define CHECKPOINT_SESSION_INIT           \
	{                                 \
		.settings = SETTINGS_INIT \
	}
/* Warns of withheld settings, and of operations of `git checkpoint` that were interrupted. */
int checkpoint_session_open(struct checkpoint_session *s, const struct common_options *common,
			    struct error *err) MUST_CHECK;
void checkpoint_session_close(struct checkpoint_session *s);
/* Most verbs need a worktree: an error in a bare repository, or inside .git. */
int checkpoint_need_worktree(const struct checkpoint_session *s, struct error *err) MUST_CHECK;

/* Is it an operation of files and refs, that `git checkpoint undo` takes back? By its record. */
bool checkpoint_is_ours(const json_t *record);
/*
 * Refused where one that changed files in this worktree broke off: it has left a state that nobody
 * should build on. `operation` is the id of one's own, once the lock is held, or NULL.
 */
int checkpoint_check_open(const struct checkpoint_session *s, const char *operation,
			  struct error *err) MUST_CHECK;

/* The id that git has given a linked worktree; "" for the main one. Belongs to `repo`. */
const char *checkpoint_worktree_id(const struct repo *repo);
/* An operation's worktree, as above; NULL where its record has none. Belongs to the record. */
const char *checkpoint_record_worktree(const json_t *record);

/*
 * Takes the repository's lock, as --wait says; then begins an operation of the journal, taking
 * the lock first unless that was done. `verb` is "create": the command is then "checkpoint
 * create". `members` as operation_begin() has it.
 */
int checkpoint_lock(struct operation *operation, const struct checkpoint_session *s,
		    const char *verb, struct error *err) MUST_CHECK;
int checkpoint_begin(struct operation *operation, const struct checkpoint_session *s,
		     const char *verb, json_t *members, struct error *err) MUST_CHECK;
/* Closes it, done or with what it failed with; does nothing to one that was not begun. */
void checkpoint_end(struct operation *operation, const struct error *failure);
/*
 * After a failure, which is in `err`, that has left something half done: lets go of the
 * operation, which stays open for undo to resolve. Returns -1.
 */
int checkpoint_leave_open(struct operation *operation, struct error *err);

/*
 * What an operation keeps is below refs/rollback/op/<id>: "safety", the snapshot of the state
 * before it, and by numbers what it took away. Both return a ref in full; free() it.
 */
char *checkpoint_safety_ref(const char *operation) MUST_CHECK;
char *checkpoint_kept_ref(const char *operation, size_t n) MUST_CHECK;
bool checkpoint_is_safety_ref(const char *ref);

/*
 * What an operation does to refs is in its record before it is done: "refs" has each with its
 * old and its new value (null: not there), and "kept" the names of the refs that hold the old
 * values which nothing else may hold then.
 */
struct checkpoint_refs {
	struct refs_update update;
	json_t *refs, *kept;
	char *operation;
};
#define CHECKPOINT_REFS_INIT               \
	{                                  \
		.update = REFS_UPDATE_INIT \
	}
/* One of "refs". */
json_t *checkpoint_change_to_json(const char *name, const char *old_value, const char *new_value)
	MUST_CHECK;
void checkpoint_refs_init(struct checkpoint_refs *refs, const struct operation *operation);
/* `old_oid` NULL: must not exist; `new_oid` NULL: is removed. The old value is kept. */
void checkpoint_refs_add(struct checkpoint_refs *refs, const char *name, const char *old_oid,
			 const char *new_oid);
/* Sets "refs" and "kept" in an operation's members. */
void checkpoint_refs_to_members(const struct checkpoint_refs *refs, json_t *members);
void checkpoint_refs_release(struct checkpoint_refs *refs);
/*
 * Makes the changes that are in the operation's record; where they break off in the middle,
 * as when git is killed, with checkpoint_leave_open().
 */
int checkpoint_refs_commit(struct refs_update *update, const struct checkpoint_session *s,
			   struct operation *operation, struct error *err) MUST_CHECK;

/*
 * Once the refs are made that lead to a snapshot: snapshot_check(). SNAPSHOT_BROKEN: they are
 * taken back, and err says why.
 */
int checkpoint_check_kept(const struct snapshot_capture *capture, const struct refs_update *made,
			  const struct repo *repo, struct error *err) MUST_CHECK;

/* Is it a name that git takes in a ref, and no option? Else an error with EXIT_USAGE. */
int checkpoint_check_name(const char *name, struct error *err) MUST_CHECK;
/* Why git does not take it in a ref, as the end of a sentence; NULL: it does. */
const char *checkpoint_name_fault(const char *name);
/* Is it the name of one that was given none? */
bool checkpoint_is_unnamed(const char *name);
/* The name for people of a ref in full; belongs to it. */
const char *checkpoint_name(const char *ref);

/*
 * A plain fetch or clone brings tags, and no snapshots: what to do about one without. Returns
 * -1, as the functions of base/error.h do.
 */
#define CHECKPOINT_FETCH "git fetch <remote> 'refs/checkpoints/*:refs/checkpoints/*'"
int checkpoint_hint_fetch(struct error *err);

/*
 * Finds the checkpoint that `name` means: its name, "checkpoint/<name>", the ref in full, or
 * an operation's id (its safety snapshot). Where there is none the error names the nearest.
 * `*ret_ref` is in full; free() it.
 */
int checkpoint_find(char **ret_ref, const char *name, struct error *err) MUST_CHECK;
/* The refs in full that `name` may mean, the nearest first. */
void checkpoint_refs_of_name(struct strvec *ret, const char *name);

#endif
