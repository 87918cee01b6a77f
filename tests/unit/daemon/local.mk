# SPDX-License-Identifier: MIT
unit_daemon_tests = \
  %D%/test_sdnotify
check_PROGRAMS += $(unit_daemon_tests)
TESTS += $(unit_daemon_tests)

%C%_test_sdnotify_SOURCES = %D%/test_sdnotify.c $(UNIT_H)
%C%_test_sdnotify_CFLAGS = $(UNIT_CFLAGS)
%C%_test_sdnotify_LDADD = $(UNIT_DAEMON)
