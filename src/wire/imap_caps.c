/* SPDX-License-Identifier: MIT
 * imap_caps.c - capability names to bits.
 */
#include "wire/imap_parse.h"

#include "base/num.h"
#include "wire/sasl_name.h"

static const struct {
    struct slice name;
    uint64_t bits;
} caps_known[] = {
    { SLICE("IMAP4rev1"), IMAP_CAP_IMAP4REV1 },
    { SLICE("IMAP4rev2"), IMAP_CAP_IMAP4REV2 },
    { SLICE("STARTTLS"), IMAP_CAP_STARTTLS },
    { SLICE("LOGINDISABLED"), IMAP_CAP_LOGINDISABLED },
    { SLICE("SASL-IR"), IMAP_CAP_SASL_IR },
    { SLICE("LITERAL+"), IMAP_CAP_LITERAL_PLUS },
    { SLICE("LITERAL-"), IMAP_CAP_LITERAL_MINUS },
    { SLICE("ID"), IMAP_CAP_ID },
    { SLICE("ENABLE"), IMAP_CAP_ENABLE },
    { SLICE("IDLE"), IMAP_CAP_IDLE },
    { SLICE("NOTIFY"), IMAP_CAP_NOTIFY },
    { SLICE("UIDPLUS"), IMAP_CAP_UIDPLUS },
    { SLICE("MOVE"), IMAP_CAP_MOVE },
    { SLICE("CONDSTORE"), IMAP_CAP_CONDSTORE },
    { SLICE("QRESYNC"), IMAP_CAP_QRESYNC },
    { SLICE("LIST-EXTENDED"), IMAP_CAP_LIST_EXTENDED },
    { SLICE("LIST-STATUS"), IMAP_CAP_LIST_STATUS },
    { SLICE("SPECIAL-USE"), IMAP_CAP_SPECIAL_USE },
    { SLICE("COMPRESS=DEFLATE"), IMAP_CAP_COMPRESS_DEFLATE },
    { SLICE("OBJECTID"), IMAP_CAP_OBJECTID },
    { SLICE("X-GM-EXT-1"), IMAP_CAP_GMAIL },
    { SLICE("UTF8=ACCEPT"), IMAP_CAP_UTF8_ACCEPT },
    { SLICE("UTF8=ONLY"), IMAP_CAP_UTF8_ACCEPT | IMAP_CAP_UTF8_ONLY },
    { SLICE("UIDONLY"), IMAP_CAP_UIDONLY },
    { SLICE("PARTIAL"), IMAP_CAP_PARTIAL },
    { SLICE("UNSELECT"), IMAP_CAP_UNSELECT },
    { SLICE("ESEARCH"), IMAP_CAP_ESEARCH },
    { SLICE("XLIST"), IMAP_CAP_XLIST },
    { SLICE("NAMESPACE"), IMAP_CAP_NAMESPACE },
    { SLICE("MULTIAPPEND"), IMAP_CAP_MULTIAPPEND },
    { SLICE("APPENDLIMIT"), IMAP_CAP_APPENDLIMIT },
};

/* RFC 9051 appendix E. Of SPECIAL-USE only the attributes became part of the base, not the LIST options. */
static const uint64_t caps_of_rev2 = IMAP_CAP_NAMESPACE | IMAP_CAP_UNSELECT | IMAP_CAP_UIDPLUS | IMAP_CAP_ESEARCH |
                                     IMAP_CAP_ENABLE | IMAP_CAP_IDLE | IMAP_CAP_SASL_IR | IMAP_CAP_LIST_EXTENDED |
                                     IMAP_CAP_LIST_STATUS | IMAP_CAP_MOVE | IMAP_CAP_LITERAL_MINUS;

uint64_t imap_cap_from_name(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(caps_known); i++) {
        if (slice_ieq(name, caps_known[i].name))
            return caps_known[i].bits;
    }
    return 0;
}

static struct slice take_name(struct slice *in)
{
    struct slice name;

    while (in->n > 0 && (unsigned char)in->p[0] <= ' ')
        *in = slice_from(*in, 1);
    name = slice_make(in->p, 0);
    while (name.n < in->n && (unsigned char)in->p[name.n] > ' ')
        name.n++;
    *in = slice_from(*in, name.n);
    return name;
}

void imap_parse_caps(struct slice names, struct imap_caps *out)
{
    static const struct slice message_limit = SLICE("MESSAGELIMIT="), append_limit = SLICE("APPENDLIMIT="),
                              auth = SLICE("AUTH=");
    struct slice name;

    *out = (struct imap_caps){ 0 };
    while ((name = take_name(&names)).n > 0) {
        /* A number that is none leaves "no limit told": the peer will refuse what is too much. */
        if (slice_istarts(name, message_limit)) {
            if (num_parse_u32(slice_from(name, message_limit.n), &out->message_limit) != 0)
                continue;
        } else if (slice_istarts(name, append_limit)) {
            if (num_parse_u64(slice_from(name, append_limit.n), &out->append_limit) != 0)
                continue;
        } else if (slice_istarts(name, auth)) {
            out->auth |= sasl_from_name(slice_from(name, auth.n));
        } else {
            out->bits |= imap_cap_from_name(name);
        }
    }
    if ((out->bits & IMAP_CAP_IMAP4REV2) != 0)
        out->bits |= caps_of_rev2;
    if ((out->bits & IMAP_CAP_QRESYNC) != 0)
        out->bits |= IMAP_CAP_CONDSTORE;
}
