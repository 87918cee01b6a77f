/* SPDX-License-Identifier: MIT
 * status_json.h - a struct status_line as the JSON object that the control socket and `status --json` give, and back.
 *
 * Keys: mailhaul(1), section JSON. Thread: any.
 */
#ifndef MAILHAUL_DAEMON_STATUS_JSON_H
#define MAILHAUL_DAEMON_STATUS_JSON_H

#include <jansson.h>

#include "daemon/status.h"

/* NULL without memory. */
json_t *status_to_json(const struct status_line *l);
/* Borrows from `o`. -1 when it is no such object. */
MUST_CHECK int status_from_json(const json_t *o, struct status_line *out);

#endif
