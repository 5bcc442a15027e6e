/* SPDX-License-Identifier: MIT */
#include "vcs/object-stream.h"

#include <ctype.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/process.h"

#define REQUESTS   65536 /* bytes of names that are sent ahead */
#define STDERR_MAX 65536

struct stream {
	const struct object_stream_fns *fns;
	void *data;
	struct process git;
	struct strvec env;
	size_t sent, answered;
	struct strbuf request;
	size_t request_at;
	struct strbuf header;
	uint64_t left; /* of the content */
	enum { IN_HEADER, IN_CONTENT, AT_END } state;
};

static void stream_release(struct stream *s)
{
	process_release(&s->git);
	strvec_release(&s->env);
	strbuf_release(&s->request);
	strbuf_release(&s->header);
}

static int start(struct stream *s, struct error *err)
{
	process_release(&s->git);
	s->git = (struct process)PROCESS_INIT;
	strvec_pushl(&s->git.argv, "git", "cat-file", "--batch", NULL);
	s->git.input = "";
	s->git.env = &s->env;
	strbuf_reset(&s->request);
	strbuf_reset(&s->header);
	s->request_at = 0;
	s->state = IN_HEADER;
	s->sent = s->answered;
	return process_start(&s->git, err);
}

/* ---- Answers ------------------------------------------------------------------------- */

static void answer(struct stream *s, enum object_answer how)
{
	s->fns->end(s->data, s->answered, how);
	s->answered++;
	strbuf_reset(&s->header);
	s->state = IN_HEADER;
}

/* "<id> <type> <size>", or "<id> missing". */
static int read_header(struct stream *s, struct error *err)
{
	char type[16];
	uint64_t size;
	const char *blank = strchr(s->header.buf, ' ');

	if (blank && !strcmp(blank, " missing")) {
		answer(s, OBJECT_MISSING);
		return 0;
	}
	if (!blank || sscanf(blank, " %15s %" SCNu64, type, &size) != 2)
		return error_set(err, "cannot read objects from git: it says '%s'", s->header.buf);
	s->fns->begin(s->data, s->answered, type, size);
	s->left = size;
	s->state = size ? IN_CONTENT : AT_END;
	return 0;
}

static int take(struct stream *s, const char *bytes, size_t len, struct error *err)
{
	while (len) {
		size_t used = 1;

		if (s->state == IN_HEADER) {
			const char *end = memchr(bytes, '\n', len);

			used = end ? (size_t)(end - bytes) : len;
			strbuf_add(&s->header, bytes, used);
			used += end ? 1 : 0;
			if (end && read_header(s, err) < 0)
				return -1;
		} else if (s->state == IN_CONTENT) {
			used = len < s->left ? len : (size_t)s->left;
			s->fns->content(s->data, s->answered, bytes, used);
			s->left -= used;
			if (!s->left)
				s->state = AT_END;
		} else {
			answer(s, OBJECT_READ);
		}
		bytes += used;
		len -= used;
	}
	return 0;
}

/* ---- Both directions ----------------------------------------------------------------- */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void fill_request(struct stream *s)
{
	const char *name;

	if (s->request_at == s->request.len) {
		strbuf_reset(&s->request);
		s->request_at = 0;
	}
	while (s->request.len < REQUESTS && (name = s->fns->name(s->data, s->sent))) {
		strbuf_addf(&s->request, "%s\n", name);
		s->sent++;
	}
}

static void send_request(struct stream *s)
{
	ssize_t n =
		write(s->git.in_fd, s->request.buf + s->request_at, s->request.len - s->request_at);

	if (n >= 0)
		s->request_at += (size_t)n;
	else if (errno != EINTR && errno != EAGAIN)
		close_fd(&s->git.in_fd); /* it has ended, and its output says where */
}

static void take_stderr(struct stream *s)
{
	char buffer[4096];
	ssize_t n = read(s->git.err_fd, buffer, sizeof(buffer));

	if (n > 0 && s->git.err.len < STDERR_MAX)
		strbuf_add(&s->git.err, buffer, (size_t)n);
	else if (!n)
		close_fd(&s->git.err_fd);
}

/* 1 at the end of its output. */
static int take_stdout(struct stream *s, struct error *err)
{
	char buffer[65536];
	ssize_t n = read(s->git.out_fd, buffer, sizeof(buffer));

	if (n < 0 && errno != EINTR)
		return error_errno(err, "cannot read objects from git");
	if (!n)
		return 1;
	return n < 0 ? 0 : take(s, buffer, (size_t)n, err);
}

/* Until git has answered all, or has ended. */
static int exchange(struct stream *s, struct error *err)
{
	int ended = 0;

	while (!ended) {
		struct pollfd fds[3] = {
			{ .fd = s->git.out_fd, .events = POLLIN },
			{ .fd = s->git.err_fd, .events = POLLIN },
			{ .fd = -1, .events = POLLOUT },
		};

		if (interrupt_pending())
			return error_interrupted(err);
		fill_request(s);
		if (s->request_at < s->request.len)
			fds[2].fd = s->git.in_fd;
		else if (s->answered == s->sent)
			return 0;
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0) {
			if (errno == EINTR)
				continue;
			return error_errno(err, "cannot read objects from git");
		}
		if (fds[2].revents)
			send_request(s);
		if (fds[1].revents)
			take_stderr(s);
		if (fds[0].revents)
			ended = take_stdout(s, err);
	}
	return ended < 0 ? -1 : 0;
}

/* Does git complain of an object, or a pack? Its name is in the message. */
static bool names_object(const char *text)
{
	size_t digits = 0;

	for (; *text && digits < 40; text++)
		digits = isxdigit((unsigned char)*text) ? digits + 1 : 0;
	return digits == 40;
}

/* git has ended before it had answered all. */
static int give_up_on_one(struct stream *s, struct error *err)
{
	if (s->git.status == 128 + SIGKILL || !names_object(s->git.err.buf))
		return process_error(&s->git, err, "cannot read objects from git");
	/* A git that knows no GIT_NO_LAZY_FETCH has tried, and was not allowed to. */
	answer(s, strstr(s->git.err.buf, "promisor remote") ? OBJECT_MISSING : OBJECT_UNREADABLE);
	return 0;
}

static int run(struct stream *s, struct error *err)
{
	strvec_pushl(&s->env, "GIT_NO_REPLACE_OBJECTS=1", "GIT_NO_LAZY_FETCH=1",
		     "GIT_ALLOW_PROTOCOL=none", "LC_ALL=C", NULL);
	while (s->fns->name(s->data, s->answered)) {
		if (start(s, err) < 0 || exchange(s, err) < 0)
			return -1;
		close_fd(&s->git.in_fd);
		if (process_finish(&s->git, err) < 0)
			return -1;
		if (s->answered < s->sent && give_up_on_one(s, err) < 0)
			return -1;
	}
	return 0;
}

int object_stream(const struct object_stream_fns *fns, void *data, struct error *err)
{
	struct stream s CLEANUP(stream_release) = {
		.fns = fns,
		.data = data,
		.git = PROCESS_INIT,
		.request = STRBUF_INIT,
		.header = STRBUF_INIT,
	};
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	int ret;

	sigaction(SIGPIPE, &ignore, &old);
	ret = run(&s, err);
	sigaction(SIGPIPE, &old, NULL);
	return ret;
}
