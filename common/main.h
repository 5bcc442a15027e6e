/* SPDX-License-Identifier: MIT */
/*
 * main: what every executable does before and after its own work.
 *
 * main() lives once, in main.c. It makes sure that descriptors 0 to 2 are open, gives
 * SIGPIPE back its default, takes the character set from the locale, and calls the
 * command. The command's value goes through finish_output() and is the exit code.
 */
#ifndef MAIN_H
#define MAIN_H

#include "base/compat.h"

/* One per executable, in cmd/. argv[0] is the program, argv[argc] is NULL. */
int cmd_main(int argc, const char **argv) MUST_CHECK;

#endif
