/* SPDX-License-Identifier: MIT */
#include "conf/conf.h"

#include "scratch.h"

#define ENTRA "https://entra.microsoft.com, App registrations, as a public client with the redirect http://localhost"
#define MS    "https://login.microsoftonline.com/"

static void join(const struct conf_strings *s, char *out, size_t size)
{
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < s->n && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", i > 0 ? " " : "", s->v[i]);
}

static struct conf *load(struct scratch *s, const char *before, const char *keys)
{
    struct conf *c = NULL;
    struct err e = ERR_INIT;
    char text[1000];

    snprintf(text, sizeof(text), "%s\naccount a {\n%s\ndeliver maildir { path = /m } }\n", before, keys);
    scratch_file(s, "c", 0600, slice_str(text));
    (void)scratch_load(s, scratch_path(s, "c"), &c, &e);
    return c;
}

static void test_servers(void **state)
{
    static const struct {
        const char *keys, *host;
        unsigned port;
        enum conf_tls tls;
        enum conf_protocol protocol;
        const char *user;
    } cases[] = {
        { "provider = gmail user = 'me@gmail.com'", "imap.gmail.com", 993, CONF_TLS_IMPLICIT, CONF_IMAP,
          "me@gmail.com" },
        { "provider = Google protocol = pop3 user = u", "pop.gmail.com", 995, CONF_TLS_IMPLICIT, CONF_POP3, "u" },
        { "provider = \"gmx.net\" user = u", "imap.gmx.net", 993, CONF_TLS_IMPLICIT, CONF_IMAP, "u" },
        { "provider = GMX user = u", "imap.gmx.net", 993, CONF_TLS_IMPLICIT, CONF_IMAP, "u" },
        { "provider = 'gmx.co.uk' user = u", "imap.gmx.com", 993, CONF_TLS_IMPLICIT, CONF_IMAP, "u" },
        { "provider = tim user = u", "imap.tim.it", 143, CONF_TLS_STARTTLS, CONF_IMAP, "u" },
        { "provider = tim protocol = pop3 user = u", "pop.tim.it", 110, CONF_TLS_STARTTLS, CONF_POP3, "u" },
        { "provider = proton user = u", "127.0.0.1", 1143, CONF_TLS_STARTTLS, CONF_IMAP, "u" },
        { "provider = rediff user = u", "pop.rediffmail.com", 995, CONF_TLS_IMPLICIT, CONF_POP3, "u" },
        { "provider = aruba-pec protocol = pop3 user = u", "pop3s.pec.aruba.it", 995, CONF_TLS_IMPLICIT, CONF_POP3,
          "u" },
        /* the login name is what stands in front of the "@" */
        { "provider = icloud user = 'me.too@icloud.com'", "imap.mail.me.com", 993, CONF_TLS_IMPLICIT, CONF_IMAP,
          "me.too" },
        { "provider = 'web.de' user = 'me@web.de'", "imap.web.de", 993, CONF_TLS_IMPLICIT, CONF_IMAP, "me" },
        { "provider = 'web.de' user = me", "imap.web.de", 993, CONF_TLS_IMPLICIT, CONF_IMAP, "me" },
        /* what is written counts more */
        { "provider = yahoo user = u host = 'export.imap.mail.yahoo.com'", "export.imap.mail.yahoo.com", 993,
          CONF_TLS_IMPLICIT, CONF_IMAP, "u" },
        { "provider = gmx user = u tls = starttls", "imap.gmx.net", 143, CONF_TLS_STARTTLS, CONF_IMAP, "u" },
        { "provider = proton user = u tls = implicit", "127.0.0.1", 993, CONF_TLS_IMPLICIT, CONF_IMAP, "u" },
        { "provider = proton user = u port = 99", "127.0.0.1", 99, CONF_TLS_STARTTLS, CONF_IMAP, "u" },
        { "provider = icloud protocol = pop3 host = h user = u", "h", 995, CONF_TLS_IMPLICIT, CONF_POP3, "u" },
    };
    struct scratch *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conf *c = load(s, "", cases[i].keys);

        CASE("%s", cases[i].keys);
        CHECK_SLICE(slice_str(s->said), SLICE(""));
        CHECK(c != NULL);
        CHECK_SLICE(slice_str(c->accounts[0]->host), slice_str(cases[i].host));
        CHECK_INT(c->accounts[0]->port, cases[i].port);
        CHECK_INT(c->accounts[0]->tls, cases[i].tls);
        CHECK_INT(c->accounts[0]->protocol, cases[i].protocol);
        CHECK_SLICE(slice_str(c->accounts[0]->login.user), slice_str(cases[i].user));
        CHECK_SLICE(slice_str(c->accounts[0]->login.machine), slice_str(cases[i].host));
        conf_free(&c);
    }
}

static void test_defaults(void **state)
{
    struct scratch *s = *state;
    struct conf *c = load(s, "defaults { provider = gmail timeout = 7 }", "user = u");

    CHECK(c != NULL);
    CHECK_SLICE(slice_str(c->accounts[0]->host), SLICE("imap.gmail.com"));
    conf_free(&c);
    CASE("a server for all who name none");
    c = load(s, "defaults { provider = gmail host = h port = 1 }", "user = u");
    CHECK(c != NULL);
    CHECK_SLICE(slice_str(c->accounts[0]->host), SLICE("h"));
    CHECK_INT(c->accounts[0]->port, 1);
    conf_free(&c);
    CASE("a provider of its own");
    c = load(s, "defaults { provider = gmail host = h port = 1 tls = plaintext timeout = 7 }",
             "user = u provider = gmx");
    CHECK(c != NULL);
    CHECK_SLICE(slice_str(c->accounts[0]->host), SLICE("imap.gmx.net"));
    CHECK_INT(c->accounts[0]->port, 993);
    CHECK_INT(c->accounts[0]->tls, CONF_TLS_IMPLICIT);
    CHECK_INT(c->accounts[0]->timeout, 7);
    conf_free(&c);
    CASE("two providers are not the same account, although nothing else is written");
    c = load(s, "", "provider = gmail user = u");
    struct conf *other = load(s, "", "provider = gmx user = u"), *same = load(s, "", "provider = google user = u");
    CHECK(conf_account_equal(c->accounts[0], same->accounts[0]));
    CHECK(!conf_account_equal(c->accounts[0], other->accounts[0]));
    conf_free(&c);
    conf_free(&other);
    conf_free(&same);
}

static void test_oauth(void **state)
{
    static const struct {
        const char *keys, *authorize, *token, *device, *scopes, *auth;
    } cases[] = {
        { "provider = gmail", "https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token",
          NULL, "https://mail.google.com/", "oauthbearer xoauth2" },
        { "provider = gmail oauth_device_url = 'https://d/'", "https://accounts.google.com/o/oauth2/v2/auth",
          "https://oauth2.googleapis.com/token", "https://d/", "https://mail.google.com/", "oauthbearer xoauth2" },
        { "provider = outlook", MS "common/oauth2/v2.0/authorize", MS "common/oauth2/v2.0/token",
          MS "common/oauth2/v2.0/devicecode", "offline_access https://outlook.office.com/IMAP.AccessAsUser.All",
          "xoauth2" },
        { "provider = office365 oauth_tenant = 'x.org' protocol = pop3", MS "x.org/oauth2/v2.0/authorize",
          MS "x.org/oauth2/v2.0/token", MS "x.org/oauth2/v2.0/devicecode",
          "offline_access https://outlook.office.com/POP.AccessAsUser.All", "xoauth2" },
        { "provider = office365 oauth_tenant = t oauth_grant = client_credentials oauth_client_secret = s",
          MS "t/oauth2/v2.0/authorize", MS "t/oauth2/v2.0/token", MS "t/oauth2/v2.0/devicecode",
          "https://outlook.office365.com/.default", "xoauth2" },
        { "provider = office365 auth = { oauthbearer } oauth_scopes = mine oauth_token_url = 'https://t'",
          MS "common/oauth2/v2.0/authorize", "https://t", MS "common/oauth2/v2.0/devicecode", "mine", "oauthbearer" },
        { "provider = fastmail", "https://api.fastmail.com/oauth/authorize", "https://api.fastmail.com/oauth/refresh",
          NULL, "https://www.fastmail.com/dev/protocol-imap", "auto" },
        { "provider = yandex", "https://oauth.yandex.com/authorize", "https://oauth.yandex.com/token", NULL,
          "mail:imap_full", "auto" },
        { "provider = gmail auth = plain", NULL, NULL, NULL, "", "plain" },
    };
    struct scratch *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char keys[300], words[300];
        struct conf *c;
        const struct conf_login *l;

        CASE("%s", cases[i].keys);
        snprintf(keys, sizeof(keys), "user = u oauth_client_id = x %s", cases[i].keys);
        c = load(s, "", keys);
        CHECK_SLICE(slice_str(s->said), SLICE(""));
        CHECK(c != NULL);
        l = &c->accounts[0]->login;
        CHECK_SLICE(slice_str(l->oauth.authorize_url), slice_str(cases[i].authorize));
        CHECK_SLICE(slice_str(l->oauth.token_url), slice_str(cases[i].token));
        CHECK_SLICE(slice_str(l->oauth.device_url), slice_str(cases[i].device));
        join(&l->oauth.scopes, words, sizeof(words));
        CHECK_SLICE(slice_str(words), slice_str(cases[i].scopes));
        join(&l->auth, words, sizeof(words));
        CHECK_SLICE(slice_str(words), slice_str(cases[i].auth));
        conf_free(&c);
    }
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *keys, *said;
    } cases[] = {
        { "provider = gmial user = u", "c:3: account a: provider: \"gmial\" is no provider known here (host and the "
                                       "other keys serve for any); did you mean \"gmail\"?\n" },
        { "provider = 'hotmial.com' user = u", "c:3: account a: provider: \"hotmial.com\" is no provider known here "
                                               "(host and the other keys serve for any); did you mean \"outlook\"?\n" },
        { "provider = 'example.org' user = u", "c:3: account a: provider: \"example.org\" is no provider known here "
                                               "(host and the other keys serve for any)\n" },
        { "provider = icloud\nprotocol = pop3\nuser = u",
          "c:4: account a: protocol: iCloud offers no POP3; take protocol = \"imap\"\n" },
        { "provider = 'yahoo.co.jp' protocol = imap user = u",
          "c:3: account a: protocol: Yahoo! Japan offers no IMAP; take protocol = \"pop3\"\n" },
        { "provider = outlook user = u", "c:2: account a: oauth_client_id is missing: Outlook.com takes no passwords. "
                                         "You get one where you register an application (" ENTRA "); then run: "
                                         "mailhaul login a\n" },
        { "provider = outlook user = u oauth_client_id = x oauth_client_secret = s oauth_grant = client_credentials",
          "c:2: account a: oauth_tenant is missing: Outlook.com gives client credentials to one organisation's "
          "directory\n" },
        { "provider = zoho user = u oauth_client_id = x",
          "c:2: account a: oauth_token_url is missing: the address at which the provider gives tokens\n"
          "c:2: account a: oauth_authorize_url is missing: the page on which you allow this program to read your mail "
          "(or oauth_device_url, for machines without a browser)\n" },
    };
    struct scratch *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conf *c = load(s, "", cases[i].keys);

        CASE("%s", cases[i].keys);
        CHECK(c == NULL);
        CHECK_SLICE(slice_str(s->said), slice_str(cases[i].said));
    }
}

static void test_notes(void **state)
{
    static const struct {
        const char *keys, *note, *warning;
    } cases[] = {
        { "host = h user = u", "", "" },
        { "provider = posteo user = u", "", "" },
        { "provider = gmail user = u",
          "Gmail: the password of the website is refused: make an app password (that needs 2-step verification), or "
          "set oauth_client_id",
          "" },
        { "provider = gmail protocol = pop3 user = u oauth_client_id = x",
          "Gmail: a login by device code (login --device) is not possible for mail; by POP3, a message that was "
          "fetched "
          "once is not shown again, not even when it was not removed; IMAP has no such limit",
          "" },
        { "provider = gmx user = u", "GMX: access by IMAP and POP3 must be switched on once on the website", "" },
        { "provider = hotmail user = u password = p",
          "Outlook.com: what is deleted by POP3 is gone for IMAP and the web, too",
          "Outlook.com takes no passwords any more, app passwords neither, so this login will be refused: set "
          "oauth_client_id and run: mailhaul login a" },
        { "host = 'outlook.office365.com' user = u password_file = '/p'", "",
          "Outlook.com takes no passwords any more, app passwords neither, so this login will be refused: set "
          "oauth_client_id and run: mailhaul login a" },
        { "host = 'outlook.office365.com' user = u password_file = '/p' auth = xoauth2", "", "" },
        { "provider = office365 user = u oauth_client_id = x",
          "Microsoft 365: an organisation may have to switch IMAP or POP3 on for the mailbox; an administrator may "
          "have "
          "to allow the client",
          "" },
    };
    struct scratch *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conf *c = load(s, "", cases[i].keys);
        char said[500];

        CASE("%s", cases[i].keys);
        CHECK(c != NULL);
        conf_note(c->accounts[0], said, sizeof(said));
        CHECK_SLICE(slice_str(said), slice_str(cases[i].note));
        conf_warning(c->accounts[0], said, sizeof(said));
        CHECK_SLICE(slice_str(said), slice_str(cases[i].warning));
        conf_free(&c);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = { TEST(test_servers), TEST(test_defaults), TEST(test_oauth), TEST(test_mistakes),
                                        TEST(test_notes) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
