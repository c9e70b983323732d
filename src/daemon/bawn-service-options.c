/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-service-consul-private.h"

#include "backend/bawn-backend-files.h"
#include "util/bawn-log.h"

#include <string.h>

#define DEFAULT_NAME "bawn"
/* A label of DNS (RFC 1123). */
#define MAX_LABEL 63
#define MAX_TAGS 64
#define MIN_TTL_US (1 * G_USEC_PER_SEC)
#define MAX_TTL_US (G_GINT64_CONSTANT (24) * 3600 * G_USEC_PER_SEC)

/* The order of the names of `type`. */
enum
{
  TYPE_NONE,
  TYPE_CONSUL,
};

static const char *const type_names[] = { "none", "consul", NULL };

/* They say how to reach Consul: if one stands here, all of them do. */
static const char *const own_keys[] = {
  "address", "scheme", "token", "token-file", "tls-ca-file", "tls-cert-file", "tls-key-file", "tls-server-name",
};

static gboolean
is_label (const char *text)
{
  gsize size = strlen (text);

  if (size == 0 || size > MAX_LABEL || text[0] == '-' || text[size - 1] == '-')
    return FALSE;
  for (gsize i = 0; i < size; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '-')
      return FALSE;

  return TRUE;
}

static GStrv
read_tags (BawnConfigGroup *group)
{
  static const char *const own[] = { "active", "standby", "initialized", NULL };
  g_auto(GStrv) given = bawn_config_get_list (group, "service-tags");
  g_autoptr(GPtrArray) tags = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; given != NULL && given[i] != NULL; i++)
    {
      g_autofree char *tag = g_ascii_strdown (given[i], -1);

      if (g_strv_contains (own, tag))
        bawn_config_complain (group, "service-tags", "\"%s\" tells what the node does, and is not for configuration", tag);
      else if (*tag != '\0' && !g_ptr_array_find_with_equal_func (tags, tag, g_str_equal, NULL))
        g_ptr_array_add (tags, g_steal_pointer (&tag));
    }
  if (tags->len > MAX_TAGS)
    bawn_config_complain (group, "service-tags", "more than %d", MAX_TAGS);

  g_ptr_array_add (tags, NULL);
  return (GStrv) g_ptr_array_free (g_steal_pointer (&tags), FALSE);
}

/* The storage that is Consul, if one is. */
static BawnConfigGroup *
find_storage (BawnConfig *config)
{
  static const char *const names[] = { "storage", "ha-storage" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr(BawnConfigGroup) group = bawn_config_get_group (config, names[i]);
      g_autofree char *type = bawn_config_group_has (group, "type") ? bawn_config_get_string (group, "type", NULL) : NULL;

      if (g_strcmp0 (type, "consul") == 0)
        return g_steal_pointer (&group);
    }
  return NULL;
}

static gboolean
has_own_keys (BawnConfigGroup *group)
{
  for (gsize i = 0; i < G_N_ELEMENTS (own_keys); i++)
    if (bawn_config_group_has (group, own_keys[i]))
      return TRUE;

  return FALSE;
}

/* A service belongs to one agent, so of several addresses none will do. */
static gboolean
names_one_server (BawnConfigGroup *group)
{
  g_auto(GStrv) addresses = bawn_config_get_list (group, "address");

  return addresses == NULL || g_strv_length (addresses) <= 1;
}

/* Whether to register, and the group that says how to reach Consul. */
static BawnConfigGroup *
choose_group (BawnConfigGroup *group, BawnConfigGroup *storage, guint type)
{
  gboolean is_asked_for = bawn_config_group_has (group, "type");

  if (type == TYPE_NONE)
    return NULL;
  if (storage == NULL || has_own_keys (group))
    {
      if (!names_one_server (group))
        bawn_config_complain (group, "address", "a service is registered with one agent, so there can be one address only");
      return group;
    }
  if (names_one_server (storage))
    return storage;

  if (is_asked_for)
    bawn_config_complain (group, "type", "[%s] names several servers of Consul, so that address must say here which agent "
                          "the service is registered with", bawn_config_group_get_name (storage));
  else
    bawn_log_info ("service", "not registered in Consul: [%s] names several servers, and [service-registration] none",
                   bawn_config_group_get_name (storage));
  return NULL;
}

/* Those of a storage are its own matter. */
static void
check_files (BawnConfigGroup *group)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(BawnConsul) consul = bawn_consul_new (bawn_consul_options_read (group, FALSE), &error);

  if (consul == NULL)
    bawn_backend_complain_of_file (group, error);
}

/**
 * bawn_service_consul_options_read:
 * @config: the configuration
 * @lease_ttl_us: after how long a silence another node takes over
 *
 * Reads whether and how this node shows itself as a service in Consul. Without a word about it, it does if its storage is in
 * Consul.
 *
 * Returns: (transfer full) (nullable): the options; %NULL if it does not
 */
BawnServiceConsulOptions *
bawn_service_consul_options_read (BawnConfig *config, gint64 lease_ttl_us)
{
  g_autoptr(BawnConfigGroup) group = bawn_config_get_group (config, "service-registration");
  g_autoptr(BawnConfigGroup) storage = find_storage (config);
  g_autoptr(BawnServiceConsulOptions) options = g_new0 (BawnServiceConsulOptions, 1);
  guint type = bawn_config_get_choice (group, "type", type_names, storage != NULL ? TYPE_CONSUL : TYPE_NONE);

  options->name = bawn_config_get_string (group, "service", DEFAULT_NAME);
  if (!is_label (options->name))
    bawn_config_complain (group, "service", "must be letters, digits and hyphens, 1 to %d of them: it is a name in DNS",
                          MAX_LABEL);
  options->tags = read_tags (group);
  options->address = bawn_config_get_string (group, "service-address", NULL);
  options->ttl_us = bawn_config_get_duration_us (group, "check-timeout", MAX (lease_ttl_us, MIN_TTL_US), MIN_TTL_US, MAX_TTL_US);
  if (type == TYPE_NONE && !bawn_config_group_has (group, "type")
      && (has_own_keys (group) || bawn_config_group_has (group, "service")))
    bawn_config_complain (group, "type", "is missing: \"consul\" is the one there is");

  BawnConfigGroup *from = choose_group (group, storage, type);

  if (from == NULL)
    return NULL;

  options->consul = bawn_consul_options_read (from, from == storage);
  if (from != storage)
    check_files (from);
  return g_steal_pointer (&options);
}

void
bawn_service_consul_options_free (BawnServiceConsulOptions *options)
{
  g_clear_pointer (&options->consul, bawn_consul_options_free);
  g_free (options->name);
  g_strfreev (options->tags);
  g_free (options->address);
  g_free (options);
}
