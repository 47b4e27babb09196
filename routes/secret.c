#include "routes/secret.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/uuid.h"

#define TOKEN_PREFIX "ctss_"
#define KEY_PREFIX   "ctsk_"
#define LINK_PREFIX  "ctsl_"
#define TOKEN_CHARS  43
#define PREFIX_CHARS 8

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void secret_hash(const char *text, char ret[SECRET_HASH_SIZE])
{
	secret_hash_bytes(text, strlen(text), ret);
}

void secret_hash_bytes(const void *bytes, size_t size, char ret[SECRET_HASH_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (!EVP_Digest(bytes, size, hash, &length, EVP_sha256(), NULL))
		abort(); /* a libcrypto without SHA-256: nothing can be checked */
	for (unsigned i = 0; i < length; i++) {
		ret[2 * i] = digits[hash[i] >> 4];
		ret[2 * i + 1] = digits[hash[i] & 15];
	}
	ret[2 * length] = '\0';
}

/* ---- tokens, links and keys ---- */

static void make(char *ret, size_t size, const char *prefix)
{
	char random[44];

	(void)str_format(ret, size, "%s%s", prefix, random_token(random));
}

static bool is_random_part(const char *text)
{
	return strspn(text, base64url) == TOKEN_CHARS && text[TOKEN_CHARS] == '\0';
}

static bool has_form(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) == 0 && is_random_part(text + length);
}

void token_make(char ret[TOKEN_SIZE])
{
	make(ret, TOKEN_SIZE, TOKEN_PREFIX);
}

bool token_is_well_formed(const char *token)
{
	return has_form(token, TOKEN_PREFIX);
}

void link_make(char ret[LINK_SIZE])
{
	make(ret, LINK_SIZE, LINK_PREFIX);
}

bool link_is_well_formed(const char *link)
{
	return has_form(link, LINK_PREFIX);
}

/* Letters and digits only: the prefix stands between underscores and is read aloud. */
static void make_prefix(char ret[KEY_PREFIX_SIZE])
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned char bytes[PREFIX_CHARS];

	random_bytes(bytes, sizeof bytes);
	for (unsigned i = 0; i < PREFIX_CHARS; i++)
		ret[i] = alphabet[bytes[i] & 31];
	ret[PREFIX_CHARS] = '\0';
}

void key_make(char ret_key[KEY_SIZE], char ret_prefix[KEY_PREFIX_SIZE])
{
	char random[44];

	make_prefix(ret_prefix);
	(void)str_format(ret_key, KEY_SIZE, KEY_PREFIX "%s_%s", ret_prefix, random_token(random));
}

bool key_prefix(const char *key, char ret[KEY_PREFIX_SIZE])
{
	const char *prefix = key + strlen(KEY_PREFIX);

	if (strncmp(key, KEY_PREFIX, strlen(KEY_PREFIX)) != 0 ||
	    strspn(prefix, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") !=
		    PREFIX_CHARS ||
	    prefix[PREFIX_CHARS] != '_' || !is_random_part(prefix + PREFIX_CHARS + 1))
		return false;
	memcpy(ret, prefix, PREFIX_CHARS);
	ret[PREFIX_CHARS] = '\0';
	return true;
}

/* ---- passwords ---- */

enum status password_hash(const char *password, char ret[PASSWORD_HASH_SIZE], struct err *err)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	auto_free struct crypt_data *data = xcalloc(1, sizeof *data);

	if (!*password || strlen(password) > PASSWORD_MAX)
		return err_set(err, ST_INVALID, "password.invalid", "password",
			       "a password has 1 to %d bytes", PASSWORD_MAX);
	if (!crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof setting))
		return err_set(err, ST_INTERNAL, "internal", "", "no salt for the password");
	const char *hash = crypt_r(password, setting, data);
	if (!hash || *hash == '*' || !str_copy(ret, PASSWORD_HASH_SIZE, hash))
		return err_set(err, ST_INTERNAL, "internal", "", "the password cannot be hashed");
	explicit_bzero(data, sizeof *data);
	return ST_OK;
}

bool password_is_right(const char *password, const char *hash)
{
	/* Of a random password that nobody has kept, with the cost that password_hash() takes. */
	static const char nobodys[] =
		"$y$j9T$BiAogvxnHSyySef3HcbKQ/$TsP5Sip1AiRP/gvANwsWXi.k047hnSkmjOpsixqnWd2";
	auto_free struct crypt_data *data = xcalloc(1, sizeof *data);
	bool is_somebody = hash && *hash;

	if (strlen(password) > PASSWORD_MAX)
		password = "";
	const char *got = crypt_r(password, is_somebody ? hash : nobodys, data);
	bool is_right = got && *got != '*' && is_somebody && strlen(got) == strlen(hash) &&
			str_equal_constant_time(got, hash, strlen(hash)) && *password;
	explicit_bzero(data, sizeof *data);
	return is_right;
}

/* ---- base64 ---- */

static int base64_value(char c)
{
	if (c == '+')
		return 62;
	if (c == '/')
		return 63;
	const char *at = c ? strchr(base64url, c) : NULL;
	return at && c != '-' && c != '_' ? (int)(at - base64url) : -1;
}

bool base64_decode(const char *text, char *ret, size_t size)
{
	size_t length = strlen(text), count = 0;
	unsigned bits = 0, held = 0;

	while (length > 0 && text[length - 1] == '=')
		length--;
	for (size_t i = 0; i < length; i++) {
		int value = base64_value(text[i]);
		if (value < 0)
			return false;
		held = held << 6 | (unsigned)value;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		char byte = (char)(held >> bits & 0xff);
		if (!byte || count + 1 >= size)
			return false;
		ret[count++] = byte;
	}
	ret[count] = '\0';
	return true;
}
