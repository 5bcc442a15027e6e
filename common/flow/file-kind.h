/* SPDX-License-Identifier: MIT */
/*
 * file-kind: what a file is for a project that has a database: a migration, a schema, a model, or
 * shared by all; told by its path.
 *
 * Patterns of the settings (files.migration, files.schema, files.model, files.shared) come first, in
 * this order: the shell's kind of matching, against the file's name, or, where the pattern has a
 * slash, against its path, in which `*` matches slashes too. Then what is usual: scripts below a
 * folder "migrations"; "schema.sql", "*.prisma", "*.graphql"; what is below "models" or
 * "entities"; what is below "shared" or "common".
 * Owner: the caller; file_kinds_release().
 */
#ifndef FLOW_FILE_KIND_H
#define FLOW_FILE_KIND_H

#include "base/compat.h"
#include "base/strvec.h"
#include "config/settings.h"

enum file_kind { FILE_MIGRATION, FILE_SCHEMA, FILE_MODEL, FILE_SHARED, FILE_OTHER };
#define FILE_KINDS (FILE_OTHER + 1)
/* "migration", "schema", "model", "shared", "other". */
const char *file_kind_name(enum file_kind kind);

struct file_kinds {
	struct strvec pattern[FILE_OTHER]; /* of the settings, by kind */
	char *migrations; /* the folder of the settings, or NULL: all below it are migrations */
};
#define FILE_KINDS_INIT \
	{               \
		0       \
	}
int file_kinds_read(struct file_kinds *ret, const struct settings *settings, struct error *err)
	MUST_CHECK;
void file_kinds_release(struct file_kinds *kinds);

/* `path` from the top of the worktree. */
enum file_kind file_kind_of(const struct file_kinds *kinds, const char *path) MUST_CHECK;

#endif
