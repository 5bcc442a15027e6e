/* SPDX-License-Identifier: MIT */
/* What is saved comes back byte for byte, or it is said that it does not. */
#include "journal/saved.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"

#define ID   "20260112T102030.123456Z-0a0b"
#define ID_2 "20260112T102031.000000Z-0a0b"
#define ID_3 "20260112T102032.000000Z-0a0b"

static char *top, *root;

static void ok(int ret, const struct error *err)
{
	if (ret < 0)
		fail_msg("%s", err->message);
	assert_int_equal(ret, 0);
}
#define OK(call)                                                      \
	do {                                                          \
		struct error err CLEANUP(error_release) = ERROR_INIT; \
		ok((call), &err);                                     \
	} while (0)

/* It fails, with these words in the message; 0 as the code stands for EXIT_FAILED. */
#define FAILS(call, words, code)                                            \
	do {                                                                \
		struct error err CLEANUP(error_release) = ERROR_INIT;       \
		assert_int_equal((call), -1);                               \
		if (!strstr(err.message, words))                            \
			fail_msg("'%s' is not in: %s", words, err.message); \
		assert_int_equal(err.exit_code, code);                      \
	} while (0)

static int set_up(void **state UNUSED)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (file_make_temporary_folder(&top, &err) < 0)
		return -1;
	root = xstrfmt("%s/git/rollback/saved", top);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;
	int ret = file_remove_folders(top, &err);

	free(root);
	free(top);
	return ret;
}

static void create(struct saved *ret, const char *id)
{
	OK(saved_create(ret, root, id, "git test", &err));
}

static void save(struct saved *saved, const char *suffix, bool compressed, const void *data,
		 size_t len, size_t step)
{
	struct saved_part part CLEANUP(saved_part_release) = SAVED_PART_INIT;
	const char *from = data;

	OK(saved_part_begin(&part, saved, suffix, compressed, &err));
	for (size_t at = 0; at < len; at += step)
		OK(saved_part_write(&part, from + at, len - at < step ? len - at : step, &err));
	OK(saved_part_finish(&part, json_pack("{s:s}", "kind", "test"), &err));
	assert_int_equal(part.content_bytes, len);
}

static void save_one(const char *id, bool compressed, const void *data, size_t len)
{
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;

	create(&saved, id);
	save(&saved, "dat", compressed, data, len, 1000);
	OK(saved_finish(&saved, &err));
}

static void open_saved(struct saved *ret, const char *id)
{
	OK(saved_open(ret, root, id, &err));
}

static json_t *part_of(const struct saved *saved, size_t i)
{
	return json_array_get(json_object_get(saved->manifest, "parts"), i);
}

static void comes_back(struct saved *saved, size_t i, const void *data, size_t len, size_t step)
{
	struct saved_part part CLEANUP(saved_part_release) = SAVED_PART_INIT;
	struct strbuf all CLEANUP(strbuf_release) = STRBUF_INIT;
	char *buffer CLEANUP(free_p) = xmalloc(step);
	size_t n;

	OK(saved_part_open(&part, saved, part_of(saved, i), &err));
	do {
		OK(saved_part_read(&part, buffer, step, &n, &err));
		strbuf_add(&all, buffer, n);
	} while (n);
	OK(saved_part_read(&part, buffer, step, &n, &err));
	assert_int_equal(n, 0);
	assert_int_equal(all.len, len);
	assert_memory_equal(all.buf, data, len);
	strbuf_reset(&all);
	OK(saved_part_read_all(&all, saved, part_of(saved, i), &err));
	assert_int_equal(all.len, len);
	assert_memory_equal(all.buf, data, len);
	OK(saved_part_verify(saved, part_of(saved, i), &err));
}

/* xorshift: the same each time, and nothing that can be compressed. */
static char *noise(size_t len)
{
	char *ret = xmalloc(len);
	uint64_t x = 88172645463325252u;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		ret[i] = (char)x;
	}
	return ret;
}

static char *rows(size_t len)
{
	char *ret = xmalloc(len);

	for (size_t i = 0; i < len; i++)
		ret[i] = "0123\tabc\n"[(i + i / 1000) % 9];
	return ret;
}

static void round_trip(void **state UNUSED)
{
	static const size_t sizes[] = { 0, 1, 4096, 128 * 1024, 128 * 1024 + 1, 3000000 };
	char *random CLEANUP(free_p) = noise(3000000);
	char *text CLEANUP(free_p) = rows(3000000);
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;
	struct saved again CLEANUP(saved_release) = SAVED_INIT;

	create(&saved, ID);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		save(&saved, "copy", true, text, sizes[i], 777);
		save(&saved, "copy", true, random, sizes[i], 100000);
		save(&saved, "dump", false, random, sizes[i], 4096);
	}
	json_object_set_new(saved.manifest, "more", json_integer(7));
	OK(saved_finish(&saved, &err));
	open_saved(&again, ID);
	assert_int_equal(again.parts, 3 * ARRAY_SIZE(sizes));
	assert_true(json_equal(again.manifest, saved.manifest));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		comes_back(&again, 3 * i, text, sizes[i], 1000);
		comes_back(&again, 3 * i + 1, random, sizes[i], 1 << 20);
		comes_back(&again, 3 * i + 2, random, sizes[i], 333);
	}
	assert_string_equal(json_member(part_of(&again, 0), "file"), "0001.copy.zst");
	assert_string_equal(json_member(part_of(&again, 2), "file"), "0003.dump");
	assert_string_equal(json_member(part_of(&again, 0), "kind"), "test");
	/* Rows become small. */
	assert_in_range(json_integer_value(json_object_get(part_of(&again, 15), "bytes")), 1,
			300000);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void only_for_the_owner(void **state UNUSED)
{
	char *manifest CLEANUP(free_p) = xstrfmt("%s/" ID "/manifest.json", root);
	char *part CLEANUP(free_p) = xstrfmt("%s/" ID "/0001.dat.zst", root);
	char *folder CLEANUP(free_p) = xstrfmt("%s/" ID, root);
	mode_t before = umask(0);

	save_one(ID, true, "abc", 3);
	umask(before);
	assert_int_equal(mode_of(root), 0700);
	assert_int_equal(mode_of(folder), 0700);
	assert_int_equal(mode_of(manifest), 0600);
	assert_int_equal(mode_of(part), 0600);
}

static void not_twice(void **state UNUSED)
{
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;

	save_one(ID, true, "abc", 3);
	FAILS(saved_create(&saved, root, ID, "git test", &err), "File exists", 0);
}

/* ---- Damage --------------------------------------------------------------------------- */

static void flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char c;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c = (char)(c ^ 1);
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

static void is_found(const char *words)
{
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;
	struct strbuf all CLEANUP(strbuf_release) = STRBUF_INIT;

	open_saved(&saved, ID);
	FAILS(saved_part_read_all(&all, &saved, part_of(&saved, 0), &err), "is damaged", EXIT_NO);
	assert_int_equal(all.len, 0);
	FAILS(saved_part_verify(&saved, part_of(&saved, 0), &err), words, EXIT_NO);
}

static void finds_each_flipped_byte(void **state UNUSED)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/" ID "/0001.dat.zst", root);
	char *text CLEANUP(free_p) = rows(300);
	struct stat st;

	save_one(ID, true, text, 300);
	assert_int_equal(stat(path, &st), 0);
	for (off_t at = 0; at < st.st_size; at++) {
		flip(path, at);
		is_found("its digest is not the manifest's");
		flip(path, at);
	}
}

static void finds_truncation(void **state UNUSED)
{
	char *path CLEANUP(free_p) = xstrfmt("%s/" ID "/0001.dat", root);
	char *random CLEANUP(free_p) = noise(5000);

	save_one(ID, false, random, 5000);
	assert_int_equal(truncate(path, 4000), 0);
	is_found("it has 4000 bytes, not 5000");
	assert_int_equal(truncate(path, 0), 0);
	is_found("it has 0 bytes, not 5000");
	assert_int_equal(unlink(path), 0);
	is_found("it is not there");
}

/* A manifest that fits the file and not the content; one that leads elsewhere. */
static void believes_no_manifest(void **state UNUSED)
{
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;
	struct strbuf all CLEANUP(strbuf_release) = STRBUF_INIT;
	char *text CLEANUP(free_p) = rows(100000);
	json_t *part;

	save_one(ID, true, text, 100000);
	open_saved(&saved, ID);
	part = part_of(&saved, 0);
	json_object_set_new(part, "content_bytes", json_integer(10));
	FAILS(saved_part_read_all(&all, &saved, part, &err), "its content", EXIT_NO);
	json_object_set_new(part, "content_bytes", json_integer(100001));
	FAILS(saved_part_read_all(&all, &saved, part, &err), "its content", EXIT_NO);
	json_object_set_new(part, "compression", json_string("lzma"));
	FAILS(saved_part_read_all(&all, &saved, part, &err), "'lzma' is not known", 0);
	json_object_set_new(part, "file", json_string("../" ID "/0001.dat.zst"));
	FAILS(saved_part_read_all(&all, &saved, part, &err), "describes a part badly", EXIT_NO);
}

static void follows_no_link(void **state UNUSED)
{
	char *folder CLEANUP(free_p) = xstrfmt("%s/" ID, root);
	char *other CLEANUP(free_p) = xstrfmt("%s/" ID_2, root);
	char *path CLEANUP(free_p) = xstrfmt("%s/0001.dat", folder);
	char *elsewhere CLEANUP(free_p) = xstrfmt("%s/elsewhere", top);
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;
	struct saved linked CLEANUP(saved_release) = SAVED_INIT;

	save_one(ID, false, "abc", 3);
	assert_int_equal(rename(path, elsewhere), 0);
	assert_int_equal(symlink(elsewhere, path), 0);
	open_saved(&saved, ID);
	FAILS(saved_part_verify(&saved, part_of(&saved, 0), &err), "cannot open", 0);
	assert_int_equal(symlink(ID, other), 0);
	FAILS(saved_open(&linked, root, ID_2, &err), "cannot open folder", 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	FAILS(saved_part_verify(&saved, part_of(&saved, 0), &err), "is not a file", EXIT_NO);
}

/* ---- Halves --------------------------------------------------------------------------- */

static size_t files_in(const char *path)
{
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;

	struct error err CLEANUP(error_release) = ERROR_INIT;
	assert_true(file_list(&names, path, &err) >= 0);
	return names.nr;
}

static void unfinished_part_leaves_nothing(void **state UNUSED)
{
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;
	struct saved_part part CLEANUP(saved_part_release) = SAVED_PART_INIT;
	char *random CLEANUP(free_p) = noise(1000000);

	create(&saved, ID);
	OK(saved_part_begin(&part, &saved, "copy", true, &err));
	OK(saved_part_write(&part, random, 1000000, &err));
	assert_int_equal(files_in(saved.path), 1);
	saved_part_release(&part);
	assert_int_equal(files_in(saved.path), 0);
	assert_int_equal(json_array_size(json_object_get(saved.manifest, "parts")), 0);
}

static void another_program_writes(void **state UNUSED)
{
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;
	struct saved_part part CLEANUP(saved_part_release) = SAVED_PART_INIT;
	char *random CLEANUP(free_p) = noise(300000);
	char *path CLEANUP(free_p) = NULL;

	create(&saved, ID);
	OK(saved_part_begin(&part, &saved, "dump", false, &err));
	assert_int_equal(write(saved_part_fd(&part), random, 300000), 300000);
	assert_int_equal(pwrite(saved_part_fd(&part), random, 1, 7), 1);
	random[7] = random[0];
	OK(saved_part_finish(&part, json_object(), &err));
	OK(saved_finish(&saved, &err));
	comes_back(&saved, 0, random, 300000, 4096);
	OK(saved_part_path(&path, &saved, part_of(&saved, 0), &err));
	assert_int_equal(access(path, R_OK), 0);
}

static void full_disk(void **state UNUSED)
{
	struct rlimit before, small = { .rlim_cur = 200000 };
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;
	struct saved_part part CLEANUP(saved_part_release) = SAVED_PART_INIT;
	char *random CLEANUP(free_p) = noise(1000000);

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	create(&saved, ID);
	OK(saved_part_begin(&part, &saved, "copy", true, &err));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	FAILS(saved_part_write(&part, random, 1000000, &err), "/0001.copy.zst': File too large", 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	saved_part_release(&part);
	assert_int_equal(files_in(saved.path), 0);
	OK(saved_discard(&saved, &err));
	assert_int_equal(access(saved.path, F_OK), -1);
}

static void lists_and_sweeps(void **state UNUSED)
{
	struct saved alive CLEANUP(saved_release) = SAVED_INIT;
	struct saved dead CLEANUP(saved_release) = SAVED_INIT;
	struct strvec ids CLEANUP(strvec_release) = STRVEC_INIT;
	struct strvec operations CLEANUP(strvec_release) = STRVEC_INIT;
	char *foreign CLEANUP(free_p) = xstrfmt("%s/of-someone-else", root);

	OK(saved_list(&ids, root, &err));
	OK(saved_sweep(root, NULL, &err));
	assert_int_equal(ids.nr, 0);
	save_one(ID, true, "abc", 3);
	create(&alive, ID_3);
	create(&dead, ID_2);
	save(&dead, "copy", true, "abc", 3, 3);
	saved_release(&dead);
	assert_int_equal(mkdir(foreign, 0700), 0);
	strvec_push(&operations, ID_2);
	OK(saved_sweep(root, &operations, &err));
	assert_int_equal(files_in(root), 4);
	OK(saved_sweep(root, NULL, &err));
	assert_int_equal(files_in(root), 3);
	OK(saved_finish(&alive, &err));
	OK(saved_list(&ids, root, &err));
	assert_int_equal(ids.nr, 2);
	assert_string_equal(ids.v[0], ID_3);
	assert_string_equal(ids.v[1], ID);
}

static void missing(void **state UNUSED)
{
	static const char *const names[] = { ID, "", ".", "..", "../saved/" ID, ID "/", "x" };
	struct error err CLEANUP(error_release) = ERROR_INIT;
	struct saved saved CLEANUP(saved_release) = SAVED_INIT;
	struct saved other CLEANUP(saved_release) = SAVED_INIT;

	assert_int_equal(saved_open(&saved, root, ID, &err), SAVED_MISSING);
	create(&other, ID);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(saved_open(&saved, root, names[i], &err), SAVED_MISSING);
}

static void space(void **state UNUSED)
{
	int64_t bytes = -1;

	OK(saved_space(&bytes, root, &err));
	assert_true(bytes > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(round_trip),
		TEST(only_for_the_owner),
		TEST(not_twice),
		TEST(finds_each_flipped_byte),
		TEST(finds_truncation),
		TEST(believes_no_manifest),
		TEST(follows_no_link),
		TEST(unfinished_part_leaves_nothing),
		TEST(another_program_writes),
		TEST(full_disk),
		TEST(lists_and_sweeps),
		TEST(missing),
		TEST(space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
