/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether this is a build with address sanitizer, which needs what the sandbox takes away. */
#ifndef TEE_HOST_SANITIZER_H
#define TEE_HOST_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#endif
