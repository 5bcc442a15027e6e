/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as an index file: read it, then hold what came out against what the header
 * promises.
 */
#include "vcs/index.h"

#include "base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_entries(const struct index_entries *entries, size_t hash)
{
	for (size_t i = 0; i < entries->nr; i++)
		if (strlen(entries->item[i].oid) != 2 * hash || entries->item[i].stage > 3)
			BUG("an entry is not whole");
}

static void check_folders(const struct index_file *index)
{
	for (size_t i = 0; i < index->folders.nr; i++) {
		const char *path = index->folders.v[i];

		if (!*path || path[strlen(path) - 1] != '/')
			BUG("a folder has no slash");
		if (i && strcmp(index->folders.v[i - 1], path) > 0)
			BUG("folders are not sorted");
		if (!index_has_folder(index, path))
			BUG("a folder is not found");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t hash = 20; hash <= 32; hash += 12) {
		struct index_file index CLEANUP(index_file_release) = INDEX_FILE_INIT;

		if (index_file_parse(&index, data, size, hash) < 0)
			continue;
		check_entries(&index.special, hash);
		check_entries(&index.attributes, hash);
		check_folders(&index);
	}
	return 0;
}
