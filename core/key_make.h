/* SPDX-License-Identifier: BSD-2-Clause */
/* What all commands that make keys share: generated, imported, derived and unwrapped ones. */
#ifndef CORE_KEY_MAKE_H
#define CORE_KEY_MAKE_H

#include "subject.h"

/* For commands with the role KEY that may make a key. KW_ERR_MAY_NOT_CREATE is counted. */
enum kw_err make_allowed(struct call *c) KW_MUST_USE;
/* Reads the template of a new key and checks all of it, and that its name is free. */
enum kw_err make_begin(struct call *c, struct reader *req, struct key_meta *m) KW_MUST_USE;
/* Makes a secret key of s->meta.type out of the value. KW_ERR_BAD_KEY: another length. */
enum kw_err make_secret(struct subject *s, const uint8_t *value, size_t n) KW_MUST_USE;
/* Seals s->crypto, stores it where that is asked for, and answers. */
enum kw_err make_end(struct call *c, struct subject *s, struct writer *rsp) KW_MUST_USE;

#endif
