/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-net-private.h"

#include "util/bawn-error.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

#define ROUTES_V4 "/proc/self/net/route"
#define ROUTES_V6 "/proc/self/net/ipv6_route"
/* RTF_UP of a route, in both files. */
#define ROUTE_UP 1

/* RFC 1918, and unique local addresses (RFC 4193). */
static const char *const private_v4[] = { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", NULL };
static const char *const private_v6[] = { "fc00::/7", NULL };
static const char *const link_local[] = { "169.254.0.0/16", "fe80::/10", NULL };
/* What routers of the Internet do not know, of the registries of special addresses (RFC 6890). */
static const char *const not_public[] = {
  "0.0.0.0/8",       "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",    "169.254.0.0/16",
  "172.16.0.0/12",   "192.0.0.0/24",   "192.0.2.0/24",  "192.168.0.0/16", "198.18.0.0/15",
  "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",   "::/16",          "100::/64",
  "2001:db8::/32",   "fc00::/7",       "fe80::/10",     "ff00::/8",       NULL
};

static void
address_free (BawnNetAddress *address)
{
  g_free ((char *) address->interface);
  g_free ((char *) address->address);
  g_free (address);
}

BawnNetMachine *
bawn_net_machine_new (const char *interface_v4, const char *interface_v6)
{
  BawnNetMachine *machine = g_new0 (BawnNetMachine, 1);

  machine->addresses = g_ptr_array_new_with_free_func ((GDestroyNotify) address_free);
  machine->interface_v4 = g_strdup (interface_v4);
  machine->interface_v6 = g_strdup (interface_v6);

  return machine;
}

void
bawn_net_machine_add (BawnNetMachine *machine,
                      const char *interface,
                      const char *address,
                      gboolean loopback)
{
  BawnNetAddress *added = g_new0 (BawnNetAddress, 1);

  added->interface = g_strdup (interface);
  added->address = g_strdup (address);
  added->loopback = loopback;
  g_ptr_array_add (machine->addresses, added);
}

/**
 * bawn_net_machine_free:
 * @machine: (transfer full): a machine
 */
void
bawn_net_machine_free (BawnNetMachine *machine)
{
  g_ptr_array_unref (machine->addresses);
  g_free (machine->interface_v4);
  g_free (machine->interface_v6);
  g_free (machine);
}

/* Of the columns of a table of routes: those of a default route have @zeros only. */
typedef struct
{
  guint interface;
  guint flags;
  guint metric;
  guint metric_base;
  guint zeros[2];
  guint n;
} Columns;

static gboolean
is_zero (const char *digits)
{
  return digits[strspn (digits, "0")] == '\0';
}

static GPtrArray *
split_words (char *line)
{
  GPtrArray *words = g_ptr_array_new ();
  char *rest = line;

  for (char *word = strtok_r (line, " \t", &rest); word != NULL;
       word = strtok_r (NULL, " \t", &rest))
    g_ptr_array_add (words, word);

  return words;
}

/* The interface of the default route that is up and has the least metric. The kernel's
 * "unreachable" route of IPv6 is on lo. */
static char *
find_default (const char *routes, const Columns *columns)
{
  g_auto (GStrv) lines = g_strsplit (routes, "\n", -1);
  g_autofree char *found = NULL;
  guint64 best = G_MAXUINT64;

  for (gsize i = 0; lines[i] != NULL; i++)
    {
      g_autoptr (GPtrArray) words = split_words (lines[i]);
      char **word = (char **) words->pdata;

      if (words->len < columns->n || !is_zero (word[columns->zeros[0]])
          || !is_zero (word[columns->zeros[1]])
          || (g_ascii_strtoull (word[columns->flags], NULL, 16) & ROUTE_UP) == 0
          || g_str_equal (word[columns->interface], "lo"))
        continue;

      guint64 metric = g_ascii_strtoull (word[columns->metric], NULL, columns->metric_base);

      if (metric >= best)
        continue;
      best = metric;
      g_free (found);
      found = g_strdup (word[columns->interface]);
    }

  return g_steal_pointer (&found);
}

char *
bawn_net_find_default_interface (const char *routes)
{
  /* Iface Destination Gateway Flags RefCnt Use Metric Mask … */
  static const Columns columns = { 0, 3, 6, 10, { 1, 7 }, 8 };

  return find_default (routes, &columns);
}

char *
bawn_net_find_default_interface_v6 (const char *routes)
{
  /* Destination Length Source Length NextHop Metric RefCnt Use Flags Iface */
  static const Columns columns = { 9, 8, 5, 16, { 0, 1 }, 10 };

  return find_default (routes, &columns);
}

static gboolean
is_v6 (const BawnNetAddress *address)
{
  return strchr (address->address, ':') != NULL;
}

/* The first of @family that is in @within, or not if @inverted; that of the default route's
 * interface before all others. */
static const char *
find (const BawnNetMachine *machine, gboolean v6, const char *const *cidrs, gboolean inverted)
{
  const char *preferred = v6 ? machine->interface_v6 : machine->interface_v4;
  const char *found = NULL;

  for (guint i = 0; i < machine->addresses->len; i++)
    {
      const BawnNetAddress *address = machine->addresses->pdata[i];

      if (address->loopback || is_v6 (address) != v6
          || bawn_cidrs_match (cidrs, address->address) == inverted)
        continue;
      if (preferred != NULL && g_str_equal (address->interface, preferred))
        return address->address;
      if (found == NULL)
        found = address->address;
    }

  return found;
}

/**
 * bawn_net_machine_find_private:
 * @machine: a machine
 * @families: what will do
 *
 * Looks for the address by which others reach this machine: of interfaces that are up, that of the
 * default route first, a private IPv4 address, and if there is none, a unique local IPv6 address.
 *
 * Returns: (transfer full) (nullable): the address
 */
char *
bawn_net_machine_find_private (const BawnNetMachine *machine, BawnNetFamilies families)
{
  const char *found = find (machine, FALSE, private_v4, FALSE);

  if (found == NULL && families == BAWN_NET_ANY)
    found = find (machine, TRUE, private_v6, FALSE);

  return g_strdup (found);
}

/**
 * bawn_net_machine_find_public:
 * @machine: a machine
 *
 * The same for addresses that are good in the whole Internet.
 *
 * Returns: (transfer full) (nullable): the address
 */
char *
bawn_net_machine_find_public (const BawnNetMachine *machine)
{
  const char *found = find (machine, FALSE, not_public, TRUE);

  if (found == NULL)
    found = find (machine, TRUE, not_public, TRUE);

  return g_strdup (found);
}

/* Those that others could use; @out_known: whether there is such an interface at all. */
static GStrv
collect (const BawnNetMachine *machine, const char *interface, gboolean v6, gboolean *out_known)
{
  g_autoptr (GStrvBuilder) found = g_strv_builder_new ();

  for (guint i = 0; i < machine->addresses->len; i++)
    {
      const BawnNetAddress *address = machine->addresses->pdata[i];

      if (!g_str_equal (address->interface, interface))
        continue;
      *out_known = TRUE;
      if (is_v6 (address) == v6 && !bawn_cidrs_match (link_local, address->address))
        g_strv_builder_add (found, address->address);
    }

  return g_strv_builder_end (found);
}

/**
 * bawn_net_machine_find_of_interface:
 * @machine: a machine
 * @interface: a name, such as "eth0"
 * @error: (out) (optional): %BAWN_ERROR_NOT_FOUND, or %BAWN_ERROR_INVALID if there are several
 *
 * Looks for the one address of an interface: IPv4, or where it has none IPv6. Addresses that are
 * good on one link only do not count.
 *
 * Returns: (transfer full) (nullable): the address
 */
char *
bawn_net_machine_find_of_interface (const BawnNetMachine *machine,
                                    const char *interface,
                                    GError **error)
{
  gboolean known = FALSE;
  g_auto (GStrv) found = collect (machine, interface, FALSE, &known);

  if (found[0] == NULL)
    {
      g_strfreev (found);
      found = collect (machine, interface, TRUE, &known);
    }
  if (!known)
    return bawn_fail_null (error, BAWN_ERROR_NOT_FOUND,
                           "there is no interface \"%s\" that is up and has an address", interface);
  if (found[0] == NULL)
    return bawn_fail_null (error, BAWN_ERROR_NOT_FOUND,
                           "the interface \"%s\" has no address that others can use", interface);
  if (found[1] != NULL)
    {
      g_autofree char *all = g_strjoinv (", ", found);

      return bawn_fail_null (error, BAWN_ERROR_INVALID,
                             "the interface \"%s\" has several addresses (%s); name one of them",
                             interface, all);
    }

  return g_strdup (found[0]);
}

static const char *
format_address (const struct sockaddr *address, char *text, socklen_t size)
{
  if (address != NULL && address->sa_family == AF_INET)
    return inet_ntop (AF_INET, &((const struct sockaddr_in *) (const void *) address)->sin_addr,
                      text, size);
  if (address != NULL && address->sa_family == AF_INET6)
    return inet_ntop (AF_INET6, &((const struct sockaddr_in6 *) (const void *) address)->sin6_addr,
                      text, size);

  return NULL;
}

static char *
read_default_interface (const char *file, char *(*find_interface) (const char *routes))
{
  g_autofree char *routes = NULL;

  if (!g_file_get_contents (file, &routes, NULL, NULL))
    return NULL;

  return find_interface (routes);
}

/**
 * bawn_net_machine_read:
 *
 * Returns: (transfer full): this machine; one without addresses if the kernel does not tell
 */
BawnNetMachine *
bawn_net_machine_read (void)
{
  g_autofree char *interface_v4 =
      read_default_interface (ROUTES_V4, bawn_net_find_default_interface);
  g_autofree char *interface_v6 =
      read_default_interface (ROUTES_V6, bawn_net_find_default_interface_v6);
  BawnNetMachine *machine = bawn_net_machine_new (interface_v4, interface_v6);
  struct ifaddrs *all = NULL;

  if (getifaddrs (&all) != 0)
    return machine;
  for (const struct ifaddrs *at = all; at != NULL; at = at->ifa_next)
    {
      char text[INET6_ADDRSTRLEN] = { 0 };

      if ((at->ifa_flags & IFF_UP) != 0 && format_address (at->ifa_addr, text, sizeof text) != NULL)
        bawn_net_machine_add (machine, at->ifa_name, text, (at->ifa_flags & IFF_LOOPBACK) != 0);
    }
  freeifaddrs (all);

  return machine;
}
