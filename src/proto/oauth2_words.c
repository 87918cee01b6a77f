/* SPDX-License-Identifier: MIT
 * What providers say, and what a person can do about it. RFC 6749 sections 4.1.2.1 and 5.2, RFC 8628 section 3.5, and
 * Microsoft's list of AADSTS codes.
 */
#include "proto/oauth2.h"

#include <stdlib.h>

struct word {
    const char *said, *advice;
};

static const struct word codes[] = {
    { "AADSTS7000215", "the client secret is wrong (its value is wanted, not its id): oauth_client_secret" },
    { "AADSTS7000218", "this registration wants a secret: oauth_client_secret, or make it a public client" },
    { "AADSTS7000222", "the client secret has expired: make a new one where the client id was registered" },
    { "AADSTS700016", "the provider does not know this client id in this tenant: oauth_client_id, oauth_tenant" },
    { "AADSTS90002", "there is no such tenant: oauth_tenant" },
    { "AADSTS50194", "the registration is for one tenant alone: write its name as oauth_tenant" },
    { "AADSTS9002326", "register http://localhost as an address of a mobile or desktop application" },
    { "AADSTS50011", "register http://localhost as a redirect address of a mobile or desktop application" },
    { "AADSTS65001", "nobody has allowed this client to read the mail yet: log in once more and allow it" },
    { "AADSTS90094", "an administrator has to allow this client first" },
    { "AADSTS65004", "it was not allowed in the browser" },
    { "AADSTS50105", "an administrator has to assign this user to the application" },
    { "AADSTS50020", "this user belongs to another tenant: oauth_tenant" },
    { "AADSTS50057", "the user's account is disabled" },
    { "AADSTS53003", "a rule of the organisation (Conditional Access) forbids it; ask its administrator" },
    { "AADSTS50076", "a second factor is asked for: log in once more" },
    { "AADSTS50079", "a second factor has to be set up: log in once more" },
    { "AADSTS50173", "the password was changed since: log in once more" },
    { "AADSTS700082", "the authorization was not used for too long: log in once more" },
    { "AADSTS70008", "the authorization has ended: log in once more" },
    { "AADSTS70043", "the organisation lets an authorization live so long: log in once more" },
    { "AADSTS70011", "one of oauth_scopes is none of the provider's" },
    { "AADSTS28000", "oauth_scopes are of more than one service" },
};

static const struct word errors[] = {
    { "invalid_grant", "the authorization has ended or was withdrawn: log in once more (a Google client that is still "
                       "\"in testing\" ends it after seven days: publish it)" },
    { "invalid_client", "the provider does not know this client: oauth_client_id, oauth_client_secret" },
    { "unauthorized_client", "the client is not registered for this way to log in" },
    { "unsupported_grant_type", "the provider has no such way to log in" },
    { "unsupported_response_type", "the provider has no such way to log in" },
    { "invalid_scope",
      "the provider does not give these oauth_scopes (Google gives none for mail by device code: log in "
      "without --device)" },
    { "invalid_request", "the provider does not understand the question; are the oauth_..._url keys right?" },
    { "access_denied", "it was not allowed in the browser" },
    { "consent_required", "log in once more and allow it" },
    { "interaction_required", "log in once more" },
    { "login_required", "log in once more" },
    { "expired_token", "nobody allowed it in time: once more" },
};

/* "AADSTS7000215: Invalid client secret": the number must not run on. */
static bool has_code(const char *text, const char *code)
{
    const char *at = strstr(text, code);

    return at != NULL && !ascii_isdigit(at[strlen(code)]);
}

const char *oauth2_advice(const char *error, const char *description)
{
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (has_code(description, codes[i].said))
            return codes[i].advice;
    }
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        if (strcmp(error, errors[i].said) == 0)
            return errors[i].advice;
    }
    return "the provider says no more";
}
