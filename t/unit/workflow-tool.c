/* SPDX-License-Identifier: MIT */
/*
 * What t3050-documents.sh and t/perf/documents.sh do with plan documents. No test program itself.
 *
 *   list [REV]           all tracks of the worktree or of a commit, and what could not be read
 *   count [REV]          how many there are: tracks, phases, phases with commits, tasks, done
 *                        tasks, done tasks with commits, check boxes below tasks, commits
 *   revert UNIT...       with the words of a unit (track, phase, task; "" for none): unticks it
 *                        in its plan, in place
 *   unit PLAN PHASE TASK the title of a phase, or of a task (0: none), of the plan on stdin
 */
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "vcs/repo.h"
#include "workflow/tracks.h"

static void die_on(int ret, const struct error *err)
{
	if (ret < 0)
		exit(error_exit(err));
}

static void list(const struct tracks *tracks)
{
	for (size_t i = 0; i < tracks->nr; i++) {
		const struct track *it = &tracks->item[i];

		printf("%s\t%s\t%s%s\t%s\t%zu/%zu\n", it->id, it->description,
		       unit_state_name(it->state), it->archived ? ", archived" : "",
		       it->folder ? it->folder : "-", it->plan.phases, it->plan.tasks);
	}
	for (size_t i = 0; i < tracks->problem.nr; i++)
		printf("%s:%zu: %s\n", tracks->problem.item[i].path, tracks->problem.item[i].line,
		       tracks->problem.item[i].text);
}

struct count {
	size_t tracks, phases, checkpoints, tasks, done, recorded, boxes, commits;
};

static void count_plan(struct count *ret, const struct plan_document *plan)
{
	ret->tracks += plan->path != NULL;
	ret->phases += plan->phases;
	ret->tasks += plan->tasks;
	ret->commits += plan->commit.nr;
	for (size_t i = 0; i < plan->phases; i++) {
		ret->checkpoints += plan->phase[i].is.commit.nr > 0;
		ret->commits += plan->phase[i].is.commit.nr;
	}
	for (size_t i = 0; i < plan->tasks; i++) {
		bool done = plan->task[i].is.state == UNIT_DONE;

		ret->done += done;
		ret->recorded += done && plan->task[i].is.commit.nr;
		ret->commits += plan->task[i].is.commit.nr;
	}
	for (size_t i = 0; i < plan->items; i++) {
		ret->boxes += plan->item[i].is.has_box;
		ret->commits += plan->item[i].is.commit.nr;
	}
}

static void count(const struct tracks *tracks)
{
	struct count all = { 0 };

	for (size_t i = 0; i < tracks->nr; i++)
		count_plan(&all, &tracks->item[i].plan);
	printf("%zu\t%zu\t%zu\t%zu\t%zu\t%zu\t%zu\t%zu\n", all.tracks, all.phases, all.checkpoints,
	       all.tasks, all.done, all.recorded, all.boxes, all.commits);
}

static const char *word(int argc, char **argv, int i)
{
	return i < argc && *argv[i] ? argv[i] : NULL;
}

static int revert(const struct tracks *tracks, const struct unit_words *words, struct error *err)
{
	struct units candidates CLEANUP(units_release) = UNITS_INIT;
	struct splices splices CLEANUP(splices_release) = SPLICES_INIT;
	struct strbuf edited CLEANUP(strbuf_release) = STRBUF_INIT;
	const struct plan_document *plan;
	enum unit_kind missing;
	struct unit unit;
	int found = unit_find(&unit, &candidates, &missing, tracks, words, err);

	if (found)
		return found < 0 ? -1 : error_set(err, "no such %s", unit_kind_name(missing));
	plan = &tracks->item[unit.track].plan;
	if (unit.kind == UNIT_TASK)
		plan_document_uncheck_task(&splices, plan, unit.task);
	else if (unit.kind == UNIT_PHASE)
		plan_document_uncheck_phase(&splices, plan, unit.phase);
	else
		plan_document_uncheck_all(&splices, plan);
	if (plan_document_apply(&edited, plan, &splices, err) < 0)
		return -1;
	return file_write(plan->path, edited.buf, edited.len, 0644, FILE_SYNC_CONTENT, err);
}

static void show_unit(const char *path, size_t phase, size_t number)
{
	struct plan_document plan CLEANUP(plan_document_release) = PLAN_DOCUMENT_INIT;
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	size_t task;

	die_on(file_read_fd(&text, 0, path, &err), &err);
	plan_document_parse(&plan, path, text.buf, text.len);
	if (!number) {
		puts(phase <= plan.phases ? plan.phase[phase - 1].is.title : "");
		return;
	}
	task = plan_document_task_at(&plan, phase - 1, number);
	puts(task != NO_INDEX ? plan.task[task].is.title : "");
}

int main(int argc, char **argv)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	struct document_source source CLEANUP(document_source_release) = DOCUMENT_SOURCE_INIT;
	struct tracks tracks CLEANUP(tracks_release) = TRACKS_INIT;
	struct repo repo CLEANUP(repo_release) = REPO_INIT;
	bool reverts = argc > 1 && !strcmp(argv[1], "revert");

	if (argc < 2) {
		puts("1..0 # SKIP not a test, but a helper of t3050-documents.sh");
		return 0;
	}
	if (!strcmp(argv[1], "unit") && argc == 5) {
		show_unit(argv[2], strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
		return 0;
	}
	die_on(repo_open(&repo, &err), &err);
	if (argc > 2 && !reverts)
		source_commit(&source, argv[2]);
	else
		source_worktree(&source, &repo);
	die_on(tracks_read(&tracks, &source, NULL, &err), &err);
	if (reverts) {
		const struct unit_words words = { .track = word(argc, argv, 2),
						  .phase = word(argc, argv, 3),
						  .task = word(argc, argv, 4) };

		die_on(words.track ? revert(&tracks, &words, &err) : 0, &err);
	} else if (!strcmp(argv[1], "list")) {
		list(&tracks);
	} else {
		count(&tracks);
	}
	return 0;
}
