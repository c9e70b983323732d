/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-outage.h"

#include "tests/contract/bawn-backend-fault.h"
#include "tests/contract/bawn-expect.h"

#include <string.h>

GType bawn_backend_memory_get_type (void);

/* What the log says of storages, in order. */
static GPtrArray *lines = NULL;

static GLogWriterOutput
keep (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, "MESSAGE") && strstr (fields[i].value, "the storage (") != NULL)
      g_ptr_array_add (lines, g_strdup (fields[i].value));
  return G_LOG_WRITER_HANDLED;
}

typedef struct
{
  BawnBackend *memory;
  BawnBackendFault *fault;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->memory = (BawnBackend *) g_initable_new (bawn_backend_memory_get_type (), NULL, &error, NULL);
  g_assert_no_error (error);
  f->fault = bawn_backend_fault_new (f->memory);
  bawn_outage_watch (BAWN_BACKEND (f->fault), "memory of [storage]");
  g_ptr_array_set_size (lines, 0);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_object (&f->fault);
  g_clear_object (&f->memory);
}

static gboolean
look (Fixture *f)
{
  return bawn_backend_get (BAWN_BACKEND (f->fault), "a", NULL, NULL, NULL, NULL);
}

static gboolean
write_one (Fixture *f, GError **error)
{
  g_autoptr (GBytes) value = g_bytes_new_static ("1", 1);
  const BawnWrite write = { BAWN_WRITE_PUT, "a", value };

  return bawn_backend_commit (BAWN_BACKEND (f->fault), &write, 1, NULL, 0, NULL, NULL, error);
}

static void
assert_line (guint i, const char *text)
{
  g_assert_cmpuint (i, <, lines->len);
  if (strstr (g_ptr_array_index (lines, i), text) == NULL)
    g_error ("\"%s\" does not say \"%s\"", (char *) g_ptr_array_index (lines, i), text);
}

static void
test_an_outage_is_told_once_and_its_end_too (Fixture *f, gconstpointer data)
{
  bawn_backend_fault_fail (f->fault, BAWN_FAULT_GET, 0, 5, BAWN_ERROR_UPSTREAM);
  for (guint i = 0; i < 5; i++)
    g_assert_false (look (f));
  g_assert_cmpuint (lines->len, ==, 1);
  assert_line (0, "the storage (memory of [storage]) cannot be read");

  while (lines->len == 1)
    {
      g_assert_true (look (f));
      g_usleep (10 * 1000);
    }
  assert_line (1, "the storage (memory of [storage]) can be read again: it failed 5 times");
  g_assert_true (look (f));
  g_assert_cmpuint (lines->len, ==, 2);
}

static void
test_one_that_wavers_does_not_fill_the_log (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 50; i++)
    {
      bawn_backend_fault_fail (f->fault, BAWN_FAULT_GET, 0, 1, BAWN_ERROR_UPSTREAM);
      g_assert_false (look (f));
      g_assert_true (look (f));
    }

  g_assert_cmpuint (lines->len, ==, 1);
}

static void
test_reads_do_not_make_writes_good (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  bawn_backend_fault_fail (f->fault, BAWN_FAULT_COMMIT, 0, 1, BAWN_ERROR_UPSTREAM);
  g_assert_false (write_one (f, &error));
  g_usleep (BAWN_OUTAGE_CALM_US + 1000);
  g_assert_true (look (f));
  g_assert_cmpuint (lines->len, ==, 1);
  assert_line (0, "cannot be written");

  g_assert_true (write_one (f, NULL));
  g_assert_cmpuint (lines->len, ==, 2);
  assert_line (1, "can be written again");
}

static void
test_a_refusal_is_an_answer (Fixture *f, gconstpointer data)
{
  bawn_backend_fault_fail (f->fault, BAWN_FAULT_COMMIT, 0, 1, BAWN_ERROR_CONFLICT);
  g_assert_false (write_one (f, NULL));

  g_assert_cmpuint (lines->len, ==, 0);
}

typedef struct
{
  Fixture *f;
  GCancellable *cancellable;
  GError *error;
} Slow;

static gpointer
write_slowly (gpointer data)
{
  Slow *slow = data;
  g_autoptr (GBytes) value = g_bytes_new_static ("1", 1);
  const BawnWrite write = { BAWN_WRITE_PUT, "a", value };

  g_assert_false (bawn_backend_commit (BAWN_BACKEND (slow->f->fault), &write, 1, NULL, 0, NULL,
                                       slow->cancellable, &slow->error));
  return NULL;
}

static void
test_what_was_cut_short_says_so (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Slow slow = { f, cancellable, NULL };

  bawn_backend_fault_hold (f->fault, BAWN_FAULT_COMMIT, FALSE);
  bawn_backend_fault_lose (f->fault, 0, 1, TRUE);

  GThread *thread = g_thread_new ("slow", write_slowly, &slow);

  bawn_backend_fault_await_held (f->fault);
  g_cancellable_cancel (cancellable);
  bawn_backend_fault_release (f->fault);
  g_thread_join (thread);

  g_assert_error (slow.error, BAWN_ERROR, BAWN_ERROR_UNKNOWN_OUTCOME);
  g_assert_cmpuint (lines->len, ==, 1);
  assert_line (0, "it did not say in the time that it was given whether the write is in");
  g_clear_error (&slow.error);
}

static gpointer
look_slowly (gpointer data)
{
  Slow *slow = data;

  g_assert_false (bawn_backend_get (BAWN_BACKEND (slow->f->fault), "a", NULL, NULL,
                                    slow->cancellable, &slow->error));
  return NULL;
}

/* Whoever gives up a read knows why, and the storage may be well. */
static void
test_a_read_that_was_given_up_is_no_outage (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Slow slow = { f, cancellable, NULL };

  bawn_backend_fault_hold (f->fault, BAWN_FAULT_GET, FALSE);
  bawn_backend_fault_fail (f->fault, BAWN_FAULT_GET, 0, 1, BAWN_ERROR_UPSTREAM);

  GThread *thread = g_thread_new ("slow", look_slowly, &slow);

  bawn_backend_fault_await_held (f->fault);
  g_cancellable_cancel (cancellable);
  bawn_backend_fault_release (f->fault);
  g_thread_join (thread);

  g_assert_error (slow.error, BAWN_ERROR, BAWN_ERROR_TIMEOUT);
  g_assert_cmpuint (lines->len, ==, 0);
  g_clear_error (&slow.error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  lines = g_ptr_array_new_with_free_func (g_free);
  g_log_set_writer_func (keep, NULL, NULL);

#define ADD(name, func) g_test_add ("/storage/outage/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("an-outage-is-told-once-and-its-end-too", test_an_outage_is_told_once_and_its_end_too);
  ADD ("one-that-wavers-does-not-fill-the-log", test_one_that_wavers_does_not_fill_the_log);
  ADD ("reads-do-not-make-writes-good", test_reads_do_not_make_writes_good);
  ADD ("a-refusal-is-an-answer", test_a_refusal_is_an_answer);
  ADD ("what-was-cut-short-says-so", test_what_was_cut_short_says_so);
  ADD ("a-read-that-was-given-up-is-no-outage", test_a_read_that_was_given_up_is_no_outage);
#undef ADD

  int code = g_test_run ();

  g_ptr_array_unref (lines);
  return code;
}
