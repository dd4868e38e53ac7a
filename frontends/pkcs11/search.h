/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FRONTENDS_PKCS11_SEARCH_H
#define FRONTENDS_PKCS11_SEARCH_H

struct search;

void search_free(struct search **search);

#endif
