/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bus/bawn-bus-options.h"

#include <string.h>

static gboolean
is_element (const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && *c != '_' && *c != '-')
      return FALSE;

  return strlen (text) <= BAWN_BUS_MAX_INSTANCE;
}

/**
 * bawn_bus_make_name:
 * @instance: (nullable): what tells this server from others on the same machine
 *
 * Returns: (transfer full) (nullable): the name on the bus; %NULL if @instance has characters that
 * are for no name
 */
char *
bawn_bus_make_name (const char *instance)
{
  if (instance == NULL || *instance == '\0')
    return g_strdup (BAWN_BUS_NAME);
  if (!is_element (instance))
    return NULL;

  return g_strconcat (BAWN_BUS_NAME ".node_", instance, NULL);
}

/**
 * bawn_bus_options_read:
 * @config: the configuration
 *
 * Returns: (transfer full) (nullable): the name to ask the bus for; %NULL if the server is to keep
 * off the bus
 */
char *
bawn_bus_options_read (BawnConfig *config)
{
  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "dbus");
  g_autofree char *instance = bawn_config_get_string (group, "instance", NULL);
  gboolean enabled = bawn_config_get_bool (group, "enabled", TRUE);
  g_autofree char *name = bawn_bus_make_name (instance);

  if (name == NULL)
    bawn_config_complain (
        group, "instance",
        "must be letters, digits, hyphens and underscores, at most %d of them: it is part of "
        "a name on the bus",
        BAWN_BUS_MAX_INSTANCE);

  return enabled ? g_steal_pointer (&name) : NULL;
}
