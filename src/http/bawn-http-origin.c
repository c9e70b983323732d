/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-origin.h"

#include "util/bawn-error.h"
#include "util/bawn-net.h"

#include <string.h>

#define HEADER "X-Forwarded-For"
#define UNIX "unix"
/* No chain of proxies is longer; above this it is a slip. */
#define MAX_HOP_SKIPS 100

/* Order of #BawnHttpProxyBehavior. */
static const char *const behavior_names[] = { "use-always", "allow-authorized", "deny-unauthorized",
                                              NULL };

static void
check_addrs (BawnConfigGroup *group, const char *key, const char *const *addrs)
{
  if (addrs == NULL)
    return;
  if (addrs[0] == NULL)
    bawn_config_complain (group, key, "names no address");
  for (; *addrs != NULL; addrs++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *normal =
          strcmp (*addrs, UNIX) != 0 ? bawn_cidr_normalize (*addrs, &error) : NULL;

      if (error != NULL)
        bawn_config_complain (group, key, "%s: %s", *addrs, error->message);
    }
}

static void
read_proxy (BawnHttpOrigin *origin, BawnConfigGroup *group)
{
  origin->proxy = (BawnHttpProxyBehavior) bawn_config_get_choice (
      group, "proxy-protocol-behavior", behavior_names, BAWN_HTTP_PROXY_OFF);
  origin->proxy_addrs = bawn_config_get_list (group, "proxy-protocol-authorized-addrs");
  check_addrs (group, "proxy-protocol-authorized-addrs", (const char *const *) origin->proxy_addrs);

  if (origin->proxy == BAWN_HTTP_PROXY_OFF && origin->proxy_addrs != NULL)
    bawn_config_complain (group, "proxy-protocol-authorized-addrs",
                          "needs proxy-protocol-behavior");
  if ((origin->proxy == BAWN_HTTP_PROXY_ALLOW_AUTHORIZED
       || origin->proxy == BAWN_HTTP_PROXY_DENY_UNAUTHORIZED)
      && origin->proxy_addrs == NULL)
    bawn_config_complain (group, "proxy-protocol-behavior",
                          "needs proxy-protocol-authorized-addrs");
}

static void
read_forwarded (BawnHttpOrigin *origin, BawnConfigGroup *group)
{
  static const char *const others[] = { "x-forwarded-for-hop-skips",
                                        "x-forwarded-for-reject-not-authorized",
                                        "x-forwarded-for-reject-not-present" };

  origin->forwarded_addrs = bawn_config_get_list (group, "x-forwarded-for-authorized-addrs");
  check_addrs (group, "x-forwarded-for-authorized-addrs",
               (const char *const *) origin->forwarded_addrs);
  origin->hop_skips =
      (guint) bawn_config_get_int (group, "x-forwarded-for-hop-skips", 0, 0, MAX_HOP_SKIPS);
  origin->reject_not_authorized =
      bawn_config_get_bool (group, "x-forwarded-for-reject-not-authorized", TRUE);
  origin->reject_not_present =
      bawn_config_get_bool (group, "x-forwarded-for-reject-not-present", TRUE);

  for (gsize i = 0; origin->forwarded_addrs == NULL && i < G_N_ELEMENTS (others); i++)
    if (bawn_config_group_has (group, others[i]))
      bawn_config_complain (group, others[i], "needs x-forwarded-for-authorized-addrs");
}

/**
 * bawn_http_origin_read:
 * @origin: zeroed
 * @group: a [listener]
 *
 * Reads its keys; what is wrong is complained of in the configuration.
 */
void
bawn_http_origin_read (BawnHttpOrigin *origin, BawnConfigGroup *group)
{
  read_proxy (origin, group);
  read_forwarded (origin, group);
}

void
bawn_http_origin_clear (BawnHttpOrigin *origin)
{
  g_clear_pointer (&origin->proxy_addrs, g_strfreev);
  g_clear_pointer (&origin->forwarded_addrs, g_strfreev);
}

/* @host: an address, or "" on a Unix socket. */
static gboolean
is_authorized (const char *const *addrs, const char *host)
{
  if (addrs == NULL)
    return FALSE;

  return *host == '\0' ? g_strv_contains (addrs, UNIX) : bawn_cidrs_match (addrs, host);
}

/**
 * bawn_http_origin_believes_proxy:
 * @origin: whom to believe
 * @host: who has connected; "" on a Unix socket
 *
 * Returns: whether a header of the PROXY protocol of this client is true
 */
gboolean
bawn_http_origin_believes_proxy (const BawnHttpOrigin *origin, const char *host)
{
  return origin->proxy == BAWN_HTTP_PROXY_USE_ALWAYS
         || is_authorized ((const char *const *) origin->proxy_addrs, host);
}

static gboolean
is_forwarded_field (const BawnHttpField *field)
{
  return g_ascii_strcasecmp (field->name, HEADER) == 0;
}

static guint
count_links (const char *value)
{
  guint n = 1;

  for (; *value != '\0'; value++)
    n += *value == ',' ? 1 : 0;

  return n;
}

/* How many addresses all the fields have together; 0 if there is no such field. */
static guint
chain_length (const BawnHttpHead *head)
{
  guint n = 0;

  for (guint i = 0; i < head->n_fields; i++)
    if (is_forwarded_field (&head->fields[i]))
      n += count_links (head->fields[i].value);

  return n;
}

/* The part of the chain with this number, of the first field's first on. */
static char *
dup_link (const BawnHttpHead *head, guint index)
{
  for (guint i = 0; i < head->n_fields; i++)
    {
      if (!is_forwarded_field (&head->fields[i]))
        continue;

      const char *value = head->fields[i].value;
      guint n = count_links (value);

      if (index >= n)
        {
          index -= n;
          continue;
        }
      for (; index > 0; index--)
        value = strchr (value, ',') + 1;
      return g_strstrip (g_strndup (value, strcspn (value, ",")));
    }

  return NULL;
}

/* Some proxies put a port behind the address. */
static char *
parse_link (const char *link)
{
  g_autofree char *host = NULL;
  guint16 port = 1;

  if (!bawn_net_parse_host_port (link, port, &host, &port, NULL))
    return NULL;

  return bawn_cidr_normalize (host, NULL);
}

static gboolean
refuse (BawnHttpReply *reply, const char *message)
{
  bawn_http_reply_from_text (reply, 400, message);
  return FALSE;
}

static gboolean
choose (const BawnHttpOrigin *origin,
        const BawnHttpHead *head,
        guint n,
        char **out_client,
        BawnHttpReply *out_refusal)
{
  if (n <= origin->hop_skips)
    {
      g_autofree char *message = g_strdup_printf (
          "malformed x-forwarded-for configuration or request, hops to skip (%u) would skip before "
          "earliest chain link (chain length %u)",
          origin->hop_skips, n);
      return refuse (out_refusal, message);
    }

  g_autofree char *link = dup_link (head, n - 1 - origin->hop_skips);
  char *client = parse_link (link);

  if (client == NULL)
    return refuse (out_refusal, "malformed x-forwarded-for header: not an address");
  *out_client = client;

  return TRUE;
}

/* Lest somebody believe it later, here or on another node. */
static void
drop_chain (BawnHttpHead *head)
{
  guint n = 0;

  for (guint i = 0; i < head->n_fields; i++)
    if (!is_forwarded_field (&head->fields[i]))
      head->fields[n++] = head->fields[i];
  head->n_fields = n;
}

/**
 * bawn_http_origin_resolve:
 * @origin: whom to believe
 * @head: (inout): of a request; an X-Forwarded-For that is not believed is taken out
 * @host: who has sent it; "" on a Unix socket
 * @out_client: (out): who it is from: @host, or whom X-Forwarded-For names
 * @out_refusal: (out): filled if it is refused
 *
 * Follows the rules of the API: the chain of all such fields counts from its end, which is what the
 * nearest proxy has added; what stands before that is anybody's word. To be called once for a
 * request.
 *
 * Returns: whether the request may go on
 */
gboolean
bawn_http_origin_resolve (const BawnHttpOrigin *origin,
                          BawnHttpHead *head,
                          const char *host,
                          char **out_client,
                          BawnHttpReply *out_refusal)
{
  guint n = origin->forwarded_addrs != NULL ? chain_length (head) : 0;

  if (origin->forwarded_addrs != NULL && n == 0 && origin->reject_not_present)
    return refuse (out_refusal, "missing x-forwarded-for header and configured to reject when not "
                                "present");
  if (n > 0 && is_authorized ((const char *const *) origin->forwarded_addrs, host))
    return choose (origin, head, n, out_client, out_refusal);
  if (n > 0 && origin->reject_not_authorized)
    return refuse (out_refusal, "client address not authorized for x-forwarded-for and configured "
                                "to reject connection");
  if (n > 0)
    drop_chain (head);
  *out_client = g_strdup (host);

  return TRUE;
}
