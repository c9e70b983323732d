/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"

/* The engine behind sys/: its rows stand in the files of each family and are joined here. Every one
 * of them works on the whole storage, so the flag for that is given here and not in each row. */

struct _BawnEngineSystem
{
  BawnEngine parent;
  BawnCore *core; /* not owned: the core owns its engines */

  BawnMetrics *metrics;
  gint64 since_us; /* boot time */
  BawnLogLevel log_level;
};

G_DEFINE_FINAL_TYPE (BawnEngineSystem, bawn_engine_system, BAWN_TYPE_ENGINE)

static const BawnRoute *const families[] = {
  bawn_sys_mounts_routes,   bawn_sys_remount_routes, bawn_sys_policy_routes,
  bawn_sys_password_routes, bawn_sys_lease_routes,   bawn_sys_count_routes,
  bawn_sys_wrapping_routes, bawn_audit_routes,       bawn_sys_tools_routes,
  bawn_sys_keys_routes,     bawn_sys_status_routes,
  bawn_sys_ha_routes,  bawn_sys_config_routes,
  bawn_sys_spec_routes,     bawn_sys_loggers_routes, bawn_sys_internal_routes,
};

static BawnRoute *
join_families (void)
{
  g_autoptr (GArray) joined = g_array_new (TRUE, FALSE, sizeof (BawnRoute));

  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    for (const BawnRoute *row = families[i]; row->pattern != NULL; row++)
      {
        BawnRoute copy = *row;

        copy.flags |= BAWN_ROUTE_ROOT_TXN;
        g_array_append_val (joined, copy);
      }

  return (BawnRoute *) (gpointer) g_array_free (g_steal_pointer (&joined), FALSE);
}

static void
bawn_engine_system_finalize (GObject *object)
{
  BawnEngineSystem *self = BAWN_ENGINE_SYSTEM (object);

  g_clear_pointer (&self->metrics, bawn_metrics_free);
  G_OBJECT_CLASS (bawn_engine_system_parent_class)->finalize (object);
}

static void
bawn_engine_system_class_init (BawnEngineSystemClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = bawn_engine_system_finalize;

  BawnEngineClass *engine_class = BAWN_ENGINE_CLASS (klass);

  engine_class->name = "system";
  engine_class->help = "The system backend is built in and mounted at \"sys\": it configures and "
                       "controls the server.";
  engine_class->routes = join_families ();
}

static void
bawn_engine_system_init (BawnEngineSystem *self)
{
  self->metrics = bawn_metrics_new ();
  self->since_us = bawn_clock_boot_us (NULL);
  self->log_level = bawn_log_get_level ();
}

/**
 * bawn_engine_system_new:
 * @core: the node; not owned, must outlive the engine
 *
 * Returns: (transfer full): the engine to be mounted at sys/
 */
BawnEngine *
bawn_engine_system_new (BawnCore *core)
{
  BawnEngineSystem *self = g_object_new (BAWN_TYPE_ENGINE_SYSTEM, NULL);

  self->core = core;
  return BAWN_ENGINE (self);
}

/**
 * bawn_engine_system_get_core:
 * @engine: the system engine
 *
 * Returns: (transfer none): the node that it was made for
 */
BawnCore *
bawn_engine_system_get_core (BawnEngine *engine)
{
  return BAWN_ENGINE_SYSTEM (engine)->core;
}

/**
 * bawn_engine_system_ref_active:
 * @engine: the system engine
 * @error: SEALED when the node was sealed meanwhile
 *
 * Returns: (transfer full) (nullable): what the node holds while unsealed
 */
BawnActive *
bawn_engine_system_ref_active (BawnEngine *engine, GError **error)
{
  BawnActive *active = bawn_core_ref_active (BAWN_ENGINE_SYSTEM (engine)->core);

  if (active == NULL)
    return bawn_fail_null (error, BAWN_ERROR_SEALED, "Vault is sealed");

  return active;
}

static BawnEngineSystem *
lookup_system (BawnCore *core)
{
  return BAWN_ENGINE_SYSTEM (bawn_core_lookup_engine (core, "system", FALSE));
}

BawnLogLevel
bawn_sys_get_first_log_level (BawnCore *core)
{
  return lookup_system (core)->log_level;
}

gint64
bawn_sys_get_uptime_us (BawnCore *core)
{
  return bawn_clock_boot_us (NULL) - lookup_system (core)->since_us;
}

/**
 * bawn_core_get_metrics:
 * @core: a node with its system engine
 *
 * Returns: (transfer none): its counters
 */
BawnMetrics *
bawn_core_get_metrics (BawnCore *core)
{
  return lookup_system (core)->metrics;
}
