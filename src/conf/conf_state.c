/* SPDX-License-Identifier: MIT
 * The names of the files in state_dir.
 */
#include "conf/conf_int.h"

enum { STATE_PATH_MAX = 8192 };

int conf_state_name(const char *name, const char *suffix, struct buf *out)
{
    static const char hex[] = "0123456789ABCDEF", plain[] = "_@+-.";

    for (const char *p = name; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || ascii_isdigit(*p);
        char escaped[4] = { '%', hex[c >> 4], hex[c & 15], '\0' };

        if (letter || (strchr(plain, c) != NULL && p != name)) {
            if (buf_put_char(out, *p) != 0)
                return -1;
        } else if (buf_put_str(out, escaped) != 0) {
            return -1;
        }
    }
    return buf_put_str(out, suffix);
}

/* One that is right already stays as it is: others may be reading it. */
static int set_state(const struct conf *c, const char *account, const char *deliver, struct conf_login *l)
{
    struct buf path = BUF_INIT(STATE_PATH_MAX);
    int rc = -1;

    if (buf_putf(&path, "%s/", c->state_dir) != 0 || conf_state_name(account, "", &path) != 0)
        goto out;
    if (deliver != NULL && (buf_put_char(&path, ':') != 0 || conf_state_name(deliver, "", &path) != 0))
        goto out;
    rc = 0;
    if (l->state == NULL || strcmp(l->state, buf_cstr(&path)) != 0) {
        free(l->state);
        l->state = strdup(buf_cstr(&path));
        rc = l->state != NULL ? 0 : -1;
    }
out:
    buf_release(&path);
    return rc;
}

int conf_set_states(struct conf *c)
{
    for (size_t i = 0; i < c->account_count; i++) {
        struct conf_account *a = c->accounts[i];

        if (set_state(c, a->name, NULL, &a->login) != 0)
            return -1;
        for (size_t k = 0; k < a->deliver_count; k++) {
            if (set_state(c, a->name, a->delivers[k].name, &a->delivers[k].login) != 0)
                return -1;
        }
    }
    return 0;
}
