# SPDX-License-Identifier: MIT
unit_proto_tests = \
  %D%/test_pop3
check_PROGRAMS += $(unit_proto_tests)
TESTS += $(unit_proto_tests)

%C%_test_pop3_SOURCES = %D%/test_pop3.c $(UNIT_H)
%C%_test_pop3_CFLAGS = $(UNIT_CFLAGS)
%C%_test_pop3_LDADD = $(UNIT_PROTO)
