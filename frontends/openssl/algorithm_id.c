/* SPDX-License-Identifier: BSD-2-Clause */
#include "algorithm_id.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

/* AlgorithmIdentifier of a hash, with NULL parameters as RFC 4055 2.1 has them. */
static X509_ALGOR *hash_algorithm(const struct front_hash *hash)
{
	X509_ALGOR *alg = X509_ALGOR_new();

	if (alg && !X509_ALGOR_set0(alg, OBJ_nid2obj(hash->nid), V_ASN1_NULL, NULL)) {
		X509_ALGOR_free(alg);
		alg = NULL;
	}
	return alg;
}

/* RSASSA-PSS-params (RFC 4055 3.1), always written out: Keyward never uses the SHA-1 defaults. */
static ASN1_STRING *pss_params(const struct front_hash *hash, uint16_t salt)
{
	RSA_PSS_PARAMS *pss = RSA_PSS_PARAMS_new();
	X509_ALGOR *inner = hash_algorithm(hash);
	ASN1_STRING *packed = NULL, *result = NULL;

	if (!pss || !inner)
		goto out;
	pss->hashAlgorithm = hash_algorithm(hash);
	pss->maskGenAlgorithm = X509_ALGOR_new();
	pss->saltLength = ASN1_INTEGER_new();
	if (!pss->hashAlgorithm || !pss->maskGenAlgorithm || !pss->saltLength)
		goto out;
	if (!ASN1_INTEGER_set(pss->saltLength, salt))
		goto out;
	if (!ASN1_item_pack(inner, ASN1_ITEM_rptr(X509_ALGOR), &packed))
		goto out;
	if (!X509_ALGOR_set0(pss->maskGenAlgorithm, OBJ_nid2obj(NID_mgf1), V_ASN1_SEQUENCE, packed))
		goto out;
	packed = NULL;
	result = ASN1_item_pack(pss, ASN1_ITEM_rptr(RSA_PSS_PARAMS), NULL);
out:
	ASN1_STRING_free(packed);
	X509_ALGOR_free(inner);
	RSA_PSS_PARAMS_free(pss);
	return result;
}

size_t front_algorithm_id(
	int key_nid, const struct front_hash *hash, bool pss, uint16_t salt, unsigned char **der)
{
	X509_ALGOR *alg = X509_ALGOR_new();
	ASN1_STRING *params = NULL;
	int nid = NID_undef, len = 0, type = V_ASN1_UNDEF;

	*der = NULL;
	if (!alg)
		goto out;
	if (pss) {
		nid = NID_rsassaPss;
		type = V_ASN1_SEQUENCE;
		params = pss_params(hash, salt);
		if (!params)
			goto out;
	} else if (!hash) {
		nid = key_nid;
	} else if (!OBJ_find_sigid_by_algs(&nid, hash->nid, key_nid)) {
		goto out;
	} else if (key_nid == NID_rsaEncryption) {
		/* RFC 4055 5; ECDSA and Ed25519 have none (RFC 5758 3.2, RFC 8410 3). */
		type = V_ASN1_NULL;
	}
	if (!X509_ALGOR_set0(alg, OBJ_nid2obj(nid), type, params))
		goto out;
	params = NULL;
	len = i2d_X509_ALGOR(alg, der);
out:
	ASN1_STRING_free(params);
	X509_ALGOR_free(alg);
	return len > 0 ? (size_t)len : 0;
}
