/* SPDX-License-Identifier: MIT
 * commit: messages go out as APPEND commands, many on their way at once, many in one where the server has MULTIAPPEND.
 *
 * A group is taken whole or not at all (RFC 3502): when it is refused its messages go one by one, which finds the one.
 * When the connection is lost, everything that was on its way is looked for in the folder (imap_lookup.c), and what is
 * not there goes again, each alone: a message with which the connection is lost twice, or that was never answered,
 * stays in doubt, and the rest goes on.
 * Nothing is recorded before the last octet of a command, because STAGED says it already: only a look tells.
 */
#include "haul/sink_imap_int.h"

#include <stdio.h>
#include <strings.h>

#include "base/log.h"
#include "base/num.h"
#include "base/step.h"
#include "wire/crlf.h"
#include "wire/mailflag.h"

enum {
    GROUP_MESSAGES = 64,
    /* Larger ones have a command each, so that a refusal costs no more than the message. */
    GROUP_OCTETS = 4 * 1024 * 1024,
    ALONE_OCTETS = 1024 * 1024,
    /* After so many in a row without anything accepted between, it is the destination. */
    LOST_MAX = 3,
    PUT_OFF_MAX = 3,
    /* So many groups refused whose messages were all taken one by one: the server cannot do it. */
    GROUPS_REFUSED_MAX = 3,
    WORDS_MAX = ERR_TEXT_MAX + ERR_PEER_MAX,
};

/* --- outcomes --------------------------------------------------------------------------------------------------- */

void append_settle(struct appender *a, size_t i, enum delivery_state state, const char *words)
{
    struct sink_slot *slot = a->slots[i];
    struct err why;

    slot->state = state;
    append_mail(a, i)->stage = IMAP_SETTLED;
    if (words != NULL)
        sink_slot_why(slot, words);
    if (a->mute || a->record->write(a->record->ctx, slot, &why) == 0)
        return;
    a->mute = true;
    a->ending = why;
}

void append_delivered(struct appender *a, size_t i, uint32_t uidvalidity, uint32_t uid)
{
    struct sink_slot *slot = a->slots[i];
    struct imap_mail *mail = append_mail(a, i);

    mail->uid = uid;
    if (uid != 0)
        snprintf(slot->name, sizeof(slot->name), "%" PRIu32 ".%" PRIu32, uidvalidity, uid);
    a->si->lost = a->si->put_off = 0;
    append_settle(a, i, DELIVERY_DELIVERED, NULL);
}

static void end_with(struct appender *a, const struct err *why)
{
    if (a->ending.code == E_NONE)
        a->ending = *why;
}

static bool is_member(const struct appender *a, size_t i, uint32_t tag)
{
    const struct imap_mail *mail = append_mail(a, i);

    return mail->stage == IMAP_FLYING && mail->tag == tag;
}

static size_t members_of(const struct appender *a, uint32_t tag, size_t *first_out)
{
    size_t n = 0;

    for (size_t i = a->count; i-- > 0;) {
        if (!is_member(a, i, tag))
            continue;
        *first_out = i;
        n++;
    }
    return n;
}

/* APPENDUID uidvalidity uids (RFC 4315, RFC 3502): as many as messages, in their order. DavMail had the two numbers
 * exchanged. */
static void take_appenduid(const struct imap_done *done, size_t messages, struct imap_target *t,
                           struct uid_set *uids_out)
{
    struct slice args = slice_str(done->code_args);
    uint32_t uidvalidity, next;

    if (strcasecmp(done->code, "APPENDUID") != 0 || num_take_u32(&args, &uidvalidity) != 0 || uidvalidity == 0 ||
        uid_set_parse(slice_trim(args), messages, uids_out) != 0 || uids_out->count == 0)
        return;
    if (messages == 1 && uidvalidity != t->uidvalidity && uids_out->ranges[0].first == t->uidvalidity &&
        uid_set_size(uids_out) == 1) {
        uids_out->ranges[0].first = uids_out->ranges[0].last = uidvalidity;
        uidvalidity = t->uidvalidity;
    }
    if (uid_set_size(uids_out) != messages) {
        uid_set_clear(uids_out);
        return;
    }
    /* Gmail names the message that it has already, when it has. */
    next = uids_out->ranges[uids_out->count - 1].last + 1;
    if (uidvalidity != t->uidvalidity || next > t->uidnext)
        t->uidnext = next;
    t->uidvalidity = uidvalidity;
}

static void accepted(struct appender *a, uint32_t tag, const struct imap_done *done)
{
    size_t first = 0, count = members_of(a, tag, &first), range = 0;
    struct imap_target *t = append_mail(a, first)->target;
    struct uid_set uids = UID_SET_INIT;
    uint32_t uid = 0;

    take_appenduid(done, count, t, &uids);
    if (uids.count > 0)
        uid = uids.ranges[0].first;
    else
        t->behind = true;
    for (size_t i = first; i < a->count; i++) {
        if (!is_member(a, i, tag))
            continue;
        append_delivered(a, i, t->uidvalidity, uid);
        if (uids.count > 0 && uid++ == uids.ranges[range].last && ++range < uids.count)
            uid = uids.ranges[range].first;
    }
    step("imap.appended");
    uid_set_release(&uids);
}

static void again_one_by_one(struct appender *a, uint32_t tag, const struct imap_done *done)
{
    struct sink_imap *si = a->si;

    if (done->status == IMAP_BAD || ++si->groups_refused >= GROUPS_REFUSED_MAX)
        si->no_groups = true;
    for (size_t i = 0; i < a->count; i++) {
        if (!is_member(a, i, tag))
            continue;
        append_mail(a, i)->stage = IMAP_WAITING;
        append_mail(a, i)->single = true;
    }
}

/* The folder has gone, or never was (RFC 3501 section 6.3.11). */
static int folder_missing(struct appender *a, uint32_t tag, const struct err *why, struct err *e)
{
    size_t first = 0;
    struct imap_target *t;
    bool was_made;
    char words[WORDS_MAX];

    members_of(a, tag, &first);
    t = append_mail(a, first)->target;
    was_made = append_mail(a, first)->missing;
    for (size_t i = 0; i < a->count; i++) {
        if (!is_member(a, i, tag))
            continue;
        append_mail(a, i)->stage = IMAP_WAITING;
        append_mail(a, i)->missing = true;
    }
    if (was_made) {
        err_format(why, words, sizeof(words));
        imap_target_refuse(t, words);
        return 0;
    }
    /* Others that were on their way meanwhile find it made. */
    return t->words == NULL && !t->made ? imap_target_make(a->si, t, e) : 0;
}

static bool ends_without_line_end(const struct spool_file *file)
{
    uint64_t octets = spool_facts(file)->lf_octets;
    struct err ignored;
    char last;
    size_t n;

    return octets > 0 && spool_read(file, octets - 1, &last, 1, &n, &ignored) == 0 && n == 1 && last != '\n';
}

/* Courier, older Cyrus and Exchange say so in words alone (RFC 5530 has codes for it). */
static bool sounds_temporary(const struct imap_done *done)
{
    static const char *const words[] = { "quota", "temporar", "try again", "unavailable" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasestr(done->text, words[i]) != NULL)
            return done->status == IMAP_NO;
    }
    return false;
}

/* One message alone was refused: its own fault, the folder's, or the server's. */
static void single_refused(struct appender *a, size_t i, const struct imap_done *done, const struct err *why)
{
    struct imap_mail *mail = append_mail(a, i);
    char words[WORDS_MAX];

    err_format(why, words, sizeof(words));
    /* Yahoo: BAD [CLIENTBUG] for a message without an end to its last line. */
    if (strcasecmp(done->code, "CLIENTBUG") == 0 && !mail->add_crlf && ends_without_line_end(mail->file)) {
        mail->add_crlf = true;
        mail->stage = IMAP_WAITING;
    } else if (strcasecmp(done->code, "NOPERM") == 0) {
        imap_target_refuse(mail->target, words);
        mail->stage = IMAP_WAITING;
    } else if (why->code == E_BUSY || sounds_temporary(done)) {
        struct err busy = *why;

        busy.code = E_BUSY;
        append_settle(a, i, DELIVERY_WANTED, words);
        if (++a->si->put_off >= PUT_OFF_MAX)
            end_with(a, &busy);
    } else {
        append_settle(a, i, DELIVERY_REJECTED, words);
    }
}

static int refused(struct appender *a, uint32_t tag, const struct imap_done *done, struct err *e)
{
    size_t first = 0, count = members_of(a, tag, &first);
    struct err why;

    imap_refused(a->si->im, done, E_REJECTED, count == 1 ? "a message" : "messages", &why);
    if (imap_throttled(done) || why.code == E_AUTH || why.code == E_TLS) {
        /* Nobody's message is to blame. */
        for (size_t i = 0; i < a->count; i++) {
            if (is_member(a, i, tag))
                append_mail(a, i)->stage = IMAP_SETTLED;
        }
        end_with(a, &why);
        return 0;
    }
    if (strcasecmp(done->code, "TRYCREATE") == 0 || strcasecmp(done->code, "NONEXISTENT") == 0)
        return folder_missing(a, tag, &why, e);
    if (count > 1)
        again_one_by_one(a, tag, done);
    else
        single_refused(a, first, done, &why);
    return 0;
}

static int answered(struct appender *a, uint32_t tag, const struct imap_done *done, struct err *e)
{
    if (done->status != IMAP_OK)
        return refused(a, tag, done, e);
    accepted(a, tag, done);
    return 0;
}

/* --- sending ---------------------------------------------------------------------------------------------------- */

static uint64_t octets_of(const struct imap_mail *mail)
{
    return spool_facts(mail->file)->exact_octets + (mail->add_crlf ? 2 : 0);
}

static void unfit(struct appender *a, size_t i, const char *words)
{
    a->slots[i]->by_us = true;
    append_settle(a, i, DELIVERY_REJECTED, words);
}

/* What no server could take is not sent. False: settled here. */
static bool may_be_sent(struct appender *a, size_t i)
{
    const struct imap_mail *mail = append_mail(a, i);
    uint64_t octets = octets_of(mail), limit = mail->target->limit;
    char words[WORDS_MAX];

    if (imap_append_limit(a->si->im) != 0)
        limit = imap_append_limit(a->si->im);
    if (mail->target->words != NULL) {
        append_settle(a, i, DELIVERY_WANTED, mail->target->words);
    } else if (octets == 0) {
        unfit(a, i, "the message is empty; IMAP has no way to store such a one");
    } else if (limit != 0 && octets > limit) {
        snprintf(words, sizeof(words), "the message has %" PRIu64 " octets, and the server takes at most %" PRIu64,
                 octets, limit);
        unfit(a, i, words);
    } else {
        return true;
    }
    return false;
}

static bool waits(const struct imap_mail *mail)
{
    return mail->stage == IMAP_WAITING && !mail->doubt;
}

/* Chooses what the next command carries. 0: nothing is left, or nothing may be sent before something is answered. */
static size_t choose(struct appender *a, size_t members[GROUP_MESSAGES])
{
    uint64_t caps = imap_caps(a->si->im), octets = 0;
    bool pipelined = (caps & (IMAP_CAP_LITERAL_PLUS | IMAP_CAP_LITERAL_MINUS)) != 0;
    bool groups = (caps & IMAP_CAP_MULTIAPPEND) != 0 && !a->si->no_groups;
    const struct imap_mail *lead = NULL;
    size_t n = 0;

    /* Without LITERAL+ each message is asked for, and a server that has no such thing is old: one at a time. */
    if (a->flying_count == IMAP_WINDOW || (a->flying_count > 0 && (a->exclusive || !pipelined)))
        return 0;
    for (size_t i = 0; i < a->count && n < GROUP_MESSAGES && a->ending.code == E_NONE; i++) {
        const struct imap_mail *mail = append_mail(a, i);

        if (!waits(mail) || (lead != NULL && mail->target != lead->target) || !may_be_sent(a, i))
            continue;
        if (lead == NULL) {
            if (mail->alone && a->flying_count > 0)
                return 0;
            lead = mail;
        } else if (mail->alone || mail->single || octets_of(mail) > ALONE_OCTETS ||
                   octets + octets_of(mail) > GROUP_OCTETS) {
            break;
        }
        members[n++] = i;
        octets += octets_of(mail);
        if (!groups || lead->alone || lead->single || octets > ALONE_OCTETS)
            break;
    }
    return a->ending.code == E_NONE ? n : 0;
}

static int put_body(struct appender *a, const struct imap_mail *mail, struct err *e)
{
    struct sink_imap *si = a->si;
    struct crlf form = CRLF_INIT(CRLF_EXACT);
    uint64_t offset = 0, octets = 0;
    size_t n = 1;

    while (n > 0) {
        struct slice in;

        if (spool_read(mail->file, offset, si->from_spool, IMAP_SPOOL_CHUNK, &n, e) != 0)
            return -1;
        offset += n;
        for (in = slice_make(si->from_spool, n); in.n > 0;) {
            size_t out = crlf_put(&form, &in, si->to_wire, sizeof(si->to_wire));

            octets += out;
            if (octets > spool_facts(mail->file)->exact_octets)
                break;
            imap_literal_data(si->im, slice_make(si->to_wire, out));
        }
    }
    if (octets != spool_facts(mail->file)->exact_octets)
        return err_set(e, E_DISK, "a message in the spool is not as long as it was");
    if (mail->add_crlf)
        imap_literal_data(si->im, SLICE("\r\n"));
    return 0;
}

static int put_attributes(struct imap *im, const struct imap_mail *mail, struct err *e)
{
    static const struct {
        unsigned flag;
        const char *name;
    } flags[] = { { MAIL_SEEN, "\\Seen" },
                  { MAIL_ANSWERED, "\\Answered" },
                  { MAIL_FLAGGED, "\\Flagged" },
                  { MAIL_DRAFT, "\\Draft" } };
    struct buf text = BUF_INIT(200);
    const char *before = " (";
    int rc = 0;

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if ((mail->flags & flags[i].flag) == 0)
            continue;
        rc |= buf_putf(&text, "%s%s", before, flags[i].name);
        before = " ";
    }
    if (text.len > 0)
        rc |= buf_put_char(&text, ')');
    if (mail->date != 0 && rc == 0 && buf_put_char(&text, ' ') == 0 && imap_put_date(&text, mail->date) != 0)
        buf_truncate(&text, text.len - 1); /* a date that cannot be written: the server takes the time of arrival */
    if (rc != 0)
        err_nomem(e);
    else
        imap_text(im, "%s ", buf_cstr(&text));
    buf_release(&text);
    return rc;
}

static int send_command(struct appender *a, const size_t *members, size_t count, struct err *e)
{
    const struct imap_mail *lead = append_mail(a, members[0]);
    struct imap *im = a->si->im;
    uint32_t tag;
    bool go = true;

    imap_begin(im, &tag);
    a->flying[a->flying_count++] = tag;
    a->exclusive = lead->alone;
    for (size_t i = 0; i < count; i++) {
        append_mail(a, members[i])->stage = IMAP_FLYING;
        append_mail(a, members[i])->tag = tag;
    }
    imap_text(im, "APPEND ");
    imap_string_arg(im, slice_str(lead->target->wire));
    for (size_t i = 0; i < count && go; i++) {
        const struct imap_mail *mail = append_mail(a, members[i]);

        if (put_attributes(im, mail, e) != 0 || imap_literal_begin(im, tag, octets_of(mail), &go, e) != 0 ||
            (go && put_body(a, mail, e) != 0))
            return -1;
    }
    if (go)
        imap_end(im);
    return 0;
}

static int finish_oldest(struct appender *a, struct err *e)
{
    uint32_t tag = a->flying[0];
    struct imap_done done;

    if (imap_finish(a->si->im, tag, NULL, &done, e) != 0)
        return -1;
    a->flying_count--;
    memmove(a->flying, a->flying + 1, a->flying_count * sizeof(a->flying[0]));
    return answered(a, tag, &done, e);
}

static int append_all(struct appender *a, struct err *e)
{
    for (;;) {
        size_t members[GROUP_MESSAGES], n = choose(a, members);

        if (n > 0) {
            if (send_command(a, members, n, e) != 0)
                return -1;
        } else if (a->flying_count > 0) {
            if (finish_oldest(a, e) != 0)
                return -1;
        } else {
            return 0;
        }
    }
}

/* --- a lost connection ------------------------------------------------------------------------------------------ */

static void doubt(struct appender *a, uint32_t tag, const struct err *why)
{
    char words[WORDS_MAX];

    err_format(why, words, sizeof(words));
    for (size_t i = 0; i < a->count; i++) {
        struct imap_mail *mail = append_mail(a, i);

        if (!is_member(a, i, tag))
            continue;
        mail->stage = IMAP_WAITING;
        mail->doubt = true;
        mail->cut = mail->alone || why->code == E_TIMEOUT;
        mail->alone = true;
        a->slots[i]->state = DELIVERY_IN_DOUBT;
        sink_slot_why(a->slots[i], words);
    }
}

/* Nothing is on its way any more: it was answered, or it is in doubt. */
static void let_go(struct appender *a, const struct err *why)
{
    bool readable = why->code == E_NET || why->code == E_TIMEOUT || why->code == E_BUSY || why->code == E_STOPPED;
    struct imap_done done;

    for (size_t i = 0; i < a->flying_count; i++) {
        uint32_t tag = a->flying[i];

        if (readable && imap_answered(a->si->im, tag, &done) && done.status == IMAP_OK)
            accepted(a, tag, &done);
        else
            doubt(a, tag, why);
    }
    a->flying_count = 0;
    imap_close(&a->si->im);
}

/* One connection's worth. */
static int go_on(struct appender *a, bool *connected_out, struct err *e)
{
    *connected_out = false;
    if (imap_sink_session(a->si, e) != 0)
        return -1;
    *connected_out = true;
    return imap_look_up(a, e) == 0 ? append_all(a, e) : -1;
}

static void begin(struct appender *a)
{
    for (size_t i = 0; i < a->count; i++) {
        struct imap_mail *mail = append_mail(a, i);

        a->slots[i]->state = DELIVERY_WANTED;
        mail->stage = IMAP_WAITING;
        mail->uid = 0;
        mail->doubt = a->slots[i]->doubtful;
        mail->alone = a->slots[i]->tries > 0;
        mail->single = mail->cut = mail->missing = mail->add_crlf = false;
    }
}

int imap_sink_commit(struct sink *s, struct sink_slot *const *slots, size_t count, const struct sink_record *record,
                     struct err *e)
{
    struct appender a = { .si = sink_imap_self(s), .slots = slots, .count = count, .record = record };
    bool connected = true;
    struct err why = ERR_INIT;
    int rc;

    begin(&a);
    while ((rc = go_on(&a, &connected, &why)) != 0) {
        if (connected)
            let_go(&a, &why);
        /* Silence costs ten times the timeout: twice is enough. */
        a.si->lost += why.code == E_TIMEOUT ? LOST_MAX - 1 : 1;
        if (!connected || !imap_sink_lost(&why) || a.ending.code != E_NONE || a.si->lost >= LOST_MAX)
            break;
        log_info("destination %s: %s; connecting again", s->name, why.text);
    }
    if (a.ending.code != E_NONE && (rc == 0 || why.code != E_STOPPED)) {
        *e = a.ending;
        return -1;
    }
    if (rc != 0)
        *e = why;
    return rc;
}
