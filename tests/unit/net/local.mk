# SPDX-License-Identifier: MIT
unit_net_tests = \
  %D%/test_deflate \
  %D%/test_dial \
  %D%/test_digest \
  %D%/test_resolve \
  %D%/test_socks5 \
  %D%/test_stream \
  %D%/test_tls \
  %D%/test_tls_dane \
  %D%/test_tls_ocsp \
  %D%/test_tls_session \
  %D%/test_wait
check_PROGRAMS += $(unit_net_tests)
TESTS += $(unit_net_tests)
UNIT_NET = $(NET) $(BASE) $(NET_LIBS) $(CMOCKA_LIBS)
UNIT_NET_H = %D%/peer.h $(UNIT_H)

%C%_test_deflate_SOURCES = %D%/test_deflate.c $(UNIT_NET_H)
%C%_test_deflate_CFLAGS = $(UNIT_CFLAGS)
%C%_test_deflate_LDADD = $(UNIT_NET)

%C%_test_dial_SOURCES = %D%/test_dial.c $(UNIT_NET_H)
%C%_test_dial_CFLAGS = $(UNIT_CFLAGS)
%C%_test_dial_LDADD = $(UNIT_NET)

%C%_test_digest_SOURCES = %D%/test_digest.c $(UNIT_H)
%C%_test_digest_CFLAGS = $(UNIT_CFLAGS)
%C%_test_digest_LDADD = $(UNIT_NET)

%C%_test_socks5_SOURCES = %D%/test_socks5.c $(UNIT_NET_H)
%C%_test_socks5_CFLAGS = $(UNIT_CFLAGS)
%C%_test_socks5_LDADD = $(UNIT_NET)

%C%_test_stream_SOURCES = %D%/test_stream.c $(UNIT_NET_H)
%C%_test_stream_CFLAGS = $(UNIT_CFLAGS)
%C%_test_stream_LDADD = $(UNIT_NET)

UNIT_TLS_H = %D%/tls_server.h %D%/certificates.h $(UNIT_NET_H)
%C%_test_tls_SOURCES = %D%/test_tls.c $(UNIT_TLS_H)
%C%_test_tls_CFLAGS = $(UNIT_CFLAGS) $(OPENSSL_CFLAGS)
%C%_test_tls_LDADD = $(UNIT_NET)

%C%_test_tls_dane_SOURCES = %D%/test_tls_dane.c %D%/certificates.h $(UNIT_NET_H)
%C%_test_tls_dane_CFLAGS = $(UNIT_CFLAGS) $(OPENSSL_CFLAGS)
%C%_test_tls_dane_LDADD = $(UNIT_NET)

%C%_test_tls_ocsp_SOURCES = %D%/test_tls_ocsp.c $(UNIT_TLS_H)
%C%_test_tls_ocsp_CFLAGS = $(UNIT_CFLAGS) $(OPENSSL_CFLAGS)
%C%_test_tls_ocsp_LDADD = $(UNIT_NET)

%C%_test_tls_session_SOURCES = %D%/test_tls_session.c $(UNIT_TLS_H)
%C%_test_tls_session_CFLAGS = $(UNIT_CFLAGS) $(OPENSSL_CFLAGS)
%C%_test_tls_session_LDADD = $(UNIT_NET)

%C%_test_wait_SOURCES = %D%/test_wait.c $(UNIT_NET_H)
%C%_test_wait_CFLAGS = $(UNIT_CFLAGS)
%C%_test_wait_LDADD = $(UNIT_NET)

%C%_test_resolve_SOURCES = %D%/test_resolve.c $(UNIT_H)
%C%_test_resolve_CFLAGS = $(UNIT_CFLAGS)
%C%_test_resolve_LDADD = $(UNIT_NET)
