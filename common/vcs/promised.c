/* SPDX-License-Identifier: MIT */
#include "vcs/promised.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "vcs/git.h"

/* Their packs are marked. */
int promised_any(bool *ret, const struct repo *repo, struct error *err)
{
	char *folder CLEANUP(free_p) = xstrfmt("%s/objects/pack", repo->common_dir);
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;

	*ret = false;
	if (file_list(&names, folder, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr && !*ret; i++) {
		const char *dot = strrchr(names.v[i], '.');

		*ret = dot && !strcmp(dot, ".promisor");
	}
	return 0;
}

/* Lists the objects; `missing` is what git is to do about those that are not there. */
static int list_objects(struct process *git, const char *missing, const char *const *commit,
			size_t nr, struct error *err)
{
	struct strbuf names CLEANUP(strbuf_release) = STRBUF_INIT;

	for (size_t i = 0; i < nr; i++)
		strbuf_addf(&names, "%s\n%s^@\n", commit[i], commit[i]);
	strvec_pushl(&git->argv, "git", "rev-list", "--objects", "--no-walk", "--no-object-names",
		     "--stdin", missing, NULL);
	git->input = names.buf;
	git->input_len = names.len;
	return process_run(git, err);
}

int promised_find(struct strvec *ret, const char *const *commit, size_t nr, struct error *err)
{
	struct process check CLEANUP(process_release) = PROCESS_INIT;
	struct process list CLEANUP(process_release) = PROCESS_INIT;

	if (list_objects(&check, "--missing=allow-promisor", commit, nr, err) < 0)
		return -1;
	if (check.status)
		return 0;
	if (list_objects(&list, "--missing=print", commit, nr, err) < 0)
		return -1;
	for (const char *line = list.out.buf; *line; line += strcspn(line, "\n") + 1)
		if (*line == '?')
			strvec_push_nodup(ret, xmemdupz(line + 1, strcspn(line + 1, "\n")));
	strvec_sort(ret);
	return 0;
}

/* Whose filter left them out; "" where none is configured. */
static int find_remote(struct strbuf *ret, const struct repo *repo, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	static const char start[] = "remote.", end[] = ".promisor";

	git_prepare(&git, repo, NULL);
	strvec_pushl(&git.argv, "config", "-z", "--bool", "--get-regexp",
		     "^remote\\..*\\.promisor$", "^true$", NULL);
	if (process_run(&git, err) < 0)
		return -1;
	size_t len = strcspn(git.out.buf, "\n");
	if (!git.status && len > strlen(start) + strlen(end))
		strbuf_add(ret, git.out.buf + strlen(start), len - strlen(start) - strlen(end));
	return 0;
}

/* As git itself does it; whatever the user's settings of fetches are. */
static int fetch(const char *remote, const struct strbuf *oids, const struct repo *repo,
		 struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;

	strvec_push(&env, "LC_ALL=C");
	git_prepare(&git, repo, &env);
	strvec_pushl(&git.argv, "-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet",
		     "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
		     "--recurse-submodules=no", "--filter=blob:none", "--stdin", remote, NULL);
	git.input = oids->buf;
	git.input_len = oids->len;
	if (process_run(&git, err) < 0)
		return -1;
	if (!git.status)
		return 0;
	process_error(&git, err, "could not fetch what this partial clone has left with '%s'",
		      remote);
	return error_hint(err, "Try again when it can be reached.");
}

int promised_fetch(const struct strvec *wanted, const char *commit, const struct repo *repo,
		   struct error *err)
{
	struct strvec missing CLEANUP(strvec_release) = STRVEC_INIT;
	struct strbuf remote CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf oids CLEANUP(strbuf_release) = STRBUF_INIT;

	if (promised_find(&missing, &commit, 1, err) < 0 || find_remote(&remote, repo, err) < 0)
		return -1;
	for (size_t i = 0; i < missing.nr; i++)
		if (strvec_has_sorted(wanted, missing.v[i]))
			strbuf_addf(&oids, "%s\n", missing.v[i]);
	return oids.len && remote.len ? fetch(remote.buf, &oids, repo, err) : 0;
}
