#pragma once
/* Asterisk's configuration files as far as `calltab doctor` reads them: sections, "key = value" and
 * "key => value", comments to the end of a line and between ;-- and --;. Templates are not followed
 * and neither is #include: conf_has_include() says that a value may stand elsewhere. Pure; texts
 * are NUL-ended and whole files. */
#include <stdbool.h>
#include <stddef.h>

/* The last value of the key in sections of that name. false (and ret "") when there is none or it
 * does not fit. Keys and section names are compared without regard to case. */
bool conf_value(const char *text, const char *section, const char *key, char *ret, size_t size);
bool conf_has_section(const char *text, const char *section);
/* #include, #tryinclude or #exec stands outside of comments. */
bool conf_has_include(const char *text);
/* Somewhere outside of comments stands this word. */
bool conf_mentions(const char *text, const char *word);
/* The dialplan calls Stasis(app) or Stasis(app,...). */
bool conf_calls_stasis(const char *text, const char *app);
/* yes, true, y, t, 1, on */
bool conf_is_true(const char *value);
