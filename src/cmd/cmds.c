/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

static const char *const quarantine_actions[] = { "list", "retry", "drop", NULL };

#define ANY SIZE_MAX

const struct cmd cmds[] = {
    { "fetch", "[fetch] [ACCOUNT...]", "one pass over the accounts, then exit", cmd_fetch, true, TAKES_OVERSIZE, NULL,
      0, ANY },
    { "daemon", "daemon [ACCOUNT...]", "stay in the foreground and keep fetching", cmd_daemon, true, 0, NULL, 0, ANY },
    { "check", "check [ACCOUNT...]", "read the configuration; with --connect also log in", cmd_check, false,
      TAKES_CONNECT | TAKES_ADOPT, NULL, 0, ANY },
    { "folders", "folders ACCOUNT", "the folders of an IMAP account, and which are selected", cmd_folders, true, 0,
      NULL, 1, 1 },
    { "status", "status [ACCOUNT...]", "what the daemon does, and how each account ended last", cmd_status, false,
      TAKES_WATCH | TAKES_PROMETHEUS, NULL, 0, ANY },
    { "reload", "reload", "the daemon reads its configuration again", cmd_reload, false, 0, NULL, 0, 0 },
    { "stop", "stop", "the daemon ends", cmd_stop, false, 0, NULL, 0, 0 },
    { "login", "login [--device] ACCOUNT", "OAuth 2.0: allow mailhaul to read the mail", cmd_login, false, TAKES_DEVICE,
      NULL, 1, 1 },
    { "quarantine", "quarantine list|retry|drop [ACCOUNT...]", "messages set aside after repeated failure",
      cmd_quarantine, false, 0, quarantine_actions, 0, ANY },

    { .name = "setup" },
    { .name = "import" },
    { .name = "verify" },
    { .name = "restore" },
};
const size_t cmd_count = ARRAY_LEN(cmds);
