/* SPDX-License-Identifier: MIT */
#include "daemon/control_request.h"

#include <jansson.h>

static const char *const verbs[] = { "status", "fetch", "reload", "stop" };

static int take_verb(const json_t *o, struct control_request *out, const char **why_out)
{
    const char *word = json_string_value(json_object_get(o, "do"));

    for (size_t i = 0; word != NULL && i < ARRAY_LEN(verbs); i++) {
        if (strcmp(word, verbs[i]) == 0) {
            out->what = (enum control_do)i;
            return 0;
        }
    }
    *why_out = "\"do\" is none of status, fetch, reload, stop";
    return -1;
}

static int take_flag(const json_t *o, const char *key, bool *out, const char **why_out)
{
    const json_t *v = json_object_get(o, key);

    *why_out = "\"oversize\" and \"messages\" are true or false";
    *out = json_is_true(v);
    return v == NULL || json_is_boolean(v) ? 0 : -1;
}

static int take_accounts(const json_t *o, struct control_request *out, const char **why_out)
{
    const json_t *v = json_object_get(o, "accounts");
    size_t n = json_array_size(v);

    *why_out = "\"accounts\" is a list of names";
    if (v != NULL && !json_is_array(v))
        return -1;
    out->accounts = calloc(n + 1, sizeof(*out->accounts));
    for (size_t i = 0; out->accounts != NULL && i < n; i++) {
        const char *name = json_string_value(json_array_get(v, i));

        if (name == NULL)
            return -1;
        out->accounts[i] = strdup(name);
        if (out->accounts[i] == NULL)
            break;
        out->account_count++;
    }
    *why_out = "out of memory";
    return out->accounts != NULL && out->account_count == n ? 0 : -1;
}

int control_request_parse(struct slice line, struct control_request *out, const char **why_out)
{
    json_t *o = json_loadb(line.n > 0 ? line.p : "", line.n, JSON_REJECT_DUPLICATES, NULL);
    int rc = -1;

    *out = (struct control_request){ 0 };
    *why_out = "this is no JSON object";
    if (json_is_object(o) && take_verb(o, out, why_out) == 0 &&
        take_flag(o, "oversize", &out->oversize, why_out) == 0 &&
        take_flag(o, "messages", &out->messages, why_out) == 0 && take_accounts(o, out, why_out) == 0)
        rc = 0;
    if (rc != 0)
        control_request_release(out);
    json_decref(o);
    return rc;
}

void control_request_release(struct control_request *r)
{
    for (size_t i = 0; i < r->account_count; i++)
        free(r->accounts[i]);
    free(r->accounts);
    *r = (struct control_request){ 0 };
}

int control_request_write(const struct control_request *r, struct buf *out)
{
    json_t *names = json_array();
    json_t *o = json_pack("{s:s, s:b, s:b}", "do", verbs[r->what], "oversize", r->oversize, "messages", r->messages);
    char *text = NULL;
    int rc = -1;

    for (size_t i = 0; i < r->account_count; i++) {
        if (json_array_append_new(names, json_string(r->accounts[i])) != 0)
            goto out;
    }
    if (json_object_set(o, "accounts", names) != 0)
        goto out;
    text = json_dumps(o, JSON_COMPACT);
    if (text != NULL && buf_put_str(out, text) == 0 && buf_put_char(out, '\n') == 0)
        rc = 0;
out:
    free(text);
    json_decref(names);
    json_decref(o);
    return rc;
}
