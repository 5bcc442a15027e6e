/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

json_t *json_text(const char *s)
{
	char *escaped CLEANUP(free_p) = NULL;
	json_t *ret;

	if (!s)
		return json_null();
	ret = json_string(s);
	if (ret)
		return ret;
	escaped = text_escaped(s);
	return json_string(escaped);
}

json_t *json_time(int64_t at)
{
	char text[CLOCK_RFC3339];

	clock_rfc3339(text, at);
	return json_string(text);
}

json_t *json_size(size_t n)
{
	return json_integer((json_int_t)n);
}

json_t *json_strings(const struct strvec *strings)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < strings->nr; i++)
		json_array_append_new(ret, json_text(strings->v[i]));
	return ret;
}

bool json_has(const json_t *array, const json_t *value)
{
	size_t i;
	json_t *item;

	json_array_foreach(array, i, item)
	{
		if (json_equal(item, value))
			return true;
	}
	return false;
}

json_t *error_to_json(const struct error *err)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "message", json_text(err->message),
			 "sqlstate", json_text(*err->sqlstate ? err->sqlstate : NULL), "place",
			 json_text(err->place), "detail", json_text(err->detail), "hint",
			 json_text(err->hint));
}

const char *json_member(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

int json_parse(json_t **ret, const char *what, const char *text, size_t len, struct error *err)
{
	json_error_t reason;
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &reason);

	if (!json)
		return error_set(err, "cannot read %s: line %d: %s", what, reason.line,
				 reason.text);
	*ret = json;
	return 0;
}

char *json_format(const json_t *json)
{
	char *text CLEANUP(free_p) = json_dumps(json, JSON_INDENT(2));

	if (!text)
		BUG("cannot format JSON");
	return xstrfmt("%s\n", text);
}

static bool printed;

void json_print(const json_t *json)
{
	char *text CLEANUP(free_p) = json_format(json);

	fputs(text, stdout);
	printed = true;
}

bool json_was_printed(void)
{
	return printed;
}
