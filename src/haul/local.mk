noinst_LIBRARIES += %D%/libhaul.a
%C%_libhaul_a_SOURCES = \
  %D%/intake.h \
  %D%/listing.c %D%/listing.h \
  %D%/source.c %D%/source.h
