#pragma once
/* One line per event to stderr in logfmt: time level msg then key=value pairs, escaped so that no
 *text from outside can start a second line. Under systemd (JOURNAL_STREAM names our stderr) the
 *time is replaced by the <N> priority prefix. stderr is written without blocking the caller: what
 *does not fit is counted and reported with the next line. Rooms below control do not log: they
 *return.
 *
 *	log_info("call ended", "call=%s tab=%d number=%s cause=%s", id, tab, log_number(n), cause);
 *
 * Values with spaces go through log_quote(), phone numbers only through log_number(). A format of
 * NULL means no pairs. A line is cut at 4 kB (cut=true). errno stays as it was. */
#include "base/status.h"

enum log_level { LOG_ERR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
/* "err" "warn" "info" "debug"; -1 when it is none of them. */
int log_level_parse(const char *word);

void log_write(enum log_level level, const char *message, const char *format, ...)
	PRINTF_LIKE(3, 4);
#define log_err(...)  log_write(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
	do {                                                                                       \
		if (log_get_level() >= LOG_DEBUG)                                                  \
			log_write(LOG_DEBUG, __VA_ARGS__);                                         \
	} while (0)

/* A phone number with all but its last three digits masked, without its length being told:
 * "+•••••234" ("•••••234" when there is no plus, "-" when there is no number). The text lives in a
 * per-thread ring of 8. */
const char *log_number(const char *number);
/* Any text quoted and escaped as one logfmt value, cut ("…") when it is longer than 500 bytes. The
 * text lives in the same per-thread ring. */
const char *log_quote(const char *text);
