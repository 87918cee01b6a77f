# SPDX-License-Identifier: MIT
unit_wire_tests = \
  %D%/test_mailflag
check_PROGRAMS += $(unit_wire_tests)
TESTS += $(unit_wire_tests)

%C%_test_mailflag_SOURCES = %D%/test_mailflag.c $(UNIT_H)
%C%_test_mailflag_CFLAGS = $(UNIT_CFLAGS)
%C%_test_mailflag_LDADD = $(UNIT_WIRE)
