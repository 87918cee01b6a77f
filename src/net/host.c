/* SPDX-License-Identifier: MIT */
#include "net/host.h"

#include <arpa/inet.h>
#include <stdio.h>

#ifdef HAVE_IDN2
#include <idn2.h>
#endif

static bool is_ascii(const char *s)
{
    while (*s > 0)
        s++;
    return *s == '\0';
}

static int to_a_labels(const char *host, char out[HOST_MAX], struct err *e)
{
#ifdef HAVE_IDN2
    uint8_t *found = NULL;
    int rc = idn2_lookup_u8((const uint8_t *)host, &found, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

    if (rc == IDN2_OK)
        snprintf(out, HOST_MAX, "%s", (const char *)found);
    idn2_free(found);
    return rc == IDN2_OK ? 0 : err_set(e, E_CONFIG, "%s is no name of a host: %s", host, idn2_strerror(rc));
#else
    (void)out;
    return err_set(e, E_CONFIG, "%s: this mailhaul was built without libidn2; write the name in its xn-- form", host);
#endif
}

int host_ascii(const char *host, char out[HOST_MAX], struct err *e)
{
    size_t n;

    if (!is_ascii(host)) {
        if (to_a_labels(host, out, e) != 0)
            return -1;
    } else if (snprintf(out, HOST_MAX, "%s", host) >= HOST_MAX) {
        return err_set(e, E_CONFIG, "%.64s... is too long for the name of a host", host);
    }
    n = strlen(out);
    if (n > 0 && out[n - 1] == '.')
        out[--n] = '\0';
    return n > 0 ? 0 : err_set(e, E_CONFIG, "the name of the host is empty");
}

bool host_is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}
