/* SPDX-License-Identifier: MIT */
/*
 * ascii: kinds of characters, in no locale.
 */
#ifndef WORKFLOW_ASCII_H
#define WORKFLOW_ASCII_H

#include "base/compat.h"

/* Blanks and line ends. */
static inline bool ascii_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What words and names are made of. */
static inline bool ascii_is_word(char c)
{
	return ascii_is_letter(c) || ascii_is_digit(c) || c == '_';
}

#endif
