# SPDX-License-Identifier: MIT
unit_proto_tests = \
  %D%/test_imap \
  %D%/test_imap_wait \
  %D%/test_pop3 \
  %D%/test_sasl \
  %D%/test_smtp \
  %D%/test_smtp_route
check_PROGRAMS += $(unit_proto_tests)
TESTS += $(unit_proto_tests)

%C%_test_imap_SOURCES = %D%/test_imap.c $(UNIT_H)
%C%_test_imap_CFLAGS = $(UNIT_CFLAGS)
%C%_test_imap_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=stream_push_tls -Wl,--wrap=stream_exchange
%C%_test_imap_LDADD = $(UNIT_PROTO)

%C%_test_imap_wait_SOURCES = %D%/test_imap_wait.c tests/unit/net/script.h $(UNIT_H)
%C%_test_imap_wait_CFLAGS = $(UNIT_CFLAGS)
%C%_test_imap_wait_LDADD = $(UNIT_PROTO)

%C%_test_pop3_SOURCES = %D%/test_pop3.c $(UNIT_H)
%C%_test_pop3_CFLAGS = $(UNIT_CFLAGS)
%C%_test_pop3_LDADD = $(UNIT_PROTO)

%C%_test_smtp_SOURCES = %D%/test_smtp.c tests/unit/net/peer.h $(UNIT_H)
%C%_test_smtp_CFLAGS = $(UNIT_CFLAGS)
%C%_test_smtp_LDFLAGS = $(AM_LDFLAGS) -pthread -Wl,--wrap=stream_push_tls,--wrap=stream_tls,--wrap=gethostname
%C%_test_smtp_LDADD = $(UNIT_PROTO)

%C%_test_smtp_route_SOURCES = %D%/test_smtp_route.c $(UNIT_H)
%C%_test_smtp_route_CFLAGS = $(UNIT_CFLAGS)
%C%_test_smtp_route_LDADD = $(UNIT_PROTO)

%C%_test_sasl_SOURCES = %D%/test_sasl.c $(UNIT_H)
%C%_test_sasl_CPPFLAGS = $(AM_CPPFLAGS) $(GSASL_CFLAGS)
%C%_test_sasl_CFLAGS = $(UNIT_CFLAGS)
%C%_test_sasl_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=stream_tls,--wrap=stream_tls_binding
%C%_test_sasl_LDADD = $(UNIT_PROTO)
