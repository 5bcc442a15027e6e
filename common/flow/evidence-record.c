/* SPDX-License-Identifier: MIT */
/* The commits that plans name: which ones they are, and where the history has them now. */
#include "base/memory.h"
#include "flow/evidence-parts.h"
#include "vcs/git.h"
#include "vcs/object.h"

/* So many lost commits are looked for by what they change: each takes a walk. */
#define PATCHES_MAX 64

/* ---- What they are -------------------------------------------------------------------- */

/* "author A <a@b> 1700000000 +0100": true where there is one. */
static bool parse_author(struct record *record, const char *text)
{
	const char *line = strstr(text, "\nauthor "), *end, *mail;

	if (!line)
		return false;
	line += strlen("\nauthor ");
	end = line + strcspn(line, "\n");
	for (mail = end; mail > line && mail[-1] != '>'; mail--)
		;
	if (mail == line)
		return false;
	record->author = xmemdupz(line, (size_t)(mail - line));
	record->author_time = strtoll(mail, NULL, 10);
	return true;
}

static void take_object(struct record *record, const struct object *object)
{
	const char *message;

	/* A branch may have a name of such digits: then it is not what the plan means. */
	if (!object->oid || strncmp(object->oid, record->hex, strlen(record->hex)) != 0)
		return;
	if (!parse_author(record, object->data.buf))
		return;
	message = strstr(object->data.buf, "\n\n");
	record->subject = log_subject(message ? message + 2 : "");
	record->oid = xstrdup(object->oid);
}

static int read_objects(struct evidence *e, struct error *err)
{
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;

	for (size_t i = 0; i < e->records; i++) {
		char *name CLEANUP(free_p) = xstrfmt("%s^{commit}", e->record[i].hex);

		objects_add(&objects, name);
	}
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < e->records; i++)
		take_object(&e->record[i], &objects.item[i]);
	return 0;
}

/* Which of them HEAD does not reach. */
static int find_lost(struct evidence *e, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	struct strbuf input CLEANUP(strbuf_release) = STRBUF_INIT;
	struct oid_map known = { 0 };

	for (size_t i = 0; i < e->records; i++) {
		if (!e->record[i].oid)
			continue;
		strbuf_addf(&input, "%s\n", e->record[i].oid);
		oid_map_put(&known, e->record[i].oid, (uint32_t)i);
	}
	strbuf_addf(&input, "^%s\n", e->rev);
	repo_environment(&env, e->request.repo);
	git_prepare(&git, e->request.repo, &env);
	strvec_pushl(&git.argv, "rev-list", "--stdin", NULL);
	git.input = input.buf;
	git.input_len = input.len;
	if (known.nr && git_run(&git, "find the commits that plans name", err) < 0) {
		oid_map_release(&known);
		return -1;
	}
	for (char *at = git.out.buf, *end; (end = strchr(at, '\n')); at = end + 1) {
		*end = '\0';
		for (size_t i = 0; oid_map_get(&known, at) != NO_COMMIT && i < e->records; i++)
			if (e->record[i].oid && !strcmp(e->record[i].oid, at))
				e->record[i].lost = true;
	}
	oid_map_release(&known);
	return 0;
}

int evidence_resolve_records(struct evidence *e, struct error *err)
{
	for (size_t i = 0; i < e->records; i++)
		e->record[i].squash = NO_COMMIT;
	if (read_objects(e, err) < 0)
		return -1;
	return find_lost(e, err);
}

/* ---- Where they are by now ------------------------------------------------------------ */

/*
 * `git rev-list --cherry-mark` compares patches: of the commits of our side since the two parted,
 * those that change the same as the lost one are marked.
 */
static int match_patch(struct evidence *e, struct record *record, struct error *err)
{
	struct process git CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec these CLEANUP(strvec_release) = STRVEC_INIT;
	const char *found;

	repo_environment(&env, e->request.repo);
	git_prepare(&git, e->request.repo, &env);
	strvec_pushl(&git.argv, "rev-list", "--no-merges", "--cherry-mark", "--left-only", NULL);
	if (e->since != INT64_MAX)
		strvec_pushf(&git.argv, "--max-age=%" PRId64, e->since);
	strvec_pushf(&git.argv, "%s...%s", e->rev, record->oid);
	strvec_pushf(&git.argv, "^%s^@", record->oid);
	strvec_push(&git.argv, "--");
	if (process_run(&git, err) < 0)
		return -1;
	if (git.status) /* a part of its history is not here: then it cannot be compared */
		return 0;
	for (found = git.out.buf; *found && *found != '=';)
		found += strcspn(found, "\n") + (strchr(found, '\n') ? 1 : 0);
	if (!*found)
		return 0;
	strvec_push_nodup(&these, xmemdupz(found + 1, strcspn(found + 1, "\n")));
	record->commit = oid_map_get(&e->by_oid, these.v[0]);
	record->same_patch = record->commit != NO_COMMIT;
	return 0;
}

int evidence_match_patches(struct evidence *e, struct error *err)
{
	size_t nr = 0;

	for (size_t i = 0; i < e->records && nr < PATCHES_MAX; i++) {
		struct record *record = &e->record[i];

		if (!record->lost || record->commit != NO_COMMIT ||
		    !evidence_wants(e, &record->unit))
			continue;
		nr++;
		if (match_patch(e, record, err) < 0)
			return -1;
	}
	return 0;
}
