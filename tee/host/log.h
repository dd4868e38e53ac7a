/* SPDX-License-Identifier: BSD-2-Clause */
/* The log: lines on stderr, each with the syslog level in front that journald understands. */
#ifndef TEE_HOST_LOG_H
#define TEE_HOST_LOG_H

#include <stdint.h>

#include "core/platform.h"

/* Prefixes lines with "<4>" and the like when stderr is not a terminal. At the start. */
void log_init(void);
/* What the server has to say of its own: level 6. platform_log is level 4. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A refused request. At most 5 lines a second of a user, then a count. Never waits: neither for the
 * reader of stderr nor for another thread. */
void log_refusal(uint32_t uid, uint16_t command, enum kw_err err);

#endif
