/* SPDX-License-Identifier: MIT */
#include "workflow/json-edit.h"

#include "base/memory.h"
#include "workflow/ascii.h"

#define BOM "\xef\xbb\xbf"

static size_t skip_blank(const char *s, size_t at, size_t end)
{
	while (at < end && ascii_is_blank(s[at]))
		at++;
	return at;
}

/* Behind the string whose quote is at `at`. */
static size_t skip_string(const char *s, size_t at, size_t end)
{
	for (at++; at < end && s[at] != '"'; at++)
		at += s[at] == '\\';
	return at < end ? at + 1 : end;
}

/* Behind any value. */
static size_t skip_value(const char *s, size_t at, size_t end)
{
	size_t depth = 0;

	while (at < end) {
		char c = s[at];

		if (c == '"') {
			at = skip_string(s, at, end);
		} else if (c == '{' || c == '[') {
			depth++;
			at++;
			continue;
		} else if (c == '}' || c == ']') {
			at++;
			depth--;
		} else if (depth) {
			at++;
			continue;
		} else {
			while (at < end && !ascii_is_blank(s[at]) && !strchr(",]}", s[at]))
				at++;
		}
		if (!depth)
			return at;
	}
	return end;
}

/* ---- Reading ------------------------------------------------------------------------- */

/* A copy of the same length, in which blanks stand for what jansson does not take. */
static char *made_strict(const char *text, size_t len)
{
	char *copy = xmemdupz(text, len);
	size_t at = 0;

	if (len >= strlen(BOM) && !memcmp(copy, BOM, strlen(BOM)))
		memset(copy, ' ', strlen(BOM));
	while (at < len) {
		size_t next = at + 1;

		if (copy[at] == '"') {
			at = skip_string(copy, at, len);
			continue;
		}
		if (copy[at] == ',') {
			next = skip_blank(copy, next, len);
			if (next < len && (copy[next] == '}' || copy[next] == ']'))
				copy[at] = ' ';
		}
		at = next;
	}
	return copy;
}

int json_document_read(json_t **ret, const char *path, const char *text, size_t len,
		       struct error *err)
{
	char *strict CLEANUP(free_p) = made_strict(text, len);
	json_error_t reason;
	json_t *json =
		json_loadb(strict, len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &reason);

	if (!json) {
		size_t at = reason.position > 0 ? (size_t)reason.position - 1 : 0;

		error_set(err, "cannot read '%s': %s", path, reason.text);
		return error_at(err, path, text, len, at < len ? at : len);
	}
	*ret = json;
	return 0;
}

/* ---- Finding ------------------------------------------------------------------------- */

struct member {
	size_t key, key_end; /* with its quotes */
	struct span value;
};

/* The member at `at`, which is its key's quote. */
static struct member read_member(const char *s, size_t at, size_t end)
{
	struct member ret = { .key = at, .key_end = skip_string(s, at, end) };
	size_t value = skip_blank(s, ret.key_end, end);

	value = skip_blank(s, value < end ? value + 1 : end, end); /* behind the colon */
	ret.value = (struct span){ value, skip_value(s, value, end) - value };
	return ret;
}

/* A key may be spelled with escapes: "st\u0061tus" is "status". */
static bool has_key(const char *s, const struct member *member, const char *key)
{
	size_t len = member->key_end - member->key;
	json_t *name CLEANUP(json_decref_p) = NULL;

	if (!memchr(s + member->key, '\\', len))
		return len == strlen(key) + 2 && !memcmp(s + member->key + 1, key, len - 2);
	name = json_loadb(s + member->key, len, JSON_DECODE_ANY, NULL);
	return name && !strcmp(json_string_value(name), key);
}

/* Behind the next comma, at what follows it; `end` where the object or array ends. */
static size_t next_element(const char *s, size_t at, size_t end)
{
	at = skip_blank(s, at, end);
	return at < end && s[at] == ',' ? skip_blank(s, at + 1, end) : end;
}

enum step_found { STEP_FOUND, STEP_NO_MEMBER, STEP_NOTHING };

/* *ret_last: where there is no such member, the last one there is (its key 0: none). */
static enum step_found find_member(struct span *ret, struct member *ret_last, const char *s,
				   struct span in, const char *key)
{
	size_t end = in.at + in.len, at = skip_blank(s, in.at + 1, end);

	*ret_last = (struct member){ 0 };
	if (!in.len || s[in.at] != '{')
		return STEP_NOTHING;
	while (at < end && s[at] == '"') {
		*ret_last = read_member(s, at, end);
		if (has_key(s, ret_last, key)) {
			*ret = ret_last->value;
			return STEP_FOUND;
		}
		at = next_element(s, ret_last->value.at + ret_last->value.len, end);
	}
	return STEP_NO_MEMBER;
}

static enum step_found find_element(struct span *ret, const char *s, struct span in, size_t index)
{
	size_t end = in.at + in.len, at = skip_blank(s, in.at + 1, end);

	if (!in.len || s[in.at] != '[')
		return STEP_NOTHING;
	for (; at < end && s[at] != ']'; index--) {
		size_t behind = skip_value(s, at, end);

		if (!index) {
			*ret = (struct span){ at, behind - at };
			return STEP_FOUND;
		}
		at = next_element(s, behind, end);
	}
	return STEP_NOTHING;
}

/* ---- Editing ------------------------------------------------------------------------- */

/* A new member behind the last one, with the same bytes around it. */
static void add_member(struct splices *ret, const char *s, struct span object,
		       const struct member *last, const char *key, const char *value)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t blank = last->key, behind = object.at + 1;

	if (!last->key) {
		strbuf_addf(&text, "\"%s\": %s", key, value);
	} else {
		while (ascii_is_blank(s[blank - 1]))
			blank--;
		strbuf_addch(&text, ',');
		strbuf_add(&text, s + blank, last->key - blank);
		strbuf_addf(&text, "\"%s\"", key);
		strbuf_add(&text, s + last->key_end, last->value.at - last->key_end);
		strbuf_addstr(&text, value);
		behind = last->value.at + last->value.len;
	}
	splices_add(ret, (struct span){ behind, 0 }, text.buf);
}

/* The value that the steps lead to; NULL: there is none. Borrowed. */
static json_t *walk(json_t *json, const struct json_step *step, size_t steps)
{
	for (size_t i = 0; json && i < steps; i++)
		json = step[i].key ? json_object_get(json, step[i].key) :
				     json_array_get(json, step[i].index);
	return json;
}

/* Is the edited text the same but for that value? */
static int check(const char *path, const char *text, size_t len, const struct splice *splice,
		 const struct json_step *step, size_t steps, const char *value, struct error *err)
{
	struct splices one = { .item = &(struct splice){ splice->at, splice->text }, .nr = 1 };
	struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
	json_t *before CLEANUP(json_decref_p) = NULL, *after CLEANUP(json_decref_p) = NULL;
	json_t *meant = json_loads(value, JSON_DECODE_ANY, NULL);
	json_t *container;

	if (splices_apply(&edited, text, len, &one, err) < 0 ||
	    json_document_read(&before, path, text, len, err) < 0 ||
	    json_document_read(&after, path, edited.buf, edited.len, err) < 0) {
		json_decref(meant);
		return -1;
	}
	container = walk(before, step, steps - 1);
	if (step[steps - 1].key)
		json_object_set_new(container, step[steps - 1].key, meant);
	else
		json_array_set_new(container, step[steps - 1].index, meant);
	if (!json_equal(before, after))
		return error_set(err, "cannot edit '%s': more than one value would change", path);
	return 0;
}

int json_document_set(struct splices *ret, const char *path, const char *text, size_t len,
		      const struct json_step *step, size_t steps, const char *value,
		      struct error *err)
{
	char *strict CLEANUP(free_p) = made_strict(text, len);
	size_t start = skip_blank(strict, 0, len), before = ret->nr;
	struct span at = { start, skip_value(strict, start, len) - start };
	struct member last;

	for (size_t i = 0; i < steps; i++) {
		struct span in = at;
		enum step_found found = step[i].key ?
						find_member(&at, &last, strict, in, step[i].key) :
						find_element(&at, strict, in, step[i].index);

		if (found == STEP_NO_MEMBER && i + 1 == steps)
			add_member(ret, strict, in, &last, step[i].key, value);
		else if (found != STEP_FOUND)
			return error_set(err, "cannot edit '%s': there is no such value", path);
	}
	if (ret->nr == before)
		splices_add(ret, at, value);
	return check(path, text, len, &ret->item[before], step, steps, value, err);
}
