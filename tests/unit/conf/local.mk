# SPDX-License-Identifier: MIT
unit_conf_tests = \
  %D%/test_carry \
  %D%/test_conf \
  %D%/test_password \
  %D%/test_provider
check_PROGRAMS += $(unit_conf_tests)
TESTS += $(unit_conf_tests)

%C%_test_carry_SOURCES = %D%/test_carry.c %D%/scratch.h $(UNIT_H)
%C%_test_carry_CFLAGS = $(UNIT_CFLAGS)
%C%_test_carry_CPPFLAGS = $(AM_CPPFLAGS) $(CONFUSE_CFLAGS)
%C%_test_carry_LDADD = $(UNIT_CONF)

%C%_test_conf_SOURCES = %D%/test_conf.c %D%/scratch.h $(UNIT_H)
%C%_test_conf_CFLAGS = $(UNIT_CFLAGS)
%C%_test_conf_CPPFLAGS = $(AM_CPPFLAGS) -DSAMPLE='"$(abs_top_srcdir)/etc/mailhaul.conf"'
%C%_test_conf_LDADD = $(UNIT_CONF)

%C%_test_password_SOURCES = %D%/test_password.c %D%/scratch.h $(UNIT_H)
%C%_test_password_CFLAGS = $(UNIT_CFLAGS)
%C%_test_password_CPPFLAGS = $(AM_CPPFLAGS) $(CONFUSE_CFLAGS)
%C%_test_password_LDADD = $(UNIT_CONF)

%C%_test_provider_SOURCES = %D%/test_provider.c %D%/scratch.h $(UNIT_H)
%C%_test_provider_CFLAGS = $(UNIT_CFLAGS)
%C%_test_provider_LDADD = $(UNIT_CONF)
