/* SPDX-License-Identifier: MIT */
#include "sql/inside.h"

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include "base/memory.h"
#include "sql/parser.h"

struct inside_job {
	const struct sql_script *script;
	size_t *keyword; /* by statement: where CONCURRENTLY stands in the text, if it is `outside` */
	const struct sql_statement *why;
};

/* In the list of REINDEX's options it cannot be left out alone. */
static bool is_in_list(const PgQuery__ScanResult *scan, size_t token)
{
	PgQuery__Token before = token ? scan->tokens[token - 1]->token : PG_QUERY__TOKEN__NUL;

	return before == PG_QUERY__TOKEN__ASCII_40 || before == PG_QUERY__TOKEN__ASCII_44;
}

/* The first is it: as a name of anything it would be quoted, and another token. Adds its place. */
static bool find_keyword(size_t *ret, const PgQuery__ScanResult *scan)
{
	for (size_t i = 0; i < scan->n_tokens; i++)
		if (scan->tokens[i]->token == PG_QUERY__TOKEN__CONCURRENTLY) {
			*ret += (size_t)scan->tokens[i]->start;
			return !is_in_list(scan, i);
		}
	return false;
}

/* REINDEX SCHEMA and the like cannot run inside, with or without it. */
static bool has_form(enum sql_kind kind)
{
	return kind == SQL_CREATE_INDEX_CONCURRENTLY || kind == SQL_DROP_INDEX_CONCURRENTLY ||
	       kind == SQL_REINDEX_CONCURRENTLY || kind == SQL_DETACH_PARTITION_CONCURRENTLY;
}

static bool scan_statement(size_t *ret, const struct sql_script *script,
			   const struct sql_statement *statement)
{
	char *text CLEANUP(free_p) = xmemdupz(script->text + statement->offset, statement->len);
	PgQueryScanResult result = pg_query_scan(text);
	PgQuery__ScanResult *scan = NULL;
	bool found = false;

	*ret = statement->offset;
	if (!result.error)
		scan = pg_query__scan_result__unpack(NULL, result.pbuf.len,
						     (const uint8_t *)result.pbuf.data);
	if (scan) {
		found = find_keyword(ret, scan);
		pg_query__scan_result__free_unpacked(scan, NULL);
	}
	pg_query_free_scan_result(result);
	return found;
}

static void inside_job_run(void *data)
{
	struct inside_job *job = data;

	for (size_t i = 0; i < job->script->nr && !job->why; i++) {
		const struct sql_statement *statement = &job->script->statement[i];

		if (statement->outside &&
		    (!has_form(statement->kind) ||
		     !scan_statement(&job->keyword[i], job->script, statement)))
			job->why = statement;
	}
}

int sql_script_make_inside(struct sql_script *script, const struct sql_statement **ret_why,
			   struct error *err)
{
	size_t *keyword CLEANUP(free_p) = xcalloc(script->nr + 1, sizeof(*keyword));
	struct inside_job job = { .script = script, .keyword = keyword };

	if (sql_parser_run(inside_job_run, &job, err) < 0)
		return -1;
	*ret_why = job.why;
	if (job.why)
		return 0;
	for (size_t i = 0; i < script->nr; i++) {
		if (script->statement[i].outside)
			memset(script->text + keyword[i], ' ', strlen("CONCURRENTLY"));
		script->statement[i].outside = false;
	}
	script->no_transaction = false;
	script->why = NULL;
	return 0;
}
