/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-codec.h"

#include "crypto/bawn-crypto.h"
#include "http/bawn-http-target.h"
#include "util/bawn-clock.h"

#include <string.h>

#define PREFIX "/v1/"
#define BEARER "Bearer "

/* What a request is read from, and what becomes of it. */
typedef struct
{
  const BawnHttpHead *head;
  GBytes *body; /* nullable */
  const BawnJsonLimits *limits;
  char *path;
  const char *query;
  BawnRequest *request;
  BawnHttpReply *reply; /* filled by whoever says no */
} Decoder;

/* No, with this status and the one error @message; NULL for an empty list of errors. */
static gboolean
say_no (Decoder *d, guint status, const char *message)
{
  bawn_http_reply_from_text (d->reply, status, message);
  return FALSE;
}

/* The API's one text for a body that is no object; what is wrong with it goes to the log, which never gets a part of
 * the body itself. */
static gboolean
say_not_json (Decoder *d, const char *why)
{
  g_debug ("%s %s: body: %s", d->head->method, d->path, why);
  return say_no (d, 400, "error parsing JSON");
}

/* No, because of what @error says, after @prefix. Takes @error. */
static gboolean
say_invalid (Decoder *d, const char *prefix, GError *error)
{
  g_autofree char *message = g_strconcat (prefix, error->message, NULL);

  g_error_free (error);
  return say_no (d, 400, message);
}

static gboolean
read_target (Decoder *d)
{
  switch (bawn_http_target_read (d->head->target, &d->path, &d->query))
    {
    case BAWN_HTTP_TARGET_GOOD:
      if (g_str_has_prefix (d->path, PREFIX))
        return TRUE;
      return say_no (d, 404, NULL);
    case BAWN_HTTP_TARGET_MOVED:
      *d->reply = (BawnHttpReply) { .status = 301, .location = g_steal_pointer (&d->path) };
      return FALSE;
    case BAWN_HTTP_TARGET_UNPRINTABLE:
      *d->reply = (BawnHttpReply) { .status = 400 };
      return FALSE;
    case BAWN_HTTP_TARGET_BAD:
      break;
    }

  return say_no (d, 400, "malformed request target");
}

/* The truth values of Go's strconv, as everywhere in the API. */
static gboolean
parse_bool (const char *text, gboolean *out_value)
{
  static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True", NULL };
  static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False", NULL };

  if (!g_strv_contains (yes, text) && !g_strv_contains (no, text))
    return FALSE;
  *out_value = g_strv_contains (yes, text);

  return TRUE;
}

static void
make_request (Decoder *d, BawnOp op)
{
  const char *path = d->path + strlen (PREFIX);
  g_autofree char *folder = NULL;

  if (op == BAWN_OP_LIST && !g_str_has_suffix (path, "/"))
    path = folder = g_strconcat (path, "/", NULL);
  d->request = bawn_request_new (op, path);
}

/* Parameters become data: nothing at all if there are none. */
static gboolean
set_pairs (Decoder *d, BawnHttpPairs *pairs, gboolean join)
{
  GError *error = NULL;

  if (bawn_http_pairs_is_empty (pairs))
    return TRUE;

  g_autoptr(GBytes) text = bawn_http_pairs_to_json (pairs, join);
  d->request->data = bawn_json_parse (text, d->limits, &error);
  return d->request->data != NULL ? TRUE : say_invalid (d, "", error);
}

static gboolean
read_get (Decoder *d)
{
  GError *error = NULL;
  gboolean list = FALSE;
  g_autoptr(BawnHttpPairs) pairs
    = bawn_http_pairs_parse (d->query != NULL ? d->query : "", d->query != NULL ? strlen (d->query) : 0, &error);

  if (pairs == NULL)
    return say_invalid (d, "", error);

  const char *asked = bawn_http_pairs_get (pairs, "list");
  if (asked != NULL && *asked != '\0' && !parse_bool (asked, &list))
    return say_no (d, 400, NULL);
  const char *help = bawn_http_pairs_get (pairs, "help");
  if (help != NULL && *help != '\0')
    {
      make_request (d, BAWN_OP_HELP);
      return TRUE;
    }

  make_request (d, list ? BAWN_OP_LIST : BAWN_OP_READ);
  bawn_http_pairs_remove (pairs, "help");
  return list ? TRUE : set_pairs (d, pairs, FALSE);
}

static gboolean
read_delete (Decoder *d)
{
  GError *error = NULL;
  g_autoptr(BawnHttpPairs) pairs
    = bawn_http_pairs_parse (d->query != NULL ? d->query : "", d->query != NULL ? strlen (d->query) : 0, &error);

  if (pairs == NULL)
    return say_invalid (d, "", error);
  make_request (d, BAWN_OP_DELETE);
  bawn_http_pairs_remove (pairs, "help");

  return set_pairs (d, pairs, FALSE);
}

/* The type without its parameters. */
static gboolean
content_type_is (Decoder *d, const char *type)
{
  const char *value = bawn_http_head_get (d->head, "Content-Type");
  gsize size = strlen (type);

  return value != NULL && g_ascii_strncasecmp (value, type, size) == 0
         && (value[size] == '\0' || strchr ("; \t", value[size]) != NULL);
}

/* How much blank space the body begins with. */
static gsize
leading_blank (const char *text, gsize size)
{
  gsize n = 0;

  while (n < size && text[n] != '\0' && strchr (" \t\r\n", text[n]) != NULL)
    n++;

  return n;
}

static gboolean
read_json (Decoder *d)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(BawnJson) json = bawn_json_parse (d->body, d->limits, &error);

  if (json == NULL)
    return say_not_json (d, error->message);
  if (bawn_json_is (bawn_json_root (json), BAWN_JSON_NULL))
    return TRUE;
  if (!bawn_json_is (bawn_json_root (json), BAWN_JSON_OBJECT))
    return say_not_json (d, "an object is wanted");
  d->request->data = g_steal_pointer (&json);

  return TRUE;
}

/* A form only if it says so and does not look like JSON: curl -d says so of everything. */
static gboolean
read_body (Decoder *d)
{
  GError *error = NULL;
  gsize size = 0;
  const char *text = d->body != NULL ? g_bytes_get_data (d->body, &size) : NULL;
  gsize blank = leading_blank (text, size);

  if (blank == size)
    return TRUE;
  if (d->request->op == BAWN_OP_PATCH || text[blank] == '{' || text[blank] == '['
      || !content_type_is (d, "application/x-www-form-urlencoded"))
    return read_json (d);

  g_autoptr(BawnHttpPairs) pairs = bawn_http_pairs_parse (text, size, &error);
  return pairs != NULL ? set_pairs (d, pairs, TRUE) : say_invalid (d, "error parsing form data: ", error);
}

static gboolean
read_write (Decoder *d)
{
  if (g_str_has_suffix (d->path, "/"))
    return say_no (d, 400, "cannot write to a path ending in '/'");
  make_request (d, BAWN_OP_UPDATE);

  return read_body (d);
}

static gboolean
read_patch (Decoder *d)
{
  static const char merge_patch[] = "application/merge-patch+json";

  if (!content_type_is (d, merge_patch))
    {
      const char *type = bawn_http_head_get (d->head, "Content-Type");
      g_autofree char *valid = g_utf8_make_valid (type != NULL ? type : "", -1);
      g_autofree char *message = g_strdup_printf ("PATCH requires Content-Type of %s, provided %s", merge_patch, valid);
      return say_no (d, 415, message);
    }
  make_request (d, BAWN_OP_PATCH);

  return read_body (d);
}

static gboolean
read_list (Decoder *d)
{
  make_request (d, BAWN_OP_LIST);
  return TRUE;
}

static gboolean
read_help (Decoder *d)
{
  make_request (d, BAWN_OP_HELP);
  return TRUE;
}

static gboolean
read_head (Decoder *d)
{
  if (strcmp (d->path, PREFIX "sys/health") == 0)
    return read_get (d);
  return say_no (d, 405, "unsupported operation");
}

static gboolean
read_options (Decoder *d)
{
  return say_no (d, 405, "unsupported operation");
}

static gboolean
read_method (Decoder *d)
{
  static const struct
  {
    const char *method;
    gboolean (*read) (Decoder *d);
  } table[] = {
    { "GET", read_get },   { "POST", read_write }, { "PUT", read_write }, { "LIST", read_list },       { "DELETE", read_delete },
    { "HEAD", read_head }, { "HELP", read_help },  { "PATCH", read_patch }, { "OPTIONS", read_options },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (strcmp (table[i].method, d->head->method) == 0)
      return table[i].read (d);

  return say_no (d, 405, NULL);
}

static void
read_token (Decoder *d)
{
  const char *token = bawn_http_head_get (d->head, "X-Vault-Token");
  const char *authorization = bawn_http_head_get (d->head, "Authorization");

  if ((token == NULL || *token == '\0') && authorization != NULL && g_str_has_prefix (authorization, BEARER))
    token = authorization + strlen (BEARER);
  if (token != NULL && *token != '\0')
    d->request->token = g_strdup (token);
}

static gboolean
read_wrap_ttl (Decoder *d)
{
  static const char what[] = "error parsing X-Vault-Wrap-TTL header: ";
  const char *text = bawn_http_head_get (d->head, "X-Vault-Wrap-TTL");
  GError *error = NULL;

  if (text == NULL || *text == '\0')
    return TRUE;
  if (!bawn_duration_parse (*text == '-' ? text + 1 : text, &d->request->wrap_ttl_us, &error))
    return say_invalid (d, what, error);
  if (*text == '-' && d->request->wrap_ttl_us > 0)
    return say_no (d, 400, "error parsing X-Vault-Wrap-TTL header: requested wrap ttl cannot be negative");

  return TRUE;
}

static gboolean
read_policy_override (Decoder *d)
{
  const char *text = bawn_http_head_get (d->head, "X-Vault-Policy-Override");
  gboolean override = FALSE;

  if (text == NULL || *text == '\0' || parse_bool (text, &override))
    return TRUE;
  return say_no (d, 400, "error parsing X-Vault-Policy-Override header: invalid syntax");
}

static gboolean
is_token_field (const BawnHttpField *field)
{
  return g_ascii_strcasecmp (field->name, "X-Vault-Token") == 0
         || (g_ascii_strcasecmp (field->name, "Authorization") == 0 && g_str_has_prefix (field->value, BEARER));
}

/* Names that nodes might use among themselves mean nothing in a client's mouth. */
static gboolean
is_internal_field (const BawnHttpField *field)
{
  return g_ascii_strncasecmp (field->name, "X-Bawn-", strlen ("X-Bawn-")) == 0;
}

/* All but those with the token, which stays in wiped memory. */
static void
read_headers (Decoder *d)
{
  GHashTable *headers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_strfreev);

  for (guint i = 0; i < d->head->n_fields; i++)
    {
      const BawnHttpField *field = &d->head->fields[i];

      if (is_token_field (field) || is_internal_field (field))
        continue;
      g_autofree char *name = g_ascii_strdown (field->name, -1);
      GStrv old = g_hash_table_lookup (headers, name);
      guint n = old != NULL ? g_strv_length (old) : 0;
      GStrv values = g_new0 (char *, n + 2);
      for (guint j = 0; j < n; j++)
        values[j] = g_strdup (old[j]);
      values[n] = g_utf8_validate (field->value, -1, NULL) ? g_strdup (field->value) : g_utf8_make_valid (field->value, -1);
      g_hash_table_insert (headers, g_steal_pointer (&name), values);
    }
  d->request->headers = headers;
}

/**
 * bawn_http_codec_decode:
 * @head: a request's head
 * @body: (nullable): its body, in wiping memory
 * @limits: of JSON
 * @out_reply: empty; filled when there is no request
 *
 * Reads a request of the API: which operation on which path, with which data and token. No part of it is known to be
 * true yet.
 *
 * Returns: (transfer full) (nullable): the request, or %NULL with the answer in @out_reply
 */
BawnRequest *
bawn_http_codec_decode (const BawnHttpHead *head, GBytes *body, const BawnJsonLimits *limits, BawnHttpReply *out_reply)
{
  Decoder d = { .head = head, .body = body, .limits = limits, .reply = out_reply };
  gboolean good = read_target (&d) && read_method (&d) && read_wrap_ttl (&d) && read_policy_override (&d);

  g_free (d.path);
  if (!good)
    {
      g_clear_pointer (&d.request, bawn_request_unref);
      return NULL;
    }

  read_token (&d);
  read_headers (&d);
  d.request->id = bawn_random_uuid ();
  d.request->started_us = g_get_real_time ();
  return d.request;
}
