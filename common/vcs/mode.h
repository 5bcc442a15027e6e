/* SPDX-License-Identifier: MIT */
/*
 * mode: git's modes of what a tree or an index has. 0 is "not there".
 */
#ifndef VCS_MODE_H
#define VCS_MODE_H

#include "base/compat.h"

#define MODE_FILE	0100644u
#define MODE_EXECUTABLE 0100755u
#define MODE_LINK	0120000u /* a symbolic link */
#define MODE_SUBMODULE	0160000u

#define MODE_TYPE    0170000u /* the bits that tell one from the other; */
#define MODE_REGULAR 0100000u /* of a file, executable or not; */
#define MODE_TREE    0040000u /* of a folder, in a tree alone */

static inline bool mode_is_regular(unsigned mode)
{
	return (mode & MODE_TYPE) == MODE_REGULAR;
}

#endif
