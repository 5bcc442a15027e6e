/* SPDX-License-Identifier: MIT */
#include "flow/rollback-planfile.h"

#include <limits.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "flow/rollback-script.h"
#include "term/output.h"

#define FORMAT 1
static const char kind[] = "git-rollback plan";

/* Each has one of the plan's own, from which the request is made again. */
static const char *const mode_names[] = {
	[ROLLBACK_NAMED] = "versions",	 [ROLLBACK_TO] = "to",
	[ROLLBACK_LAST] = "last",	 [ROLLBACK_ALL] = "all",
	[ROLLBACK_TO_COMMIT] = "commit", [ROLLBACK_SCRIPT] = "script",
};

void rollback_planfile_release(struct rollback_planfile *file)
{
	json_decref(file->json);
	free(file->operand);
	free(file->script);
	*file = (struct rollback_planfile)ROLLBACK_PLANFILE_INIT;
}

/* --- What was asked for ---------------------------------------------------------------------- */

/* The booleans of a request that decide, by their names in the file. */
struct option {
	const char *name;
	bool *value;
};
#define OPTIONS_OF(request)                                                                       \
	{                                                                                         \
		{ "no_proof", &(request)->no_proof }, { "no_snapshot", &(request)->no_snapshot }, \
			{ "no_save", &(request)->no_save },                                       \
			{ "accept_difference", &(request)->accept_difference },                   \
			{ "recorded_down", &(request)->recorded_down },                           \
			{ "force", &(request)->force }, { "rehearse", &(request)->rehearse },     \
			{ "binary", &(request)->binary }, { "keep", &(request)->keep },           \
	}

/* A path in the worktree is from its top, so that it means the same in another clone. */
static char *script_path(const struct session *s, const char *path)
{
	char *real CLEANUP(free_p) = realpath(path, NULL);
	size_t len = s->repo.worktree ? strlen(s->repo.worktree) : 0;

	if (!real)
		return xstrdup(path);
	if (len && !strncmp(real, s->repo.worktree, len) && real[len] == '/')
		return xstrdup(real + len + 1);
	return xstrdup(real);
}

static json_t *request_to_json(const struct rollback_plan *plan)
{
	struct rollback_request request = *plan->request;
	const struct option options[] = OPTIONS_OF(&request);
	json_t *versions = json_array(), *ret;

	for (size_t i = 0; i < request.operands; i++)
		json_array_append_new(versions, json_text(request.operand[i]));
	ret = json_pack("{s:s, s:o, s:o, s:o, s:I, s:n, s:o}", "mode", mode_names[request.mode],
			"versions", versions, "to", json_text(request.to), "commit",
			json_text(request.commit), "last", (json_int_t)request.last, "script",
			"expect", json_text(request.expect));
	if (request.script) {
		char *path CLEANUP(free_p) = script_path(plan->session, request.script);

		json_object_set_new(ret, "script", json_text(path));
	}
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		json_object_set_new(ret, options[i].name, json_boolean(*options[i].value));
	return ret;
}

static int damaged(const struct rollback_request *request, struct error *err)
{
	return error_refused(err, "the plan in '%s' is damaged", request->plan);
}

static int take_versions(struct rollback_planfile *file, struct rollback_request *request,
			 const json_t *from, struct error *err)
{
	const json_t *versions = json_object_get(from, "versions");
	size_t nr = json_array_size(versions);

	file->operand = xcalloc(nr + 1, sizeof(*file->operand));
	for (size_t i = 0; i < nr; i++) {
		file->operand[i] = json_string_value(json_array_get(versions, i));
		if (!file->operand[i])
			return damaged(request, err);
	}
	request->operand = file->operand;
	request->operands = nr;
	return 0;
}

static int take_mode(struct rollback_request *request, const json_t *from, struct error *err)
{
	const char *mode = json_member(from, "mode");

	for (size_t i = 0; mode && i < ARRAY_SIZE(mode_names); i++)
		if (!strcmp(mode_names[i], mode)) {
			request->mode = (int)i;
			return 0;
		}
	return damaged(request, err);
}

int rollback_planfile_request(struct rollback_planfile *file, const struct session *s,
			      struct rollback_request *request, struct error *err)
{
	const json_t *from = json_object_get(file->json, "request");
	const struct option options[] = OPTIONS_OF(request);
	const char *script = json_member(from, "script");
	json_int_t last = json_integer_value(json_object_get(from, "last"));

	if (take_mode(request, from, err) < 0 || take_versions(file, request, from, err) < 0)
		return -1;
	request->to = json_member(from, "to");
	request->commit = json_member(from, "commit");
	request->expect = json_member(from, "expect");
	request->last = last;
	if ((request->mode == ROLLBACK_TO && !request->to) ||
	    (request->mode == ROLLBACK_TO_COMMIT && !request->commit) ||
	    (request->mode == ROLLBACK_SCRIPT && !script) ||
	    (request->mode == ROLLBACK_LAST && last < 1))
		return damaged(request, err);
	if (script)
		file->script = *script == '/' || !s->repo.worktree ?
				       xstrdup(script) :
				       xstrfmt("%s/%s", s->repo.worktree, script);
	request->script = file->script;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		*options[i].value = json_is_true(json_object_get(from, options[i].name));
	return 0;
}

/* --- What decides -------------------------------------------------------------------------------- */

static json_t *steps_of(const struct rollback_plan *plan)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < plan->nr; i++) {
		const struct rollback_step *step = &plan->step[i];
		char digest[DIGEST_HEX];

		digest_hex(digest, step->script.text ? step->script.text : "", step->script.len);
		json_array_append_new(ret, json_pack("{s:o, s:s}", "version",
						     json_text(step->applied->version), "script",
						     digest));
	}
	return ret;
}

static json_t *items_of(const struct impact *impact)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < impact->nr; i++) {
		const struct impact_item *item = &impact->item[i];
		char *text CLEANUP(free_p) =
			xstrfmt("%s %s (%s%s)%s", impact_kind_name(item->kind), item->identity,
				item->why, item->kept ? ", kept" : "",
				item->rows || !item->exact ? "" : ", which is empty");

		json_array_append_new(ret, json_text(text));
	}
	return ret;
}

static json_t *objects_of(const struct impact_object *list, size_t nr)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < nr; i++) {
		char *text CLEANUP(free_p) = xstrfmt("%s %s", list[i].kind, list[i].identity);

		json_array_append_new(ret, json_text(text));
	}
	return ret;
}

static json_t *unknown_of(const struct impact *impact)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < impact->unknown.nr; i++)
		json_array_append_new(ret, json_text(impact->unknown.v[i]));
	return ret;
}

static int decides(json_t **ret, const struct rollback_plan *plan, struct error *err)
{
	struct session *s = plan->session;
	struct catalog catalog CLEANUP(catalog_release) = CATALOG_INIT;
	const struct impact *impact = &plan->impact;
	char *ledger CLEANUP(free_p) = session_planned_signature(s);
	const char *identity;

	if (db_identity(&identity, &s->db, err) < 0)
		return -1;
	if (catalog_read(&catalog, &s->db, &s->scope, err) < 0)
		return error_prefix(err, "could not read the catalog");
	*ret = json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "identity",
			 json_text(identity), "ledger", ledger, "schema",
			 catalog_fingerprint(&catalog), "steps", steps_of(plan), "expect",
			 json_text(plan->script ? plan->script->expected_fingerprint : NULL),
			 "destroys", items_of(impact), "drops",
			 objects_of(impact->drop, impact->drop_nr), "affects",
			 objects_of(impact->affect, impact->affect_nr), "unknown",
			 unknown_of(impact));
	return 0;
}

/* --- The file --------------------------------------------------------------------------------------- */

static char *digest_of(const json_t *json)
{
	json_t *rest CLEANUP(json_decref_p) = json_deep_copy(json);
	char *text CLEANUP(free_p) = NULL;
	char digest[DIGEST_HEX];

	json_object_del(rest, "digest");
	text = json_dumps(rest, JSON_COMPACT | JSON_SORT_KEYS);
	digest_hex(digest, text, strlen(text));
	return xstrdup(digest);
}

enum planfile_found { PLANFILE_FOUND = 0, PLANFILE_MISSING = 1 };

static bool is_plan(const json_t *json)
{
	const char *is = json_member(json, "kind");

	return is && !strcmp(is, kind);
}

static int read_json(json_t **ret, const char *path, struct error *err)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	int found = file_read(&text, path, err);

	if (found != FILE_FOUND)
		return found < 0 ? -1 : PLANFILE_MISSING;
	if (json_parse(ret, path, text.buf, text.len, &reason) == 0 && is_plan(*ret))
		return PLANFILE_FOUND;
	error_refused(err, "'%s' is no plan of git rollback-db", path);
	/* It has the word of it, but is no JSON: a part of one. */
	if (strstr(text.buf, kind) && error_is_set(&reason))
		error_detail(err, "It is damaged: %s", reason.message);
	return -1;
}

int rollback_planfile_read(struct rollback_planfile *ret, struct rollback_request *request,
			   struct error *err)
{
	const char *path = request->plan, *digest, *database;
	char *own CLEANUP(free_p) = NULL;
	int found = read_json(&ret->json, path, err);

	if (found == PLANFILE_MISSING) {
		errno = ENOENT;
		return error_errno(err, "cannot open '%s'", path);
	}
	if (found < 0)
		return -1;
	if (json_integer_value(json_object_get(ret->json, "format")) != FORMAT)
		return error_refused(err, "the plan in '%s' was written by another version", path);
	digest = json_member(ret->json, "digest");
	database = json_member(ret->json, "database");
	own = digest_of(ret->json);
	if (!digest || strcmp(own, digest) != 0 || !database)
		return damaged(request, err);
	if (request->database && strcmp(request->database, database) != 0)
		return error_refused(err, "the plan in '%s' is for database '%s', not '%s'", path,
				     database, request->database);
	request->database = database;
	request->common.yes = true;
	return 0;
}

static int check_replaced(const char *path, struct error *err)
{
	json_t *json CLEANUP(json_decref_p) = NULL;
	struct error reason CLEANUP(error_release) = ERROR_INIT;

	if (read_json(&json, path, &reason) >= 0)
		return 0;
	error_move(err, &reason);
	return error_hint(err, "It is not replaced. Choose another file.");
}

int rollback_planfile_write(const struct rollback_plan *plan, struct error *err)
{
	const char *path = plan->request->plan_out;
	json_t *decisive = NULL, *json CLEANUP(json_decref_p) = NULL;
	char *text CLEANUP(free_p) = NULL, *digest CLEANUP(free_p) = NULL;

	if (check_replaced(path, err) < 0 || decides(&decisive, plan, err) < 0)
		return -1;
	json = json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:o}", "format", FORMAT, "kind", kind,
			 "created_at", json_time(clock_now()), "database",
			 json_text(plan->session->database.name), "request", request_to_json(plan),
			 "decides", decisive, "plan", rollback_to_json(plan, false));
	if (!json)
		BUG("cannot pack a plan");
	digest = digest_of(json);
	json_object_set_new(json, "digest", json_string(digest));
	text = json_format(json);
	return file_write(path, text, strlen(text), 0644, FILE_SYNC_NAME, err);
}

/* --- Is it still so? -------------------------------------------------------------------------------- */

static const json_t *find_step(const json_t *steps, const char *version)
{
	size_t i;
	json_t *step;

	json_array_foreach(steps, i, step)
	{
		const char *is = json_member(step, "version");

		if (is && !strcmp(is, version))
			return step;
	}
	return NULL;
}

static bool has_same_script(const json_t *a, const json_t *b)
{
	return json_equal(json_object_get(a, "script"), json_object_get(b, "script"));
}

static void compare_steps(struct verdict *verdict, const json_t *then, const json_t *now)
{
	size_t i, before = verdict->reasons.nr;
	json_t *step;

	json_array_foreach(then, i, step)
	{
		const char *version = json_member(step, "version");
		const json_t *other = version ? find_step(now, version) : NULL;

		if (version && !other)
			verdict_refuse(verdict,
				       "the plan rolls back migration '%s', which would not be now",
				       version);
		else if (version && !has_same_script(step, other))
			verdict_refuse(verdict, "the down script of '%s' is another one now",
				       version);
	}
	json_array_foreach(now, i, step)
	{
		const char *version = json_member(step, "version");

		if (version && !find_step(then, version))
			verdict_refuse(verdict,
				       "migration '%s' would be rolled back now, which is not in "
				       "the plan",
				       version);
	}
	if (before == verdict->reasons.nr && !json_equal(then, now))
		verdict_refuse(verdict, "the order of the migrations is another one now");
}

static bool has_text(const json_t *list, const json_t *text)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item) if (json_equal(item, text)) return true;
	return false;
}

static void compare_texts(struct verdict *verdict, const char *what, const json_t *then,
			  const json_t *now)
{
	size_t i;
	json_t *text;

	json_array_foreach(now, i, text) if (!has_text(then, text))
		verdict_refuse(verdict, "it would %s now, which is not in the plan: %s", what,
			       json_string_value(text));
	json_array_foreach(then, i, text) if (!has_text(now, text))
		verdict_refuse(verdict, "it would no longer %s: %s", what, json_string_value(text));
}

/* Members that are one text, which says nothing to people. */
static void compare_values(struct verdict *verdict, const json_t *then, const json_t *now)
{
	static const struct {
		const char *key, *reason;
	} values[] = {
		{ "ledger", "migrations were applied or rolled back since the plan was made" },
		{ "schema", "the schema was changed since the plan was made" },
		{ "expect", "the expected snapshot is another one than when the plan was made" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (!json_equal(json_object_get(then, values[i].key),
				json_object_get(now, values[i].key)))
			verdict_refuse(verdict, "%s", values[i].reason);
}

static void compare(struct rollback_plan *plan, const json_t *then, const json_t *now)
{
	static const struct {
		const char *key, *what;
	} lists[] = {
		{ "destroys", "destroy" },
		{ "drops", "drop" },
		{ "affects", "affect" },
		{ "unknown", "do what is not known" },
	};
	struct verdict *verdict = &plan->verdict;

	if (!json_equal(json_object_get(then, "identity"), json_object_get(now, "identity"))) {
		verdict_refuse(verdict, "database '%s' is another one than the plan was made for",
			       plan->session->database.name);
		return;
	}
	compare_values(verdict, then, now);
	if (plan->script && !has_same_script(json_array_get(json_object_get(then, "steps"), 0),
					     json_array_get(json_object_get(now, "steps"), 0)))
		verdict_refuse(verdict, "'%s' was changed since the plan was made",
			       plan->request->script);
	else if (!plan->script)
		compare_steps(verdict, json_object_get(then, "steps"),
			      json_object_get(now, "steps"));
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		compare_texts(verdict, lists[i].what, json_object_get(then, lists[i].key),
			      json_object_get(now, lists[i].key));
}

int rollback_planfile_compare(const struct rollback_planfile *file, struct rollback_plan *plan,
			      struct error *err)
{
	json_t *now CLEANUP(json_decref_p) = NULL;
	size_t before = plan->verdict.reasons.nr;

	if (decides(&now, plan, err) < 0)
		return -1;
	compare(plan, json_object_get(file->json, "decides"), now);
	if (plan->verdict.reasons.nr > before)
		verdict_hint(&plan->verdict,
			     "Make a new plan with --plan-out, and have it agreed to.");
	return 0;
}
