/* SPDX-License-Identifier: MIT */
#include "migration/version.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/memory.h"

#define NOW INT64_C(1768213230999999) /* 2026-01-12 10:20:30 UTC */

static void next(void **state UNUSED)
{
	static const char *const pairs[][2] = {
		/* numbers */
		{ "1", "2" },
		{ "9", "10" },
		{ "0001", "0002" },
		{ "0099", "0100" },
		{ "999", "1000" },
		{ "99999999999999999999999999", "100000000000000000000000000" },
		{ "0000000001", "0000000002" },
		/* times */
		{ "20250101120000", "20260112102030" },
		{ "20260112102029", "20260112102030" },
		{ "20260112102030", "20260112102031" },
		{ "20990101120059", "20990101120060" },
		{ "202501011200", "202601121020" },
		{ "1700000000", "1768213230" },
		{ "1768213230", "1768213231" },
		{ "1700000000123", "1768213230999" },
		/* as many digits, but no time */
		{ "20251301120000", "20251301120001" },
		{ "20250101250000", "20250101250001" },
		{ "00000000000001", "00000000000002" },
		{ "000000000001", "000000000002" },
		/* dates */
		{ "20250101", "20260112" },
		{ "20260112", "20260112_001" },
		{ "20270101", "20270101_001" },
		{ "20251340", "20251341" },
		{ "20250101_001", "20260112_001" },
		{ "20250101_17", "20260112_01" },
		{ "20260112_009", "20260112_010" },
		{ "20260112_999", "20260112_1000" },
		{ "20270101_1", "20270101_2" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		char *ret = version_next(pairs[i][0], NOW);

		assert_string_equal(ret, pairs[i][1]);
		assert_true(version_is_valid(ret));
		assert_true(version_compare(ret, pairs[i][0]) > 0);
		free(ret);
	}
}

static void first(void **state UNUSED)
{
	char *ret = version_next(NULL, NOW);

	assert_string_equal(ret, "20260112102030");
	free(ret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next),
		cmocka_unit_test(first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
