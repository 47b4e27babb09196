#pragma once
/* Between the files of the doctor: how a finding is written, and the checks of the table. */
#include "base/status.h"
#include "server/doctor.h"

void doctor_find(struct doctor_finding *finding, enum doctor_state state, const char *format, ...)
	PRINTF_LIKE(3, 4);
void doctor_advise(struct doctor_finding *finding, const char *file, const char *format, ...)
	PRINTF_LIKE(3, 4);
/* true: it was not asked, and the finding says so. */
bool doctor_not_asked(const struct doctor_facts *facts, bool is_known,
		      struct doctor_finding *finding);

/* what is loaded and who is there: doctor_parts.c */
void doctor_check_modules(const struct doctor_facts *facts, struct doctor_finding *finding);
void doctor_check_more_modules(const struct doctor_facts *facts, struct doctor_finding *finding);
void doctor_check_telephones(const struct doctor_facts *facts, struct doctor_finding *finding);
void doctor_check_trunk(const struct doctor_facts *facts, struct doctor_finding *finding);
/* what stands in the files: doctor_files.c */
void doctor_check_http(const struct doctor_facts *facts, struct doctor_finding *finding);
void doctor_check_write_timeout(const struct doctor_facts *facts, struct doctor_finding *finding);
void doctor_check_rtp(const struct doctor_facts *facts, struct doctor_finding *finding);
void doctor_check_music(const struct doctor_facts *facts, struct doctor_finding *finding);
void doctor_check_callers(const struct doctor_facts *facts, struct doctor_finding *finding);
