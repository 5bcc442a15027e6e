/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint-verify.h"

#include "base/memory.h"
#include "base/text.h"
#include "flow/checkpoint-check.h"
#include "term/amount.h"
#include "term/output.h"
#include "term/progress.h"
#include "vcs/closure.h"
#include "vcs/path.h"

struct target {
	char *ref, *oid, *tag; /* `tag`: the id its ref has, or NULL */
	struct check_problems problems;
};
struct verification {
	struct checkpoint_session *session;
	struct target *item;
	size_t nr, alloc;
	size_t objects, promised; /* of all together */
	uint64_t bytes;
};

static void verification_release(struct verification *v)
{
	for (size_t i = 0; i < v->nr; i++) {
		free(v->item[i].ref);
		free(v->item[i].oid);
		free(v->item[i].tag);
		check_problems_release(&v->item[i].problems);
	}
	free(v->item);
}

/* ---- Which --------------------------------------------------------------------------- */

static void add_target(struct verification *v, const struct refs *refs, const struct ref *ref)
{
	struct target target = { .ref = xstrdup(ref->name), .oid = xstrdup(ref->oid) };
	char *name CLEANUP(free_p) = xstrfmt(SNAPSHOT_TAGS "%s", checkpoint_name(ref->name));
	const struct ref *tag = refs_find(refs, name);

	if (tag && !strncmp(ref->name, SNAPSHOT_REFS, strlen(SNAPSHOT_REFS)))
		target.tag = xstrdup(tag->oid);
	ARRAY_GROW(v->item, v->nr + 1, v->alloc);
	v->item[v->nr++] = target;
}

/* Beside an operation's safety snapshot are those that it has put aside. */
static bool is_wanted(const char *ref, bool all)
{
	if (!strncmp(ref, SNAPSHOT_REFS, strlen(SNAPSHOT_REFS)))
		return true;
	return all && checkpoint_is_safety_ref(ref);
}

static int find_targets(struct verification *v, const struct checkpoint_verify_request *request,
			struct error *err)
{
	const char *const patterns[] = { SNAPSHOT_REFS, SNAPSHOT_TAGS, SNAPSHOT_OPERATIONS, NULL };
	struct refs refs CLEANUP(refs_release) = REFS_INIT;

	/* Names and ids alone: what they name may be lost. */
	if (refs_list(&refs, patterns, NULL, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < request->names; i++) {
		char *found CLEANUP(free_p) = NULL;
		const struct ref *ref;

		if (checkpoint_find(&found, request->name[i], err) < 0)
			return -1;
		ref = is_wanted(found, true) ? refs_find(&refs, found) : NULL;
		if (!ref)
			return error_set(err, "'%s' is no checkpoint", request->name[i]);
		add_target(v, &refs, ref);
	}
	for (size_t i = 0; i < refs.nr && !request->names; i++)
		if (is_wanted(refs.item[i].name, request->all))
			add_target(v, &refs, &refs.item[i]);
	return 0;
}

/* ---- What is wrong ------------------------------------------------------------------- */

static void add_fault(struct target *target, const struct closure_fault *fault)
{
	enum check_kind kind = fault->kind == CLOSURE_MISSING ? CHECK_MISSING : CHECK_DAMAGED;
	const char *how = fault->kind == CLOSURE_MISSING ? "not there" : "damaged";
	const char *part = check_part_name(fault->part);
	struct check_problem *problem;

	if (!fault->path)
		problem = check_add(&target->problems, kind, NULL, fault->oid,
				    "lost: %s (commit %s is %s)", part, fault->oid, how);
	else if (!*fault->path)
		problem = check_add(&target->problems, kind, "", fault->oid,
				    "lost: all of %s (tree %s is %s)", part, fault->oid, how);
	else
		problem = check_add(&target->problems, kind, fault->path, fault->oid,
				    "lost: '%s%s' in %s (%s %s is %s)", fault->path,
				    *fault->type == 't' ? "/" : "", part, fault->type, fault->oid,
				    how);
	problem->type = fault->type;
}

/* History that cannot be walked because the snapshot's own commits are gone is no news. */
static bool lost_commits(const struct closure *closure)
{
	for (size_t i = 0; i < closure->faults; i++)
		if (!closure->fault[i].path)
			return true;
	return false;
}

/* All of one checkpoint by itself, once it is known that not all is well with all. */
static int verify_alone(struct verification *v, struct target *target, struct error *err)
{
	const char *const commit[] = { target->oid };
	struct closure closure CLEANUP(closure_release) = CLOSURE_INIT;
	char *gap CLEANUP(free_p) = NULL;

	if (closure_read(&closure, &v->session->repo, commit, 1, NULL, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < closure.faults; i++)
		add_fault(target, &closure.fault[i]);
	if (check_lfs(&target->problems, v->session, &closure, err) < 0)
		return -1;
	if (lost_commits(&closure))
		return 0;
	if (closure_check_history(&gap, commit, 1, err) < 0)
		return -1;
	if (gap)
		check_add(&target->problems, CHECK_HISTORY, NULL, NULL,
			  "the history of the commit that HEAD was has a gap: %s", gap);
	return 0;
}

static void show_progress(size_t objects, void *data)
{
	progress_update(data, objects);
}

/* One pass over all of them, since they share most of what they have. */
static int verify_objects(struct verification *v, struct error *err)
{
	const char **commit CLEANUP(free_p) = xcalloc(v->nr + 1, sizeof(*commit));
	struct closure closure CLEANUP(closure_release) = CLOSURE_INIT;
	struct check_problems lfs CLEANUP(check_problems_release) = CHECK_PROBLEMS_INIT;
	struct progress progress CLEANUP(progress_abandon) = PROGRESS_INIT;
	const struct common_options *common = v->session->common;
	char *gap CLEANUP(free_p) = NULL;

	for (size_t i = 0; i < v->nr; i++)
		commit[i] = v->item[i].oid;
	progress_start(&progress, "Reading objects", 0, PROGRESS_COUNT,
		       common->quiet || common->json ? 0 : common->progress);
	if (closure_read(&closure, &v->session->repo, commit, v->nr, show_progress, &progress,
			 err) < 0)
		return -1;
	progress_finish(&progress);
	if (check_lfs(&lfs, v->session, &closure, err) < 0)
		return -1;
	v->objects = closure.objects;
	v->bytes = closure.bytes;
	v->promised = closure.promised;
	if (!closure.faults && !lfs.nr && closure_check_history(&gap, commit, v->nr, err) < 0)
		return -1;
	if (!closure.faults && !lfs.nr && !gap)
		return 0;
	for (size_t i = 0; i < v->nr; i++)
		if (verify_alone(v, &v->item[i], err) < 0)
			return -1;
	return 0;
}

/* Where objects are lost, it cannot be told whether it agrees. */
static bool lost_objects(const struct target *target)
{
	for (size_t i = 0; i < target->problems.nr; i++)
		if (target->problems.item[i].kind == CHECK_MISSING ||
		    target->problems.item[i].kind == CHECK_DAMAGED)
			return true;
	return false;
}

static int verify_agreement(struct verification *v, struct target *target, struct error *err)
{
	struct snapshot snapshot CLEANUP(snapshot_release) = SNAPSHOT_INIT;
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	struct check_problems *problems = &target->problems;
	bool is_checkpoint = !strncmp(target->ref, SNAPSHOT_REFS, strlen(SNAPSHOT_REFS));

	if (lost_objects(target))
		return 0;
	if (snapshot_read(&snapshot, target->oid, &reason) < 0) {
		if (reason.exit_code == EXIT_INTERRUPTED) {
			error_move(err, &reason);
			return -1;
		}
		check_add(problems, CHECK_SHAPE, NULL, target->oid, "%s", reason.message);
		return 0;
	}
	check_manifest(problems, &snapshot, is_checkpoint ? checkpoint_name(target->ref) : NULL);
	if (is_checkpoint && !target->tag &&
	    json_is_true(json_object_get(snapshot.manifest, "tag")))
		check_add(problems, CHECK_NO_TAG, NULL, NULL, "the tag that it was given is gone");
	if (target->tag && check_tag(problems, &v->session->repo, &snapshot, target->tag, err) < 0)
		return -1;
	return check_payload(problems, &v->session->repo, &snapshot, err);
}

/* ---- What can be done ---------------------------------------------------------------- */

static const struct {
	const char *name; /* in JSON */
	const char *advice;
} kinds[] = {
	[CHECK_MISSING] = { "missing",
			    "An object can be put back: from another clone by 'git -C "
			    "<clone> cat-file <type> <id> | git hash-object -w -t <type> "
			    "--stdin', from a file that still is the same by 'git "
			    "hash-object -w <file>'. What is not lost can be restored by "
			    "its path." },
	[CHECK_DAMAGED] = { "damaged", NULL },
	[CHECK_LFS_MISSING] = { "lfs_missing", "'git lfs fetch --all' brings it back where the "
					       "remote has it." },
	[CHECK_LFS_DAMAGED] = { "lfs_damaged",
				"Remove the damaged file from git-lfs's folder, then "
				"'git lfs fetch --all' brings it back where the "
				"remote has it." },
	[CHECK_SHAPE] = { "shape", "It was not made by 'git checkpoint', or not by this version. "
				   "'git checkpoint drop' takes it away." },
	[CHECK_MANIFEST] = { "manifest", "Somebody has made it, or a part of it, anew: look at it "
					 "with 'git checkpoint show' before you restore it." },
	[CHECK_TAG] = { "tag",
			"The snapshot is what is restored: nothing is lost. Remove the tag, or "
			"put it back where it was." },
	[CHECK_NO_TAG] = { "no_tag",
			   "The snapshot is what is restored: nothing is lost. Where a remote has "
			   "the tag, \"git fetch <remote> "
			   "'refs/tags/checkpoint/*:refs/tags/checkpoint/*'\" brings it back." },
	[CHECK_PART] = { "part",
			 "Files, index and HEAD can be restored; do not rely on this part of "
			 "the payload." },
	[CHECK_INDEX] = { "index", "Files and HEAD can be restored with --strategy=files; what was "
				   "staged is in the snapshot's second parent." },
	[CHECK_HISTORY] = { "history",
			    "The checkpoint's own files are whole. 'git fsck' says what is "
			    "missing; 'git fetch --refetch' may bring it back." },
};

/* One advice for both kinds of lost objects. */
static enum check_kind advice_of(enum check_kind kind)
{
	return kind == CHECK_DAMAGED ? CHECK_MISSING : kind;
}

/* Each once, however many checkpoints it is for. */
static void show_advice(const struct verification *v)
{
	bool said[ARRAY_SIZE(kinds)] = { false };

	for (size_t i = 0; i < v->nr; i++) {
		const struct check_problems *problems = &v->item[i].problems;

		for (size_t k = 0; k < problems->nr; k++) {
			enum check_kind kind = advice_of(problems->item[k].kind);

			if (!said[kind])
				hint("%s", kinds[kind].advice);
			said[kind] = true;
		}
	}
}

/* ---- Output -------------------------------------------------------------------------- */

static json_t *problem_to_json(const struct check_problem *problem)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "kind", kinds[problem->kind].name, "message",
			 json_text(problem->text), "path",
			 problem->path ? path_to_json(problem->path) : json_null(), "object",
			 json_text(problem->oid), "advice",
			 json_text(kinds[advice_of(problem->kind)].advice));
}

static json_t *target_to_json(const struct target *target)
{
	json_t *problems = json_array();

	for (size_t i = 0; i < target->problems.nr; i++)
		json_array_append_new(problems, problem_to_json(&target->problems.item[i]));
	return json_pack("{s:o, s:o, s:o, s:b, s:o}", "name",
			 json_text(checkpoint_name(target->ref)), "ref", json_text(target->ref),
			 "snapshot", json_text(target->oid), "whole", !target->problems.nr,
			 "problems", problems);
}

static void show_json(const struct verification *v, bool whole)
{
	json_t *list = json_array();
	json_t *json CLEANUP(json_decref_p) =
		json_pack("{s:i, s:b, s:o, s:o, s:o, s:o}", "format", 1, "whole", whole, "objects",
			  json_size(v->objects), "bytes", json_size(v->bytes), "promised",
			  json_size(v->promised), "checkpoints", list);

	for (size_t i = 0; i < v->nr; i++)
		json_array_append_new(list, target_to_json(&v->item[i]));
	json_print(json);
}

static void show_target(const struct target *target, bool quiet)
{
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;
	const struct check_problems *problems = &target->problems;
	const char *name = checkpoint_name(target->ref);

	if (problems->nr || !quiet) {
		text_escape(&line, name, strlen(name), false);
		printf("%s %s\n", mark_text(problems->nr ? MARK_FAILED : MARK_DONE, output_utf8()),
		       line.buf);
	}
	for (size_t i = 0; i < problems->nr; i++) {
		strbuf_reset(&line);
		text_escape(&line, problems->item[i].text, strlen(problems->item[i].text), false);
		printf("    %s\n", line.buf);
	}
}

static void show_text(const struct verification *v)
{
	struct strbuf line CLEANUP(strbuf_release) = STRBUF_INIT;
	bool quiet = v->session->common->quiet;

	for (size_t i = 0; i < v->nr; i++)
		show_target(&v->item[i], quiet);
	show_advice(v);
	if (quiet)
		return;
	amount_add_count(&line, v->nr, "checkpoint", NULL);
	strbuf_addstr(&line, ", ");
	amount_add_count(&line, v->objects, "object", NULL);
	strbuf_addstr(&line, ", ");
	amount_add_size(&line, v->bytes);
	strbuf_addstr(&line, " read");
	if (v->promised)
		strbuf_addf(&line, "; %zu more are left with the remote", v->promised);
	note("%s", line.buf);
}

int checkpoint_verify(struct checkpoint_session *s, const struct checkpoint_verify_request *request,
		      struct error *err)
{
	struct verification v CLEANUP(verification_release) = { .session = s };
	bool whole = true;

	if (find_targets(&v, request, err) < 0)
		return -1;
	if (v.nr && verify_objects(&v, err) < 0)
		return -1;
	for (size_t i = 0; i < v.nr; i++) {
		if (verify_agreement(&v, &v.item[i], err) < 0)
			return -1;
		whole = whole && !v.item[i].problems.nr;
	}
	if (s->common->json)
		show_json(&v, whole);
	else
		show_text(&v);
	return whole ? EXIT_DONE : EXIT_NO;
}
