/* SPDX-License-Identifier: MIT */
#include "base/interrupt.h"

#include <signal.h>

static volatile sig_atomic_t pending;
static bool held;

static void on_signal(int signal_number UNUSED)
{
	pending = 1;
}

void interrupt_catch(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction old;

		/* nohup(1) and background jobs of a script ignore some: leave them so. */
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &action, NULL);
	}
}

bool interrupt_pending(void)
{
	return pending != 0 && !held;
}

void interrupt_hold(bool hold)
{
	held = hold;
}
