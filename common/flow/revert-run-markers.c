/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "flow/revert-run-parts.h"
#include "vcs/git.h"
#include "vcs/path.h"

/* As `git diff --check` says it of a path: "<path>:<line>: leftover conflict marker". 0: not. */
static size_t flagged_line(const char *at, const char *path)
{
	static const char says[] = ": leftover conflict marker\n";
	size_t len = strlen(path);
	char *end;
	unsigned long line;

	if (strncmp(at, path, len) != 0 || at[len] != ':')
		return 0;
	line = strtoul(at + len + 1, &end, 10);
	return strncmp(end, says, strlen(says)) != 0 ? 0 : line;
}

/* A line of "=======" may be a heading's: it counts between two others alone. */
static bool is_heading(const struct object *object, size_t line)
{
	const char *at = object->oid ? object->data.buf : "";

	for (; line > 1 && *at; line--)
		at += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n');
	return *at == '=';
}

static int add_markers(struct strvec *ret, const char *path, const struct strbuf *out,
		       struct error *err)
{
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	char *name CLEANUP(free_p) = xstrfmt(":%s", path);
	bool readable = !strchr(path, '\n');

	for (const char *at = out->buf; *at; at += strcspn(at, "\n") + 1) {
		size_t line = flagged_line(at, path);

		if (!line)
			continue;
		if (readable && !objects.nr) {
			objects_add(&objects, name);
			if (objects_read(&objects, err) < 0)
				return -1;
		}
		if (!readable || !is_heading(&objects.item[0], line))
			strvec_pushf(ret, "%s:%zu", path, line);
	}
	return 0;
}

/* "<path>:<line>" of those that are staged, and that HEAD has not, in files that were in conflict. */
static int list_markers(struct strvec *ret, const struct checkpoint_session *session,
			const json_t *waiting, struct error *err)
{
	enum { FOUND = 2 };
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec paths CLEANUP(strvec_release) = STRVEC_INIT;

	if (paths_from_json(&paths, json_object_get(waiting, "conflicts"), err) < 0)
		return -1;
	if (!paths.nr)
		return 0;
	repo_environment(&env, &session->repo);
	strvec_push(&env, "GIT_LITERAL_PATHSPECS=1");
	git_prepare(&git, &session->repo, &env);
	strvec_pushl(&git.argv, "diff", "--cached", "--check", "--no-relative", "--no-ext-diff",
		     "--no-renames", "--no-color", "--", NULL);
	for (size_t i = 0; i < paths.nr; i++)
		strvec_push(&git.argv, paths.v[i]);
	if (process_run(&git, err) < 0)
		return -1;
	if (git.status & ~FOUND)
		return git_error(&git, err, "could not look for conflict markers");
	for (size_t i = 0; i < paths.nr; i++)
		if (add_markers(ret, paths.v[i], &git.out, err) < 0)
			return -1;
	return 0;
}

int revert_check_markers(const struct checkpoint_session *session, const json_t *waiting,
			 struct error *err)
{
	struct strvec markers CLEANUP(strvec_release) = STRVEC_INIT;

	if (list_markers(&markers, session, waiting, err) < 0)
		return -1;
	if (!markers.nr)
		return 0;
	error_set(err, "there are conflict markers left");
	for (size_t i = 0; i < markers.nr; i++)
		error_detail(err, "%s", markers.v[i]);
	error_hint(err,
		   "Resolve them, and mark the files with 'git add'; or, where these lines belong "
		   "there, commit them with 'git commit', and go on then.");
	return error_code(err, EXIT_NO);
}
