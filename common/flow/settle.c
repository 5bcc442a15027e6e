/* SPDX-License-Identifier: MIT */
#include "flow/settle.h"

#include "base/memory.h"
#include "flow/change.h"
#include "flow/kept.h"
#include "flow/maintenance.h"
#include "pg/dblock.h"
#include "term/output.h"

static bool has_name(const json_t *record, const struct session *s)
{
	const char *database = json_member(record, "database");

	return database && s->has_database && !strcmp(database, s->database.name);
}

/* 1 or 0. An environment's name may stand for another database by now: the identity tells. */
static int is_ours(const json_t *record, struct session *s, struct error *err)
{
	const char *identity = json_member(record, "identity"), *own;

	if (!has_name(record, s) || !identity)
		return has_name(record, s);
	return db_identity(&own, &s->db, err) < 0 ? -1 : !strcmp(identity, own);
}

/* Of a run that went on with an interrupted script the log has the operation that began it. */
static int was_committed(struct session *s, const json_t *record, const char *id, struct error *err)
{
	const char *resumes = json_member(record, "resumes");
	int done = rollback_log_has(&s->place, &s->db, id, err);

	return done || !resumes ? done : rollback_log_has(&s->place, &s->db, resumes, err);
}

/* Refs that cannot be made, as when gc has taken the objects, must not stand in anybody's way. */
static void make_refs(const json_t *record, const struct session *s)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (kept_recover(record, &s->ledger, &err) < 0)
		warning("%s; the database's log has the scripts", err.message);
}

static bool has_unsettled(const struct session *s)
{
	size_t i;
	json_t *record;

	json_array_foreach(s->open_operations, i, record) if (has_name(record, s)) return true;
	return false;
}

/*
 * Behind a pooler no lock is held yet, and what was killed may be in its COMMIT still: that
 * has the lock of its transaction.
 */
static int may_settle(bool *ret, struct session *s, struct error *err)
{
	char *holder CLEANUP(free_p) = NULL;

	if (s->db.pooled && json_array_size(s->open_operations) &&
	    dblock_holder(&holder, &s->db, err) < 0)
		return -1;
	*ret = !holder;
	return 0;
}

int settle_others(struct session *s, const char *own_id, struct error *err)
{
	size_t i;
	json_t *record;
	bool may;

	if (may_settle(&may, s, err) < 0)
		return -1;
	if (!may)
		return 0;

	json_array_foreach(s->open_operations, i, record)
	{
		const char *id = json_member(record, "id");
		int done, ours;

		if (!id || !strcmp(id, own_id))
			continue;
		kept_unlock(record, s->repo.common_dir); /* whatever database it was for */
		ours = is_ours(record, s, err);
		if (ours < 0)
			return -1;
		if (!ours)
			continue;
		done = was_committed(s, record, id, err);
		if (done < 0)
			return -1;
		maintenance_warn_of(record);
		if (done)
			make_refs(record, s);
		if (journal_settle(s->repo.common_dir, id,
				   done ? OPERATION_DONE : OPERATION_DISCARDED, err) < 0)
			return -1;
		if (!s->request.common->quiet)
			note("operation %s %s; its journal entry is settled", id,
			     done ? "was committed, in part or in whole" : "had changed nothing");
	}
	return 0;
}

int settle_alone(struct session *s, struct error *err)
{
	struct change change CLEANUP(change_release) = CHANGE_INIT;
	int ret;

	if (!has_unsettled(s))
		return 0;
	ret = change_begin(&change, s, false, NULL, err);
	change_finish(&change, !ret, err);
	if (ret < 0 && err->exit_code == EXIT_REFUSED) {
		error_clear(err); /* whoever is at work there settles it */
		return 0;
	}
	return ret;
}
