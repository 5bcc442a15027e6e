/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint.h"

#include <ctype.h>

#include "base/memory.h"
#include "base/nearest.h"
#include "flow/patience.h"
#include "flow/trusting.h"
#include "term/output.h"

#define COMMAND "checkpoint "

/* ---- Session ------------------------------------------------------------------------- */

bool checkpoint_is_ours(const json_t *record)
{
	const char *command = json_member(record, "command");

	return command && (!strncmp(command, COMMAND, strlen(COMMAND)) ||
			   !strcmp(command, CHECKPOINT_REVERT_TRACK));
}

static void warn_of_interrupted(const struct checkpoint_session *s)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	json_t *open CLEANUP(json_decref_p) = NULL, *record;
	size_t i;

	if (journal_open(&open, s->repo.common_dir, NULL, &err) < 0) {
		warning("%s", err.message);
		return;
	}
	json_array_foreach(open, i, record)
	{
		const char *id = json_member(record, "id");
		const char *command = json_member(record, "command");

		if (!id || !checkpoint_is_ours(record))
			continue;
		warning("operation %s of 'git %s' was interrupted", id, command);
		hint("Run 'git checkpoint undo %s' to finish or undo it.", id);
	}
}

int checkpoint_session_open(struct checkpoint_session *s, const struct common_options *common,
			    struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	s->common = common;
	/* What is kept, read and written is the objects themselves, and none that refs/replace names. */
	setenv("GIT_NO_REPLACE_OBJECTS", "1", 1);
	if (settings_start(&s->settings, err) < 0 || repo_start(&git, err) < 0 ||
	    repo_finish(&s->repo, &git, err) < 0 ||
	    settings_finish(&s->settings, s->repo.worktree, s->repo.git_dir, err) < 0)
		return -1;
	trusting_warn(&s->settings);
	warn_of_interrupted(s);
	return 0;
}

void checkpoint_session_close(struct checkpoint_session *s)
{
	repo_release(&s->repo);
	settings_release(&s->settings);
	*s = (struct checkpoint_session)CHECKPOINT_SESSION_INIT;
}

int checkpoint_need_worktree(const struct checkpoint_session *s, struct error *err)
{
	if (s->repo.worktree)
		return 0;
	return error_set(err, "there is no worktree here: %s",
			 s->repo.bare ? "the repository is bare" : "this is git's own folder");
}

int checkpoint_check_open(const struct checkpoint_session *s, const char *operation,
			  struct error *err)
{
	json_t *open CLEANUP(json_decref_p) = NULL, *record;
	size_t i;

	if (journal_open(&open, s->repo.common_dir, operation, err) < 0)
		return -1;
	json_array_foreach(open, i, record)
	{
		const char *id = json_member(record, "id");
		const char *worktree = checkpoint_record_worktree(record);

		if (!json_member(record, "safety") || !worktree ||
		    strcmp(worktree, checkpoint_worktree_id(&s->repo)) != 0)
			continue;
		error_refused(err, "operation %s was interrupted while it changed files", id);
		return error_hint(err, "Run 'git checkpoint undo %s' first.", id);
	}
	return 0;
}

#define WORKTREES "/worktrees/"

const char *checkpoint_worktree_id(const struct repo *repo)
{
	return strcmp(repo->git_dir, repo->common_dir) != 0 ? strrchr(repo->git_dir, '/') + 1 : "";
}

const char *checkpoint_record_worktree(const json_t *record)
{
	const char *worktree = json_member(record, "worktree");
	const char *name = worktree ? strrchr(worktree, '/') : NULL;
	size_t len = strlen(WORKTREES);

	if (!name)
		return worktree;
	/* The path of its git folder, as it was at first: no use once the repository is moved. */
	if ((size_t)(name + 1 - worktree) > len && !strncmp(name + 1 - len, WORKTREES, len))
		return name + 1;
	return "";
}

int checkpoint_lock(struct operation *operation, const struct checkpoint_session *s,
		    const char *verb, struct error *err)
{
	char *command CLEANUP(free_p) = xstrfmt(COMMAND "%s", verb);

	return patience_lock_operation(operation, s->repo.common_dir, command, s->common, err);
}

int checkpoint_begin(struct operation *operation, const struct checkpoint_session *s,
		     const char *verb, json_t *members, struct error *err)
{
	char *command CLEANUP(free_p) = xstrfmt(COMMAND "%s", verb);
	json_t *all CLEANUP(json_decref_p) = json_object();

	json_object_set_new(all, "worktree", json_text(checkpoint_worktree_id(&s->repo)));
	if (members)
		json_object_update(all, members);
	return patience_begin_operation(operation, s->repo.common_dir, command, all, s->common,
					err);
}

void checkpoint_end(struct operation *operation, const struct error *failure)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	enum operation_end end = OPERATION_DONE;

	if (!operation->record)
		return;
	if (failure && error_is_set(failure))
		end = failure->exit_code == EXIT_INTERRUPTED ? OPERATION_INTERRUPTED :
							       OPERATION_FAILED;
	if (operation_close(operation, end, &err) < 0)
		warning("%s", err.message);
}

int checkpoint_leave_open(struct operation *operation, struct error *err)
{
	error_hint(err, "Run 'git checkpoint undo %s' to finish or undo it.", operation->id);
	operation_release(operation);
	return -1;
}

/* ---- Refs ---------------------------------------------------------------------------- */

#define SAFETY "/safety"

char *checkpoint_safety_ref(const char *operation)
{
	return xstrfmt(SNAPSHOT_OPERATIONS "%s" SAFETY, operation);
}

char *checkpoint_kept_ref(const char *operation, size_t n)
{
	return xstrfmt(SNAPSHOT_OPERATIONS "%s/%zu", operation, n);
}

bool checkpoint_is_safety_ref(const char *ref)
{
	const char *last = strrchr(ref, '/');

	return !strncmp(ref, SNAPSHOT_OPERATIONS, strlen(SNAPSHOT_OPERATIONS)) &&
	       !strcmp(last, SAFETY);
}

json_t *checkpoint_change_to_json(const char *name, const char *old_value, const char *new_value)
{
	return json_pack("{s:o, s:o, s:o}", "name", json_text(name), "old", json_text(old_value),
			 "new", json_text(new_value));
}

void checkpoint_refs_init(struct checkpoint_refs *refs, const struct operation *operation)
{
	refs->refs = json_array();
	refs->kept = json_array();
	refs->operation = xstrdup(operation->id);
}

void checkpoint_refs_add(struct checkpoint_refs *refs, const char *name, const char *old_oid,
			 const char *new_oid)
{
	json_array_append_new(refs->refs, checkpoint_change_to_json(name, old_oid, new_oid));
	refs_add(&refs->update, name, old_oid ? old_oid : "", new_oid);
	if (old_oid) {
		char *kept CLEANUP(free_p) =
			checkpoint_kept_ref(refs->operation, json_array_size(refs->kept));

		json_array_append_new(refs->kept, json_text(kept));
		refs_add(&refs->update, kept, "", old_oid);
	}
}

void checkpoint_refs_to_members(const struct checkpoint_refs *refs, json_t *members)
{
	json_object_set(members, "refs", refs->refs);
	json_object_set(members, "kept", refs->kept);
}

void checkpoint_refs_release(struct checkpoint_refs *refs)
{
	refs_update_release(&refs->update);
	json_decref(refs->refs);
	json_decref(refs->kept);
	free(refs->operation);
	*refs = (struct checkpoint_refs)CHECKPOINT_REFS_INIT;
}

int checkpoint_refs_commit(struct refs_update *update, const struct checkpoint_session *s,
			   struct operation *operation, struct error *err)
{
	if (refs_prepare(update, &s->repo, err) < 0)
		return -1;
	if (refs_commit(update, &s->repo, err) == 0)
		return 0;
	return checkpoint_leave_open(operation, err);
}

int checkpoint_check_kept(const struct snapshot_capture *capture, const struct refs_update *made,
			  const struct repo *repo, struct error *err)
{
	struct refs_update back CLEANUP(refs_update_release) = REFS_UPDATE_INIT;
	int whole = snapshot_check(capture, repo, err);

	if (whole != SNAPSHOT_BROKEN)
		return whole;
	refs_reverse(&back, made);
	if (refs_commit(&back, repo, err) < 0)
		return -1;
	error_set(err, "could not keep the present state: another git has removed objects of it");
	error_hint(err, "Nothing was changed. Try again.");
	return SNAPSHOT_BROKEN;
}

/* ---- Names --------------------------------------------------------------------------- */

/* What git-check-ref-format(1) says of the part of a ref between slashes. */
static const char *component_fault(const char *name, size_t len)
{
	if (!len)
		return "it has an empty part";
	if (*name == '.')
		return "a part of it begins with a dot";
	if (len >= 5 && !strncmp(name + len - 5, ".lock", 5))
		return "a part of it ends in '.lock'";
	return NULL;
}

const char *checkpoint_name_fault(const char *name)
{
	if (*name == '-')
		return "it looks like an option";
	if (strstr(name, "..") || strstr(name, "@{"))
		return "git has a meaning of its own for '..' and '@{'";
	if (*name && name[strlen(name) - 1] == '.')
		return "it ends in a dot";
	for (const char *c = name; *c; c++)
		if (iscntrl((unsigned char)*c) || strchr(" ~^:?*[\\", *c))
			return "it has a blank, a control character, or one of ~^:?*[\\";
	for (const char *part = name;; part++) {
		size_t len = strcspn(part, "/");
		const char *fault = component_fault(part, len);

		if (fault)
			return fault;
		part += len;
		if (!*part)
			return NULL;
	}
}

int checkpoint_check_name(const char *name, struct error *err)
{
	const char *fault = checkpoint_name_fault(name);

	if (!fault)
		return 0;
	error_set(err, "'%s' cannot be the name of a checkpoint: %s", name, fault);
	return error_code(err, EXIT_USAGE);
}

bool checkpoint_is_unnamed(const char *name)
{
	static const char shape[] = "00000000T000000.000000Z";

	for (const char *c = shape; *c; c++, name++)
		if (*c == '0' ? !isdigit((unsigned char)*name) : *name != *c)
			return false;
	return !*name || *name == '-';
}

const char *checkpoint_name(const char *ref)
{
	if (!strncmp(ref, SNAPSHOT_REFS, strlen(SNAPSHOT_REFS)))
		return ref + strlen(SNAPSHOT_REFS);
	if (!strncmp(ref, SNAPSHOT_OPERATIONS, strlen(SNAPSHOT_OPERATIONS)))
		return ref + strlen(SNAPSHOT_OPERATIONS);
	return ref;
}

/* ---- Finding ------------------------------------------------------------------------- */

int checkpoint_hint_fetch(struct error *err)
{
	return error_hint(err, "Get the snapshots of a remote with " CHECKPOINT_FETCH ".");
}

static int not_found(const char *name, struct error *err)
{
	static const char short_tag[] = "checkpoint/";
	size_t skip = strncmp(name, short_tag, strlen(short_tag)) ? 0 : strlen(short_tag);
	char *tag CLEANUP(free_p) = xstrfmt(SNAPSHOT_TAGS "%s", name + skip);
	const char *const patterns[] = { SNAPSHOT_REFS, tag, NULL };
	struct refs refs CLEANUP(refs_release) = REFS_INIT;
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	const char *near;

	if (refs_list(&refs, patterns, NULL, NULL, err) < 0)
		return -1;
	if (refs_find(&refs, tag)) {
		error_set(err, "of checkpoint '%s' the tag is here, and its snapshot is not",
			  name + skip);
		return checkpoint_hint_fetch(err);
	}
	for (size_t i = 0; i < refs.nr; i++)
		strvec_push(&names, checkpoint_name(refs.item[i].name));
	near = nearest_name(name, &names);
	error_set(err, "there is no checkpoint '%s'", name);
	if (near)
		return error_hint(err, "Did you mean '%s'?", near);
	return error_hint(err, "'git checkpoint list' shows what there is.");
}

void checkpoint_refs_of_name(struct strvec *ret, const char *name)
{
	static const char short_tag[] = "checkpoint/";
	char *safety CLEANUP(free_p) = checkpoint_safety_ref(name);

	strvec_pushf(ret, SNAPSHOT_REFS "%s", name);
	if (!strncmp(name, short_tag, strlen(short_tag)))
		strvec_pushf(ret, SNAPSHOT_REFS "%s", name + strlen(short_tag));
	if (checkpoint_name(name) != name)
		strvec_push(ret, name);
	strvec_push(ret, safety);
	strvec_pushf(ret, SNAPSHOT_OPERATIONS "%s", name); /* as checkpoint_name() says it */
}

int checkpoint_find(char **ret_ref, const char *name, struct error *err)
{
	struct strvec candidates CLEANUP(strvec_release) = STRVEC_INIT;
	struct refs refs CLEANUP(refs_release) = REFS_INIT;

	if (checkpoint_check_name(name, err) < 0)
		return -1;
	checkpoint_refs_of_name(&candidates, name);
	if (refs_list(&refs, (const char *const *)candidates.v, NULL, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < candidates.nr; i++)
		if (refs_find(&refs, candidates.v[i])) {
			*ret_ref = xstrdup(candidates.v[i]);
			return 0;
		}
	return not_found(name, err);
}
