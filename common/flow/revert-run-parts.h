/* SPDX-License-Identifier: MIT */
/*
 * revert-run-parts: what the files of flow/revert-run.h share, and nobody else needs.
 */
#ifndef FLOW_REVERT_RUN_PARTS_H
#define FLOW_REVERT_RUN_PARTS_H

#include "flow/revert-run.h"
#include "journal/workfolder.h"
#include "vcs/import.h"
#include "vcs/index-lock.h"
#include "vcs/mode.h"
#include "vcs/object.h"
#include "vcs/snapshot.h"

/* What an earlier operation has begun; NULL members: this is the first. */
struct revert_origin {
	const json_t *revert; /* "revert" of its record */
	const char *series;
	size_t position; /* how many commits were done with before */
};

struct revert_run_inside {
	struct revert_request wanted; /* of the series */
	struct revert_origin origin;
	struct tree_changes documents; /* in the series: nothing where it stops */
	char *summary;		       /* of all that a second plan has to agree with */
	/* Of a request that came from the journal; all belong to it: */
	struct revert_run_request read;
	struct revert_commit *commit;
	struct revert_document *document;
	struct strvec keep, trailers, texts;
	json_t *record;
};
/* As revert_run_plan(), of what is left of a series. */
int revert_run_plan_rest(struct revert_run *ret, const struct checkpoint_session *session,
			 const json_t *record, struct error *err) MUST_CHECK;
/* "revert" of the record. */
json_t *revert_run_to_json(const struct revert_run *run) MUST_CHECK;

/* revert-run-waiting.c: from now on the series may wait in this worktree. */
int revert_waiting_mark(const struct checkpoint_session *session, const char *series,
			struct error *err) MUST_CHECK;
/* Is git at the revert that the series has stopped at? */
int revert_is_stopped(bool *ret, const struct checkpoint_session *session, const json_t *waiting,
		      struct error *err) MUST_CHECK;

/* revert-run-markers.c: EXIT_NO where what is resolved, and staged, has conflict markers. */
int revert_check_markers(const struct checkpoint_session *session, const json_t *waiting,
			 struct error *err) MUST_CHECK;

/* revert-run-message.c: the message of one step, as git has it, with reason and trailers. */
int revert_message_of_step(struct strbuf *out, const struct revert_run *run, size_t step,
			   struct error *err) MUST_CHECK;
int revert_message_of_squash(struct strbuf *out, const struct revert_run *run, struct error *err)
	MUST_CHECK;
void revert_message_of_documents(struct strbuf *out, const struct revert_run *run);
/* What git leaves in MERGE_MSG, in the encoding that commits are to have. */
int revert_message_of_conflict(struct strbuf *out, const struct revert_run *run, struct error *err)
	MUST_CHECK;
/* Takes the list of conflicts off, which that ends in. */
void revert_message_drop_conflicts(struct strbuf *message);
/* The hook prepare-commit-msg may change it. */
int revert_message_prepare(struct strbuf *message, const struct revert_run *run, struct error *err)
	MUST_CHECK;

/* revert-run-operation.c: an operation of the journal that changes files, index and branch. */
struct revert_operation {
	const struct checkpoint_session *session;
	struct operation operation;
	struct workfolder work;
	struct import import; /* of what is written; in a quarantine */
	struct snapshot_capture safety;
	char *identity;
	struct index_lock lock;
	char *index; /* a copy of it */
	struct strvec env;
	bool kept, moving; /* the state before is kept; files may have changed */
};
#define REVERT_OPERATION_INIT                                                                \
	{                                                                                    \
		.operation = OPERATION_INIT, .work = WORKFOLDER_INIT, .import = IMPORT_INIT, \
		.safety = SNAPSHOT_CAPTURE_INIT, .lock = INDEX_LOCK_INIT, .env = STRVEC_INIT \
	}
/* The lock, and a folder to work in. */
int revert_operation_lock(struct revert_operation *op, const struct checkpoint_session *session,
			  struct error *err) MUST_CHECK;
/*
 * The record with these members ("branch", whatever it is, becomes that which HEAD is), and the safety snapshot with its ref; what was imported is
 * published. Nothing else has changed.
 */
int revert_operation_keep(struct revert_operation *op, json_t *members, struct error *err)
	MUST_CHECK;
/*
 * The lock of the index, and op->index, a copy of it that knows which files are as they were: times
 * and inodes may be others, as in a folder that was copied.
 */
int revert_operation_take_index(struct revert_operation *op, struct error *err) MUST_CHECK;
/* From now on files, index or branch may change. */
int revert_operation_begin(struct revert_operation *op, struct error *err) MUST_CHECK;
/* The copy of the index becomes the index. */
int revert_operation_replace_index(struct revert_operation *op, struct error *err) MUST_CHECK;
/* All is done: closes it. */
void revert_operation_done(struct revert_operation *op);
/* It has failed with what is in `err`: what was changed is put back. Returns -1. */
int revert_operation_fail(struct revert_operation *op, struct error *err);
void revert_operation_release(struct revert_operation *op);

/* revert-run-commits.c: makes all commits of the run, in op->import. */
struct revert_commits {
	char *tip;   /* the last one; NULL: there is none */
	char *tree;  /* a commit of the tree that files and index go to */
	size_t made; /* how many */
};
int revert_commits_make(struct revert_commits *ret, struct revert_operation *op,
			const struct revert_run *run, struct error *err) MUST_CHECK;
void revert_commits_release(struct revert_commits *commits);

/*
 * revert-run-filters.c: has git convert all files that are going to be written, and throws that away: once
 * files move, a required filter that fails would leave some of them behind, and the others not.
 */
int revert_run_try_filters(const struct revert_run *run, struct error *err) MUST_CHECK;

/* revert-run-stop.c */
/* What files come to where it stops: the steps before, and the texts of conflicts. */
void revert_stop_changes(struct tree_changes *ret, const struct revert_run *run);
/* Files that are in conflict there. */
void revert_stop_paths(struct strvec *ret, const struct revert_run *run);
/* The stages of the conflicts, in the copy of the index; then git's state. */
int revert_stop_index(struct revert_operation *op, const struct revert_run *run, struct error *err)
	MUST_CHECK;
int revert_stop_state(struct revert_operation *op, const struct revert_run *run, struct error *err)
	MUST_CHECK;
/* Resolves what git has seen before; what goes wrong is a warning. */
void revert_stop_rerere(const struct checkpoint_session *session);

/* revert-run-execute.c: the rest of revert_run_execute(), of a plan that was made under the lock. */
int revert_run_carry_out(struct revert_run *run, struct revert_operation *op, char **ret_operation,
			 struct error *err) MUST_CHECK;

#endif
