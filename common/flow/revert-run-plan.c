/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "flow/revert-run-parts.h"
#include "vcs/path.h"

void revert_run_release(struct revert_run *run)
{
	struct revert_run_inside *inside = run->inside;

	revert_series_release(&run->series);
	worktree_state_release(&run->state);
	free(run->head);
	free(run->branch);
	tree_changes_release(&run->moves);
	strvec_release(&run->in_the_way);
	verdict_release(&run->verdict);
	if (inside) {
		tree_changes_release(&inside->documents);
		free(inside->summary);
		free(inside->commit);
		free(inside->document);
		strvec_release(&inside->keep);
		strvec_release(&inside->trailers);
		strvec_release(&inside->texts);
		json_decref(inside->record);
	}
	free(inside);
	*run = (struct revert_run)REVERT_RUN_INIT;
}

bool revert_run_is_nothing(const struct revert_run *run)
{
	const struct revert_origin *origin = &run->inside->origin;

	/* At its end a series that was to be one commit becomes one. */
	return !run->stops && !run->moves.nr &&
	       !(origin->series && run->request->squash &&
		 strcmp(run->head, json_member(origin->revert, "onto")) != 0);
}

/* ---- The documents ------------------------------------------------------------------- */

/*
 * The change of this path, new or old. Sorted is only what was there before any was added: paths that
 * are new come in once each, and who adds them sorts in the end.
 */
static struct tree_change *find_or_add(struct tree_changes *changes, size_t sorted,
				       const char *path)
{
	const struct tree_changes before = { .item = changes->item, .nr = sorted };
	struct tree_change *change = tree_changes_find(&before, path);

	return change ? change : tree_changes_add(changes, path);
}

/* Their bytes were made of those that there were when the series began. */
static int check_documents(struct revert_run *run, const struct strvec *paths,
			   const struct tree_files *now, struct error *err)
{
	const struct revert_origin *origin = &run->inside->origin;
	struct tree_files then CLEANUP(tree_files_release) = TREE_FILES_INIT;
	bool same;

	if (!origin->revert)
		return 0;
	if (tree_list_paths(&then, json_member(origin->revert, "onto"), paths, false, err) < 0)
		return -1;
	same = then.nr == now->nr;
	for (size_t i = 0; same && i < then.nr; i++)
		same = !strcmp(then.item[i].path, now->item[i].path) &&
		       !strcmp(then.item[i].oid, now->item[i].oid);
	if (same)
		return 0;
	verdict_refuse(&run->verdict, "the documents were changed since the series began");
	verdict_hint(&run->verdict, "Update them by hand, and end the series with --quit.");
	return 0;
}

static int plan_documents(struct revert_run *run, struct error *err)
{
	const struct revert_run_request *request = run->request;
	struct tree_changes *all = &run->inside->documents;
	struct strvec paths CLEANUP(strvec_release) = STRVEC_INIT;
	struct tree_files now CLEANUP(tree_files_release) = TREE_FILES_INIT;
	enum { SAME = 1 };

	if (!request->documents || run->stops)
		return 0;
	for (size_t i = 0; i < request->documents; i++)
		strvec_push(&paths, request->document[i].path);
	if (tree_list_paths(&now, run->head, &paths, false, err) < 0)
		return -1;
	if (check_documents(run, &paths, &now, err) < 0)
		return -1;
	for (size_t i = 0; i < now.nr; i++) {
		struct tree_change *change = tree_changes_add(all, now.item[i].path);

		change->old_mode = now.item[i].mode;
		change->old_oid = xstrdup(now.item[i].oid);
	}
	tree_changes_sort(all);
	for (size_t i = 0, sorted = all->nr; i < request->documents; i++) {
		const struct revert_document *document = &request->document[i];
		struct tree_change *change = find_or_add(all, sorted, document->path);

		if (document->data) {
			change->new_mode =
				mode_is_regular(change->old_mode) ? change->old_mode : MODE_FILE;
			string_replace(&change->new_oid,
				       revert_add_blob(&run->series, document->data,
						       strlen(document->data)));
		}
		if (change->old_mode == change->new_mode &&
		    (!change->old_oid || !strcmp(change->old_oid, change->new_oid)))
			change->flags = SAME;
	}
	tree_changes_sort(all);
	tree_changes_drop(all, SAME);
	return 0;
}

/* ---- What moves ---------------------------------------------------------------------- */

/* The second changes come behind the first; of paths that both have, only that side is taken. */
static void add_changes(struct tree_changes *to, const struct tree_changes *from)
{
	size_t sorted = to->nr;

	for (size_t i = 0; i < from->nr; i++) {
		const struct tree_change *change = &from->item[i];
		size_t had = to->nr;
		struct tree_change *there = find_or_add(to, sorted, change->path);

		if (to->nr > had) {
			there->old_mode = change->old_mode;
			there->old_oid = xstrdup_or_null(change->old_oid);
		}
		there->new_mode = change->new_mode;
		string_replace(&there->new_oid, change->new_mode ? change->new_oid : NULL);
	}
	tree_changes_sort(to);
}

static void plan_moves(struct revert_run *run)
{
	if (run->stops) {
		revert_stop_changes(&run->moves, run);
		return;
	}
	revert_sum_up(&run->moves, &run->series, run->steps);
	add_changes(&run->moves, &run->inside->documents);
}

static void find_stop(struct revert_run *run)
{
	while (run->steps < run->series.nr &&
	       run->series.step[run->steps].outcome != REVERT_CONFLICT)
		run->steps++;
	run->stops = run->steps < run->series.nr;
}

/* ---- What is in the way -------------------------------------------------------------- */

static void refuse_path(struct revert_run *run, const char *path, const char *why)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	if (strvec_has(&run->in_the_way, path))
		return;
	strvec_push(&run->in_the_way, path);
	path_show(&text, path);
	verdict_refuse(&run->verdict, "%s: %s", text.buf, why);
}

/* Is there more in that folder than folders, and tracked files that go? */
static bool holds_something(const struct revert_run *run, int top, const char *path)
{
	char *folder CLEANUP(free_p) = xstrfmt("%s/", path);
	int fd = beneath_open_folder(top, folder, strlen(folder));
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool found = !dir;

	if (!dir && fd >= 0)
		close(fd);
	while (!found && (entry = readdir(dir))) {
		char *inside CLEANUP(free_p) = xstrfmt("%s%s", folder, entry->d_name);
		const struct tree_change *change = tree_changes_find(&run->moves, inside);
		struct stat st;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode))
			found = holds_something(run, top, inside);
		else
			found = !change || change->new_mode;
	}
	if (dir)
		closedir(dir);
	return found;
}

/* A new file, and something stands there that git does not know. */
static void look_at_new(struct revert_run *run, struct beneath *top, const char *path)
{
	struct stat st;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *above CLEANUP(free_p) = xmemdupz(path, (size_t)(slash - path));
		const struct tree_change *goes = tree_changes_find(&run->moves, above);

		if (beneath_stat(top, &st, above) < 0)
			return;
		if (S_ISDIR(st.st_mode))
			continue;
		if (!goes || goes->new_mode)
			refuse_path(run, above, "it stands where a folder is needed");
		return;
	}
	if (beneath_stat(top, &st, path) < 0)
		return;
	if (!S_ISDIR(st.st_mode))
		refuse_path(run, path, "it is not tracked, and would be overwritten");
	else if (holds_something(run, top->top, path))
		refuse_path(run, path, "a folder stands there, with something that is not tracked");
}

static void look_at_path(struct revert_run *run, struct beneath *top,
			 const struct tree_change *change)
{
	const struct worktree_entry *entry = worktree_find(&run->state, change->path);

	if (entry && entry->hidden && entry->worktree_mode)
		refuse_path(
			run, change->path,
			"it may have changes that would be overwritten: git does not look, as it is "
			"marked as assume-unchanged or skip-worktree");
	else if (entry && !entry->hidden && (entry->staged || entry->changed || entry->unmerged))
		refuse_path(run, change->path,
			    entry->changed ? "it has changes that would be overwritten" :
					     "it has staged changes that would be overwritten");
	else if (!entry && !change->old_mode && change->new_mode != MODE_SUBMODULE)
		look_at_new(run, top, change->path);
}

static int find_in_the_way(struct revert_run *run, struct error *err)
{
	int top CLEANUP(fd_close_p) =
		open(run->session->repo.worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct beneath beneath CLEANUP(beneath_release) = BENEATH_INIT(top);

	if (top < 0)
		return error_errno(err, "cannot open '%s'", run->session->repo.worktree);
	for (size_t i = 0; i < run->moves.nr; i++)
		look_at_path(run, &beneath, &run->moves.item[i]);
	if (run->in_the_way.nr)
		verdict_hint(&run->verdict,
			     "Commit these changes, or put them away with 'git stash', first; what "
			     "is not tracked can be moved, or stashed with '--all'.");
	return 0;
}

/* They would go into the commit of what is resolved. */
static void refuse_staged(struct revert_run *run)
{
	size_t had = run->verdict.reasons.nr;

	for (size_t i = 0; i < run->state.nr; i++)
		if (run->state.entry[i].staged && !run->state.entry[i].hidden)
			refuse_path(
				run, run->state.entry[i].path,
				"it has staged changes, and there will be a conflict to commit");
	if (run->verdict.reasons.nr > had)
		verdict_hint(&run->verdict, "Commit what is staged, or unstage it with 'git "
					    "restore --staged', first.");
}

static void refuse_conflicts(struct revert_run *run)
{
	const struct revert_step *step = &run->series.step[run->steps];

	for (size_t i = 0; i < step->conflicts; i++)
		if (step->conflict[i].kind == REVERT_FILE_FOLDER) {
			verdict_refuse(
				&run->verdict,
				"'%s' of commit %.10s comes back where a folder stands by now",
				step->conflict[i].path, step->commit);
			verdict_hint(&run->verdict,
				     "Move that folder first, or leave the commit out.");
		}
	refuse_staged(run);
}

/* Another series waits: what it has of the branch would be mixed up with this one's. */
static int check_waiting(struct revert_run *run, struct error *err)
{
	json_t *waiting CLEANUP(json_decref_p) = NULL;
	const char *what;
	char *shown CLEANUP(free_p) = NULL;

	if (run->inside->origin.revert)
		return 0; /* it is this one */
	if (revert_waiting(&waiting, run->session, err) < 0)
		return -1;
	if (!waiting)
		return 0;
	what = json_member(json_object_get(json_object_get(waiting, "revert"), "members"), "text");
	shown = text_escaped(what ? what : "other commits");
	verdict_refuse(&run->verdict, "the revert of %s waits to be gone on with", shown);
	verdict_hint(&run->verdict,
		     "Finish it first, by 'git revert-track --continue', --skip or "
		     "--abort; or forget it by --quit. '--status' says where it is.");
	return 0;
}

static void check_in_progress(struct revert_run *run)
{
	bool other = false;

	for (size_t i = 0; i < run->state.in_progress.nr; i++) {
		if (!strcmp(run->state.in_progress.v[i], "bisect"))
			continue; /* it only chooses what is checked out */
		verdict_refuse(&run->verdict, "a %s is in progress", run->state.in_progress.v[i]);
		other = true;
	}
	for (size_t i = 0; i < run->state.nr; i++)
		if (run->state.entry[i].unmerged)
			refuse_path(run, run->state.entry[i].path, "it is unmerged");
	if (other)
		verdict_hint(&run->verdict, "Finish or abort that first; 'git status' says how.");
}

/* ---- All of it ----------------------------------------------------------------------- */

static void summarise(struct revert_run *run)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "%s %s %zu %d\n", run->head, run->branch ? run->branch : "", run->steps,
		    run->stops);
	for (size_t i = 0; i < run->series.nr; i++)
		strbuf_addf(&text, "%s %d\n", run->series.step[i].commit,
			    run->series.step[i].outcome);
	for (size_t i = 0; i < run->moves.nr; i++)
		strbuf_addf(&text, "%o %s %s\n", run->moves.item[i].new_mode,
			    run->moves.item[i].new_mode ? run->moves.item[i].new_oid : "",
			    run->moves.item[i].path);
	for (size_t i = 0; i < run->verdict.reasons.nr; i++)
		strbuf_addf(&text, "%s\n", run->verdict.reasons.v[i]);
	run->inside->summary = strbuf_detach(&text);
}

static int look(struct revert_run *run, struct error *err)
{
	const struct worktree_request files = { .no_untracked = true };

	if (checkpoint_need_worktree(run->session, err) < 0 ||
	    worktree_read(&run->state, &run->session->repo, &files, err) < 0)
		return -1;
	if (!run->state.head) {
		error_set(err, "there is no commit yet");
		return error_code(err, EXIT_NO);
	}
	run->head = xstrdup(run->state.head);
	run->branch = xstrdup_or_null(run->state.branch);
	if (check_waiting(run, err) < 0)
		return -1;
	if (verdict_is_clean(&run->verdict))
		check_in_progress(run);
	return 0;
}

static int plan(struct revert_run *run, struct error *err)
{
	const struct revert_run_request *request = run->request;

	if (look(run, err) < 0)
		return -1;
	run->inside->wanted = (struct revert_request){ .commit = request->commit,
						       .nr = request->nr,
						       .onto = run->head,
						       .keep = request->keep };
	if (revert_compute(&run->series, &run->session->repo, &run->inside->wanted, err) < 0)
		return -1;
	find_stop(run);
	if (plan_documents(run, err) < 0)
		return -1;
	plan_moves(run);
	if (find_in_the_way(run, err) < 0)
		return -1;
	if (run->stops)
		refuse_conflicts(run);
	summarise(run);
	return 0;
}

int revert_run_plan(struct revert_run *ret, const struct checkpoint_session *session,
		    const struct revert_run_request *request, struct error *err)
{
	ret->session = session;
	ret->request = request;
	ret->inside = xcalloc(1, sizeof(*ret->inside));
	return plan(ret, err);
}

/* ---- From and to the journal --------------------------------------------------------- */

static json_t *commits_to_json(const struct revert_run_request *request)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < request->nr; i++)
		json_array_append_new(ret, json_pack("{s:s, s:i}", "commit", request->commit[i].oid,
						     "mainline", (int)request->commit[i].mainline));
	return ret;
}

/* A text as bytes: path_to_json() brings it back as it was. */
static json_t *documents_to_json(const struct revert_run_request *request)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < request->documents; i++) {
		const struct revert_document *document = &request->document[i];

		json_array_append_new(ret, json_pack("{s:o, s:o}", "path",
						     path_to_json(document->path), "text",
						     document->data ? path_to_json(document->data) :
								      json_null()));
	}
	return ret;
}

json_t *revert_run_to_json(const struct revert_run *run)
{
	static const struct strvec nothing = STRVEC_INIT;
	const struct revert_run_request *request = run->request;
	json_t *ret;

	if (run->inside->origin.revert)
		return json_deep_copy(run->inside->origin.revert);
	ret = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "onto", run->head,
			"branch", json_text(run->branch), "commits", commits_to_json(request),
			"keep", paths_to_json(request->keep ? request->keep : &nothing), "trailers",
			paths_to_json(request->trailers ? request->trailers : &nothing), "reason",
			json_text(request->reason), "squash", request->squash, "squash_subject",
			json_text(request->squash_subject), "documents", documents_to_json(request),
			"documents_subject", json_text(request->documents_subject));
	if (!ret)
		BUG("cannot pack a series of reverts");
	if (request->members)
		json_object_set_new(ret, "members", json_deep_copy(request->members));
	return ret;
}

static int damaged(struct error *err)
{
	return error_set(err, "the operation's record is damaged");
}

static int read_commits(struct revert_run_inside *inside, const json_t *revert, struct error *err)
{
	const json_t *commits = json_object_get(revert, "commits"), *item;
	size_t i;

	inside->commit = xcalloc(json_array_size(commits), sizeof(*inside->commit));
	json_array_foreach(commits, i, item)
	{
		json_int_t mainline = json_integer_value(json_object_get(item, "mainline"));
		const char *oid = json_member(item, "commit");

		if (!oid)
			return damaged(err);
		if (i >= inside->origin.position)
			inside->commit[inside->read.nr++] =
				(struct revert_commit){ .oid = oid,
							.mainline = (unsigned)mainline };
	}
	inside->read.commit = inside->commit;
	return 0;
}

static int read_documents(struct revert_run_inside *inside, const json_t *revert, struct error *err)
{
	const json_t *documents = json_object_get(revert, "documents"), *item;
	size_t i;

	inside->document = xcalloc(json_array_size(documents), sizeof(*inside->document));
	json_array_foreach(documents, i, item)
	{
		const char *text = json_member(item, "text"), *path = json_member(item, "path");
		char *bytes = path ? path_from_json(path) : NULL;
		struct revert_document *document = &inside->document[inside->read.documents++];

		if (!bytes)
			return damaged(err);
		strvec_push_nodup(&inside->texts, bytes);
		document->path = bytes;
		if (!text)
			continue;
		bytes = path_from_json(text);
		if (!bytes)
			return damaged(err);
		strvec_push_nodup(&inside->texts, bytes);
		document->data = bytes;
	}
	inside->read.document = inside->document;
	return 0;
}

static int read_request(struct revert_run_inside *inside, const json_t *record, struct error *err)
{
	const json_t *revert;
	json_int_t position = json_integer_value(json_object_get(record, "position"));

	inside->record = json_deep_copy(record);
	revert = json_object_get(inside->record, "revert");
	inside->origin = (struct revert_origin){ .revert = revert,
						 .series = json_member(inside->record, "series"),
						 .position = (size_t)position };
	if (!inside->origin.series || !json_member(revert, "onto"))
		return damaged(err);
	inside->read = (struct revert_run_request){
		.keep = &inside->keep,
		.trailers = &inside->trailers,
		.reason = json_member(revert, "reason"),
		.squash = json_is_true(json_object_get(revert, "squash")),
		.squash_subject = json_member(revert, "squash_subject"),
		.documents_subject = json_member(revert, "documents_subject"),
		.members = json_object_get(revert, "members")
	};
	if (paths_from_json(&inside->keep, json_object_get(revert, "keep"), err) < 0 ||
	    paths_from_json(&inside->trailers, json_object_get(revert, "trailers"), err) < 0)
		return -1;
	return read_commits(inside, revert, err) < 0 || read_documents(inside, revert, err) < 0 ?
		       -1 :
		       0;
}

int revert_run_plan_rest(struct revert_run *ret, const struct checkpoint_session *session,
			 const json_t *record, struct error *err)
{
	ret->session = session;
	ret->inside = xcalloc(1, sizeof(*ret->inside));
	ret->request = &ret->inside->read;
	if (read_request(ret->inside, record, err) < 0)
		return -1;
	return plan(ret, err);
}
