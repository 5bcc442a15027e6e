/* SPDX-License-Identifier: MIT */
#include "vcs/path.h"

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

/* Is it `name`, but for what NTFS ignores at the end of one? */
static bool is_like(const char *part, size_t len, const char *name)
{
	size_t used = strlen(name);

	if (len < used || strncasecmp(part, name, used) != 0)
		return false;
	while (used < len && (part[used] == ' ' || part[used] == '.'))
		used++;
	return used == len;
}

bool path_is_storable(const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/\\:");

		if (is_like(path, len, ".git") || is_like(path, len, "git~1"))
			return false;
		path += strcspn(path, "/\\");
		if (!*path)
			return true;
		path++;
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
