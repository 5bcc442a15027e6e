/* SPDX-License-Identifier: MIT */
/*
 * checkpoint-show: what one checkpoint holds.
 */
#ifndef FLOW_CHECKPOINT_SHOW_H
#define FLOW_CHECKPOINT_SHOW_H

#include "flow/checkpoint.h"

/* `name` as checkpoint_find() takes it. */
int checkpoint_show(const struct checkpoint_session *s, const char *name, struct error *err)
	MUST_CHECK;

#endif
