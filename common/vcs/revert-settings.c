/* SPDX-License-Identifier: MIT */
/*
 * git's own settings of merges, as its own merge reads them.
 */
#include <strings.h>

#include "base/memory.h"
#include "vcs/git.h"
#include "vcs/revert-parts.h"

/* Without a value it is true; what is no boolean is not false. */
static bool is_true(const char *value)
{
	return !value ||
	       (*value && strcasecmp(value, "false") != 0 && strcasecmp(value, "no") != 0 &&
		strcasecmp(value, "off") != 0 && strcmp(value, "0") != 0);
}

static void take_limit(unsigned *ret, const char *value)
{
	unsigned long limit = value ? strtoul(value, NULL, 10) : 0;

	if (limit > 0 && limit <= 1000000)
		*ret = (unsigned)limit;
}

struct reading {
	struct revert_settings *settings;
	bool merge_renames, merge_limit; /* that of diff counts no more */
};

static void take(struct reading *r, const char *key, const char *value)
{
	struct revert_settings *settings = r->settings;
	const char *end = key + strlen(key) - strlen(".driver");

	if (!strcmp(key, "merge.renames") || (!strcmp(key, "diff.renames") && !r->merge_renames)) {
		settings->renames = is_true(value);
		r->merge_renames = r->merge_renames || *key == 'm';
	} else if (!strcmp(key, "merge.renamelimit") ||
		   (!strcmp(key, "diff.renamelimit") && !r->merge_limit)) {
		take_limit(&settings->rename_limit, value);
		r->merge_limit = r->merge_limit || *key == 'm';
	} else if (!strcmp(key, "merge.renormalize")) {
		settings->renormalize = is_true(value);
	} else if (!strcmp(key, "merge.directoryrenames")) {
		settings->directory_renames = is_true(value);
	} else if (!strcmp(key, "merge.default")) {
		string_replace(&settings->driver, value);
	} else if (end > key + strlen("merge.") && !strcmp(end, ".driver")) {
		const char *name = key + strlen("merge.");

		strvec_push_nodup(&settings->drivers, xmemdupz(name, (size_t)(end - name)));
	}
}

int revert_read_settings(const struct revert_settings **ret, struct revert_series *series,
			 struct error *err)
{
	/* git does not look at more than so many files, of those that have no counterpart. */
	enum { RENAMES = 7000 };
	struct revert_settings *settings = &series->state->settings;
	struct reading r = { .settings = settings };
	struct process git CLEANUP(process_release) = PROCESS_INIT;

	*ret = settings;
	if (settings->read)
		return 0;
	*settings = (struct revert_settings){
		.read = true, .renames = true, .rename_limit = RENAMES, .directory_renames = true
	};
	git_prepare(&git, series->repo, NULL);
	strvec_pushl(
		&git.argv, "config", "-z", "--get-regexp",
		"^(merge\\.(default|renames|renamelimit|renormalize|directoryrenames|.*\\.driver)"
		"|diff\\.(renames|renamelimit))$",
		NULL);
	if (process_run(&git, err) < 0)
		return -1;
	if (git.status > 1) /* 1: there are none */
		return process_error(&git, err, "cannot read git's settings of merges");
	for (char *at = git.out.buf, *next; at < git.out.buf + git.out.len; at = next) {
		char *value = strchr(at, '\n');

		next = at + strlen(at) + 1;
		if (value)
			*value++ = '\0';
		take(&r, at, value);
	}
	return 0;
}
