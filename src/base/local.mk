noinst_LIBRARIES += %D%/libbase.a
%C%_libbase_a_SOURCES = \
  %D%/array.c %D%/array.h \
  %D%/base.h %D%/banned.h \
  %D%/buf.c %D%/buf.h \
  %D%/child.c %D%/child.h \
  %D%/clock.c %D%/clock.h \
  %D%/err.c %D%/err.h \
  %D%/io.c %D%/io.h \
  %D%/log.c %D%/log.h \
  %D%/num.c %D%/num.h \
  %D%/secret.c %D%/secret.h \
  %D%/slice.h \
  %D%/stop.c %D%/stop.h \
  %D%/step.c %D%/step.h
