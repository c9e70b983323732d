/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-token-params.h"

#include "auth/bawn-policy.h"
#include "util/bawn-error.h"
#include "util/bawn-net.h"

#define NEW_PREFIX "token_"

/* By #BawnTokenWish. */
static const char *const wish_names[] = { "default", "default-service", "default-batch", "service",
                                          "batch" };

/**
 * bawn_token_params_clear:
 * @params: what to let go of
 */
void
bawn_token_params_clear (BawnTokenParams *params)
{
  g_clear_pointer (&params->policies, g_strfreev);
  g_clear_pointer (&params->bound_cidrs, g_strfreev);
}

/**
 * bawn_token_wish_name:
 * @type: a type
 *
 * Returns: what the API calls it
 */
const char *
bawn_token_wish_name (BawnTokenWish type)
{
  return wish_names[type];
}

/* Which spelling of a field to take. The newer one wins; the older one is then asked for too, to be
 * known. */
typedef struct
{
  BawnTokenParams *params;
  BawnRequest *request;
  guint known;
  guint legacy;
  GPtrArray *warnings;
} Parser;

/* Returns the field to read: @name without its prefix for the older spelling; %NULL if neither was
 * given. */
static const char *
choose_field (Parser *parser, BawnTokenParam param, const char *name)
{
  const char *old = name + strlen (NEW_PREFIX);
  gboolean has_old = FALSE;

  if ((parser->known & param) == 0)
    return NULL;
  has_old = (parser->legacy & param) != 0 && bawn_field_present (parser->request, old);
  if (bawn_field_present (parser->request, name))
    {
      parser->params->legacy &= ~(guint) param;
      if (has_old && parser->warnings != NULL)
        g_ptr_array_add (parser->warnings,
                         g_strdup_printf ("Both '%s' and deprecated '%s' value supplied, ignoring "
                                          "the deprecated value",
                                          name, old));
      return name;
    }
  if (!has_old)
    return NULL;

  parser->params->legacy |= param;
  return old;
}

static gboolean
parse_time (
    Parser *parser, BawnTokenParam param, const char *name, gint64 *inout_us, GError **error)
{
  const char *field = choose_field (parser, param, name);
  gint64 us = *inout_us;

  if (field == NULL)
    return TRUE;
  if (!bawn_field_duration_signed (parser->request, field, &us, error))
    return FALSE;
  if (us < 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "'%s' cannot be negative", name);

  *inout_us = us - us % G_USEC_PER_SEC;
  return TRUE;
}

static gboolean
parse_cidrs (Parser *parser, GError **error)
{
  const char *field = choose_field (parser, BAWN_TOKEN_PARAM_CIDRS, "token_bound_cidrs");
  g_auto (GStrv) cidrs = NULL;

  if (field == NULL)
    return TRUE;
  if (!bawn_field_strv (parser->request, field, &cidrs, error))
    return FALSE;
  for (char **cidr = cidrs; *cidr != NULL; cidr++)
    {
      g_autofree char *normal = bawn_cidr_normalize (*cidr, NULL);

      if (normal == NULL)
        return bawn_fail (error, BAWN_ERROR_INVALID,
                          "error parsing address \"%s\": not an IPv4 or IPv6 address or block",
                          *cidr);
    }

  g_strfreev (parser->params->bound_cidrs);
  parser->params->bound_cidrs = g_steal_pointer (&cidrs);
  return TRUE;
}

static gboolean
parse_policies (Parser *parser, GError **error)
{
  const char *field = choose_field (parser, BAWN_TOKEN_PARAM_POLICIES, "token_policies");
  g_auto (GStrv) policies = NULL;

  if (field == NULL)
    return TRUE;
  if (!bawn_field_strv (parser->request, field, &policies, error))
    return FALSE;

  g_strfreev (parser->params->policies);
  parser->params->policies = bawn_policy_names_clean ((const char *const *) policies, FALSE);
  return TRUE;
}

static gboolean
parse_type (Parser *parser, GError **error)
{
  const char *field = choose_field (parser, BAWN_TOKEN_PARAM_TYPE, "token_type");
  g_autofree char *name = NULL;

  if (field == NULL)
    return TRUE;
  if (!bawn_field_string (parser->request, field, &name, error))
    return FALSE;
  if (*name == '\0')
    {
      parser->params->type = BAWN_TOKEN_WISH_DEFAULT;
      return TRUE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (wish_names); i++)
    if (g_str_equal (name, wish_names[i]))
      {
        parser->params->type = (BawnTokenWish) i;
        return TRUE;
      }

  return bawn_fail (error, BAWN_ERROR_INVALID, "invalid 'token_type' value \"%s\"", name);
}

static gboolean
parse_flags (Parser *parser, GError **error)
{
  BawnTokenParams *params = parser->params;
  gint64 num_uses = params->num_uses;

  if ((parser->known & BAWN_TOKEN_PARAM_NO_DEFAULT_POLICY) != 0
      && !bawn_field_bool (parser->request, "token_no_default_policy", &params->no_default_policy,
                           error))
    return FALSE;
  if ((parser->known & BAWN_TOKEN_PARAM_NUM_USES) != 0
      && !bawn_field_int (parser->request, "token_num_uses", &num_uses, error))
    return FALSE;
  if (num_uses < 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "'token_num_uses' cannot be negative");

  params->num_uses = num_uses;
  return TRUE;
}

static gboolean
check_together (const BawnTokenParams *params, GError **error)
{
  gboolean batch =
      params->type == BAWN_TOKEN_WISH_BATCH || params->type == BAWN_TOKEN_WISH_DEFAULT_BATCH;

  if (params->ttl_us > 0 && params->max_ttl_us > 0 && params->ttl_us > params->max_ttl_us)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "'token_ttl' cannot be greater than 'token_max_ttl'");
  if (batch && params->period_us != 0)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "'token_type' cannot be 'batch' or 'default_batch' when set to generate "
                      "periodic tokens");
  if (batch && params->num_uses != 0)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "'token_type' cannot be 'batch' or 'default_batch' when set to generate "
                      "tokens with limited use count");

  return TRUE;
}

/**
 * bawn_token_params_parse:
 * @params: what is there already
 * @request: a request
 * @known: mask of #BawnTokenParam: the fields that there are here
 * @legacy: mask of #BawnTokenParam: which of them have an older spelling, without "token_"
 * @warnings: (nullable) (element-type utf8): gets a line when both spellings were given
 * @error: INVALID, in the API's words
 *
 * Takes what @request has over what is there. Of two spellings the newer one wins. After an error
 * @params is of no more use.
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_token_params_parse (BawnTokenParams *params,
                         BawnRequest *request,
                         guint known,
                         guint legacy,
                         GPtrArray *warnings,
                         GError **error)
{
  Parser parser = { params, request, known, legacy, warnings };

  return parse_cidrs (&parser, error)
         && parse_time (&parser, BAWN_TOKEN_PARAM_EXPLICIT_MAX_TTL, "token_explicit_max_ttl",
                        &params->explicit_max_ttl_us, error)
         && parse_time (&parser, BAWN_TOKEN_PARAM_MAX_TTL, "token_max_ttl", &params->max_ttl_us,
                        error)
         && parse_time (&parser, BAWN_TOKEN_PARAM_PERIOD, "token_period", &params->period_us, error)
         && parse_time (&parser, BAWN_TOKEN_PARAM_TTL, "token_ttl", &params->ttl_us, error)
         && parse_policies (&parser, error) && parse_type (&parser, error)
         && parse_flags (&parser, error) && check_together (params, error);
}

/* One member in its new spelling, and in the older one where that was used. */
typedef struct
{
  const BawnTokenParams *params;
  BawnJsonWriter *w;
  guint known;
} Shower;

static void
show_time (const Shower *shower, BawnTokenParam param, const char *name, gint64 us)
{
  if ((shower->known & param) == 0)
    return;

  bawn_json_writer_add_int (shower->w, name, us / G_USEC_PER_SEC);
  if ((shower->params->legacy & param) != 0)
    bawn_json_writer_add_int (shower->w, name + strlen (NEW_PREFIX), us / G_USEC_PER_SEC);
}

static void
show_strv (const Shower *shower, BawnTokenParam param, const char *name, GStrv strings)
{
  static const char *const none[] = { NULL };
  const char *const *shown = strings != NULL ? (const char *const *) strings : none;

  if ((shower->known & param) == 0)
    return;

  bawn_json_writer_add_strv (shower->w, name, shown);
  if ((shower->params->legacy & param) != 0)
    bawn_json_writer_add_strv (shower->w, name + strlen (NEW_PREFIX), shown);
}

/**
 * bawn_token_params_show:
 * @params: what to show
 * @w: a writer inside an object
 * @known: mask of #BawnTokenParam
 *
 * Writes members as answers show them, times in seconds; in the older spelling too where that was
 * used last.
 */
void
bawn_token_params_show (const BawnTokenParams *params, BawnJsonWriter *w, guint known)
{
  Shower shower = { params, w, known };

  show_strv (&shower, BAWN_TOKEN_PARAM_CIDRS, "token_bound_cidrs", params->bound_cidrs);
  show_time (&shower, BAWN_TOKEN_PARAM_EXPLICIT_MAX_TTL, "token_explicit_max_ttl",
             params->explicit_max_ttl_us);
  show_time (&shower, BAWN_TOKEN_PARAM_MAX_TTL, "token_max_ttl", params->max_ttl_us);
  if ((known & BAWN_TOKEN_PARAM_NO_DEFAULT_POLICY) != 0)
    bawn_json_writer_add_bool (w, "token_no_default_policy", params->no_default_policy);
  if ((known & BAWN_TOKEN_PARAM_NUM_USES) != 0)
    bawn_json_writer_add_int (w, "token_num_uses", params->num_uses);
  show_time (&shower, BAWN_TOKEN_PARAM_PERIOD, "token_period", params->period_us);
  show_strv (&shower, BAWN_TOKEN_PARAM_POLICIES, "token_policies", params->policies);
  show_time (&shower, BAWN_TOKEN_PARAM_TTL, "token_ttl", params->ttl_us);
  if ((known & BAWN_TOKEN_PARAM_TYPE) != 0)
    bawn_json_writer_add_string (w, "token_type", bawn_token_wish_name (params->type));
}

/**
 * bawn_token_params_write:
 * @params: what to keep
 * @w: a writer inside an object
 *
 * Writes members as records keep them.
 */
void
bawn_token_params_write (const BawnTokenParams *params, BawnJsonWriter *w)
{
  bawn_json_writer_add_int (w, "ttl", params->ttl_us);
  bawn_json_writer_add_int (w, "max_ttl", params->max_ttl_us);
  bawn_json_writer_add_int (w, "explicit_max_ttl", params->explicit_max_ttl_us);
  bawn_json_writer_add_int (w, "period", params->period_us);
  bawn_json_writer_add_int (w, "uses", params->num_uses);
  if (params->policies != NULL)
    bawn_json_writer_add_strv (w, "policies", (const char *const *) params->policies);
  if (params->bound_cidrs != NULL)
    bawn_json_writer_add_strv (w, "cidrs", (const char *const *) params->bound_cidrs);
  bawn_json_writer_add_bool (w, "no_default_policy", params->no_default_policy);
  bawn_json_writer_add_string (w, "type", bawn_token_wish_name (params->type));
  bawn_json_writer_add_int (w, "legacy", params->legacy);
}

/**
 * bawn_token_params_read:
 * @params: (out caller-allocates): what was kept
 * @object: (nullable): what bawn_token_params_write() wrote
 */
void
bawn_token_params_read (BawnTokenParams *params, const BawnJsonNode *object)
{
  const char *type = bawn_json_get_string (object, "type", "");

  bawn_token_params_clear (params);
  params->ttl_us = bawn_json_get_int (object, "ttl", 0);
  params->max_ttl_us = bawn_json_get_int (object, "max_ttl", 0);
  params->explicit_max_ttl_us = bawn_json_get_int (object, "explicit_max_ttl", 0);
  params->period_us = bawn_json_get_int (object, "period", 0);
  params->num_uses = bawn_json_get_int (object, "uses", 0);
  params->policies = bawn_json_get_strv (object, "policies");
  params->bound_cidrs = bawn_json_get_strv (object, "cidrs");
  params->no_default_policy = bawn_json_get_bool (object, "no_default_policy", FALSE);
  params->legacy = (guint) bawn_json_get_int (object, "legacy", 0);
  params->type = BAWN_TOKEN_WISH_DEFAULT;
  for (guint i = 0; i < G_N_ELEMENTS (wish_names); i++)
    if (g_str_equal (type, wish_names[i]))
      params->type = (BawnTokenWish) i;
}

/* A mount may insist; else the role decides, and where that has no opinion, the mount's default. */
static BawnTokenType
resolve_type (BawnTokenWish wish, const char *mount_type)
{
  if (g_strcmp0 (mount_type, "batch") == 0)
    return BAWN_TOKEN_BATCH;
  if (g_strcmp0 (mount_type, "service") == 0)
    return BAWN_TOKEN_SERVICE;

  switch (wish)
    {
    case BAWN_TOKEN_WISH_SERVICE:
    case BAWN_TOKEN_WISH_DEFAULT_SERVICE:
      return BAWN_TOKEN_SERVICE;
    case BAWN_TOKEN_WISH_BATCH:
    case BAWN_TOKEN_WISH_DEFAULT_BATCH:
      return BAWN_TOKEN_BATCH;
    case BAWN_TOKEN_WISH_DEFAULT:
      break;
    }

  return g_strcmp0 (mount_type, "default-batch") == 0 ? BAWN_TOKEN_BATCH : BAWN_TOKEN_SERVICE;
}

/**
 * bawn_token_params_apply:
 * @params: what a role or user says
 * @mount: (nullable): the login method's mount, which has a say in the kind of token
 * @token: a token that is not shared yet
 *
 * Sets what a login's token is to be. Its times are wishes still, to be cut to the limits of the
 * mount by who makes the token. Policies are cleaned, with "default" among them unless it is not
 * wanted.
 */
void
bawn_token_params_apply (const BawnTokenParams *params, const BawnMount *mount, BawnToken *token)
{
  token->type = resolve_type (params->type, mount != NULL ? mount->token_type : NULL);
  g_strfreev (token->policies);
  token->policies =
      bawn_policy_names_clean ((const char *const *) params->policies, !params->no_default_policy);
  g_strfreev (token->bound_cidrs);
  token->bound_cidrs = params->bound_cidrs != NULL && params->bound_cidrs[0] != NULL
                           ? g_strdupv (params->bound_cidrs)
                           : NULL;
  token->no_default_policy = params->no_default_policy;
  token->renewable = token->type == BAWN_TOKEN_SERVICE;
  token->num_uses = token->type == BAWN_TOKEN_SERVICE ? params->num_uses : 0;
  token->ttl_us = params->ttl_us;
  token->max_ttl_us = params->max_ttl_us;
  token->explicit_max_ttl_us = params->explicit_max_ttl_us;
  token->period_us = params->period_us;
}

/**
 * bawn_token_params_renew:
 * @params: what a role or user says by now
 * @mount: (nullable): the login method's mount, whose limits hold too
 * @token: a token that is being renewed
 */
void
bawn_token_params_renew (const BawnTokenParams *params, const BawnMount *mount, BawnToken *token)
{
  gint64 mount_max_us = mount != NULL ? bawn_mount_max_ttl_us (mount) : 0;

  token->ttl_us = params->ttl_us;
  token->max_ttl_us = params->max_ttl_us;
  token->period_us = params->period_us;
  if (token->ttl_us == 0 && mount != NULL)
    token->ttl_us = bawn_mount_default_ttl_us (mount);
  if (mount_max_us > 0 && (token->max_ttl_us == 0 || token->max_ttl_us > mount_max_us))
    token->max_ttl_us = mount_max_us;
}
