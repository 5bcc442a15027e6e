/* SPDX-License-Identifier: MIT */
#include "flow/checkpoint-export.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/text.h"
#include "flow/payload-database.h"
#include "flow/payload-documents.h"
#include "flow/payload-environment.h"
#include "term/output.h"
#include "vcs/object.h"
#include "vcs/path.h"

struct export_file {
	char *path; /* in the folder */
	struct strbuf data;
};
struct export_plan {
	struct snapshot snapshot;
	char *ref;
	char *name; /* as it is in file names */
	struct export_file *item;
	size_t nr, alloc;
};

static void export_plan_release(struct export_plan *plan)
{
	snapshot_release(&plan->snapshot);
	free(plan->ref);
	free(plan->name);
	for (size_t i = 0; i < plan->nr; i++) {
		free(plan->item[i].path);
		strbuf_release(&plan->item[i].data);
	}
	free(plan->item);
}

/* ---- What goes where ----------------------------------------------------------------- */

/* The payload's path of the document with the state of the stages; NULL: there is none. */
static char *state_path(const struct snapshot *snapshot)
{
	const json_t *documents = json_object_get(snapshot->manifest, "documents");
	const char *state = json_member(documents, "state");
	char *path CLEANUP(free_p) = state ? path_from_json(state) : NULL;

	return path ? xstrfmt(PAYLOAD_PROJECT "%s", path) : NULL;
}

/* The payload's path of the first template that it has, in the order of their names. */
static char *environment_path(const struct tree_files *files)
{
	for (const char *const *name = payload_environment_templates; *name; name++) {
		char *path CLEANUP(free_p) = xstrfmt(PAYLOAD_ENVIRONMENT "%s", *name);

		for (size_t i = 0; i < files->nr; i++)
			if (!strcmp(files->item[i].path, path))
				return STEAL(path);
	}
	return NULL;
}

/* ".json" of "a.b/state.json"; "" where there is none. */
static const char *extension(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && !strchr(dot, '/') ? dot : "";
}

/* Where a file of the payload goes; free() it. */
static char *place_of(const struct export_plan *plan, const char *path, const char *state,
		      const char *environment)
{
	if (state && !strcmp(path, state))
		return xstrfmt("master-project-%s%s", plan->name, extension(path));
	if (environment && !strcmp(path, environment))
		return xstrfmt("env-%s.env", plan->name);
	if (!strcmp(path, "status"))
		return xstrfmt("git-status-%s.txt", plan->name);
	if (!strcmp(path, PAYLOAD_SCHEMA))
		return xstrfmt("schema-%s.sql", plan->name);
	return xstrfmt("checkpoint-%s/%s", plan->name, path);
}

/* A snapshot may have come with a fetch, and its trees may hold what git would not check out. */
static int check_file(const struct tree_file *file, struct error *err)
{
	const char *fault = path_fault(file->path);

	if (!fault && !S_ISREG(file->mode))
		fault = S_ISLNK(file->mode) ? "it is a symbolic link" : "it is no file";
	if (!fault)
		return 0;
	return error_refused(err, "cannot export '%s' of the payload: %s", file->path, fault);
}

static int check_twice(const struct export_plan *plan, const char *path, struct error *err)
{
	for (size_t i = 0; i < plan->nr; i++)
		if (!strcmp(plan->item[i].path, path))
			return error_refused(err, "cannot export '%s': the payload has it twice",
					     path);
	return 0;
}

/* Takes the path; the data is to be filled. */
static struct strbuf *add_file(struct export_plan *plan, char *path)
{
	struct export_file *file;

	ARRAY_GROW(plan->item, plan->nr + 1, plan->alloc);
	file = &plan->item[plan->nr++];
	*file = (struct export_file){ .path = path, .data = STRBUF_INIT };
	return &file->data;
}

static int plan_payload(struct export_plan *plan, struct error *err)
{
	struct tree_files files CLEANUP(tree_files_release) = TREE_FILES_INIT;
	struct objects objects CLEANUP(objects_release) = OBJECTS_INIT;
	char *state CLEANUP(free_p) = state_path(&plan->snapshot);
	char *environment CLEANUP(free_p) = NULL;

	if (tree_list_all(&files, plan->snapshot.payload_tree, NULL, err) < 0)
		return -1;
	environment = environment_path(&files);
	for (size_t i = 0; i < files.nr; i++) {
		if (check_file(&files.item[i], err) < 0)
			return -1;
		objects_add(&objects, files.item[i].oid);
	}
	if (objects_read(&objects, err) < 0)
		return -1;
	for (size_t i = 0; i < files.nr; i++) {
		const char *path = files.item[i].path;
		char *place CLEANUP(free_p) = place_of(plan, path, state, environment);
		struct strbuf *data;

		if (!objects.item[i].oid) {
			error_set(err, "cannot read '%s' of the payload: object %s is not there",
				  path, files.item[i].oid);
			return error_hint(err, "'git checkpoint verify' says what else is lost.");
		}
		if (check_twice(plan, place, err) < 0)
			return -1;
		data = add_file(plan, STEAL(place));
		strbuf_add(data, objects.item[i].data.buf, objects.item[i].data.len);
	}
	return 0;
}

static int plan_export(struct export_plan *plan, const char *name, struct error *err)
{
	const json_t *head;

	if (checkpoint_find(&plan->ref, name, err) < 0 ||
	    snapshot_read(&plan->snapshot, plan->ref, err) < 0)
		return -1;
	plan->name = xstrdup(checkpoint_name(plan->ref));
	for (char *slash = plan->name; (slash = strchr(slash, '/'));)
		*slash = '-';
	head = json_object_get(plan->snapshot.manifest, "head");
	if (!json_is_true(json_object_get(head, "unborn")))
		strbuf_addf(add_file(plan, xstrfmt("git-ref-%s.txt", plan->name)), "%s\n",
			    plan->snapshot.head);
	return plan_payload(plan, err);
}

/* ---- Writing ------------------------------------------------------------------------- */

/* The folder's name is the user's own, and may be a link; below it, nothing is overwritten. */
static int check_existing(const struct export_plan *plan, const char *directory, struct error *err)
{
	size_t nr = 0;

	for (size_t i = 0; i < plan->nr; i++) {
		char *path CLEANUP(free_p) = xstrfmt("%s/%s", directory, plan->item[i].path);
		struct stat st;

		if (lstat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
			continue;
		if (!nr++)
			error_refused(err, "'%s' exists already", path);
		else
			error_detail(err, "'%s' as well", path);
	}
	if (!nr)
		return 0;
	return error_hint(err, "Use --force to replace what is there, or another folder.");
}

/* What the umask leaves of 0666. */
static mode_t file_mode(void)
{
	mode_t mask = umask(077);

	umask(mask);
	return 0666 & ~mask;
}

static int write_file(const struct export_file *file, const char *directory, mode_t mode,
		      struct error *err)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/%s", directory, file->path);
	char *folder CLEANUP(free_p) = xmemdupz(path, (size_t)(strrchr(path, '/') - path));

	if (interrupt_pending())
		return error_interrupted(err);
	if (file_make_folders(folder, 0777, err) < 0)
		return -1;
	return file_write(path, file->data.buf, file->data.len, mode, FILE_SYNC_NAME, err);
}

static void show(const struct export_plan *plan, const struct checkpoint_session *s,
		 const char *directory)
{
	json_t *files = json_array();
	json_t *json CLEANUP(json_decref_p) =
		json_pack("{s:i, s:o, s:o, s:o}", "format", 1, "name",
			  json_text(checkpoint_name(plan->ref)), "directory",
			  path_to_json(directory), "files", files);

	for (size_t i = 0; i < plan->nr; i++)
		json_array_append_new(files, path_to_json(plan->item[i].path));
	if (s->common->json)
		json_print(json);
	for (size_t i = 0; i < plan->nr && !s->common->json && !s->common->quiet; i++) {
		char *path CLEANUP(free_p) = xstrfmt("%s/%s", directory, plan->item[i].path);
		char *text CLEANUP(free_p) = text_escaped(path);

		puts(text);
	}
}

int checkpoint_export(struct checkpoint_session *s, const struct checkpoint_export_request *request,
		      struct error *err)
{
	struct export_plan plan CLEANUP(export_plan_release) = { .snapshot = SNAPSHOT_INIT };
	mode_t mode = file_mode();

	if (plan_export(&plan, request->name, err) < 0)
		return -1;
	if (!request->force && check_existing(&plan, request->directory, err) < 0)
		return -1;
	for (size_t i = 0; i < plan.nr; i++)
		if (write_file(&plan.item[i], request->directory, mode, err) < 0)
			return -1;
	show(&plan, s, request->directory);
	return EXIT_DONE;
}
