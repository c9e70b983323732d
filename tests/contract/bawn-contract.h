/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-backend.h"
#include "tests/contract/bawn-expect.h"

G_BEGIN_DECLS

/**
 * BawnContractTarget:
 * @type: the registered name
 * @is_private: every handle has a storage of its own, as memory has
 * @is_file: `path` is a file; otherwise it is the prefix of all keys
 * @variable: (nullable): the environment variable that holds further lines of [storage], such as where the
 *   server is; without it all tests are skipped
 * @lines: (nullable): further lines of [storage], each with its end, instead
 * @child: (nullable): the command of a process that calls bawn_contract_child() with three more arguments; without it there
 *   are no tests with processes
 * @check: (nullable): looks at `path` after its writers were killed
 *
 * A storage to be put through the conformance suite.
 */
typedef struct
{
  const char *type;
  gboolean is_private;
  gboolean is_file;
  const char *variable;
  const char *lines;
  const char *const *child;
  void (*check) (const char *path);
} BawnContractTarget;

/* Adds all tests of the suite for one storage, under /contract/TYPE/. */
void bawn_contract_add_tests (const BawnContractTarget *target);
/* FALSE if its backend will not take the keys; for a message instead of a failed test. */
gboolean bawn_contract_check_config (const BawnContractTarget *target, GError **error);
/* What the command @child of the target does. */
int bawn_contract_child (const BawnContractTarget *target, const char *const *argv);

/*< private >*/

/* A storage of its own for each test. */
typedef struct
{
  const BawnContractTarget *target;
  char *directory;
  char *path;
  BawnBackend *backend;
} BawnContract;

typedef void (*BawnContractFunc) (BawnContract *contract);

void bawn_contract_add (const BawnContractTarget *target, const char *name, BawnContractFunc func);
void bawn_contract_add_basic (const BawnContractTarget *target);
void bawn_contract_add_listing (const BawnContractTarget *target);
void bawn_contract_add_commit (const BawnContractTarget *target);
void bawn_contract_add_model (const BawnContractTarget *target);
void bawn_contract_add_threads (const BawnContractTarget *target);
void bawn_contract_add_processes (const BawnContractTarget *target);
void bawn_contract_add_store (const BawnContractTarget *target);
void bawn_contract_add_wait (const BawnContractTarget *target);
void bawn_contract_add_serial (const BawnContractTarget *target);

BawnBackend *bawn_contract_open_path (const BawnContractTarget *target, const char *path, GError **error);
/* Another handle to the same storage; for a private one, the same handle again. */
BawnBackend *bawn_contract_open (BawnContract *contract);
/* Gives up the handle and opens the storage anew. FALSE, and nothing done, for a private one. */
gboolean bawn_contract_reopen (BawnContract *contract);

void bawn_contract_put (BawnBackend *backend, const char *key, const char *text);
void bawn_contract_delete (BawnBackend *backend, const char *key);
/* "-" for absent */
char *bawn_contract_get (BawnBackend *backend, const char *key);
guint64 bawn_contract_version (BawnBackend *backend, const char *key);
char *bawn_contract_list (BawnBackend *backend, const char *prefix, const char *after, guint limit);

/* A number from the environment, to make long runs longer. */
guint bawn_contract_scale (const char *variable, guint fallback);

#define assert_entry(backend, key, text)                                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *entry_ = bawn_contract_get (backend, key);                                    \
    g_assert_cmpstr (entry_, ==, text);                                                            \
  }                                                                                                \
  G_STMT_END

#define assert_listing(backend, prefix, after, limit, text)                                        \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *listing_ = bawn_contract_list (backend, prefix, after, limit);                \
    g_assert_cmpstr (listing_, ==, text);                                                          \
  }                                                                                                \
  G_STMT_END

G_END_DECLS
