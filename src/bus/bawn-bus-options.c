/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bus/bawn-bus-options.h"

#include <string.h>

/* What a part of a name on the bus may be made of. */
#define ELEMENT_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-"

/**
 * bawn_bus_make_name:
 * @instance: (nullable): what tells this server from others on the same machine
 *
 * What can be in no name becomes an underscore.
 *
 * Returns: (transfer full) (nullable): the name on the bus; %NULL if @instance is too long for one
 */
char *
bawn_bus_make_name (const char *instance)
{
  if (instance == NULL || *instance == '\0')
    return g_strdup (BAWN_BUS_NAME);
  if (strlen (instance) > BAWN_BUS_MAX_INSTANCE)
    return NULL;

  g_autofree char *element = g_strcanon (g_strdup (instance), ELEMENT_CHARACTERS, '_');
  return g_strconcat (BAWN_BUS_NAME ".node_", element, NULL);
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
    bawn_config_complain (group, "instance", "longer than %d bytes, and part of a name on the bus",
                          BAWN_BUS_MAX_INSTANCE);

  return enabled ? g_steal_pointer (&name) : NULL;
}
