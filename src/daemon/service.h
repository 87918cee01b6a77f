/* SPDX-License-Identifier: MIT
 * service.h - the supervisor as a service: the configuration is taken as it is saved, and a service manager is told.
 *
 * The file and accounts.d are watched (store/watch.h); SIGHUP, a client and a save all lead to the same: the files are
 * read and judged, and only a good configuration takes the place of the one in use (supervisor_reload()). A bad one is
 * reported and changes nothing.
 *
 * Calling sequence: service_new() ahead of supervisor_run(), and before threads; service_free() ahead of
 * supervisor_free(). It sets the supervisor's hooks. Thread: the supervisor's.
 */
#ifndef MAILHAUL_DAEMON_SERVICE_H
#define MAILHAUL_DAEMON_SERVICE_H

#include "daemon/supervisor.h"

struct service;
/* Where files cannot be watched, that is said and the rest goes on. */
MUST_CHECK int service_new(struct supervisor *s, struct service **out, struct err *e);
void service_free(struct service **s);

#endif
