noinst_LIBRARIES += %D%/libnet.a
%C%_libnet_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(ZLIB_CFLAGS)
%C%_libnet_a_SOURCES = \
  %D%/dial.h \
  %D%/digest.h \
  %D%/stream.h \
  %D%/tls.h
