noinst_LIBRARIES += %D%/libdaemon.a
%C%_libdaemon_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
%C%_libdaemon_a_SOURCES = \
  %D%/loop.c %D%/loop.h \
  %D%/supervisor.c %D%/supervisor.h
