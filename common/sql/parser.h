/* SPDX-License-Identifier: MIT */
/*
 * parser: a place where libpg_query can run without harm.
 *
 * Its trees are walked by recursion, and a few kilobytes of "1+1+1..." are deep enough
 * to overflow an ordinary stack. So all its work is done on a thread of its own with a
 * stack of SQL_PARSER_STACK bytes (only reserved, paid for page by page when used), and
 * no statement longer than SQL_TREE_MAX bytes is made a tree: the deepest tree that so
 * many bytes can be ("+1" 32,000 times) was measured to take 70 MB of that stack. The
 * thread is started when first needed, and serves one job after the other.
 */
#ifndef SQL_PARSER_H
#define SQL_PARSER_H

#include "base/compat.h"
#include "base/error.h"

#define SQL_PARSER_STACK ((size_t)256 << 20)
#define SQL_TREE_MAX	 ((size_t)64 << 10)
/* The parser counts in int, and needs about 14 times a script's size in memory. */
#define SQL_TEXT_MAX ((size_t)256 << 20)

/*
 * Runs job(arg) on that thread, and waits for its end. -1 when there can be none. What a job
 * itself runs so is simply called: who has many scripts to read makes all of that one job,
 * since each change of threads takes as long as a small script does. But not more than
 * SQL_PARSER_SCRIPTS: libpg_query gives some memory back only between jobs.
 */
#define SQL_PARSER_SCRIPTS 128
int sql_parser_run(void (*job)(void *arg), void *arg, struct error *err) MUST_CHECK;

/*
 * Starts that thread without waiting for it, and has it take libpg_query's first breath: for who
 * will have scripts to read, and has to wait for something else before.
 */
void sql_parser_prepare(void);

/*
 * Takes the bytes of a script as text: `*ret_bom` is 3 if a byte order mark stands in
 * front, else 0. Refuses what the parser would misread without a word: NUL bytes and
 * invalid UTF-8 (and more than SQL_TEXT_MAX), with their place in `path`.
 */
int sql_text_check(size_t *ret_bom, const char *path, const char *bytes, size_t len,
		   struct error *err) MUST_CHECK;

#endif
