#pragma once
/* Secrets: how they are made, and what is kept of them. Tokens and keys are 256 random bits, so one
 * round of SHA-256 hides them as well as any slow hash would; passwords are chosen by people and
 * get yescrypt. Nothing here is ever logged or stored but the results of secret_hash() and
 * password_hash(). */
#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"

#define SECRET_HASH_SIZE   65 /* SHA-256 as lower-case hexadecimal digits, and the NUL */
#define TOKEN_SIZE	   49 /* "ctss_" and 43 characters, and the NUL */
#define KEY_PREFIX_SIZE	   9  /* 8 characters, and the NUL */
#define KEY_SIZE	   58 /* "ctsk_", 8 characters, "_", 43 characters, and the NUL */
#define LINK_SIZE	   49 /* "ctsl_" and 43 characters, and the NUL */
#define PASSWORD_MAX	   256
#define PASSWORD_HASH_SIZE 200 /* agents.password_hash; yescrypt takes 73 */

/* SHA-256 of the whole text: what the hash columns of sessions, sign_in_links and api_keys hold. */
void secret_hash(const char *text, char ret[SECRET_HASH_SIZE]);
void secret_hash_bytes(const void *bytes, size_t length, char ret[SECRET_HASH_SIZE]);

void token_make(char ret[TOKEN_SIZE]);
bool token_is_well_formed(const char *token);
void link_make(char ret[LINK_SIZE]);
bool link_is_well_formed(const char *link);

/* An API key is shown once; kept are its prefix, which finds it, and the hash of the whole key. */
void key_make(char ret_key[KEY_SIZE], char ret_prefix[KEY_PREFIX_SIZE]);
/* False when it does not look like a key. */
bool key_prefix(const char *key, char ret[KEY_PREFIX_SIZE]);

/* yescrypt with the library's own choice of cost: some 20 to 100 ms, never on the HTTP thread or
 * the call plane. */
enum status password_hash(const char *password, char ret[PASSWORD_HASH_SIZE],
			  struct err *err) MUST_USE;
/* hash NULL or "" (nobody, or somebody without a password) takes as long as a wrong password and is
 * false. */
bool password_is_right(const char *password, const char *hash);

/* Standard base64 of an Authorization header into text; false when it is none, has a NUL, or does
 * not fit. */
bool base64_decode(const char *text, char *ret, size_t size);
