/* SPDX-License-Identifier: MIT */
#include "vcs/hostile.h"

#include <strings.h>

/*
 * The bytes of a character that HFS+ ignores in names, at `s`: U+200C to U+200F, U+202A to
 * U+202E, U+206A to U+206F, and U+FEFF, in UTF-8. 0: there is none.
 */
static size_t ignored_by_hfs(const unsigned char *s, size_t len)
{
	if (len < 3)
		return 0;
	if (s[0] == 0xe2 && s[1] == 0x80 &&
	    ((s[2] >= 0x8c && s[2] <= 0x8f) || (s[2] >= 0xaa && s[2] <= 0xae)))
		return 3;
	if (s[0] == 0xe2 && s[1] == 0x81 && s[2] >= 0xaa && s[2] <= 0xaf)
		return 3;
	if (s[0] == 0xef && s[1] == 0xbb && s[2] == 0xbf)
		return 3;
	return 0;
}

static bool is_git_on_hfs(const char *part, size_t len)
{
	char name[5] = "";
	size_t nr = 0;

	for (size_t i = 0; i < len;) {
		size_t ignored = ignored_by_hfs((const unsigned char *)part + i, len - i);

		if (ignored) {
			i += ignored;
			continue;
		}
		if (nr == 4)
			return false;
		name[nr++] = part[i++];
	}
	return nr == 4 && !strncasecmp(name, ".git", 4);
}

/* Behind the name there may be blanks and dots, or a colon and a stream. */
static bool is_git_on_ntfs(const char *part, size_t len)
{
	size_t i;

	if (len >= 4 && !strncasecmp(part, ".git", 4))
		i = 4;
	else if (len >= 5 && !strncasecmp(part, "git~1", 5))
		i = 5;
	else
		return false;
	while (i < len && (part[i] == ' ' || part[i] == '.'))
		i++;
	return i == len || part[i] == ':' || part[i] == '\\';
}

static const char *part_fault(const char *part, size_t len)
{
	if (!len)
		return "it has an empty part";
	if ((len == 1 && *part == '.') || (len == 2 && !strncmp(part, "..", 2)))
		return "it leaves its folder";
	if (is_git_on_hfs(part, len) || is_git_on_ntfs(part, len))
		return "it is in a repository's own folder";
	return NULL;
}

const char *hostile_path(const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/");
		const char *fault = part_fault(path, len);

		if (fault || !path[len])
			return fault;
		path += len + 1;
	}
}
