noinst_LIBRARIES += %D%/libhaul.a
%C%_libhaul_a_SOURCES = \
  %D%/batch.c %D%/batch.h \
  %D%/committer.c %D%/committer.h \
  %D%/envelope.c %D%/envelope.h \
  %D%/haul.c %D%/haul.h %D%/haul_int.h \
  %D%/imap_append.c \
  %D%/imap_fetch.c \
  %D%/imap_list.c \
  %D%/imap_lookup.c \
  %D%/imap_scan.c \
  %D%/imap_target.c \
  %D%/intake.c %D%/intake.h %D%/intake_int.h \
  %D%/lanes.c %D%/lanes.h \
  %D%/listing.c %D%/listing.h \
  %D%/outcome.c %D%/outcome.h \
  %D%/plan.c %D%/plan.h \
  %D%/plan_folder.c %D%/plan_folder.h \
  %D%/pop3_listing.c %D%/pop3_listing.h \
  %D%/recover.c \
  %D%/reidentify.c \
  %D%/sink.c %D%/sink.h \
  %D%/sink_command.c %D%/sink_command.h \
  %D%/sink_imap.c %D%/sink_imap.h %D%/sink_imap_int.h \
  %D%/sink_maildir.c %D%/sink_maildir.h \
  %D%/sink_smtp.c %D%/sink_smtp.h %D%/sink_smtp_int.h \
  %D%/sink_smtp_lane.c \
  %D%/sink_smtp_mail.c \
  %D%/sink_smtp_trace.c \
  %D%/source.c %D%/source.h \
  %D%/source_imap.c %D%/source_imap.h %D%/source_imap_int.h %D%/source_imap_wait.c \
  %D%/source_pop3.c %D%/source_pop3.h \
  %D%/trouble.c %D%/trouble.h \
  %D%/visit.c
