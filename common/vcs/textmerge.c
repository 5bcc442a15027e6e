/* SPDX-License-Identifier: MIT */
#include "vcs/textmerge.h"

#include <git2.h>

static void load(void)
{
	static bool loaded;

	if (!loaded)
		git_libgit2_init();
	loaded = true;
}

static git_merge_file_input input_of(const struct strbuf *text)
{
	git_merge_file_input ret = GIT_MERGE_FILE_INPUT_INIT;

	ret.ptr = text->buf;
	ret.size = text->len;
	return ret;
}

int textmerge(struct strbuf *ret, const struct strbuf *ours, const struct strbuf *base,
	      const struct strbuf *theirs)
{
	const git_merge_file_input a = input_of(base), o = input_of(ours), t = input_of(theirs);
	git_merge_file_result merged = { 0 };
	bool clean;

	load();
	clean = git_merge_file(&merged, &a, &o, &t, NULL) == 0 && merged.automergeable;
	if (clean)
		strbuf_add(ret, merged.ptr, merged.len);
	git_merge_file_result_free(&merged);
	return clean ? TEXTMERGE_CLEAN : TEXTMERGE_CONFLICT;
}
