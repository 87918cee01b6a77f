noinst_LIBRARIES += %D%/libnet.a
%C%_libnet_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(ZLIB_CFLAGS) $(IDN2_CFLAGS) $(CURL_CFLAGS)
%C%_libnet_a_SOURCES = \
  %D%/deflate.c \
  %D%/dial.c %D%/dial.h \
  %D%/digest.c %D%/digest.h \
  %D%/host.c %D%/host.h \
  %D%/https.c %D%/https.h \
  %D%/memory.c \
  %D%/resolve.c %D%/resolve.h \
  %D%/socket.c \
  %D%/socks5.c \
  %D%/stream.c %D%/stream.h %D%/stream_int.h \
  %D%/tls.c %D%/tls.h %D%/tls_int.h \
  %D%/tls_context.c \
  %D%/tls_dane.c %D%/tls_dane.h \
  %D%/tls_key.c \
  %D%/tls_ocsp.c \
  %D%/tls_pin.c %D%/tls_pin.h \
  %D%/tls_session.c \
  %D%/tls_tell.c %D%/tls_tell.h \
  %D%/tls_verify.c \
  %D%/tls_words.c \
  %D%/tunnel.c
