/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "logical/bawn-engine.h"

G_DEFINE_ABSTRACT_TYPE (BawnEngine, bawn_engine, G_TYPE_OBJECT)

static const BawnRoute no_routes[] = { { NULL } };

static void
bawn_engine_class_init (BawnEngineClass *klass)
{
  klass->routes = no_routes;
}

static void
bawn_engine_init (BawnEngine *self)
{
}

/**
 * bawn_engine_get_routes:
 * @engine: an engine
 * @mount: where it is mounted
 *
 * Returns: the table that serves this mount, ended by a row without a pattern; static
 */
const BawnRoute *
bawn_engine_get_routes (BawnEngine *engine, const BawnMount *mount)
{
  g_return_val_if_fail (BAWN_IS_ENGINE (engine), no_routes);

  BawnEngineClass *klass = BAWN_ENGINE_GET_CLASS (engine);

  return klass->get_routes != NULL ? klass->get_routes (engine, mount) : klass->routes;
}
