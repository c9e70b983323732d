/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"

/* The config of a mount, as enabling and tuning read it and listings show it. */

#define AUTH_PREFIX "auth/"

char *
bawn_sys_mount_path (const char *given, gboolean is_auth)
{
  const char *from = given;
  gsize size = strlen (given);

  while (*from == '/')
    {
      from++;
      size--;
    }
  while (size > 0 && from[size - 1] == '/')
    size--;

  return g_strdup_printf ("%s%.*s%s", is_auth ? AUTH_PREFIX : "", (int) size, from,
                          size > 0 ? "/" : "");
}

gboolean
bawn_sys_mount_is_auth (const BawnMount *mount)
{
  return g_str_has_prefix (mount->path, AUTH_PREFIX);
}

gboolean
bawn_sys_mount_is_protected (const char *path, const char *const *protected_paths)
{
  for (guint i = 0; protected_paths[i] != NULL; i++)
    if (g_str_has_prefix (path, protected_paths[i]))
      return TRUE;

  return FALSE;
}

/* "" leaves what is there, "system" takes it back to the system's. */
static gboolean
read_ttl (BawnRequest *fields, const char *name, const char *what, gint64 *inout_us, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) bad = NULL;

  if (!bawn_field_string (fields, name, &text, error))
    return FALSE;
  if (text == NULL || *text == '\0')
    return TRUE;
  if (g_str_equal (text, "system"))
    {
      *inout_us = 0;
      return TRUE;
    }
  if (!bawn_field_duration (fields, name, inout_us, &bad))
    return bawn_fail (error, BAWN_ERROR_INVALID, "unable to parse %s TTL of %s: %s", what, text,
                      bad->message);
  if (*inout_us < 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "unable to parse %s TTL of %s: it is negative",
                      what, text);

  return TRUE;
}

static gboolean
read_choice (BawnRequest *fields,
             const char *name,
             const char *const *choices,
             const char *complaint,
             char **inout_value,
             GError **error)
{
  g_autofree char *value = NULL;

  if (!bawn_field_string (fields, name, &value, error))
    return FALSE;
  if (value == NULL)
    return TRUE;
  if (!g_strv_contains (choices, value))
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s", complaint);

  g_free (*inout_value);
  *inout_value = g_steal_pointer (&value);
  return TRUE;
}

static gboolean
read_token_type (BawnRequest *fields, BawnMount *mount, GError **error)
{
  static const char *const types[] = {
    "", "default", "default-service", "default-batch", "service", "batch", NULL
  };

  if (!read_choice (fields, "token_type", types, "invalid value for 'token_type'",
                    &mount->token_type, error))
    return FALSE;
  if (mount->token_type == NULL || *mount->token_type == '\0'
      || g_str_equal (mount->token_type, "default"))
    {
      g_free (mount->token_type);
      mount->token_type = g_strdup ("default-service");
    }

  return TRUE;
}

gboolean
bawn_sys_mount_config_read (BawnRequest *fields, BawnMount *mount, GError **error)
{
  static const char *const visibilities[] = { "", "hidden", "unauth", NULL };

  if (!read_ttl (fields, "default_lease_ttl", "default", &mount->default_ttl_us, error)
      || !read_ttl (fields, "max_lease_ttl", "max", &mount->max_ttl_us, error)
      || !bawn_field_bool (fields, "force_no_cache", &mount->force_no_cache, error)
      || !bawn_field_strv (fields, "audit_non_hmac_request_keys",
                           &mount->audit_non_hmac_request_keys, error)
      || !bawn_field_strv (fields, "audit_non_hmac_response_keys",
                           &mount->audit_non_hmac_response_keys, error)
      || !bawn_field_strv (fields, "passthrough_request_headers",
                           &mount->passthrough_request_headers, error)
      || !bawn_field_strv (fields, "allowed_response_headers", &mount->allowed_response_headers,
                           error)
      || !read_choice (fields, "listing_visibility", visibilities,
                       "invalid listing visibility type", &mount->listing_visibility, error))
    return FALSE;

  return !bawn_sys_mount_is_auth (mount) || read_token_type (fields, mount, error);
}

static void
add_strv (BawnJsonWriter *w, const char *name, GStrv strings)
{
  if (strings != NULL && strings[0] != NULL)
    bawn_json_writer_add_strv (w, name, (const char *const *) strings);
}

void
bawn_sys_mount_config_write (BawnJsonWriter *w, const BawnMount *mount)
{
  add_strv (w, "audit_non_hmac_request_keys", mount->audit_non_hmac_request_keys);
  add_strv (w, "audit_non_hmac_response_keys", mount->audit_non_hmac_response_keys);
  if (mount->listing_visibility != NULL && *mount->listing_visibility != '\0')
    bawn_json_writer_add_string (w, "listing_visibility", mount->listing_visibility);
  add_strv (w, "passthrough_request_headers", mount->passthrough_request_headers);
  add_strv (w, "allowed_response_headers", mount->allowed_response_headers);
  if (bawn_sys_mount_is_auth (mount))
    bawn_json_writer_add_string (w, "token_type",
                                 mount->token_type != NULL ? mount->token_type : "default-service");
}

void
bawn_sys_mount_write (BawnJsonWriter *w, const BawnMount *mount)
{
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "accessor", mount->accessor);
  bawn_json_writer_name (w, "config");
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_int (w, "default_lease_ttl", mount->default_ttl_us / G_USEC_PER_SEC);
  bawn_json_writer_add_bool (w, "force_no_cache", mount->force_no_cache);
  bawn_json_writer_add_int (w, "max_lease_ttl", mount->max_ttl_us / G_USEC_PER_SEC);
  bawn_sys_mount_config_write (w, mount);
  bawn_json_writer_end_object (w);
  bawn_json_writer_add_string (w, "description",
                               mount->description != NULL ? mount->description : "");
  bawn_json_writer_add_bool (w, "external_entropy_access", mount->external_entropy_access);
  bawn_json_writer_add_bool (w, "local", mount->local);
  bawn_json_writer_name (w, "options");
  bawn_sys_write_map (w, mount->options);
  bawn_json_writer_add_bool (w, "seal_wrap", mount->seal_wrap);
  bawn_json_writer_add_string (w, "type", mount->type);
  bawn_json_writer_add_string (w, "uuid", mount->uuid);
  bawn_json_writer_end_object (w);
}
