#include "db/record_codec.h"

#include <assert.h>
#include <string.h>

#include "db/record_fields.h"

/* The length of a struct is written before what is in it is known: always two bytes. */
#define STRUCT_BYTES_MAX 16383

/* --- encoding --- */

static unsigned char *put_varint(unsigned char *to, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*to++ = (unsigned char)(value | 0x80);
	*to++ = (unsigned char)value;
	return to;
}

static uint64_t zigzag(int64_t value)
{
	return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

static unsigned char *put_number(unsigned char *to, unsigned tag, uint64_t value)
{
	unsigned char bytes[10];
	size_t length;

	if (value == 0)
		return to;
	length = (size_t)(put_varint(bytes, value) - bytes);
	*to++ = (unsigned char)tag;
	*to++ = (unsigned char)length;
	memcpy(to, bytes, length);
	return to + length;
}

static unsigned char *put_bytes(unsigned char *to, unsigned tag, const void *bytes, size_t length)
{
	*to++ = (unsigned char)tag;
	to = put_varint(to, length);
	memcpy(to, bytes, length);
	return to + length;
}

static uint64_t number_of(enum field_kind kind, const unsigned char *from)
{
	union {
		int i;
		unsigned u;
		int64_t i64;
		uint64_t u64;
		bool b;
	} value;

	switch (kind) {
	case FIELD_BOOL:
		memcpy(&value.b, from, sizeof(value.b));
		return value.b;
	case FIELD_INT:
		memcpy(&value.i, from, sizeof(value.i));
		return zigzag(value.i);
	case FIELD_UINT:
	case FIELD_ENUM:
		memcpy(&value.u, from, sizeof(value.u));
		return value.u;
	case FIELD_I64:
		memcpy(&value.i64, from, sizeof(value.i64));
		return zigzag(value.i64);
	default:
		memcpy(&value.u64, from, sizeof(value.u64));
		return value.u64;
	}
}

static unsigned char *put_struct(unsigned char *to, unsigned tag, const struct field_table *table,
				 const unsigned char *from);

static unsigned char *put_field(unsigned char *to, unsigned tag, const struct record_field *field,
				const unsigned char *from)
{
	static const struct uuid nil;

	from += field->offset;
	switch (field->kind) {
	case FIELD_NONE:
		return to;
	case FIELD_TEXT:
		if (!*from)
			return to;
		return put_bytes(to, tag, from, strnlen((const char *)from, field->size - 1));
	case FIELD_UUID:
		if (memcmp(from, &nil, sizeof(nil)) == 0)
			return to;
		return put_bytes(to, tag, from, sizeof(nil));
	case FIELD_STRUCT:
		return put_struct(to, tag, field->sub, from);
	default:
		return put_number(to, tag, number_of(field->kind, from));
	}
}

static unsigned char *put_struct(unsigned char *to, unsigned tag, const struct field_table *table,
				 const unsigned char *from)
{
	unsigned char *content = to + 3, *end = content;

	for (unsigned i = 1; i < table->count; i++)
		end = put_field(end, i, &table->fields[i], from);
	size_t length = (size_t)(end - content);
	if (length == 0)
		return to;
	assert(length <= STRUCT_BYTES_MAX);
	to[0] = (unsigned char)tag;
	to[1] = (unsigned char)(length | 0x80);
	to[2] = (unsigned char)(length >> 7);
	return end;
}

size_t record_encode(const struct record *record, unsigned char bytes[RECORD_BYTES_MAX])
{
	unsigned char *end = bytes;

	for (unsigned i = 1; i < record_table.count; i++) {
		const struct record_field *field = &record_table.fields[i];
		if (!field->parts || (record->has & field->parts))
			end = put_field(end, i, field, (const unsigned char *)record);
	}
	return (size_t)(end - bytes);
}

/* --- decoding --- */

struct span {
	const unsigned char *at, *end;
};

static bool take_varint(struct span *span, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && span->at < span->end; shift += 7) {
		unsigned char byte = *span->at++;
		if (shift == 63 && byte > 1)
			return false;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

/* The next field: its tag and its value. */
static bool take_field(struct span *span, uint64_t *ret_tag, struct span *ret_value)
{
	uint64_t length;

	if (!take_varint(span, ret_tag) || !take_varint(span, &length))
		return false;
	if (length > (uint64_t)(span->end - span->at))
		return false;
	*ret_value = (struct span){span->at, span->at + length};
	span->at += length;
	return true;
}

static int64_t unzigzag(uint64_t value)
{
	return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static bool get_number(struct span value, const struct record_field *field, unsigned char *to)
{
	uint64_t number;

	if (!take_varint(&value, &number) || value.at != value.end)
		return false;
	int64_t number_signed = unzigzag(number);
	switch (field->kind) {
	case FIELD_BOOL:
		*to = number != 0;
		return number <= 1;
	case FIELD_INT:
		memcpy(to, &(int){(int)number_signed}, sizeof(int));
		return number_signed >= INT32_MIN && number_signed <= INT32_MAX;
	case FIELD_UINT:
	case FIELD_ENUM:
		memcpy(to, &(unsigned){(unsigned)number}, sizeof(unsigned));
		return number <= UINT32_MAX && (!field->limit || number < field->limit);
	case FIELD_I64:
		memcpy(to, &number_signed, sizeof(number_signed));
		return true;
	default:
		memcpy(to, &number, sizeof(number));
		return true;
	}
}

static bool get_struct(struct span span, const struct field_table *table, unsigned char *to);

static bool get_field(struct span value, const struct record_field *field, unsigned char *to)
{
	size_t length = (size_t)(value.end - value.at);

	to += field->offset;
	switch (field->kind) {
	case FIELD_NONE:
		return true;
	case FIELD_TEXT:
		if (length >= field->size || memchr(value.at, '\0', length))
			return false;
		memcpy(to, value.at, length);
		to[length] = '\0';
		return true;
	case FIELD_UUID:
		if (length != sizeof(struct uuid))
			return false;
		memcpy(to, value.at, length);
		return true;
	case FIELD_STRUCT:
		return get_struct(value, field->sub, to);
	default:
		return get_number(value, field, to);
	}
}

static bool get_struct(struct span span, const struct field_table *table, unsigned char *to)
{
	struct span value;
	uint64_t tag;

	while (span.at < span.end) {
		if (!take_field(&span, &tag, &value))
			return false;
		if (tag < table->count && !get_field(value, &table->fields[tag], to))
			return false;
	}
	return true;
}

bool record_decode(const void *bytes, size_t length, struct record *ret)
{
	struct span span = {bytes, (const unsigned char *)bytes + length};

	memset(ret, 0, sizeof(*ret));
	return length > 0 && get_struct(span, &record_table, (unsigned char *)ret) && ret->has;
}

bool record_peek(const void *bytes, size_t length, struct record_head *ret)
{
	struct span span = {bytes, (const unsigned char *)bytes + length}, value;
	uint64_t tag, at_ms = 0, has = 0;

	*ret = (struct record_head){0};
	while (span.at < span.end) {
		if (!take_field(&span, &tag, &value))
			return false;
		bool is_read = tag == TAG_HAS	     ? take_varint(&value, &has)
			       : tag == TAG_AT_MS    ? take_varint(&value, &at_ms)
			       : tag == TAG_BEGUN_AT ? take_varint(&value, &ret->begun_at)
						     : true;
		if (!is_read)
			return false;
	}
	ret->has = (unsigned)has;
	ret->at_ms = unzigzag(at_ms);
	return has != 0;
}
