/* SPDX-License-Identifier: MIT */
/*
 * What t3010-revert-run.sh does with series of reverts. No test program itself.
 *
 *   flow-revert-tool run [<option>...] <commit>[:<mainline>]...
 *	--trailer=<line>, --keep=<path>, --reason=<text>, --squash, --subject=<of that>
 *	--reset-to=<commit>
 *	--document=<path>=<text>, or =<path> for one that goes; --documents-subject=<text>
 *	--expect-stop: 0 is the exit code where it stops, too
 *	-n: plans alone, and prints "stops", "moves <path>", "in the way <path>", "refused: <why>"
 *   flow-revert-tool continue | skip | abort | quit
 *   flow-revert-tool waiting		prints "<position> <what it stopped at>", or nothing
 *
 * Prints "done" or "stopped", and the operation. Exit codes are the flow's.
 */
#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "flow/revert-run.h"

static struct error err = ERROR_INIT;
static struct common_options common = COMMON_OPTIONS_INIT;
static struct checkpoint_session session = CHECKPOINT_SESSION_INIT;
static bool expect_stop;
static struct strvec keep = STRVEC_INIT, trailers = STRVEC_INIT;
static struct revert_commit commit[200];
static struct revert_document document[20];
static struct revert_run_request request = { .commit = commit,
					     .keep = &keep,
					     .trailers = &trailers,
					     .document = document };

static const char *value_of(const char *arg, const char *option)
{
	return strncmp(arg, option, strlen(option)) != 0 ? NULL : arg + strlen(option);
}

static void take_document(char *value)
{
	char *text = *value == '=' ? NULL : strchr(value, '=');

	if (text)
		*text++ = '\0';
	document[request.documents++] =
		(struct revert_document){ .path = text ? value : value + 1, .data = text };
}

static void take_commit(char *arg)
{
	char *colon = strchr(arg, ':');

	if (colon)
		*colon = '\0';
	commit[request.nr++] = (struct revert_commit){
		.oid = arg, .mainline = colon ? (unsigned)strtoul(colon + 1, NULL, 10) : 0
	};
}

static void take(char *arg)
{
	const char *value;

	if (!strcmp(arg, "-n"))
		common.dry_run = true;
	else if (!strcmp(arg, "--expect-stop"))
		expect_stop = true;
	else if (!strcmp(arg, "--squash"))
		request.squash = true;
	else if ((value = value_of(arg, "--trailer=")))
		strvec_push(&trailers, value);
	else if ((value = value_of(arg, "--keep=")))
		strvec_push(&keep, value);
	else if ((value = value_of(arg, "--reason=")))
		request.reason = value;
	else if ((value = value_of(arg, "--reset-to=")))
		request.reset_to = value;
	else if ((value = value_of(arg, "--subject=")))
		request.squash_subject = value;
	else if ((value = value_of(arg, "--documents-subject=")))
		request.documents_subject = value;
	else if (value_of(arg, "--document="))
		take_document(arg + strlen("--document="));
	else
		take_commit(arg);
}

static int show(const struct revert_run *run)
{
	if (run->stops)
		puts("stops");
	for (size_t i = 0; i < run->moves.nr; i++)
		printf("moves %s\n", run->moves.item[i].path);
	for (size_t i = 0; i < run->in_the_way.nr; i++)
		printf("in the way %s\n", run->in_the_way.v[i]);
	for (size_t i = 0; i < run->verdict.reasons.nr; i++)
		printf("refused: %s\n", run->verdict.reasons.v[i]);
	return 0;
}

static int tell(int ret, char **operation)
{
	if (ret >= 0)
		printf("%s %s\n", ret == REVERT_RUN_STOPPED ? "stopped" : "done",
		       *operation ? *operation : "-");
	return ret == REVERT_RUN_STOPPED && expect_stop ? EXIT_DONE : ret;
}

static int run(char **args)
{
	struct revert_run run CLEANUP(revert_run_release) = REVERT_RUN_INIT;
	char *operation CLEANUP(free_p) = NULL;

	for (; *args; args++)
		take(*args);
	if (revert_run_plan(&run, &session, &request, &err) < 0)
		return -1;
	if (common.dry_run)
		return show(&run);
	return tell(revert_run_execute(&run, &operation, &err), &operation);
}

static int show_waiting(void)
{
	json_t *record CLEANUP(json_decref_p) = NULL;
	const char *stopped;

	if (revert_waiting(&record, &session, &err) < 0)
		return -1;
	stopped = json_member(record, "stopped");
	if (record)
		printf("%d %s\n", (int)json_integer_value(json_object_get(record, "position")),
		       stopped ? stopped : "-");
	return 0;
}

static int dispatch(char **argv)
{
	struct revert_run rest CLEANUP(revert_run_release) = REVERT_RUN_INIT;
	struct revert_ended ended CLEANUP(revert_ended_release) = REVERT_ENDED_INIT;
	int ret = 129;

	if (!strcmp(argv[0], "run"))
		return run(argv + 1);
	if (!strcmp(argv[0], "waiting"))
		return show_waiting();
	if (!strcmp(argv[0], "continue"))
		return tell(revert_continue(&rest, &session, &ended, &err), &ended.operation);
	if (!strcmp(argv[0], "skip"))
		return tell(revert_skip(&rest, &session, &ended, &err), &ended.operation);
	if (!strcmp(argv[0], "abort"))
		ret = revert_abort(&session, &err);
	if (!strcmp(argv[0], "quit"))
		ret = revert_quit(&session, &err);
	return ret;
}

int main(int argc, char **argv)
{
	int ret;

	if (argc < 2) {
		puts("1..0 # SKIP not a test, but a helper of t3010-revert-run.sh");
		return 0;
	}
	interrupt_catch();
	common.quiet = true;
	if (checkpoint_session_open(&session, &common, &err) < 0)
		return error_exit(&err);
	ret = dispatch(argv + 1);
	if (ret < 0)
		ret = error_exit(&err);
	checkpoint_session_close(&session);
	strvec_release(&keep);
	strvec_release(&trailers);
	error_release(&err);
	return ret;
}
