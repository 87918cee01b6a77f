# SPDX-License-Identifier: MIT
unit_store_tests = \
  %D%/test_journal \
  %D%/test_journal_delivery \
  %D%/test_lock \
  %D%/test_maildir \
  %D%/test_spool \
  %D%/test_watch
check_PROGRAMS += $(unit_store_tests)
TESTS += $(unit_store_tests)

%C%_test_journal_SOURCES = %D%/test_journal.c %D%/store_test.h $(UNIT_H)
%C%_test_journal_CFLAGS = $(UNIT_CFLAGS) $(SQLITE_CFLAGS)
%C%_test_journal_LDADD = $(UNIT_STORE)
%C%_test_journal_delivery_SOURCES = %D%/test_journal_delivery.c %D%/store_test.h $(UNIT_H)
%C%_test_journal_delivery_CFLAGS = $(UNIT_CFLAGS) $(SQLITE_CFLAGS)
%C%_test_journal_delivery_LDADD = $(UNIT_STORE)
%C%_test_lock_SOURCES = %D%/test_lock.c %D%/store_test.h $(UNIT_H)
%C%_test_lock_CFLAGS = $(UNIT_CFLAGS)
%C%_test_lock_LDADD = $(UNIT_STORE)
%C%_test_maildir_SOURCES = %D%/test_maildir.c %D%/store_test.h $(UNIT_H)
%C%_test_maildir_CFLAGS = $(UNIT_CFLAGS)
%C%_test_maildir_LDADD = $(UNIT_STORE)
%C%_test_spool_SOURCES = %D%/test_spool.c %D%/store_test.h $(UNIT_H)
%C%_test_spool_CFLAGS = $(UNIT_CFLAGS)
%C%_test_spool_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=open -Wl,--wrap=open64 -Wl,--wrap=unlink
%C%_test_spool_LDADD = $(UNIT_STORE)
%C%_test_watch_SOURCES = %D%/test_watch.c %D%/store_test.h $(UNIT_H)
%C%_test_watch_CFLAGS = $(UNIT_CFLAGS)
%C%_test_watch_LDADD = $(UNIT_STORE)
