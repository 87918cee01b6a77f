noinst_LIBRARIES += %D%/libwire.a
%C%_libwire_a_SOURCES = \
  %D%/base64.h \
  %D%/dot.h \
  %D%/eol.h \
  %D%/folder.h \
  %D%/header.h \
  %D%/imap_parse.h \
  %D%/imap_reader.h \
  %D%/imap_write.h \
  %D%/limits.h \
  %D%/mailflag.c %D%/mailflag.h \
  %D%/pop3_parse.h
