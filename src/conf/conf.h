/* SPDX-License-Identifier: MIT
 * conf.h - the configuration: libconfuse text to one immutable, validated struct. CONTRACT section 2; mailhaul.conf(5).
 *
 * First found: the given path, $XDG_CONFIG_HOME/mailhaul/mailhaul.conf (~/.config/mailhaul/...), SYSCONFDIR
 * "/mailhaul/mailhaul.conf" (/etc/mailhaul/mailhaul.conf in a distribution's build); then every *.conf of the directory
 * accounts.d beside it, in the order of their names. `defaults` is merged in: an account here has all its values.
 *
 * Errors are E_CONFIG and name file, line and key ("/home/me/.config/mailhaul/mailhaul.conf:12: account work: unknown
 * key "hots"; did you mean "host"?"). All mistakes that can be found are reported, one line each, through log_error();
 * the struct err then holds the first of them (and need not be shown again).
 *
 * Secrets: a literal password is moved into a struct secret, the file's text and the values of libconfuse are wiped; a
 * file that holds one must belong to the user (or root) and must not be readable by group or others. conf_password()
 * runs password_command, reads password_file or netrc, or asks on the terminal; it is called when the password is
 * needed, in any thread.
 *
 * Ownership: everything belongs to the struct conf and lives until conf_free(). Thread: conf_load() on the main thread
 * only (the lexer keeps static state); reading from any.
 */
#ifndef MAILHAUL_CONF_CONF_H
#define MAILHAUL_CONF_CONF_H

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/secret.h"

enum conf_protocol { CONF_IMAP, CONF_POP3 };
enum conf_tls { CONF_TLS_IMPLICIT, CONF_TLS_STARTTLS, CONF_TLS_PLAINTEXT };
enum conf_family { CONF_FAMILY_ANY, CONF_FAMILY_IPV4, CONF_FAMILY_IPV6 };
enum conf_layout { CONF_LAYOUT_MAILDIRPP, CONF_LAYOUT_FS };
enum conf_deliver_type {
    CONF_DELIVER_MAILDIR,
    CONF_DELIVER_SMTP,
    CONF_DELIVER_LMTP,
    CONF_DELIVER_IMAP,
    CONF_DELIVER_COMMAND
};

struct conf_strings {
    char **v; /* NULL-terminated */
    size_t n;
};

struct conf_tls_settings {
    char *trust_file; /* NULL: the system's */
    struct conf_strings fingerprints;
    char *cert_file, *key_file; /* NULL: none */
    bool min_1_3;
};

/* OAuth 2.0 (RFC 6749). What `provider` knows is filled in; "TENANT" in its addresses is replaced. */
enum conf_grant { CONF_GRANT_CODE, CONF_GRANT_CLIENT_CREDENTIALS };
struct conf_oauth {
    char *client_id; /* NULL: this login is no OAuth login of ours */
    struct secret client_secret;
    char *tenant;
    struct conf_strings scopes;
    char *authorize_url, *token_url, *device_url; /* https only; NULL: not known */
    enum conf_grant grant;
};

/* Which of the four ways gives the password; setting any one of them in an account hides all of `defaults`. */
struct conf_login {
    char *whose;         /* for a person: "account work", "account work, destination mta" */
    const char *account; /* the account's name, borrowed */
    const char *machine; /* the host, borrowed from the section; NULL with a tunnel */
    char *user;          /* NULL: none; of an account only with a tunnel (PREAUTH) */
    char *authorize_as;  /* NULL */
    struct secret password;
    bool typed; /* the password was typed by a person */
    struct conf_strings password_command;
    char *password_file;
    char *netrc;              /* path of a netrc file */
    struct conf_strings auth; /* {"auto"}, or mechanisms, in lower case; what cannot work with the rest is refused */
    struct conf_oauth oauth;
    /* What is kept for this login between runs stands in files whose paths begin so (".oauth", ".tls", ".login" are
     * appended): "STATE/NAME" of an account, "STATE/NAME:DELIVER" of a destination, encoded as the other state files
     * are. */
    char *state;
};

struct conf_deliver {
    char *name; /* its name in the journal */
    enum conf_deliver_type type;
    bool drop_rejected;
    /* maildir */
    char *path; /* "~/" and "%a" expanded */
    enum conf_layout layout;
    /* smtp, lmtp, imap */
    char *host;
    uint16_t port;
    enum conf_tls tls;
    struct conf_tls_settings tls_settings;
    struct conf_login login; /* user NULL: no login (smtp, lmtp) */
    /* smtp, lmtp */
    char *socket;           /* lmtp: path of a Unix socket; NULL: none */
    char *domain;           /* smtp: its MX hosts, in place of host, port and login; NULL: host is it */
    struct conf_strings to; /* checked addresses; may be empty with to_header */
    char *from, *to_header, *to_strip_prefix, *to_fallback; /* NULL */
    struct conf_strings to_domains;
    /* imap */
    char *folder, *folder_prefix; /* NULL */
    /* command */
    struct conf_strings command;
    bool crlf;
    int time_limit; /* s */
    unsigned max_parallel;
};

/* leave_on_server */
enum { CONF_LEAVE_FOREVER = -1 };

struct conf_account {
    char *name;
    char *file; /* where it is written, for messages */
    int line;
    bool enabled;
    const struct conf_provider *provider; /* NULL: none was named; what it knows is filled in below */
    enum conf_protocol protocol;
    char *host; /* NULL only with a tunnel */
    uint16_t port;
    enum conf_tls tls;
    int timeout; /* s */
    enum conf_family family;
    char *bind_address; /* NULL */
    char *proxy_host;   /* NULL: none */
    uint16_t proxy_port;
    char *proxy_user;             /* NULL */
    struct secret proxy_password; /* not set; behind its last byte stands a NUL */
    struct conf_strings tunnel;
    struct conf_strings disable_extensions;
    unsigned max_connections;
    bool compress;
    struct conf_tls_settings tls_settings;
    struct conf_login login;
    struct conf_strings folders;
    int64_t leave_s;          /* seconds a stored message stays on the server: CONF_LEAVE_FOREVER, 0 (no), or an age */
    uint64_t max_size;        /* octets; 0: no limit */
    unsigned max_messages;    /* a pass; 0: no limit */
    unsigned interval;        /* s between two passes, and between two questions on a waiting connection */
    struct conf_strings idle; /* folders or patterns to be told about at once; may be none */
    struct conf_strings on_new_mail, on_failure, on_recovery; /* argv; n 0: none */
    unsigned failure_threshold;                               /* passes in a row that fail ahead of on_failure */
    struct conf_deliver *delivers;
    size_t deliver_count;
};

struct conf {
    char *path; /* of the main file */
    char *state_dir, *spool_dir;
    unsigned max_sessions;
    enum log_level log_level;
    char *log_file; /* NULL */
    bool syslog;
    char *metrics_address; /* of the loopback interface; NULL: no listener */
    uint16_t metrics_port;
    struct conf_account **accounts; /* in the order they were written */
    size_t account_count;
};

/* Whether there is a file that conf_load() would take. */
bool conf_present(const char *path);
/* "3.3": the version of libConfuse in use. */
const char *conf_library(void);

/* `path` NULL: search. */
MUST_CHECK int conf_load(const char *path, struct conf **out, struct err *e);
void conf_free(struct conf **c);
const struct conf_account *conf_find(const struct conf *c, const char *name);
/* What a person should know about the account's provider before the first login ("Gmail: the password of the website is
 * refused ..."), or "". */
void conf_note(const struct conf_account *a, char *out, size_t size);
/* Why the login will be refused as it is written, or "". */
void conf_warning(const struct conf_account *a, char *out, size_t size);
/* The same value for every key, so that whoever runs the one may go on with the other. Where they are written does not
 * count. */
bool conf_account_equal(const struct conf_account *a, const struct conf_account *b);
/* `now` was loaded to take the place of `before`, which is in use. Each account that is equal in both becomes in `now`
 * the object that it was in `before` (and the other way round), so that pointers to it stay good as long as `now` does.
 * What is left in `before` are accounts that changed or are gone: it is freed when nobody uses those any more, nor its
 * other values. Passwords that were typed go along to where they are wanted still. The keys that cannot change while
 * the program runs keep their values of `before`; their names are appended to `fixed_out` ("state_dir, syslog").
 * E_NOMEM: no account was exchanged. */
MUST_CHECK int conf_carry_over(const struct conf *before, struct conf *now, size_t *same_out, struct buf *fixed_out,
                               struct err *e);
/* The name most like `word` among `names` when it is near enough for a typing slip, else NULL. Letters count without
 * case. */
const char *conf_nearest(const char *word, const char *const *names, size_t count);

/* `name` as state files are named by it, and `suffix`, appended: every byte but letters, digits and "_@+-." as %XX. */
MUST_CHECK int conf_state_name(const char *name, const char *suffix, struct buf *out);

/* True when the login is by an OAuth 2.0 token that this program gets and renews itself: there is a client_id, and
 * `auth` is auto or names oauthbearer or xoauth2. A password beside it is then not asked for. */
bool conf_login_is_oauth(const struct conf_login *l);

/* Any of the keys that give a password. */
bool conf_login_has_source(const struct conf_login *l);

/* The password into `out`. Without any source and without a terminal: E_CONFIG that says which keys there are
 * (no server has refused anything). password_command: argv without a shell, first line, 30 s (E_TIMEOUT), its own
 * process group, killed when it takes longer; its standard error goes to ours; one that fails is E_CONFIG. Files that
 * hold a password (password_file, netrc) must belong to the user or root and not be readable by group or others.
 * E_STOPPED when stop_requested() meanwhile. */
MUST_CHECK int conf_password(const struct conf_login *l, struct secret *out, struct err *e);

/* Asks on the terminal for the passwords of those of `accounts`, and with `destinations` of theirs too, that have no
 * other source, and keeps them: once, and before progress lines are drawn over the question. Without a terminal nothing
 * happens. Before threads. E_STOPPED, or E_CONFIG for an empty answer. */
MUST_CHECK int conf_ask_passwords(struct conf *c, const struct conf_account *const *accounts, size_t count,
                                  bool destinations, struct err *e);

#endif
