/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* Reads that meet commits at the worst moments, codecs, and parsed entries: all through the store.
 */

#include "storage/bawn-store.h"
#include "tests/contract/bawn-backend-fault.h"
#include "tests/contract/bawn-expect.h"
#include "util/bawn-bytes.h"

GType bawn_backend_memory_get_type (void);

typedef struct
{
  BawnBackend *memory;
  BawnBackendFault *fault;
  BawnStore *store;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->memory = (BawnBackend *) g_initable_new (bawn_backend_memory_get_type (), NULL, NULL, NULL);
  f->fault = bawn_backend_fault_new (f->memory);
  f->store = bawn_store_new (BAWN_BACKEND (f->fault), BAWN_STORE_CACHE_DEFAULT);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  bawn_store_close_term (f->store);
  g_assert_finalize_object (f->store);
  g_assert_finalize_object (f->fault);
  g_assert_finalize_object (f->memory);
}

/* Before the store's term, so that the store knows nothing of it. */
static void
store_has (Fixture *f, const char *key, const char *text)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string (text);
  const BawnWrite write = { BAWN_WRITE_PUT, key, value };

  assert_works (bawn_backend_commit (f->memory, &write, 1, NULL, 0, NULL, NULL, &error));
}

static void
open_term (Fixture *f)
{
  assert_works (bawn_store_open_term (f->store, 0, NULL, &error));
}

static void
put (BawnTxn *txn, const char *key, const char *text)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string (text);

  bawn_txn_put (txn, key, value);
}

static char *
get (BawnTxn *txn, const char *key)
{
  g_autoptr (GBytes) value = NULL;

  assert_works (bawn_txn_get (txn, key, &value, &error));
  return value != NULL ? g_strndup (g_bytes_get_data (value, NULL), g_bytes_get_size (value))
                       : g_strdup ("-");
}

static void
assert_value (BawnTxn *txn, const char *key, const char *text)
{
  g_autofree char *value = get (txn, key);

  g_assert_cmpstr (value, ==, text);
}

static BawnTxn *
begin (Fixture *f)
{
  return bawn_store_begin (f->store, NULL, TRUE);
}

static void
write_one (Fixture *f, const char *key, const char *text)
{
  g_autoptr (BawnTxn) txn = begin (f);

  put (txn, key, text);
  assert_works (bawn_txn_commit (txn, &error));
}

/* Something under way in another thread. */
typedef struct
{
  BawnTxn *txn;
  const char *key;
  char *value;
  GStrv names;
  GThread *thread;
} Under;

static gpointer
read_thread (gpointer data)
{
  Under *under = data;

  under->value = get (under->txn, under->key);
  return NULL;
}

static gpointer
list_thread (gpointer data)
{
  Under *under = data;

  assert_works (bawn_txn_list (under->txn, under->key, NULL, 0, &under->names, &error));
  return NULL;
}

static gpointer
commit_thread (gpointer data)
{
  Under *under = data;

  assert_works (bawn_txn_commit (under->txn, &error));
  return NULL;
}

static Under *
start (Fixture *f, GThreadFunc func, const char *key)
{
  Under *under = g_new0 (Under, 1);

  under->txn = begin (f);
  under->key = key;
  if (func == commit_thread)
    put (under->txn, key, "new");
  under->thread = g_thread_new ("under", func, under);
  return under;
}

static void
end (Under *under)
{
  bawn_txn_unref (under->txn);
  g_strfreev (under->names);
  g_free (under->value);
  g_free (under);
}

static void
assert_quick_value (Fixture *f, const char *key, const char *text)
{
  g_autoptr (BawnTxn) quick = bawn_store_begin (f->store, NULL, FALSE);

  assert_value (quick, key, text);
}

/* --- races --- */

static void
test_overtaken_read_is_made_again (Fixture *f, gconstpointer data)
{
  store_has (f, "k", "old");
  open_term (f);
  bawn_backend_fault_hold (f->fault, BAWN_FAULT_GET, TRUE);

  Under *reader = start (f, read_thread, "k");

  /* The reader has the old value in its hand when the new one is committed. */
  bawn_backend_fault_await_held (f->fault);
  write_one (f, "k", "new");
  bawn_backend_fault_release (f->fault);
  g_thread_join (reader->thread);
  g_assert_cmpstr (reader->value, ==, "new");
  assert_quick_value (f, "k", "new");
  assert_value (reader->txn, "other", "-");
  assert_works (bawn_txn_validate (reader->txn, &error));
  end (reader);
}

static void
test_read_waits_for_the_batch (Fixture *f, gconstpointer data)
{
  store_has (f, "k", "old");
  open_term (f);
  bawn_backend_fault_hold (f->fault, BAWN_FAULT_COMMIT, TRUE);

  /* In the storage already, and not yet acknowledged. */
  Under *writer = start (f, commit_thread, "k");

  bawn_backend_fault_await_held (f->fault);

  guint asked = bawn_backend_fault_count (f->fault, BAWN_FAULT_GET);
  Under *reader = start (f, read_thread, "k");
  g_autoptr (BawnTxn) elsewhere = begin (f);

  assert_value (elsewhere, "other", "-");
  bawn_backend_fault_release (f->fault);
  g_thread_join (writer->thread);
  g_thread_join (reader->thread);
  g_assert_cmpstr (reader->value, ==, "new");

  /* It was never asked for: the batch brought it. */
  g_assert_cmpuint (bawn_backend_fault_count (f->fault, BAWN_FAULT_GET), ==, asked + 1);
  end (reader);
  end (writer);
}

static void
test_cached_value_is_read_beside_the_batch (Fixture *f, gconstpointer data)
{
  open_term (f);
  write_one (f, "k", "old");
  bawn_backend_fault_hold (f->fault, BAWN_FAULT_COMMIT, TRUE);

  Under *writer = start (f, commit_thread, "k");

  bawn_backend_fault_await_held (f->fault);

  g_autoptr (BawnTxn) reader = begin (f);

  assert_value (reader, "k", "old");
  assert_value (reader, "other", "-");
  assert_works (bawn_txn_validate (reader, &error));
  bawn_backend_fault_release (f->fault);
  g_thread_join (writer->thread);
  assert_fails (bawn_txn_validate (reader, &error), BAWN_ERROR_CONFLICT);
  end (writer);
}

static void
test_overtaken_listing_is_made_again (Fixture *f, gconstpointer data)
{
  open_term (f);
  write_one (f, "d/a", "v");
  bawn_backend_fault_hold (f->fault, BAWN_FAULT_LIST, TRUE);

  Under *lister = start (f, list_thread, "d/");

  bawn_backend_fault_await_held (f->fault);
  write_one (f, "d/b", "v");
  bawn_backend_fault_release (f->fault);
  g_thread_join (lister->thread);
  g_assert_cmpuint (g_strv_length (lister->names), ==, 2);
  assert_value (lister->txn, "d/b", "v");
  assert_works (bawn_txn_validate (lister->txn, &error));
  end (lister);
}

/* As often as the listing is made, something new comes up meanwhile: in the end it is taken as it
 * was, and good for nothing but itself. */
static void
test_endlessly_overtaken_listing_ends (Fixture *f, gconstpointer data)
{
  static const char *const keys[] = { "d/0", "d/1", "d/2", "d/3" };

  open_term (f);
  bawn_backend_fault_hold (f->fault, BAWN_FAULT_LIST, TRUE);

  Under *lister = start (f, list_thread, "d/");

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      bawn_backend_fault_await_held (f->fault);
      write_one (f, keys[i], "v");
      if (i + 1 < G_N_ELEMENTS (keys))
        bawn_backend_fault_hold (f->fault, BAWN_FAULT_LIST, TRUE);
    }
  bawn_backend_fault_release (f->fault);
  g_thread_join (lister->thread);
  g_assert_cmpuint (g_strv_length (lister->names), ==, G_N_ELEMENTS (keys) - 1);
  assert_works (bawn_txn_validate (lister->txn, &error));
  assert_value (lister->txn, "other", "-");
  assert_fails (bawn_txn_validate (lister->txn, &error), BAWN_ERROR_CONFLICT);
  end (lister);
}

static void
test_read_across_a_new_term_is_not_kept (Fixture *f, gconstpointer data)
{
  store_has (f, "k", "old");
  bawn_backend_fault_hold (f->fault, BAWN_FAULT_GET, TRUE);

  Under *reader = start (f, read_thread, "k");

  bawn_backend_fault_await_held (f->fault);
  store_has (f, "k", "new");
  open_term (f);
  bawn_backend_fault_release (f->fault);
  g_thread_join (reader->thread);
  g_assert_cmpstr (reader->value, ==, "new");
  assert_quick_value (f, "k", "new");
  end (reader);
}

static void
test_nothing_is_kept_without_a_term (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin (f);

  store_has (f, "k", "one");
  assert_value (txn, "k", "one");
  store_has (f, "k", "two");
  assert_value (txn, "k", "two");
  open_term (f);
  assert_value (txn, "k", "two");
  bawn_store_close_term (f->store);
  store_has (f, "k", "three");
  assert_value (txn, "k", "three");
}

/* --- parsed entries --- */

typedef struct
{
  gatomicrefcount refs;
  char *text;
} Word;

static gint parsed = 0;
static gint living = 0;

static gpointer
word_parse (const char *key, GBytes *plain, GError **error)
{
  gsize size = 0;
  const char *data = g_bytes_get_data (plain, &size);

  if (size == 0)
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "%s is no word", key);

  Word *word = g_new0 (Word, 1);

  g_atomic_ref_count_init (&word->refs);
  word->text = g_strndup (data, size);
  g_atomic_int_inc (&parsed);
  g_atomic_int_inc (&living);
  return word;
}

static gpointer
word_ref (gpointer word)
{
  g_atomic_ref_count_inc (&((Word *) word)->refs);
  return word;
}

static void
word_unref (gpointer data)
{
  Word *word = data;

  if (!g_atomic_ref_count_dec (&word->refs))
    return;

  g_atomic_int_add (&living, -1);
  g_free (word->text);
  g_free (word);
}

static const BawnObjectKind word_kind = { "word", word_parse, word_ref, word_unref };
static const BawnObjectKind other_kind = { "other", word_parse, word_ref, word_unref };

static void
assert_word (BawnTxn *txn, const char *key, const char *text)
{
  gpointer object = NULL;

  assert_works (bawn_txn_get_object (txn, key, &word_kind, &object, &error));
  if (text == NULL)
    {
      g_assert_null (object);
      return;
    }
  g_assert_cmpstr (((Word *) object)->text, ==, text);
  word_unref (object);
}

static void
test_parsed_once (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin (f);

  parsed = 0;
  open_term (f);
  write_one (f, "k", "one");
  assert_word (txn, "k", "one");
  assert_word (txn, "k", "one");
  assert_word (txn, "absent", NULL);
  g_assert_cmpint (parsed, ==, 1);
  assert_value (txn, "k", "one");
}

static void
test_parsed_anew_when_changed (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin (f);
  gpointer kept = NULL;

  open_term (f);
  write_one (f, "k", "one");
  assert_works (bawn_txn_get_object (txn, "k", &word_kind, &kept, &error));
  write_one (f, "k", "two");
  assert_word (txn, "k", "two");
  g_assert_cmpstr (((Word *) kept)->text, ==, "one");
  g_assert_cmpint (living, ==, 2);
  word_unref (kept);
  g_assert_cmpint (living, ==, 1);
}

static void
test_dropped_with_the_term (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin (f);

  open_term (f);
  write_one (f, "k", "one");
  assert_word (txn, "k", "one");
  g_assert_cmpint (living, ==, 1);
  bawn_store_close_term (f->store);
  g_assert_cmpint (living, ==, 0);
}

static void
test_own_write_is_parsed_aside (Fixture *f, gconstpointer data)
{
  open_term (f);
  write_one (f, "k", "one");

  g_autoptr (BawnTxn) txn = begin (f);
  g_autoptr (BawnTxn) other = begin (f);

  put (txn, "k", "mine");
  assert_word (txn, "k", "mine");
  assert_word (other, "k", "one");
  bawn_txn_delete (txn, "k");
  assert_word (txn, "k", NULL);
}

static void
test_unparsable (Fixture *f, gconstpointer data)
{
  gpointer object = NULL;

  open_term (f);
  write_one (f, "k", "");

  g_autoptr (BawnTxn) txn = begin (f);

  assert_fails (bawn_txn_get_object (txn, "k", &word_kind, &object, &error), BAWN_ERROR_CORRUPT);
  g_assert_null (object);
}

static void
test_two_kinds (Fixture *f, gconstpointer data)
{
  gpointer object = NULL;

  open_term (f);
  write_one (f, "k", "one");

  g_autoptr (BawnTxn) txn = begin (f);

  assert_word (txn, "k", "one");
  assert_works (bawn_txn_get_object (txn, "k", &other_kind, &object, &error));
  word_unref (object);
  assert_word (txn, "k", "one");
}

static void
test_object_reads_conflict_too (Fixture *f, gconstpointer data)
{
  open_term (f);
  write_one (f, "k", "one");

  g_autoptr (BawnTxn) txn = begin (f);

  assert_word (txn, "k", "one");
  write_one (f, "k", "two");
  put (txn, "l", "v");
  assert_fails (bawn_txn_commit (txn, &error), BAWN_ERROR_CONFLICT);
}

/* --- a codec that turns bytes over and binds them to their key --- */

#define TEST_TYPE_CODEC (test_codec_get_type ())
G_DECLARE_FINAL_TYPE (TestCodec, test_codec, TEST, CODEC, GObject)

struct _TestCodec
{
  GObject parent_instance;
};

static void test_codec_iface_init (BawnCodecInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TestCodec,
                               test_codec,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (BAWN_TYPE_CODEC, test_codec_iface_init))

static GBytes *
turn (const char *key, GBytes *bytes)
{
  gsize size = 0;
  const guint8 *from = g_bytes_get_data (bytes, &size);
  guint8 *to = NULL;
  GBytes *turned = bawn_bytes_alloc (size, &to);

  for (gsize i = 0; i < size; i++)
    to[i] = from[i] ^ (guint8) g_str_hash (key);
  return turned;
}

static GBytes *
test_codec_open (BawnCodec *self, const char *key, GBytes *box, GError **error)
{
  g_autoptr (GBytes) turned = turn (key, box);
  gsize size = 0;
  const char *data = g_bytes_get_data (turned, &size);

  if (size == 0 || data[0] != '=')
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "%s does not open", key);

  return bawn_bytes_new (data + 1, size - 1);
}

static GBytes *
test_codec_seal (BawnCodec *self, const char *key, GBytes *plain, GError **error)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;
  gsize size = 0;
  gconstpointer data = g_bytes_get_data (plain, &size);

  if (size > 0 && *(const char *) data == '!')
    return bawn_fail_null (error, BAWN_ERROR_SEALED, "sealed");

  bawn_buffer_append_byte (&buffer, '=');
  bawn_buffer_append (&buffer, data, size);

  g_autoptr (GBytes) marked = bawn_buffer_steal (&buffer);

  return turn (key, marked);
}

static void
test_codec_iface_init (BawnCodecInterface *iface)
{
  iface->open = test_codec_open;
  iface->seal = test_codec_seal;
  iface->overhead = 1;
}

static void
test_codec_class_init (TestCodecClass *klass)
{
}

static void
test_codec_init (TestCodec *self)
{
}

static void
test_codec_stands_between (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnCodec) codec = g_object_new (TEST_TYPE_CODEC, NULL);
  g_autoptr (GBytes) stored = NULL;
  g_autoptr (GBytes) value = NULL;

  open_term (f);

  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, codec, TRUE);
  g_autoptr (BawnTxn) scope = bawn_txn_scope (txn, "mount/");

  put (scope, "k", "secret");
  assert_value (scope, "k", "secret");
  assert_works (bawn_txn_commit (scope, &error));

  /* It sees keys in full, and the storage sees what it made. */
  g_autoptr (GBytes) plain = bawn_bytes_new_string ("secret");
  g_autoptr (GBytes) expected = test_codec_seal (codec, "mount/k", plain, NULL);

  assert_works (bawn_backend_get (f->memory, "mount/k", &stored, NULL, NULL, &error));
  g_assert_true (g_bytes_equal (stored, expected));

  g_autoptr (BawnTxn) again = bawn_store_begin (f->store, codec, TRUE);

  assert_value (again, "mount/k", "secret");
  assert_word (again, "mount/k", "secret");
  write_one (f, "mount/k", "junk");
  assert_fails (bawn_txn_get (again, "mount/k", &value, &error), BAWN_ERROR_CORRUPT);
  g_assert_null (value);
}

static void
test_codec_may_refuse (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnCodec) codec = g_object_new (TEST_TYPE_CODEC, NULL);

  open_term (f);

  guint sent = bawn_backend_fault_count (f->fault, BAWN_FAULT_COMMIT);
  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, codec, TRUE);

  put (txn, "a", "fine");
  put (txn, "b", "!");
  assert_fails (bawn_txn_commit (txn, &error), BAWN_ERROR_SEALED);
  g_assert_cmpuint (bawn_backend_fault_count (f->fault, BAWN_FAULT_COMMIT), ==, sent);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, func) g_test_add ("/storage/mirror/" name, Fixture, NULL, set_up, func, tear_down)

  ADD ("an-overtaken-read-is-made-again", test_overtaken_read_is_made_again);
  ADD ("a-read-waits-for-the-batch-that-changes-it", test_read_waits_for_the_batch);
  ADD ("a-cached-value-is-read-beside-the-batch", test_cached_value_is_read_beside_the_batch);
  ADD ("an-overtaken-listing-is-made-again", test_overtaken_listing_is_made_again);
  ADD ("a-listing-that-is-always-overtaken-ends", test_endlessly_overtaken_listing_ends);
  ADD ("a-read-across-a-new-term-is-not-kept", test_read_across_a_new_term_is_not_kept);
  ADD ("nothing-is-kept-without-a-term", test_nothing_is_kept_without_a_term);
  ADD ("an-entry-is-parsed-once", test_parsed_once);
  ADD ("an-entry-is-parsed-anew-when-it-changes", test_parsed_anew_when_changed);
  ADD ("parsed-entries-go-with-the-term", test_dropped_with_the_term);
  ADD ("an-own-write-is-parsed-aside", test_own_write_is_parsed_aside);
  ADD ("what-cannot-be-parsed-is-an-error", test_unparsable);
  ADD ("an-entry-may-be-read-as-two-kinds", test_two_kinds);
  ADD ("a-parsed-read-conflicts-like-any-other", test_object_reads_conflict_too);
  ADD ("a-codec-stands-between", test_codec_stands_between);
  ADD ("a-codec-may-refuse", test_codec_may_refuse);
  return g_test_run ();
}
