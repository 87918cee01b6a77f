/* SPDX-License-Identifier: MIT */
#include "net/https.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include <curl/curl.h>

#include "base/log.h"
#include "base/stop.h"

/* The functions by their own types. */
static struct {
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_easy_init) *init;
    __typeof__(curl_easy_setopt) *setopt;
    __typeof__(curl_easy_perform) *perform;
    __typeof__(curl_easy_getinfo) *getinfo;
    __typeof__(curl_easy_strerror) *strerror;
    __typeof__(curl_easy_cleanup) *cleanup;
    __typeof__(curl_slist_append) *append;
    __typeof__(curl_slist_free_all) *free_all;
} lib;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool ready;

static bool find(void *handle, const char *name, void *function)
{
    void *address = dlsym(handle, name);

    memcpy(function, &address, sizeof(address));
    return address != NULL;
}

/* It brings two dozen libraries along, 4 MiB and 3 ms, which a pass that asks nobody for a token shall not pay for. */
static void begin(void)
{
    void *handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

    ready = handle != NULL && find(handle, "curl_global_init", &lib.global_init) &&
            find(handle, "curl_easy_init", &lib.init) && find(handle, "curl_easy_setopt", &lib.setopt) &&
            find(handle, "curl_easy_perform", &lib.perform) && find(handle, "curl_easy_getinfo", &lib.getinfo) &&
            find(handle, "curl_easy_strerror", &lib.strerror) && find(handle, "curl_easy_cleanup", &lib.cleanup) &&
            find(handle, "curl_slist_append", &lib.append) && find(handle, "curl_slist_free_all", &lib.free_all) &&
            lib.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

struct body {
    struct buf *bytes;
    bool too_long;
};

static size_t take(char *p, size_t size, size_t count, void *ctx)
{
    struct body *body = ctx;

    body->too_long = buf_full(body->bytes, size * count);
    return buf_put(body->bytes, p, size * count) == 0 ? size * count : 0;
}

static int look(void *unused, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)unused, (void)a, (void)b, (void)c, (void)d;
    return stop_requested() != 0;
}

static CURLcode only_https(CURL *curl)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return lib.setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
#else
    return lib.setopt(curl, CURLOPT_PROTOCOLS, CURLPROTO_HTTPS);
#endif
}

/* The program curl looks at these, its library does not. */
static CURLcode set_trust(CURL *curl)
{
    const char *file = secure_getenv("SSL_CERT_FILE"), *dir = secure_getenv("SSL_CERT_DIR");
    CURLcode rc = CURLE_OK;

    if (file != NULL)
        rc = lib.setopt(curl, CURLOPT_CAINFO, file);
    if (rc == CURLE_OK && dir != NULL)
        rc = lib.setopt(curl, CURLOPT_CAPATH, dir);
    return rc;
}

static CURLcode set_up(CURL *curl, const char *url, char *words, struct body *body)
{
    CURLcode rc = only_https(curl);
#define SET(option, value) (rc = rc != CURLE_OK ? rc : lib.setopt(curl, option, value))

    SET(CURLOPT_URL, url);
    SET(CURLOPT_ERRORBUFFER, words);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_TIMEOUT, (long)HTTPS_TIMEOUT_S);
    SET(CURLOPT_USERAGENT, "mailhaul/" PACKAGE_VERSION);
    SET(CURLOPT_WRITEFUNCTION, take);
    SET(CURLOPT_WRITEDATA, body);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, look);
#undef SET
    return rc == CURLE_OK ? set_trust(curl) : rc;
}

static enum err_code code_of(CURLcode rc)
{
    switch (rc) {
    case CURLE_OPERATION_TIMEDOUT:
        return E_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
        return E_NOMEM;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return E_TLS;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return E_PROTO;
    default:
        return E_NET;
    }
}

static int failed(const char *url, CURLcode rc, const char *words, const struct body *body, struct err *e)
{
    char printable[CURL_ERROR_SIZE];

    if (stop_requested() != 0)
        return err_set(e, E_STOPPED, "stopped");
    if (rc == CURLE_WRITE_ERROR)
        return body->too_long ? err_set(e, E_PROTO, "%s: the answer is longer than %zu bytes", url, body->bytes->max)
                              : err_nomem(e);
    log_printable(printable, sizeof(printable), slice_str(words[0] != '\0' ? words : lib.strerror(rc)));
    return err_set(e, code_of(rc), "%s: %s", url, printable);
}

/* The form stays where it is: libcurl makes no copy of it. */
static CURLcode set_form(CURL *curl, const struct slice *form, const struct curl_slist *headers)
{
    CURLcode rc = lib.setopt(curl, CURLOPT_POSTFIELDS, form->p);

    if (rc == CURLE_OK)
        rc = lib.setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)form->n);
    return rc == CURLE_OK ? lib.setopt(curl, CURLOPT_HTTPHEADER, headers) : rc;
}

static int exchange(const char *url, const struct slice *form, size_t max, struct https_response *out, struct err *e)
{
    char words[CURL_ERROR_SIZE] = "", *type = NULL;
    struct body body = { .bytes = &out->body };
    struct curl_slist *headers = NULL;
    long status = 0;
    CURL *curl;
    CURLcode rc;

    *out = (struct https_response){ .body = BUF_INIT(max) };
    pthread_once(&once, begin);
    if (!ready)
        return err_set(e, E_CONFIG, "%s cannot be asked: libcurl (libcurl.so.4) is not on this machine, or of no use",
                       url);
    curl = lib.init();
    if (curl == NULL || (headers = lib.append(NULL, "Accept: application/json")) == NULL) {
        lib.cleanup(curl);
        return err_nomem(e);
    }
    rc = set_up(curl, url, words, &body);
    if (rc == CURLE_OK && form != NULL)
        rc = set_form(curl, form, headers);
    if (rc == CURLE_OK)
        rc = lib.perform(curl);
    if (rc == CURLE_OK)
        rc = lib.getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (rc == CURLE_OK)
        rc = lib.getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    out->status = (unsigned)status;
    log_printable(out->type, sizeof(out->type), slice_str(type));
    lib.cleanup(curl);
    lib.free_all(headers);
    return rc == CURLE_OK ? 0 : failed(url, rc, words, &body, e);
}

int https_get(const char *url, size_t max, struct https_response *out, struct err *e)
{
    return exchange(url, NULL, max, out, e);
}

int https_post(const char *url, struct slice form, size_t max, struct https_response *out, struct err *e)
{
    return exchange(url, &form, max, out, e);
}

void https_release(struct https_response *r)
{
    buf_wipe(&r->body);
    buf_release(&r->body);
}
