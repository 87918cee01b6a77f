# SPDX-License-Identifier: MIT
unit_wire_tests = \
  %D%/test_address \
  %D%/test_base64 \
  %D%/test_crlf \
  %D%/test_dot \
  %D%/test_eol \
  %D%/test_fields \
  %D%/test_form \
  %D%/test_folder_match \
  %D%/test_folder_mutf7 \
  %D%/test_folder_path \
  %D%/test_header \
  %D%/test_imap_caps \
  %D%/test_imap_date \
  %D%/test_imap_parse \
  %D%/test_imap_reader \
  %D%/test_imap_write \
  %D%/test_mailflag \
  %D%/test_mta_sts \
  %D%/test_pop3_parse \
  %D%/test_smtp_parse \
  %D%/test_uid_set \
  %D%/test_utf8
check_PROGRAMS += $(unit_wire_tests)
TESTS += $(unit_wire_tests)

%C%_test_address_SOURCES = %D%/test_address.c $(UNIT_H)
%C%_test_address_CFLAGS = $(UNIT_CFLAGS)
%C%_test_address_LDADD = $(UNIT_WIRE)

%C%_test_base64_SOURCES = %D%/test_base64.c $(UNIT_H)
%C%_test_base64_CFLAGS = $(UNIT_CFLAGS)
%C%_test_base64_LDADD = $(UNIT_WIRE)

%C%_test_crlf_SOURCES = %D%/test_crlf.c $(UNIT_H)
%C%_test_crlf_CFLAGS = $(UNIT_CFLAGS)
%C%_test_crlf_LDADD = $(UNIT_WIRE)

%C%_test_dot_SOURCES = %D%/test_dot.c $(UNIT_H)
%C%_test_dot_CFLAGS = $(UNIT_CFLAGS)
%C%_test_dot_LDADD = $(UNIT_WIRE)

%C%_test_eol_SOURCES = %D%/test_eol.c $(UNIT_H)
%C%_test_eol_CFLAGS = $(UNIT_CFLAGS)
%C%_test_eol_LDADD = $(UNIT_WIRE)

%C%_test_fields_SOURCES = %D%/test_fields.c $(UNIT_H)
%C%_test_fields_CFLAGS = $(UNIT_CFLAGS)
%C%_test_fields_LDADD = $(UNIT_WIRE)

%C%_test_folder_match_SOURCES = %D%/test_folder_match.c $(UNIT_H)
%C%_test_folder_match_CFLAGS = $(UNIT_CFLAGS)
%C%_test_folder_match_LDADD = $(UNIT_WIRE)

%C%_test_folder_mutf7_SOURCES = %D%/test_folder_mutf7.c $(UNIT_H)
%C%_test_folder_mutf7_CFLAGS = $(UNIT_CFLAGS)
%C%_test_folder_mutf7_LDADD = $(UNIT_WIRE)

%C%_test_folder_path_SOURCES = %D%/test_folder_path.c $(UNIT_H)
%C%_test_folder_path_CFLAGS = $(UNIT_CFLAGS)
%C%_test_folder_path_LDADD = $(UNIT_WIRE)

%C%_test_header_SOURCES = %D%/test_header.c $(UNIT_H)
%C%_test_header_CFLAGS = $(UNIT_CFLAGS)
%C%_test_header_LDADD = $(UNIT_WIRE)

%C%_test_mailflag_SOURCES = %D%/test_mailflag.c $(UNIT_H)
%C%_test_mailflag_CFLAGS = $(UNIT_CFLAGS)
%C%_test_mailflag_LDADD = $(UNIT_WIRE)

%C%_test_imap_reader_SOURCES = %D%/test_imap_reader.c %D%/imap_trace.h $(UNIT_H)
%C%_test_imap_reader_CFLAGS = $(UNIT_CFLAGS)
%C%_test_imap_reader_LDADD = $(UNIT_WIRE)

%C%_test_pop3_parse_SOURCES = %D%/test_pop3_parse.c $(UNIT_H)
%C%_test_pop3_parse_CFLAGS = $(UNIT_CFLAGS)
%C%_test_pop3_parse_LDADD = $(UNIT_WIRE)

%C%_test_smtp_parse_SOURCES = %D%/test_smtp_parse.c $(UNIT_H)
%C%_test_smtp_parse_CFLAGS = $(UNIT_CFLAGS)
%C%_test_smtp_parse_LDADD = $(UNIT_WIRE)

%C%_test_utf8_SOURCES = %D%/test_utf8.c $(UNIT_H)
%C%_test_utf8_CFLAGS = $(UNIT_CFLAGS)
%C%_test_utf8_LDADD = $(UNIT_WIRE)

%C%_test_imap_caps_SOURCES = %D%/test_imap_caps.c $(UNIT_H)
%C%_test_imap_caps_CFLAGS = $(UNIT_CFLAGS)
%C%_test_imap_caps_LDADD = $(UNIT_WIRE)

%C%_test_imap_date_SOURCES = %D%/test_imap_date.c $(UNIT_H)
%C%_test_imap_date_CFLAGS = $(UNIT_CFLAGS)
%C%_test_imap_date_LDADD = $(UNIT_WIRE)

%C%_test_imap_parse_SOURCES = %D%/test_imap_parse.c $(UNIT_H)
%C%_test_imap_parse_CFLAGS = $(UNIT_CFLAGS)
%C%_test_imap_parse_LDADD = $(UNIT_WIRE)

%C%_test_imap_write_SOURCES = %D%/test_imap_write.c $(UNIT_H)
%C%_test_imap_write_CFLAGS = $(UNIT_CFLAGS)
%C%_test_imap_write_LDADD = $(UNIT_WIRE)

%C%_test_uid_set_SOURCES = %D%/test_uid_set.c $(UNIT_H)
%C%_test_uid_set_CFLAGS = $(UNIT_CFLAGS)
%C%_test_uid_set_LDADD = $(UNIT_WIRE)

%C%_test_mta_sts_SOURCES = %D%/test_mta_sts.c $(UNIT_H)
%C%_test_mta_sts_CFLAGS = $(UNIT_CFLAGS)
%C%_test_mta_sts_LDADD = $(UNIT_WIRE)
%C%_test_form_SOURCES = %D%/test_form.c $(UNIT_H)
%C%_test_form_CFLAGS = $(UNIT_CFLAGS)
%C%_test_form_LDADD = $(UNIT_WIRE)
