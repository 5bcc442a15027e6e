/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <sha2.h>

void digest_hex(char ret[DIGEST_HEX], const void *data, size_t len)
{
	SHA256Data(data, len, ret);
}

uint64_t digest_number(const char *s)
{
	uint8_t raw[SHA256_DIGEST_LENGTH];
	uint64_t ret = 0;
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)s, strlen(s));
	SHA256Final(raw, &context);
	for (size_t i = 0; i < 8; i++)
		ret = ret << 8 | raw[i];
	return ret;
}
