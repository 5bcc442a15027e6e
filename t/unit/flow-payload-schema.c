/* SPDX-License-Identifier: MIT */
#include "flow/payload-schema.h"

#include <setjmp.h>

#include <cmocka.h>

/* What becomes of it, and how many values are masked. */
static const struct {
	const char *text, *expect;
	size_t masked;
} list[] = {
	{ "", "", 0 },
	{ "CREATE TABLE t (password text DEFAULT 'OPTIONS (password ''x'')');\n",
	  "CREATE TABLE t (password text DEFAULT 'OPTIONS (password ''x'')');\n", 0 },
	{ "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (\n    host 'h',\n    api_key 'x'\n);\n",
	  "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (\n    host 'h',\n    api_key '***'\n);\n",
	  1 },
	{ "CREATE USER MAPPING FOR u SERVER s OPTIONS (\n    \"user\" 'u',\n    x 'y'\n);\nA 'b';\n",
	  "CREATE USER MAPPING FOR u SERVER s OPTIONS (\n    \"user\" 'u',\n    x '***'\n);\nA 'b';\n",
	  1 },
	{ "CREATE USER MAPPING FOR u SERVER s OPTIONS (\n    a E'x''\\\\',\n    b ')'';\n'\n);\n",
	  "CREATE USER MAPPING FOR u SERVER s OPTIONS (\n    a E'***',\n    b '***'\n);\n", 2 },
	{ "CREATE USER MAPPING FOR \"a;'b\" SERVER \"OPTIONS (\" OPTIONS (\n    a 'x'\n);\n",
	  "CREATE USER MAPPING FOR \"a;'b\" SERVER \"OPTIONS (\" OPTIONS (\n    a '***'\n);\n", 1 },
	{ "CREATE USER MAPPING FOR u SERVER s OPTIONS (\n    e 'x',\n    \"E\" 'y'\n);\n",
	  "CREATE USER MAPPING FOR u SERVER s OPTIONS (\n    e '***',\n    \"E\" '***'\n);\n", 2 },
	{ "ALTER FOREIGN TABLE public.t ALTER COLUMN a OPTIONS (\n    token 'x'\n);\n",
	  "ALTER FOREIGN TABLE public.t ALTER COLUMN a OPTIONS (\n    token '***'\n);\n", 1 },
	{ "CREATE SERVER s OPTIONS (\"a\"\"key\" 'x');",
	  "CREATE SERVER s OPTIONS (\"a\"\"key\" '***');", 1 },
	/* Cut off: nothing of the value stays. */
	{ "CREATE USER MAPPING FOR u SERVER s OPTIONS (a 'secret",
	  "CREATE USER MAPPING FOR u SERVER s OPTIONS (a '***'", 1 },
};

static void masks(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

		assert_int_equal(payload_schema_mask(&out, list[i].text, strlen(list[i].text)),
				 list[i].masked);
		assert_string_equal(out.buf, list[i].expect);
	}
}

/* Every front of every text: nothing is read beyond the end. */
static void takes_any_front(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		for (size_t len = 0; len <= strlen(list[i].text); len++) {
			struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;
			char *front = memcpy(malloc(len + 1), list[i].text, len);

			front[len] = '!';
			payload_schema_mask(&out, front, len);
			assert_null(strchr(out.buf, '!'));
			free(front);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(masks),
		cmocka_unit_test(takes_any_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
