/* SPDX-License-Identifier: MIT */
/*
 * What t2000-capture.sh does with snapshots. No test program itself.
 *
 *   capture [<option>...] [<ref>]    captures, makes the ref, and prints
 *                                    "commit", "index", "worktree", "untracked" and their ids
 *	--no-untracked, --ignored=<pathspec>, --also=<path>, --leave-out, --quarantine=<folder>,
 *	--part=<path>=<text>, --time=<seconds>, --peak: also prints the most memory that a process took
 *   files                            captures, and prints mode, id and path of what it read
 *   read <rev>                       prints the ids of a snapshot, and its manifest
 *   tag <name> <commit>              writes a tag, and prints its id
 *   index                            what an index file says beside its tree
 */
#include <sys/resource.h>

#include "base/error.h"
#include "base/memory.h"
#include "vcs/path.h"
#include "vcs/refs.h"
#include "vcs/snapshot.h"

static struct error err = ERROR_INIT;
static struct repo repo = REPO_INIT;
static struct strvec ignored = STRVEC_INIT, also = STRVEC_INIT;
static struct snapshot_parts parts = SNAPSHOT_PARTS_INIT;
static struct snapshot_request request = { .parts = &parts, .subject = "test", .time = 1767225600 };
static bool show_peak;

static const char *value_of(const char *arg, const char *option)
{
	return strncmp(arg, option, strlen(option)) != 0 ? NULL : arg + strlen(option);
}

static bool take_option(const char *arg)
{
	const char *value;

	if (!strcmp(arg, "--no-untracked"))
		request.worktree.no_untracked = true;
	else if (!strcmp(arg, "--leave-out"))
		request.may_leave_out = true;
	else if ((value = value_of(arg, "--ignored=")))
		strvec_push(&ignored, value);
	else if ((value = value_of(arg, "--also=")))
		strvec_push(&also, value);
	else if ((value = value_of(arg, "--quarantine=")))
		request.quarantine = value;
	else if ((value = value_of(arg, "--time=")))
		request.time = strtoll(value, NULL, 10);
	else if (!strcmp(arg, "--peak"))
		show_peak = true;
	else if ((value = value_of(arg, "--part="))) {
		char *path CLEANUP(free_p) = xmemdupz(value, strcspn(value, "="));

		strbuf_addstr(snapshot_parts_add(&parts, path), strchr(value, '=') + 1);
	} else {
		return false;
	}
	return true;
}

static int make_ref(const char *name, const char *oid)
{
	struct refs_update update CLEANUP(refs_update_release) = REFS_UPDATE_INIT;

	refs_add(&update, name, NULL, oid);
	return refs_commit(&update, &repo, &err);
}

static int capture(struct snapshot_capture *ret, char **argv)
{
	char *identity CLEANUP(free_p) = NULL;

	while (*argv && take_option(*argv))
		argv++;
	request.worktree.ignored = &ignored;
	request.also = &also;
	if (snapshot_identity(&identity, &err) < 0)
		return -1;
	request.identity = identity;
	if (snapshot_capture(ret, &repo, &request, &err) < 0 ||
	    (*argv && (import_publish(&ret->import, &err) < 0 || make_ref(*argv, ret->commit) < 0)))
		return -1;
	return 0;
}

/* Of this process and its children, in KiB. */
static void print_peak(void)
{
	struct rusage own, children;

	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &children);
	printf("peak %ld\n",
	       own.ru_maxrss > children.ru_maxrss ? own.ru_maxrss : children.ru_maxrss);
}

static int show_capture(char **argv)
{
	struct snapshot_capture snapshot CLEANUP(snapshot_capture_release) = SNAPSHOT_CAPTURE_INIT;

	if (capture(&snapshot, argv) < 0)
		return -1;
	printf("commit %s\nindex %s\nworktree %s\nuntracked %s\n", snapshot.commit,
	       snapshot.index_tree, snapshot.worktree_tree, snapshot.untracked_tree);
	if (show_peak)
		print_peak();
	return 0;
}

static int show_files(char **argv)
{
	struct snapshot_capture snapshot CLEANUP(snapshot_capture_release) = SNAPSHOT_CAPTURE_INIT;

	if (capture(&snapshot, argv) < 0)
		return -1;
	for (size_t i = 0; i < snapshot.nr; i++) {
		struct strbuf path CLEANUP(strbuf_release) = STRBUF_INIT;

		path_show(&path, snapshot.file[i].path);
		printf("%06o %s %jd %s%s\n", snapshot.file[i].mode, snapshot.file[i].oid,
		       (intmax_t)snapshot.file[i].stat.st_size,
		       snapshot.file[i].untracked ? "? " : "", path.buf);
	}
	return 0;
}

static int show_snapshot(const char *rev)
{
	struct snapshot snapshot CLEANUP(snapshot_release) = SNAPSHOT_INIT;

	if (snapshot_read(&snapshot, rev, &err) < 0)
		return -1;
	printf("commit %s\nhead %s\nindex %s\nworktree %s\nuntracked %s\npayload %s\n",
	       snapshot.commit, snapshot.head, snapshot.index_tree, snapshot.worktree_tree,
	       snapshot.untracked_tree, snapshot.payload_tree);
	json_print(snapshot.manifest);
	return 0;
}

static int write_tag(const char *name, const char *commit)
{
	char *oid CLEANUP(free_p) = NULL;

	if (import_tag(&oid, &repo, NULL, name, commit, "A <a@b>", 1, "message\n", &err) < 0)
		return -1;
	puts(oid);
	return 0;
}

static void show_entries(const char *what, const struct index_entries *entries)
{
	for (size_t i = 0; i < entries->nr; i++) {
		const struct index_entry *entry = &entries->item[i];

		printf("%s %06o %s %u %s%s%s%s\n", what, entry->mode, entry->oid, entry->stage,
		       entry->assume_unchanged ? "assume-unchanged " : "",
		       entry->skip_worktree ? "skip-worktree " : "",
		       entry->intent_to_add ? "intent-to-add " : "", entry->path);
	}
}

static int show_index(void)
{
	struct index_file index CLEANUP(index_file_release) = INDEX_FILE_INIT;

	if (index_file_read(&index, &repo, &err) < 0)
		return -1;
	show_entries("special", &index.special);
	show_entries("attributes", &index.attributes);
	for (size_t i = 0; i < index.folders.nr; i++)
		printf("folder %s\n", index.folders.v[i]);
	for (size_t i = 0; i < index.submodules.nr; i++)
		printf("submodule %s\n", index.submodules.v[i]);
	return 0;
}

int main(int argc, char **argv)
{
	int ret = 129;

	if (argc < 2) {
		puts("1..0 # SKIP not a test, but a helper of t2000-capture.sh");
		return 0;
	}
	if (repo_open(&repo, &err) < 0)
		return error_exit(&err);
	if (!strcmp(argv[1], "capture"))
		ret = show_capture(argv + 2);
	else if (!strcmp(argv[1], "files"))
		ret = show_files(argv + 2);
	else if (!strcmp(argv[1], "read") && argc == 3)
		ret = show_snapshot(argv[2]);
	else if (!strcmp(argv[1], "tag") && argc == 4)
		ret = write_tag(argv[2], argv[3]);
	else if (!strcmp(argv[1], "index"))
		ret = show_index();
	if (ret < 0)
		ret = error_exit(&err);
	repo_release(&repo);
	strvec_release(&ignored);
	strvec_release(&also);
	snapshot_parts_release(&parts);
	error_release(&err);
	return ret;
}
