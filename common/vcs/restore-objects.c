/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "vcs/git.h"
#include "vcs/object.h"
#include "vcs/promised.h"
#include "vcs/restore-parts.h"

/* The ids of those that will be written, or are in the new index. */
static void add_new_blobs(struct strvec *ret, const struct restore *restore)
{
	const struct tree_changes *const changes[] = { &restore->files, &restore->rewritten,
						       &restore->index };

	for (size_t k = 0; k < ARRAY_SIZE(changes); k++)
		for (size_t i = 0; i < changes[k]->nr; i++)
			if (mode_is_file(changes[k]->item[i].new_mode))
				strvec_push(ret, changes[k]->item[i].new_oid);
	restore_add_raw(ret, restore);
}

/* What a partial clone has left with its remote comes at once: files, and the payload. */
int restore_fetch(const struct restore *restore, struct error *err)
{
	const struct snapshot *target = restore->request->target;
	struct tree_files payload CLEANUP(tree_files_release) = TREE_FILES_INIT;
	struct strvec wanted CLEANUP(strvec_release) = STRVEC_INIT;
	bool any;

	if (promised_any(&any, restore->repo, err) < 0)
		return -1;
	if (!any)
		return 0;
	if (tree_list(&payload, target->payload_tree, "", err) < 0)
		return -1;
	for (size_t i = 0; i < payload.nr; i++)
		strvec_push(&wanted, payload.item[i].oid);
	add_new_blobs(&wanted, restore);
	strvec_sort(&wanted);
	return promised_fetch(&wanted, target->commit, restore->repo, err);
}

/* Has every blob that is needed read, and its content compared with its name. */
int restore_start_verifying(struct process *git, const struct restore *restore, struct error *err)
{
	struct strvec blobs CLEANUP(strvec_release) = STRVEC_INIT;
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;

	add_new_blobs(&blobs, restore);
	if (!blobs.nr)
		return 0;
	for (size_t i = 0; i < blobs.nr; i++)
		strbuf_addf(&input, "%s\n", blobs.v[i]);
	git_prepare(git, restore->repo, &restore->env);
	strvec_pushl(&git->argv, "rev-list", "--objects", "--verify-objects", "--quiet", "--stdin",
		     NULL);
	git->input = "";
	if (process_start(git, err) < 0 || process_write(git, input.buf, input.len, err) < 0)
		return -1;
	process_end_input(git);
	return 0;
}

int restore_finish_verifying(struct process *git, struct error *err)
{
	if (git->pid <= 0)
		return 0;
	if (process_finish(git, err) < 0)
		return -1;
	if (!git->status)
		return 0;
	process_error(git, err, "an object of the snapshot is damaged or missing");
	if (err->exit_code == EXIT_INTERRUPTED)
		return -1;
	error_hint(err, "Nothing was changed.");
	return error_code(err, EXIT_NO);
}
