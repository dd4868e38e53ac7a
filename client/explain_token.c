/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences about tokens with PINs. */
#include "explain_token.h"

enum kw_err explain_token(
	const struct kw *kw, uint16_t command, enum kw_err err, const struct subject *s)
{
	char who[CALLER_TEXT_SIZE];

	caller_text(who, sizeof(who));
	switch ((int)err) {
	case KW_ERR_ACCESS:
		return explain(err,
			"%s may not log in to the token in slot %u; its owner or an administrator "
			"can allow it: %s token allow %u IDENTITY",
			who, s->slot, kw->cli, s->slot);
	case KW_ERR_NOT_OWNER:
		if (command == CMD_TOKEN_DELETE)
			return explain(err,
				"%s may not delete the token in slot %u without the PIN of its "
				"security officer; an administrator of the TEE may, so run this "
				"as root",
				who, s->slot);
		return explain(err,
			"%s may not change the token in slot %u; only its owner or an "
			"administrator of the TEE may",
			who, s->slot);
	case KW_ERR_MAY_NOT_CREATE:
		return explain(err,
			"%s may not make tokens in %s; run this as an administrator of the TEE, "
			"or as root",
			who, kw->called);
	case KW_ERR_NO_TOKEN:
		return explain(err, "there is no token in slot %u of %s; see: %s token list",
			s->slot, kw->called, kw->cli);
	case KW_ERR_PIN:
		return explain(err,
			"the PIN for the token in slot %u is wrong; how many tries are left says: "
			"%s token list",
			s->slot, kw->cli);
	case KW_ERR_PIN_LOCKED:
		return explain(err,
			"the PIN for the token in slot %u is locked after too many wrong ones, or "
			"was never set; the user's is set by the security officer (%s token "
			"unlock %u), and a token whose security officer is locked can only be "
			"deleted, by an administrator",
			s->slot, kw->cli, s->slot);
	case KW_ERR_NOT_LOGGED_IN:
		return explain(err, "nobody has logged in to the token in slot %u", s->slot);
	default:
		return explain(err, "%s", kw_strerror(err));
	}
}
