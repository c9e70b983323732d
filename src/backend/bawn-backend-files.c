/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-backend-files.h"

#include <string.h>

/**
 * bawn_backend_complain_of_file:
 * @group: of the configuration
 * @error: why a file that is named there is of no use
 *
 * Complains of the key whose file @error names.
 */
void
bawn_backend_complain_of_file (BawnConfigGroup *group, const GError *error)
{
  static const char *const keys[] = {
    "tls-ca-file", "tls-cert-file", "tls-key-file", "token-file", "password-file",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autofree char *path = bawn_config_group_has (group, keys[i])
                                  ? bawn_config_get_string (group, keys[i], NULL)
                                  : NULL;

      if (path != NULL && *path != '\0' && strstr (error->message, path) != NULL)
        {
          const char *text = error->message;

          /* Some begin with it. */
          if (g_str_has_prefix (text, keys[i]) && text[strlen (keys[i])] == ' ')
            text += strlen (keys[i]) + 1;
          bawn_config_complain (group, keys[i], "%s", text);
          return;
        }
    }

  bawn_config_complain (group, NULL, "%s", error->message);
}
