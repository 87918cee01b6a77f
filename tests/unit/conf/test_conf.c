/* SPDX-License-Identifier: MIT */
#include "conf/conf.h"

#include "scratch.h"

#define REST        " host = h\n user = u\n deliver maildir { path = /m }\n"
#define KEY(x)      "account a {\n" x "\n" REST "}\n"
/* A destination of the type, its keys on line 3. */
#define TO(type, x) "account a { host = s user = u\n deliver " type " {\n" x "\n} }\n"
#define CIRCLE(protocol, keys, more)                                                                                   \
    "account a {\n protocol = " protocol " host = H user = u password_command = { cat } " keys                         \
    "\n deliver imap { host = h user = u password_command = { cat } " more " }\n}\n"
#define CIRCLED                                                                                                        \
    "c:1: account a: deliver imap puts the mail back where it is fetched from, for ever: name another folder, one "    \
    "that "                                                                                                            \
    "`folders` does not select, or another account\n"
#define URLS         "oauth_authorize_url = 'https://h/a' oauth_token_url = 'https://h:1/t?x=y'"
#define NO_TOKEN_URL "oauth_token_url is missing: the address at which the provider gives tokens\n"
#define NO_AUTHORIZE_URL                                                                                               \
    "oauth_authorize_url is missing: the page on which you allow this program to read your mail (or "                  \
    "oauth_device_url, for machines without a browser)\n"
#define POP3_ALONE   " is a login of POP3 alone; plain, login or scram-sha-256 are for this server\n"
#define TLS_ALONE    " works inside TLS alone, and this connection is tls = \"plaintext\"\n"
#define BAD(type, n) "c:" #n ": account a: deliver " type ": "

/* The text, and every line that is said about it; "" for a good one. */
static const struct {
    const char *name, *text, *said;
} mistakes[] = {
    { "a small one", KEY(""), "" },
    { "no newline at the end", "account a {" REST "}", "" },
    { "CRLF", "account a {\r\nhost = h\r\nuser = u\r\ndeliver maildir {\r\npath = /m\r\n}\r\n}\r\n", "" },
    { "byte order mark", "\xef\xbb\xbf" KEY(""), "" },
    { "comments do not shift lines", "# a\n/* b\n c */ // d\n/* e */\nbad = 1\n" KEY(""),
      "c:5: unknown key \"bad\"; the nearest known one is \"syslog\"\n" },
    { "what looks like a comment in quotes", KEY("bind_address = '# // /*'"),
      "c:2: account a: bind_address: \"# // /*\" is not an IP address\n" },

    /* names of keys */
    { "a mistyped key", KEY("protocl = imap"),
      "c:2: account a: unknown key \"protocl\"; did you mean \"protocol\"?\n" },
    { "a mistyped list", KEY("foldrs = { a, b }"),
      "c:2: account a: unknown key \"foldrs\"; did you mean \"folders\"?\n" },
    { "a mistyped global key", "state_dri = x\n" KEY(""),
      "c:1: unknown key \"state_dri\"; did you mean \"state_dir\"?\n" },
    { "a mistyped key of a destination",
      "account a { host = h user = u\n deliver maildir { path = /m\n layuot = fs } }",
      "c:3: deliver maildir: unknown key \"layuot\"; did you mean \"layout\"?\n" },
    { "a mistyped section", "acount a {" REST "}\n", "c:1: unknown key \"acount\"; did you mean \"account\"?\n" },
    { "a key one level too deep", KEY("syslog = yes"),
      "c:2: account a: unknown key \"syslog\" in this place: it stands outside of sections\n" },
    { "a key one level too high", "host = h\n" KEY(""),
      "c:1: unknown key \"host\" in this place: it stands in an account or in defaults\n" },
    { "a key of another place that looks like one of this", KEY("folder = x"),
      "c:2: account a: unknown key \"folder\" in this place: it stands in a deliver section; or did you mean "
      "\"folders\"?\n" },
    { "a key of a destination in the account", KEY("path = /m"),
      "c:2: account a: unknown key \"path\" in this place: it stands in a deliver section\n" },

    /* later work */
    { "mode = sync", KEY("mode = sync"),
      "c:2: account a: mode: \"sync\" is not yet supported by this version; take it out\n" },
    { "mode = fetch", KEY("mode = fetch"), "" },

    /* logins */
    { "a password of two words", KEY("password = correct horse battery"),
      "c:2: put this secret in quotes: there is a blank in it\n" },
    { "a password and a key in one line", KEY("password = correct port = 7"), "" },
    { "every mechanism",
      KEY("protocol = pop3 tls_cert_file = /c password_command = cat auth = { external, scram-sha-256-plus, "
          "scram-sha-1-plus, SCRAM-SHA-256, scram-sha-1, plain, login, user, cram-md5, apop, gssapi, oauthbearer, "
          "xoauth2 }"),
      "" },
    { "a mechanism of no use", KEY("auth = { plain, ntlm }"),
      "c:2: account a: auth: NTLM is not supported, now or later: it rests on DES and MD4, and its answers can be "
      "handed on to another server; use gssapi, or plain inside TLS\n" },
    { "a mechanism of history", KEY("auth = Digest-MD5"),
      "c:2: account a: auth: DIGEST-MD5 is not supported, now or later: RFC 6331 has moved it to history; use "
      "scram-sha-256, or plain inside TLS\n" },
    { "a mistyped mechanism", KEY("auth = scram-sha256"),
      "c:2: account a: auth: \"scram-sha256\" is not one of: auto, external, scram-sha-256-plus, scram-sha-1-plus, "
      "scram-sha-256, scram-sha-1, plain, login, user, cram-md5, apop, gssapi, oauthbearer, xoauth2; did you mean "
      "\"scram-sha-256\"?\n" },
    { "APOP by IMAP", KEY("auth = apop"), "c:2: account a: auth: \"apop\"" POP3_ALONE },
    { "USER by IMAP", KEY("\nauth = user"), "c:3: account a: auth: \"user\"" POP3_ALONE },
    { "no certificate", KEY("auth = external"),
      "c:2: account a: auth: \"external\" needs a client certificate: tls_cert_file and tls_key_file\n" },
    { "no TLS for a certificate", KEY("tls = plaintext tls_cert_file = /c auth = external"),
      "c:2: account a: auth: \"external\"" TLS_ALONE },
    { "no TLS to bind to", KEY("tls = plaintext auth = scram-sha-1-plus"),
      "c:2: account a: auth: \"scram-sha-1-plus\"" TLS_ALONE },
    { "no token", KEY("auth = xoauth2"),
      "c:2: account a: auth: \"xoauth2\" needs an access token: oauth_client_id, so that mailhaul gets and renews it, "
      "or a password_command that prints one\n" },
    { "a token by command", KEY("auth = { oauthbearer } password_command = token"), "" },
    { "OAuth", KEY("oauth_client_id = x " URLS), "" },
    { "OAuth and a password", KEY("oauth_client_id = x password_command = cat " URLS), "" },
    { "OAuth without addresses", KEY("oauth_client_id = x"),
      "c:1: account a: " NO_TOKEN_URL "c:1: account a: " NO_AUTHORIZE_URL },
    { "OAuth, and nobody makes use of it", KEY("oauth_client_id = x auth = plain"), "" },
    { "OAuth by device alone", KEY("oauth_client_id = x oauth_token_url = 'https://t' oauth_device_url = 'https://d'"),
      "" },
    { "half of OAuth", KEY("\noauth_token_url = 'https://t/'"),
      "c:3: account a: oauth_token_url: oauth_client_id is missing: without it this is no OAuth login\n" },
    { "no client to have a secret", KEY("oauth_client_secret = s"),
      "c:2: account a: oauth_client_secret: oauth_client_id is missing: without it this is no OAuth login\n" },
    { "client credentials without one",
      KEY("oauth_client_id = x oauth_grant = client_credentials oauth_token_url = 'https://t/'"),
      "c:1: account a: oauth_client_secret is missing: with client credentials it is the login\n" },
    { "client credentials by their scope",
      KEY("oauth_client_id = x oauth_scopes = 'https://o/.default' oauth_token_url = 'https://t/'"),
      "c:1: account a: oauth_client_secret is missing: with client credentials it is the login\n" },
    { "an unknown grant", KEY("oauth_client_id = x oauth_grant = password " URLS),
      "c:2: account a: oauth_grant: \"password\" is not one of: authorization_code, client_credentials\n" },
    { "an address in clear", KEY("oauth_client_id = x oauth_device_url = 'https://d' oauth_token_url = 'http://t/'"),
      "c:2: account a: oauth_token_url: http:// would carry tokens and secrets in clear; only https:// is taken\n" },
    { "an address of something", KEY("oauth_client_id = x " URLS " oauth_device_url = 'localhost:80/x'"),
      "c:2: account a: oauth_device_url: \"localhost:80/x\" does not begin with https://\n" },
    { "an address without host", KEY("oauth_client_id = x " URLS " oauth_device_url = 'https:///x'"),
      "c:2: account a: oauth_device_url: the host is missing behind https://\n" },
    { "an address with a password", KEY("oauth_client_id = x " URLS " oauth_device_url = 'https://u:p@h/x'"),
      "c:2: account a: oauth_device_url: a user or password in the address is sent nowhere; oauth_client_id and "
      "oauth_client_secret are the keys for them\n" },
    { "an address in two lines", KEY("oauth_client_id = x " URLS " oauth_device_url = \"https://h/x\\r\\nX: y\""),
      "c:2: account a: oauth_device_url: the address holds a blank, or a character that is not ASCII\n" },
    { "a fragment", KEY("oauth_client_id = x " URLS " oauth_device_url = 'https://h/#x'"),
      "c:2: account a: oauth_device_url: the address has a fragment (\"#\"), which RFC 6749 forbids\n" },
    { "a tenant that is a path", KEY("oauth_client_id = x " URLS " oauth_tenant = '../evil'"),
      "c:2: account a: oauth_tenant: \"../evil\" is neither a directory's id nor its domain\n" },
    { "a scope in quotes", KEY("oauth_client_id = x " URLS " oauth_scopes = 'a \"b\"'"),
      "c:2: account a: oauth_scopes: \"a \"b\"\" holds a character that no scope has\n" },
    { "no scope", KEY("oauth_client_id = x " URLS " oauth_scopes = ' '"),
      "c:2: account a: oauth_scopes: the list is empty\n" },
    { "defaults of OAuth for all", "defaults { oauth_client_id = x " URLS " }\n" KEY(""), "" },

    /* when */
    { "every interval", KEY("interval = 1"), "" },
    { "no interval", KEY("interval = 0"), "c:2: account a: interval: \"0\" is not a number from 1 to 604800\n" },
    { "an interval with a unit", KEY("interval = 5m"),
      "c:2: account a: interval: \"5m\" is not a number from 1 to 604800\n" },
    { "no failure at all", KEY("failure_threshold = 0"),
      "c:2: account a: failure_threshold: \"0\" is not a number from 1 to 1000\n" },
    { "a hook for a shell", KEY("on_failure = \"notify-send mail\""),
      "c:2: account a: on_failure: there is no shell to take \"notify-send mail\" apart; write it as { \"program\", "
      "\"argument\" }\n" },
    { "a hook without a program", KEY("on_new_mail = { }"), "c:1: account a: on_new_mail: the list is empty\n" },
    { "no folder is waited for", KEY("idle = { }"), "" },
    { "an empty folder is waited for", KEY("idle = { \"\" }"),
      "c:2: account a: idle: \"\" is not a folder's name or pattern\n" },
    { "figures for this machine", "metrics_listen = \"127.0.0.1:9464\"\n" KEY(""), "" },
    { "figures for everybody", "metrics_listen = \"0.0.0.0:9464\"\n" KEY(""),
      "c:1: metrics_listen: \"0.0.0.0:9464\" is not an address of this machine alone; write \"127.0.0.1:9464\"\n" },
    { "figures for whoever", "metrics_listen = \":9464\"\n" KEY(""),
      "c:1: metrics_listen: \":9464\" is not an address of this machine alone; write \"127.0.0.1:9464\"\n" },
    { "figures under a name", "metrics_listen = \"127.0.0.1.example.org:1\"\n" KEY(""),
      "c:1: metrics_listen: \"127.0.0.1.example.org:1\" is not an address of this machine alone; write "
      "\"127.0.0.1:9464\"\n" },
    { "figures without port", "metrics_listen = \"127.0.0.1\"\n" KEY(""),
      "c:1: metrics_listen: \"127.0.0.1\" is not address:port; write \"127.0.0.1:9464\"\n" },
    { "figures at port 0", "metrics_listen = \"127.0.0.1:0\"\n" KEY(""),
      "c:1: metrics_listen: \"127.0.0.1:0\" is not address:port; write \"127.0.0.1:9464\"\n" },

    /* values */
    { "a choice", KEY("tls = starttsl"),
      "c:2: account a: tls: \"starttsl\" is not one of: implicit, starttls, plaintext; did you mean \"starttls\"?\n" },
    { "a choice far off", KEY("address_family = 7"),
      "c:2: account a: address_family: \"7\" is not one of: any, ipv4, ipv6\n" },
    { "port 0", KEY("port = 0"), "c:2: account a: port: \"0\" is not a number from 1 to 65535\n" },
    { "port 65536", KEY("port = 65536"), "c:2: account a: port: \"65536\" is not a number from 1 to 65535\n" },
    { "a number with a unit", KEY("timeout = 60s"),
      "c:2: account a: timeout: \"60s\" is not a number from 1 to 3600\n" },
    { "a huge number", KEY("timeout = 99999999999999999999"),
      "c:2: account a: timeout: \"99999999999999999999\" is not a number from 1 to 3600\n" },
    { "a truth", KEY("enabled = maybe"), "c:2: account a: enabled: \"maybe\" is neither yes nor no\n" },
    { "an age without unit", KEY("leave_on_server = 30"),
      "c:2: account a: leave_on_server: \"30\" is neither yes, no nor an age such as \"30d\" (h, d or w)\n" },
    { "an age of nothing", KEY("leave_on_server = 0d"),
      "c:2: account a: leave_on_server: an age of nothing; write \"no\" to remove messages once they are stored\n" },
    { "an age that overflows", KEY("leave_on_server = 4000000000w"),
      "c:2: account a: leave_on_server: \"4000000000w\" is longer than a hundred years; write \"yes\" to keep "
      "messages\n" },
    { "a size", KEY("max_size = 10X"),
      "c:2: account a: max_size: \"10X\" is not a size: write octets, or a number with K, M or G\n" },
    { "a size that overflows", KEY("max_size = 99999999999G"),
      "c:2: account a: max_size: \"99999999999G\" is not a size: write octets, or a number with K, M or G\n" },
    { "a pin of the wrong length", KEY("tls_fingerprint = \"sha256:ab:cd\""),
      "c:2: account a: tls_fingerprint: \"sha256:ab:cd\" has 4 hexadecimal digits; SHA-256 has 64\n" },
    { "a pin of the wrong kind", KEY("tls_fingerprint = \"md5:ab\""),
      "c:2: account a: tls_fingerprint: \"md5:ab\" begins with neither sha256: nor spki-sha256:\n" },
    { "a proxy of the wrong kind", KEY("proxy = \"http://x\""),
      "c:2: account a: proxy: only socks5://host:port is known\n" },
    { "a proxy's port", KEY("proxy = \"socks5://x:0\""),
      "c:2: account a: proxy: the proxy's port is not a number from 1 to 65535\n" },
    { "a port in the host", "account a {\n host = \"h:993\" user = u deliver maildir { path = /m } }",
      "c:2: account a: host: \"h:993\" is not a host: the port has a key of its own, port\n" },
    { "an empty list", KEY("folders = { }"), "c:1: account a: folders: the list is empty\n" },
    { "an empty pattern", KEY("folders = { INBOX, \"!\" }"),
      "c:2: account a: folders: \"!\" is not a folder's name or pattern\n" },
    { "somebody else's home", KEY("tls_trust_file = \"~bob/x\""),
      "c:2: account a: tls_trust_file: \"~user\" is not expanded; write the whole path, or ~/ for your own home\n" },
    { "an empty value", KEY("authorize_as = \"\""), "c:2: account a: authorize_as: the value is empty\n" },
    { "a line end in a value", KEY("authorize_as = \"a\\r\\nb\""),
      "c:2: account a: authorize_as: the value holds a control character\n" },

    /* what is missing, twice or too much */
    { "no account", "max_sessions = 3\n",
      "c: no account in it: write  account \"work\" { ... }  (mailhaul.conf(5) shows how)\n" },
    { "nothing", "", "c: no account in it: write  account \"work\" { ... }  (mailhaul.conf(5) shows how)\n" },
    { "no host", "\naccount a { user = u\n deliver maildir { path = /m } }",
      "c:2: account a: host is missing: host = \"imap.example.org\"\n" },
    { "no user", "\naccount a { host = h\n deliver maildir { path = /m } }",
      "c:2: account a: user is missing: user = \"me@example.org\"\n" },
    { "a tunnel needs neither", "account a { tunnel = { ssh, x } tls = plaintext\n deliver maildir { path = /m } }",
      "" },
    { "TLS in a tunnel needs a name", "account a { tunnel = { ssh, x }\n deliver maildir { path = /m } }",
      "c:1: account a: TLS through a tunnel needs host, the name in the certificate; if the tunnel itself is safe: tls "
      "= "
      "\"plaintext\"\n" },
    { "no deliver section", "\naccount a { host = h user = u }",
      "c:2: account a: no deliver section, so its mail has no place to go: write  deliver maildir { path = "
      "\"~/Mail/%a\" }  into it\n" },
    { "no path", "account a { host = h user = u\n deliver maildir { } }",
      "c:2: account a: deliver maildir: path is missing: path = \"~/Mail/%a\" (%a is the account's name)\n" },
    { "no type", "account a { host = h user = u\n deliver mine { path = /m } }",
      "c:2: account a: deliver mine: type is missing (the title is a name of your own): type = \"maildir\", \"smtp\", "
      "\"lmtp\", \"imap\" or \"command\"\n" },
    { "one account twice", KEY("") KEY(""), "c:7: a second account \"a\"; each name is used once\n" },
    { "one destination twice", "account a {" REST "deliver maildir { path = /n } }",
      "c:4: account a: a second deliver \"maildir\"; each name is used once\n" },
    { "two destinations, one Maildir", "account a {" REST "deliver two { type = maildir path = /m } }", "" },
    { "two passwords", KEY("password_file = /x\n netrc = /y"),
      "c:3: account a: netrc: password_file is there too; keep one of the two\n" },
    { "proxy and tunnel", KEY("proxy = \"socks5://x\" tunnel = { a }"),
      "c:1: account a: tunnel and proxy: a connection goes through one of them\n" },
    { "a name with a slash", "account \"../a\" {" REST "}",
      "c:1: account ../a: this cannot be an account's name (1 to 100 characters, no /, no . or - in front)\n" },
    { "a name that is not UTF-8", "account \"caf\xe9\" {" REST "}",
      "c:1: account caf\\xe9: this cannot be an account's name (1 to 100 characters, no /, no . or - in front)\n" },
    { "a name in UTF-8", "account \"caf\xc3\xa9\" {" REST "}", "" },
    { "a command for a shell", KEY("password_command = \"pass show mail\""),
      "c:2: account a: password_command: there is no shell to take \"pass show mail\" apart; write it as { "
      "\"program\", \"argument\" }\n" },
    { "a mistake in defaults is told once", "defaults { port = x }\n" KEY("") "account b {" REST "}",
      "c:1: defaults: port: \"x\" is not a number from 1 to 65535\n" },

    /* destinations: what belongs to which */
    { "smtp", TO("smtp", "host = localhost to = me"), "" },
    { "a title of its own", TO("mta", "type = smtp host = localhost to = me"), "" },
    { "smtp without host", TO("smtp", "to = me"), BAD("smtp", 2) "host is missing: host = \"localhost\"\n" },
    { "a type that there is not", TO("mta", "type = stmp"),
      BAD("mta", 3) "type: \"stmp\" is not one of: maildir, smtp, lmtp, imap, command; did you mean \"smtp\"?\n" },
    { "a key of another type", TO("maildir", "path = /m to = x"),
      BAD("maildir", 3) "to: a destination of type maildir has no such key; it is one of type smtp and lmtp\n" },
    { "path for smtp", TO("smtp", "host = h to = x path = /m"),
      BAD("smtp", 3) "path: a destination of type smtp has no such key; it is one of type maildir\n" },
    { "socket for smtp", TO("smtp", "host = h to = x socket = /m"),
      BAD("smtp", 3) "socket: a destination of type smtp has no such key; it is one of type lmtp\n" },
    { "tls for a command", TO("command", "command = cat tls = implicit"),
      BAD("command", 3) "tls: a destination of type command has no such key; it is one of type smtp, lmtp and imap\n" },
    { "folder for lmtp", TO("lmtp", "host = h to = x folder = x"),
      BAD("lmtp", 3) "folder: a destination of type lmtp has no such key; it is one of type imap\n" },
    { "a password for a Maildir", TO("maildir", "path = /m password_file = /x"),
      BAD("maildir", 3) "password_file: a destination of type maildir has no such key; it is one of type smtp, lmtp "
                        "and imap\n" },
    { "OAuth of a destination", TO("imap", "host = h user = u oauth_client_id = x " URLS), "" },
    { "OAuth of a destination without address", TO("smtp", "host = h to = x user = u oauth_client_id = x"),
      BAD("smtp", 2) NO_TOKEN_URL BAD("smtp", 2) NO_AUTHORIZE_URL },
    { "OAuth of nobody", TO("smtp", "host = h to = x oauth_client_id = x " URLS),
      BAD("smtp", 2) "oauth_client_id without user: who logs in?\n" },
    { "OAuth of a Maildir", TO("maildir", "path = /m oauth_client_id = x"),
      BAD("maildir", 3) "oauth_client_id: a destination of type maildir has no such key; it is one of type smtp, lmtp "
                        "and imap\n" },

    /* recipients */
    { "no recipient", TO("smtp", "host = h"),
      BAD("smtp", 2) "to is missing: to = \"me@localhost\", or for a mailbox of many users to_header = "
                     "\"Delivered-To\"\n" },
    { "several recipients", TO("smtp", "host = h to = { \"a@x\", b }"), "" },
    { "recipients with angle brackets and quotes",
      TO("smtp", "host = h to = { \" <b@y> \", '\"c d\"@z', '\xc3\xa4@\xc3\xb6.org' }"), "" },
    { "half an address", TO("smtp", "host = h to = \"<a@x\""),
      BAD("smtp", 3) "to: \"<a@x\" is not a mail address: write it alone, as me@example.org\n" },
    { "a sender without end", TO("smtp", "host = h to = x from = \"<>\""),
      BAD("smtp", 3) "from: \"<>\" is not a mail address: write it alone, as me@example.org\n" },
    { "a folder that is not UTF-8", TO("imap", "host = h user = u folder = \"caf\\xe9\""),
      BAD("imap", 3) "folder: a folder's name is in UTF-8\n" },
    { "an empty list of recipients", TO("smtp", "host = h to = { }"), BAD("smtp", 2) "to: the list is empty\n" },
    { "to and to_header", TO("smtp", "host = h to = x to_header = Delivered-To"),
      BAD("smtp", 2) "to and to_header: either all mail has the same recipients, or a header field tells them; the "
                     "address for mail in which the field tells none is to_fallback\n" },
    { "a line end in an address", TO("smtp", "host = h\n to = \"a@x>\\r\\nRCPT TO:<b@y\""),
      BAD("smtp", 4) "to: \"a@x>\\x0d\\x0aRCPT TO:<b@y\" is not a mail address: write it alone, as me@example.org\n" },
    { "two addresses in one", TO("smtp", "host = h to = \"a@x, b@y\""),
      BAD("smtp", 3) "to: \"a@x, b@y\" is not a mail address: write it alone, as me@example.org\n" },
    { "a name with the address", TO("smtp", "host = h to = \"Me <a@x>\""),
      BAD("smtp", 3) "to: \"Me <a@x>\" is not a mail address: write it alone, as me@example.org\n" },
    { "an empty address", TO("smtp", "host = h to = \"\""),
      BAD("smtp", 3) "to: \"\" is not a mail address: write it alone, as me@example.org\n" },
    { "a bad sender", TO("smtp", "host = h to = x from = \"@x\""),
      BAD("smtp", 3) "from: \"@x\" is not a mail address: write it alone, as me@example.org\n" },
    { "a bad fallback", TO("lmtp", "host = h to_header = X to_fallback = \"a b\""),
      BAD("lmtp", 3) "to_fallback: \"a b\" is not a mail address: write it alone, as me@example.org\n" },
    { "multidrop",
      TO("lmtp", "socket = /s to_header = X-Original-To to_domains = { a.org, \"b.org\" } to_strip_prefix = 'x-' "
                 "to_fallback = 'me@a.org'"),
      "" },
    { "domains without the field", TO("smtp", "host = h to = x to_domains = a.org"),
      BAD("smtp", 2) "to_domains without to_header, whose addresses it is about\n" },
    { "a prefix without the field", TO("smtp", "host = h to = x to_strip_prefix = x"),
      BAD("smtp", 2) "to_strip_prefix without to_header, whose addresses it is about\n" },
    { "a fallback without the field", TO("smtp", "host = h to = x to_fallback = y"),
      BAD("smtp", 2) "to_fallback without to_header, whose addresses it is about\n" },
    { "guessing", TO("smtp", "host = h to_header = TO"),
      BAD("smtp", 3) "to_header: To is what the sender wrote, not where the message was sent (lists, blind copies); "
                     "name the field that the delivering server adds, such as Delivered-To\n" },
    { "guessing from copies", TO("smtp", "host = h to_header = cc"),
      BAD("smtp", 3) "to_header: Cc is what the sender wrote, not where the message was sent (lists, blind copies); "
                     "name the field that the delivering server adds, such as Delivered-To\n" },
    { "a field with its colon", TO("smtp", "host = h to_header = 'Delivered-To:'"),
      BAD("smtp", 3) "to_header: write the name of the field without the colon\n" },
    { "no field's name", TO("smtp", "host = h to_header = 'Delivered To'"),
      BAD("smtp", 3) "to_header: \"Delivered To\" is not the name of a header field\n" },
    { "a domain with its @", TO("smtp", "host = h to_header = X to_domains = '@a.org'"),
      BAD("smtp", 3) "to_domains: \"@a.org\" is not a domain: write it without the @\n" },
    { "a pattern of domains", TO("smtp", "host = h to_header = X to_domains = '*.a.org'"),
      BAD("smtp", 3) "to_domains: \"*.a.org\" is not a domain: write it whole, as example.org\n" },

    /* where to, and who logs in */
    { "a domain", TO("smtp", "domain = example.org to = x"), "" },
    { "a domain, said to speak STARTTLS", TO("smtp", "domain = example.org tls = starttls to = x"), "" },
    { "a domain and a host", TO("smtp", "domain = example.org to = x host = h"),
      BAD("smtp", 3) "host: domain is there too, whose mail servers the DNS tells: they are on port 25, and nobody "
                     "logs in to them; keep one of the two\n" },
    { "a login to a domain", TO("smtp", "domain = example.org to = x\n user = u password_file = /p"),
      BAD("smtp", 4) "user: domain is there too, whose mail servers the DNS tells: they are on port 25, and nobody "
                     "logs in to them; keep one of the two\n" },
    { "a domain in clear", TO("smtp", "domain = example.org to = x tls = plaintext"),
      BAD("smtp", 3) "tls: domain is there too, and its mail servers are spoken to with starttls\n" },
    { "a domain that is an address", TO("smtp", "domain = 192.0.2.1 to = x"),
      BAD("smtp", 3) "domain: \"192.0.2.1\" is an address; a server that you know is host\n" },
    { "a domain for lmtp", TO("lmtp", "domain = example.org to = x socket = /s"),
      BAD("lmtp", 3) "domain: a destination of type lmtp has no such key; it is one of type smtp\n" },
    { "lmtp to nowhere", TO("lmtp", "to = x"),
      BAD("lmtp", 2) "host is missing: host = \"localhost\", or socket = \"/run/dovecot/lmtp\"\n" },
    { "lmtp to two places", TO("lmtp", "to = x host = h socket = /s"),
      BAD("lmtp", 3) "host: socket is there too, and a Unix socket has no such thing; keep one of the two\n" },
    { "TLS in a Unix socket", TO("lmtp", "to = x socket = /s tls = implicit"),
      BAD("lmtp", 3) "tls: socket is there too, and a Unix socket has no such thing; keep one of the two\n" },
    { "no TLS in a Unix socket", TO("lmtp", "to = x socket = /s tls = plaintext"), "" },
    { "a password and nobody", TO("smtp", "host = h to = x password_file = /p"),
      BAD("smtp", 2) "password_file without user: who logs in?\n" },
    { "two passwords of a destination", TO("smtp", "host = h to = x user = u password_file = /p\n netrc = /q"),
      BAD("smtp", 4) "netrc: password_file is there too; keep one of the two\n" },
    { "imap and nobody", TO("imap", "host = h"), BAD("imap", 2) "user is missing: user = \"me@example.org\"\n" },
    { "imap nowhere", TO("imap", "user = u"), BAD("imap", 2) "host is missing: host = \"imap.example.org\"\n" },
    { "two ways to a folder", TO("imap", "host = h user = u folder = a folder_prefix = b"),
      BAD("imap", 2) "folder and folder_prefix: mail goes either into one folder or into those of its source, below a "
                     "prefix; keep one of the two\n" },
    { "a circle", CIRCLE("imap", "", ""), CIRCLED },
    { "a circle through the other port", CIRCLE("imap", "", "port = 143 tls = starttls"), CIRCLED },
    { "a circle by a pattern", CIRCLE("imap", "folders = { \"A/*\", INBOX }", "folder = \"A/B\""), CIRCLED },
    { "a circle from POP3", CIRCLE("pop3", "", "folder = inbox"), CIRCLED },
    { "into another folder", CIRCLE("imap", "", "folder = Kept"), "" },
    { "into an excluded folder", CIRCLE("imap", "folders = { \"*\", \"!Kept\" }", "folder = Kept"), "" },
    { "through another server's port", CIRCLE("imap", "", "port = 1143"), "" },
    { "a key and no certificate", TO("smtp", "host = h to = x tls_key_file = /k"),
      BAD("smtp", 2) "tls_key_file without tls_cert_file\n" },
    { "a mechanism of a destination", TO("smtp", "host = h to = x user = u auth = cram-md5"), "" },
    { "POP3's mechanism of a destination", TO("smtp", "host = h to = x user = u auth = apop"),
      BAD("smtp", 3) "auth: \"apop\"" POP3_ALONE },
    { "a mechanism inside TLS without it", TO("smtp", "host = localhost to = x user = u auth = scram-sha-256-plus"),
      BAD("smtp", 3) "auth: \"scram-sha-256-plus\"" TLS_ALONE },

    /* commands */
    { "no command", TO("command", ""),
      BAD("command", 2) "command is missing: command = { \"/usr/bin/procmail\", \"-d\", \"me\" }\n" },
    { "a command line", TO("command", "command = \"procmail -d me\""),
      BAD("command", 3) "command: there is no shell to take \"procmail -d me\" apart; write it as { \"program\", "
                        "\"argument\" }\n" },
    { "no time", TO("command", "command = cat time_limit = 0"),
      BAD("command", 3) "time_limit: \"0\" is not a number from 1 to 86400\n" },
    { "none at a time", TO("command", "command = cat max_parallel = 0"),
      BAD("command", 3) "max_parallel: \"0\" is not a number from 1 to 100\n" },
    { "a line end", TO("command", "command = cat newline = cr"),
      BAD("command", 3) "newline: \"cr\" is not one of: lf, crlf\n" },
    { "a refusal", TO("command", "command = cat on_reject = bounce"),
      BAD("command", 3) "on_reject: \"bounce\" is not one of: quarantine, drop\n" },
    { "mistakes in a destination of defaults are told once",
      "defaults { host = h user = u\n deliver smtp { to = x } }\naccount a { } account b { }\n",
      "c:2: defaults: deliver smtp: host is missing: host = \"localhost\"\n" },

    /* the syntax */
    { "an open section", "account a {" REST, "c:1: the \"{\" of this line has no \"}\"\n" },
    { "an open string", "account a {\n host = \"h\n" REST "}\n",
      "c:2: this string has no end: the closing quote is missing\n" },
    { "an open comment", "/* account\n\n", "c:1: this comment has no end: */ is missing\n" },
    { "no equal sign", "account a {\n host h\n}", "c:2: account a: host: \"=\" is missing behind the key\n" },
    { "a brace too many", KEY("") "}\n", "c:7: this \"}\" closes nothing\n" },
    { "a character that the library drops", KEY("folders = { INBOX, Archive/* }"),
      "c:2: put this value in quotes: it holds a character with a meaning of its own (# * +)\n"
      "c:2: unexpected \"*\"; does a value need quotes?\n" },
    { "a comment glued to a value", KEY("password_file = /x#y"),
      "c:2: put this value in quotes: it holds a character with a meaning of its own (# * +)\n" },
    { "a key in quotes", KEY("\"port\" = 5"),
      "c:2: a string where a key was expected: keys are written without quotes\n"
      "c:2: \"=\" without a key in front of it\n" },
    { "no title", "account {" REST "}", "c:1: account needs a name and braces: account \"work\" { ... }\n" },
    { "a section without braces", "account a {\n deliver = /m\n" REST "}\n",
      "c:2: account a: deliver needs a name and braces: deliver maildir { ... }\n" },
    { "a list without commas", KEY("folders = { INBOX \"Work\", Sent }"),
      "c:2: a comma is missing between two values of this list\n" },
    { "a list without braces", KEY("password_command = \"pass\", \"show\", \"mail\""),
      "c:2: a comma outside of a list: write several values as { \"one\", \"two\" }, and settings without commas in "
      "between\n" },
    { "settings with commas", KEY("port = 5, timeout = 3"),
      "c:2: a comma outside of a list: write several values as { \"one\", \"two\" }, and settings without commas in "
      "between\n" },
    { "a comma behind the last value", KEY("folders = { INBOX, \"Work\", }"), "" },
    { "NUL by escape", KEY("bind_address = \"a\\x00b\""), "c:2: a value cannot hold a NUL character\n" },
    { "NUL by octal escape", KEY("bind_address = \"a\\0b\""), "c:2: a value cannot hold a NUL character\n" },

    /* the environment */
    { "an unset variable", KEY("\n\n bind_address = \"x${MAILHAUL_UNSET}\""),
      "c:4: the environment variable MAILHAUL_UNSET is not set (single quotes take ${ literally)\n" },
    { "an unset variable without quotes", KEY("bind_address = ${MAILHAUL_UNSET}"),
      "c:2: the environment variable MAILHAUL_UNSET is not set (single quotes take ${ literally)\n" },
    { "an unset variable in a comment", KEY("# \"${MAILHAUL_UNSET}\""), "" },
    { "in single quotes it is no variable", KEY("authorize_as = '${MAILHAUL_UNSET}'"), "" },
    { "escaped it is no variable", KEY("authorize_as = \"\\${MAILHAUL_UNSET}\""), "" },
    { "no closing brace", KEY("authorize_as = \"${MAILHAUL\"\n timeout = 3"),
      "c:2: \"${\" without \"}\": write ${NAME}, or \\${ for the two characters\n" },

    { "all mistakes are told",
      "syslgo = yes\naccount a { protcol = imap\n port = x\n timeout = y\n interval = 3h\n deliver maildir { pth = /m "
      "} }\n"
      "account b { }\n",
      "c:1: unknown key \"syslgo\"; did you mean \"syslog\"?\n"
      "c:2: account a: unknown key \"protcol\"; did you mean \"protocol\"?\n"
      "c:6: deliver maildir: unknown key \"pth\"; did you mean \"path\"?\n"
      "c:3: account a: port: \"x\" is not a number from 1 to 65535\n"
      "c:4: account a: timeout: \"y\" is not a number from 1 to 3600\n"
      "c:5: account a: interval: \"3h\" is not a number from 1 to 604800\n"
      "c:2: account a: host is missing: host = \"imap.example.org\"\n"
      "c:2: account a: user is missing: user = \"me@example.org\"\n"
      "c:6: account a: deliver maildir: path is missing: path = \"~/Mail/%a\" (%a is the account's name)\n"
      "c:7: account b: host is missing: host = \"imap.example.org\"\n"
      "c:7: account b: user is missing: user = \"me@example.org\"\n"
      "c:7: account b: no deliver section, so its mail has no place to go: write  deliver maildir { path = "
      "\"~/Mail/%a\" }  into it\n" },
};

static void test_mistakes(void **state)
{
    struct scratch *s = *state;

    unsetenv("MAILHAUL_UNSET");
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        struct conf *c = NULL;
        struct err e = ERR_INIT;
        int rc;

        CASE("%s", mistakes[i].name);
        scratch_file(s, "c", 0600, slice_str(mistakes[i].text));
        rc = scratch_load(s, scratch_path(s, "c"), &c, &e);
        CHECK_SLICE(slice_str(s->said), slice_str(mistakes[i].said));
        CHECK_INT(rc, mistakes[i].said[0] == '\0' ? 0 : -1);
        CHECK(rc == 0 ? c != NULL : c == NULL && e.code == E_CONFIG);
        conf_free(&c);
    }
}

static struct conf *load(struct scratch *s, const char *text)
{
    struct conf *c = NULL;
    struct err e = ERR_INIT;

    scratch_file(s, "c", 0600, slice_str(text));
    CHECK_INT(scratch_load(s, scratch_path(s, "c"), &c, &e), 0);
    CHECK_SLICE(slice_str(s->said), SLICE(""));
    return c;
}

static void check_string(const char *got, const char *want)
{
    CHECK_SLICE(slice_str(got), slice_str(want));
}

static void check_strings(const struct conf_strings *got, const char *const *want)
{
    size_t n = 0;

    for (; want[n] != NULL; n++) {
        CHECK(n < got->n);
        check_string(got->v[n], want[n]);
    }
    CHECK_INT(got->n, n);
    CHECK(got->v == NULL || got->v[n] == NULL);
}

static void test_defaults_of_keys(void **state)
{
    struct scratch *s = *state;
    struct conf *c;
    const struct conf_account *a;

    CASE("every default of the contract");
    c = load(s, KEY(""));
    a = c->accounts[0];
    check_string(c->state_dir, scratch_path(s, ".local/state/mailhaul"));
    check_string(c->spool_dir, c->state_dir);
    CHECK_INT(c->max_sessions, 16);
    CHECK_INT(c->log_level, LOG_LEVEL_INFO);
    CHECK(c->log_file == NULL && !c->syslog);
    CHECK_INT(c->account_count, 1);
    CHECK_INT(a->line, 1);
    CHECK(a->enabled && !a->compress);
    CHECK_INT(a->protocol, CONF_IMAP);
    CHECK_INT(a->port, 993);
    CHECK_INT(a->tls, CONF_TLS_IMPLICIT);
    CHECK_INT(a->timeout, 60);
    CHECK_INT(a->family, CONF_FAMILY_ANY);
    CHECK_INT(a->max_connections, 3);
    CHECK_INT(a->leave_s, CONF_LEAVE_FOREVER);
    CHECK_INT(a->max_size, 0);
    CHECK_INT(a->max_messages, 0);
    CHECK_INT(a->interval, 300);
    CHECK_INT(a->failure_threshold, 3);
    check_strings(&a->idle, (const char *const[]){ "INBOX", NULL });
    CHECK(a->on_new_mail.n == 0 && a->on_failure.n == 0 && a->on_recovery.n == 0 && c->metrics_address == NULL);
    CHECK(!a->tls_settings.min_1_3 && !secret_is_set(&a->login.password));
    check_strings(&a->folders, (const char *const[]){ "INBOX", NULL });
    check_strings(&a->login.auth, (const char *const[]){ "auto", NULL });
    CHECK_INT(a->delivers[0].layout, CONF_LAYOUT_MAILDIRPP);
    CHECK(!a->delivers[0].drop_rejected);
    check_string(a->delivers[0].name, "maildir");
    conf_free(&c);
}

static void test_every_key(void **state)
{
    static const char text[] =
        "state_dir = \"~/s\" spool_dir = /sp max_sessions = 4 log_level = debug log_file = \"~/l\" syslog = on\n"
        "metrics_listen = \"[::1]:9464\"\n"
        "account \"a b\" {\n enabled = no protocol = pop3 host = '::1' port = 1110 tls = starttls timeout = 5\n"
        "address_family = ipv6 bind_address = \"127.0.0.1\" proxy = \"socks5://me:p:w@[::2]:99/\"\n"
        "disable_extensions = { MOVE, 'X' } max_connections = 7 compress = true\n"
        "tls_trust_file = \"~/ca\" tls_cert_file = /c tls_key_file = /k tls_min_version = 1.3\n"
        "tls_fingerprint = { \"SHA256:"
        "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF\" }\n"
        "user = \"u\\\"\\\\\" authorize_as = 'it\\'s \\n \\\\' password = \"p\\tw\" auth = { PLAIN, Login }\n"
        "folders = { INBOX, \"!Spam/*\", \"\\\\Sent\" } mode = fetch leave_on_server = 2w max_size = 3M\n"
        "max_messages = 12 interval = 60 idle = { INBOX, 'Lists/*' } failure_threshold = 1\n"
        "on_new_mail = { notmuch, new } on_failure = { mail, -s, 'no mail', me } on_recovery = /r\n"
        " deliver own { type = maildir path = \"~/%a/%b\" layout = fs on_reject = drop } }\n";
    struct scratch *s = *state;
    struct conf *c = load(s, text);
    const struct conf_account *a = c->accounts[0];

    CASE("every key");
    check_string(c->state_dir, scratch_path(s, "s"));
    check_string(c->spool_dir, "/sp");
    check_string(c->log_file, scratch_path(s, "l"));
    CHECK_INT(c->max_sessions, 4);
    CHECK_INT(c->log_level, LOG_LEVEL_DEBUG);
    CHECK(c->syslog && !a->enabled && a->compress && a->tls_settings.min_1_3);
    CHECK_INT(a->protocol, CONF_POP3);
    check_string(a->host, "::1");
    CHECK_INT(a->port, 1110);
    CHECK_INT(a->tls, CONF_TLS_STARTTLS);
    CHECK_INT(a->timeout, 5);
    CHECK_INT(a->family, CONF_FAMILY_IPV6);
    check_string(a->bind_address, "127.0.0.1");
    check_string(a->proxy_host, "::2");
    CHECK_INT(a->proxy_port, 99);
    check_string(a->proxy_user, "me");
    CHECK_SLICE(secret_get(&a->proxy_password), SLICE("p:w"));
    check_strings(&a->disable_extensions, (const char *const[]){ "MOVE", "X", NULL });
    CHECK_INT(a->max_connections, 7);
    check_string(a->tls_settings.trust_file, scratch_path(s, "ca"));
    check_string(a->tls_settings.cert_file, "/c");
    check_string(a->tls_settings.key_file, "/k");
    CHECK_INT(a->tls_settings.fingerprints.n, 1);
    check_string(a->login.user, "u\"\\");
    check_string(a->login.authorize_as, "it's \\n \\");
    CHECK_SLICE(secret_get(&a->login.password), SLICE("p\tw"));
    check_strings(&a->login.auth, (const char *const[]){ "plain", "login", NULL });
    check_strings(&a->folders, (const char *const[]){ "INBOX", "!Spam/*", "\\Sent", NULL });
    CHECK_INT(a->leave_s, 14 * 86400);
    CHECK_INT(a->max_size, 3 * 1024 * 1024);
    CHECK_INT(a->max_messages, 12);
    CHECK_INT(a->interval, 60);
    CHECK_INT(a->failure_threshold, 1);
    check_strings(&a->idle, (const char *const[]){ "INBOX", "Lists/*", NULL });
    check_strings(&a->on_new_mail, (const char *const[]){ "notmuch", "new", NULL });
    check_strings(&a->on_failure, (const char *const[]){ "mail", "-s", "no mail", "me", NULL });
    check_strings(&a->on_recovery, (const char *const[]){ "/r", NULL });
    check_string(c->metrics_address, "::1");
    CHECK_INT(c->metrics_port, 9464);
    check_string(a->delivers[0].name, "own");
    check_string(a->delivers[0].path, scratch_path(s, "a b/%b"));
    CHECK_INT(a->delivers[0].layout, CONF_LAYOUT_FS);
    CHECK(a->delivers[0].drop_rejected);
    conf_free(&c);
}

static void test_oauth(void **state)
{
    static const char text[] =
        "defaults { oauth_client_id = shared oauth_token_url = 'https://t' oauth_authorize_url = 'https://a' }\n"
        "account all { host = h user = u oauth_client_id = id oauth_client_secret = \"s e\" oauth_tenant = 'x.org'\n"
        " oauth_scopes = { 'a b', c } oauth_authorize_url = 'https://h/a' oauth_token_url = 'HTTPS://h/t'\n"
        " oauth_device_url = 'https://h/d' deliver maildir { path = /m }\n"
        " deliver imap { host = i user = u oauth_client_id = other oauth_client_secret = t oauth_scopes = "
        "'o/.default'\n"
        "  oauth_token_url = 'https://x' } }\n"
        "account written { host = h user = u oauth_scopes = 'o/.default' oauth_grant = authorization_code\n"
        " deliver maildir { path = /m } }\n"
        "account password { host = h user = u password_file = /p deliver maildir { path = /m } }\n"
        "account plain { host = h user = u auth = { plain, cram-md5 } deliver maildir { path = /m } }\n"
        "account late { host = h user = u auth = { plain, xoauth2 } deliver maildir { path = /m } }\n";
    struct scratch *s = *state;
    struct conf *c = load(s, text);
    const struct conf_login *l = &c->accounts[0]->login;

    CASE("every key");
    check_string(l->oauth.client_id, "id");
    CHECK_SLICE(secret_get(&l->oauth.client_secret), SLICE("s e"));
    check_string(l->oauth.tenant, "x.org");
    check_strings(&l->oauth.scopes, (const char *const[]){ "a", "b", "c", NULL });
    check_string(l->oauth.authorize_url, "https://h/a");
    check_string(l->oauth.token_url, "HTTPS://h/t");
    check_string(l->oauth.device_url, "https://h/d");
    CHECK_INT(l->oauth.grant, CONF_GRANT_CODE);
    CHECK(conf_login_is_oauth(l));
    CASE("a destination, and a scope that says how");
    l = &c->accounts[0]->delivers[1].login;
    check_string(l->oauth.client_id, "other");
    CHECK_INT(l->oauth.grant, CONF_GRANT_CLIENT_CREDENTIALS);
    CASE("what was written counts more than the scope");
    check_string(c->accounts[1]->login.oauth.client_id, "shared");
    CHECK_INT(c->accounts[1]->login.oauth.grant, CONF_GRANT_CODE);
    CASE("a password of its own hides the OAuth login of all");
    CHECK(c->accounts[2]->login.oauth.client_id == NULL && !conf_login_is_oauth(&c->accounts[2]->login));
    CASE("auth decides");
    CHECK(!conf_login_is_oauth(&c->accounts[3]->login));
    CHECK(conf_login_is_oauth(&c->accounts[4]->login));
    conf_free(&c);
}

static void test_every_key_of_destinations(void **state)
{
    static const char text[] =
        "account a { host = h user = u\n"
        "deliver mta { type = smtp host = mx port = 2525 tls = implicit to = { \"<a@x>\", b } from = \" <f@x>\"\n"
        " on_reject = drop user = me authorize_as = you password = \"p\\tw\" auth = PLAIN tls_trust_file = \"~/ca\"\n"
        " tls_cert_file = /c tls_key_file = /k tls_min_version = 1.3 tls_fingerprint = \"sha256:"
        "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF\" }\n"
        "deliver lmtp { socket = \"~/lmtp\" to_header = Envelope-To to_domains = { x.org, y.org }\n"
        " to_strip_prefix = \"a-\" to_fallback = \"me@x.org\" }\n"
        "deliver imap { host = im user = me netrc = /n folder = \"Sub/F\" }\n"
        "deliver imap2 { type = imap host = im user = me password_command = { cat } folder_prefix = Old }\n"
        "deliver command { command = { maildrop, -d, me } newline = crlf time_limit = 7 max_parallel = 2 }\n"
        "deliver plain { type = command command = cat } }\n";
    struct scratch *s = *state;
    struct conf *c = load(s, text);
    const struct conf_deliver *d = c->accounts[0]->delivers;

    CHECK_INT(c->accounts[0]->deliver_count, 6);
    CASE("smtp");
    CHECK_INT(d[0].type, CONF_DELIVER_SMTP);
    check_string(d[0].name, "mta");
    check_string(d[0].host, "mx");
    CHECK_INT(d[0].port, 2525);
    CHECK_INT(d[0].tls, CONF_TLS_IMPLICIT);
    check_strings(&d[0].to, (const char *const[]){ "a@x", "b", NULL });
    check_string(d[0].from, "f@x");
    CHECK(d[0].drop_rejected && d[0].tls_settings.min_1_3 && d[0].to_header == NULL);
    check_string(d[0].login.user, "me");
    check_string(d[0].login.authorize_as, "you");
    check_string(d[0].login.machine, "mx");
    check_string(d[0].login.whose, "account a, destination mta");
    CHECK_SLICE(secret_get(&d[0].login.password), SLICE("p\tw"));
    check_strings(&d[0].login.auth, (const char *const[]){ "plain", NULL });
    check_string(d[0].tls_settings.trust_file, scratch_path(s, "ca"));
    check_string(d[0].tls_settings.cert_file, "/c");
    check_string(d[0].tls_settings.key_file, "/k");
    CHECK_INT(d[0].tls_settings.fingerprints.n, 1);
    CASE("lmtp");
    CHECK_INT(d[1].type, CONF_DELIVER_LMTP);
    check_string(d[1].socket, scratch_path(s, "lmtp"));
    CHECK(d[1].host == NULL && d[1].port == 0 && d[1].login.user == NULL && !d[1].drop_rejected);
    CHECK_INT(d[1].tls, CONF_TLS_PLAINTEXT);
    check_strings(&d[1].to, (const char *const[]){ NULL });
    check_string(d[1].to_header, "Envelope-To");
    check_strings(&d[1].to_domains, (const char *const[]){ "x.org", "y.org", NULL });
    check_string(d[1].to_strip_prefix, "a-");
    check_string(d[1].to_fallback, "me@x.org");
    CASE("imap");
    CHECK_INT(d[2].type, CONF_DELIVER_IMAP);
    check_string(d[2].folder, "Sub/F");
    check_string(d[2].login.netrc, "/n");
    check_strings(&d[2].login.auth, (const char *const[]){ "auto", NULL });
    check_string(d[3].folder_prefix, "Old");
    check_strings(&d[3].login.password_command, (const char *const[]){ "cat", NULL });
    CASE("command");
    CHECK_INT(d[4].type, CONF_DELIVER_COMMAND);
    check_strings(&d[4].command, (const char *const[]){ "maildrop", "-d", "me", NULL });
    CHECK(d[4].crlf);
    CHECK_INT(d[4].time_limit, 7);
    CHECK_INT(d[4].max_parallel, 2);
    CASE("its defaults");
    CHECK(!d[5].crlf);
    CHECK_INT(d[5].time_limit, 60);
    CHECK_INT(d[5].max_parallel, 4);
    conf_free(&c);
}

/* In clear by default only where nobody can listen. */
static void test_tls_and_ports_of_destinations(void **state)
{
    static const struct {
        const char *keys;
        enum conf_tls tls;
        int port;
    } cases[] = {
        { "type = smtp to = x host = localhost", CONF_TLS_PLAINTEXT, 25 },
        { "type = smtp to = x host = LOCALHOST", CONF_TLS_PLAINTEXT, 25 },
        { "type = smtp to = x host = 127.0.0.1", CONF_TLS_PLAINTEXT, 25 },
        { "type = smtp to = x host = 127.255.0.9", CONF_TLS_PLAINTEXT, 25 },
        { "type = smtp to = x host = '::1'", CONF_TLS_PLAINTEXT, 25 },
        { "type = smtp to = x host = mx.example.org", CONF_TLS_STARTTLS, 25 },
        { "type = smtp to = x host = localhost.example.org", CONF_TLS_STARTTLS, 25 },
        { "type = smtp to = x host = 127.0.0.1.example.org", CONF_TLS_STARTTLS, 25 },
        { "type = smtp to = x host = 128.0.0.1", CONF_TLS_STARTTLS, 25 },
        { "type = smtp to = x host = '::2'", CONF_TLS_STARTTLS, 25 },
        { "type = smtp to = x host = mx.example.org user = u", CONF_TLS_STARTTLS, 587 },
        { "type = smtp to = x host = mx.example.org tls = implicit", CONF_TLS_IMPLICIT, 465 },
        { "type = smtp to = x host = localhost tls = starttls", CONF_TLS_STARTTLS, 25 },
        { "type = smtp to = x host = mx.example.org tls = plaintext", CONF_TLS_PLAINTEXT, 25 },
        { "type = smtp to = x host = localhost user = u", CONF_TLS_PLAINTEXT, 25 },
        { "type = smtp to = x host = localhost port = 99", CONF_TLS_PLAINTEXT, 99 },
        { "type = lmtp to = x host = localhost", CONF_TLS_PLAINTEXT, 24 },
        { "type = lmtp to = x host = mx.example.org", CONF_TLS_STARTTLS, 24 },
        { "type = imap user = u host = localhost", CONF_TLS_IMPLICIT, 993 },
        { "type = imap user = u host = im.example.org tls = starttls", CONF_TLS_STARTTLS, 143 },
        { "type = imap user = u host = localhost tls = plaintext", CONF_TLS_PLAINTEXT, 143 },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[300];
        struct conf *c;

        snprintf(text, sizeof(text), TO("x", "%s"), cases[i].keys);
        CASE("%s", cases[i].keys);
        c = load(*state, text);
        CHECK_INT(c->accounts[0]->delivers[0].tls, cases[i].tls);
        CHECK_INT(c->accounts[0]->delivers[0].port, cases[i].port);
        conf_free(&c);
    }
}

static void test_ports(void **state)
{
    static const struct {
        const char *keys;
        int port;
    } cases[] = {
        { "", 993 },
        { "tls = starttls", 143 },
        { "tls = plaintext", 143 },
        { "protocol = pop3", 995 },
        { "protocol = pop3 tls = starttls", 110 },
        { "protocol = pop3 tls = plaintext", 110 },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[300];
        struct conf *c;

        snprintf(text, sizeof(text), "account a { %s" REST "}", cases[i].keys);
        CASE("%s", cases[i].keys);
        c = load(*state, text);
        CHECK_INT(c->accounts[0]->port, cases[i].port);
        conf_free(&c);
    }
}

static void test_leave(void **state)
{
    static const struct {
        const char *value;
        int64_t seconds;
    } cases[] = {
        { "yes", CONF_LEAVE_FOREVER }, { "no", 0 },           { "off", 0 },
        { "\"12h\"", 12 * 3600 },      { "30d", 30 * 86400 }, { "1w", 7 * 86400 },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[300];
        struct conf *c;

        snprintf(text, sizeof(text), "account a { leave_on_server = %s" REST "}", cases[i].value);
        CASE("%s", cases[i].value);
        c = load(*state, text);
        CHECK_INT(c->accounts[0]->leave_s, cases[i].seconds);
        conf_free(&c);
    }
}

static void test_merging(void **state)
{
    static const char text[] = "account first { user = x host = mine protocol = imap leave_on_server = no folders = A\n"
                               "  deliver own { type = maildir path = /own } }\n"
                               "defaults { host = h protocol = pop3 leave_on_server = 30d password_command = { cat } "
                               "user = u folders = { B, C }\n"
                               "  deliver maildir { path = \"/m/%a\" } deliver two { type = maildir path = /two } }\n"
                               "account second { }\n"
                               "account third { password_file = /f }\n";
    struct scratch *s = *state;
    struct conf *c = load(s, text);
    struct conf_account *const *a = c->accounts;

    CASE("an account's own value stands before defaults, wherever defaults is written");
    CHECK_INT(c->account_count, 3);
    CHECK_INT(a[0]->protocol, CONF_IMAP);
    CHECK_INT(a[0]->leave_s, 0);
    check_string(a[0]->host, "mine");
    check_string(a[0]->login.user, "x");
    check_strings(&a[0]->folders, (const char *const[]){ "A", NULL });
    check_strings(&a[0]->login.password_command, (const char *const[]){ "cat", NULL });
    CASE("a deliver section of its own hides all of defaults");
    CHECK_INT(a[0]->deliver_count, 1);
    check_string(a[0]->delivers[0].path, "/own");
    CASE("everything from defaults");
    CHECK_INT(a[1]->protocol, CONF_POP3);
    CHECK_INT(a[1]->port, 995);
    CHECK_INT(a[1]->leave_s, 30 * 86400);
    check_strings(&a[1]->folders, (const char *const[]){ "B", "C", NULL });
    CHECK_INT(a[1]->deliver_count, 2);
    check_string(a[1]->delivers[0].path, "/m/second");
    check_string(a[1]->delivers[1].name, "two");
    CASE("one password key hides them all");
    CHECK_INT(a[2]->login.password_command.n, 0);
    check_string(a[2]->login.password_file, "/f");
    CASE("by name");
    CHECK(conf_find(c, "third") == a[2]);
    CHECK(conf_find(c, "fourth") == NULL);
    conf_free(&c);
}

static void test_accounts_d(void **state)
{
    struct scratch *s = *state;
    struct conf *c = NULL;
    struct err e = ERR_INIT;

    CHECK_INT(mkdir(scratch_path(s, "accounts.d"), 0700), 0);
    scratch_file(s, "accounts.d/20.conf", 0600, slice_str("account c { }"));
    scratch_file(s, "accounts.d/10.conf", 0600, slice_str("account b { }\nmax_sessions = 5"));
    scratch_file(s, "accounts.d/30.conf.bak", 0600, slice_str("nonsense"));
    scratch_file(s, "accounts.d/.40.conf", 0600, slice_str("nonsense"));
    CASE("read after the file, in the order of their names, with its defaults");
    c = load(s, "max_sessions = 3 defaults { host = h user = u deliver maildir { path = \"/m/%a\" } } account a { }");
    CHECK_INT(c->account_count, 3);
    check_string(c->accounts[0]->name, "a");
    check_string(c->accounts[1]->name, "b");
    check_string(c->accounts[2]->name, "c");
    check_string(c->accounts[2]->file, scratch_path(s, "accounts.d/20.conf"));
    check_string(c->accounts[2]->delivers[0].path, "/m/c");
    CHECK_INT(c->max_sessions, 5);
    conf_free(&c);

    CASE("one name in two files");
    scratch_file(s, "accounts.d/20.conf", 0600, slice_str("\naccount a { }"));
    CHECK_INT(scratch_load(s, scratch_path(s, "c"), &c, &e), -1);
    CHECK_SLICE(slice_str(s->said),
                SLICE("accounts.d/20.conf:2: account a: a second account of this name; the first is in c, line 1\n"));

    CASE("its own mistakes carry its name");
    scratch_file(s, "accounts.d/20.conf", 0600, slice_str("\nacount x { }"));
    CHECK_INT(scratch_load(s, scratch_path(s, "c"), &c, &e), -1);
    CHECK_SLICE(slice_str(s->said), SLICE("accounts.d/20.conf:2: unknown key \"acount\"; did you mean \"account\"?\n"));
}

static void test_permissions(void **state)
{
    static const char told[] = "there is a password in this file, and others may read it; run: chmod 600 c\n";
    static const struct {
        const char *name, *text;
        mode_t mode;
        int told_line; /* 0: taken */
    } cases[] = {
        { "a password, 0600", KEY("password = x"), 0600, 0 },
        { "a password, 0400", KEY("password = x"), 0400, 0 },
        { "a password, for the group", KEY("password = x"), 0640, 2 },
        { "a password, for others", KEY("\n password = 'x'"), 0604, 3 },
        { "no password", KEY(""), 0644, 0 },
        { "a password in a comment", KEY("# password = x"), 0644, 0 },
        { "a command is no password", KEY("password_command = { password, '=' }"), 0644, 0 },
        { "in the environment it is not in the file", KEY("password = \"${HOME}\""), 0644, 0 },
        { "without quotes, too", KEY("password = ${HOME}"), 0644, 0 },
        { "half in the environment", KEY("password = \"x${HOME}\""), 0644, 2 },
        { "in defaults", "defaults { password = x }\n" KEY(""), 0644, 1 },
        { "of a destination", TO("smtp", "host = h to = x user = u password = x"), 0644, 3 },
        { "of the proxy", KEY("proxy = \"socks5://a:b@c\""), 0644, 2 },
        { "a proxy without", KEY("proxy = \"socks5://c\""), 0644, 0 },
    };
    struct scratch *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conf *c = NULL;
        struct err e = ERR_INIT;
        char want[200] = "";

        CASE("%s", cases[i].name);
        scratch_file(s, "c", cases[i].mode, slice_str(cases[i].text));
        if (cases[i].told_line > 0)
            snprintf(want, sizeof(want), "c:%d: %s", cases[i].told_line, told);
        CHECK_INT(scratch_load(s, scratch_path(s, "c"), &c, &e), cases[i].told_line > 0 ? -1 : 0);
        CHECK_SLICE(slice_str(s->said), slice_str(want));
        conf_free(&c);
    }
    CASE("anybody may write");
    struct conf *c = NULL;
    struct err e = ERR_INIT;
    scratch_file(s, "c", 0666, slice_str(KEY("")));
    CHECK_INT(scratch_load(s, scratch_path(s, "c"), &c, &e), -1);
    CHECK_SLICE(slice_str(s->said), SLICE("c: anybody may write to this file; run: chmod o-w c\n"));
}

static void test_search(void **state)
{
    struct scratch *s = *state;
    struct conf *c = NULL;
    struct err e = ERR_INIT;

    CASE("none anywhere");
    CHECK(!conf_present(NULL));
    CHECK_INT(scratch_load(s, NULL, &c, &e), -1);
    CHECK_INT(e.code, E_CONFIG);
    CHECK(strstr(s->said, "no configuration file; looked for .config/mailhaul/mailhaul.conf, ") == s->said);
    CHECK(strstr(s->said, SYSCONFDIR "/mailhaul/mailhaul.conf") != NULL);

    CASE("named, and not there");
    CHECK(!conf_present(scratch_path(s, "x")));
    CHECK_INT(scratch_load(s, scratch_path(s, "x"), &c, &e), -1);
    CHECK_SLICE(slice_str(s->said), SLICE("x: there is no such configuration file\n"));

    CASE("a directory");
    CHECK_INT(scratch_load(s, s->dir, &c, &e), -1);
    CHECK(strstr(s->said, ": this is a directory, not a file\n") != NULL);

    CASE("in ~/.config");
    CHECK_INT(mkdir(scratch_path(s, ".config"), 0700), 0);
    CHECK_INT(mkdir(scratch_path(s, ".config/mailhaul"), 0700), 0);
    scratch_file(s, ".config/mailhaul/mailhaul.conf", 0600, slice_str(KEY("")));
    CHECK(conf_present(NULL));
    CHECK_INT(scratch_load(s, NULL, &c, &e), 0);
    check_string(c->path, scratch_path(s, ".config/mailhaul/mailhaul.conf"));
    conf_free(&c);

    CASE("XDG_CONFIG_HOME is before it");
    CHECK_INT(mkdir(scratch_path(s, "xdg"), 0700), 0);
    CHECK_INT(mkdir(scratch_path(s, "xdg/mailhaul"), 0700), 0);
    scratch_file(s, "xdg/mailhaul/mailhaul.conf", 0600, slice_str(KEY("")));
    CHECK_INT(setenv("XDG_CONFIG_HOME", scratch_path(s, "xdg"), 1), 0);
    CHECK_INT(setenv("XDG_STATE_HOME", scratch_path(s, "xst"), 1), 0);
    CHECK_INT(scratch_load(s, NULL, &c, &e), 0);
    check_string(c->path, scratch_path(s, "xdg/mailhaul/mailhaul.conf"));
    check_string(c->state_dir, scratch_path(s, "xst/mailhaul"));
    conf_free(&c);
}

/* The sample, as it is and with everything in it switched on. */
static void test_sample(void **state)
{
    struct scratch *s = *state;
    struct buf whole = BUF_INIT(65536), on = BUF_INIT(65536);
    int fd = open(SAMPLE, O_RDONLY);
    struct conf *c;

    CASE("as it is");
    CHECK(fd >= 0);
    CHECK_INT(io_read_all(fd, &whole), 0);
    close(fd);
    c = load(s, buf_cstr(&whole));
    CHECK_INT(c->account_count, 1);
    conf_free(&c);

    CASE("all of it");
    CHECK_INT(setenv("BEN_PASSWORD", "x", 1), 0);
    for (size_t i = 0; i < whole.len; i++) {
        bool begins = i == 0 || whole.p[i - 1] == '\n';

        if (!begins || whole.p[i] != '#' || whole.p[i + 1] == '#')
            CHECK_INT(buf_put_char(&on, whole.p[i]), 0);
    }
    c = load(s, buf_cstr(&on));
    CHECK_INT(c->account_count, 18);
    conf_free(&c);
    buf_release(&whole);
    buf_release(&on);
}

/* Anything may be in a file; what must not happen is a crash, a hang, or success without an account. */
static void test_any_bytes(void **state)
{
    static const char seed[] = KEY(
        "password = \"a${HOME}\\x41\" folders = { 'b', \"c\" } /* d */ # e") "defaults { proxy = \"socks5://a:b@c\" "
                                                                             "leave_on_server = 3d }\n" TO(
                                                                                 "smtp",
                                                                                 "host = h to = 'a@x' user = u "
                                                                                 "password = 'q' on_reject = drop");
    static const char odd[] = "\"'\\{}=+,#/*$\n\r\t \x01\x7f\x80\xff|(a0";
    struct scratch *s = *state;
    char text[sizeof(seed)];
    uint32_t random = 1;

    for (int round = 0; round < 1500; round++) {
        struct conf *c = NULL;
        struct err e = ERR_INIT;
        size_t n = sizeof(seed) - 1;

        memcpy(text, seed, sizeof(seed));
        for (int i = 0; i < 1 + round % 4; i++) {
            random = random * 1664525 + 1013904223;
            text[(random >> 8) % n] = odd[(random >> 24) % (sizeof(odd) - 1)];
        }
        if (round % 3 == 0)
            n = (random >> 4) % n;
        CASE("round %d", round);
        scratch_file(s, "c", 0600, slice_make(text, n));
        if (scratch_load(s, scratch_path(s, "c"), &c, &e) == 0)
            CHECK(c->account_count > 0);
        else
            CHECK(c == NULL && s->said[0] != '\0' && e.text[0] != '\0');
        conf_free(&c);
    }

    struct conf *c = NULL;
    struct err e = ERR_INIT;
    CASE("a NUL");
    scratch_file(s, "c", 0600, SLICE("account a {\0}"));
    CHECK_INT(scratch_load(s, scratch_path(s, "c"), &c, &e), -1);
    CHECK_SLICE(slice_str(s->said), SLICE("c: this is no text file: there is a NUL character in it\n"));
}

static void test_huge(void **state)
{
    struct scratch *s = *state;
    struct conf *c = NULL;
    struct err e = ERR_INIT;
    struct buf b = BUF_INIT(8 * 1024 * 1024);

    CASE("larger than any configuration");
    while (b.len < 5 * 1024 * 1024)
        CHECK_INT(
            buf_put_str(&b, "# nothing but a comment, over and over, of a hundred characters or so, to fill it up\n"),
            0);
    scratch_file(s, "c", 0600, buf_slice(&b));
    CHECK_INT(scratch_load(s, scratch_path(s, "c"), &c, &e), -1);
    CHECK_SLICE(slice_str(s->said), SLICE("c: larger than 4 MiB: this is no configuration\n"));

    CASE("a thousand accounts");
    buf_clear(&b);
    for (int i = 0; i < 1000; i++)
        CHECK_INT(buf_putf(&b, "account a%d {" REST "}\n", i), 0);
    scratch_file(s, "c", 0600, buf_slice(&b));
    CHECK_INT(scratch_load(s, scratch_path(s, "c"), &c, &e), 0);
    CHECK_INT(c->account_count, 1000);
    CHECK_INT(c->accounts[999]->line, 1 + 4 * 999);
    conf_free(&c);

    CASE("a thousand mistakes are not a thousand lines");
    buf_clear(&b);
    for (int i = 0; i < 1000; i++)
        CHECK_INT(buf_putf(&b, "bad%d = 1\n", i), 0);
    scratch_file(s, "c", 0600, buf_slice(&b));
    CHECK_INT(scratch_load(s, scratch_path(s, "c"), &c, &e), -1);
    size_t lines = 0;
    for (const char *p = s->said; *p != '\0'; p++)
        lines += *p == '\n';
    CHECK(lines >= 10 && lines <= 60);
    buf_release(&b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_mistakes),
        TEST(test_defaults_of_keys),
        TEST(test_every_key),
        TEST(test_oauth),
        TEST(test_ports),
        TEST(test_leave),
        TEST(test_merging),
        TEST(test_accounts_d),
        TEST(test_permissions),
        TEST(test_search),
        TEST(test_any_bytes),
        TEST(test_sample),
        TEST(test_huge),
        TEST(test_every_key_of_destinations),
        TEST(test_tls_and_ports_of_destinations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
