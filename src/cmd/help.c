/* SPDX-License-Identifier: MIT */
#include "cmd/help.h"

#include "base/base.h"

#include <jansson.h>
#include <zlib.h>

#include "cmd/cmd.h"
#include "net/tls.h"
#include "store/journal.h"

void help_print(void)
{
    printf("mailhaul %s - fetch mail over POP3 and IMAP, and store it or hand it on\n\nCommands:\n", PACKAGE_VERSION);
    for (size_t i = 0; i < cmd_count; i++) {
        if (cmds[i].summary != NULL)
            printf("  mailhaul %-42s %s\n", cmds[i].synopsis, cmds[i].summary);
    }
    printf("\nOptions, before or after the command:\n"
           "  -c, --config FILE   read this configuration instead of the usual places\n"
           "  -n, --dry-run       connect and say what would be done; change nothing anywhere\n"
           "  -q, --quiet         errors alone\n"
           "  -v, --verbose       steps; twice: the lines of the protocol, with secrets hidden\n"
           "      --json          one JSON object a line on standard output\n"
           "      --oversize      fetch: also the messages over max_size\n"
           "      --connect       check: also connect and log in, to destinations too\n"
           "      --adopt         check: bind the Maildirs as they are now to their accounts\n"
           "      --watch         status: again every second\n"
           "      --prometheus    status: in the Prometheus text format\n"
           "      --device        login: with a code to be typed into any browser\n"
           "  -h, --help          this page\n"
           "  -V, --version       version, libraries and features\n"
           "\nConfiguration: ~/.config/mailhaul/mailhaul.conf, else /etc/mailhaul/mailhaul.conf;\n"
           "then accounts.d/*.conf beside it.\n"
           "More: man mailhaul, man mailhaul.conf\n");
}

void help_version(void)
{
    printf("mailhaul %s\n", PACKAGE_VERSION);
    printf("libraries: %s, SQLite %s, libConfuse %s, zlib %s, jansson %s\n", tls_library(), journal_library(),
           conf_library(), zlibVersion(), jansson_version_str());
    printf("sources:   pop3 imap\n"
           "deliver:   maildir (maildir++, fs) smtp lmtp imap command\n"
           "security:  implicit TLS, STARTTLS, TLS 1.2 and 1.3, certificate and key pins\n"
           "login:     external scram-sha-256(-plus) scram-sha-1(-plus) plain login\n"
           "           cram-md5 apop gssapi oauthbearer xoauth2\n"
           "also:      socks5 tunnel compress"
#ifdef HAVE_IDN2
           " idn"
#endif
           "\n");
#ifdef MAILHAUL_DEV
    printf("build:     developer (crash and fault hooks)\n");
#endif
}
