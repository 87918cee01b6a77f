noinst_LIBRARIES += %D%/libdaemon.a
%C%_libdaemon_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
%C%_libdaemon_a_SOURCES = \
  %D%/account.c %D%/account.h \
  %D%/conn.c %D%/conn.h \
  %D%/control.c %D%/control.h \
  %D%/control_client.c %D%/control_client.h \
  %D%/control_request.c %D%/control_request.h \
  %D%/control_socket.c %D%/control_socket.h \
  %D%/environ.c %D%/environ.h \
  %D%/errand.c %D%/errand.h \
  %D%/fetches.c %D%/fetches.h \
  %D%/http.c %D%/http.h \
  %D%/loop.c %D%/loop.h \
  %D%/metrics.c %D%/metrics.h \
  %D%/places.c %D%/places.h \
  %D%/schedule.c %D%/schedule.h \
  %D%/sdnotify.c %D%/sdnotify.h \
  %D%/service.c %D%/service.h \
  %D%/status.c %D%/status.h \
  %D%/status_json.c %D%/status_json.h \
  %D%/supervisor.c %D%/supervisor.h \
  %D%/worker.c %D%/worker.h
