/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "barrier/bawn-share.h"
#include "core/bawn-core-private.h"
#include "util/bawn-log.h"

G_BEGIN_DECLS

/* What the files of sys/ share. */

/* More families, beside those of core/bawn-core-private.h. */
extern const BawnRoute bawn_sys_ha_routes[];
extern const BawnRoute bawn_sys_tune_routes[];
extern const BawnRoute bawn_sys_remount_routes[];
extern const BawnRoute bawn_sys_password_routes[];
extern const BawnRoute bawn_sys_config_routes[];
extern const BawnRoute bawn_sys_count_routes[];
extern const BawnRoute bawn_sys_spec_routes[];
extern const BawnRoute bawn_sys_loggers_routes[];

/* Runs an endpoint about this node, whose caller the active node has found entitled. */
BawnResponse *bawn_sys_run_for_node (BawnCore *core, BawnRequest *request, GError **error);

/* Answers: @w is finished. Injected: each member of data stands at the top too (api: legacy
 * endpoints). */
BawnResponse *bawn_sys_injected (BawnJsonWriter *w);

/* The rest of the path that the route calls @name. Patterns let it be empty; this does not:
 * "unsupported operation". */
const char *bawn_sys_need_rest (BawnRequest *request, const char *name, GError **error);

/* Entries below @prefix, folders walked, sorted bytewise; at most @limit of them, or LIMITED. */
#define BAWN_SYS_WALK_MAX 100000
gboolean
bawn_sys_walk (BawnTxn *txn, const char *prefix, guint limit, GStrv *out_names, GError **error);

/* The object in the field @name as a request of its own, so that the lenient conversions work on
 * it; NULL when absent or null. An object that is none is INVALID. */
gboolean bawn_sys_sub_request (BawnRequest *request,
                               const char *name,
                               BawnRequest **out_fields,
                               GError **error);

/* The ACL of whoever asked; NULL on an open route without a good token. */
gboolean bawn_sys_caller_acl (
    BawnEngine *engine, BawnRequest *request, BawnTxn *txn, BawnAcl **out_acl, GError **error);

/* A copy whose field names are in lower case: the endpoints outside the pipeline take them in any.
 */
BawnRequest *bawn_sys_fold_fields (BawnRequest *request, GError **error);

/* {"a":"b",…} sorted by name; null for NULL. */
void bawn_sys_write_map (BawnJsonWriter *w, GHashTable *map);

/* A policy's text as sent: plain, or as base64. */
char *bawn_sys_decode_policy (const char *given);

/* Mounts (bawn-sys-mount-config.c). "a/b" or "/a/b/" gives "a/b/"; a login method's "auth/a/b/". */
char *bawn_sys_mount_path (const char *given, gboolean is_auth);
/* Lease ids begin with the mount's path and are keys of the storage (BAWN_BACKEND_MAX_KEY), so half
 * of that is for the path in the mount. */
#define BAWN_SYS_MOUNT_PATH_MAX 512
gboolean bawn_sys_mount_is_auth (const BawnMount *mount);
/* Takes what @fields holds of a mount's config over into @mount, which is not shared yet. */
gboolean bawn_sys_mount_config_read (BawnRequest *fields, BawnMount *mount, GError **error);
/* The entry as mounts and auth list it: an object. */
void bawn_sys_mount_write (BawnJsonWriter *w, const BawnMount *mount);
/* The optional members of a mount's config. */
void bawn_sys_mount_config_write (BawnJsonWriter *w, const BawnMount *mount);
/* Whether @path is at or below one of @protected_paths. */
gboolean bawn_sys_mount_is_protected (const char *path, const char *const *protected_paths);
/* GET and POST of …/tune (bawn-sys-tune.c). */
BawnResponse *bawn_sys_tune_read (
    BawnEngine *engine, BawnRequest *request, BawnTxn *txn, const char *path, GError **error);
BawnResponse *bawn_sys_tune_write (
    BawnEngine *engine, BawnRequest *request, BawnTxn *txn, const char *path, GError **error);

/* Ends every lease below @prefix in bounded steps, each a commit of its own (bawn-sys-leases.c says
 * why). Needs a transaction that may block; nothing is read or written in it. */
gboolean bawn_sys_revoke_prefix (
    BawnEngine *engine, BawnTxn *txn, const char *prefix, gboolean force, GError **error);

/* The gatherings of shares that live in memory only; owned by the system engine. */
BawnRekey *bawn_sys_get_rekey (BawnCore *core);
BawnGenerateRoot *bawn_sys_get_generate_root (BawnCore *core);

/* Writes down that a gathering of shares has begun, or with %NULL that it is over; blocks. Afterwards
 * bawn_sys_explain_gathering() can tell one that was lost with its node from one that never was: it
 * makes the error say so. */
#define BAWN_SYS_GATHERING_REKEY "rekey"
#define BAWN_SYS_GATHERING_ROOT "generate-root"
gboolean bawn_sys_note_gathering (BawnCore *core, const char *kind, const char *nonce, GError **error);
void bawn_sys_explain_gathering (BawnCore *core, const char *kind, const char *nonce, GError **inout_error);

gint64 bawn_sys_get_uptime_us (BawnCore *core);
/* How much was logged when the node was made. */
BawnLogLevel bawn_sys_get_first_log_level (BawnCore *core);

/* Handlers of endpoints outside the pipeline, joined in bawn-sys-direct.c. */
BawnResponse *
bawn_sys_init_read (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error);
BawnResponse *
bawn_sys_init_write (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error);
BawnResponse *
bawn_sys_seal_status (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error);
BawnResponse *
bawn_sys_unseal (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error);
BawnResponse *
bawn_sys_health (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error);
BawnResponse *
bawn_sys_leader (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error);
BawnResponse *bawn_sys_generate_root_attempt (BawnCore *core,
                                              BawnRequest *request,
                                              gboolean may_block,
                                              GError **error);
BawnResponse *bawn_sys_generate_root_update (BawnCore *core,
                                             BawnRequest *request,
                                             gboolean may_block,
                                             GError **error);
BawnResponse *
bawn_sys_rekey_init (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error);
BawnResponse *
bawn_sys_rekey_update (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error);
BawnResponse *
bawn_sys_rekey_verify (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error);
BawnResponse *
bawn_sys_rekey_recovery (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error);
/* What those share. */
gboolean bawn_sys_check_active (BawnCore *core, GError **error);
gboolean bawn_sys_read_share (BawnRequest *fields,
                              const char *missing,
                              BawnSecret **out_share,
                              GError **error);
/* "warnings" beside shares of which it is not known whether they open anything. */
void bawn_sys_write_doubt (BawnJsonWriter *w);
void bawn_sys_write_shares (BawnJsonWriter *w,
                            const char *hex_name,
                            const char *base64_name,
                            GPtrArray *shares);

G_END_DECLS
