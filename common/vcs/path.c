/* SPDX-License-Identifier: MIT */
#include "vcs/path.h"

#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

/* Each letter stands behind a backslash for the byte at the same place in the other string. */
static const char letters[] = "abtnvfr\"\\", bytes[] = "\a\b\t\n\v\f\r\"\\";

static bool is_plain(unsigned char c, bool utf8)
{
	return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f && (c < 0x80 || utf8);
}

void path_quote(struct strbuf *out, const char *path, bool utf8)
{
	strbuf_addch(out, '"');
	while (*path) {
		size_t n = 0;

		while (path[n] && is_plain((unsigned char)path[n], utf8))
			n++;
		strbuf_add(out, path, n);
		path += n;
		if (!*path)
			break;
		const char *at = strchr(bytes, *path);
		if (at)
			strbuf_addf(out, "\\%c", letters[at - bytes]);
		else
			strbuf_addf(out, "\\%03o", (unsigned char)*path);
		path++;
	}
	strbuf_addch(out, '"');
}

void path_show(struct strbuf *out, const char *path)
{
	size_t n = 0;

	while (path[n] && path[n] != ' ' && is_plain((unsigned char)path[n], false))
		n++;
	if (path[n])
		path_quote(out, path, false);
	else
		strbuf_add(out, path, n);
}

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

/* Some file systems take a backslash for a slash. */
static bool leads_into_git(const char *part, size_t len)
{
	for (const char *end = part + len; part < end; part++) {
		if (is_git_on_hfs(part, (size_t)(end - part)) ||
		    is_git_on_ntfs(part, (size_t)(end - part)))
			return true;
		part += strcspn(part, "\\/");
	}
	return false;
}

const char *path_fault(const char *path)
{
	if (*path == '/')
		return "it is absolute";
	for (;; path++) {
		size_t len = strcspn(path, "/");

		if (!len || (len == 1 && *path == '.'))
			return "it has an empty part";
		if (len == 2 && !strncmp(path, "..", 2))
			return "it has '..' in it";
		if (leads_into_git(path, len))
			return "it leads into .git";
		path += len;
		if (!*path)
			return NULL;
	}
}

/* One escape behind its backslash; returns the bytes used, 0 where it is none. */
static size_t unescape(const char *text, char *ret)
{
	const char *at = *text ? strchr(letters, *text) : NULL;
	unsigned value = 0;

	if (at) {
		*ret = bytes[at - letters];
		return 1;
	}
	for (size_t i = 0; i < 3; i++) {
		if (text[i] < '0' || text[i] > '7')
			return 0;
		value = value * 8 + (unsigned)(text[i] - '0');
	}
	*ret = (char)value;
	return value && value < 256 ? 3 : 0;
}

static char *unquote(const char *text)
{
	struct strbuf out CLEANUP(strbuf_release) = STRBUF_INIT;

	for (text++; *text && *text != '"';) {
		char c = *text;
		size_t used = 1;

		if (c == '\\') {
			used = unescape(text + 1, &c);
			if (!used)
				return NULL;
			used++;
		}
		strbuf_addch(&out, c);
		text += used;
	}
	return text[0] == '"' && !text[1] ? strbuf_detach(&out) : NULL;
}

json_t *path_to_json(const char *path)
{
	struct strbuf quoted CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t len = strlen(path);

	if (*path != '"' && text_utf8_check(path, len) == len)
		return json_string(path);
	path_quote(&quoted, path, false);
	return json_string(quoted.buf);
}

char *path_from_json(const char *text)
{
	return *text == '"' ? unquote(text) : xstrdup(text);
}

json_t *paths_to_json(const struct strvec *paths)
{
	json_t *array = json_array();

	for (size_t i = 0; i < paths->nr; i++)
		json_array_append_new(array, path_to_json(paths->v[i]));
	return array;
}

int paths_from_json(struct strvec *ret, const json_t *array, struct error *err)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *text = json_string_value(json_array_get(array, i));
		char *path = text ? path_from_json(text) : NULL;

		if (!path)
			return error_set(err, "item %zu is no path", i + 1);
		strvec_push_nodup(ret, path);
	}
	return 0;
}
