/* SPDX-License-Identifier: MIT */
/*
 * rollback-script: a rollback by a script of the user's, instead of by the down scripts of
 * migrations: for what no migration made, or where there is none to go back by.
 *
 * It is one step of a plan (rollback.h), shown, saved, executed and undone like others. Its version
 * stands in the database's log alone: "script-" and the digest's first 16 digits; the
 * direction is "script", and what takes it back is "unscript". The records of applied migrations
 * are left as they are.
 *
 * Use:    rollback_script_plan() makes the step, in place of choosing migrations;
 *         rollback_script_parse() reads it, rollback_script_check() says what else is to be said,
 *         once the impact is known; rollback_script_prove() compares with what is expected.
 * Refused: what is no script (an archive of pg_dump's, a dump, a compressed file), an empty one,
 *         psql's commands, and what cannot run in one transaction.
 * Owner:  the plan has it.
 */
#ifndef FLOW_ROLLBACK_SCRIPT_H
#define FLOW_ROLLBACK_SCRIPT_H

#include "flow/rollback.h"

struct rollback_script {
	struct strbuf text;
	char checksum[DIGEST_HEX];
	struct ledger_entry entry; /* stands in for a migration's: its version, the file's name */
	/* --expect: a snapshot of the database as it should be then; or NULL. */
	char *expected_label, *expected_fingerprint;
	struct catalog expected;
};
void rollback_script_free(struct rollback_script *script);

int rollback_script_plan(struct rollback_plan *plan, struct error *err) MUST_CHECK;
/* On the parser's thread. */
int rollback_script_parse(struct rollback_plan *plan, struct rollback_step *step, struct error *err)
	MUST_CHECK;
int rollback_script_check(struct rollback_plan *plan, struct error *err) MUST_CHECK;
/* Fills plan->proof. */
void rollback_script_prove(struct rollback_plan *plan, const struct catalog *now);

/* {"path", "name", "version", "checksum", "statements", "expect"}, and when executed "done", "execution_time_ms". */
json_t *rollback_script_to_json(const struct rollback_plan *plan, bool executed) MUST_CHECK;
/* The plan's first lines; and what is to be said of the proof. */
void rollback_script_text(struct strbuf *out, const struct rollback_plan *plan);
const char *rollback_script_proof_text(const struct rollback_plan *plan);

#endif
