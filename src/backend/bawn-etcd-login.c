/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-etcd-private.h"

#include <string.h>

/* Nobody has longer ones; a wrong file may be of any size. */
#define MAX_PASSWORD 4096
/* How soon one that waits for another's login notices that it was cancelled. */
#define WAIT_STEP_US (50 * G_TIME_SPAN_MILLISECOND)

struct _BawnEtcdLogin
{
  char *username;            /* nullable */
  BawnWipedString *password; /* nullable */
  char *password_file;       /* nullable */

  GMutex lock;
  GCond done;
  gboolean is_asking;
  BawnWipedString *token; /* nullable */
  gint is_refused;        /* atomic */
};

BawnEtcdLogin *
bawn_etcd_login_new (BawnConfigGroup *group)
{
  BawnEtcdLogin *login = g_new0 (BawnEtcdLogin, 1);

  g_mutex_init (&login->lock);
  g_cond_init (&login->done);
  login->username = bawn_config_get_string (group, "username", NULL);
  login->password = bawn_config_get_string (group, "password", NULL);
  login->password_file = bawn_config_get_string (group, "password-file", NULL);

  if (login->password != NULL && login->password_file != NULL)
    bawn_config_complain (group, "password-file", "does not go together with password");
  if (login->username == NULL && (login->password != NULL || login->password_file != NULL))
    bawn_config_complain (group, login->password != NULL ? "password" : "password-file",
                          "needs username");
  if (login->username != NULL && login->password == NULL && login->password_file == NULL)
    bawn_config_complain (group, "username", "needs password or password-file");
  return login;
}

void
bawn_etcd_login_free (BawnEtcdLogin *login)
{
  if (login == NULL)
    return;

  g_free (login->username);
  bawn_string_wipe_free (login->password);
  g_free (login->password_file);
  bawn_string_wipe_free (login->token);
  g_cond_clear (&login->done);
  g_mutex_clear (&login->lock);
  g_free (login);
}

gboolean
bawn_etcd_login_is_used (BawnEtcdLogin *login)
{
  return login->username != NULL;
}

/* The file is read for each login, so that a password can be changed while we run. */
static BawnWipedString *
dup_password (BawnEtcdLogin *login, GError **error)
{
  g_autoptr (GError) why = NULL;
  g_autofree char *text = NULL;
  gsize size = 0;

  if (login->password_file == NULL)
    return g_strdup (login->password);
  if (!g_file_get_contents (login->password_file, &text, &size, &why))
    return bawn_fail_null (error, BAWN_ERROR_UPSTREAM, "password-file: %s", why->message);

  g_autoptr (BawnWipedString) password = g_steal_pointer (&text);

  while (size > 0 && (password[size - 1] == '\n' || password[size - 1] == '\r'))
    password[--size] = '\0';
  if (size == 0 || size > MAX_PASSWORD || strlen (password) != size)
    return bawn_fail_null (error, BAWN_ERROR_UPSTREAM, "password-file %s does not hold a password",
                           login->password_file);

  return g_steal_pointer (&password);
}

gboolean
bawn_etcd_login_check (BawnEtcdLogin *login, GError **error)
{
  g_autoptr (GError) why = NULL;

  if (login->password_file == NULL)
    return TRUE;

  g_autoptr (BawnWipedString) password = dup_password (login, &why);

  return password != NULL || bawn_fail (error, BAWN_ERROR_INVALID, "%s", why->message);
}

static GBytes *
write_request (BawnEtcdLogin *login, GError **error)
{
  g_autoptr (BawnWipedString) password = dup_password (login, error);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (password == NULL)
    return NULL;

  bawn_json_writer_begin_object (&w);
  bawn_rest_json_string (&w, BAWN_REST_ETCD_NAME, login->username);
  bawn_rest_json_string (&w, BAWN_REST_ETCD_PASSWORD, password);
  bawn_json_writer_end_object (&w);
  return bawn_json_writer_finish (&w);
}

static BawnWipedString *
ask (BawnEtcdLogin *login, BawnRest *rest, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) body = write_request (login, error);
  g_auto (BawnRestReply) reply = { 0 };
  /* What waits for it holds a place of max-parallel no more, and must not wait for one. */
  const BawnRestRequest request = {
    .method = "POST",
    .path = "/v3/auth/authenticate",
    .body = body,
    .content_type = "application/json",
    .is_repeatable = TRUE,
    .is_wait = TRUE,
  };

  if (body == NULL || !bawn_rest_call (rest, &request, &reply, cancellable, error))
    return NULL;
  if (reply.status != 200)
    {
      g_auto (BawnEtcdFault) fault = { 0 };

      bawn_etcd_fault_read (&fault, &reply);
      /* "authentication failed, invalid user ID or password", "… is not enabled"; not too many
       * calls at a time, which is a refusal too. */
      g_atomic_int_set (&login->is_refused,
                        fault.is_refusal && strstr (fault.text, "authentication") != NULL);
      return bawn_fail_null (error, BAWN_ERROR_UPSTREAM, "%s does not let %s in: %s", reply.address,
                             login->username, fault.text);
    }

  g_autoptr (BawnJson) json = bawn_json_parse (reply.body, NULL, NULL);
  const char *token =
      json != NULL ? bawn_rest_json_get_string (bawn_json_root (json), BAWN_REST_ETCD_TOKEN, NULL)
                   : NULL;

  if (token == NULL || *token == '\0')
    return bawn_fail_null (error, BAWN_ERROR_UPSTREAM, "%s gives no token", reply.address);

  g_atomic_int_set (&login->is_refused, FALSE);
  return g_strdup (token);
}

gboolean
bawn_etcd_login_is_refused (BawnEtcdLogin *login)
{
  return g_atomic_int_get (&login->is_refused);
}

/* A login costs the server a slow hash: one at a time, and its token is for all that need one. */
BawnWipedString *
bawn_etcd_login_get_token (BawnEtcdLogin *login,
                           BawnRest *rest,
                           const char *stale,
                           GCancellable *cancellable,
                           GError **error)
{
  g_mutex_lock (&login->lock);
  while (login->is_asking && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait_until (&login->done, &login->lock, g_get_monotonic_time () + WAIT_STEP_US);
  if (login->is_asking)
    {
      g_mutex_unlock (&login->lock);
      return bawn_fail_null (error, BAWN_ERROR_TIMEOUT, "given up");
    }
  if (login->token != NULL && g_strcmp0 (login->token, stale) != 0)
    {
      BawnWipedString *token = g_strdup (login->token);

      g_mutex_unlock (&login->lock);
      return token;
    }
  login->is_asking = TRUE;
  g_mutex_unlock (&login->lock);

  g_autoptr (BawnWipedString) token = ask (login, rest, cancellable, error);

  g_mutex_lock (&login->lock);
  login->is_asking = FALSE;
  g_clear_pointer (&login->token, bawn_string_wipe_free);
  login->token = g_strdup (token);
  g_cond_broadcast (&login->done);
  g_mutex_unlock (&login->lock);

  return g_steal_pointer (&token);
}
