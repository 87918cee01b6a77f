noinst_LIBRARIES += %D%/libwire.a
%C%_libwire_a_SOURCES = \
  %D%/address.c %D%/address.h \
  %D%/base64.c %D%/base64.h \
  %D%/crlf.c %D%/crlf.h \
  %D%/dot.c %D%/dot.h \
  %D%/eol.c %D%/eol.h \
  %D%/fields.c %D%/fields.h \
  %D%/form.c %D%/form.h \
  %D%/folder.h %D%/folder_match.c %D%/folder_mutf7.c %D%/folder_path.c \
  %D%/header.c %D%/header.h \
  %D%/imap_caps.c %D%/imap_date.c %D%/imap_folder.c %D%/imap_parse.c %D%/imap_parse.h \
  %D%/imap_reader.c %D%/imap_reader.h \
  %D%/imap_token.c %D%/imap_token_int.h \
  %D%/imap_write.c %D%/imap_write.h %D%/uid_set.c \
  %D%/limits.h \
  %D%/mailflag.c %D%/mailflag.h \
  %D%/mta_sts.c %D%/mta_sts.h \
  %D%/pop3_parse.c %D%/pop3_parse.h \
  %D%/sasl_name.c %D%/sasl_name.h \
  %D%/smtp_parse.c %D%/smtp_parse.h \
  %D%/utf8.c %D%/utf8.h
