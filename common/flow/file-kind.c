/* SPDX-License-Identifier: MIT */
#include "flow/file-kind.h"

#include <fnmatch.h>
#include <strings.h>

#include "base/memory.h"

/* What is usual, of names in any case. */
static const struct {
	enum file_kind kind;
	const char *const folder[8]; /* anywhere in the path */
	const char *const name[12];
} usual[] = {
	{ FILE_MIGRATION,
	  { "migrations", "migration", "migrate" },
	  { "*.up.sql", "*.down.sql", "*.migration.*" } },
	{ FILE_SCHEMA,
	  { "schema", "schemas" },
	  { "schema.*", "*.schema.*", "*_schema.*", "structure.sql", "*.prisma", "*.graphql",
	    "*.proto", "*.ddl", "*.dbml", "*.avsc" } },
	{ FILE_MODEL,
	  { "models", "model", "entities", "entity" },
	  { "models.*", "model.*", "*_model.*", "*.model.*", "*.entity.*", "*_entity.*" } },
	{ FILE_SHARED, { "shared", "common", "utils", "helpers" }, { "utils.*", "helpers.*" } },
};

const char *file_kind_name(enum file_kind kind)
{
	static const char *const names[] = {
		[FILE_MIGRATION] = "migration", [FILE_SCHEMA] = "schema", [FILE_MODEL] = "model",
		[FILE_SHARED] = "shared",	[FILE_OTHER] = "other",
	};

	return names[kind];
}

int file_kinds_read(struct file_kinds *ret, const struct settings *settings, struct error *err)
{
	const char *folder;

	for (size_t kind = 0; kind < ARRAY_SIZE(ret->pattern); kind++) {
		char *key CLEANUP(free_p) =
			xstrfmt("files.%s", file_kind_name((enum file_kind)kind));

		if (settings_list(&ret->pattern[kind], settings, key, err) < 0)
			return -1;
	}
	if (settings_string(&folder, settings, "migrations.directory", err) < 0)
		return -1;
	ret->migrations = xstrdup_or_null(folder);
	return 0;
}

void file_kinds_release(struct file_kinds *kinds)
{
	for (size_t kind = 0; kind < ARRAY_SIZE(kinds->pattern); kind++)
		strvec_release(&kinds->pattern[kind]);
	free(kinds->migrations);
	*kinds = (struct file_kinds)FILE_KINDS_INIT;
}

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	while (len && folder[len - 1] == '/')
		len--;
	return !strncmp(path, folder, len) && path[len] == '/';
}

static bool matches(const struct strvec *patterns, const char *path, const char *name)
{
	for (size_t i = 0; i < patterns->nr; i++)
		if (!fnmatch(patterns->v[i], strchr(patterns->v[i], '/') ? path : name, 0))
			return true;
	return false;
}

static bool has_folder(const char *path, const char *const *folders)
{
	for (const char *slash; (slash = strchr(path, '/')); path = slash + 1)
		for (size_t i = 0; folders[i]; i++)
			if ((size_t)(slash - path) == strlen(folders[i]) &&
			    !strncasecmp(path, folders[i], (size_t)(slash - path)))
				return true;
	return false;
}

enum file_kind file_kind_of(const struct file_kinds *kinds, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t kind = 0; kind < ARRAY_SIZE(kinds->pattern); kind++)
		if (matches(&kinds->pattern[kind], path, name))
			return (enum file_kind)kind;
	if (kinds->migrations && is_below(path, kinds->migrations))
		return FILE_MIGRATION;
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
		if (has_folder(path, usual[i].folder))
			return usual[i].kind;
		for (size_t n = 0; usual[i].name[n]; n++)
			if (!fnmatch(usual[i].name[n], name, FNM_CASEFOLD))
				return usual[i].kind;
	}
	return FILE_OTHER;
}
