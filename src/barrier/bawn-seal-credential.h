/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "barrier/bawn-seal.h"

G_BEGIN_DECLS

/* How long the key is, in bytes. */
#define BAWN_SEAL_CREDENTIAL_SIZE 32

/**
 * BawnSealCredential:
 *
 * The seal that opens by itself, with a key that the service manager passes to this service alone. It stands beside that of the
 * shares, whose people can always open the storage too. Immutable.
 */
#define BAWN_TYPE_SEAL_CREDENTIAL (bawn_seal_credential_get_type ())
G_DECLARE_FINAL_TYPE (BawnSealCredential, bawn_seal_credential, BAWN, SEAL_CREDENTIAL, GObject)

/* @key is %NULL if it was not passed: then every call fails with SEALED. */
BawnSealCredential *bawn_seal_credential_new (BawnSecret *key);
/* A file of exactly %BAWN_SEAL_CREDENTIAL_SIZE bytes. NOT_FOUND if it is not there, INVALID if it is something else. */
BawnSecret *bawn_seal_credential_read (const char *path, GError **error);

G_END_DECLS
