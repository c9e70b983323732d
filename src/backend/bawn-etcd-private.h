/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backend/bawn-etcd.h"

G_BEGIN_DECLS

/**
 * BawnEtcdLogin:
 *
 * Who we are to the server: a name and a password, and the token that it has given us for them.
 * Thread-safe.
 */
typedef struct _BawnEtcdLogin BawnEtcdLogin;

BawnEtcdLogin *bawn_etcd_login_new (BawnConfigGroup *group);
void bawn_etcd_login_free (BawnEtcdLogin *login);
gboolean bawn_etcd_login_is_used (BawnEtcdLogin *login);
/* Whether there is a password now; FALSE with INVALID. */
gboolean bawn_etcd_login_check (BawnEtcdLogin *login, GError **error);
/* A token that is not @stale (nullable: any will do); %NULL with @error set. Asks the server if
 * there is none. */
BawnWipedString *bawn_etcd_login_get_token (BawnEtcdLogin *login,
                                            BawnRest *rest,
                                            const char *stale,
                                            GCancellable *cancellable,
                                            GError **error);
/* Whether the server's last word was that name or password are wrong. */
gboolean bawn_etcd_login_is_refused (BawnEtcdLogin *login);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnEtcdLogin, bawn_etcd_login_free)

/**
 * BawnEtcdFault:
 * @is_login: the token is missing, unknown or too old
 * @is_denied: the user has no right to it
 * @is_passing: another server, or a moment, may help
 * @is_refusal: nothing was done and nothing will be
 * @is_gone: the revision that was asked for was compacted
 *
 * What the server says when it does not do what was asked.
 */
typedef struct
{
  char *text;
  gboolean is_login;
  gboolean is_denied;
  gboolean is_passing;
  gboolean is_refusal;
  gboolean is_gone;
} BawnEtcdFault;

void bawn_etcd_fault_read (BawnEtcdFault *fault, const BawnRestReply *reply);
void bawn_etcd_fault_clear (BawnEtcdFault *fault);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnEtcdFault, bawn_etcd_fault_clear)

typedef struct _BawnEtcdWatcher BawnEtcdWatcher;

struct _BawnEtcd
{
  BawnRestOptions *options;
  BawnRest *rest; /* nullable until it is open */
  BawnEtcdLogin *login;
  char *prefix;
  guint max_txn_ops;
  gsize max_request_size;
  gboolean is_ha_enabled;

  GMutex lock;
  gboolean is_proved; /* the server has refused a condition that did not hold */
  GQueue watchers;    /* of BawnEtcdWatcher, those that nobody waits with */
};

typedef enum
{
  BAWN_ETCD_READ,
  BAWN_ETCD_WAIT, /* a read that takes no place of max-parallel */
  BAWN_ETCD_COMMIT,
} BawnEtcdKind;

/* The answer; %NULL with @error set as the contract of storages says, and with CONFLICT if a read
 * asks for a revision that is no longer kept. @timeout_us: 0: request-timeout. */
BawnJson *bawn_etcd_call (BawnEtcd *etcd,
                          BawnEtcdKind kind,
                          gint64 timeout_us,
                          const char *path,
                          GBytes *body,
                          GCancellable *cancellable,
                          GError **error);
void bawn_etcd_pause (GCancellable *cancellable);
/* The revision of the whole storage that an answer is of. FALSE: there is none. */
gboolean bawn_etcd_read_revision (const BawnJsonNode *root, guint64 *out_revision);

/* Writes prefix and key, and the first bytes behind all that begins with them. */
void bawn_etcd_write_key (BawnEtcd *etcd, BawnJsonWriter *w, BawnRestField field, const char *key);

/* A linearizable look at one key. @kind: not a commit; @out_revision: (out) (optional): of the
 * whole storage then. */
gboolean bawn_etcd_look (BawnEtcd *etcd,
                         BawnEtcdKind kind,
                         gint64 timeout_us,
                         const char *key,
                         GBytes **out_value,
                         guint64 *out_version,
                         guint64 *out_revision,
                         GCancellable *cancellable,
                         GError **error);

void bawn_etcd_watcher_free (BawnEtcdWatcher *watcher);

G_END_DECLS
