# SPDX-License-Identifier: MIT
unit_haul_tests = \
  %D%/test_source_pop3
check_PROGRAMS += $(unit_haul_tests)
TESTS += $(unit_haul_tests)

%C%_test_source_pop3_SOURCES = %D%/test_source_pop3.c $(UNIT_H)
%C%_test_source_pop3_CFLAGS = $(UNIT_CFLAGS)
%C%_test_source_pop3_LDADD = $(UNIT_HAUL)
