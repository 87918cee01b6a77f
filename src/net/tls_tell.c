/* SPDX-License-Identifier: MIT */
#include "net/tls_tell.h"

#include <stdio.h>

#include "base/clock.h"
#include "net/tls_int.h"

enum { DAY = 24 * 60 * 60, DAYS_AHEAD = 14, LINE_MAX_BYTES = 1024 };

/* The chain that was found to be right, which goes up to the issuer that is trusted; else what the server sent. */
static STACK_OF(X509) * chain_of(const struct stream *s)
{
    const SSL *ssl = ((const struct tls_layer *)s->tls)->ssl;
    STACK_OF(X509) *verified = SSL_get0_verified_chain(ssl);

    return sk_X509_num(verified) > 0 ? verified : SSL_get_peer_cert_chain(ssl);
}

bool tls_tell_certificate(const struct stream *s, size_t i, struct tls_facts *out)
{
    STACK_OF(X509) *chain = s->tls != NULL ? chain_of(s) : NULL;

    *out = (struct tls_facts){ .not_after = 0 };
    if (chain == NULL || i >= (size_t)sk_X509_num(chain))
        return false;
    tls_take_facts(out, sk_X509_value(chain, (int)i));
    return true;
}

static void tell_connection(const struct tls_facts *f, tls_tell_fn *tell, void *ctx)
{
    char line[LINE_MAX_BYTES];

    snprintf(line, sizeof(line), "%s, %s, %s session%s%s", f->protocol, f->cipher, f->resumed ? "a resumed" : "a new",
             f->pinned ? ", certificate pinned" : "", f->stapled ? ", not revoked (OCSP)" : "");
    tell(ctx, line);
}

static void tell_certificate(size_t i, const struct tls_facts *f, tls_tell_fn *tell, void *ctx)
{
    char line[LINE_MAX_BYTES], until[TLS_DATE_MAX];

    tls_put_date(until, f->not_after);
    snprintf(line, sizeof(line), "%s: %s, issued by %s, valid until %s%s%s", i == 0 ? "certificate" : "its issuer",
             f->subject, f->issuer, until, i == 0 ? ", " : "", i == 0 ? f->fingerprint : "");
    tell(ctx, line);
}

static void warn(const struct tls_facts *f, tls_tell_fn *tell, void *ctx)
{
    int64_t left = f->not_after - clock_wall();
    char line[LINE_MAX_BYTES], until[TLS_DATE_MAX];

    if (left >= (int64_t)DAYS_AHEAD * DAY)
        return;
    tls_put_date(until, f->not_after);
    snprintf(line, sizeof(line), TLS_TELL_WARNING "the certificate %s ends on %s, in %lld day%s", f->subject, until,
             left > 0 ? (long long)(left / DAY) : 0, left / DAY == 1 ? "" : "s");
    tell(ctx, line);
}

void tls_tell(const struct stream *s, tls_tell_fn *tell, void *ctx)
{
    const struct tls_facts *facts = stream_tls(s);
    struct tls_facts one;

    if (facts == NULL) {
        tell(ctx, "not encrypted");
        return;
    }
    tell_connection(facts, tell, ctx);
    for (size_t i = 0; tls_tell_certificate(s, i, &one); i++)
        tell_certificate(i, &one, tell, ctx);
    for (size_t i = 0; !facts->pinned && tls_tell_certificate(s, i, &one); i++)
        warn(&one, tell, ctx);
}
