/* SPDX-License-Identifier: MIT */
/*
 * interrupt: SIGINT, SIGTERM and SIGHUP end work at its next safe point.
 *
 * Use:   interrupt_catch() once, at the start of a command that changes something; then
 *        interrupt_pending() wherever stopping is safe. The handlers only set a flag, and
 *        do not restart system calls, so that a wait returns with EINTR.
 *        interrupt_hold(true) for what has to be done also then, such as removing what was
 *        made: until interrupt_hold(false), nothing is pending.
 */
#ifndef BASE_INTERRUPT_H
#define BASE_INTERRUPT_H

#include "base/compat.h"

void interrupt_catch(void);
bool interrupt_pending(void);
void interrupt_hold(bool hold);

#endif
