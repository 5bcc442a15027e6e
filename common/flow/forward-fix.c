/* SPDX-License-Identifier: MIT */
#include "flow/forward-fix.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "migration/history.h"
#include "migration/version.h"
#include "term/output.h"
#include "vcs/applied.h"

void forward_fix_release(struct forward_fix *fix)
{
	log_applied_list_release(&fix->log);
	down_search_release(&fix->search);
	strbuf_release(&fix->old_up);
	free(fix->version);
	free(fix->name);
	free(fix->up.path);
	free(fix->down.path);
	strbuf_release(&fix->up.text);
	strbuf_release(&fix->down.text);
	verdict_release(&fix->verdict);
	*fix = (struct forward_fix)FORWARD_FIX_INIT;
}

static const struct down *down_of(const struct forward_fix *fix)
{
	return &fix->search.item[0];
}

/* --- The old scripts ------------------------------------------------------------------------- */

static int find_down(struct forward_fix *fix, struct error *err)
{
	struct session *s = fix->session;
	const char *version = fix->applied->version;
	const struct down *down;

	if (rollback_log_applied(&fix->log, &s->place, &s->db, &version, 1, err) < 0)
		return -1;
	fix->search.files = &s->files;
	fix->search.force = fix->request->force;
	fix->search.recorded_down = fix->request->recorded_down;
	down_search_add(&fix->search, fix->applied, log_applied_find(&fix->log, version));
	if (down_search_run(&fix->search, err) < 0)
		return -1;
	down = down_of(fix);
	if (down->origin != DOWN_NOWHERE)
		return 0;
	error_refused(err, "cannot undo migration '%s' (%s) by a new one: no down script: %s",
		      version, fix->applied->name, down->reason);
	return error_hint(err, "Write the new migration by hand.");
}

/* Is it the one that was applied? Then it is taken. */
static bool take_up(struct forward_fix *fix, const char *text, size_t len)
{
	char checksum[DIGEST_HEX];

	migration_checksum(checksum, text, len);
	if (!fix->applied->checksum || strcmp(checksum, fix->applied->checksum) != 0)
		return false;
	strbuf_add(&fix->old_up, text, len);
	return true;
}

static int look_in_git(bool *ret, struct forward_fix *fix, struct error *err)
{
	const struct ledger_entry *applied = fix->applied;
	struct history_search history CLEANUP(history_search_release) = HISTORY_SEARCH_INIT;
	const char *version = applied->version, *checksum = applied->checksum;
	struct applied_found kept = { 0 };

	if (applied_read(&kept, &version, &checksum, 1, err) < 0)
		return -1;
	*ret = kept.found && take_up(fix, kept.up.buf, kept.up.len);
	applied_found_release(&kept);
	if (*ret)
		return 0;
	history_search_add(&history, version, checksum);
	if (history_search_run(&history, fix->request->force, err) < 0)
		return -1;
	*ret = history.item[0].found &&
	       take_up(fix, history.item[0].up.buf, history.item[0].up.len);
	return 0;
}

/* In the same places, in the same order, as a down script; nothing but what was applied will do. */
static int find_up(struct forward_fix *fix, struct error *err)
{
	const struct down *down = down_of(fix);
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	bool found = false;

	if (down->file && down->file->up.path && !down->up_changed) {
		if (migrations_load(&text, &fix->session->files, &down->file->up, err) < 0)
			return -1;
		found = take_up(fix, text.buf, text.len);
	}
	if (!found && down->log && down->log->up_sql)
		found = take_up(fix, down->log->up_sql, strlen(down->log->up_sql));
	if (!found && fix->applied->checksum && look_in_git(&found, fix, err) < 0)
		return -1;
	if (found)
		return 0;
	error_refused(err,
		      "cannot undo migration '%s' (%s) by a new one: its up script as it was "
		      "applied, which has to be the new one's down, is nowhere",
		      fix->applied->version, fix->applied->name);
	return error_hint(err, "Write the new migration by hand.");
}

/* --- The new name ------------------------------------------------------------------------------ */

static void take_newer(const char **newest, const char *version)
{
	if (version_is_valid(version) && (!*newest || version_compare(version, *newest) > 0))
		*newest = version;
}

static int choose_version(struct forward_fix *fix, struct error *err)
{
	const struct session *s = fix->session;
	const char *newest = NULL;

	for (size_t i = 0; i < s->files.nr; i++)
		take_newer(&newest, s->files.item[i].version);
	for (size_t i = 0; i < s->ledger.nr; i++)
		take_newer(&newest, s->ledger.item[i].version);
	if (fix->after)
		take_newer(&newest, fix->after);
	fix->version = version_next(newest, clock_now());
	if (!version_is_valid(fix->version))
		return error_refused(err, "there is no version behind '%s'", newest);
	return 0;
}

/* What another tool has recorded may be anything; of it stays what is safe in a file's name. */
static void choose_name(struct forward_fix *fix)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	const size_t room = 150;
	const struct ledger_entry *applied = fix->applied;
	const char *old = applied->name && *applied->name ? applied->name : applied->version;
	struct strbuf name = STRBUF_INIT;

	strbuf_addstr(&name, "undo_");
	for (const char *c = old; *c && name.len < room; c++)
		strbuf_addch(&name, strchr(safe, *c) ? *c : '_');
	fix->name = strbuf_detach(&name);
	for (size_t i = 0; i < fix->session->files.nr; i++) {
		const struct migration *m = &fix->session->files.item[i];

		if (!strcmp(m->name, fix->name))
			verdict_warn(&fix->verdict, "there is a migration '%s' (%s) already",
				     m->version, m->name);
	}
}

/* The migration that shows how the project names them: the newest in the folder. */
static const struct migration *example_of(const struct migrations *files)
{
	for (size_t i = files->nr; i; i--)
		if (files->item[i - 1].up.path)
			return &files->item[i - 1];
	return NULL;
}

/* "<version>_<name>", with the separator that the others have. */
static char *stem_of(const struct forward_fix *fix, const struct migration *example,
		     const char *folder)
{
	char separator = '_';

	if (example) {
		char after = example->up.path[strlen(folder) + 1 + strlen(example->version)];

		if (after == '-' || (after == '.' && *example->name))
			separator = after;
	}
	return xstrfmt("%s%c%s", fix->version, separator, fix->name);
}

static int choose_paths(struct forward_fix *fix, struct error *err)
{
	const struct session *s = fix->session;
	const struct migrations *files = &s->files;
	const char *folder = files->folder ? files->folder : files->configured, *layout, *between;
	size_t len;
	const struct migration *example = example_of(files);
	char *stem CLEANUP(free_p) = NULL;

	if (settings_string(&layout, &s->settings, "migrations.layout", err) < 0)
		return -1;
	if (!s->repo.worktree)
		return error_refused(err, "there is no worktree to write a migration into");
	if (!folder) {
		error_refused(err, "no folder with migrations was found");
		return error_hint(err, "Set rollback.migrations.directory to one.");
	}
	if (example)
		fix->directory = strchr(example->up.path + strlen(folder) + 1, '/') != NULL;
	else
		fix->directory = !strcmp(layout, "directory");
	stem = stem_of(fix, example, folder);
	between = fix->directory ? "/" : ".";
	len = strlen(folder);
	while (len > 1 && folder[len - 1] == '/')
		len--;
	fix->up.path = xstrfmt("%.*s/%s%sup.sql", (int)len, folder, stem, between);
	fix->down.path = xstrfmt("%.*s/%s%sdown.sql", (int)len, folder, stem, between);
	return 0;
}

/* --- The new scripts ----------------------------------------------------------------------------- */

/* A byte order mark is none behind a comment. */
static void add_script(struct strbuf *out, const struct strbuf *script)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t skip = script->len >= 3 && !memcmp(script->buf, mark, 3) ? 3 : 0;

	strbuf_add(out, script->buf + skip, script->len - skip);
	if (out->len && out->buf[out->len - 1] != '\n')
		strbuf_addch(out, '\n');
}

#define UNDOES "-- Undoes migration "

char *forward_fix_undoes(const char *text, size_t len)
{
	const size_t start = strlen(UNDOES);
	char *version;

	if (len <= start || strncmp(text, UNDOES, start) != 0)
		return NULL;
	version = xmemdupz(text + start, len - start);
	version[strcspn(version, " \t\r\n,.:;(")] = '\0';
	if (version_is_valid(version))
		return version;
	free(version);
	return NULL;
}

static void write_texts(struct forward_fix *fix)
{
	const struct down *down = down_of(fix);
	char *name CLEANUP(free_p) = text_escaped(fix->applied->name ? fix->applied->name : "");
	char *version CLEANUP(free_p) = text_escaped(fix->applied->version);
	char *from CLEANUP(free_p) = text_escaped(down->path);

	strbuf_addf(&fix->up.text,
		    UNDOES "%s (%s): this is its down script, from %s.\n"
			   "-- Written by git rollback-db --forward-fix.\n",
		    version, name, from);
	add_script(&fix->up.text, &down->text);
	strbuf_addf(&fix->down.text,
		    "-- Takes that back: this is the up script of migration %s (%s).\n"
		    "-- Written by git rollback-db --forward-fix.\n",
		    version, name);
	add_script(&fix->down.text, &fix->old_up);
}

static int check_script(const struct forward_fix_file *file, enum sql_loss *ret_loss,
			struct error *err)
{
	struct sql_script script CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;

	if (sql_script_parse(&script, file->path, file->text.buf, file->text.len, err) < 0)
		return error_prefix(err, "the new migration would be no good");
	if (!script.nr)
		return error_refused(err,
				     "the new migration would be no good: '%s' has no "
				     "statement",
				     file->path);
	*ret_loss = sql_script_loss(&script);
	return 0;
}

static int check_scripts(struct forward_fix *fix, struct error *err)
{
	const struct down *down = down_of(fix);
	enum sql_loss loss;

	if (check_script(&fix->down, &loss, err) < 0 || check_script(&fix->up, &loss, err) < 0)
		return -1;
	if (loss != SQL_KEEPS_ROWS) {
		verdict_warn(&fix->verdict, "when it is applied rows may be lost: they are saved "
					    "by a rollback only");
		verdict_hint(&fix->verdict, "Keep them first, by 'git snapshot-db create --data'.");
	}
	if (down->corrected)
		verdict_warn(&fix->verdict,
			     "the down script of '%s' was changed since it was applied; the "
			     "worktree's is used",
			     fix->applied->version);
	if (down->forced)
		verdict_warn(
			&fix->verdict,
			"the down script of '%s' is not known to fit what was applied (--force)",
			fix->applied->version);
	return 0;
}

int forward_fix_plan(struct forward_fix *ret, struct session *s,
		     const struct rollback_request *request, struct error *err)
{
	ret->session = s;
	ret->request = request;
	if (rollback_find_applied(&ret->applied, s, request->fix, err) < 0 ||
	    find_down(ret, err) < 0 || find_up(ret, err) < 0 || choose_version(ret, err) < 0)
		return -1;
	choose_name(ret);
	if (choose_paths(ret, err) < 0)
		return -1;
	write_texts(ret);
	return check_scripts(ret, err);
}

/* --- Writing them ---------------------------------------------------------------------------------- */

/* Under another name first, so that nobody ever sees half of one; a link does not replace. */
static int create_file(int folder, const char *name, const struct forward_fix_file *file,
		       struct error *err)
{
	char *temporary CLEANUP(free_p) = xstrfmt(".%s.tmp-%ld", name, (long)getpid());
	int fd CLEANUP(fd_close_p) = openat(
		folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	int ret = 0;

	if (fd < 0)
		return error_errno(err, "cannot create a file beside '%s'", file->path);
	if (file_write_fd(fd, file->text.buf, file->text.len) < 0 || fsync(fd) < 0)
		ret = error_errno(err, "cannot write '%s'", file->path);
	else if (linkat(folder, temporary, folder, name, 0) < 0)
		ret = errno == EEXIST ? error_refused(err, "'%s' is there already", file->path) :
					error_errno(err, "cannot create '%s'", file->path);
	unlinkat(folder, temporary, 0);
	return ret;
}

/* The folder that both are in, made where it is missing; -1 with `err` set. */
static int open_folder(const struct forward_fix *fix, struct error *err)
{
	const char *path = fix->up.path, *slash = strrchr(path, '/');
	char *folder CLEANUP(free_p) = xmemdupz(path, (size_t)(slash - path));
	const char *top = fix->session->repo.worktree;
	int root CLEANUP(fd_close_p) = -1;
	int ret;

	if (*path == '/') {
		if (file_make_folders(folder, 0777, err) < 0)
			return -1;
		ret = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return ret < 0 ? error_errno(err, "cannot open folder '%s'", folder) : ret;
	}
	root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_errno(err, "cannot open folder '%s'", top);
	if (beneath_make_folders(root, folder, 0777, err) < 0)
		return -1;
	ret = beneath_open_folder(root, folder, strlen(folder));
	return ret < 0 ? error_errno(err, "cannot open folder '%s'", folder) : ret;
}

/* The down script first: an up without one might be applied. */
int forward_fix_execute(struct forward_fix *fix, struct error *err)
{
	const char *down = strrchr(fix->down.path, '/') + 1, *up = strrchr(fix->up.path, '/') + 1;
	int folder CLEANUP(fd_close_p) = open_folder(fix, err);

	if (folder < 0 || create_file(folder, down, &fix->down, err) < 0)
		return -1;
	if (create_file(folder, up, &fix->up, err) < 0) {
		unlinkat(folder, down, 0);
		return -1;
	}
	if (fsync(folder) < 0)
		return error_errno(err, "cannot sync the folder of '%s'", fix->up.path);
	fix->written = true;
	return 0;
}

/* --- Showing it -------------------------------------------------------------------------------------- */

static json_t *to_json(const struct forward_fix *fix)
{
	const struct down *down = down_of(fix);
	json_t *ret = json_pack(
		"{s:i, s:s, s:o, s:b, s:{s:o, s:o}, s:s, s:o, s:{s:s, s:o, s:o, s:o}, s:b}",
		"format", 1, "command", "rollback-db", "database",
		json_text(fix->session->database.name), "dry_run", fix->request->common.dry_run,
		"undoes", "version", json_text(fix->applied->version), "name",
		json_text(fix->applied->name), "down_from", down_origin_name(down->origin), "down",
		json_text(down->path), "migration", "version", fix->version, "name",
		json_text(fix->name), "up", json_text(fix->up.path), "down",
		json_text(fix->down.path), "written", fix->written);

	if (!ret)
		BUG("cannot pack a forward fix");
	verdict_to_json(&fix->verdict, ret);
	return ret;
}

static void print_path(const char *what, const char *path)
{
	char *shown CLEANUP(free_p) = text_escaped(path);

	printf("  %s: %s\n", what, shown);
}

static void print_text(const struct forward_fix *fix)
{
	char *name CLEANUP(free_p) = text_escaped(fix->applied->name ? fix->applied->name : "");
	char *version CLEANUP(free_p) = text_escaped(fix->applied->version);
	char *from CLEANUP(free_p) = text_escaped(down_of(fix)->path);
	char *place CLEANUP(free_p) = text_escaped(down_of(fix)->place);

	printf("Migration %s %s would be undone by a new one, %s %s:\n", version, name,
	       fix->version, fix->name);
	print_path("up", fix->up.path);
	print_path("down", fix->down.path);
	printf("Its up script is the old down script, %s (%s).\n", from, place);
}

void forward_fix_show(const struct forward_fix *fix)
{
	const struct common_options *common = &fix->request->common;

	if (!common->dry_run) {
		verdict_print(&fix->verdict, false);
		return;
	}
	if (common->json) {
		json_t *json CLEANUP(json_decref_p) = to_json(fix);

		json_print(json);
		return;
	}
	print_text(fix);
	if (common->verbose) {
		struct strbuf shown CLEANUP(strbuf_release) = STRBUF_INIT;

		text_escape_lines(&shown, fix->up.text.buf);
		fputs(shown.buf, stdout);
	}
	fflush(stdout);
	verdict_print(&fix->verdict, true);
}

void forward_fix_report(const struct forward_fix *fix, const struct error *failure)
{
	const struct common_options *common = &fix->request->common;
	char *up CLEANUP(free_p) = text_escaped(fix->up.path);
	char *down CLEANUP(free_p) = text_escaped(fix->down.path);

	if (common->json) {
		json_t *json CLEANUP(json_decref_p) = to_json(fix);

		json_object_set_new(json, "outcome", json_string(outcome_name(failure)));
		if (failure)
			json_object_set_new(json, "error", error_to_json(failure));
		json_print(json);
		return;
	}
	if (failure || common->quiet)
		return;
	printf("wrote %s\nwrote %s\n", up, down);
	hint("Look at them, commit them, and use 'git apply-migration %s'.", fix->version);
}
