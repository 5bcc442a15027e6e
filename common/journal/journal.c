/* SPDX-License-Identifier: MIT */
#include "journal/journal.h"

#include <fcntl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/strvec.h"

/* Where no transaction is about to be committed yet. */
#define MARK_WIDTH 20 /* digits of the largest 64-bit number */
#define MARK_EMPTY "                    "

/* As the record has it. */
static const char *state_of(enum operation_end end)
{
	switch (end) {
	case OPERATION_DONE: return "done";
	case OPERATION_FAILED: return "failed";
	case OPERATION_INTERRUPTED: return "interrupted";
	case OPERATION_DISCARDED: return "discarded";
	}
	BUG("unknown end %d", (int)end);
}

static char *new_id(void)
{
	int64_t now = clock_now();
	time_t seconds = (time_t)(now / 1000000);
	uint16_t salt = 0;
	char date[32];
	struct tm tm;

	if (getrandom(&salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		salt = (uint16_t)getpid();
	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%S", &tm);
	return xstrfmt("%s.%06dZ-%04x", date, (int)(now % 1000000), salt);
}

static char *journal_folder(const char *common_dir)
{
	return xstrfmt("%s/rollback/journal", common_dir);
}

static int write_record(const char *path, const json_t *record, enum file_sync sync,
			struct error *err)
{
	char *text CLEANUP(free_p) = json_format(record);

	return file_write(path, text, strlen(text), 0600, sync, err);
}

int operation_begin(struct operation *operation, const char *common_dir, const char *command,
		    json_t *members, char **ret_holder, struct error *err)
{
	char *lock_path CLEANUP(free_p) = xstrfmt("%s/rollback/lock", common_dir);
	char host[256] = "";
	int locked;

	operation->folder = journal_folder(common_dir);
	if (file_make_folders(operation->folder, 0700, err) < 0)
		return error_prefix(err, "could not begin an operation");
	locked = lockfile_take(&operation->lock, lock_path, command, ret_holder, err);
	if (locked < 0)
		return error_prefix(err, "could not begin an operation");
	if (locked == LOCKFILE_BUSY)
		return OPERATION_BUSY;
	gethostname(host, sizeof(host) - 1);
	operation->id = new_id();
	operation->path = xstrfmt("%s/%s.json", operation->folder, operation->id);
	operation->record = json_pack("{s:i, s:s, s:s, s:s, s:I, s:o, s:o, s:s}", "format", 1, "id",
				      operation->id, "command", command, "state", "open", "pid",
				      (json_int_t)getpid(), "host", json_text(host), "started_at",
				      json_time(clock_now()), "transaction", MARK_EMPTY);
	if (!operation->record)
		BUG("cannot pack a journal record");
	if (members)
		json_object_update(operation->record, members);
	if (write_record(operation->path, operation->record, FILE_SYNC_NAME, err) < 0)
		return error_prefix(err, "could not begin an operation");
	return OPERATION_BEGUN;
}

static void close_mark(struct operation *operation)
{
	if (operation->fd >= 0)
		close(operation->fd);
	operation->fd = -1;
}

int operation_record(struct operation *operation, const char *key, json_t *value, struct error *err)
{
	close_mark(operation); /* the file is replaced */
	json_object_set_new(operation->record, key, value);
	return write_record(operation->path, operation->record, FILE_SYNC_CONTENT, err);
}

/* Makes room for the mark in the record, and opens it. */
static int open_mark(struct operation *operation, struct error *err)
{
	static const char member[] = "\"transaction\": \"";
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *at;

	if (operation->fd >= 0)
		return 0;
	if (file_read(&text, operation->path, err) != FILE_FOUND)
		return error_is_set(err) ? -1 : error_set(err, "cannot find '%s'", operation->path);
	at = strstr(text.buf, member);
	if (!at)
		BUG("no room for the transaction in '%s'", operation->path);
	operation->mark_at = (size_t)(at - text.buf) + strlen(member);
	operation->fd = open(operation->path, O_WRONLY | O_CLOEXEC);
	if (operation->fd < 0)
		return error_errno(err, "cannot open '%s'", operation->path);
	return 0;
}

int operation_mark(struct operation *operation, const char *transaction, struct error *err)
{
	char text[MARK_WIDTH + 1];

	if (open_mark(operation, err) < 0)
		return -1;
	snprintf(text, sizeof(text), "%*s", MARK_WIDTH, transaction);
	if (pwrite(operation->fd, text, MARK_WIDTH, (off_t)operation->mark_at) != MARK_WIDTH)
		return error_errno(err, "cannot write '%s'", operation->path);
	json_object_set_new(operation->record, "transaction", json_string(text));
	return 0;
}

/* The record as one line; the mark without the blanks that keep its place. */
static char *event_text(json_t *record)
{
	json_t *event CLEANUP(json_decref_p) = json_copy(record);
	const char *mark = json_member(record, "transaction");

	mark += strspn(mark, " ");
	if (*mark)
		json_object_set_new(event, "transaction", json_string(mark));
	else
		json_object_del(event, "transaction");
	return json_dumps(event, JSON_COMPACT);
}

/* One line in the event log, appended in one write. */
static int append_event(const struct operation *operation, struct error *err)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/../log", operation->folder);
	char *text CLEANUP(free_p) = event_text(operation->record);
	char *line CLEANUP(free_p) = NULL;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	ssize_t n;

	if (fd < 0 || !text)
		return error_errno(err, "cannot open '%s'", path);
	line = xstrfmt("%s\n", text);
	n = write(fd, line, strlen(line));
	if (close(fd) < 0 || n != (ssize_t)strlen(line))
		return error_errno(err, "cannot write '%s'", path);
	return 0;
}

int operation_close(struct operation *operation, enum operation_end end, struct error *err)
{
	int ret;

	json_object_set_new(operation->record, "finished_at", json_time(clock_now()));
	ret = operation_record(operation, "state", json_string(state_of(end)), err);
	if (!ret)
		ret = append_event(operation, err);
	lockfile_release(&operation->lock);
	return ret;
}

void operation_release(struct operation *operation)
{
	close_mark(operation);
	lockfile_release(&operation->lock);
	free(operation->id);
	free(operation->folder);
	free(operation->path);
	json_decref(operation->record);
	*operation = (struct operation)OPERATION_INIT;
}

/* 1: open; 0: closed, or not a record. A record that cannot be read is an error. */
static int read_open(json_t **ret, const char *path, struct error *err)
{
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	json_t *record CLEANUP(json_decref_p) = NULL;
	int found = file_read(&text, path, err);

	if (found != FILE_FOUND)
		return found < 0 ? -1 : 0;
	/* Most are closed: looking is cheaper than parsing, and every command looks. */
	if (!strstr(text.buf, "\"state\": \"open\""))
		return 0;
	if (json_parse(&record, path, text.buf, text.len, err) < 0)
		return -1;
	const char *state = json_member(record, "state");
	if (!state || strcmp(state, "open") != 0)
		return 0;
	*ret = STEAL(record);
	return 1;
}

/* Does another command hold the lock now? Then the newest open record is its own. */
static int is_busy(const char *common_dir, struct error *err)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/rollback/lock", common_dir);

	return lockfile_is_held(path, err);
}

/*
 * Whoever was at work closes the record before letting go of the lock: so with the lock
 * free, what is open now has no owner.
 */
static int forget_closed(json_t *list, const char *folder, struct error *err)
{
	for (size_t i = json_array_size(list); i-- > 0;) {
		const char *id = json_member(json_array_get(list, i), "id");
		char *path CLEANUP(free_p) = xstrfmt("%s/%s.json", folder, id ? id : "");
		json_t *record CLEANUP(json_decref_p) = NULL;
		int open = read_open(&record, path, err);

		if (open < 0)
			return -1;
		if (!open)
			json_array_remove(list, i);
	}
	return 0;
}

int journal_open(json_t **ret, const char *common_dir, struct error *err)
{
	char *folder CLEANUP(free_p) = journal_folder(common_dir);
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	json_t *list CLEANUP(json_decref_p) = json_array();
	int busy;

	if (file_list(&names, folder, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		size_t len = strlen(names.v[i]);
		char *path CLEANUP(free_p) = NULL;
		json_t *record = NULL;

		if (len < 5 || strcmp(names.v[i] + len - 5, ".json") != 0)
			continue;
		path = xstrfmt("%s/%s", folder, names.v[i]);
		int open = read_open(&record, path, err);
		if (open < 0)
			return -1;
		if (open)
			json_array_append_new(list, record);
	}
	if (json_array_size(list)) {
		busy = is_busy(common_dir, err);
		if (busy < 0)
			return -1;
		if (busy)
			json_array_remove(list, json_array_size(list) - 1);
		else if (forget_closed(list, folder, err) < 0)
			return -1;
	}
	*ret = STEAL(list);
	return 0;
}

int journal_settle(const char *common_dir, const char *id, enum operation_end end,
		   struct error *err)
{
	char *folder CLEANUP(free_p) = journal_folder(common_dir);
	char *path CLEANUP(free_p) = xstrfmt("%s/%s.json", folder, id);
	json_t *record CLEANUP(json_decref_p) = NULL;
	int open = read_open(&record, path, err);

	if (open <= 0)
		return open;
	json_object_set_new(record, "state", json_string(state_of(end)));
	json_object_set_new(record, "finished_at", json_time(clock_now()));
	return write_record(path, record, FILE_SYNC_CONTENT, err);
}
