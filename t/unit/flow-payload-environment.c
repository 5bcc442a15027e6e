/* SPDX-License-Identifier: MIT */
#include "flow/payload-environment.h"

#include <setjmp.h>

#include <cmocka.h>

/* Each of these goes, all of its lines. */
static const char *const secrets[] = {
	"API_KEY=abc\n",
	"api_key=abc\n",
	"apiKey: abc\n",
	"export API_KEY=abc\n",
	"  export   API_KEY  =  abc\n",
	"\357\273\277API_KEY=abc\n",
	"API_KEY=abc", /* no line end */
	"API_KEY=abc\r\n",
	"API_KEY=\n",
	"#API_KEY=abc\n",
	"# API_KEY=abc\n",
	"# export API_KEY='abc'\n",
	"set -x API_KEY abc\n",
	"setenv DB_PASSWORD abc\n",
	"DB_PASS=abc\n",
	"DB_PWD=abc\n",
	"MYSQL_ROOT_PASSWORD=abc\n",
	"SSH_PASSPHRASE=abc\n",
	"GITHUB_PAT=abc\n",
	"NPM_TOKEN=abc\n",
	"AWS_CREDENTIALS=abc\n",
	"AWS_CREDS=abc\n",
	"STRIPE_WEBHOOK=abc\n",
	"BASIC_AUTH=user,abc\n",
	"PIN=1234\n",
	"PASSWÖRD=abc\n",
	"PORT=1 API_KEY=abc\n",
	"PORT=1; export API_KEY=abc\n",
	"PORT=1 # password: abc\n",
	"PORT=1 # the API key = abc\n",
	"CONFIG={\"host\": \"h\", \"password\": \"abc\"}\n",
	"CONFIG='{\"password\":\"abc\"}'\n",
	"  \"password\" : \"abc\",\n",
	"API_KEY+=abc\n",
	"PORT=1 API_KEY ?= abc\n",
	"DATABASE=host=h user=u password=abc\n",
	"CONNECTION=Server=h;Uid=u;Pwd=abc;\n",
	"AZURE=AccountName=n;AccountKey=abc==\n",
	"CALLBACK=https://h/x?a=1&token=abc\n",
	"DATABASE_URL=postgres://u:abc@h/db\n",
	"DATABASE_URL=\"postgres://u:abc@h:5432/db?x=1\"\n",
	"DATABASE_URL=postgres://u:a/b@h/db\n",
	"DATABASE_URL=postgres://u:a:b@h/db\n",
	"REDIS_URL=redis://:abc@h:6379/0\n",
	"# was: postgres://u:abc@h/db\n",
	"DATABASE=u:abc@tcp(h:3306)/db\n",
	"SENTRY=https://abc@sentry.example/1\n",
	"ORIGIN=http://abc@h/x.git\n",
	/* Values of several lines. */
	"API_KEY=\"abc\ndef\nghi\"\n",
	"API_KEY='abc\ndef'\n",
	"API_KEY=`abc\ndef`\n",
	"API_KEY=\"abc\r\ndef\"\r\n",
	"API_KEY= \"abc\ndef\"\n",
	"API_KEY=\"a \\\" b\ndef\"\n",
	"API_KEY='a \" b\ndef'\n",
	"API_KEY=\"\"\"abc\ndef\n\"\"\"\n",
	"API_KEY=abc\"def\nghi\"\n",
	"API_KEY='a''b\nc'\n",
	"API_KEY=\"abc\ndef\" OTHER_KEY='ghi\njkl'\n",
	"API_KEY=\"abc\nPORT=1\ndef\"\n",
	"API_KEY=\"never\nclosed\nPORT=1\n",
	"# API_KEY=\"abc\n# def\"\n",
	"API_KEY=abc\\\ndef\\\nghi\n",
	"API_KEY=\"a\\\nb\"\n",
	"PORT=1 API_KEY=\"abc\ndef\"\n",
	"PORT=\"1\" API_KEY=\"abc\ndef\"\n",
	"{\"password\": \"abc\ndef\"\n",
	"PEM=-----BEGIN PRIVATE X-----\nabc\ndef\n-----END PRIVATE X-----\n",
	"PEM=\"-----BEGIN X-----\nabc\ndef\n-----END X-----\n",
	"-----BEGIN X-----\nabc\n",
	"DATABASE_URL=postgres://u:abc@h/db\\\n?x=1\n",
	"API_KEY=a\\\n#b\n",
};

/* Nothing of these goes. */
static const char *const harmless[] = {
	"",
	"\n",
	"\r\n\r\n",
	"PORT=1\n",
	"PORT=1",
	"PORT=1\r\n",
	"  export PORT=1\n",
	"# A comment.\n",
	"# Ask for a key, and don't share it.\n",
	"AUTHOR=somebody\n",
	"NAME='two\nlines'\n",
	"NAME=\"don't\"\n",
	"DATABASE_URL=postgres://u@h:5432/db\n",
	"DATABASE_URL=postgres:///db\n",
	"SITE=https://example.org:8443/path\n",
	"MAIL_FROM=someone@example.org\n",
	"EMPTY=\n",
	"=\n",
	":\n",
	"\"\n",
	"\\\n",
};

static void goes(const char *text, const char *before, const char *behind)
{
	struct strbuf in CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf expect CLEANUP(strbuf_release) = STRBUF_INIT;
	int lines = 0;

	strbuf_addf(&in, "%s%s%s", before, text, behind);
	strbuf_addf(&expect, "%s%s", before, behind);
	for (const char *s = text; *s; s++)
		lines += *s == '\n' || !s[1];
	if (payload_environment_filter(&out, in.buf, in.len) != lines ||
	    strcmp(out.buf, expect.buf) != 0)
		fail_msg("'%s' became '%s'", in.buf, out.buf);
}

static void secrets_go(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		goes(secrets[i], "", "");
		goes(secrets[i], "A=1\n", "");
		goes(secrets[i], "A=\"it's\"\n# don't\n", "");
	}
}

/* What comes behind a secret stays, where it has an end. */
static void the_rest_stays(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		const char *text = secrets[i];

		if (strstr(text, "never") || !strncmp(text, "-----", 5) || !strchr(text, '\n') ||
		    strstr(text, "\"-----BEGIN"))
			continue;
		goes(text, "A=1\n", "B=2\n# the end\n");
	}
}

static void harmless_stays(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;
		const char *text = harmless[i];

		assert_int_equal(payload_environment_filter(&out, text, strlen(text)), 0);
		assert_string_equal(out.buf, text);
	}
}

static void refuses_what_is_no_text(void **state UNUSED)
{
	static const char utf16[] = "\xff\xfeK\0E\0Y\0=\0a\0";
	struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

	assert_int_equal(payload_environment_filter(&out, utf16, sizeof(utf16)), -1);
	assert_int_equal(out.len, 0);
}

/* Every front of every text: nothing is read beyond the end, nothing of a secret stays. */
static void takes_any_front(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		for (size_t len = 0; len <= strlen(secrets[i]); len++) {
			struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;
			char *front = memcpy(malloc(len + 1), secrets[i], len);

			assert_true(payload_environment_filter(&out, front, len) >= 0);
			free(front);
		}
	}
}

static void tells_names(void **state UNUSED)
{
	assert_true(payload_environment_is_real(".env"));
	assert_true(payload_environment_is_real("a/b/.env"));
	assert_true(payload_environment_is_real(".env.local"));
	assert_true(payload_environment_is_real(".ENV.production"));
	assert_true(payload_environment_is_real(".env.example.local"));
	assert_false(payload_environment_is_real(".env.example"));
	assert_false(payload_environment_is_real(".environment"));
	assert_false(payload_environment_is_real("my.env.md"));
	assert_true(payload_environment_is_template("a/.env.sample"));
	assert_false(payload_environment_is_template("a/.env.example/x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_go),	   cmocka_unit_test(the_rest_stays),
		cmocka_unit_test(harmless_stays),  cmocka_unit_test(refuses_what_is_no_text),
		cmocka_unit_test(takes_any_front), cmocka_unit_test(tells_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
