/* SPDX-License-Identifier: MIT */
#include "vcs/stored-index.h"

#include "base/digest.h"
#include "base/memory.h"
#include "vcs/object.h"
#include "vcs/mode.h"

static bool is_sha256(const struct repo *repo)
{
	return !strcmp(repo->object_format, "sha256");
}

/* ---- What is wrong with it ----------------------------------------------------------- */

static bool is_mode(unsigned mode)
{
	return mode == MODE_FILE || mode == MODE_EXECUTABLE || mode == MODE_LINK ||
	       mode == MODE_SUBMODULE;
}

/* By path, then by stage; stage 0 stands alone. */
static bool is_in_order(const struct index_entry *before, const struct index_entry *entry)
{
	int order = strcmp(before->path, entry->path);

	return order < 0 || (!order && before->stage && before->stage < entry->stage);
}

static void check_entries(struct strvec *faults, const struct index_entries *entries,
			  const struct repo *repo)
{
	for (size_t i = 0; i < entries->nr; i++) {
		const struct index_entry *entry = &entries->item[i];
		const char *fault = repo_path_fault(repo, entry->path);

		if (fault)
			strvec_pushf(faults, "the index file has '%s': %s", entry->path, fault);
		if (!is_mode(entry->mode))
			strvec_pushf(faults, "the index file has '%s' with the mode %o",
				     entry->path, entry->mode);
		if (i && !is_in_order(entry - 1, entry))
			strvec_pushf(faults, "the index file has '%s' in the wrong place",
				     entry->path);
	}
}

static bool is_of_tree(const struct index_entry *entry)
{
	return !entry->stage && !entry->intent_to_add;
}

/* Both are sorted by path. The first difference is enough. */
static int compare(struct strvec *faults, const struct index_entries *entries, const char *tree,
		   struct error *err)
{
	struct tree_files files CLEANUP(tree_files_release) = TREE_FILES_INIT;
	size_t at = 0;

	if (tree_list_all(&files, tree, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < entries->nr; i++) {
		const struct index_entry *entry = &entries->item[i];
		const struct tree_file *file = at < files.nr ? &files.item[at] : NULL;

		if (!is_of_tree(entry))
			continue;
		if (!file || strcmp(file->path, entry->path) != 0 || file->mode != entry->mode ||
		    strcmp(file->oid, entry->oid) != 0) {
			strvec_pushf(faults, "the index file has '%s', and its tree has not",
				     entry->path);
			return 0;
		}
		at++;
	}
	if (at < files.nr)
		strvec_pushf(faults, "the index file has not '%s', and its tree has",
			     files.item[at].path);
	return 0;
}

int stored_index_read(struct index_file *ret, struct strvec *faults, const struct strbuf *bytes,
		      const struct repo *repo, const char *tree, struct error *err)
{
	ret->all = true;
	if (index_file_parse(ret, (const unsigned char *)bytes->buf, bytes->len,
			     is_sha256(repo) ? 32 : 20) != INDEX_WHOLE) {
		strvec_push(faults, "the index file is damaged");
		return 0;
	}
	check_entries(faults, &ret->found, repo);
	return faults->nr ? 0 : compare(faults, &ret->found, tree, err);
}

/* ---- A new one ----------------------------------------------------------------------- */

static void add_number(struct strbuf *out, uint32_t number, unsigned bytes)
{
	while (bytes--)
		strbuf_addch(out, (char)(number >> bytes * 8 & 0xff));
}

static int digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void add_hex(struct strbuf *out, const char *hex)
{
	for (; *hex; hex += 2)
		strbuf_addch(out, (char)(digit(hex[0]) << 4 | digit(hex[1])));
}

static bool is_extended(const struct index_entry *entry)
{
	return entry->skip_worktree || entry->intent_to_add;
}

static void add_entry(struct strbuf *out, const struct index_entry *entry)
{
	size_t start = out->len, len = strlen(entry->path);

	for (int i = 0; i < 6; i++) /* times, device and inode: not known */
		add_number(out, 0, 4);
	add_number(out, entry->mode, 4);
	for (int i = 0; i < 3; i++) /* owner, group and size, the same */
		add_number(out, 0, 4);
	add_hex(out, entry->oid);
	add_number(out,
		   (entry->assume_unchanged ? INDEX_ASSUME_VALID : 0) |
			   (is_extended(entry) ? INDEX_EXTENDED : 0) | entry->stage << 12 |
			   (uint32_t)(len < 0xfff ? len : 0xfff),
		   2);
	if (is_extended(entry))
		add_number(out,
			   (entry->skip_worktree ? INDEX_SKIP_WORKTREE : 0) |
				   (entry->intent_to_add ? INDEX_INTENT_TO_ADD : 0),
			   2);
	strbuf_add(out, entry->path, len);
	do {
		strbuf_addch(out, '\0');
	} while ((out->len - start) % 8);
}

void stored_index_format(struct strbuf *out, const struct index_entries *entries,
			 const struct repo *repo)
{
	size_t start = out->len;
	char hex[DIGEST_HEX];
	struct digest digest;
	uint32_t version = 2;

	for (size_t i = 0; i < entries->nr; i++)
		if (is_extended(&entries->item[i]))
			version = 3;
	strbuf_addstr(out, "DIRC");
	add_number(out, version, 4);
	add_number(out, (uint32_t)entries->nr, 4);
	for (size_t i = 0; i < entries->nr; i++)
		add_entry(out, &entries->item[i]);
	digest_init(&digest, is_sha256(repo) ? DIGEST_SHA256 : DIGEST_SHA1);
	digest_add(&digest, out->buf + start, out->len - start);
	digest_end(hex, &digest);
	add_hex(out, hex);
}
