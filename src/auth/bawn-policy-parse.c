/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-policy-private.h"
#include "util/bawn-clock.h"
#include "util/bawn-error.h"
#include "util/bawn-hcl.h"

#include <string.h>

/* One path while it is read. Problems are told with the path as it was written. */
typedef struct
{
  BawnPolicy *policy;
  const char *written;
  BawnPermissions *permissions;
} Body;

typedef gboolean (*KeyReader) (Body *body, const BawnHclNode *value, GError **error);

/* Both braces must come in pairs, "{{" before "}}", not nested. @out_has: there is at least one
 * pair. */
static gboolean
check_templates (const char *path, gboolean *out_has, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (path, "{{", -1);
  gboolean sound = parts[0] == NULL || strstr (parts[0], "}}") == NULL;

  *out_has = parts[0] != NULL && parts[1] != NULL;
  for (char **part = *out_has ? parts + 1 : NULL; sound && part != NULL && *part != NULL; part++)
    {
      const char *close = strstr (*part, "}}");

      sound = close != NULL && strstr (close + 2, "}}") == NULL;
    }
  if (!sound)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "failed to validate policy templating: unbalanced templating characters");

  return TRUE;
}

/* HCL takes one value for a list of one. */
static const BawnHclNode *
first_of (const BawnHclNode *value)
{
  return value->kind == BAWN_HCL_LIST ? value->elements : value;
}

static gboolean
read_capabilities (Body *body, const BawnHclNode *value, GError **error)
{
  for (const BawnHclNode *node = first_of (value); node != NULL; node = node->next)
    {
      const char *name = bawn_hcl_node_string (node);
      guint may = name != NULL ? bawn_may_from_name (name) : 0;

      if (may == 0)
        return bawn_fail (error, BAWN_ERROR_INVALID, "path \"%s\": invalid capability \"%s\"",
                          body->written, name != NULL ? name : "");
      body->permissions->may |= may;
      if (value->kind != BAWN_HCL_LIST)
        break;
    }

  return TRUE;
}

static gboolean
read_policy (Body *body, const BawnHclNode *value, GError **error)
{
  static const guint read = BAWN_MAY_READ | BAWN_MAY_LIST;
  static const guint write =
      BAWN_MAY_CREATE | BAWN_MAY_READ | BAWN_MAY_UPDATE | BAWN_MAY_DELETE | BAWN_MAY_LIST;
  const struct
  {
    const char *name;
    guint may;
  } old[] = {
    { "", 0 },          { "deny", BAWN_MAY_DENY },         { "read", read },
    { "write", write }, { "sudo", write | BAWN_MAY_SUDO },
  };
  const char *name = bawn_hcl_node_string (value);

  for (guint i = 0; name != NULL && i < G_N_ELEMENTS (old); i++)
    if (g_str_equal (name, old[i].name))
      {
        body->permissions->may |= old[i].may;
        return TRUE;
      }

  return bawn_fail (error, BAWN_ERROR_INVALID, "path \"%s\": invalid policy \"%s\"", body->written,
                    name != NULL ? name : "");
}

static void write_value (BawnJsonWriter *w, const BawnHclNode *value);

static void
write_object (BawnJsonWriter *w, const BawnHclNode *object)
{
  bawn_json_writer_begin_object (w);
  for (const BawnHclItem *item = object->items; item != NULL; item = item->next)
    {
      for (guint i = 0; i < item->n_keys; i++)
        {
          if (i > 0)
            bawn_json_writer_begin_object (w);
          bawn_json_writer_name (w, item->keys[i]);
        }
      write_value (w, item->value);
      for (guint i = 1; i < item->n_keys; i++)
        bawn_json_writer_end_object (w);
    }
  bawn_json_writer_end_object (w);
}

static void
write_number (BawnJsonWriter *w, const BawnHclNode *value)
{
  gint64 number = 0;
  g_autoptr (BawnJson) same = bawn_json_parse_string (value->text, NULL);

  if (same != NULL)
    bawn_json_writer_node (w, bawn_json_root (same));
  else if (bawn_hcl_node_int (value, &number))
    bawn_json_writer_int (w, number);
  else
    bawn_json_writer_double (w, g_ascii_strtod (value->text, NULL));
}

/* As deep as the HCL parser lets it be. */
static void
write_value (BawnJsonWriter *w, const BawnHclNode *value)
{
  switch (value->kind)
    {
    case BAWN_HCL_NULL:
      bawn_json_writer_null (w);
      break;
    case BAWN_HCL_BOOL:
      bawn_json_writer_bool (w, g_str_equal (value->text, "true"));
      break;
    case BAWN_HCL_NUMBER:
      write_number (w, value);
      break;
    case BAWN_HCL_STRING:
      bawn_json_writer_string (w, value->text);
      break;
    case BAWN_HCL_LIST:
      bawn_json_writer_begin_array (w);
      for (const BawnHclNode *node = value->elements; node != NULL; node = node->next)
        write_value (w, node);
      bawn_json_writer_end_array (w);
      break;
    case BAWN_HCL_OBJECT:
      write_object (w, value);
      break;
    }
}

/* Parameters are compared with what clients send, so their values are kept as JSON. */
static gboolean
add_values (Body *body, BawnParameter *parameter, const BawnHclNode *value, GError **error)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (value->kind != BAWN_HCL_LIST)
    bawn_json_writer_begin_array (&w);
  write_value (&w, value);
  if (value->kind != BAWN_HCL_LIST)
    bawn_json_writer_end_array (&w);

  g_autoptr (GBytes) text = bawn_json_writer_finish (&w);
  BawnJson *json = bawn_json_parse (text, NULL, error);

  if (json == NULL)
    return FALSE;

  g_ptr_array_add (body->policy->documents, json);
  for (const BawnJsonNode *node = bawn_json_root (json)->children; node != NULL; node = node->next)
    g_ptr_array_add (parameter->values, (gpointer) node);

  return TRUE;
}

static gboolean
read_parameters (Body *body,
                 const char *key,
                 const BawnHclNode *value,
                 GPtrArray **inout_parameters,
                 GError **error)
{
  if (value->kind == BAWN_HCL_LIST)
    {
      for (const BawnHclNode *node = value->elements; node != NULL; node = node->next)
        if (node->kind != BAWN_HCL_OBJECT
            || !read_parameters (body, key, node, inout_parameters, NULL))
          return bawn_fail (error, BAWN_ERROR_INVALID, "path \"%s\": %s must be an object",
                            body->written, key);
      return TRUE;
    }
  if (value->kind != BAWN_HCL_OBJECT)
    return bawn_fail (error, BAWN_ERROR_INVALID, "path \"%s\": %s must be an object", body->written,
                      key);

  for (const BawnHclItem *item = value->items; item != NULL; item = item->next)
    {
      BawnParameter *parameter = bawn_permissions_parameter (inout_parameters, item->keys[0]);

      if (item->n_keys != 1)
        return bawn_fail (error, BAWN_ERROR_INVALID, "path \"%s\": %s may not hold blocks",
                          body->written, key);
      if (!add_values (body, parameter, item->value, error))
        return FALSE;
    }

  return TRUE;
}

static gboolean
read_allowed (Body *body, const BawnHclNode *value, GError **error)
{
  return read_parameters (body, "allowed_parameters", value, &body->permissions->allowed, error);
}

static gboolean
read_denied (Body *body, const BawnHclNode *value, GError **error)
{
  return read_parameters (body, "denied_parameters", value, &body->permissions->denied, error);
}

static gboolean
read_required (Body *body, const BawnHclNode *value, GError **error)
{
  for (const BawnHclNode *node = first_of (value); node != NULL; node = node->next)
    {
      const char *name = bawn_hcl_node_string (node);

      if (name == NULL)
        return bawn_fail (error, BAWN_ERROR_INVALID,
                          "path \"%s\": required_parameters must be a list of strings",
                          body->written);
      bawn_permissions_require (body->permissions, name);
      if (value->kind != BAWN_HCL_LIST)
        break;
    }

  return TRUE;
}

static gboolean
read_time (const char *key, const BawnHclNode *value, gint64 *out_us, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (value->text == NULL || !bawn_duration_parse (value->text, out_us, &local) || *out_us < 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "error parsing %s: %s", key,
                      local != NULL ? local->message : "not a duration");

  return TRUE;
}

static gboolean
read_min_wrap (Body *body, const BawnHclNode *value, GError **error)
{
  return read_time ("min_wrapping_ttl", value, &body->permissions->min_wrap_us, error);
}

static gboolean
read_max_wrap (Body *body, const BawnHclNode *value, GError **error)
{
  return read_time ("max_wrapping_ttl", value, &body->permissions->max_wrap_us, error);
}

/* Understood elsewhere, and without effect here. */
static gboolean
read_nothing (Body *body, const BawnHclNode *value, GError **error)
{
  return TRUE;
}

static const struct
{
  const char *key;
  KeyReader read;
} body_keys[] = {
  { "capabilities", read_capabilities },    { "policy", read_policy },
  { "allowed_parameters", read_allowed },   { "denied_parameters", read_denied },
  { "required_parameters", read_required }, { "min_wrapping_ttl", read_min_wrap },
  { "max_wrapping_ttl", read_max_wrap },    { "mfa_methods", read_nothing },
  { "control_group", read_nothing },        { "comment", read_nothing },
};

static KeyReader
find_reader (const char *key)
{
  for (guint i = 0; i < G_N_ELEMENTS (body_keys); i++)
    if (g_str_equal (key, body_keys[i].key))
      return body_keys[i].read;

  return NULL;
}

/* All of the unknown keys at once, as clients know it. */
static gboolean
refuse_keys (GPtrArray *problems, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (problems->len == 0)
    return TRUE;

  g_string_printf (text, "%u error%s occurred:\n", problems->len, problems->len == 1 ? "" : "s");
  for (guint i = 0; i < problems->len; i++)
    g_string_append_printf (text, "\t* %s\n", (const char *) g_ptr_array_index (problems, i));
  g_string_append_c (text, '\n');

  return bawn_fail (error, BAWN_ERROR_INVALID, "%s", text->str);
}

static gboolean
check_body_keys (const Body *body, const BawnHclNode *object, GError **error)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);

  for (const BawnHclItem *item = object->items; item != NULL; item = item->next)
    if (find_reader (item->keys[0]) == NULL)
      g_ptr_array_add (problems, g_strdup_printf ("path \"%s\": invalid key \"%s\" on line %u",
                                                  body->written, item->keys[0], item->assign_line));

  return refuse_keys (problems, error);
}

static gboolean
check_top_keys (const BawnHclNode *root, GError **error)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);

  for (const BawnHclItem *item = root->items; item != NULL; item = item->next)
    if (!g_str_equal (item->keys[0], "name") && !g_str_equal (item->keys[0], "path"))
      g_ptr_array_add (problems, g_strdup_printf ("invalid key \"%s\" on line %u", item->keys[0],
                                                  item->assign_line));

  return refuse_keys (problems, error);
}

static gboolean
read_body (Body *body, const BawnHclNode *object, GError **error)
{
  BawnPermissions *permissions = body->permissions;

  if (!check_body_keys (body, object, error))
    return FALSE;
  for (const BawnHclItem *item = object->items; item != NULL; item = item->next)
    {
      KeyReader read = find_reader (item->keys[0]);

      if (item->n_keys != 1 && read != read_nothing)
        return bawn_fail (error, BAWN_ERROR_INVALID, "path \"%s\": %s takes no label",
                          body->written, item->keys[0]);
      if (!read (body, item->value, error))
        return FALSE;
    }

  if (permissions->min_wrap_us > 0 && permissions->max_wrap_us > 0
      && permissions->max_wrap_us < permissions->min_wrap_us)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "max_wrapping_ttl cannot be less than min_wrapping_ttl");
  if ((permissions->may & BAWN_MAY_DENY) != 0)
    permissions->may = BAWN_MAY_DENY;

  return TRUE;
}

static gboolean
set_path (BawnPolicyRule *rule, const char *written, GError **error)
{
  const char *path = *written == '/' ? written + 1 : written;
  gboolean segments = strstr (path, "/+") != NULL || g_str_has_prefix (path, "+/");

  if (strstr (path, "+*") != NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "path \"%s\": invalid use of wildcards ('+*' is forbidden)", path);

  rule->is_prefix = g_str_has_suffix (path, "*");
  rule->path = g_strndup (path, strlen (path) - (rule->is_prefix ? 1 : 0));
  rule->kind = segments ? BAWN_PATH_SEGMENTS : rule->is_prefix ? BAWN_PATH_PREFIX : BAWN_PATH_EXACT;

  return TRUE;
}

static gboolean
read_block (BawnPolicy *policy, const BawnHclBlock *block, GError **error)
{
  BawnPolicyRule *rule = g_new0 (BawnPolicyRule, 1);
  Body body = { policy, block->label, &rule->permissions };
  gboolean templated = FALSE;

  g_ptr_array_add (policy->rules, rule);
  if (!check_templates (block->label, &templated, error) || !set_path (rule, block->label, error)
      || !read_body (&body, block->body, error))
    return FALSE;

  /* Nobody has an entity yet, and a rule whose template cannot be filled in is no rule. */
  if (templated)
    g_ptr_array_remove_index (policy->rules, policy->rules->len - 1);

  return TRUE;
}

gboolean
bawn_policy_parse_rules (BawnPolicy *policy, GError **error)
{
  g_autoptr (BawnHcl) hcl = bawn_hcl_parse (policy->text, strlen (policy->text), error);

  if (hcl == NULL)
    return FALSE;

  const BawnHclNode *root = bawn_hcl_root (hcl);

  if (!check_top_keys (root, error))
    return FALSE;

  g_autoptr (GArray) blocks = bawn_hcl_find_blocks (root, "path", error);

  if (blocks == NULL)
    return FALSE;
  for (guint i = 0; i < blocks->len; i++)
    if (!read_block (policy, &g_array_index (blocks, BawnHclBlock, i), error))
      return FALSE;

  return TRUE;
}
