/* SPDX-License-Identifier: MIT
 * tls_server.h - servers of OpenSSL in a thread, with certificates good and bad, for the tests of TLS.
 *
 *     static const struct server server = { .who = GOOD };
 *     struct stream *s = peer_start(&p, serve, &server, 10000);
 *
 * It greets with "* OK hi". What it saw begins with "shaken" or "resumed" and the name that was asked for.
 */
#ifndef MAILHAUL_UNIT_NET_TLS_SERVER_H
#define MAILHAUL_UNIT_NET_TLS_SERVER_H

#include "peer.h"

#include <openssl/ssl.h>

#include "certificates.h"

enum who {
    GOOD,
    EXPIRED,
    FUTURE,
    SELF_SIGNED,
    OTHER_HOST,
    NO_NAME,
    PARTIAL,
    WILD,
    WILD_DEEP,
    BY_IP,
    CLIENT_ONLY,
    STRANGER,
    WEAK,
    MUST_STAPLE,
    RESPONDER, /* may speak for the CA */
    OTHER_GOOD,
    FOREIGN,
    WHO_COUNT
};

static struct {
    char dir[64], ca_file[96], client_file[96], client_key[96], other_file[96];
    struct identity ca, stranger_ca, client, who[WHO_COUNT];
} world;

/* --- the server --- */

struct server {
    enum who who;
    int version;         /* newest that it speaks; 0: any                   */
    const char *alpn;    /* what it answers; NULL: nothing                  */
    bool wants_client;   /* a certificate of `world.ca`                     */
    bool truncates;      /* ends without close_notify                       */
    struct slice before; /* sent in clear ahead of the handshake            */
    size_t bulk;         /* bytes to send besides the greeting              */
    const char *expect;  /* what it reads behind that; NULL: nothing        */
    size_t tickets;      /* session tickets behind that, and nothing else   */
    const char *then;    /* what it reads before it ends; NULL: nothing     */
    SSL_CTX *ctx;        /* NULL: one of its own, which knows no session    */
    struct slice staple; /* an OCSP answer, DER                             */
    bool sends_ca;       /* behind its certificate                          */
};

static inline int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *n, const unsigned char *in,
                              unsigned in_n, void *arg)
{
    const char *answer = arg;

    (void)ssl, (void)in, (void)in_n;
    *out = (const unsigned char *)answer;
    *n = (unsigned char)strlen(answer);
    return SSL_TLSEXT_ERR_OK;
}

static inline int staple(SSL *ssl, void *arg)
{
    const struct slice *answer = arg;
    unsigned char *copy = answer->n > 0 ? OPENSSL_memdup(answer->p, answer->n) : NULL;

    if (copy == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)answer->n);
    return SSL_TLSEXT_ERR_OK;
}

static inline SSL_CTX *server_context(const struct server *v)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (ctx == NULL)
        return NULL;
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(ctx, v->version);
    if (v->version != 0 && v->version < TLS1_2_VERSION)
        SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
    SSL_CTX_use_certificate(ctx, world.who[v->who].cert);
    SSL_CTX_use_PrivateKey(ctx, world.who[v->who].key);
    if (v->sends_ca)
        SSL_CTX_add1_chain_cert(ctx, world.ca.cert);
    SSL_CTX_set_tlsext_status_cb(ctx, staple);
    SSL_CTX_set_tlsext_status_arg(ctx, (void *)(uintptr_t)&v->staple);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4);
    if (v->alpn != NULL)
        SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, (void *)(uintptr_t)v->alpn);
    if (v->wants_client) {
        SSL_CTX_load_verify_file(ctx, world.ca_file);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    return ctx;
}

static inline bool write_bulk(SSL *ssl, size_t n)
{
    static const char piece[20000];

    while (n > 0) {
        int done = SSL_write(ssl, piece, (int)size_min(n, sizeof(piece)));
        if (done <= 0)
            return false;
        n -= (size_t)done;
    }
    return true;
}

static inline void listen_for(struct peer *p, SSL *ssl, const char *words)
{
    int n = words != NULL ? SSL_read(ssl, p->seen + p->seen_n, (int)strlen(words)) : 0;

    p->seen_n += n > 0 ? (size_t)n : 0;
}

static inline void serve(struct peer *p)
{
    const struct server *v = p->arg;
    SSL_CTX *ctx = v->ctx != NULL ? v->ctx : server_context(v);
    SSL *ssl = ctx != NULL ? SSL_new(ctx) : NULL;

    if (ssl == NULL || !peer_send(p, v->before))
        goto out;
    SSL_set_fd(ssl, p->fd);
    if (SSL_accept(ssl) != 1)
        goto out;
    snprintf(p->seen, sizeof(p->seen), "%s %s\n", SSL_session_reused(ssl) == 1 ? "resumed" : "shaken",
             SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) != NULL
                 ? SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
                 : "without a name");
    p->seen_n = strlen(p->seen);
    if (SSL_write(ssl, "* OK hi\r\n", 9) != 9 || !write_bulk(ssl, v->bulk))
        goto out;
    listen_for(p, ssl, v->expect);
    for (size_t i = 0; i < v->tickets; i++) {
        if (SSL_new_session_ticket(ssl) != 1 || SSL_do_handshake(ssl) != 1)
            goto out;
    }
    listen_for(p, ssl, v->then);
    if (!v->truncates)
        SSL_shutdown(ssl);
    shutdown(p->fd, SHUT_WR);
    peer_wait_for_end(p);
out:
    SSL_free(ssl);
    if (ctx != v->ctx)
        SSL_CTX_free(ctx);
}

/* --- the world --- */

static inline int make_world(void **state)
{
    static const struct {
        struct identity_wish wish;
        int by; /* 0: the CA, 1: itself, 2: a CA that nobody here knows */
    } wishes[WHO_COUNT] = {
        [GOOD] = { { "x", "DNS:localhost", "serverAuth", -1, 100, false, false, NULL }, 0 },
        [EXPIRED] = { { "x", "DNS:localhost", NULL, -100, -1, false, false, NULL }, 0 },
        [FUTURE] = { { "x", "DNS:localhost", NULL, 10, 100, false, false, NULL }, 0 },
        [SELF_SIGNED] = { { "localhost", "DNS:localhost", NULL, -1, 100, false, false, NULL }, 1 },
        [OTHER_HOST] = { { "localhost", "DNS:mail.other.org,DNS:a.other,DNS:b.other,DNS:c.other", NULL, -1, 100, false,
                           false, NULL },
                         0 },
        [NO_NAME] = { { "localhost", NULL, NULL, -1, 100, false, false, NULL }, 0 },
        [PARTIAL] = { { "x", "DNS:im*.example.org", NULL, -1, 100, false, false, NULL }, 0 },
        [WILD] = { { "x", "DNS:*.example.org", NULL, -1, 100, false, false, NULL }, 0 },
        [WILD_DEEP] = { { "x", "DNS:imap.*.org", NULL, -1, 100, false, false, NULL }, 0 },
        [BY_IP] = { { "x", "IP:127.0.0.1,IP:::1", NULL, -1, 100, false, false, NULL }, 0 },
        [CLIENT_ONLY] = { { "x", "DNS:localhost", "clientAuth", -1, 100, false, false, NULL }, 0 },
        [STRANGER] = { { "x", "DNS:localhost", NULL, -1, 100, false, false, NULL }, 2 },
        [WEAK] = { { "x", "DNS:localhost", NULL, -1, 100, false, true, NULL }, 0 },
        [MUST_STAPLE] = { { "x", "DNS:localhost", NULL, -1, 100, false, false, "status_request" }, 0 },
        [RESPONDER] = { { "Responder", NULL, "OCSPSigning", -1, 100, false, false, NULL }, 0 },
        [FOREIGN] = { { "x", "DNS:xn--bcher-kva.example", NULL, -1, 100, false, false, NULL }, 0 },
        [OTHER_GOOD] = { { "y", "DNS:localhost", NULL, -1, 100, false, false, NULL }, 0 },
    };
    const char *tmp = getenv("TMPDIR");

    (void)state;
    snprintf(world.dir, sizeof(world.dir), "%.40s/test_tls_XXXXXX", tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(world.dir));
    snprintf(world.ca_file, sizeof(world.ca_file), "%s/ca.pem", world.dir);
    snprintf(world.other_file, sizeof(world.other_file), "%s/other.pem", world.dir);
    snprintf(world.client_file, sizeof(world.client_file), "%s/client.pem", world.dir);
    snprintf(world.client_key, sizeof(world.client_key), "%s/client.key", world.dir);
    world.ca = identity_make(NULL, (struct identity_wish){ "The CA", NULL, NULL, -1000, 1000, true, false, NULL });
    world.stranger_ca =
        identity_make(NULL, (struct identity_wish){ "Stranger", NULL, NULL, -1000, 1000, true, false, NULL });
    world.client =
        identity_make(&world.ca, (struct identity_wish){ "me", NULL, "clientAuth", -1, 100, false, false, NULL });
    for (size_t i = 0; i < WHO_COUNT; i++)
        world.who[i] = identity_make(wishes[i].by == 0   ? &world.ca
                                     : wishes[i].by == 2 ? &world.stranger_ca
                                                         : NULL,
                                     wishes[i].wish);
    identity_write(&world.ca, world.ca_file, NULL);
    identity_write(&world.stranger_ca, world.other_file, NULL);
    identity_write(&world.client, world.client_file, world.client_key);
    return 0;
}

static inline int end_world(void **state)
{
    const char *const files[] = { world.ca_file, world.other_file, world.client_file, world.client_key };

    (void)state;
    tls_cleanup();
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        unlink(files[i]);
    rmdir(world.dir);
    identity_release(&world.ca);
    identity_release(&world.stranger_ca);
    identity_release(&world.client);
    for (size_t i = 0; i < WHO_COUNT; i++)
        identity_release(&world.who[i]);
    return 0;
}

static inline struct tls_settings usual(void)
{
    return (struct tls_settings){ .host = "localhost", .alpn = "imap", .trust_file = world.ca_file };
}

#endif
