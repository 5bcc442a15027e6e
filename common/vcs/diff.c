/* SPDX-License-Identifier: MIT */
#include "vcs/diff.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"

static int run_diff(struct strbuf *ret, const char *folder, const struct strbuf *before,
		    const struct strbuf *after, const char *name, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	char *old CLEANUP(free_p) = xstrfmt("%s/before", folder);
	char *new CLEANUP(free_p) = xstrfmt("%s/after", folder);
	const char *hunks;

	if (file_write(old, before->buf, before->len, 0600, err) < 0 ||
	    file_write(new, after->buf, after->len, 0600, err) < 0)
		return -1;
	strvec_pushl(&process.argv, "git", "diff", "--no-index", "--no-color", "--no-ext-diff",
		     "--no-textconv", "--text", "--", old, new, NULL);
	if (process_run(&process, err) < 0)
		return -1;
	if (process.status > 1) {
		char *reason CLEANUP(free_p) = process_reason(&process);

		return error_set(err, "cannot show how '%s' differs: %s", name, reason);
	}
	hunks = strstr(process.out.buf, "\n@@");
	if (hunks)
		strbuf_addf(ret, "--- %s as it was recorded\n+++ %s%s", name, name, hunks);
	return 0;
}

int diff_texts(struct strbuf *ret, const struct strbuf *before, const struct strbuf *after,
	       const char *name, struct error *err)
{
	const char *base = getenv("TMPDIR");
	char *folder CLEANUP(free_p) =
		xstrfmt("%s/git-rollback-XXXXXX", base && *base ? base : "/tmp");
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;
	int result;

	if (!mkdtemp(folder))
		return error_errno(err, "cannot create a temporary folder");
	result = run_diff(ret, folder, before, after, name, err);
	if (file_list(&names, folder, &ignored) < 0)
		error_clear(&ignored);
	for (size_t i = 0; i < names.nr; i++) {
		char *path CLEANUP(free_p) = xstrfmt("%s/%s", folder, names.v[i]);

		unlink(path);
	}
	rmdir(folder);
	return result;
}
