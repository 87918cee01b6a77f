/* SPDX-License-Identifier: MIT
 * help.h - the two texts that are asked for by --help and --version, on standard output.
 */
#ifndef MAILHAUL_CMD_HELP_H
#define MAILHAUL_CMD_HELP_H

void help_print(void);
void help_version(void);

#endif
