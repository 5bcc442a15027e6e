/* SPDX-License-Identifier: MIT */
#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/memory.h"

extern char **environ;

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void process_release(struct process *process)
{
	close_fd(&process->in_fd);
	close_fd(&process->out_fd);
	close_fd(&process->err_fd);
	if (process->pid > 0) {
		/* Given up half way: it gets SIGPIPE or end of file, and ends. */
		if (process->stop)
			kill(process->pid, SIGTERM);
		while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
			;
		process->pid = -1;
	}
	strvec_release(&process->argv);
	strbuf_release(&process->out);
	strbuf_release(&process->err);
}

static int cannot_run(struct process *process, struct error *err)
{
	return error_errno(err, "cannot run '%s'", process->argv.v[0]);
}

/* A pipe whose ends both close on exec; the child's end is moved to 0, 1 or 2 by the spawn. */
static int open_pipe(int *ret_read, int *ret_write)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	*ret_read = fds[0];
	*ret_write = fds[1];
	return 0;
}

/* Our environment with `extra` on top. The caller frees the array alone. */
static char **merged_environment(const struct strvec *extra)
{
	size_t nr = 0, kept = 0;
	char **ret;

	while (environ[nr])
		nr++;
	ret = xcalloc(nr + extra->nr + 1, sizeof(*ret));
	for (size_t i = 0; i < nr; i++) {
		bool replaced = false;

		for (size_t k = 0; k < extra->nr && !replaced; k++) {
			size_t name = strcspn(extra->v[k], "=") + 1;

			replaced = !strncmp(environ[i], extra->v[k], name);
		}
		if (!replaced)
			ret[kept++] = environ[i];
	}
	for (size_t k = 0; k < extra->nr; k++)
		ret[kept++] = extra->v[k];
	return ret;
}

static int spawn(struct process *process, int in, int out, int errors)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t set;
	char **env = process->env ? merged_environment(process->env) : environ;
	int ret;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	if (out >= 0)
		posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (errors >= 0)
		posix_spawn_file_actions_adddup2(&actions, errors, 2);
	if (process->dir)
		posix_spawn_file_actions_addchdir_np(&actions, process->dir);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	sigfillset(&set);
	posix_spawnattr_setsigdefault(&attributes, &set);
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attributes, &set);
	ret = posix_spawnp(&process->pid, process->argv.v[0], &actions, &attributes,
			   process->argv.v, env);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (env != environ)
		free(env);
	if (ret) {
		process->pid = -1;
		errno = ret;
		return -1;
	}
	return 0;
}

int process_start(struct process *process, struct error *err)
{
	int in = -1, out = -1, errors = -1, ret = -1;

	if (process->input) {
		if (open_pipe(&in, &process->in_fd) < 0)
			goto out;
		fcntl(process->in_fd, F_SETFL, O_NONBLOCK);
	} else {
		in = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (in < 0)
			goto out;
	}
	if (process->inherit_stdout)
		fflush(stdout);
	else if (process->out_to < 0 && open_pipe(&process->out_fd, &out) < 0)
		goto out;
	if (!process->inherit_stderr && open_pipe(&process->err_fd, &errors) < 0)
		goto out;
	ret = spawn(process, in, process->out_to >= 0 ? process->out_to : out, errors);
out:
	if (ret < 0)
		cannot_run(process, err);
	close_fd(&in);
	close_fd(&out);
	close_fd(&errors);
	return ret;
}

/* Reads what there is; closes the descriptor at the end of file. */
static int take(int *fd, struct strbuf *to)
{
	char buffer[65536];
	ssize_t n = read(*fd, buffer, sizeof(buffer));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -1;
	if (!n)
		close_fd(fd);
	else
		strbuf_add(to, buffer, (size_t)n);
	return 0;
}

/* Writes what fits. A program that does not want all of its input is no error. */
static void give(struct process *process, size_t *given)
{
	ssize_t n = write(process->in_fd, process->input + *given, process->input_len - *given);

	if (n >= 0)
		*given += (size_t)n;
	else if (errno != EINTR && errno != EAGAIN)
		*given = process->input_len;
	if (*given == process->input_len)
		close_fd(&process->in_fd);
}

/* Once is enough: it may take a while to end. */
static void stop_if_interrupted(struct process *process)
{
	if (!process->stop || !interrupt_pending())
		return;
	kill(process->pid, SIGTERM);
	process->stop = false;
}

/* All pipes at once: a full one that nobody reads would stop both sides. */
static int exchange(struct process *process)
{
	size_t given = 0;

	if (process->in_fd >= 0 && !process->input_len)
		close_fd(&process->in_fd);
	while (process->in_fd >= 0 || process->out_fd >= 0 || process->err_fd >= 0) {
		struct pollfd fds[3] = {
			{ .fd = process->in_fd, .events = POLLOUT },
			{ .fd = process->out_fd, .events = POLLIN },
			{ .fd = process->err_fd, .events = POLLIN },
		};

		stop_if_interrupted(process);
		/* Not for ever: a signal may come between our look at it and this. */
		if (poll(fds, 3, process->stop ? 1000 : -1) < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		if (fds[0].revents)
			give(process, &given);
		if (fds[1].revents && take(&process->out_fd, &process->out) < 0)
			return -1;
		if (fds[2].revents && take(&process->err_fd, &process->err) < 0)
			return -1;
	}
	return 0;
}

/* Until there is room in its input. What it says meanwhile on stderr must not stop it. */
static int wait_for_room(struct process *process)
{
	struct pollfd fds[2] = {
		{ .fd = process->in_fd, .events = POLLOUT },
		{ .fd = process->err_fd, .events = POLLIN },
	};

	if (poll(fds, 2, -1) < 0)
		return errno == EINTR ? 0 : -1;
	return fds[1].revents ? take(&process->err_fd, &process->err) : 0;
}

int process_write(struct process *process, const void *data, size_t len, struct error *err)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	const char *from = data;
	int ret = 0;

	sigaction(SIGPIPE, &ignore, &old);
	while (len && !ret) {
		ssize_t n = write(process->in_fd, from, len);

		if (n >= 0) {
			from += n;
			len -= (size_t)n;
		} else if (errno == EPIPE) {
			len = 0;
		} else if (errno != EINTR && (errno != EAGAIN || wait_for_room(process) < 0)) {
			ret = cannot_run(process, err);
		}
	}
	sigaction(SIGPIPE, &old, NULL);
	return ret;
}

void process_end_input(struct process *process)
{
	close_fd(&process->in_fd);
}

/* Takes the first line off what was collected. */
static bool take_line(struct strbuf *from, struct strbuf *ret)
{
	const char *end = memchr(from->buf, '\n', from->len);
	size_t len;

	if (!end)
		return false;
	len = (size_t)(end - from->buf);
	strbuf_add(ret, from->buf, len);
	memmove(from->buf, end + 1, from->len - len - 1);
	strbuf_setlen(from, from->len - len - 1);
	return true;
}

/* Waits for some more of its output; false: there is none, or we are interrupted. */
static bool wait_for_output(struct process *process, bool was_interrupted)
{
	for (;;) {
		struct pollfd fd = { .fd = process->out_fd, .events = POLLIN };
		int ready;

		if (process->out_fd < 0 || (!was_interrupted && interrupt_pending()))
			return false;
		/* Not for ever: a signal may come between our look at it and this. */
		ready = poll(&fd, 1, 1000);
		if (ready < 0 && errno != EINTR)
			return false;
		if (ready > 0)
			return take(&process->out_fd, &process->out) == 0;
	}
}

bool process_read_line(struct process *process, struct strbuf *ret)
{
	bool before = interrupt_pending();

	while (!take_line(&process->out, ret))
		if (!wait_for_output(process, before))
			return false;
	return true;
}

bool process_read(struct process *process, struct strbuf *ret, size_t len)
{
	bool before = interrupt_pending();

	while (process->out.len < len)
		if (!wait_for_output(process, before))
			return false;
	strbuf_add(ret, process->out.buf, len);
	memmove(process->out.buf, process->out.buf + len, process->out.len - len);
	strbuf_setlen(&process->out, process->out.len - len);
	return true;
}

int process_finish(struct process *process, struct error *err)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	int status = 0, ret;

	sigaction(SIGPIPE, &ignore, &old);
	ret = exchange(process);
	sigaction(SIGPIPE, &old, NULL);
	if (ret < 0)
		return cannot_run(process, err);
	while (waitpid(process->pid, &status, 0) < 0)
		if (errno != EINTR)
			return cannot_run(process, err);
	process->pid = -1;
	process->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}

int process_run(struct process *process, struct error *err)
{
	if (process_start(process, err) < 0)
		return -1;
	return process_finish(process, err);
}

char *process_reason(const struct process *process)
{
	const char *text = process->err.buf;

	if (!strncmp(text, "fatal: ", 7) || !strncmp(text, "error: ", 7))
		text += 7;
	size_t len = strcspn(text, "\n");
	if (!len)
		return xstrfmt("'%s' ended with status %d", process->argv.v[0], process->status);
	return xmemdupz(text, len);
}

int process_error(const struct process *process, struct error *err, const char *fmt, ...)
{
	bool by_signal = process->status == 128 + SIGINT || process->status == 128 + SIGTERM ||
			 process->status == 128 + SIGHUP;
	struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT;
	char *reason CLEANUP(free_p) = NULL;
	va_list ap;

	if (by_signal && interrupt_pending())
		return error_interrupted(err);
	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	reason = process_reason(process);
	return error_set(err, "%s: %s", text.buf, reason);
}
