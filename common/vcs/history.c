/* SPDX-License-Identifier: MIT */
#include "vcs/history.h"

#include "base/memory.h"
#include "base/process.h"

void history_files_release(struct history_files *files)
{
	for (size_t i = 0; i < files->nr; i++) {
		free(files->item[i].commit);
		free(files->item[i].ref);
		free(files->item[i].path);
		free(files->item[i].oid);
	}
	free(files->item);
	*files = (struct history_files)HISTORY_FILES_INIT;
}

/*
 * The commits that reflogs of HEAD, local branches and the stash name, one a line. Not
 * `git log --reflog`: that takes the reflogs of remote-tracking branches as well.
 */
static int reflog_commits(struct strbuf *ret, struct error *err)
{
	static const char *const starts[] = { "--branches", "--glob=refs/stash*", "HEAD" };

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		struct process process CLEANUP(process_release) = PROCESS_INIT;

		strvec_pushl(&process.argv, "git", "log", "--walk-reflogs", "--encoding=UTF-8",
			     "--format=%H", starts[i], "--", NULL);
		if (process_run(&process, err) < 0)
			return -1;
		/* It fails where there is no reflog yet: then there is nothing to find. */
		if (!process.status)
			strbuf_add(ret, process.out.buf, process.out.len);
	}
	return 0;
}

/* Header of a commit in the output below: "\1<commit> <source>". */
static void parse_header(struct history_file *now, const char *text)
{
	const char *space = strchr(text, ' ');

	free(now->commit);
	free(now->ref);
	now->commit = xmemdupz(text + 1, space ? (size_t)(space - text - 1) : strlen(text + 1));
	now->ref = xstrdup(space ? space + 1 : "");
}

/* ":<mode> <mode> <oid> <oid> <status>": the blob after the change; NULL where it is gone. */
static char *parse_raw(const char *text)
{
	char modes[2][8], oids[2][80], status[8];

	if (sscanf(text, ":%7s %7s %79s %79s %7s", modes[0], modes[1], oids[0], oids[1], status) !=
	    5)
		return NULL;
	if (status[0] == 'D' || strncmp(modes[1], "100", 3) != 0)
		return NULL;
	return xstrdup(oids[1]);
}

static void parse_log(struct history_files *ret, const char *text, size_t len)
{
	struct history_file now = { 0 };

	for (size_t at = 0; at < len;) {
		const char *token = text + at;

		at += strlen(token) + 1;
		token += *token == '\n';
		if (*token == '\1') {
			parse_header(&now, token);
		} else if (*token == ':' && at < len && now.commit) {
			char *oid = parse_raw(token);
			const char *path = text + at;

			at += strlen(path) + 1;
			if (!oid)
				continue;
			ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
			ret->item[ret->nr++] = (struct history_file){
				.commit = xstrdup(now.commit),
				.ref = xstrdup(now.ref),
				.path = xstrdup(path),
				.oid = oid,
			};
		}
	}
	free(now.commit);
	free(now.ref);
}

/* What the refs reach; or, given `commits`, what the stash and those reach and no ref does. */
static int search(struct history_files *ret, const struct strbuf *commits,
		  const struct strvec *pathspecs, bool with_remotes, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;

	strvec_pushl(&process.argv, "git", "log", "--encoding=UTF-8", NULL);
	if (commits) {
		strvec_pushl(&process.argv, "--glob=refs/stash*", "--stdin", "--not", NULL);
		process.input = commits->buf;
		process.input_len = commits->len;
	}
	/* Where fetches put what others have pushed: `git maintenance`, and refspecs of the forges. */
	if (!with_remotes)
		strvec_pushl(&process.argv, "--exclude=refs/remotes/*", "--exclude=refs/prefetch/*",
			     "--exclude=refs/pull/*", "--exclude=refs/merge-requests/*",
			     "--exclude=refs/changes/*", NULL);
	strvec_pushl(&process.argv, "--exclude=refs/stash", "--all", "-z", "--raw", "--no-abbrev",
		     "--no-renames", "--no-show-signature", "-m", "--root",
		     "--format=tformat:%x01%H %S", "--", NULL);
	for (size_t i = 0; i < pathspecs->nr; i++)
		strvec_push(&process.argv, pathspecs->v[i]);
	if (process_run(&process, err) < 0)
		return -1;
	if (process.status)
		return process_error(&process, err, "cannot search the history");
	parse_log(ret, process.out.buf, process.out.len);
	return 0;
}

/*
 * Refs first, stash and reflogs apart: git names a commit by the first start it is reached
 * from, and nearly every commit was made here once, so that its reflog would stand for its
 * branch; and a stash has nearly every file, as added since its other parents.
 */
int history_files_find(struct history_files *ret, const struct strvec *pathspecs, bool with_remotes,
		       struct error *err)
{
	struct strbuf commits CLEANUP(strbuf_release) = STRBUF_INIT;

	if (!pathspecs->nr)
		BUG("history_files_find() without a path");
	if (search(ret, NULL, pathspecs, with_remotes, err) < 0 ||
	    reflog_commits(&commits, err) < 0)
		return -1;
	return commits.len ? search(ret, &commits, pathspecs, with_remotes, err) : 0;
}

char *history_place(const struct history_file *file)
{
	static const char *const folders[] = { "refs/heads/", "refs/tags/", "refs/remotes/",
					       "refs/" };
	const char *ref = file->ref;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		if (!strncmp(ref, folders[i], strlen(folders[i]))) {
			ref += strlen(folders[i]);
			return xstrfmt("%s (%.7s)", ref, file->commit);
		}
	}
	/* Reached from a reflog alone: no ref has it any more. */
	return xstrfmt("the reflog (%.7s)", file->commit);
}
