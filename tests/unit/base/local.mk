# SPDX-License-Identifier: MIT
unit_base_tests = \
  %D%/test_buf \
  %D%/test_child \
  %D%/test_err \
  %D%/test_io \
  %D%/test_log \
  %D%/test_num \
  %D%/test_secret \
  %D%/test_slice
check_PROGRAMS += $(unit_base_tests)
TESTS += $(unit_base_tests)

%C%_test_buf_SOURCES = %D%/test_buf.c $(UNIT_H)
%C%_test_buf_CFLAGS = $(UNIT_CFLAGS)
%C%_test_buf_LDADD = $(UNIT_BASE)

%C%_test_err_SOURCES = %D%/test_err.c $(UNIT_H)
%C%_test_err_CFLAGS = $(UNIT_CFLAGS)
%C%_test_err_LDADD = $(UNIT_BASE)

%C%_test_io_SOURCES = %D%/test_io.c $(UNIT_H)
%C%_test_io_CFLAGS = $(UNIT_CFLAGS)
%C%_test_io_LDADD = $(UNIT_BASE)

%C%_test_log_SOURCES = %D%/test_log.c $(UNIT_H)
%C%_test_log_CFLAGS = $(UNIT_CFLAGS)
%C%_test_log_LDADD = $(UNIT_BASE)

%C%_test_num_SOURCES = %D%/test_num.c $(UNIT_H)
%C%_test_num_CFLAGS = $(UNIT_CFLAGS)
%C%_test_num_LDADD = $(UNIT_BASE)

%C%_test_secret_SOURCES = %D%/test_secret.c $(UNIT_H)
%C%_test_secret_CFLAGS = $(UNIT_CFLAGS)
%C%_test_secret_LDADD = $(UNIT_BASE)

%C%_test_slice_SOURCES = %D%/test_slice.c $(UNIT_H)
%C%_test_slice_CFLAGS = $(UNIT_CFLAGS)
%C%_test_slice_LDADD = $(UNIT_BASE)
%C%_test_child_SOURCES = %D%/test_child.c $(UNIT_H)
%C%_test_child_CFLAGS = $(UNIT_CFLAGS)
%C%_test_child_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=syscall
%C%_test_child_LDADD = $(UNIT_BASE)
