/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the two sides of the boundary agree on: numbers, sizes and the frame. docs/PROTOCOL.md
 * describes every message. Freestanding C: this file is compiled into Trusted Applications too.
 */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include <stdint.h>

/* The protocol version that this source speaks; HELLO settles on one. */
#define WIRE_VERSION 1

/* A frame is a header of WIRE_HEADER bytes and a payload of at most WIRE_MAX_PAYLOAD bytes.
 * request: u16 command, u16 zero; reply: u16 error, u16 zero. */
#define WIRE_HEADER 4
#define WIRE_MAX_PAYLOAD 65000
#define WIRE_MAX_FRAME (WIRE_HEADER + WIRE_MAX_PAYLOAD)

#define WIRE_ID_SIZE 32   /* SHA-256 of the SubjectPublicKeyInfo; of a secret key random */
#define WIRE_UUID_SIZE 16 /* client identity, RFC 4122 */
#define WIRE_NAME_MAX 128 /* bytes of a key's name */
#define WIRE_ACL_MAX 32   /* entries of a key's access list */
#define WIRE_SPKI_MAX 640 /* SubjectPublicKeyInfo of RSA-4096 takes 550 bytes */
#define WIRE_RECORD_MAX 4096
#define WIRE_ATTRIBUTES_MAX 1024 /* bytes that a key or object carries for its users */
#define WIRE_OBJECT_MAX 6000     /* bytes of an object's value */
#define WIRE_CSR_MAX 16000       /* bytes of a certificate request */
#define WIRE_DATA_MAX 64000      /* bytes that one request encrypts, decrypts or authenticates */
#define WIRE_AAD_MAX 800         /* with the data above and all else it fits into a request */
#define WIRE_NONCE_MAX 64        /* bytes of a nonce of AES-GCM */
#define WIRE_RANDOM_MAX 1024
#define WIRE_SECRET_MAX 128   /* bytes of a secret key */
#define WIRE_SECRET_MIN 14    /* of one that is generated or derived: 112 bits (NIST SP 800-131A) */
#define WIRE_INFO_MAX 1024    /* of salt, info and shared info of a derivation, each */
#define WIRE_VALUE_MAX 1024   /* of a derived value that the caller gets */
#define WIRE_WRAPPED_MAX 2560 /* bytes of a wrapped key */
#define WIRE_SLOT_DEFAULT 0   /* the token without a PIN, always there */
#define WIRE_SLOT_MAX 63      /* of tokens with PINs: 1 to this */
#define WIRE_LABEL_MAX 32     /* bytes of a token's label */
#define WIRE_SERIAL_SIZE 16   /* hexadecimal digits */
#define WIRE_PIN_MIN 4        /* bytes */
#define WIRE_PIN_MAX 64
#define WIRE_PIN_TRIES 10 /* wrong PINs in a row that lock one */
#define WIRE_TICKET_SIZE 32
#define WIRE_CHALLENGE_MIN 8 /* bytes of a challenge, when there is one (RFC 9711, 4.1) */
#define WIRE_CHALLENGE_MAX 64
#define WIRE_ATTESTATION_MAX 2048 /* bytes of an attestation statement */
#define WIRE_CPU_ANY 0xffff

enum wire_command {
#define KW_COMMAND(number, NAME, name, role, lane, repeat, rmin, rmax, pmax) CMD_##NAME = number,
#include "commands.def"
};

/* How a request names a key. */
enum wire_target {
	TARGET_ID = 0,     /* 32 bytes */
	TARGET_NAME = 1,   /* u8 length, name */
	TARGET_RECORD = 2, /* u16 length, a sealed key's record */
};

enum wire_tee_kind {
	TEE_KIND_HOST = 1,
	TEE_KIND_OPTEE = 2,
};

enum wire_identity_kind {
	IDENTITY_USER = 1,  /* a numeric user id */
	IDENTITY_GROUP = 2, /* a numeric group id */
};

enum wire_origin {
	ORIGIN_GENERATED = 1,
	ORIGIN_IMPORTED = 2,
};

enum wire_key_place {
	PLACE_STORED = 1,
	PLACE_SEALED = 2,
	PLACE_TOKEN = 3, /* stored, and u8 slot follows */
};

enum wire_token_user {
	TOKEN_SO = 1, /* the security officer: sets and unlocks the user's PIN */
	TOKEN_USER = 2,
};

/* Bits of a token's state. */
#define TOKEN_HAS_USER_PIN 0x01
#define TOKEN_SO_LOGGED_IN 0x02 /* on this connection */
#define TOKEN_USER_LOGGED_IN 0x04

/* Bits of an object's description: bit 0 says that it is public, bit 1 that u8 slot follows. */
#define OBJECT_PUBLIC 0x01
#define OBJECT_ON_TOKEN 0x02

/* Bits of what the caller may do with a key or object, in its description. To use an object is to
 * read it. */
#define RIGHT_USE 0x01
#define RIGHT_MANAGE 0x02

enum wire_input {
	INPUT_MESSAGE = 0, /* the TEE hashes */
	INPUT_DIGEST = 1,  /* the caller hashed */
};

enum wire_padding {
	PADDING_OAEP = 1,
	PADDING_PKCS1 = 2,
	PADDING_NONE = 3,
};

enum wire_direction {
	DIRECTION_ENCRYPT = 1,
	DIRECTION_DECRYPT = 2,
};

enum wire_mac_work {
	MAC_MAKE = 1,
	MAC_VERIFY = 2,
};

/* What becomes of an agreed secret. */
enum wire_kdf {
	KDF_NONE = 0,
	KDF_X963 = 1, /* SEC 1, 3.6.1 */
};

/* Steps of HKDF (RFC 5869). */
#define HKDF_EXTRACT 0x01
#define HKDF_EXPAND 0x02

enum wire_derived {
	DERIVED_VALUE = 0,
	DERIVED_KEY = 1,
};

enum wire_access_change {
	ACCESS_ALLOW = 1,
	ACCESS_DENY = 2,
};

/* What is stored and is not a key. */
enum wire_object_kind {
	OBJECT_CERTIFICATE = 1,
	OBJECT_DATA = 2,
};

enum wire_object_put {
	OBJECT_NEW = 0,
	OBJECT_REPLACE = 1,
	OBJECT_CHANGE = 2, /* all but the value */
	OBJECT_NEW_ON_TOKEN = 3,
};

enum wire_san_kind {
	SAN_DNS = 1,
	SAN_IP = 2, /* 4 or 16 bytes */
	SAN_EMAIL = 3,
	SAN_URI = 4,
};

/* One line of STATUS about what protects the TEE. */
enum wire_protection_state {
	PROTECTION_ABSENT = 0,
	PROTECTION_PRESENT = 1,
	PROTECTION_PARTIAL = 2,
};

/* Bits of HELLO's capabilities. */
#define CAPABILITY_SEALED 0x00000001
#define CAPABILITY_ROLLBACK 0x00000002 /* old storage is refused */

#endif
