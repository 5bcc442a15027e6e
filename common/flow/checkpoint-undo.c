/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint-undo.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "flow/checkpoint-plan.h"
#include "term/output.h"

/* The operation that is to be undone. */
struct undo {
	const char *wanted; /* the id that was asked for, or NULL */
	char *id;
	json_t *record;
	bool open;	  /* it broke off */
	char *elsewhere;  /* the last one of another worktree that was passed over, or NULL */
	json_t *database; /* the last one, where that changed a database; `id` is before it */
};

static void undo_release(struct undo *undo)
{
	free(undo->id);
	free(undo->elsewhere);
	json_decref(undo->database);
	json_decref(undo->record);
}

/* Was it done in another worktree? */
static bool is_of_another(const json_t *record, const struct checkpoint_session *s)
{
	const char *worktree = checkpoint_record_worktree(record);

	return worktree && strcmp(worktree, checkpoint_worktree_id(&s->repo)) != 0;
}

/* Then only refs can be taken back here. */
static bool is_elsewhere(const json_t *record, const struct checkpoint_session *s)
{
	return json_member(record, "safety") && is_of_another(record, s);
}

static bool changes_something(const json_t *record)
{
	return json_member(record, "safety") || json_array_size(json_object_get(record, "refs"));
}

/* `before`: the last one before it that can be undone here, or NULL. */
static int refuse_database(const json_t *record, const char *before, struct error *err)
{
	const char *id = json_member(record, "id");

	error_refused(err, "operation %s of 'git %s' changed a database", id,
		      json_member(record, "command"));
	error_hint(err, "Use 'git rollback-db --undo=%s' to take that back.", id);
	if (!before)
		return -1;
	return error_hint(err,
			  "'git checkpoint undo %s' takes back the last one that changed files or "
			  "refs alone.",
			  before);
}

/* ---- Which one ----------------------------------------------------------------------- */

/* The newest that broke off here. */
static int find_open(struct undo *ret, const struct checkpoint_session *s, const char *id,
		     const char *own_id, struct error *err)
{
	json_t *open CLEANUP(json_decref_p) = NULL, *record;
	size_t i;

	if (journal_open(&open, s->repo.common_dir, own_id, err) < 0)
		return -1;
	json_array_foreach(open, i, record)
	{
		const char *is = json_member(record, "id");

		if (!is || !checkpoint_is_ours(record) || (id && strcmp(id, is) != 0) ||
		    (!id && is_of_another(record, s)))
			continue;
		undo_release(ret);
		*ret = (struct undo){ .id = xstrdup(is),
				      .record = json_incref(record),
				      .open = true };
	}
	return 0;
}

/* With the first of a series of reverts, all of it was undone. */
static bool is_of_undone_series(const json_t *record, const struct strvec *undone)
{
	const char *series = json_member(record, "series");

	return series && strvec_has(undone, series);
}

/* Of a series of reverts it is the first: its state before is that before the whole series. */
static int take_whole(struct undo *ret, json_t *record, const struct checkpoint_session *s,
		      struct error *err)
{
	const char *id = json_member(record, "id"), *series = json_member(record, "series");
	json_t *first CLEANUP(json_decref_p) = NULL;

	if (series && strcmp(series, id) != 0 &&
	    journal_read(&first, s->repo.common_dir, series, err) < 0)
		return -1;
	ret->record = json_incref(first ? first : record);
	ret->id = xstrdup(json_member(ret->record, "id"));
	return 0;
}

/*
 * Walks back from the newest operation. An undo that is not undone itself takes what it undid
 * out of the count; one that changed a database is remembered, and the walk goes on. With `id`, whether that one is undone, by which in *ret_by.
 */
static int walk(struct undo *ret, char **ret_by, const struct checkpoint_session *s, const char *id,
		struct error *err)
{
	struct strvec ids CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec undone CLEANUP(strvec_release) = STRVEC_INIT;

	if (journal_ids(&ids, s->repo.common_dir, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.nr && (!id || strcmp(ids.v[i], id) > 0); i++) {
		json_t *record CLEANUP(json_decref_p) = NULL;
		const char *undoes;

		if (journal_read(&record, s->repo.common_dir, ids.v[i], err) < 0)
			return -1;
		if (!journal_is_state(record, "done") || strvec_has(&undone, ids.v[i]))
			continue;
		undoes = json_member(record, "undoes");
		if (undoes) {
			strvec_push(&undone, undoes);
			if (id && !strcmp(undoes, id))
				string_replace(ret_by, ids.v[i]);
			continue;
		}
		if (id)
			continue;
		if (!checkpoint_is_ours(record)) {
			if (!ret->database)
				ret->database = STEAL(record);
			continue;
		}
		if (is_of_undone_series(record, &undone) || !changes_something(record))
			continue;
		if (is_of_another(record, s)) {
			if (!ret->elsewhere)
				ret->elsewhere = xstrdup(ids.v[i]);
			continue;
		}
		return take_whole(ret, record, s, err);
	}
	return 0;
}

static int refuse_elsewhere(const struct undo *undo, struct error *err)
{
	const char *worktree = checkpoint_record_worktree(undo->record);

	error_refused(err, "operation %s is of another worktree", undo->id);
	if (!*worktree)
		return error_hint(err, "Run it in the main worktree.");
	return error_hint(err, "Run it in the linked worktree whose id is '%s'.", worktree);
}

static int check_named(const struct undo *undo, const char *by, const struct checkpoint_session *s,
		       struct error *err)
{
	if (!checkpoint_is_ours(undo->record))
		return refuse_database(undo->record, NULL, err);
	if (is_elsewhere(undo->record, s))
		return refuse_elsewhere(undo, err);
	if (by) {
		error_refused(err, "operation %s is undone already", undo->id);
		return error_hint(err, "'git checkpoint undo %s' does it again.", by);
	}
	if (!undo->open &&
	    (!journal_is_state(undo->record, "done") || !changes_something(undo->record)))
		return error_refused(err, "operation %s has changed nothing", undo->id);
	return 0;
}

static int find_named(struct undo *ret, const struct checkpoint_session *s, const char *id,
		      const char *own_id, struct error *err)
{
	char *by CLEANUP(free_p) = NULL;
	int found;

	if (find_open(ret, s, id, own_id, err) < 0)
		return -1;
	if (!ret->id) {
		found = journal_read(&ret->record, s->repo.common_dir, id, err);
		if (found < 0)
			return -1;
		if (found == JOURNAL_MISSING) {
			error_set(err, "there is no operation '%s'", id);
			return error_hint(err, "'git checkpoint list --operations' shows them.");
		}
		ret->id = xstrdup(id);
		if (walk(NULL, &by, s, id, err) < 0)
			return -1;
	}
	return check_named(ret, by, s, err);
}

/* `own_id` as journal_open() has it. */
static int find(struct undo *ret, const struct checkpoint_session *s, const char *id,
		const char *own_id, struct error *err)
{
	if (id)
		return find_named(ret, s, id, own_id, err);
	if (find_open(ret, s, NULL, own_id, err) < 0 ||
	    (!ret->id && walk(ret, NULL, s, NULL, err) < 0))
		return -1;
	if (ret->database)
		return refuse_database(ret->database, ret->id, err);
	if (ret->id)
		return 0;
	if (ret->elsewhere) {
		error_set(err, "there is nothing to undo in this worktree");
		error_hint(err,
			   "The last operation of another one is undone there, or where it changed "
			   "no files by 'git checkpoint undo %s'.",
			   ret->elsewhere);
	} else {
		error_set(err, "there is nothing to undo");
	}
	return error_code(err, EXIT_NO);
}

/* It was chosen before the lock was ours: whoever had the lock may have changed what it is. */
static int find_again(const struct undo *undo, const struct checkpoint_session *s,
		      const char *own_id, struct error *err)
{
	struct undo again CLEANUP(undo_release) = { 0 };

	if (find(&again, s, undo->wanted, own_id, err) < 0)
		return -1;
	if (!strcmp(again.id, undo->id) && json_equal(again.record, undo->record))
		return 0;
	error_refused(err, "operation %s is no longer the one to undo: another command came first",
		      undo->id);
	return error_hint(err, "Nothing was changed. 'git checkpoint list --operations' shows what "
			       "was done.");
}

/* ---- Refs ---------------------------------------------------------------------------- */

static bool is_same_value(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* A ref goes back if it still is where the operation left it. */
static int undo_ref(struct checkpoint_plan *plan, const json_t *ref, struct error *err)
{
	const char *name = json_member(ref, "name");
	const char *was = json_member(ref, "old"), *became = json_member(ref, "new");
	char *is CLEANUP(free_p) = NULL;

	if (!name || refs_read(&is, name, err) < 0)
		return name ? -1 : error_set(err, "the operation's record is damaged");
	if (is_same_value(is, was))
		return 0;
	if (!is_same_value(is, became)) {
		verdict_refuse(&plan->verdict, "'%s' has changed since", name);
		return 0;
	}
	checkpoint_plan_move(plan, name, is, was);
	if (strncmp(name, "refs/heads/", 11) != 0 ||
	    is_same_value(name, checkpoint_head_now(plan).branch))
		return 0;
	return checkpoint_plan_check_branch(plan, name, err);
}

/* HEAD and its branch are what the safety snapshot says, whatever the record has of them. */
static int undo_refs(struct checkpoint_plan *plan, const json_t *record, const char *branch,
		     struct error *err)
{
	const json_t *refs = json_object_get(record, "refs"), *ref;
	size_t i;

	json_array_foreach(refs, i, ref)
	{
		const char *name = json_member(ref, "name");

		if (plan->ref && name && (!strcmp(name, "HEAD") || is_same_value(name, branch)))
			continue;
		if (undo_ref(plan, ref, err) < 0)
			return -1;
	}
	return 0;
}

static const char *recorded_head(const json_t *record, const char *side)
{
	const json_t *refs = json_object_get(record, "refs"), *ref;
	size_t i;

	json_array_foreach(refs, i, ref)
	{
		const char *name = json_member(ref, "name");

		if (name && !strcmp(name, "HEAD"))
			return json_member(ref, side);
	}
	return NULL;
}

/* How a person gets to where HEAD was: to its branch, that branch made anew, or none. */
static int hint_at_switch(struct checkpoint_plan *plan, const struct checkpoint_head *then,
			  struct error *err)
{
	static const char heads[] = "refs/heads/";
	const char *branch = then->branch;
	char *is CLEANUP(free_p) = NULL;

	if (branch && refs_read(&is, branch, err) < 0)
		return -1;
	if (branch && !strncmp(branch, heads, strlen(heads)))
		branch += strlen(heads);
	if (!branch)
		verdict_hint(&plan->verdict, "Use 'git switch --detach %s' to go back first.",
			     then->commit);
	else if (is)
		verdict_hint(&plan->verdict, "Use 'git switch %s' to go back first.", branch);
	else if (then->commit)
		verdict_hint(&plan->verdict,
			     "Use 'git switch -c %s %s' to make that branch again, and go back, "
			     "first.",
			     branch, then->commit);
	else
		verdict_hint(&plan->verdict, "Use 'git switch --orphan %s' to go back first.",
			     branch);
	return 0;
}

/* HEAD goes back to the branch that the operation took it from; a person's own switch stays. */
static int undo_head(struct checkpoint_plan *plan, const json_t *record, struct error *err)
{
	struct checkpoint_head now = checkpoint_head_now(plan), then = checkpoint_head_then(plan);
	char *is CLEANUP(free_p) = checkpoint_head_value(&now);
	char *was CLEANUP(free_p) = checkpoint_head_value(&then);
	bool same = checkpoint_head_is_same_branch(&now, &then);
	char *commit CLEANUP(free_p) = NULL;

	if (!same && !is_same_value(is, recorded_head(record, "new"))) {
		verdict_refuse(&plan->verdict, "HEAD is another branch by now");
		return hint_at_switch(plan, &then, err);
	}
	if (then.branch) {
		if ((!same && checkpoint_plan_check_branch(plan, then.branch, err) < 0) ||
		    refs_read(&commit, then.branch, err) < 0 ||
		    checkpoint_plan_commits(plan, commit, then.commit, err) < 0)
			return -1;
		checkpoint_plan_move(plan, then.branch, commit, then.commit);
	}
	if (!same || !then.branch)
		checkpoint_plan_move(plan, "HEAD", is, was);
	return 0;
}

/* ---- The plan ------------------------------------------------------------------------ */

/* *ret_left: one that may be another's. */
static void try_unlock(char **ret_left, const struct repo *repo, const json_t *record)
{
	static const char *const lists[] = { "kept", "dangling" }, *const single[] = { "safety",
										       "branch" };
	const json_t *refs = json_object_get(record, "refs"), *ref;
	int64_t since = clock_parse_rfc3339(json_member(record, "started_at"));
	int64_t until = clock_parse_rfc3339(json_member(record, "locked_at"));
	bool removes = json_array_size(json_object_get(record, "dangling"));
	size_t i;

	json_array_foreach(refs, i, ref)
	{
		refs_unlock(ret_left, repo, json_member(ref, "name"), since, until);
		removes |= !json_member(ref, "new");
	}
	for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
		json_array_foreach(json_object_get(record, lists[k]), i, ref)
			refs_unlock(ret_left, repo, json_string_value(ref), since, until);
	for (size_t k = 0; k < ARRAY_SIZE(single); k++)
		if (json_member(record, single[k]))
			refs_unlock(ret_left, repo, json_member(record, single[k]), since, until);
	if (removes) /* it may be packed */
		refs_unlock(ret_left, repo, "packed-refs", since, until);
}

/*
 * Locks that a git left which was killed with the operation, as in a power cut: on the refs
 * that it was about to change. What another git has there, or ours that is about to find out
 * that it is alone, is let go of in a moment, or is for a person to judge.
 */
static int unlock_refs(const struct repo *repo, const json_t *record, struct error *err)
{
	const int tries = 50, pause_us = 20000;

	for (int i = 1;; i++) {
		char *left CLEANUP(free_p) = NULL;

		try_unlock(&left, repo, record);
		if (!left)
			return 0;
		if (interrupt_pending())
			return error_interrupted(err);
		if (i == tries) {
			error_refused(err, "there is a lock that another git may hold: '%s'", left);
			return error_hint(err,
					  "Where no other git is at work, the operation left it: "
					  "remove it, and try again: rm '%s'",
					  left);
		}
		usleep((useconds_t)pause_us);
	}
}

/* A lock on the index that the dead operation took is nobody's. */
static int remove_lock(const struct undo *undo, const struct checkpoint_plan *plan,
		       struct error *err)
{
	const struct repo *repo = &plan->session->repo;
	char *owner CLEANUP(free_p) = NULL;

	if (!undo->open || !plan->operation)
		return 0;
	if (unlock_refs(repo, undo->record, err) < 0 || index_lock_owner(&owner, repo, err) < 0)
		return -1;
	return is_same_value(owner, undo->id) ? index_lock_remove(repo, err) : 0;
}

static int plan_files(struct checkpoint_plan *plan, const struct undo *undo, struct error *err)
{
	char *oid CLEANUP(free_p) = NULL;

	plan->ref = xstrdup(json_member(undo->record, "safety"));
	if (refs_read(&oid, plan->ref, err) < 0)
		return -1;
	if (!oid) {
		error_refused(err, "the safety snapshot of operation %s is gone", undo->id);
		return error_hint(err, undo->open ? "It broke off while it changed files: nothing "
						    "but the files can tell what they were." :
						    "'git checkpoint prune --dangling' drops old "
						    "ones.");
	}
	if (remove_lock(undo, plan, err) < 0 || checkpoint_plan_files(plan, err) < 0)
		return -1;
	if (!plan->files.now.commit)
		return 0; /* refused before the present was looked at */
	return undo_head(plan, undo->record, err);
}

static int make_plan(struct checkpoint_plan *plan, void *data, struct error *err)
{
	const struct undo *undo = data;
	const char *branch = NULL;

	if (plan->operation && find_again(undo, plan->session, plan->operation, err) < 0)
		return -1;
	plan->name = xstrdup(undo->id);
	plan->undoes = xstrdup(undo->id);
	if (json_member(undo->record, "safety")) {
		plan->settles = undo->open;
		if (plan_files(plan, undo, err) < 0)
			return -1;
		branch = checkpoint_head_then(plan).branch;
	}
	return undo_refs(plan, undo->record, branch, err);
}

/* ---- What broke off ------------------------------------------------------------------ */

/* How many of the refs are still as they were, and how many are as they were to become. */
static int count_refs(const json_t *record, size_t *ret_old, size_t *ret_new, struct error *err)
{
	const json_t *refs = json_object_get(record, "refs"), *ref;
	size_t i;

	json_array_foreach(refs, i, ref)
	{
		char *is CLEANUP(free_p) = NULL;

		if (refs_read(&is, json_member(ref, "name"), err) < 0)
			return -1;
		*ret_old += is_same_value(is, json_member(ref, "old"));
		*ret_new += is_same_value(is, json_member(ref, "new"));
	}
	return 0;
}

/* Back to the old values, of those that have the new ones. */
static int put_refs_back(const struct checkpoint_session *s, const json_t *record,
			 struct error *err)
{
	struct refs_update update CLEANUP(refs_update_release) = REFS_UPDATE_INIT;
	const json_t *refs = json_object_get(record, "refs"), *ref;
	size_t i;

	update.message = "checkpoint undo";
	json_array_foreach(refs, i, ref)
	{
		const char *name = json_member(ref, "name");
		const char *was = json_member(ref, "old"), *became = json_member(ref, "new");
		char *is CLEANUP(free_p) = NULL;

		if (refs_read(&is, name, err) < 0)
			return -1;
		if (is_same_value(is, became) && !is_same_value(is, was))
			refs_add(&update, name, became ? became : "", was);
	}
	return refs_commit(&update, &s->repo, err);
}

static void tell(const struct checkpoint_session *s, const struct undo *undo, const char *what)
{
	json_t *json CLEANUP(json_decref_p) = NULL;

	if (s->common->json) {
		json = json_pack("{s:i, s:s, s:s, s:b, s:s}", "format", 1, "command", "undo",
				 "undoes", undo->id, "dry_run", s->common->dry_run, "settled",
				 what);
		json_print(json);
	} else if (!s->common->quiet) {
		note("operation %s had %s; its journal entry %s", undo->id, what,
		     s->common->dry_run ? "would be settled" : "is settled");
	}
}

/* Only refs, or nothing yet: it is found out how far it came, and that is written down. */
static int settle(const struct checkpoint_session *s, const struct undo *undo, struct error *err)
{
	struct operation lock CLEANUP(operation_release) = OPERATION_INIT;
	size_t was = 0, became = 0;
	size_t nr = json_array_size(json_object_get(undo->record, "refs"));
	bool files = json_member(undo->record, "safety");
	bool done;

	if (!s->common->dry_run && checkpoint_lock(&lock, s, "undo", err) < 0)
		return -1;
	if (!s->common->dry_run &&
	    (find_again(undo, s, lock.id, err) < 0 || unlock_refs(&s->repo, undo->record, err) < 0))
		return -1;
	if (!files && count_refs(undo->record, &was, &became, err) < 0)
		return -1;
	done = !files && nr && became == nr;
	tell(s, undo,
	     done		? "done all" :
	     was == nr || files ? "changed nothing" :
				  "done a part, which is taken back");
	if (s->common->dry_run)
		return EXIT_DONE;
	if (!done && !files && put_refs_back(s, undo->record, err) < 0)
		return -1;
	return journal_settle(s->repo.common_dir, undo->id,
			      done ? OPERATION_DONE : OPERATION_DISCARDED, err);
}

/*
 * Before the record says that the safety snapshot is made, no file has changed: then, and only
 * then, its ref may be missing.
 */
static int has_to_settle(bool *ret, const struct undo *undo, struct error *err)
{
	const char *safety = json_member(undo->record, "safety");
	char *oid CLEANUP(free_p) = NULL;

	if (undo->open && safety && refs_read(&oid, safety, err) < 0)
		return -1;
	*ret = undo->open && !oid && !json_is_true(json_object_get(undo->record, "safety_made"));
	return 0;
}

int checkpoint_undo(struct checkpoint_session *s, const char *operation, struct error *err)
{
	struct undo undo CLEANUP(undo_release) = { 0 };
	bool settles;

	if (find(&undo, s, operation, NULL, err) < 0 || has_to_settle(&settles, &undo, err) < 0)
		return -1;
	undo.wanted = operation;
	if (settles)
		return settle(s, &undo, err);
	if (json_member(undo.record, "safety") && checkpoint_need_worktree(s, err) < 0)
		return -1;
	return checkpoint_plan_run(s, "undo", make_plan, &undo, err);
}
