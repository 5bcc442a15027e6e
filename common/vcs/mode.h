/* SPDX-License-Identifier: MIT */
/*
 * mode: git's modes of what a tree or an index has. 0 is "not there".
 */
#ifndef VCS_MODE_H
#define VCS_MODE_H

#define MODE_FILE	0100644u
#define MODE_EXECUTABLE 0100755u
#define MODE_LINK	0120000u /* a symbolic link */
#define MODE_SUBMODULE	0160000u

#endif
