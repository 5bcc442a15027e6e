/* SPDX-License-Identifier: MIT */
#include "main.h"

#include "term/output.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <unistd.h>

/*
 * Started with descriptor 1 or 2 closed, the next file opened would get its number, and
 * a message meant for a person would be written into a lock file or a database socket.
 */
static bool open_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return false;
	return true;
}

int main(int argc, const char **argv)
{
	if (!open_standard_descriptors())
		return EXIT_FAILED; /* nowhere to say it */

	/*
	 * Some parents (Python's subprocess of old, daemons) start us with SIGPIPE
	 * ignored; then `git checkpoint list | head` would end in an error message.
	 */
	signal(SIGPIPE, SIG_DFL);

	/* Only the character set: numbers and messages stay as they are in every locale. */
	setlocale(LC_CTYPE, "");

	return finish_output(cmd_main(argc, argv));
}
