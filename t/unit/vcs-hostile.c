/* SPDX-License-Identifier: MIT */
/* Paths that must never be written to a worktree: hostile_path(). */
#include "vcs/hostile.h"

#include <setjmp.h>

#include <cmocka.h>

static void refuses(void **state)
{
	static const char *const paths[] = {
		"",
		"/a",
		"a//b",
		"a/",
		".",
		"..",
		"a/../b",
		"./a",
		".git",
		".git/config",
		"a/.git/hooks/x",
		".GIT",
		".Git/x",
		".git ",
		".git.",
		".git . ./x",
		"git~1",
		"GIT~1/x",
		".git:stream",
		".git::$INDEX_ALLOCATION",
		".git\\config",
		".g\xe2\x80\x8cit",
		"\xef\xbb\xbf.git",
		".gi\xe2\x81\xaat",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (!hostile_path(paths[i]))
			fail_msg("'%s' is taken", paths[i]);
}

static void takes(void **state)
{
	static const char *const paths[] = {
		"a",	  "a/b",	  ".gitignore", ".gitmodules", ".github/x", "git",
		"git~2",  "git~12",	  "..a",	"...",	       "a..",	    ".gi",
		"x.git",  "a b",	  "a\\b",	"new\nline",   "\xff",	    "-dash",
		":colon", "\xe2\x80\x8c", ".git-x",	".gitt",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (hostile_path(paths[i]))
			fail_msg("'%s': %s", paths[i], hostile_path(paths[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
