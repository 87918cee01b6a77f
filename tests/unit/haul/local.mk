# SPDX-License-Identifier: MIT
unit_haul_tests = \
  %D%/test_batch \
  %D%/test_committer \
  %D%/test_envelope \
  %D%/test_haul \
  %D%/test_haul_crash \
  %D%/test_haul_remote \
  %D%/test_intake \
  %D%/test_listing \
  %D%/test_plan \
  %D%/test_reidentify \
  %D%/test_sink_command \
  %D%/test_sink_smtp \
  %D%/test_sink_imap \
  %D%/test_source_imap \
  %D%/test_source_imap_wait \
  %D%/test_source_pop3 \
  %D%/test_trouble
check_PROGRAMS += $(unit_haul_tests)
TESTS += $(unit_haul_tests)

# Both ends of the heart in memory. The linker puts fate.c between the heart and the journal.
WORLD = %D%/libworld.a
WORLD_WRAP = $(AM_LDFLAGS) \
  -Wl,--wrap=journal_begin -Wl,--wrap=journal_begin_light -Wl,--wrap=journal_commit -Wl,--wrap=journal_rollback -Wl,--wrap=journal_stage \
  -Wl,--wrap=journal_delivery -Wl,--wrap=journal_message_put -Wl,--wrap=journal_message_delete \
  -Wl,--wrap=journal_folder_put
check_LIBRARIES += $(WORLD)
%C%_libworld_a_SOURCES = \
  %D%/fate.c %D%/fate.h \
  %D%/sink_memory.c %D%/sink_memory.h \
  %D%/source_memory.c %D%/source_memory.h \
  %D%/world.c %D%/world.h $(UNIT_H)
%C%_libworld_a_CFLAGS = $(UNIT_CFLAGS)

%C%_test_batch_SOURCES = %D%/test_batch.c
%C%_test_batch_CFLAGS = $(UNIT_CFLAGS)
%C%_test_batch_LDFLAGS = $(WORLD_WRAP)
%C%_test_batch_LDADD = $(WORLD) $(UNIT_HAUL)
%C%_test_committer_SOURCES = %D%/test_committer.c
%C%_test_committer_CFLAGS = $(UNIT_CFLAGS)
%C%_test_committer_LDFLAGS = $(WORLD_WRAP)
%C%_test_committer_LDADD = $(WORLD) $(UNIT_HAUL)
%C%_test_envelope_SOURCES = %D%/test_envelope.c $(UNIT_H) tests/unit/store/store_test.h
%C%_test_envelope_CFLAGS = $(UNIT_CFLAGS)
%C%_test_envelope_LDADD = $(UNIT_HAUL)
%C%_test_haul_SOURCES = %D%/test_haul.c
%C%_test_haul_CFLAGS = $(UNIT_CFLAGS)
%C%_test_haul_LDFLAGS = $(WORLD_WRAP)
%C%_test_haul_LDADD = $(WORLD) $(UNIT_HAUL)
%C%_test_haul_crash_SOURCES = %D%/test_haul_crash.c
%C%_test_haul_crash_CFLAGS = $(UNIT_CFLAGS)
%C%_test_haul_crash_LDFLAGS = $(WORLD_WRAP)
%C%_test_haul_crash_LDADD = $(WORLD) $(UNIT_HAUL)
%C%_test_haul_remote_SOURCES = %D%/test_haul_remote.c
%C%_test_haul_remote_CFLAGS = $(UNIT_CFLAGS)
%C%_test_haul_remote_LDFLAGS = $(WORLD_WRAP)
%C%_test_haul_remote_LDADD = $(WORLD) $(UNIT_HAUL)
%C%_test_intake_SOURCES = %D%/test_intake.c
%C%_test_intake_CFLAGS = $(UNIT_CFLAGS)
%C%_test_intake_LDFLAGS = $(WORLD_WRAP)
%C%_test_intake_LDADD = $(WORLD) $(UNIT_HAUL)
%C%_test_listing_SOURCES = %D%/test_listing.c $(UNIT_H)
%C%_test_listing_CFLAGS = $(UNIT_CFLAGS)
%C%_test_listing_LDADD = $(UNIT_HAUL)
%C%_test_plan_SOURCES = %D%/test_plan.c $(UNIT_H)
%C%_test_plan_CFLAGS = $(UNIT_CFLAGS)
%C%_test_plan_LDADD = $(UNIT_HAUL)
%C%_test_reidentify_SOURCES = %D%/test_reidentify.c
%C%_test_reidentify_CFLAGS = $(UNIT_CFLAGS)
%C%_test_reidentify_LDFLAGS = $(WORLD_WRAP)
%C%_test_reidentify_LDADD = $(WORLD) $(UNIT_HAUL)
%C%_test_sink_smtp_SOURCES = %D%/test_sink_smtp.c %D%/mta.c %D%/mta.h $(UNIT_H)
%C%_test_sink_smtp_CFLAGS = $(UNIT_CFLAGS)
%C%_test_sink_smtp_LDADD = $(UNIT_HAUL)
%C%_test_sink_imap_SOURCES = %D%/test_sink_imap.c $(UNIT_H) tests/unit/store/store_test.h
%C%_test_sink_imap_CFLAGS = $(UNIT_CFLAGS)
%C%_test_sink_imap_LDADD = $(UNIT_HAUL)
%C%_test_source_imap_SOURCES = %D%/test_source_imap.c $(UNIT_H)
%C%_test_source_imap_CFLAGS = $(UNIT_CFLAGS)
%C%_test_source_imap_LDADD = $(UNIT_HAUL)
%C%_test_source_imap_wait_SOURCES = %D%/test_source_imap_wait.c tests/unit/net/script.h $(UNIT_H)
%C%_test_source_imap_wait_CFLAGS = $(UNIT_CFLAGS)
%C%_test_source_imap_wait_LDADD = $(UNIT_HAUL)
%C%_test_source_pop3_SOURCES = %D%/test_source_pop3.c $(UNIT_H)
%C%_test_source_pop3_CFLAGS = $(UNIT_CFLAGS)
%C%_test_source_pop3_LDADD = $(UNIT_HAUL)
%C%_test_trouble_SOURCES = %D%/test_trouble.c $(UNIT_H)
%C%_test_trouble_CFLAGS = $(UNIT_CFLAGS)
%C%_test_trouble_LDADD = $(UNIT_HAUL)
%C%_test_sink_command_SOURCES = %D%/test_sink_command.c $(UNIT_H)
%C%_test_sink_command_CFLAGS = $(UNIT_CFLAGS)
%C%_test_sink_command_LDADD = $(UNIT_HAUL)
