/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backend/bawn-rest.h"
#include "util/bawn-json.h"

G_BEGIN_DECLS

/* Where Consul's agent listens on each machine. */
#define BAWN_CONSUL_ADDRESS "http://127.0.0.1:8500"

/**
 * BawnConsul:
 *
 * A client of Consul's HTTP API: the REST client with Consul's token and its way to say things.
 * Thread-safe; calls block.
 */
typedef struct _BawnConsul BawnConsul;
typedef struct _BawnConsulOptions BawnConsulOptions;

/* Reads token, token-file and all that bawn_rest_options_read() does; what is wrong is noted in the
 * group. Opens nothing. @any_datacenter: whether a datacenter may be asked for that is not the
 * agent's own: reads datacenter too. */
BawnConsulOptions *bawn_consul_options_read (BawnConfigGroup *group, gboolean any_datacenter);
void bawn_consul_options_free (BawnConsulOptions *options);

/* Takes @options. Reads the token's file. */
BawnConsul *bawn_consul_new (BawnConsulOptions *options, GError **error);
void bawn_consul_free (BawnConsul *self);

/**
 * BawnConsulCall:
 * @method: "GET" or "PUT"
 * @path: escaped, without a query: "/v1/kv/a"
 * @query: (nullable): "consistent&index=7"
 * @body: (nullable): JSON
 * @timeout_us: for the whole call; 0: request-timeout
 * @is_repeatable: it may reach a server twice
 * @is_wait: it only waits
 *
 * One call.
 */
typedef struct
{
  const char *method;
  const char *path;
  const char *query;
  GBytes *body;
  gint64 timeout_us;
  gboolean is_repeatable;
  gboolean is_wait;
} BawnConsulCall;

gboolean bawn_consul_call (BawnConsul *self,
                           const BawnConsulCall *call,
                           BawnRestReply *out_reply,
                           GCancellable *cancellable,
                           GError **error);

/* What the server says of why it refused, fit for a log: printable, short. */
char *bawn_consul_dup_complaint (const BawnRestReply *reply);
/* UPSTREAM, with who answered what. FALSE. */
gboolean bawn_consul_fail_reply (const BawnRestReply *reply, GError **error);
/* It refused before it did anything. */
gboolean bawn_consul_did_nothing (const BawnRestReply *reply);

/* X-Consul-Index, which every answer about keys has; 0: there is none, so this is not Consul. */
guint64 bawn_consul_reply_index (const BawnRestReply *reply);

/* What a GET of one key, and one of the names below a folder, brought. */
gboolean bawn_consul_read_entry (const BawnRestReply *reply,
                                 const char *encoded,
                                 GBytes **out_value,
                                 guint64 *out_version);
GPtrArray *bawn_consul_read_names (const BawnRestReply *reply,
                                   const char *folder,
                                   const char *after,
                                   GError **error);

/* Keys as Consul keeps them: @prefix and the key, in printable ASCII. What else there is in a key
 * stands as %XX, since Consul refuses it in a URL, and so do "%" itself and the dots of "." and
 * "..", which its HTTP server would resolve. */
char *bawn_consul_key_encode (const char *prefix, const char *key);
/* NULL if it is no encoding of a name. */
char *bawn_consul_name_decode (const char *name, gsize size);
/* "/v1/kv/…" of an encoded key. */
char *bawn_consul_key_path (const char *encoded);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnConsulOptions, bawn_consul_options_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnConsul, bawn_consul_free)

G_END_DECLS
