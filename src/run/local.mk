noinst_LIBRARIES += %D%/librun.a
%C%_librun_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
%C%_librun_a_SOURCES = \
  %D%/authorize.c %D%/authorize.h \
  %D%/destination.c %D%/destination.h \
  %D%/hooks.c %D%/hooks.h \
  %D%/last.c %D%/last.h \
  %D%/login_file.c %D%/login_file.h \
  %D%/login_memory.c %D%/login_memory.h \
  %D%/pool.c %D%/pool.h \
  %D%/progress.c %D%/progress.h \
  %D%/report.c %D%/report.h \
  %D%/servers.c %D%/servers.h \
  %D%/session.c %D%/session.h \
  %D%/tickets.c %D%/tickets.h
