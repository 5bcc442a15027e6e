/* SPDX-License-Identifier: MIT */
/* What a tracked file may bring untrusted, and what a reader of it gets to see. */
#include "config/trust.h"

#include <limits.h>
#include <setjmp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "config/conninfo.h"
#include "base/linediff.h"

#define COMMAND	 "a command"
#define STRING	 "a connection string"
#define VARIABLE "an environment variable other than DATABASE_URL"
#define OUTSIDE	 "a path outside the worktree"
#define GIT	 "a path inside .git"

struct rule {
	enum key_type type;
	const char *value, *reason; /* NULL: allowed */
};

static void check(const struct rule *rules, size_t nr, const char *worktree)
{
	for (size_t i = 0; i < nr; i++) {
		const char *reason = trust_reason(rules[i].type, rules[i].value, worktree);

		if (!reason != !rules[i].reason)
			fail_msg("'%s': %s", rules[i].value, reason ? reason : "allowed");
		if (reason)
			assert_string_equal(reason, rules[i].reason);
	}
}

static void judges_values(void **state UNUSED)
{
	static const struct rule rules[] = {
		{ KEY_STRING, "schema_migrations", NULL },
		{ KEY_BOOL, "true", NULL },
		{ KEY_INTEGER, "5", NULL },
		{ KEY_DURATION, "5s", NULL },
		{ KEY_COMMAND, "true", COMMAND },
		{ KEY_COMMAND, "", COMMAND },
		{ KEY_URL, "env:DATABASE_URL", NULL },
		{ KEY_URL, "service=app", NULL },
		{ KEY_URL, "service=my-app_1.x", NULL },
		{ KEY_URL, "env:AWS_SECRET", VARIABLE },
		{ KEY_URL, "env:DATABASE_URL2", VARIABLE },
		{ KEY_URL, "env:database_url", VARIABLE },
		{ KEY_URL, "ENV:DATABASE_URL", STRING },
		{ KEY_URL, "env:DATABASE_URL host=evil", STRING },
		{ KEY_URL, "env: DATABASE_URL", STRING },
		{ KEY_URL, "env:", STRING },
		{ KEY_URL, "", STRING },
		{ KEY_URL, "postgres://evil/", STRING },
		{ KEY_URL, "host=evil", STRING },
		{ KEY_URL, "service=app host=evil", STRING },
		{ KEY_URL, "service=app\thost=evil", STRING },
		{ KEY_URL, "service='app'", STRING },
		{ KEY_URL, "service=app\\ x", STRING },
		{ KEY_URL, "service=", STRING },
		{ KEY_URL, "service = app", STRING },
		{ KEY_URL, "passfile=/etc/shadow", STRING },
	};

	check(rules, ARRAY_SIZE(rules), "/");
}

/* A folder with "inside", and links: to it, to its neighbour, to nothing, to .git. */
static char top[PATH_MAX];

static int make_worktree(void **state UNUSED)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(top, sizeof(top), "%s/config-trust.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(top) || chdir(top) < 0)
		return -1;
	return mkdir("w", 0777) || mkdir("w2", 0777) || mkdir("w/inside", 0777) ||
	       mkdir("w/.git", 0777) || symlink("inside", "w/good") || symlink("../w2", "w/bad") ||
	       symlink("/", "w/root") || symlink("nowhere", "w/dangling") ||
	       symlink(".git", "w/git") || symlink("inside/../../w2", "w/inside/up") ||
	       symlink(".", "w/self");
}

static int remove_worktree(void **state UNUSED)
{
	static const char *const files[] = { "w/good", "w/bad",	 "w/root",	"w/dangling",
					     "w/git",  "w/self", "w/inside/up", NULL };
	static const char *const folders[] = { "w/inside", "w/.git", "w2", "w", NULL };

	for (size_t i = 0; files[i]; i++)
		unlink(files[i]);
	for (size_t i = 0; folders[i]; i++)
		rmdir(folders[i]);
	return chdir("/") || rmdir(top);
}

static void judges_paths(void **state UNUSED)
{
	static const struct rule rules[] = {
		{ KEY_PATH, "inside", NULL },
		{ KEY_PATH, "inside/not/there", NULL },
		{ KEY_PATH, "not/there", NULL },
		{ KEY_PATH, "./inside/", NULL },
		{ KEY_PATH, ".", NULL },
		{ KEY_PATH, "..x/y..", NULL },
		{ KEY_PATH, ".gitignore", NULL },
		{ KEY_PATH, "good", NULL },
		{ KEY_PATH, "good/x", NULL },
		{ KEY_PATH, "self/self/inside", NULL },
		{ KEY_PATH, "/etc", OUTSIDE },
		{ KEY_PATH, "~/x", OUTSIDE },
		{ KEY_PATH, "..", OUTSIDE },
		{ KEY_PATH, "../w2", OUTSIDE },
		{ KEY_PATH, "inside/../..", OUTSIDE },
		{ KEY_PATH, "inside/..", OUTSIDE },
		{ KEY_PATH, "bad", OUTSIDE },
		{ KEY_PATH, "bad/x", OUTSIDE },
		{ KEY_PATH, "root/etc", OUTSIDE },
		{ KEY_PATH, "dangling", OUTSIDE },
		{ KEY_PATH, "inside/up", OUTSIDE },
		{ KEY_PATH, "self/bad", OUTSIDE },
		{ KEY_PATH, ".git", GIT },
		{ KEY_PATH, ".GIT/hooks", GIT },
		{ KEY_PATH, "inside/.git/x", GIT },
		{ KEY_PATH, "git", GIT },
		{ KEY_PATH, "git/hooks", GIT },
		{ KEY_PATHSPEC, "inside/**/*.go", NULL },
		{ KEY_PATHSPEC, "b*/x", NULL },
		{ KEY_PATHSPEC, "bad/*", OUTSIDE },
		{ KEY_PATHSPEC, "*/../../x", OUTSIDE },
		{ KEY_PATHSPEC, "/etc/*", OUTSIDE },
	};

	check(rules, ARRAY_SIZE(rules), "w");
}

static void hides_secrets_alone(void **state UNUSED)
{
	static const char *const list[][2] = {
		{ "env:X", "env:X" },
		{ "postgres://h/d", "postgres://h/d" },
		{ "postgres://u@h/d", "postgres://u@h/d" },
		{ "postgres://u:@h/d", "postgres://u:@h/d" },
		{ "postgres://u:p@h/d", "postgres://u:***@h/d" },
		{ "postgresql://u:p:q@h:1/d?x=y", "postgresql://u:***@h:1/d?x=y" },
		/* libpq ends the password at the first '@' */
		{ "postgres://u:p@evil@good/d", "postgres://u:***@evil@good/d" },
		{ "postgres://h:1/d@x", "postgres://h:1/d@x" },
		{ "postgres:///d?user=u&password=p&host=h",
		  "postgres:///d?user=u&password=***&host=h" },
		{ "postgres:///d?sslpassword=p", "postgres:///d?sslpassword=***" },
		{ "postgres:///d?password=", "postgres:///d?password=" },
		{ "host=h password=p dbname=d", "host=h password=*** dbname=d" },
		{ "host=h password = 'p q' dbname=d", "host=h password = *** dbname=d" },
		{ "password='it\\'s host=x' host=evil", "password=*** host=evil" },
		{ "password=a\\ b host=evil", "password=*** host=evil" },
		{ "user='password=x' host=h", "user='password=x' host=h" },
		{ "passwords=x", "passwords=x" },
		{ "host", "host" },
		{ "password='open", "password=***" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		char *masked CLEANUP(free_p) = conninfo_masked(list[i][0]);

		assert_string_equal(masked, list[i][1]);
		assert_int_equal(conninfo_has_secret(list[i][0]),
				 strcmp(list[i][0], list[i][1]) != 0);
	}
}

static void compares_lines(void **state UNUSED)
{
	static const char *const list[][3] = {
		{ "", "", "" },
		{ "a\n", "a\n", "" },
		{ "a\n", "a", "" },
		{ "", "a\n", "@@ line 1 @@\n+a\n" },
		{ "a\n", "", "@@ line 1 @@\n-a\n" },
		{ "a\nb\nc\n", "a\nx\nc\n", "@@ line 1 @@\n a\n-b\n+x\n c\n" },
		{ "a\n", "a\r\n", "@@ line 1 @@\n-a\n+a\\r\n" },
		{ "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n6\n7\n8\nx\n",
		  "@@ line 6 @@\n 6\n 7\n 8\n-9\n+x\n" },
		{ "x\n1\n2\n3\n4\n5\n6\n7\ny\n", "1\n2\n3\n4\n5\n6\n7\n",
		  "@@ line 1 @@\n-x\n 1\n 2\n 3\n@@ line 5 @@\n 5\n 6\n 7\n-y\n" },
		{ "a\nb\nc\nd\n", "b\nd\ne\n", "@@ line 1 @@\n-a\n b\n-c\n d\n+e\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

		linediff(&out, list[i][0], list[i][1]);
		assert_string_equal(out.buf, list[i][2]);
	}
}

/* Too large for the table: still every line is there, once. */
static void compares_large_texts(void **state UNUSED)
{
	struct strbuf a CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf b CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t removed = 0, added = 0;

	for (int i = 0; i < 50000; i++) {
		strbuf_addf(&a, "a%d\n", i);
		strbuf_addf(&b, "b%d\n", i);
	}
	linediff(&out, a.buf, b.buf);
	for (const char *line = out.buf; *line; line += strcspn(line, "\n") + 1) {
		removed += *line == '-';
		added += *line == '+';
	}
	assert_int_equal(removed, 50000);
	assert_int_equal(added, 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_values),	cmocka_unit_test(judges_paths),
		cmocka_unit_test(hides_secrets_alone),	cmocka_unit_test(compares_lines),
		cmocka_unit_test(compares_large_texts),
	};

	return cmocka_run_group_tests(tests, make_worktree, remove_worktree);
}
