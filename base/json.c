#include "base/json.h"

#include <string.h>

#include "base/str.h"

void json_start(void)
{
	json_object_seed(0);
}

const struct json_limits json_limits_command = {.bytes = 16 * 1024, .depth = 16, .keys = 256};
const struct json_limits json_limits_body = {.bytes = 64 * 1024, .depth = 16, .keys = 1024};
const struct json_limits json_limits_switch = {
	.bytes = 4 * 1024 * 1024, .depth = 64, .keys = 65536};

/* What the text would cost, known before the parser, which recurses, sees it. Exact up to the
 * first mistake in the text, and the parser does not go beyond that. */
struct shape {
	unsigned depth, keys;
};

static const char *skip_string(const char *at, const char *end)
{
	while (at < end && *at != '"')
		at += *at == '\\' ? 2 : 1;
	return at < end ? at + 1 : end;
}

/* Stops counting as soon as a limit is passed. */
static struct shape measure(const char *at, const char *end, const struct json_limits *limits)
{
	struct shape shape = {0};
	unsigned depth = 0;

	while (at < end && shape.depth <= limits->depth && shape.keys <= limits->keys) {
		switch (*at++) {
		case '"':
			at = skip_string(at, end);
			break;
		case '{':
		case '[':
			if (++depth > shape.depth)
				shape.depth = depth;
			break;
		case '}':
		case ']':
			if (depth > 0)
				depth--;
			break;
		case ':': /* outside of texts one stands behind each key and nowhere else */
			shape.keys++;
			break;
		}
	}
	return shape;
}

static enum status check_limits(const char *text, size_t length, const struct json_limits *limits,
				struct err *err)
{
	if (length > limits->bytes)
		return err_set(err, ST_TOO_LARGE, "json.too_large", "",
			       "the JSON has %zu bytes, at most %zu are allowed", length,
			       limits->bytes);
	struct shape shape = measure(text, text + length, limits);
	if (shape.depth > limits->depth)
		return err_set(err, ST_INVALID, "json.too_deep", "",
			       "the JSON is nested deeper than %u", limits->depth);
	if (shape.keys > limits->keys)
		return err_set(err, ST_TOO_LARGE, "json.too_large", "",
			       "the JSON has more than %u keys", limits->keys);
	return ST_OK;
}

/* The parser quotes the text it stumbled over, which may be a password: only its reason is told. */
static enum status malformed(json_error_t *error, struct err *err)
{
	char *quote = strstr(error->text, " near '");

	if (quote)
		*quote = '\0';
	return err_set(err, ST_INVALID, "json.malformed", "",
		       "the JSON is malformed at line %d column %d: %s", error->line, error->column,
		       error->text);
}

enum status json_parse(const char *text, size_t length, const struct json_limits *limits,
		       json_t **ret, struct err *err)
{
	json_error_t error;
	enum status status = check_limits(text, length, limits, err);

	if (status != ST_OK)
		return status;
	json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!root)
		return malformed(&error, err);
	if (!json_is_object(root)) {
		json_decref(root);
		return err_set(err, ST_INVALID, "json.not_object", "",
			       "the JSON must be an object in braces");
	}
	*ret = root;
	return ST_OK;
}

/* The value, or NULL when there is none; says so in *found (optional). */
static const json_t *look_up(const json_t *object, const char *key, bool *found)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_null(value))
		value = NULL;
	if (found)
		*found = value != NULL;
	return value;
}

static enum status wrong_type(struct err *err, const char *key, const char *wanted)
{
	return err_set(err, ST_INVALID, "json.wrong_type", key, "\"%s\" must be %s", key, wanted);
}

enum status json_get_text(const json_t *object, const char *key, char *ret, size_t size,
			  bool *found, struct err *err)
{
	const json_t *value = look_up(object, key, found);

	if (!value)
		return ST_OK;
	if (!json_is_string(value))
		return wrong_type(err, key, "a text");
	if (json_string_length(value) >= size)
		return err_set(err, ST_INVALID, "json.too_long", key,
			       "\"%s\" has %zu bytes, at most %zu are allowed", key,
			       json_string_length(value), size - 1);
	memcpy(ret, json_string_value(value), json_string_length(value) + 1);
	return ST_OK;
}

enum status json_get_int(const json_t *object, const char *key, long long min, long long max,
			 long long *ret, bool *found, struct err *err)
{
	const json_t *value = look_up(object, key, found);

	if (!value)
		return ST_OK;
	if (!json_is_integer(value))
		return wrong_type(err, key, "a whole number");
	long long number = json_integer_value(value);
	if (number < min || number > max)
		return err_set(err, ST_INVALID, "json.out_of_range", key,
			       "\"%s\" must be from %lld to %lld", key, min, max);
	*ret = number;
	return ST_OK;
}

enum status json_get_bool(const json_t *object, const char *key, bool *ret, bool *found,
			  struct err *err)
{
	const json_t *value = look_up(object, key, found);

	if (!value)
		return ST_OK;
	if (!json_is_boolean(value))
		return wrong_type(err, key, "true or false");
	*ret = json_is_true(value);
	return ST_OK;
}

enum status json_need_text(const json_t *object, const char *key, char *ret, size_t size,
			   struct err *err)
{
	const json_t *value = look_up(object, key, NULL);

	if (!value || (json_is_string(value) && json_string_length(value) == 0))
		return err_set(err, ST_INVALID, "json.missing", key, "\"%s\" is missing", key);
	return json_get_text(object, key, ret, size, NULL, err);
}
