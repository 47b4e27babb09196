#pragma once
/* Gathers the facts of `calltab doctor`: asks Asterisk over HTTP, reads its configuration files.
 * Nothing is changed by it: the one request that is no GET hangs up a channel that does not exist.
 */
#include "server/doctor.h"

/* From facts->host, port, user, ... fills everything Asterisk can be asked for. */
void doctor_ask(struct doctor_facts *facts, const char *password);
/* The files of facts->config_dir; with none, nothing. */
void doctor_read_files(struct doctor_facts *facts);
void doctor_facts_done(struct doctor_facts *facts);
