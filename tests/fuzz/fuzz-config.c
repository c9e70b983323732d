/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any file is read to its end by every kind of reader, and its complaints are text. */
#include "config.h"

#include "util/bawn-config.h"

#include "fuzz.h"

static void
read_all (BawnConfigGroup *group)
{
  static const char *const choices[] = { "sqlite", "memory", NULL };
  g_autofree char *string = bawn_config_get_string (group, "string", NULL);
  g_auto (GStrv) list = bawn_config_get_list (group, "list");

  bawn_config_get_bool (group, "bool", FALSE);
  bawn_config_get_int (group, "int", 0, -10, 1000);
  bawn_config_get_size (group, "size", 0, 0, G_MAXINT64);
  bawn_config_get_duration_us (group, "time", 0, 0, G_MAXINT64);
  bawn_config_get_choice (group, "type", choices, 0);
  bawn_config_get_bool (group, "token", FALSE);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (BawnConfig) config =
      bawn_config_load_data ("fuzz.conf", (const char *) data, size, NULL);
  g_autoptr (BawnConfigGroup) server = bawn_config_get_group (config, "server");
  g_autoptr (GPtrArray) listeners = bawn_config_get_family (config, "listener");

  bawn_config_expect (config, (const char *[]){ "storage", NULL });
  read_all (server);
  for (guint i = 0; i < listeners->len; i++)
    read_all (listeners->pdata[i]);

  g_auto (GStrv) problems = bawn_config_dup_problems (config);

  for (gsize i = 0; problems[i] != NULL; i++)
    g_assert_true (g_utf8_validate (problems[i], -1, NULL));

  return 0;
}
