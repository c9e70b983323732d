/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bus/bawn-bus-error.h"

/* The twin of the rule for HTTP (http/bawn-http-status.c): a name, and whether the message is for
 * the caller too. */
typedef struct
{
  const char *name;
  gboolean is_public;
} BawnBusRule;

static BawnBusRule
find_rule (BawnErrorCode code)
{
  switch (code)
    {
    case BAWN_ERROR_INVALID:
      return (BawnBusRule){ BAWN_BUS_ERROR_PREFIX "InvalidArgument", TRUE };
    case BAWN_ERROR_DENIED:
      return (BawnBusRule){ BAWN_BUS_ERROR_PREFIX "NotAuthorized", TRUE };
    case BAWN_ERROR_NOT_FOUND:
      return (BawnBusRule){ BAWN_BUS_ERROR_PREFIX "NotFound", TRUE };
    case BAWN_ERROR_UNSUPPORTED:
      return (BawnBusRule){ BAWN_BUS_ERROR_PREFIX "NotSupported", TRUE };
    case BAWN_ERROR_TOO_LARGE:
      return (BawnBusRule){ BAWN_BUS_ERROR_PREFIX "TooLarge", TRUE };
    case BAWN_ERROR_SEALED:
      return (BawnBusRule){ BAWN_BUS_ERROR_PREFIX "Sealed", TRUE };
    case BAWN_ERROR_STANDBY:
    case BAWN_ERROR_DEPOSED:
      return (BawnBusRule){ BAWN_BUS_ERROR_PREFIX "NotActive", TRUE };
    case BAWN_ERROR_LIMITED:
    case BAWN_ERROR_BUSY:
      return (BawnBusRule){ BAWN_BUS_ERROR_PREFIX "Busy", TRUE };
    case BAWN_ERROR_TIMEOUT:
      return (BawnBusRule){ BAWN_BUS_ERROR_PREFIX "Timeout", TRUE };
    case BAWN_ERROR_UPSTREAM:
    case BAWN_ERROR_UNKNOWN_OUTCOME:
      return (BawnBusRule){ BAWN_BUS_ERROR_PREFIX "StorageFailed", FALSE };
    case BAWN_ERROR_INTERNAL:
    case BAWN_ERROR_CORRUPT:
    case BAWN_ERROR_WOULD_BLOCK:
    case BAWN_ERROR_CONFLICT:
      break;
    }

  return (BawnBusRule){ BAWN_BUS_ERROR_PREFIX "Failed", FALSE };
}

const char *
bawn_bus_error_name (BawnErrorCode code)
{
  return find_rule (code).name;
}

const char *
bawn_bus_error_message (const GError *error)
{
  if (error->domain == BAWN_ERROR && find_rule ((BawnErrorCode) error->code).is_public)
    return error->message;

  return "it failed; the server's log says why";
}

void
bawn_bus_error_return (GDBusMethodInvocation *invocation, const GError *error)
{
  BawnErrorCode code =
      error->domain == BAWN_ERROR ? (BawnErrorCode) error->code : BAWN_ERROR_INTERNAL;

  g_dbus_method_invocation_return_dbus_error (invocation, bawn_bus_error_name (code),
                                              bawn_bus_error_message (error));
}
