/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint-warn.h"

#include <fnmatch.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"
#include "term/amount.h"
#include "term/output.h"
#include "vcs/path.h"

/* Names of files that hold keys and passwords; what follows "!" is none of them after all. */
static const char *const secret_names[] = {
	".env",
	".env.*",
	"*.env",
	"!.env.example",
	"!.env.sample",
	"!.env.template",
	"!.env.dist",
	"!.env.schema",
	"*.pem",
	"*.key",
	"*.p12",
	"*.pfx",
	"*.jks",
	"*.keystore",
	"*.kdbx",
	"*.ppk",
	"*.gpg",
	"*.asc",
	"id_rsa*",
	"id_dsa*",
	"id_ecdsa*",
	"id_ed25519*",
	"!*.pub",
	"credentials",
	"credentials.*",
	"*credentials.json",
	"secrets.*",
	"*.secret",
	".netrc",
	"_netrc",
	".pgpass",
	".npmrc",
	".pypirc",
	".htpasswd",
	".git-credentials",
	"service-account*.json",
	"*.tfstate",
	"*.tfvars",
};

void checkpoint_warnings_release(struct checkpoint_warnings *warnings)
{
	strvec_release(&warnings->big);
	strvec_release(&warnings->secret);
	strvec_release(&warnings->sizes);
}

bool checkpoint_is_secret(const char *path, const struct strvec *more)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	bool ret = false;

	for (size_t i = 0; i < ARRAY_SIZE(secret_names); i++) {
		bool negative = *secret_names[i] == '!';

		if (!fnmatch(secret_names[i] + negative, name, FNM_CASEFOLD))
			ret = !negative;
	}
	for (size_t i = 0; i < more->nr && !ret; i++)
		ret = !fnmatch(more->v[i], strchr(more->v[i], '/') ? path : name, 0);
	return ret;
}

static void look_at(struct checkpoint_warnings *ret, const char *path, bool size,
		    const struct checkpoint_session *s, int64_t limit, const struct strvec *more)
{
	struct stat st;

	if (checkpoint_is_secret(path, more))
		strvec_push(&ret->secret, path);
	if (size) {
		char *full CLEANUP(free_p) = xstrfmt("%s/%s", s->repo.worktree, path);
		struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

		if (lstat(full, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= limit)
			return;
		amount_add_size(&text, (uint64_t)st.st_size);
		strvec_push(&ret->big, path);
		strvec_push(&ret->sizes, text.buf);
	}
}

int checkpoint_warnings_find(struct checkpoint_warnings *ret, const struct worktree_state *state,
			     const struct checkpoint_session *s, struct error *err)
{
	struct strvec more CLEANUP(strvec_release) = STRVEC_INIT;
	int64_t limit = 0;

	if (settings_integer(&limit, &s->settings, "checkpoint.bigFile", err) < 0 ||
	    settings_list(&more, &s->settings, "checkpoint.secret", err) < 0)
		return -1;
	for (size_t i = 0; i < state->untracked.nr; i++)
		look_at(ret, state->untracked.v[i], true, s, limit, &more);
	for (size_t i = 0; i < state->ignored.nr; i++)
		look_at(ret, state->ignored.v[i], true, s, limit, &more);
	for (size_t i = 0; i < state->nr; i++)
		if (!state->entry[i].head_mode)
			look_at(ret, state->entry[i].path, false, s, limit, &more);
	return 0;
}

void checkpoint_warnings_print(const struct checkpoint_warnings *warnings,
			       const struct worktree_state *state)
{
	for (size_t i = 0; i < warnings->big.nr; i++)
		warning("'%s' is big (%s) and will be stored; --no-untracked, or an ignore rule, "
			"leaves it out",
			warnings->big.v[i], warnings->sizes.v[i]);
	for (size_t i = 0; i < warnings->secret.nr; i++)
		warning("'%s' looks like a secret and will be stored: whoever gets this checkpoint "
			"by a push gets it too",
			warnings->secret.v[i]);
	for (size_t i = 0; i < state->in_progress.nr; i++)
		note("a %s is in progress, and will be recorded", state->in_progress.v[i]);
	for (size_t i = 0; i < state->nested.nr; i++)
		warning("'%s' is a repository of its own, and is left alone", state->nested.v[i]);
	for (size_t i = 0; i < state->nr; i++)
		if (state->entry[i].submodule_dirty || state->entry[i].submodule_untracked)
			warning("submodule '%s' has changes of its own, which are not kept",
				state->entry[i].path);
}

void checkpoint_warnings_to_manifest(const struct checkpoint_warnings *warnings, json_t *manifest)
{
	if (warnings->big.nr)
		json_object_set_new(manifest, "big", paths_to_json(&warnings->big));
	if (warnings->secret.nr)
		json_object_set_new(manifest, "secret", paths_to_json(&warnings->secret));
}

/* Each has "path" and "reason". */
static void warn_of_each(const json_t *list, const char *what)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		warning("'%s' is %s: %s", json_member(one, "path"), what,
			json_member(one, "reason"));
	}
}

void checkpoint_warn_of_left_out(const json_t *manifest)
{
	warn_of_each(json_object_get(manifest, "left_out"), "left out");
	warn_of_each(json_object_get(manifest, "unconverted"), "kept as it is on disk");
}
