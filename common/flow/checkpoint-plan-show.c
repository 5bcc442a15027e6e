/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/text.h"
#include "flow/checkpoint-plan.h"
#include "term/output.h"
#include "vcs/path.h"

/* ---- JSON ---------------------------------------------------------------------------- */

static const char *change_name(const struct tree_change *change)
{
	return !change->old_mode ? "appears" : !change->new_mode ? "goes" : "changes";
}

static json_t *file_to_json(const struct tree_change *change)
{
	return json_pack("{s:o, s:s, s:b, s:b}", "path", path_to_json(change->path), "change",
			 change_name(change), "untracked", (change->flags & RESTORE_UNTRACKED) != 0,
			 "ignored", (change->flags & RESTORE_IGNORED) != 0);
}

static json_t *files_to_json(const struct tree_changes *files)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < files->nr; i++)
		json_array_append_new(ret, file_to_json(&files->item[i]));
	return ret;
}

static json_t *changes_paths(const struct tree_changes *changes)
{
	json_t *paths = json_array();

	for (size_t i = 0; i < changes->nr; i++)
		json_array_append_new(paths, path_to_json(changes->item[i].path));
	return paths;
}

static json_t *index_to_json(const struct restore *files)
{
	return json_pack("{s:b, s:o}", "file", files->index_kind == RESTORE_INDEX_FILE, "entries",
			 changes_paths(&files->index));
}

static json_t *state_to_json(const struct restore *files)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < files->state_nr; i++) {
		const struct restore_state_file *file = &files->state[i];

		if (file->now || file->then)
			json_array_append_new(ret, json_pack("{s:s, s:b, s:b}", "name", file->name,
							     "now", file->now != NULL, "then",
							     file->then != NULL));
	}
	return ret;
}

json_t *checkpoint_plan_moves(const struct checkpoint_plan *plan)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < plan->moves.nr; i++)
		json_array_append_new(
			ret, checkpoint_change_to_json(plan->moves.item[i].name,
						       refs_old_value(&plan->moves.item[i]),
						       plan->moves.item[i].new_oid));
	return ret;
}

json_t *checkpoint_plan_to_json(const struct checkpoint_plan *plan)
{
	const struct restore *files = &plan->files;
	json_t *ret =
		json_pack("{s:i, s:s, s:o, s:o, s:o, s:b, s:o, s:b, s:o}", "format", 1, "command",
			  plan->verb, "checkpoint", json_text(plan->name), "snapshot",
			  json_text(plan->target.commit), "undoes", json_text(plan->undoes),
			  "dry_run", plan->session->common->dry_run, "refs",
			  checkpoint_plan_moves(plan), "adds_commit", plan->adds_commit, "commits",
			  plan->commits ? json_incref(plan->commits) : json_array());

	if (!ret)
		BUG("cannot pack a plan");
	verdict_to_json(&plan->verdict, ret);
	json_object_set_new(ret, "files", files_to_json(&files->files));
	json_object_set_new(ret, "rewritten", changes_paths(&files->rewritten));
	json_object_set_new(ret, "index", index_to_json(files));
	json_object_set_new(ret, "made_folders", paths_to_json(&files->make_folders));
	json_object_set_new(ret, "removed_folders", paths_to_json(&files->remove_folders));
	json_object_set_new(ret, "kept", paths_to_json(&files->stays));
	json_object_set_new(ret, "exposed", paths_to_json(&files->exposed));
	json_object_set_new(ret, "submodules", paths_to_json(&files->submodules));
	json_object_set_new(ret, "left_out", paths_to_json(&files->alone));
	json_object_set_new(ret, "state", state_to_json(files));
	if (plan->database)
		json_object_set(ret, "database", plan->database);
	return ret;
}

json_t *checkpoint_plan_report(const struct checkpoint_plan *plan, const struct error *failure)
{
	json_t *ret = checkpoint_plan_to_json(plan);

	json_object_set_new(ret, "operation", json_text(plan->operation));
	json_object_set_new(ret, "safety", json_text(plan->safety));
	json_object_set_new(ret, "outcome", json_string(outcome_name(failure)));
	if (failure)
		json_object_set_new(ret, "error", error_to_json(failure));
	return ret;
}

/* ---- For people ---------------------------------------------------------------------- */

static void add_line(struct strbuf *out, const char *before, const char *path, const char *after)
{
	struct strbuf shown CLEANUP(strbuf_release) = STRBUF_INIT;

	path_show(&shown, path);
	strbuf_addstr(out, before);
	text_escape(out, shown.buf, shown.len, false);
	strbuf_addf(out, "%s\n", after);
}

static void add_list(struct strbuf *out, const char *title, const struct strvec *paths)
{
	if (!paths->nr)
		return;
	strbuf_addf(out, "%s:\n", title);
	for (size_t i = 0; i < paths->nr; i++)
		add_line(out, "  ", paths->v[i], "");
}

static void add_value(struct strbuf *out, const char *value)
{
	char *shown CLEANUP(free_p) = value ? text_escaped(value) : NULL;

	if (!value)
		strbuf_addstr(out, "nothing");
	else if (!strncmp(value, "ref: ", 5))
		strbuf_addstr(out, shown + 5);
	else
		strbuf_addf(out, "%.10s", shown);
}

static void add_moves(struct strbuf *out, const struct checkpoint_plan *plan)
{
	for (size_t i = 0; i < plan->moves.nr; i++) {
		char *name CLEANUP(free_p) = text_escaped(plan->moves.item[i].name);

		strbuf_addf(out, "%s: ", name);
		add_value(out, refs_old_value(&plan->moves.item[i]));
		strbuf_addstr(out, " -> ");
		if (plan->adds_commit && i + 1 == plan->moves.nr)
			strbuf_addstr(out, "a new commit");
		else
			add_value(out, plan->moves.item[i].new_oid);
		strbuf_addch(out, '\n');
	}
}

static void add_commits(struct strbuf *out, const struct checkpoint_plan *plan)
{
	const json_t *commit;
	size_t i, nr = json_array_size(plan->commits);

	if (!nr)
		return;
	strbuf_addf(out,
		    nr == 1 ? "%zu commit leaves its branch:\n" :
			      "%zu commits leave their branch:\n",
		    nr);
	json_array_foreach(plan->commits, i, commit)
	{
		char *subject CLEANUP(free_p) = text_escaped(json_member(commit, "subject"));

		strbuf_addf(out, "  %.10s %s\n", json_member(commit, "commit"), subject);
	}
}

static void add_files(struct strbuf *out, const struct tree_changes *files)
{
	size_t changes = 0, appears = 0, goes = 0;

	for (size_t i = 0; i < files->nr; i++)
		if (!files->item[i].old_mode)
			appears++;
		else if (!files->item[i].new_mode)
			goes++;
		else
			changes++;
	if (!files->nr)
		return;
	strbuf_addf(out, "Files: %zu to change, %zu to appear, %zu to go:\n", changes, appears,
		    goes);
	for (size_t i = 0; i < files->nr; i++) {
		const struct tree_change *change = &files->item[i];
		const char *letter = !change->old_mode ? "  A " :
				     !change->new_mode ? "  D " :
							 "  M ";
		const char *what = change->flags & RESTORE_IGNORED   ? " (ignored)" :
				   change->flags & RESTORE_UNTRACKED ? " (untracked)" :
								       "";

		add_line(out, letter, change->path, what);
	}
}

static void add_index(struct strbuf *out, const struct restore *files)
{
	if (files->index_kind == RESTORE_INDEX_FILE)
		strbuf_addstr(out, "Index: the whole file, with its flags and stages\n");
	else if (files->index.nr)
		strbuf_addf(out, "Index: %zu %s\n", files->index.nr,
			    files->index.nr == 1 ? "entry" : "entries");
	for (size_t i = 0; i < files->state_nr; i++) {
		const struct restore_state_file *file = &files->state[i];

		if (file->now || file->then)
			strbuf_addf(out, "%s: %s\n", file->name,
				    !file->then ? "to go" :
				    !file->now	? "to appear" :
						  "as the checkpoint has it");
	}
}

static void plan_text(struct strbuf *out, const struct checkpoint_plan *plan)
{
	const struct restore *files = &plan->files;
	char *name CLEANUP(free_p) = text_escaped(plan->name);

	if (plan->undoes)
		strbuf_addf(out, "Undoing operation %s:\n", plan->undoes);
	else
		strbuf_addf(out, "Restoring '%s':\n", name);
	add_moves(out, plan);
	add_commits(out, plan);
	add_files(out, &files->files);
	if (files->rewritten.nr)
		strbuf_addf(out, "Line ends or filters, as they were then: %zu %s\n",
			    files->rewritten.nr, files->rewritten.nr == 1 ? "file" : "files");
	add_list(out, "Folders to make", &files->make_folders);
	add_list(out, "Empty folders to remove", &files->remove_folders);
	add_index(out, files);
	add_list(out, "Untracked, not in it, and kept", &files->stays);
	add_list(out, "Ignored now, will show as untracked", &files->exposed);
	add_list(out, "Submodules, left as they are but in the index", &files->submodules);
	add_list(out, "Left out when one of the two states was kept, and left alone",
		 &files->alone);
}

void checkpoint_plan_show(const struct checkpoint_plan *plan)
{
	const struct common_options *common = plan->session->common;
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	if (common->json && common->dry_run) {
		json_t *json CLEANUP(json_decref_p) = checkpoint_plan_to_json(plan);

		json_print(json);
		return;
	}
	if (checkpoint_plan_is_nothing(plan) && verdict_is_clean(&plan->verdict)) {
		if (!common->quiet && !common->json)
			note("nothing to %s: all is as it was then", plan->verb);
	} else if (!((common->quiet || common->json) && common->yes)) {
		plan_text(&text, plan);
		fflush(stdout);
		fputs(text.buf, common->dry_run ? stdout : stderr);
	}
	verdict_print(&plan->verdict, common->dry_run);
}
