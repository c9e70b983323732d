/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-rest-private.h"

#include "util/bawn-net.h"

#include <string.h>

/* A commit that a cluster can do takes milliseconds; one that is electing its leader answers within
 * some seconds. */
#define REQUEST_TIMEOUT_US (10 * G_TIME_SPAN_SECOND)
/* Within a site a connection stands in milliseconds, so that the next server gets its chance soon.
 */
#define CONNECT_TIMEOUT_US (2 * G_TIME_SPAN_SECOND)
#define MIN_TIMEOUT_US (10 * G_TIME_SPAN_MILLISECOND)
#define MAX_TIMEOUT_US (10 * G_TIME_SPAN_MINUTE)
/* What operators know from Vault. Each may mean a connection: Consul takes 200 of one client. */
#define MAX_PARALLEL 128
#define MAX_PARALLEL_CEILING 1024
/* Nobody has a cluster of more members; each costs a failed call its connect timeout. */
#define MAX_ADDRESSES 32

static const char *const scheme_names[] = { "http", "https", NULL };
static const char *const version_names[] = { "tls12", "tls13", NULL };

static void
address_free (gpointer data)
{
  BawnRestAddress *address = data;

  g_free (address->shown);
  g_free (address);
}

/* Cuts "https://" off. FALSE for a scheme that is not one of ours. */
static gboolean
cut_scheme (const char **text, const char **out_scheme)
{
  const char *end = strstr (*text, "://");

  *out_scheme = NULL;
  if (end == NULL)
    return TRUE;

  for (guint i = 0; scheme_names[i] != NULL; i++)
    if (strlen (scheme_names[i]) == (gsize) (end - *text)
        && g_ascii_strncasecmp (*text, scheme_names[i], strlen (scheme_names[i])) == 0)
      *out_scheme = scheme_names[i];
  *text = end + 3;
  return *out_scheme != NULL;
}

/* @text is not repeated in complaints: somebody may have put a password into it. */
static BawnRestAddress *
parse_address (BawnConfigGroup *group, const char *text, const char *scheme, guint16 port)
{
  const char *own_scheme = NULL;
  g_autoptr (GError) why = NULL;
  g_autofree char *host = NULL;

  if (!cut_scheme (&text, &own_scheme))
    {
      bawn_config_complain (group, "address",
                            "must be host:port, http://host:port or https://host:port");
      return NULL;
    }
  if (own_scheme != NULL && bawn_config_group_has (group, "scheme")
      && strcmp (own_scheme, scheme) != 0)
    {
      bawn_config_complain (group, "address", "says %s, but scheme says %s", own_scheme, scheme);
      return NULL;
    }

  g_autofree char *place = g_strdup (text);

  if (g_str_has_suffix (place, "/"))
    place[strlen (place) - 1] = '\0';
  if (!bawn_net_parse_host_port (place, port, &host, &port, &why) || *host == '\0')
    {
      bawn_config_complain (group, "address", "%s", why != NULL ? why->message : "names no host");
      return NULL;
    }

  BawnRestAddress *address = g_new0 (BawnRestAddress, 1);
  g_autofree char *host_port = bawn_net_format_host_port (host, port);

  scheme = own_scheme != NULL ? own_scheme : scheme;
  address->is_tls = strcmp (scheme, "https") == 0;
  address->shown = g_strconcat (scheme, "://", host_port, NULL);
  return address;
}

static void
read_addresses (BawnConfigGroup *group, const char *default_address, BawnRestOptions *options)
{
  const char *place = default_address;
  const char *default_scheme = NULL;
  g_auto (GStrv) list = bawn_config_get_list (group, "address");
  g_autofree char *host = NULL;
  guint16 port = 0;

  if (!cut_scheme (&place, &default_scheme) || default_scheme == NULL
      || !bawn_net_parse_host_port (place, 0, &host, &port, NULL))
    g_return_if_reached ();

  guint fallback = strcmp (default_scheme, "https") == 0 ? 1 : 0;
  const char *scheme =
      scheme_names[bawn_config_get_choice (group, "scheme", scheme_names, fallback)];

  if (list == NULL)
    list = g_strsplit (place, ",", -1);
  if (list[0] == NULL)
    bawn_config_complain (group, "address", "names no server");
  if (g_strv_length (list) > MAX_ADDRESSES)
    bawn_config_complain (group, "address", "names more than %d servers", MAX_ADDRESSES);
  for (guint i = 0; list[i] != NULL; i++)
    {
      BawnRestAddress *address = parse_address (group, list[i], scheme, port);

      if (address != NULL)
        g_ptr_array_add (options->addresses, address);
    }
}

static void
read_tls (BawnConfigGroup *group, BawnRestOptions *options)
{
  static const char *const keys[] = { "tls-ca-file", "tls-cert-file", "tls-key-file",
                                      "tls-server-name" };
  gboolean any_tls = FALSE;

  options->ca_file = bawn_config_get_string (group, "tls-ca-file", NULL);
  options->cert_file = bawn_config_get_string (group, "tls-cert-file", NULL);
  options->key_file = bawn_config_get_string (group, "tls-key-file", NULL);
  options->server_name = bawn_config_get_string (group, "tls-server-name", NULL);
  options->skip_verify = bawn_config_get_bool (group, "tls-skip-verify", FALSE);
  options->min_version = bawn_config_get_choice (group, "tls-min-version", version_names, 0) == 0
                             ? G_TLS_PROTOCOL_VERSION_TLS_1_2
                             : G_TLS_PROTOCOL_VERSION_TLS_1_3;

  if ((options->cert_file == NULL) != (options->key_file == NULL))
    bawn_config_complain (group, options->cert_file != NULL ? "tls-cert-file" : "tls-key-file",
                          "tls-cert-file and tls-key-file go together");

  for (guint i = 0; i < options->addresses->len; i++)
    any_tls = any_tls || ((BawnRestAddress *) options->addresses->pdata[i])->is_tls;
  /* Whoever names a certificate believes to be protected. */
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (options->addresses->len > 0 && !any_tls && bawn_config_group_has (group, keys[i]))
      bawn_config_complain (group, keys[i], "is of no use: no address is https, nor is scheme");
}

/**
 * bawn_rest_options_read:
 * @group: a group of the configuration
 * @default_address: a URL with scheme and port, which also stand in for those that an address has
 * not
 *
 * Reads all that says where the server is and how to speak to it. What is wrong is noted in @group.
 *
 * Returns: (transfer full): the options
 */
BawnRestOptions *
bawn_rest_options_read (BawnConfigGroup *group, const char *default_address)
{
  BawnRestOptions *options = g_atomic_rc_box_new0 (BawnRestOptions);

  options->addresses = g_ptr_array_new_with_free_func (address_free);
  read_addresses (group, default_address, options);
  read_tls (group, options);
  options->request_timeout_us = bawn_config_get_duration_us (
      group, "request-timeout", REQUEST_TIMEOUT_US, MIN_TIMEOUT_US, MAX_TIMEOUT_US);
  options->connect_timeout_us = bawn_config_get_duration_us (
      group, "connect-timeout", CONNECT_TIMEOUT_US, MIN_TIMEOUT_US, MAX_TIMEOUT_US);
  options->max_parallel =
      (guint) bawn_config_get_int (group, "max-parallel", MAX_PARALLEL, 1, MAX_PARALLEL_CEILING);
  return options;
}

/* In microseconds. */
gint64
bawn_rest_options_get_request_timeout (const BawnRestOptions *options)
{
  return options->request_timeout_us;
}

BawnRestOptions *
bawn_rest_options_ref (const BawnRestOptions *options)
{
  return g_atomic_rc_box_acquire ((BawnRestOptions *) options);
}

static void
options_clear (gpointer data)
{
  BawnRestOptions *options = data;

  g_ptr_array_unref (options->addresses);
  g_free (options->ca_file);
  g_free (options->cert_file);
  g_free (options->key_file);
  g_free (options->server_name);
}

/**
 * bawn_rest_options_free:
 * @options: (nullable) (transfer full): options
 */
void
bawn_rest_options_free (BawnRestOptions *options)
{
  if (options != NULL)
    g_atomic_rc_box_release_full (options, options_clear);
}
