noinst_LIBRARIES += %D%/libconf.a
%C%_libconf_a_CPPFLAGS = $(AM_CPPFLAGS) $(CONFUSE_CFLAGS)
%C%_libconf_a_SOURCES = \
  %D%/conf.c %D%/conf.h %D%/conf_int.h \
  %D%/conf_build.c \
  %D%/conf_carry.c \
  %D%/conf_deliver.c \
  %D%/conf_keys.c \
  %D%/conf_login.c \
  %D%/conf_parse.c \
  %D%/conf_place.c \
  %D%/conf_provider.c %D%/providers.def \
  %D%/conf_scan.c \
  %D%/conf_state.c \
  %D%/conf_value.c \
  %D%/nearest.c \
  %D%/password.c
