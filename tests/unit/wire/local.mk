# SPDX-License-Identifier: MIT
unit_wire_tests = \
  %D%/test_imap_reader \
  %D%/test_mailflag
check_PROGRAMS += $(unit_wire_tests)
TESTS += $(unit_wire_tests)

%C%_test_mailflag_SOURCES = %D%/test_mailflag.c $(UNIT_H)
%C%_test_mailflag_CFLAGS = $(UNIT_CFLAGS)
%C%_test_mailflag_LDADD = $(UNIT_WIRE)

%C%_test_imap_reader_SOURCES = %D%/test_imap_reader.c %D%/imap_trace.h $(UNIT_H)
%C%_test_imap_reader_CFLAGS = $(UNIT_CFLAGS)
%C%_test_imap_reader_LDADD = $(UNIT_WIRE)
