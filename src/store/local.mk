noinst_LIBRARIES += %D%/libstore.a
%C%_libstore_a_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
%C%_libstore_a_SOURCES = \
  %D%/journal.h \
  %D%/lock.h \
  %D%/maildir.h
