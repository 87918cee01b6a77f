/* SPDX-License-Identifier: MIT */
#include "proto/imap_wait.h"

#include "proto/imap_int.h"

/* Of 64 KiB each: what a server may have to say about news, and more. */
enum { FILLS_MAX = 64 };

int imap_idle(struct imap *im, const struct imap_handler *handler, bool *idling_out, struct err *e)
{
    struct imap_sent *sent;
    uint32_t tag;

    *idling_out = false;
    imap_begin(im, &tag);
    imap_text(im, "IDLE");
    imap_end(im);
    sent = imap_sent_find(im, tag);
    if (im->put_error.code != E_NONE || sent == NULL) {
        *e = im->put_error;
        im->broken = true;
        return -1;
    }
    stream_exchange(im->stream, 1);
    if (imap_await_go(im, sent, handler, idling_out, e) != 0)
        return -1;
    if (*idling_out)
        im->idle_tag = tag;
    else
        imap_sent_drop(sent, NULL);
    return 0;
}

static struct imap_sent *idle_of(const struct imap *im)
{
    return im->idle_tag != 0 ? imap_sent_find((struct imap *)(uintptr_t)im, im->idle_tag) : NULL;
}

bool imap_idling(const struct imap *im)
{
    const struct imap_sent *sent = idle_of(im);

    return sent != NULL && sent->result == NULL;
}

int imap_idle_end(struct imap *im, const struct imap_handler *handler, struct err *e)
{
    struct imap_sent *sent = idle_of(im);

    if (sent == NULL)
        return 0;
    im->idle_tag = 0;
    if (sent->result == NULL) {
        stream_exchange(im->stream, 1);
        stream_put(im->stream, SLICE("DONE\r\n"));
        if (stream_flush(im->stream, e) != 0) {
            im->broken = true;
            return -1;
        }
    }
    while (sent->result == NULL) {
        if (imap_read_one(im, handler, e) != 0)
            return -1;
        /* Some say "+" more than once; there is nothing that it could ask for. */
        im->continued = false;
    }
    imap_sent_drop(sent, NULL);
    return 0;
}

int imap_arrived(struct imap *im, const struct imap_handler *handler, bool *all_out, struct err *e)
{
    int rc;

    im->no_wait = true;
    im->fills_left = FILLS_MAX;
    while ((rc = imap_read_one(im, handler, e)) == 0)
        im->continued = false;
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
