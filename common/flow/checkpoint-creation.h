/* SPDX-License-Identifier: MIT */
/*
 * checkpoint-creation: what the files of checkpoint_create() share, and nobody else needs:
 * checkpoint-create.c (all of it), -create-name.c, -create-commit.c (--commit) and
 * -create-show.c (the report).
 */
#ifndef FLOW_CHECKPOINT_CREATION_H
#define FLOW_CHECKPOINT_CREATION_H

#include "flow/checkpoint-create.h"
#include "flow/checkpoint-message.h"
#include "flow/checkpoint-warn.h"
#include "journal/workfolder.h"

struct creation {
	struct checkpoint_session *session;
	const struct checkpoint_create_request *request;
	struct operation operation;
	char *name; /* of the ref; `named`: somebody chose it */
	bool named;
	char *ref, *tag_ref;	      /* in full */
	char *old_snapshot, *old_tag; /* ids, or NULL */
	char *identity, *tag;
	char *branch, *old_head; /* what --commit moved: its ref, and the value that it had */
	bool committed;
	bool with_tag;
	int64_t time; /* seconds */
	struct snapshot_parts parts;
	json_t *members; /* of the manifest */
	struct checkpoint_warnings warnings;
	struct checkpoint_message message;
	struct snapshot_capture capture;
	struct workfolder work;
	char *quarantine; /* where objects are until they are published */
};

/* "start", "complete", or NULL. */
const char *creation_event(int event);
/* "refs/heads/main" as people say it. */
const char *creation_branch(const char *ref);
/* Into the record: before the first writing on, or to what it has by now. */
int creation_record(struct creation *c, json_t *members, struct error *err) MUST_CHECK;

/* checkpoint-create-name.c: settles `name`, `ref` and the rest; refuses one that is there. */
int creation_settle_name(struct creation *c, struct error *err) MUST_CHECK;

/* checkpoint-create-commit.c: keeps the state before for undo, and commits everything. */
int creation_commit(struct creation *c, struct error *err) MUST_CHECK;

/* checkpoint-create-show.c */
void creation_report(const struct creation *c);
void creation_report_failure(const struct creation *c, const struct error *failure);

#endif
