# SPDX-License-Identifier: MIT
unit_daemon_tests = \
  %D%/test_control \
  %D%/test_environ \
  %D%/test_loop \
  %D%/test_metrics \
  %D%/test_schedule \
  %D%/test_sdnotify \
  %D%/test_worker
check_PROGRAMS += $(unit_daemon_tests)
TESTS += $(unit_daemon_tests)

%C%_test_environ_SOURCES = %D%/test_environ.c $(UNIT_H)
%C%_test_environ_CFLAGS = $(UNIT_CFLAGS)
%C%_test_environ_LDADD = $(UNIT_DAEMON)
%C%_test_loop_SOURCES = %D%/test_loop.c $(UNIT_H)
%C%_test_loop_CFLAGS = $(UNIT_CFLAGS)
%C%_test_loop_LDADD = $(UNIT_DAEMON)
%C%_test_schedule_SOURCES = %D%/test_schedule.c $(UNIT_H)
%C%_test_schedule_CFLAGS = $(UNIT_CFLAGS)
%C%_test_schedule_LDADD = $(UNIT_DAEMON)
%C%_test_sdnotify_SOURCES = %D%/test_sdnotify.c $(UNIT_H)
%C%_test_sdnotify_CFLAGS = $(UNIT_CFLAGS)
%C%_test_sdnotify_LDADD = $(UNIT_DAEMON)
%C%_test_worker_SOURCES = %D%/test_worker.c $(UNIT_H)
%C%_test_worker_CFLAGS = $(UNIT_CFLAGS)
%C%_test_worker_LDADD = $(UNIT_DAEMON)
%C%_test_control_SOURCES = %D%/test_control.c $(UNIT_H)
%C%_test_control_CFLAGS = $(UNIT_CFLAGS)
%C%_test_control_LDADD = $(UNIT_DAEMON)
%C%_test_metrics_SOURCES = %D%/test_metrics.c $(UNIT_H)
%C%_test_metrics_CFLAGS = $(UNIT_CFLAGS)
%C%_test_metrics_LDADD = $(UNIT_DAEMON)
