/* SPDX-License-Identifier: MIT */
#include "flow/maintenance.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/process.h"
#include "term/output.h"

int maintenance_find(struct maintenance *ret, const struct session *s, struct error *err)
{
	char *key CLEANUP(free_p) = xstrfmt("database.%s.maintenanceCommand", s->database.name);

	return settings_string(&ret->command, &s->settings, key, err);
}

/* As git runs commands of its configuration: its own arguments stand in front. */
static int run(const struct maintenance *m, const struct session *s, const char *operation,
	       const char *word, struct error *err)
{
	struct process process CLEANUP(process_release) = PROCESS_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	char *command CLEANUP(free_p) = xstrfmt("%s \"$@\"", m->command);

	strvec_pushl(&process.argv, "sh", "-c", command, m->command, word, NULL);
	strvec_pushf(&env, "GIT_ROLLBACK_DATABASE=%s", s->database.name);
	strvec_pushf(&env, "GIT_ROLLBACK_OPERATION=%s", operation);
	process.env = &env;
	process.dir = s->repo.worktree ? s->repo.worktree : s->repo.git_dir;
	process.inherit_stderr = true;
	if (process_run(&process, err) < 0)
		return -1;
	fflush(stdout);
	fputs(process.out.buf, stderr);
	/* Not the command itself: it may have a password in it. */
	return !process.status ? 0 :
				 error_refused(err,
					       "maintenanceCommand of database '%s' ended with "
					       "status %d at '%s'",
					       s->database.name, process.status, word);
}

/* Before the step that makes it needed: the next command has to know of it. */
static int note_in_record(struct operation *operation, const char *key, struct error *err)
{
	json_t *note = json_object_get(operation->record, "maintenance");

	note = note ? json_copy(note) : json_object();
	json_object_set_new(note, key, json_time(clock_now()));
	return operation_record(operation, "maintenance", note, err);
}

int maintenance_begin(struct maintenance *m, struct change *change, struct error *err)
{
	if (!m->command)
		return 0;
	if (change_write_down(change, err) < 0 ||
	    note_in_record(&change->operation, "on_at", err) < 0)
		return -1;
	m->on = true;
	m->start = clock_monotonic();
	if (run(m, change->session, change->operation.id, "on", err) == 0)
		return 0;
	if (interrupt_pending()) {
		error_clear(err);
		error_interrupted(err);
	}
	return error_detail(err, "Nothing was changed.");
}

void maintenance_end(struct maintenance *m, struct change *change)
{
	const struct session *s = change->session;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (!m->on)
		return;
	m->on = false;
	m->failed = run(m, s, change->operation.id, "off", &err) < 0;
	m->end = clock_monotonic();
	if (m->failed) {
		warning("%s", err.message);
		warning("the application of database '%s' may still be down: end its maintenance by hand",
			s->database.name);
		return;
	}
	if (note_in_record(&change->operation, "off_at", &err) < 0)
		warning("%s", err.message);
}

void maintenance_warn_of(const json_t *record)
{
	const json_t *note = json_object_get(record, "maintenance");

	if (!note || json_object_get(note, "off_at"))
		return;
	warning("operation %s began maintenance of database '%s' at %s, and did not come to its end",
		json_member(record, "id"), json_member(record, "database"),
		json_member(note, "on_at"));
	hint("Where the application is still down, run its maintenanceCommand with 'off'.");
}
