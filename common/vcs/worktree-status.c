/* SPDX-License-Identifier: MIT */
#include "vcs/worktree-parts.h"

#include "base/memory.h"

/* Takes a word and the blank behind it off the front of *at. */
static char *take_word(const char **at)
{
	size_t len = strcspn(*at, " ");
	char *word = xmemdupz(*at, len);

	*at += len + ((*at)[len] == ' ');
	return word;
}

static unsigned take_mode(const char **at)
{
	char *word CLEANUP(free_p) = take_word(at);

	return (unsigned)strtoul(word, NULL, 8);
}

/* An id; none where nothing has the mode. */
static char *take_oid(const char **at, unsigned mode)
{
	char *word CLEANUP(free_p) = take_word(at);

	return mode ? STEAL(word) : NULL;
}

/* "M. S.M." : the letters, and what a submodule is. */
static void take_code(struct worktree_entry *entry, const char **at)
{
	char *code CLEANUP(free_p) = take_word(at), *sub CLEANUP(free_p) = take_word(at);

	memcpy(entry->code, code, strnlen(code, 2));
	if (strlen(sub) == 4 && sub[0] == 'S') {
		entry->submodule = true;
		entry->submodule_commit = sub[1] == 'C';
		entry->submodule_dirty = sub[2] == 'M';
		entry->submodule_untracked = sub[3] == 'U';
	}
}

/* "1 <XY> <sub> <mH> <mI> <mW> <hH> <hI> <path>" */
static void parse_ordinary(struct worktree_state *state, const char *at)
{
	struct worktree_entry *entry = worktree_add_entry(state);

	take_code(entry, &at);
	entry->head_mode = take_mode(&at);
	entry->index_mode = take_mode(&at);
	entry->worktree_mode = take_mode(&at);
	entry->head_oid = take_oid(&at, entry->head_mode);
	entry->index_oid = take_oid(&at, entry->index_mode);
	entry->path = xstrdup(at);
	entry->staged = entry->code[0] != '.';
	entry->changed = entry->code[1] != '.';
}

/* "u <XY> <sub> <m1> <m2> <m3> <mW> <h1> <h2> <h3> <path>" */
static void parse_unmerged(struct worktree_state *state, const char *at)
{
	struct worktree_entry *entry = worktree_add_entry(state);

	take_code(entry, &at);
	for (size_t i = 1; i <= 3; i++)
		entry->stage[i].mode = take_mode(&at);
	entry->worktree_mode = take_mode(&at);
	for (size_t i = 1; i <= 3; i++)
		entry->stage[i].oid = take_oid(&at, entry->stage[i].mode);
	entry->path = xstrdup(at);
	entry->staged = entry->changed = entry->unmerged = true;
}

static void parse_header(struct worktree_state *state, const char *at)
{
	static const char oid[] = "branch.oid ", head[] = "branch.head ";

	if (!strncmp(at, oid, strlen(oid)) && strcmp(at + strlen(oid), "(initial)") != 0)
		string_replace(&state->head, at + strlen(oid));
	if (!strncmp(at, head, strlen(head)) && strcmp(at + strlen(head), "(detached)") != 0) {
		free(state->branch);
		state->branch = xstrfmt("refs/heads/%s", at + strlen(head));
	}
}

static void parse_untracked(struct worktree_state *state, const struct repo *repo, const char *path)
{
	size_t len = strlen(path);

	if (repo_owns(repo, path))
		return;
	/* All files are listed one by one, so what is a folder is a repository of its own. */
	strvec_push(len && path[len - 1] == '/' ? &state->nested : &state->untracked, path);
}

int worktree_parse_status(struct worktree_state *state, const struct repo *repo,
			  const struct strbuf *text, struct error *err)
{
	static const char first[] = "# branch.oid ";

	/* It ends well even where it could not write to its pipe. */
	if (strncmp(text->buf, first, strlen(first)) != 0 || text->buf[text->len - 1])
		return error_set(err, "cannot read the worktree's state: git's answer is cut off");
	for (const char *at = text->buf; at < text->buf + text->len; at += strlen(at) + 1) {
		const char *rest = *at && at[1] == ' ' ? at + 2 : "";

		if (*at == '1')
			parse_ordinary(state, rest);
		else if (*at == 'u')
			parse_unmerged(state, rest);
		else if (*at == '?')
			parse_untracked(state, repo, rest);
		else if (*at == '#')
			parse_header(state, rest);
		else
			return error_set(err, "cannot read the worktree's state: git says '%s'",
					 at);
	}
	worktree_sort_entries(state);
	strvec_sort(&state->untracked);
	strvec_sort(&state->nested);
	return 0;
}

/* Git goes on without what it may not look at, and says so only here. */
void worktree_parse_warnings(struct worktree_state *state, const struct strbuf *text)
{
	static const char folder[] = "warning: could not open directory '",
			  denied[] = ": Permission denied";
	const char *end;

	for (const char *at = text->buf; (end = strchr(at, '\n')); at = end + 1) {
		char *line CLEANUP(free_p) = xmemdupz(at, (size_t)(end - at));
		char *stop = strstr(line, denied), *path = line;

		if (!stop)
			continue;
		*stop = '\0';
		if (!strncmp(line, folder, strlen(folder))) {
			path += strlen(folder);
			path[strcspn(path, "'")] = '\0';
		}
		if (*path && path[strlen(path) - 1] == '/')
			path[strlen(path) - 1] = '\0';
		if (!strvec_has(&state->unreadable, path))
			strvec_push(&state->unreadable, path);
	}
}
