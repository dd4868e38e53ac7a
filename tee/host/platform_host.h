/* SPDX-License-Identifier: BSD-2-Clause */
/* The start-up side of platform_host.c. */
#ifndef TEE_HOST_PLATFORM_HOST_H
#define TEE_HOST_PLATFORM_HOST_H

#include <stdint.h>

#include "device_secret.h"

/* Derives the key that all device keys come from, and wipes `secret`. After crypto_init. */
enum kw_err platform_set_secret(uint8_t secret[DEVICE_SECRET_SIZE]) KW_MUST_USE;
void platform_forget_secret(void);

#endif
