# SPDX-License-Identifier: MIT
# One program for each module, linked with its own room and those below, so that an upward call does not link.
if HAVE_CMOCKA
UNIT_H = %D%/unit.h
UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
UNIT_BASE = $(BASE) $(CMOCKA_LIBS)
UNIT_WIRE = $(WIRE) $(BASE) $(CMOCKA_LIBS)
UNIT_PROTO = $(PROTO) $(NET) $(WIRE) $(BASE) $(PROTO_LIBS) $(NET_LIBS) $(CMOCKA_LIBS)
UNIT_STORE = $(STORE) $(WIRE) $(BASE) $(CMOCKA_LIBS) $(STORE_LIBS)
UNIT_CONF = $(CONF) $(WIRE) $(BASE) $(CONFUSE_LIBS) $(CMOCKA_LIBS)
UNIT_HAUL = $(HAUL) $(PROTO) $(STORE) $(NET) $(WIRE) $(BASE) $(PROTO_LIBS) $(NET_LIBS) $(STORE_LIBS) $(CMOCKA_LIBS)
UNIT_DAEMON = $(DAEMON) $(RUN) $(CONF) $(HAUL) $(PROTO) $(STORE) $(NET) $(WIRE) $(BASE) $(PROTO_LIBS) $(NET_LIBS) $(STORE_LIBS) \
  $(CONFUSE_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS)
include tests/unit/base/local.mk
include tests/unit/conf/local.mk
include tests/unit/store/local.mk
include tests/unit/wire/local.mk
include tests/unit/net/local.mk
include tests/unit/proto/local.mk
include tests/unit/haul/local.mk
include tests/unit/daemon/local.mk
endif
