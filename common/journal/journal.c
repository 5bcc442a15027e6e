/* SPDX-License-Identifier: MIT */
#include "journal/journal.h"

#include <fcntl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

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

static char *format_id(int64_t at)
{
	time_t seconds = (time_t)(at / 1000000);
	uint16_t salt = 0;
	char date[32];
	struct tm tm;

	if (getrandom(&salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		salt = (uint16_t)getpid();
	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%S", &tm);
	return xstrfmt("%s.%06dZ-%04x", date, (int)(at % 1000000), salt);
}

char *operation_new_id(void)
{
	return format_id(clock_now());
}

int64_t operation_time(const char *id)
{
	struct tm tm = { 0 };
	const char *rest = strptime(id, "%Y%m%dT%H%M%S", &tm);

	if (!rest || *rest != '.' || strspn(rest + 1, "0123456789") != 6 || rest[7] != 'Z')
		return 0;
	return (int64_t)timegm(&tm) * 1000000 + strtol(rest + 1, NULL, 10);
}

static char *journal_folder(const char *common_dir)
{
	return xstrfmt("%s/rollback/journal", common_dir);
}

/* Beside each record while it is open, so that nobody has to read those that are closed. */
static char *marker_of(const char *folder, const char *id)
{
	return xstrfmt("%s/%s.open", folder, id);
}

/* The folder is synced with the record, which is written next. */
static int make_marker(const char *folder, const char *id, struct error *err)
{
	char *path CLEANUP(free_p) = marker_of(folder, id);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_errno(err, "cannot create '%s'", path);
	close(fd);
	return 0;
}

/* One that stays is found to be of a closed record by whoever looks. */
static void remove_marker(const char *folder, const char *id)
{
	char *path CLEANUP(free_p) = marker_of(folder, id);

	unlink(path);
}

static int write_record(const char *path, const json_t *record, enum file_sync sync,
			struct error *err)
{
	char *text CLEANUP(free_p) = json_format(record);

	return file_write(path, text, strlen(text), 0600, sync, err);
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

static bool ends_in(const char *name, const char *suffix)
{
	size_t len = strlen(name), tail = strlen(suffix);

	return len > tail && !strcmp(name + len - tail, suffix);
}

/*
 * What killed writers left: halves of records, and markers whose record is closed or was never
 * made. With the lock held, nobody else can be at it. What cannot be removed is let lie.
 */
static void remove_leftovers(const char *folder)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (file_list(&names, folder, &ignored) != FILE_FOUND)
		return;
	for (size_t i = 0; i < names.nr; i++) {
		char *path CLEANUP(free_p) = xstrfmt("%s/%s", folder, names.v[i]);

		if (strstr(names.v[i], ".json.tmp-")) {
			unlink(path);
		} else if (ends_in(names.v[i], ".open")) {
			char *record CLEANUP(free_p) =
				xstrfmt("%.*s.json", (int)(strlen(path) - strlen(".open")), path);
			json_t *open CLEANUP(json_decref_p) = NULL;
			struct error unread CLEANUP(error_release) = ERROR_INIT;

			if (!read_open(&open, record, &unread))
				unlink(path);
		}
	}
}

/*
 * Ids say which operation is the newest, and clocks are set back: an id is later than all that
 * there are. With the lock held nobody else makes one.
 */
static int make_id(struct operation *operation, struct error *err)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	int64_t at = clock_now();

	if (file_list(&names, operation->folder, err) < 0)
		return -1;
	for (size_t i = names.nr; i-- > 0;) {
		int64_t newest = ends_in(names.v[i], ".json") ? operation_time(names.v[i]) : 0;

		if (!newest)
			continue;
		if (at <= newest)
			at = newest + 1;
		break;
	}
	operation->id = format_id(at);
	return 0;
}

int operation_lock(struct operation *operation, const char *common_dir, const char *command,
		   char **ret_holder, struct error *err)
{
	char *lock_path CLEANUP(free_p) = xstrfmt("%s/rollback/lock", common_dir);
	int locked;

	if (!operation->folder)
		operation->folder = journal_folder(common_dir);
	if (file_make_folders(operation->folder, 0700, err) < 0)
		return error_prefix(err, "could not begin an operation");
	locked = lockfile_take(&operation->lock, lock_path, command, ret_holder, err);
	if (locked < 0)
		return error_prefix(err, "could not begin an operation");
	if (locked == LOCKFILE_BUSY)
		return OPERATION_BUSY;
	if (!operation->id && make_id(operation, err) < 0) {
		lockfile_release(&operation->lock);
		return error_prefix(err, "could not begin an operation");
	}
	operation->path = xstrfmt("%s/%s.json", operation->folder, operation->id);
	return OPERATION_BEGUN;
}

int operation_begin(struct operation *operation, const char *common_dir, const char *command,
		    json_t *members, char **ret_holder, struct error *err)
{
	char host[256] = "";

	if (operation->lock.fd < 0) {
		int locked = operation_lock(operation, common_dir, command, ret_holder, err);

		if (locked != OPERATION_BEGUN)
			return locked;
	}
	remove_leftovers(operation->folder);
	gethostname(host, sizeof(host) - 1);
	operation->record =
		json_pack("{s:i, s:s, s:s, s:s, s:I, s:o, s:o}", "format", 1, "id", operation->id,
			  "command", command, "state", "open", "pid", (json_int_t)getpid(), "host",
			  json_text(host), "started_at", json_time(clock_now()));
	if (!operation->record)
		BUG("cannot pack a journal record");
	if (members)
		json_object_update(operation->record, members);
	if (make_marker(operation->folder, operation->id, err) < 0)
		return error_prefix(err, "could not begin an operation");
	if (write_record(operation->path, operation->record, FILE_SYNC_NAME, err) < 0) {
		if (access(operation->path, F_OK) < 0)
			remove_marker(operation->folder, operation->id);
		return error_prefix(err, "could not begin an operation");
	}
	return OPERATION_BEGUN;
}

int operation_record(struct operation *operation, const char *key, json_t *value, struct error *err)
{
	json_object_set_new(operation->record, key, value);
	return write_record(operation->path, operation->record, FILE_SYNC_CONTENT, err);
}

/* One line in the event log, appended in one write. */
static int append_event(const struct operation *operation, struct error *err)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/../log", operation->folder);
	char *text CLEANUP(free_p) = json_dumps(operation->record, JSON_COMPACT);
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
	if (!ret) {
		remove_marker(operation->folder, operation->id);
		ret = append_event(operation, err);
	}
	lockfile_release(&operation->lock);
	return ret;
}

void operation_release(struct operation *operation)
{
	lockfile_release(&operation->lock);
	free(operation->id);
	free(operation->folder);
	free(operation->path);
	json_decref(operation->record);
	*operation = (struct operation)OPERATION_INIT;
}

/* Does another command hold the lock now? Then the newest open record is its own. */
static int is_busy(const char *common_dir, struct error *err)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/rollback/lock", common_dir);

	return lockfile_is_held(path, err);
}

/*
 * The ids whose record may be open, oldest first: those with a marker, and the newest record,
 * which costs little to look at and is open where something took the marker away.
 */
static void find_candidates(struct strvec *ret, const struct strvec *names)
{
	const char *newest = NULL;

	for (size_t i = 0; i < names->nr; i++) {
		const char *name = names->v[i];

		if (ends_in(name, ".open"))
			strvec_pushf(ret, "%.*s", (int)(strlen(name) - strlen(".open")), name);
		else if (ends_in(name, ".json"))
			newest = name;
	}
	if (!newest)
		return;
	char *id CLEANUP(free_p) = xmemdupz(newest, strlen(newest) - strlen(".json"));
	if (!strvec_has(ret, id))
		strvec_push(ret, id);
	strvec_sort(ret);
}

/* The open ones among the ids but for `own_id`; the records' order is theirs. */
static int read_candidates(json_t *list, const char *folder, const struct strvec *ids, size_t nr,
			   const char *own_id, struct error *err)
{
	json_array_clear(list);
	for (size_t i = 0; i < nr; i++) {
		if (own_id && !strcmp(ids->v[i], own_id))
			continue;
		char *path CLEANUP(free_p) = xstrfmt("%s/%s.json", folder, ids->v[i]);
		json_t *record = NULL;
		int open = read_open(&record, path, err);

		if (open < 0)
			return -1;
		if (open)
			json_array_append_new(list, record);
	}
	return 0;
}

int journal_open(json_t **ret, const char *common_dir, const char *own_id, struct error *err)
{
	char *folder CLEANUP(free_p) = journal_folder(common_dir);
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec ids CLEANUP(strvec_release) = STRVEC_INIT;
	json_t *list CLEANUP(json_decref_p) = json_array();
	size_t idle;
	int busy;

	if (file_list(&names, folder, err) < 0)
		return -1;
	find_candidates(&ids, &names);
	if (read_candidates(list, folder, &ids, ids.nr, own_id, err) < 0)
		return -1;
	/* With the lock our own, nobody else is at work. */
	if (json_array_size(list) && !own_id) {
		busy = is_busy(common_dir, err);
		if (busy < 0)
			return -1;
		/*
		 * Whoever was at work closes the record before letting go of the lock: so with
		 * the lock free, what is open now has no owner; else the newest is the owner's.
		 */
		idle = busy && ids.nr ? ids.nr - 1 : ids.nr;
		if (read_candidates(list, folder, &ids, idle, NULL, err) < 0)
			return -1;
	}
	*ret = STEAL(list);
	return 0;
}

int journal_ids(struct strvec *ret, const char *common_dir, struct error *err)
{
	char *folder CLEANUP(free_p) = journal_folder(common_dir);
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;

	if (file_list(&names, folder, err) < 0)
		return -1;
	for (size_t i = names.nr; i-- > 0;)
		if (ends_in(names.v[i], ".json"))
			strvec_pushf(ret, "%.*s", (int)(strlen(names.v[i]) - strlen(".json")),
				     names.v[i]);
	return 0;
}

int journal_read(json_t **ret, const char *common_dir, const char *id, struct error *err)
{
	char *folder CLEANUP(free_p) = journal_folder(common_dir);
	char *path CLEANUP(free_p) = NULL;
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;

	if (strchr(id, '/'))
		return JOURNAL_MISSING;
	path = xstrfmt("%s/%s.json", folder, id);
	int found = file_read(&text, path, err);
	if (found < 0)
		return -1;
	if (found != FILE_FOUND)
		return JOURNAL_MISSING;
	return json_parse(ret, path, text.buf, text.len, err) < 0 ? -1 : JOURNAL_FOUND;
}

bool journal_is_state(const json_t *record, const char *state)
{
	const char *is = json_member(record, "state");

	return is && !strcmp(is, state);
}

int journal_list(json_t **ret, const char *common_dir, struct error *err)
{
	struct strvec ids CLEANUP(strvec_release) = STRVEC_INIT;
	json_t *list CLEANUP(json_decref_p) = json_array();

	if (journal_ids(&ids, common_dir, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.nr; i++) {
		json_t *record = NULL;
		int found = journal_read(&record, common_dir, ids.v[i], err);

		if (found < 0)
			return -1;
		if (found == JOURNAL_FOUND)
			json_array_append_new(list, record);
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
	if (write_record(path, record, FILE_SYNC_CONTENT, err) < 0)
		return -1;
	remove_marker(folder, id);
	return 0;
}
