noinst_LIBRARIES += %D%/librun.a
%C%_librun_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
%C%_librun_a_SOURCES = \
  %D%/last.c %D%/last.h \
  %D%/pool.c %D%/pool.h \
  %D%/progress.c %D%/progress.h \
  %D%/report.c %D%/report.h \
  %D%/session.c %D%/session.h
