/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/bawn-cli-flags.h"

G_BEGIN_DECLS

typedef enum
{
  BAWN_CLI_FORMAT_TABLE,
  BAWN_CLI_FORMAT_JSON,
  BAWN_CLI_FORMAT_YAML,
} BawnCliFormat;

/**
 * BawnCliSettings:
 * @address: https://host:port, http://host:port or unix:/path
 * @token: (nullable): from the environment only
 * @headers: name, value, name, value …
 * @mfa: values of X-Vault-MFA
 * @timeout_s: of one exchange; 0 is none
 *
 * Where the server is and how to speak to it: from flags, else BAWN_ variables, else VAULT_
 * variables.
 */
typedef struct
{
  char *address;
  char *ca_cert;
  char *ca_path;
  char *client_cert;
  char *client_key;
  char *tls_server_name;
  char *name_space;
  char *wrap_ttl;
  char *token;
  GStrv headers;
  GStrv mfa;
  guint timeout_s;
  guint max_retries;
  gboolean tls_skip_verify;
  gboolean follow_redirects;
  gboolean policy_override;
  gboolean output_curl;
  gboolean non_interactive;
  BawnCliFormat format;
} BawnCliSettings;

/* Flags of every command that speaks to the server, and of those that print what it said. */
extern const BawnCliFlag bawn_cli_flags_http[];
extern const BawnCliFlag bawn_cli_flags_format[];
extern const BawnCliFlag bawn_cli_flags_field[];
/* Understood by every command, whether it needs them or not. */
extern const BawnCliFlag bawn_cli_flags_common[];

/* BAWN_@name, else VAULT_@name, out of @environment; an empty value counts as absent. */
const char *bawn_cli_environment (const char *const *environment, const char *name);

/* @formatted and @remote say which of the flag tables above @args was parsed with. */
BawnCliSettings *bawn_cli_settings_load (BawnCliArgs *args, gboolean remote, gboolean formatted,
                                         const char *const *environment, GError **error);
void bawn_cli_settings_free (BawnCliSettings *settings);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnCliSettings, bawn_cli_settings_free)

G_END_DECLS
