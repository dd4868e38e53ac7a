/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device secret: what ties a store to this machine. Here it comes from a file; a TPM offers the
 * same function.
 */
#ifndef TEE_HOST_DEVICE_SECRET_H
#define TEE_HOST_DEVICE_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/errors.h"

#define DEVICE_SECRET_SIZE 32

/*
 * Reads the secret, or with may_create makes it when it is not there yet: durably, as a whole, and
 * never in the place of another. What goes wrong is logged as a sentence. The caller wipes
 * `secret`. KW_ERR_ACCESS: others can read it. KW_ERR_CORRUPT: not a secret. KW_ERR_OTHER_DEVICE:
 * it is missing and may not be made. Also sets the protection "device-secret".
 */
enum kw_err device_secret_open(
	const char *path, bool may_create, uint8_t secret[DEVICE_SECRET_SIZE]) KW_MUST_USE;

#endif
