/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "flow/revert-run-parts.h"
#include "vcs/git.h"

static bool is_file(const struct tree_change *change)
{
	/* Line by line is how cat-file wants them; who has such names has no filters for them. */
	return mode_is_regular(change->new_mode) && !strchr(change->path, '\n');
}

/* "<blob> <path>" of those that a filter is for. */
static int find_filtered(struct strbuf *ret, const struct revert_run *run, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf paths CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *at, *end;

	for (size_t i = 0; i < run->moves.nr; i++)
		if (is_file(&run->moves.item[i]))
			strbuf_add(&paths, run->moves.item[i].path,
				   strlen(run->moves.item[i].path) + 1);
	if (!paths.len)
		return 0;
	git_prepare(&git, &run->session->repo, NULL);
	strvec_pushl(&git.argv, "check-attr", "-z", "--stdin", "filter", NULL);
	git.input = paths.buf;
	git.input_len = paths.len;
	if (git_run(&git, "look for filters", err) < 0)
		return -1;
	at = git.out.buf;
	end = at + git.out.len;
	while (at < end) { /* path, "filter", value */
		const char *path = at, *value;

		at += strlen(at) + 1;
		value = at + strlen(at) + 1;
		at = value + strlen(value) + 1;
		if (strcmp(value, "unspecified") != 0 && strcmp(value, "unset") != 0)
			strbuf_addf(ret, "%s %s\n", tree_changes_find(&run->moves, path)->new_oid,
				    path);
	}
	return 0;
}

int revert_run_try_filters(const struct revert_run *run, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strbuf wanted CLEANUP(strbuf_release) = STRBUF_INIT;
	int null CLEANUP(fd_close_p) = -1;

	if (!run->state.attributes)
		return 0;
	if (find_filtered(&wanted, run, err) < 0)
		return -1;
	if (!wanted.len)
		return 0;
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null < 0)
		return error_errno(err, "cannot open '/dev/null'");
	git_prepare(&git, &run->session->repo, NULL);
	strvec_pushl(&git.argv, "cat-file", "--batch", "--filters", NULL);
	git.input = wanted.buf;
	git.input_len = wanted.len;
	git.out_to = null;
	if (process_run(&git, err) < 0)
		return -1;
	if (!git.status)
		return 0;
	git_error(&git, err, "could not convert the files as they are going to be");
	error_code(err, EXIT_REFUSED);
	return error_hint(
		err, "Nothing was changed. See filter.<driver>.smudge in git's configuration.");
}
