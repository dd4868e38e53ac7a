/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_ERRORS_H
#define WIRE_ERRORS_H

/* The public header keyward/keyward.h makes the same enum from a copy of the same table. */
#ifndef KW_ERRORS_DEFINED
#define KW_ERRORS_DEFINED
enum kw_err {
#define KW_ERROR(number, NAME, sentence) KW_ERR_##NAME = number,
#include "errors.def"
};
#endif

#ifndef KW_MUST_USE
#define KW_MUST_USE __attribute__((warn_unused_result))
#endif

#endif
