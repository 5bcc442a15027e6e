/* SPDX-License-Identifier: MIT */
#include "vcs/worktree-parts.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"

static bool has(const char *folder, const char *name)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/%s", folder, name);
	struct stat st;

	return !lstat(path, &st);
}

/* A sequence that waits between two commits has its next command in the first line. */
static const char *sequencer_kind(const char *git_dir)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/sequencer/todo", git_dir);
	struct strbuf todo CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (file_read(&todo, path, &ignored) != FILE_FOUND)
		return NULL;
	return !strncmp(todo.buf, "revert", 6) ? "revert" : "cherry-pick";
}

void worktree_find_in_progress(struct strvec *ret, const char *git_dir)
{
	static const struct {
		const char *file, *name;
	} known[] = {
		{ "MERGE_HEAD", "merge" },
		{ "rebase-merge", "rebase" },
		{ "rebase-apply/rebasing", "rebase" },
		{ "rebase-apply/applying", "am" },
		{ "CHERRY_PICK_HEAD", "cherry-pick" },
		{ "REVERT_HEAD", "revert" },
		{ "BISECT_LOG", "bisect" },
	};
	const char *sequence = sequencer_kind(git_dir);

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (has(git_dir, known[i].file))
			strvec_push(ret, known[i].name);
	if (sequence && !strvec_has(ret, sequence))
		strvec_push(ret, sequence);
}

/* HEAD's own file names a branch in full; what status prints may be cut, or in parentheses. */
void worktree_read_branch(char **branch, const char *git_dir)
{
	static const char start[] = "ref: ";
	char *path CLEANUP(free_p) = xstrfmt("%s/HEAD", git_dir);
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (file_read(&text, path, &ignored) != FILE_FOUND ||
	    strncmp(text.buf, start, strlen(start)) != 0)
		return;
	strbuf_rtrim(&text);
	if (strcmp(text.buf + strlen(start), "refs/heads/.invalid") != 0) /* reftables */
		string_replace(branch, text.buf + strlen(start));
}
