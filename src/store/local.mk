noinst_LIBRARIES += %D%/libstore.a
%C%_libstore_a_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
%C%_libstore_a_SOURCES = \
  %D%/disk.c %D%/disk_int.h \
  %D%/journal.c %D%/journal.h %D%/journal_int.h \
  %D%/journal_delivery.c \
  %D%/journal_folder.c \
  %D%/journal_message.c \
  %D%/journal_quarantine.c \
  %D%/journal_schema.c \
  %D%/journal_sink.c \
  %D%/lock.c %D%/lock.h \
  %D%/maildir.c %D%/maildir.h %D%/maildir_int.h \
  %D%/maildir_flush.c \
  %D%/maildir_path.c \
  %D%/maildir_scan.c \
  %D%/spool.c %D%/spool.h \
  %D%/watch.c %D%/watch.h
