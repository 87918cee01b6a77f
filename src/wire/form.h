/* SPDX-License-Identifier: MIT
 * form.h - application/x-www-form-urlencoded, as OAuth 2.0 sends and answers in it (RFC 6749 appendix B).
 */
#ifndef MAILHAUL_WIRE_FORM_H
#define MAILHAUL_WIRE_FORM_H

#include "base/buf.h"

/* "&name=value", without "&" when `out` is empty or ends in "?"; letters, digits and "-._~" as they are, all else as
 * %XX. */
MUST_CHECK int form_put(struct buf *out, const char *name, struct slice value);
/* The value of `name` in "a=1&b=2", decoded and appended. False: it is not there, is there twice, or is no such text (a
 * NUL in it counts as that); nothing is appended then. */
bool form_get(struct slice form, const char *name, struct buf *out);

#endif
