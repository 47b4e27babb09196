/* libphonenumber behind three C names; the only C++ there is. Nothing is thrown out of here: the
 * library throws nothing, and a text or number that does not fit is an answer. */
#include <phonenumbers/phonenumberutil.h>

#include <set>
#include <string>

extern "C" {
#include "base/numbering_module.h"
}

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

static int has_region(const char *region)
{
	std::set<std::string> regions;

	PhoneNumberUtil::GetInstance()->GetSupportedRegions(&regions);
	return regions.count(region) > 0;
}

static enum numbering_answer answer_of(PhoneNumberUtil::ValidationResult result)
{
	switch (result) {
	case PhoneNumberUtil::IS_POSSIBLE:
		return NUMBERING_OK;
	case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY:
		return NUMBERING_LOCAL;
	case PhoneNumberUtil::INVALID_COUNTRY_CODE:
		return NUMBERING_NO_COUNTRY;
	case PhoneNumberUtil::TOO_SHORT:
		return NUMBERING_TOO_SHORT;
	case PhoneNumberUtil::INVALID_LENGTH:
		return NUMBERING_NO_LENGTH;
	default:
		return NUMBERING_TOO_LONG;
	}
}

static enum numbering_answer answer_of(PhoneNumberUtil::ErrorType error)
{
	switch (error) {
	case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR:
		return NUMBERING_NO_COUNTRY;
	case PhoneNumberUtil::TOO_SHORT_AFTER_IDD:
	case PhoneNumberUtil::TOO_SHORT_NSN:
		return NUMBERING_TOO_SHORT;
	case PhoneNumberUtil::TOO_LONG_NSN:
		return NUMBERING_TOO_LONG;
	default:
		return NUMBERING_NO_NUMBER;
	}
}

static enum numbering_answer normalise(const char *region, const char *text, char *ret, size_t size)
{
	const PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
	PhoneNumber number;
	std::string e164;
	PhoneNumberUtil::ErrorType error = util->Parse(text, region, &number);
	enum numbering_answer answer;

	if (error != PhoneNumberUtil::NO_PARSING_ERROR)
		return answer_of(error);
	answer = answer_of(util->IsPossibleNumberWithReason(number));
	if (answer != NUMBERING_OK)
		return answer;
	util->Format(number, PhoneNumberUtil::E164, &e164);
	if (e164.size() >= size)
		return NUMBERING_TOO_LONG;
	e164.copy(ret, e164.size());
	ret[e164.size()] = 0;
	return NUMBERING_OK;
}

extern "C" __attribute__((visibility("default")))
const struct numbering_module calltab_numbering_module = {has_region, normalise};
