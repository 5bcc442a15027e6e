/* SPDX-License-Identifier: MIT */
/* git migration-status: files, git history and database side by side. */
#include "base/memory.h"
#include "flow/status.h"
#include "main.h"
#include "term/options.h"

static const char *const usage[] = {
	"git migration-status [<options>] [<rev> | <rev>..<rev>]",
	NULL,
};

int cmd_main(int argc, const char **argv)
{
	struct status_request request = STATUS_REQUEST_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	char *range CLEANUP(free_p) = NULL;
	const struct opt opts[] = {
		OPT_STRING(0, "database", &request.database, "name", "the database to look at"),
		OPT_BOOL(0, "all-databases", &request.all_databases,
			 "look at each database that is configured"),
		OPT_BOOL(0, "check", &request.check,
			 "exit with 1 unless everything is applied, unchanged and paired"),
		OPT_LISTING(&request.common),
		OPT_COMMON(&request.common),
		OPT_END,
	};
	int ret;

	parse_options(&argc, &argv, opts, usage);
	if (argc > 1)
		usage_error(usage, "too many arguments");
	if (request.database && request.all_databases)
		usage_error(usage, "--database and --all-databases cannot be combined");
	if (argc) {
		char *dots;

		range = xstrdup(argv[0]);
		dots = strstr(range, "..");
		if (dots && dots[2] == '.')
			usage_error(usage, "a range is <rev>..<rev>, not '%s'", argv[0]);
		if (dots && dots[2] == '.')
			usage_error(usage, "a range is <rev>..<rev>, not '%s'", range);
		request.rev = range;
		if (dots) {
			*dots = '\0';
			request.since = *range ? range : "HEAD";
			request.rev = dots[2] ? dots + 2 : "HEAD";
		}
	}
	ret = status_run(&request, &err);
	return ret < 0 ? error_exit(&err) : ret;
}
