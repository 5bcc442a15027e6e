/* SPDX-License-Identifier: MIT */
#include <jansson.h>

#include "pg/catalog.h"

#include "base/json.h"
#include "base/memory.h"
#include "pg/catalog-state.h"

void catalog_changes_release(struct catalog_changes *changes)
{
	for (size_t i = 0; i < changes->nr; i++) {
		free(changes->item[i].kind);
		free(changes->item[i].identity);
		free(changes->item[i].before);
		free(changes->item[i].after);
	}
	free(changes->item);
	*changes = (struct catalog_changes)CATALOG_CHANGES_INIT;
}

void catalog_changes_add(struct catalog_changes *changes, const struct catalog_object *before,
			 const struct catalog_object *after)
{
	const struct catalog_object *any = before ? before : after;
	struct catalog_change *c;

	if (!any)
		BUG("no object");
	ARRAY_GROW(changes->item, changes->nr + 1, changes->alloc);
	c = &changes->item[changes->nr++];
	*c = (struct catalog_change){
		.kind = xstrdup(any->kind),
		.identity = xstrdup(any->identity),
		.before = before ? xstrdup(before->definition) : NULL,
		.after = after ? xstrdup(after->definition) : NULL,
		.order = any->order,
		.class_oid = before ? before->class_oid : 0,
		.oid = before ? before->oid : 0,
	};
	if (before)
		memcpy(c->before_digest, before->digest, CATALOG_DIGEST_SIZE);
	if (after)
		memcpy(c->after_digest, after->digest, CATALOG_DIGEST_SIZE);
}

void catalog_diff(struct catalog_changes *ret, const struct catalog *before,
		  const struct catalog *after)
{
	size_t i = 0, k = 0;

	catalog_changes_release(ret);
	while (i < before->nr || k < after->nr) {
		const struct catalog_object *b = i < before->nr ? &before->item[i] : NULL;
		const struct catalog_object *a = k < after->nr ? &after->item[k] : NULL;
		int order = !b ? 1 : !a ? -1 : catalog_object_compare(b, a);

		if (order || strcmp(b->digest, a->digest) != 0)
			catalog_changes_add(ret, order > 0 ? NULL : b, order < 0 ? NULL : a);
		i += order <= 0;
		k += order >= 0;
	}
}

/* --- for people --------------------------------------------------------------------- */

#define SHOWN	     60 /* characters of a value */
#define SHOWN_BEFORE 15 /* ... and of those, in front of the first difference */

char *catalog_attribute_value(const char *definition, const char *name)
{
	size_t len = strlen(name);

	while (*definition) {
		const char *end = definition;

		/* Lines that begin with a tab go on. */
		do {
			end = strchrnul(end + (end != definition), '\n');
		} while (*end && end[1] == '\t');
		if (!strncmp(definition, name, len) && !strncmp(definition + len, ": ", 2)) {
			struct strbuf sb = STRBUF_INIT;

			for (const char *p = definition + len + 2; p < end; p++)
				if (*p != '\t' || p[-1] != '\n')
					strbuf_addch(&sb, *p);
			return strbuf_detach(&sb);
		}
		definition = end + (*end != '\0');
	}
	return NULL;
}

/* The same with white space made one blank. */
static char *attribute_value(const char *definition, const char *name, size_t len)
{
	char *whole CLEANUP(free_p) = xmemdupz(name, len);
	char *value CLEANUP(free_p) = catalog_attribute_value(definition, whole);
	struct strbuf sb = STRBUF_INIT;
	bool blank = false;

	if (!value)
		return NULL;
	for (const char *p = value; *p; p++) {
		if (strchr(" \t\n\r", *p)) {
			blank = sb.len > 0;
			continue;
		}
		if (blank)
			strbuf_addch(&sb, ' ');
		blank = false;
		strbuf_addch(&sb, *p);
	}
	return strbuf_detach(&sb);
}

/* What it means that an attribute has no line, where the other definition has this value. */
static const char *absent_value(const char *kind, const char *name, size_t len, const char *other)
{
	static const char *const defaults[] = { "access method", "compression", "privileges",
						"statistics",	 "storage",	"tablespace" };

	if (!strcmp(other, "yes"))
		return "no";
	if (!strncmp(name, "enabled", len))
		return "yes";
	if (!strcmp(kind, "column") && !strncmp(name, "privileges", len))
		return "none";
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (strlen(defaults[i]) == len && !strncmp(defaults[i], name, len))
			return "default";
	return "none";
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Where `chars` characters from `p` on end. */
static const char *skip_chars(const char *p, size_t chars)
{
	for (; *p && chars; chars--)
		for (p++; is_continuation(*p); p++)
			;
	return p;
}

static void add_value(struct strbuf *out, const char *value, const char *start)
{
	const char *end = skip_chars(start, SHOWN);

	if (start > value)
		strbuf_addstr(out, "...");
	strbuf_add(out, start, (size_t)(end - start));
	if (*end)
		strbuf_addstr(out, "...");
}

/* Both values, long ones from shortly before the first difference. */
static void add_values(struct strbuf *out, const char *a, const char *b, bool utf8)
{
	size_t same = 0, from = 0;

	while (a[same] && a[same] == b[same])
		same++;
	if (*skip_chars(a, SHOWN) || *skip_chars(b, SHOWN)) {
		size_t back = SHOWN_BEFORE;

		for (from = same; from && (back || is_continuation(a[from])); from--)
			back -= !is_continuation(a[from]) && back;
		if (from <= 3) /* nothing is won by "..." instead of them */
			from = 0;
	}
	add_value(out, a, a + from);
	strbuf_addstr(out, utf8 ? " \xe2\x86\x92 " : " -> ");
	add_value(out, b, b + from);
}

/* Adds the attributes that `list` has; with `only`, those alone that the other one has not. */
static size_t add_attributes(struct strbuf *out, const char *kind, const char *list,
			     const char *expected, const char *actual, bool only, size_t nr,
			     bool utf8)
{
	for (const char *line = list; *line; line = strchrnul(line, '\n'), line += *line != '\0') {
		const char *colon = strstr(line, ": ");

		if (*line == '\t' || !colon)
			continue;
		size_t len = (size_t)(colon - line);
		char *before CLEANUP(free_p) = attribute_value(expected, line, len);
		char *after CLEANUP(free_p) = attribute_value(actual, line, len);

		if ((only && before) || (before && after && !strcmp(before, after)))
			continue;
		if (!before)
			before = xstrdup(absent_value(kind, line, len, after ? after : ""));
		if (!after)
			after = xstrdup(absent_value(kind, line, len, before));
		strbuf_addstr(out, nr++ ? ", " : "");
		strbuf_add(out, line, len);
		strbuf_addch(out, ' ');
		add_values(out, before, after, utf8);
	}
	return nr;
}

void catalog_difference_text(struct strbuf *out, const char *kind, const char *identity,
			     const char *expected, const char *actual, bool utf8)
{
	size_t nr;

	strbuf_addf(out, "%s %s", kind, identity);
	if (!expected) {
		strbuf_addstr(out, " still exists");
		return;
	}
	if (!actual) {
		strbuf_addstr(out, " is missing");
		return;
	}
	strbuf_addstr(out, ": ");
	nr = add_attributes(out, kind, expected, expected, actual, false, 0, utf8);
	nr = add_attributes(out, kind, actual, expected, actual, true, nr, utf8);
	if (!nr)
		strbuf_addstr(out, "white space differs");
}

void catalog_change_text(struct strbuf *out, const struct catalog_change *change, bool utf8)
{
	if (!*change->before_digest) {
		strbuf_addf(out, "+ %s %s", change->kind, change->identity);
	} else if (!*change->after_digest) {
		strbuf_addf(out, "- %s %s", change->kind, change->identity);
	} else {
		strbuf_addstr(out, "~ ");
		catalog_difference_text(out, change->kind, change->identity, change->before,
					change->after, utf8);
	}
}

/* --- for the log -------------------------------------------------------------------- */

struct json_t *catalog_changes_to_json(const struct catalog_changes *changes)
{
	json_t *array = json_array();

	for (size_t i = 0; i < changes->nr; i++) {
		const struct catalog_change *c = &changes->item[i];
		json_t *object = json_object();

		json_object_set_new(object, "kind", json_text(c->kind));
		json_object_set_new(object, "identity", json_text(c->identity));
		json_object_set_new(object, "before",
				    json_text(*c->before_digest ? c->before_digest : NULL));
		json_object_set_new(object, "after",
				    json_text(*c->after_digest ? c->after_digest : NULL));
		json_object_set_new(object, "definition", json_text(c->before));
		if (c->order)
			json_object_set_new(object, "order", json_true());
		json_array_append_new(array, object);
	}
	return array;
}

static int digest_from_json(char ret[CATALOG_DIGEST_SIZE], const json_t *value)
{
	const char *s = json_string_value(value);

	if (json_is_null(value))
		return 0;
	if (!s || strlen(s) != CATALOG_DIGEST_SIZE - 1 ||
	    strspn(s, "0123456789abcdef") != CATALOG_DIGEST_SIZE - 1)
		return -1;
	memcpy(ret, s, CATALOG_DIGEST_SIZE);
	return 0;
}

static int change_from_json(struct catalog_changes *changes, const json_t *object)
{
	const char *kind = json_member(object, "kind");
	const char *identity = json_member(object, "identity");
	const json_t *definition = json_object_get(object, "definition");
	struct catalog_change c = { .order = json_is_true(json_object_get(object, "order")) };

	if (!kind || !identity || !(json_is_string(definition) || json_is_null(definition)) ||
	    digest_from_json(c.before_digest, json_object_get(object, "before")) < 0 ||
	    digest_from_json(c.after_digest, json_object_get(object, "after")) < 0)
		return -1;
	c.kind = xstrdup(kind);
	c.identity = xstrdup(identity);
	c.before = xstrdup_or_null(json_string_value(definition));
	ARRAY_GROW(changes->item, changes->nr + 1, changes->alloc);
	changes->item[changes->nr++] = c;
	return 0;
}

int catalog_changes_from_json(struct catalog_changes *ret, const struct json_t *json,
			      struct error *err)
{
	struct catalog_changes changes = CATALOG_CHANGES_INIT;

	if (!json_is_array(json))
		return error_set(err, "cannot read recorded changes: not a list");
	for (size_t i = 0; i < json_array_size(json); i++) {
		if (change_from_json(&changes, json_array_get(json, i)) < 0) {
			catalog_changes_release(&changes);
			return error_set(err, "cannot read recorded changes: item %zu is damaged",
					 i + 1);
		}
	}
	catalog_changes_release(ret);
	*ret = changes;
	return 0;
}
