noinst_LIBRARIES += %D%/libproto.a
%C%_libproto_a_CPPFLAGS = $(AM_CPPFLAGS) $(GSASL_CFLAGS) $(JANSSON_CFLAGS)
%C%_libproto_a_SOURCES = \
  %D%/pop3.h %D%/pop3_int.h %D%/pop3_mailbox.c %D%/pop3_retrieve.c %D%/pop3_session.c \
  %D%/imap.c %D%/imap.h %D%/imap_int.h %D%/imap_login.c %D%/imap_wait.c %D%/imap_wait.h \
  %D%/oauth2.c %D%/oauth2.h %D%/oauth2_words.c \
  %D%/sasl.c %D%/sasl.h %D%/sasl_bearer.c %D%/sasl_int.h %D%/sasl_library.c %D%/sasl_pick.c \
  %D%/server.c %D%/server.h \
  %D%/smtp.c %D%/smtp.h %D%/smtp_int.h %D%/smtp_login.c %D%/smtp_mail.c \
  %D%/smtp_policy.c %D%/smtp_policy.h %D%/smtp_route.c %D%/smtp_route.h
