/* SPDX-License-Identifier: MIT */
/*
 * json-edit: JSON that people and programs have written: read with some patience, and edited
 * without touching a byte of what is not meant.
 *
 * Read is what jansson reads, and besides: a byte order mark, a comma behind the last member (a
 * template that many have used had one), and integers of any size. Duplicate keys are refused: nobody
 * knows which of them counts.
 */
#ifndef WORKFLOW_JSON_EDIT_H
#define WORKFLOW_JSON_EDIT_H

#include "base/compat.h"
#include "base/json.h"
#include "workflow/document.h"

/* -1 with a reason and a place in `path`. */
int json_document_read(json_t **ret, const char *path, const char *text, size_t len,
		       struct error *err) MUST_CHECK;

/* One step on the way to a value. */
struct json_step {
	const char *key; /* of an object; NULL: it is an array's */
	size_t index;
};

/*
 * Adds the edit that makes `value` (JSON) of the value at the end of the steps. A member that is
 * not there is added behind the others of its object, in their way. What comes of it is read
 * again, and compared: only that value is another one.
 */
int json_document_set(struct splices *ret, const char *path, const char *text, size_t len,
		      const struct json_step *step, size_t steps, const char *value,
		      struct error *err) MUST_CHECK;

#endif
