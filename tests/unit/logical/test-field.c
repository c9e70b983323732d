/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "logical/bawn-request.h"

#include <string.h>

static BawnRequest *
request_with (const char *json)
{
  g_autoptr (GError) error = NULL;
  BawnRequest *request = bawn_request_new (BAWN_OP_UPDATE, "secret/a");

  if (json != NULL)
    {
      request->data = bawn_json_parse_string (json, &error);
      g_assert_no_error (error);
    }

  return request;
}

static void
test_absent_and_null_leave_the_default (void)
{
  const char *const bodies[] = { NULL, "{}", "{\"f\":null}" };

  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++)
    {
      g_autoptr (BawnRequest) request = request_with (bodies[i]);
      g_autofree char *text = g_strdup ("kept");
      g_auto (GStrv) list = g_strsplit ("kept", ",", -1);
      g_autoptr (GHashTable) map = NULL;
      gboolean flag = TRUE;
      gint64 number = 7;
      gint64 time_us = -1;

      g_assert_true (bawn_field_string (request, "f", &text, NULL));
      g_assert_true (bawn_field_bool (request, "f", &flag, NULL));
      g_assert_true (bawn_field_int (request, "f", &number, NULL));
      g_assert_true (bawn_field_duration (request, "f", &time_us, NULL));
      g_assert_true (bawn_field_strv (request, "f", &list, NULL));
      g_assert_true (bawn_field_map (request, "f", &map, NULL));
      g_assert_cmpstr (text, ==, "kept");
      g_assert_true (flag);
      g_assert_cmpint (number, ==, 7);
      g_assert_cmpint (time_us, ==, -1);
      g_assert_cmpstr (list[0], ==, "kept");
      g_assert_null (map);
      g_assert_false (bawn_field_present (request, "f"));
    }
}

static const struct
{
  const char *value;
  const char *expected; /* NULL: refused */
} string_rows[] = {
  { "\"a\"", "a" },
  { "\"\"", "" },
  { "5", "5" },
  { "1.50", "1.50" },
  { "12345678901234567890", "12345678901234567890" },
  { "true", "1" },
  { "false", "0" },
  { "[]", NULL },
  { "{}", NULL },
  { "\"a\\u0000b\"", NULL },
};

static void
test_strings_take_any_scalar (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (string_rows); i++)
    {
      g_autofree char *body = g_strdup_printf ("{\"f\":%s}", string_rows[i].value);
      g_autoptr (BawnRequest) request = request_with (body);
      g_autofree char *value = g_strdup ("untouched");
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", body);
      if (string_rows[i].expected != NULL)
        {
          g_assert_true (bawn_field_string (request, "f", &value, &error));
          g_assert_cmpstr (value, ==, string_rows[i].expected);
          continue;
        }
      g_assert_false (bawn_field_string (request, "f", &value, &error));
      g_assert_true (bawn_error_is (error, BAWN_ERROR_INVALID));
      g_assert_cmpstr (value, ==, "untouched");
    }
}

static const struct
{
  const char *value;
  int expected; /* -1: refused */
} bool_rows[] = {
  { "true", 1 }, { "false", 0 }, { "\"true\"", 1 }, { "\"T\"", 1 },   { "\"1\"", 1 }, { "1", 1 },
  { "0", 0 },    { "\"\"", 0 },  { "\"f\"", 0 },    { "\"no\"", -1 }, { "5", -1 },    { "[]", -1 },
};

static void
test_bools_take_what_go_takes (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bool_rows); i++)
    {
      g_autofree char *body = g_strdup_printf ("{\"f\":%s}", bool_rows[i].value);
      g_autoptr (BawnRequest) request = request_with (body);
      gboolean value = bool_rows[i].expected != 1;

      g_test_message ("%s", body);
      g_assert_cmpint (bawn_field_bool (request, "f", &value, NULL), ==,
                       bool_rows[i].expected >= 0);
      if (bool_rows[i].expected >= 0)
        g_assert_cmpint (value, ==, bool_rows[i].expected);
    }
}

static const struct
{
  const char *value;
  gboolean fits;
  gint64 expected;
} int_rows[] = {
  { "5", TRUE, 5 },
  { "\"5\"", TRUE, 5 },
  { "-3", TRUE, -3 },
  { "\"+4\"", TRUE, 4 },
  { "\"\"", TRUE, 0 },
  { "true", TRUE, 1 },
  { "5.5", FALSE, 0 },
  { "\"abc\"", FALSE, 0 },
  { "{}", FALSE, 0 },
  { "\" 1\"", FALSE, 0 },
  { "9223372036854775807", TRUE, G_MAXINT64 },
  { "9223372036854775808", FALSE, 0 },
};

static void
test_ints_take_strings_too (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (int_rows); i++)
    {
      g_autofree char *body = g_strdup_printf ("{\"f\":%s}", int_rows[i].value);
      g_autoptr (BawnRequest) request = request_with (body);
      gint64 value = -99;

      g_test_message ("%s", body);
      g_assert_cmpint (bawn_field_int (request, "f", &value, NULL), ==, int_rows[i].fits);
      g_assert_cmpint (value, ==, int_rows[i].fits ? int_rows[i].expected : -99);
    }
}

static const struct
{
  const char *value;
  gboolean fits;
  gint64 expected_ms;
} duration_rows[] = {
  { "60", TRUE, 60000 },      { "\"60\"", TRUE, 60000 }, { "\"1h30m\"", TRUE, 5400000 },
  { "\"500ms\"", TRUE, 500 }, { "\"\"", TRUE, 0 },       { "\"0s\"", TRUE, 0 },
  { "\"zz\"", FALSE, 0 },     { "true", FALSE, 0 },      { "[]", FALSE, 0 },
  { "-5", FALSE, 0 },         { "\"-1h\"", FALSE, 0 },
};

static void
test_durations_take_seconds_and_units (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (duration_rows); i++)
    {
      g_autofree char *body = g_strdup_printf ("{\"f\":%s}", duration_rows[i].value);
      g_autoptr (BawnRequest) request = request_with (body);
      gint64 value = -99;

      g_test_message ("%s", body);
      g_assert_cmpint (bawn_field_duration (request, "f", &value, NULL), ==, duration_rows[i].fits);
      g_assert_cmpint (value, ==,
                       duration_rows[i].fits ? duration_rows[i].expected_ms * 1000 : -99);
    }
}

static void
test_a_signed_duration_may_be_negative (void)
{
  g_autoptr (BawnRequest) request =
      request_with ("{\"a\":\"-1h\",\"b\":-5,\"c\":\"--5\",\"d\":\"-\"}");
  gint64 value = 0;

  g_assert_true (bawn_field_duration_signed (request, "a", &value, NULL));
  g_assert_cmpint (value, ==, -3600 * (gint64) G_USEC_PER_SEC);
  g_assert_true (bawn_field_duration_signed (request, "b", &value, NULL));
  g_assert_cmpint (value, ==, -5 * G_USEC_PER_SEC);
  g_assert_false (bawn_field_duration_signed (request, "c", &value, NULL));
  g_assert_false (bawn_field_duration_signed (request, "d", &value, NULL));
}

static const struct
{
  const char *value;
  const char *expected; /* joined with '|'; NULL: refused */
} strv_rows[] = {
  { "\"a,b\"", "a|b" },
  { "[\"a\",\"b\"]", "a|b" },
  { "\" a , b \"", "a|b" },
  { "\"\"", "" },
  { "[]", "" },
  { "[1,true]", "1|1" },
  { "7", "7" },
  { "[\"a,b\"]", "a,b" },
  { "{}", NULL },
  { "[[]]", NULL },
  { "[{}]", NULL },
};

static void
test_lists_take_arrays_and_commas (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (strv_rows); i++)
    {
      g_autofree char *body = g_strdup_printf ("{\"f\":%s}", strv_rows[i].value);
      g_autoptr (BawnRequest) request = request_with (body);
      g_auto (GStrv) value = NULL;

      g_test_message ("%s", body);
      g_assert_cmpint (bawn_field_strv (request, "f", &value, NULL), ==,
                       strv_rows[i].expected != NULL);
      if (strv_rows[i].expected == NULL)
        continue;

      g_autofree char *joined = g_strjoinv ("|", value);

      g_assert_cmpstr (joined, ==, strv_rows[i].expected);
    }
}

static void
test_maps_take_objects_and_pairs (void)
{
  const char *const bodies[] = { "{\"f\":{\"a\":\"1\",\"b\":\"x=y\"}}",
                                 "{\"f\":{\"a\":1,\"b\":\"x=y\"}}", "{\"f\":[\"a=1\",\"b=x=y\"]}" };

  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++)
    {
      g_autoptr (BawnRequest) request = request_with (bodies[i]);
      g_autoptr (GHashTable) map = NULL;

      g_assert_true (bawn_field_map (request, "f", &map, NULL));
      g_assert_cmpuint (g_hash_table_size (map), ==, 2);
      g_assert_cmpstr (g_hash_table_lookup (map, "a"), ==, "1");
      g_assert_cmpstr (g_hash_table_lookup (map, "b"), ==, "x=y");
    }
}

static void
test_a_map_of_maps_is_refused (void)
{
  g_autoptr (BawnRequest) request = request_with ("{\"f\":{\"a\":{}},\"g\":5,\"h\":[\"a\"]}");
  g_autoptr (GHashTable) map = NULL;

  g_assert_false (bawn_field_map (request, "f", &map, NULL));
  g_assert_false (bawn_field_map (request, "g", &map, NULL));
  g_assert_false (bawn_field_map (request, "h", &map, NULL));
  g_assert_null (map);
}

static void
test_errors_name_the_field_and_not_the_string (void)
{
  g_autoptr (BawnRequest) request = request_with ("{\"data\":\"hunter2\"}");
  g_autoptr (GError) error = NULL;
  const BawnJsonNode *node = NULL;

  g_assert_false (bawn_field_object (request, "data", &node, &error));
  g_assert_cmpstr (error->message, ==,
                   "Field validation failed: error converting input for field \"data\": "
                   "'' expected a map, got 'string'");
}

static void
test_fields_nobody_asked_for_are_unknown (void)
{
  g_autoptr (BawnRequest) request = request_with ("{\"z\":1,\"known\":2,\"a\":3,\"z\":4}");
  gint64 value = 0;
  g_auto (GStrv) unknown = NULL;

  g_assert_true (bawn_field_int (request, "known", &value, NULL));
  unknown = bawn_request_unknown_fields (request);

  g_assert_cmpuint (g_strv_length (unknown), ==, 2);
  g_assert_cmpstr (unknown[0], ==, "a");
  g_assert_cmpstr (unknown[1], ==, "z");

  g_assert_nonnull (bawn_field_all (request));
  g_assert_null (bawn_request_unknown_fields (request));
}

static void
test_reset_forgets_an_attempt (void)
{
  g_autoptr (BawnRequest) request = request_with ("{\"a\":1}");

  request->op = BAWN_OP_CREATE;
  request->mount = bawn_mount_new ();
  request->caller = bawn_token_new ();
  request->caller_sudo = TRUE;
  request->audited = TRUE;
  bawn_field_all (request);
  bawn_request_reset (request);

  g_assert_cmpint (request->op, ==, BAWN_OP_UPDATE);
  g_assert_null (request->mount);
  g_assert_null (request->caller);
  g_assert_false (request->caller_sudo);
  g_assert_false (request->any_field);
  g_assert_true (request->audited);
  g_assert_nonnull (request->data);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define add(name, func) g_test_add_func ("/logical/field/" name, func)
  add ("absent-and-null-leave-the-default", test_absent_and_null_leave_the_default);
  add ("strings-take-any-scalar", test_strings_take_any_scalar);
  add ("bools-take-what-go-takes", test_bools_take_what_go_takes);
  add ("ints-take-strings-too", test_ints_take_strings_too);
  add ("durations-take-seconds-and-units", test_durations_take_seconds_and_units);
  add ("a-signed-duration-may-be-negative", test_a_signed_duration_may_be_negative);
  add ("lists-take-arrays-and-commas", test_lists_take_arrays_and_commas);
  add ("maps-take-objects-and-pairs", test_maps_take_objects_and_pairs);
  add ("a-map-of-maps-is-refused", test_a_map_of_maps_is_refused);
  add ("errors-name-the-field-and-not-the-string", test_errors_name_the_field_and_not_the_string);
  add ("fields-nobody-asked-for-are-unknown", test_fields_nobody_asked_for_are_unknown);
  add ("reset-forgets-an-attempt", test_reset_forgets_an_attempt);
#undef add

  return g_test_run ();
}
