/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-permissions.h"

#include <string.h>

#define ANY "*"

static const struct
{
  const char *name;
  BawnMay may;
} may_names[] = {
  { "create", BAWN_MAY_CREATE }, { "delete", BAWN_MAY_DELETE }, { "deny", BAWN_MAY_DENY },
  { "list", BAWN_MAY_LIST },     { "patch", BAWN_MAY_PATCH },   { "read", BAWN_MAY_READ },
  { "sudo", BAWN_MAY_SUDO },     { "update", BAWN_MAY_UPDATE },
};

guint
bawn_may_from_name (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (may_names); i++)
    if (g_str_equal (name, may_names[i].name))
      return may_names[i].may;

  return 0;
}

GStrv
bawn_may_names (guint may)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  guint shown = may == 0 || (may & BAWN_MAY_DENY) != 0 ? BAWN_MAY_DENY : may;

  for (guint i = 0; i < G_N_ELEMENTS (may_names); i++)
    if ((shown & may_names[i].may) != 0)
      g_strv_builder_add (names, may_names[i].name);

  return g_strv_builder_end (names);
}

static void
parameter_free (gpointer data)
{
  BawnParameter *parameter = data;

  g_free (parameter->name);
  g_ptr_array_unref (parameter->values);
  g_free (parameter);
}

void
bawn_permissions_clear (BawnPermissions *permissions)
{
  g_clear_pointer (&permissions->allowed, g_ptr_array_unref);
  g_clear_pointer (&permissions->denied, g_ptr_array_unref);
  g_clear_pointer (&permissions->required, g_ptr_array_unref);
}

static BawnParameter *
find_parameter (GPtrArray *parameters, const char *name)
{
  for (guint i = 0; parameters != NULL && i < parameters->len; i++)
    {
      BawnParameter *parameter = g_ptr_array_index (parameters, i);

      if (g_str_equal (parameter->name, name))
        return parameter;
    }

  return NULL;
}

BawnParameter *
bawn_permissions_parameter (GPtrArray **inout_parameters, const char *name)
{
  g_autofree char *lower = g_utf8_strdown (name, -1);
  BawnParameter *parameter = find_parameter (*inout_parameters, lower);

  if (parameter != NULL)
    return parameter;

  parameter = g_new0 (BawnParameter, 1);
  parameter->name = g_steal_pointer (&lower);
  parameter->values = g_ptr_array_new ();
  if (*inout_parameters == NULL)
    *inout_parameters = g_ptr_array_new_with_free_func (parameter_free);
  g_ptr_array_add (*inout_parameters, parameter);

  return parameter;
}

void
bawn_permissions_require (BawnPermissions *permissions, const char *name)
{
  g_autofree char *lower = g_utf8_strdown (name, -1);

  if (permissions->required == NULL)
    permissions->required = g_ptr_array_new_with_free_func (g_free);
  if (!g_ptr_array_find_with_equal_func (permissions->required, lower, g_str_equal, NULL))
    g_ptr_array_add (permissions->required, g_steal_pointer (&lower));
}

/* "Any value" is the wider of two for what is allowed, and the stricter of two for what is denied:
 * it wins either way. */
static void
merge_parameters (GPtrArray **into, GPtrArray *other)
{
  for (guint i = 0; other != NULL && i < other->len; i++)
    {
      const BawnParameter *theirs = g_ptr_array_index (other, i);
      gboolean known = find_parameter (*into, theirs->name) != NULL;
      BawnParameter *ours = bawn_permissions_parameter (into, theirs->name);

      if (theirs->values->len == 0 || (known && ours->values->len == 0))
        g_ptr_array_set_size (ours->values, 0);
      else
        g_ptr_array_extend (ours->values, theirs->values, NULL, NULL);
    }
}

static gint64
smaller_time (gint64 a, gint64 b)
{
  return b > 0 && (a == 0 || b < a) ? b : a;
}

void
bawn_permissions_merge (BawnPermissions *into, const BawnPermissions *other)
{
  if ((into->may & BAWN_MAY_DENY) != 0)
    return;
  if ((other->may & BAWN_MAY_DENY) != 0)
    {
      bawn_permissions_clear (into);
      *into = (BawnPermissions){ .may = BAWN_MAY_DENY };
      return;
    }

  into->may |= other->may;
  into->min_wrap_us = smaller_time (into->min_wrap_us, other->min_wrap_us);
  into->max_wrap_us = smaller_time (into->max_wrap_us, other->max_wrap_us);
  merge_parameters (&into->allowed, other->allowed);
  merge_parameters (&into->denied, other->denied);
  for (guint i = 0; other->required != NULL && i < other->required->len; i++)
    bawn_permissions_require (into, g_ptr_array_index (other->required, i));
}

/* A '*' in front, behind, or both; elsewhere, and alone, it is itself. */
static gboolean
glob_fits (const char *glob, gsize glob_size, const char *text, gsize size)
{
  gboolean front = glob_size >= 2 && glob[0] == '*';
  gboolean behind = glob_size >= 2 && glob[glob_size - 1] == '*';
  const char *core = front ? glob + 1 : glob;
  gsize core_size = glob_size - (front ? 1 : 0) - (behind ? 1 : 0);

  if (size < core_size)
    return FALSE;
  if (front && behind)
    return core_size == 0 || memmem (text, size, core, core_size) != NULL;
  if (front)
    return memcmp (text + size - core_size, core, core_size) == 0;
  if (behind)
    return memcmp (text, core, core_size) == 0;

  return size == core_size && memcmp (text, core, core_size) == 0;
}

static gboolean
value_fits (const BawnParameter *parameter, const BawnJsonNode *value)
{
  if (parameter->values->len == 0)
    return TRUE;

  for (guint i = 0; i < parameter->values->len; i++)
    {
      const BawnJsonNode *wanted = g_ptr_array_index (parameter->values, i);

      if (wanted->kind == BAWN_JSON_STRING && value->kind == BAWN_JSON_STRING)
        {
          if (glob_fits (wanted->string, wanted->string_size, value->string, value->string_size))
            return TRUE;
        }
      else if (bawn_json_node_equal (wanted, value))
        return TRUE;
    }

  return FALSE;
}

static gboolean
is_ascii (const char *text)
{
  for (; *text != '\0'; text++)
    if ((guchar) *text >= 0x80)
      return FALSE;

  return TRUE;
}

/* The parameter that a name sent by a client stands for, whatever its case. Allocates only for
 * names beyond ASCII. */
static const BawnParameter *
find_sent (GPtrArray *parameters, const char *sent)
{
  g_autofree char *lower = is_ascii (sent) ? NULL : g_utf8_strdown (sent, -1);
  const char *name = lower != NULL ? lower : sent;

  for (guint i = 0; parameters != NULL && i < parameters->len; i++)
    {
      const BawnParameter *parameter = g_ptr_array_index (parameters, i);

      if (g_ascii_strcasecmp (parameter->name, name) == 0)
        return parameter;
    }

  return NULL;
}

static gboolean
has_required (const BawnPermissions *permissions, const BawnJsonNode *data)
{
  for (guint i = 0; permissions->required != NULL && i < permissions->required->len; i++)
    if (bawn_json_get (data, g_ptr_array_index (permissions->required, i)) == NULL)
      return FALSE;

  return TRUE;
}

static gboolean
parameters_fit (const BawnPermissions *permissions, const BawnJsonNode *data)
{
  gboolean any_denied = find_parameter (permissions->denied, ANY) != NULL;
  gboolean any_allowed = permissions->allowed == NULL || permissions->allowed->len == 0
                         || find_parameter (permissions->allowed, ANY) != NULL;

  for (const BawnJsonNode *node = data->children; node != NULL; node = node->next)
    {
      const BawnParameter *denied = find_sent (permissions->denied, node->name);
      const BawnParameter *allowed = find_sent (permissions->allowed, node->name);

      if (any_denied || (denied != NULL && value_fits (denied, node)))
        return FALSE;
      if (allowed == NULL ? !any_allowed : !value_fits (allowed, node))
        return FALSE;
    }

  return TRUE;
}

static gboolean
wrapping_fits (const BawnPermissions *permissions, gint64 wrap_us)
{
  if (permissions->max_wrap_us > 0 && (wrap_us == 0 || wrap_us > permissions->max_wrap_us))
    return FALSE;

  return permissions->min_wrap_us == 0 || wrap_us >= permissions->min_wrap_us;
}

static guint
needed_for (BawnOp op)
{
  switch (op)
    {
    case BAWN_OP_READ:
      return BAWN_MAY_READ;
    case BAWN_OP_LIST:
      return BAWN_MAY_LIST;
    case BAWN_OP_CREATE:
      return BAWN_MAY_CREATE;
    case BAWN_OP_UPDATE:
      return BAWN_MAY_UPDATE;
    case BAWN_OP_DELETE:
      return BAWN_MAY_DELETE;
    case BAWN_OP_PATCH:
      return BAWN_MAY_PATCH;
    case BAWN_OP_HELP:
    case BAWN_OP_WRITE:
      break;
    }

  return BAWN_MAY_DENY;
}

gboolean
bawn_permissions_allow (const BawnPermissions *permissions, const BawnRequest *request)
{
  if ((permissions->may & BAWN_MAY_DENY) != 0 || (permissions->may & needed_for (request->op)) == 0)
    return FALSE;
  if (!wrapping_fits (permissions, request->wrap_ttl_us))
    return FALSE;
  if (request->op == BAWN_OP_LIST || request->op == BAWN_OP_DELETE)
    return TRUE;

  const BawnJsonNode *data = request->data != NULL ? bawn_json_root (request->data) : NULL;

  if (!has_required (permissions, data))
    return FALSE;

  return data == NULL || parameters_fit (permissions, data);
}
