noinst_LIBRARIES += %D%/libdaemon.a
%C%_libdaemon_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
%C%_libdaemon_a_SOURCES = \
  %D%/account.c %D%/account.h \
  %D%/environ.c %D%/environ.h \
  %D%/errand.c %D%/errand.h \
  %D%/fetches.c %D%/fetches.h \
  %D%/loop.c %D%/loop.h \
  %D%/schedule.c %D%/schedule.h \
  %D%/sdnotify.c %D%/sdnotify.h \
  %D%/service.c %D%/service.h \
  %D%/supervisor.c %D%/supervisor.h \
  %D%/worker.c %D%/worker.h
