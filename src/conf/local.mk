noinst_LIBRARIES += %D%/libconf.a
%C%_libconf_a_CPPFLAGS = $(AM_CPPFLAGS) $(CONFUSE_CFLAGS)
%C%_libconf_a_SOURCES = \
  %D%/conf.h
