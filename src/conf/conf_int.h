/* SPDX-License-Identifier: MIT
 * conf_int.h - what the files of this room share. The way of a configuration:
 *
 *     conf.c        finds the file, reads it and accounts.d, judges owner and mode            bytes
 *     conf_scan.c   blanks comments, refuses what the library's lexer would let pass          bytes
 *     conf_parse.c  libconfuse: text to sections of strings, each with its line               cfg_t
 *     conf_build.c  merges `defaults`, runs every value through conf_keys.c and conf_value.c  struct conf
 *     conf_deliver.c  the same for one destination
 *     conf_provider.c  what a provider of mail fills in, from providers.def
 *     conf_login.c  the keys of a login, one by one and together, for both
 *     conf_carry.c  a newer one takes the place of one in use
 *
 * All mistakes go through conf_report(), so that a person sees every one of them and not the first alone.
 */
#ifndef MAILHAUL_CONF_INT_H
#define MAILHAUL_CONF_INT_H

#include "base/buf.h"

#include <confuse.h>

#include "conf/conf.h"

enum {
    /* One file: a thousand accounts take less than half of it. */
    CONF_FILE_MAX = 4 * 1024 * 1024,
    /* A value, an account's name: nothing longer is meant. */
    CONF_VALUE_MAX = 64 * 1024,
    CONF_NAME_MAX = 100,
    /* Mistakes told in one run; who has more wrote another program's syntax. */
    CONF_REPORT_MAX = 50,
    CONF_NEAREST_MAX = 64
};

/* Collects mistakes: each is a line of the log, the first fills *first. */
struct conf_report {
    struct err *first;
    size_t count;
    bool quiet; /* the same values are looked at a second time: say nothing */
};

/* `line` 0: the file as a whole; `file` NULL: no place at all. Always returns -1. */
int conf_report(struct conf_report *r, const char *file, int line, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The same for a lack of memory. */
int conf_report_nomem(struct conf_report *r);

/* ---- conf.c ---- */

void conf_account_release(struct conf_account *a);
void conf_deliver_release(struct conf_deliver *d);

/* ---- conf_scan.c ---- */

struct conf_scan {
    int secret_line; /* the first line with a literal password; 0: none */
};
/* Looks at the text as libconfuse's lexer will, and reports what that would pass in silence: an environment variable
 * that is not set, a NUL, a string without end, a character outside quotes that it would drop. Comments become blanks
 * (the lexer miscounts their lines). Returns -1 when the text must not be parsed. */
int conf_scan(struct conf_report *r, const char *file, struct buf *text, struct conf_scan *out);

/* ---- conf_keys.c ---- */

enum conf_where { IN_GLOBAL = 1, IN_ACCOUNT = 2, IN_DELIVER = 4 };

enum conf_kind {
    KIND_LATER,  /* known, but of later work: "not yet" */
    KIND_STRING, /* char *, not empty */
    KIND_HOST,
    KIND_PROVIDER,
    KIND_PATH,     /* char *, "~/" expanded */
    KIND_ADDRESS,  /* char *, an IP address */
    KIND_LIST,     /* struct conf_strings, may be empty */
    KIND_ARGV,     /* struct conf_strings, a program and its arguments */
    KIND_PATTERNS, /* struct conf_strings; min 0: may be empty */
    KIND_FINGERPRINTS,
    KIND_AUTH,
    KIND_SCOPES, /* struct conf_strings, a list, or several in one string */
    KIND_URL,    /* char *, https */
    KIND_TENANT, /* char *, a part of addresses */
    KIND_BOOL,
    KIND_NUMBER, /* min to max, into a field of any width */
    KIND_OCTETS,
    KIND_LEAVE,
    KIND_CHOICE, /* one of `choices`, into a field of any width */
    KIND_PROXY,
    KIND_LISTEN, /* loopback address and port */
    KIND_SECRET,
    KIND_MAILBOX,   /* char *, what may stand in an envelope, without its angle brackets */
    KIND_MAILBOXES, /* struct conf_strings of these */
    KIND_DOMAINS,
    KIND_FOLDER,
    KIND_FIELD /* char *, the name of a header field */
};

struct conf_choice {
    const char *name;
    int value;
    bool later;
};

struct conf_key {
    const char *name;
    unsigned where; /* one of enum conf_where */
    unsigned types; /* of destinations that have it, IN_DELIVER: 1 << enum conf_deliver_type */
    enum conf_kind kind;
    size_t offset, size; /* of the field in struct conf, conf_account or conf_deliver */
    int64_t min, max;
    bool fixed;                        /* IN_GLOBAL: for as long as the program runs */
    const struct conf_choice *choices; /* ends with a NULL name */
};

extern const struct conf_key conf_keys[];
extern const size_t conf_key_count;

const struct conf_key *conf_key_find(unsigned where, const char *name);
bool conf_key_is_list(const struct conf_key *k);
/* True for the four keys of which a section has one, and of which one hides all in `defaults`. */
bool conf_key_is_password(const struct conf_key *k);
/* The key of these places that is most like `name`: as near as a typing slip, or the nearest of all. NULL for
 * nothing like a name. */
const char *conf_key_nearest(unsigned where, const char *name, bool slips_only);

/* ---- nearest.c ---- */

/* conf_nearest() that takes what is far away too. */
const char *conf_nearest_any(const char *word, const char *const *names, size_t count);

/* ---- conf_value.c ---- */

/* One written value (or list), with its place. */
struct conf_value {
    struct conf_report *report;
    const char *file;
    int line;
    const char *where; /* "account work: ", "" */
    const struct conf_key *key;
    cfg_value_t *const *v; /* n of them, their .string */
    size_t n;
};

int conf_bad(const struct conf_value *v, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Checks the value and stores it in the field of `target` that its key names; what was there is freed. 0 or -1. */
int conf_value_store(const struct conf_value *v, void *target);
/* The name of the key's choices most like `word`, in a sentence, and the list of them. */
int conf_value_unknown(const struct conf_value *v, const char *word, const struct conf_choice *choices);
/* "~/" expanded; a copy that the caller frees, NULL without memory or without a home. */
char *conf_home_path(const char *path);
void conf_strings_release(struct conf_strings *s);
/* "localhost", 127.x.y.z or ::1 */
bool conf_is_loopback(const char *host);

/* ---- conf_parse.c ---- */

/* Text to a libconfuse tree whose values are all strings; NULL when the syntax is broken or without memory
 * (reported). The file name must outlive the tree. */
cfg_t *conf_parse(struct conf_report *r, const char *file, struct buf *text);
/* Frees the tree and overwrites what was a secret in it. */
void conf_parse_free(cfg_t *tree);
/* The line at which a section begins. */
int conf_section_line(cfg_t *section);
/* The value of `key` in the section: true when it was written there. `out` points into the tree. */
bool conf_section_get(cfg_t *section, const struct conf_key *key, struct conf_value *out);

/* ---- conf_deliver.c ---- */

/* One deliver section; `parent` is the account in words ("account work: "), `account` its name. Mistakes are
 * reported. */
void conf_deliver_build(struct conf_report *r, const char *parent, const char *account, cfg_t *section,
                        struct conf_deliver *out);
/* What an account or a destination is called is part of file names, of messages and of JSON. */
bool conf_good_name(const char *name);

/* ---- conf_place.c ---- */

/* One section on its way into a struct, and where its keys were written. Its own keys count first, then those of
 * defaults that it does not hide: a password of its own hides the other ways to log in, a provider of its own the
 * server and addresses that are for other accounts. */
struct conf_place {
    struct conf_report *report;
    const char *where; /* "account work: " */
    unsigned in;       /* of enum conf_where */
    cfg_t *own;
    cfg_t *const *defaults; /* of an account: those of all files; the later one counts */
    size_t default_count;
    bool own_password, own_provider;
};
/* Of an account, when all but own_* is set. */
void conf_place_look(struct conf_place *p);
bool conf_place_find(const struct conf_place *p, const struct conf_key *key, struct conf_value *out);
bool conf_place_find_own(const struct conf_place *p, const struct conf_key *key, struct conf_value *out);
bool conf_place_find_name(const struct conf_place *p, const char *key, struct conf_value *out);
/* Also for a value that was refused: such a key is not missing. */
bool conf_place_wrote(const struct conf_place *p, const char *key);
/* At the section's first line. */
int conf_place_bad(const struct conf_place *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* ---- conf_provider.c ---- */

/* The provider of this name or alias; letters count without case. NULL: unknown. */
const struct conf_provider *conf_provider_find(const char *name);
int conf_store_provider(const struct conf_value *v, const struct conf_provider **field);
/* What was not written comes from the provider, if one is named. Mistakes are reported. */
void conf_provider_fill(const struct conf_place *p, struct conf_account *a);

/* ---- conf_login.c ---- */

/* Of one value, for conf_value.c. */
int conf_check_auth(const struct conf_value *v, const char *word);
int conf_check_url(const struct conf_value *v, const char *url);
int conf_check_tenant(const struct conf_value *v, const char *tenant);
int conf_store_scopes(const struct conf_value *v, struct conf_strings *field);
/* Appends the scopes in `text`, which blanks separate. -1: no memory. */
int conf_scopes_add(struct conf_strings *to, const char *text);

/* A login whose values are all stored. */
struct conf_login_draft {
    struct conf_place place;
    bool pop3, plaintext;
    const struct conf_tls_settings *tls;
    struct conf_login *login;
};
/* The grant that was not written follows from the scopes that were. */
void conf_login_set_grant(const struct conf_place *p, struct conf_login *l);
/* What cannot work together, or is missing, is reported. */
void conf_login_check(const struct conf_login_draft *d);
/* True when `auth` leaves a password, or a proof of one, to log in by, and no token. */
bool conf_login_sends_password(const struct conf_login *l);
/* False for logins by token, certificate or ticket: nobody is asked for a password. */
bool conf_login_wants_password(const struct conf_login *l, const struct conf_tls_settings *tls);

/* ---- password.c ---- */

/* ---- conf_build.c ---- */

/* Two ways to the password in one section, of enum conf_where `in`: nobody could tell which one is meant. */
void conf_one_password(struct conf_report *r, const char *where, unsigned in, cfg_t *section);
int conf_strings_set(struct conf_strings *s, const char *only);
/* The trees in the order in which they were read, to `c` (which has its path set). */
void conf_build(struct conf_report *r, cfg_t *const *trees, size_t count, struct conf *c);
/* Fills in, or keeps, conf_login.state of every login. -1: no memory. */
MUST_CHECK int conf_set_states(struct conf *c);

#endif
