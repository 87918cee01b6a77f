# SPDX-License-Identifier: MIT
# Fuzz targets. Without libFuzzer each is linked with a main() that replays its corpus, as one program of `make check`;
# with --enable-fuzz CC=clang it fuzzes. `make fuzz S=60` builds the latter beside this build and runs each S seconds.
fuzz_programs = \
  %D%/fuzz_address \
  %D%/fuzz_base64 \
  %D%/fuzz_conf \
  %D%/fuzz_crlf \
  %D%/fuzz_dot \
  %D%/fuzz_eol \
  %D%/fuzz_fields \
  %D%/fuzz_folder \
  %D%/fuzz_header \
  %D%/fuzz_imap_reader \
  %D%/fuzz_imap_response \
  %D%/fuzz_imap_session \
  %D%/fuzz_imap_write \
  %D%/fuzz_mta_sts \
  %D%/fuzz_pattern \
  %D%/fuzz_pop3_line \
  %D%/fuzz_resolve \
  %D%/fuzz_smtp_reply \
  %D%/fuzz_smtp_session
check_PROGRAMS += $(fuzz_programs)

if FUZZ
LDFLAGS_FUZZ = $(AM_LDFLAGS) -fsanitize=fuzzer
FUZZ_MAIN =
else
LDFLAGS_FUZZ = $(AM_LDFLAGS)
FUZZ_MAIN = %D%/libreplay.a
TESTS += $(fuzz_programs)
check_LIBRARIES += %D%/libreplay.a
%C%_libreplay_a_SOURCES = %D%/replay.c %D%/fuzz.h
%C%_libreplay_a_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"$(abs_srcdir)/%D%/corpus"'
endif
FUZZ_WIRE = $(FUZZ_MAIN) $(WIRE) $(BASE)
FUZZ_HAUL = $(FUZZ_MAIN) $(HAUL) $(PROTO) $(STORE) $(NET) $(WIRE) $(BASE) $(PROTO_LIBS) $(NET_LIBS) $(STORE_LIBS)

%C%_fuzz_address_SOURCES = %D%/fuzz_address.c %D%/fuzz.h
%C%_fuzz_address_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_address_LDADD = $(FUZZ_WIRE)

%C%_fuzz_base64_SOURCES = %D%/fuzz_base64.c %D%/fuzz.h
%C%_fuzz_base64_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_base64_LDADD = $(FUZZ_WIRE)

%C%_fuzz_conf_SOURCES = %D%/fuzz_conf.c %D%/fuzz.h
%C%_fuzz_conf_CPPFLAGS = $(AM_CPPFLAGS) $(CONFUSE_CFLAGS)
%C%_fuzz_conf_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_conf_LDADD = $(FUZZ_MAIN) $(CONF) $(WIRE) $(BASE) $(CONFUSE_LIBS)

%C%_fuzz_crlf_SOURCES = %D%/fuzz_crlf.c %D%/fuzz.h
%C%_fuzz_crlf_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_crlf_LDADD = $(FUZZ_WIRE)

%C%_fuzz_dot_SOURCES = %D%/fuzz_dot.c %D%/fuzz.h
%C%_fuzz_dot_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_dot_LDADD = $(FUZZ_WIRE)

%C%_fuzz_eol_SOURCES = %D%/fuzz_eol.c %D%/fuzz.h
%C%_fuzz_eol_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_eol_LDADD = $(FUZZ_WIRE)

%C%_fuzz_fields_SOURCES = %D%/fuzz_fields.c %D%/fuzz.h
%C%_fuzz_fields_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_fields_LDADD = $(FUZZ_WIRE)

%C%_fuzz_folder_SOURCES = %D%/fuzz_folder.c %D%/fuzz.h
%C%_fuzz_folder_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_folder_LDADD = $(FUZZ_WIRE)

%C%_fuzz_header_SOURCES = %D%/fuzz_header.c %D%/fuzz.h
%C%_fuzz_header_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_header_LDADD = $(FUZZ_WIRE)

%C%_fuzz_imap_reader_SOURCES = %D%/fuzz_imap_reader.c %D%/fuzz.h
%C%_fuzz_imap_reader_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_imap_reader_LDADD = $(FUZZ_WIRE)

%C%_fuzz_imap_response_SOURCES = %D%/fuzz_imap_response.c %D%/fuzz.h
%C%_fuzz_imap_response_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_imap_response_LDADD = $(FUZZ_WIRE)

%C%_fuzz_imap_session_SOURCES = %D%/fuzz_imap_session.c %D%/fuzz.h
%C%_fuzz_imap_session_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_imap_session_LDADD = $(FUZZ_HAUL)

%C%_fuzz_imap_write_SOURCES = %D%/fuzz_imap_write.c %D%/fuzz.h
%C%_fuzz_imap_write_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_imap_write_LDADD = $(FUZZ_WIRE)

%C%_fuzz_mta_sts_SOURCES = %D%/fuzz_mta_sts.c %D%/fuzz.h
%C%_fuzz_mta_sts_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_mta_sts_LDADD = $(FUZZ_WIRE)

%C%_fuzz_pattern_SOURCES = %D%/fuzz_pattern.c %D%/fuzz.h
%C%_fuzz_pattern_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_pattern_LDADD = $(FUZZ_WIRE)

%C%_fuzz_pop3_line_SOURCES = %D%/fuzz_pop3_line.c %D%/fuzz.h
%C%_fuzz_pop3_line_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_pop3_line_LDADD = $(FUZZ_WIRE)

%C%_fuzz_resolve_SOURCES = %D%/fuzz_resolve.c %D%/fuzz.h
%C%_fuzz_resolve_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_resolve_LDADD = $(FUZZ_MAIN) $(NET) $(BASE) $(NET_LIBS)

%C%_fuzz_smtp_reply_SOURCES = %D%/fuzz_smtp_reply.c %D%/fuzz.h
%C%_fuzz_smtp_reply_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_smtp_reply_LDADD = $(FUZZ_WIRE)

%C%_fuzz_smtp_session_SOURCES = %D%/fuzz_smtp_session.c %D%/fuzz.h
%C%_fuzz_smtp_session_LDFLAGS = $(LDFLAGS_FUZZ)
%C%_fuzz_smtp_session_LDADD = $(FUZZ_MAIN) $(PROTO) $(NET) $(WIRE) $(BASE) $(PROTO_LIBS) $(NET_LIBS)

EXTRA_DIST += %D%/run %D%/corpus \
  %D%/fuzz_address.dict \
  %D%/fuzz_base64.dict \
  %D%/fuzz_conf.dict \
  %D%/fuzz_crlf.dict \
  %D%/fuzz_dot.dict \
  %D%/fuzz_eol.dict \
  %D%/fuzz_fields.dict \
  %D%/fuzz_folder.dict \
  %D%/fuzz_header.dict \
  %D%/fuzz_imap_reader.dict \
  %D%/fuzz_imap_response.dict \
  %D%/fuzz_imap_session.dict \
  %D%/fuzz_imap_write.dict \
  %D%/fuzz_mta_sts.dict \
  %D%/fuzz_pattern.dict \
  %D%/fuzz_pop3_line.dict \
  %D%/fuzz_resolve.dict \
  %D%/fuzz_smtp_reply.dict \
  %D%/fuzz_smtp_session.dict

fuzz-programs: $(fuzz_programs)
fuzz:
	$(srcdir)/%D%/run -s $(or $(S),60) -b $(abs_builddir)/build-fuzz
.PHONY: fuzz fuzz-programs
