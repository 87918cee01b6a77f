bin_PROGRAMS += mailhaul
mailhaul_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(ZLIB_CFLAGS)
mailhaul_SOURCES = \
  %D%/cmd.h %D%/cmds.c \
  %D%/cmd_check.c \
  %D%/cmd_daemon.c \
  %D%/cmd_fetch.c \
  %D%/cmd_folders.c \
  %D%/cmd_login.c \
  %D%/cmd_quarantine.c \
  %D%/cmd_reload.c \
  %D%/cmd_status.c \
  %D%/cmd_stop.c \
  %D%/each.c %D%/each.h \
  %D%/fetch_daemon.c %D%/fetch_daemon.h \
  %D%/help.c %D%/help.h \
  %D%/main.c \
  %D%/options.c %D%/options.h \
  %D%/output.c %D%/output.h \
  %D%/redirect.c %D%/redirect.h \
  %D%/status_view.c %D%/status_view.h \
  %D%/tell.c %D%/tell.h
mailhaul_LDADD = $(DAEMON) $(RUN) $(CONF) $(HAUL) $(STORE) $(PROTO) $(NET) $(WIRE) $(BASE) \
  $(CONFUSE_LIBS) $(STORE_LIBS) $(NET_LIBS) $(PROTO_LIBS)
