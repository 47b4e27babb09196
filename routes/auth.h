#pragma once
/* Lets a request reach its handler, or answers 401, 403 or 429. Bearer sessions (ctss_…) and API
 * keys (ctsk_…) are found in the database by what is kept of them; what was found is believed for a
 * second, so a revocation is seen within a second and a busy client costs one look a second. */
#include "routes/attempts.h"
#include "routes/request.h"

#define AUTH_CACHE_US	1000000LL
#define AUTH_KNOWN_US	(600 * 1000000LL)
#define SESSION_LIFE_MS (12 * 3600 * 1000LL)

struct auth;

struct auth *auth_create(const struct clock *clock);
void auth_destroy(struct auth *auth);

/* Finds out who asks, checks the route's right and calls its handler: at once when the right is
 * RIGHT_NONE or the token was seen within a second, else on a database worker. */
void auth_then_handle(struct request *request);
/* Forgets what was believed of this request's token: it has just been signed out. */
void auth_forget(struct request *request);

/* Wrong sign-ins of addresses, counted apart from wrong tokens: a page with an old token must be
 * able to sign in. */
struct attempts *auth_sign_ins(struct auth *auth);
/* Answers 429 with Retry-After. */
void auth_answer_too_many(struct request *request, unsigned wait_s);

/* What a request shows as its token: Bearer, X-API-Key, or Basic with the key as password (or its
 * two parts as user and password). False when it shows none or something of no known form;
 * *ret_is_shown tells the two apart. */
#define AUTH_TEXT_SIZE 128
bool auth_read(const struct request *request, char ret[AUTH_TEXT_SIZE], bool *ret_is_shown);
