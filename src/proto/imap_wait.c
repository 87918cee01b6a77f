/* SPDX-License-Identifier: MIT */
#include "proto/imap_wait.h"

#include "proto/imap_int.h"

/* Of 64 KiB each: what a server may have to say about news, and more. */
enum { FILLS_MAX = 64 };

static struct imap_sent *sent_with(const struct imap *im, uint32_t tag)
{
    return tag != 0 ? imap_sent_find((struct imap *)(uintptr_t)im, tag) : NULL;
}

/* What the response that was just read means for IDLE. Some servers say "+" more than once; there is nothing that it
 * could ask for. */
static void note_idle(struct imap *im)
{
    struct imap_sent *sent = sent_with(im, im->idle_tag);

    if (im->continued && im->idle == IMAP_IDLE_ASKED)
        im->idle = IMAP_IDLE_ON;
    im->continued = false;
    if (sent == NULL || sent->result == NULL)
        return;
    imap_sent_drop(sent, NULL);
    im->idle_tag = 0;
    im->idle = IMAP_IDLE_OFF;
}

int imap_send(struct imap *im, struct err *e)
{
    stream_exchange(im->stream, 1);
    if (im->put_error.code != E_NONE) {
        *e = im->put_error;
        im->broken = true;
        return -1;
    }
    if (stream_flush(im->stream, e) == 0)
        return 0;
    im->broken = true;
    return -1;
}

bool imap_has_answer(const struct imap *im, uint32_t tag)
{
    const struct imap_sent *sent = sent_with(im, tag);

    return sent != NULL && sent->result != NULL;
}

int imap_idle_ask(struct imap *im, struct err *e)
{
    imap_begin(im, &im->idle_tag);
    imap_text(im, "IDLE");
    imap_end(im);
    im->idle = IMAP_IDLE_ASKED;
    return imap_send(im, e);
}

int imap_idle_leave(struct imap *im, struct err *e)
{
    if (im->idle != IMAP_IDLE_ON)
        return 0;
    stream_put(im->stream, SLICE("DONE\r\n"));
    im->idle = IMAP_IDLE_LEAVING;
    return imap_send(im, e);
}

enum imap_idle_state imap_idling(const struct imap *im)
{
    return im->idle;
}

/* Until the server has said to IDLE, or to DONE, what it has to. */
static int settle(struct imap *im, const struct imap_handler *handler, struct err *e)
{
    while (im->idle == IMAP_IDLE_ASKED || im->idle == IMAP_IDLE_LEAVING) {
        if (imap_read_one(im, handler, e) != 0)
            return -1;
        note_idle(im);
    }
    return 0;
}

int imap_idle(struct imap *im, const struct imap_handler *handler, bool *idling_out, struct err *e)
{
    *idling_out = false;
    if (imap_idle_ask(im, e) != 0 || settle(im, handler, e) != 0)
        return -1;
    *idling_out = im->idle == IMAP_IDLE_ON;
    return 0;
}

int imap_idle_end(struct imap *im, const struct imap_handler *handler, struct err *e)
{
    stream_exchange(im->stream, 1);
    return settle(im, handler, e) != 0 || imap_idle_leave(im, e) != 0 ? -1 : settle(im, handler, e);
}

int imap_arrived(struct imap *im, const struct imap_handler *handler, bool *all_out, struct err *e)
{
    int rc;

    im->no_wait = true;
    im->fills_left = FILLS_MAX;
    while ((rc = imap_read_one(im, handler, e)) == 0)
        note_idle(im);
    *all_out = im->fills_left > 0;
    im->no_wait = false;
    return rc < 0 ? -1 : 0;
}

int imap_fd(const struct imap *im)
{
    return stream_fd(im->stream);
}

void imap_park(struct imap *im)
{
    imap_reader_rest(&im->reader);
    stream_park(im->stream);
}
