/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-policy.h"

/* What every token may do unless it is made without: look after itself, its leases, its wrapped
 * answers and its cubbyhole. */
static const char default_text[] =
    "# The policy that every token has unless it was made with no_default_policy.\n"
    "# It may be changed, but not deleted.\n"
    "\n"
    "# A token may look at itself, renew itself and give itself up.\n"
    "path \"auth/token/lookup-self\" {\n"
    "  capabilities = [\"read\"]\n"
    "}\n"
    "path \"auth/token/renew-self\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"auth/token/revoke-self\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "\n"
    "# It may ask what it is allowed to do.\n"
    "path \"sys/capabilities-self\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"sys/internal/ui/resultant-acl\" {\n"
    "  capabilities = [\"read\"]\n"
    "}\n"
    "\n"
    "# Its own entity, by id and by name.\n"
    "path \"identity/entity/id/{{identity.entity.id}}\" {\n"
    "  capabilities = [\"read\"]\n"
    "}\n"
    "path \"identity/entity/name/{{identity.entity.name}}\" {\n"
    "  capabilities = [\"read\"]\n"
    "}\n"
    "\n"
    "# Who knows the id of a lease may look it up and renew it.\n"
    "path \"sys/renew\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"sys/leases/renew\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"sys/leases/lookup\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "\n"
    "# What belongs to the token alone.\n"
    "path \"cubbyhole/*\" {\n"
    "  capabilities = [\"create\", \"read\", \"update\", \"delete\", \"list\"]\n"
    "}\n"
    "\n"
    "# Wrapping of data, and unwrapping of what it was handed.\n"
    "path \"sys/wrapping/wrap\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"sys/wrapping/lookup\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"sys/wrapping/unwrap\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "\n"
    "# Tools that touch no secret.\n"
    "path \"sys/tools/hash\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"sys/tools/hash/*\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "path \"sys/control-group/request\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n"
    "\n"
    "# Logging in elsewhere with an identity of this server.\n"
    "path \"identity/oidc/provider/+/authorize\" {\n"
    "  capabilities = [\"read\", \"update\"]\n"
    "}\n";

static const char response_wrapping_text[] =
    "# The policy of tokens that carry one wrapped answer.\n"
    "path \"cubbyhole/response\" {\n"
    "  capabilities = [\"create\", \"read\"]\n"
    "}\n"
    "path \"sys/wrapping/unwrap\" {\n"
    "  capabilities = [\"update\"]\n"
    "}\n";

static void
put_text (BawnTxn *txn, const char *name, const char *text)
{
  g_autoptr (GError) error = NULL;

  if (!bawn_policy_put (txn, name, text, &error))
    g_error ("the built-in policy %s is not one: %s", name, error->message);
}

/**
 * bawn_policy_put_defaults:
 * @txn: an unscoped transaction
 *
 * Stores the policies that a new server has: for init.
 */
void
bawn_policy_put_defaults (BawnTxn *txn)
{
  put_text (txn, BAWN_POLICY_DEFAULT, default_text);
  put_text (txn, BAWN_POLICY_RESPONSE_WRAPPING, response_wrapping_text);
}
