/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The storage itself: an append-only file. One record is one commit, and a commit is in when its
 * record is on the disk, whole.
 *
 *   file    magic, record, record, …
 *   record  size of the body (4 bytes), its complement (4 bytes), SHA-256 of the body, body
 *   body    GVariant (ta(tsmay)): the storage's version, and of each key its version, its name, and
 * its value unless it is gone
 *
 * Whoever appends holds the lock file. Whoever finds that the file has grown takes the lock too, so
 * that he sees whole records only, and one that the file ends within is of a process that died: it
 * never was acknowledged, and is cut off. Nothing else is ever cut. When the file has grown too
 * long, a new one with what is left of it takes its name. */
#include "bawn-journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

/* The last byte is the version of the format; read as a number it tells the byte order, which is
 * the machine's. */
#define MAGIC G_GUINT64_CONSTANT (0x6261776e6a726e01)
#define BODY_TYPE "(ta(tsmay))"
#define ENTRY_TYPE "(tsmay)"
#define DIGEST_SIZE 32
/* How often somebody else's lock is tried again. */
#define LOCK_PAUSE_US 500
/* Bytes that are written anew as one record, or one entry that is larger. */
#define COMPACT_BATCH (1024 * 1024)

typedef struct
{
  guint32 size;
  guint32 complement;
  guint8 digest[DIGEST_SIZE];
} Head;

struct _BawnJournal
{
  char *folder;
  int folder_fd;
  int lock_fd;
  int fd;
  gint64 lock_timeout_us;
  goffset compact_size;

  GTree *entries; /* of BawnJournalEntry, by key */
  guint64 version;
  goffset size; /* as far as it is in memory */
  goffset compact_at;
  gboolean broken; /* the disk holds something else than memory, nobody knows what */
};

static gint
compare_keys (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return strcmp (a, b);
}

static void
entry_free (BawnJournalEntry *entry)
{
  g_bytes_unref (entry->value);
  g_free (entry);
}

static gboolean
fail_errno (BawnJournal *self, const char *what, GError **error)
{
  int code = errno;

  return bawn_fail (error, BAWN_ERROR_UPSTREAM, "cannot %s in %s: %s", what, self->folder,
                    g_strerror (code));
}

/* Closing the descriptor gives the lock up, and so does the end of the process, however it comes.
 * Asked for again and again instead of waited for, so that the caller can be told to stop. */
static gboolean
lock (BawnJournal *self, GCancellable *cancellable, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + self->lock_timeout_us;

  while (flock (self->lock_fd, LOCK_EX | LOCK_NB) != 0)
    {
      if (errno != EWOULDBLOCK && errno != EINTR)
        return fail_errno (self, "lock", error);
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      if (g_get_monotonic_time () > deadline)
        return bawn_fail (error, BAWN_ERROR_UPSTREAM, "another process holds the lock of %s",
                          self->folder);
      g_usleep (LOCK_PAUSE_US);
    }

  return TRUE;
}

static void
unlock (BawnJournal *self)
{
  flock (self->lock_fd, LOCK_UN);
}

static gboolean
read_fully (int fd, gpointer data, gsize size, goffset at)
{
  for (gsize done = 0; done < size;)
    {
      gssize n = pread (fd, (guint8 *) data + done, size - done, at + (goffset) done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      done += (gsize) n;
    }
  return TRUE;
}

static gboolean
write_fully (int fd, gconstpointer data, gsize size, goffset at)
{
  for (gsize done = 0; done < size;)
    {
      gssize n = pwrite (fd, (const guint8 *) data + done, size - done, at + (goffset) done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      done += (gsize) n;
    }
  return TRUE;
}

/* --- records --- */

static void
digest (gconstpointer data, gsize size, guint8 *out_digest)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize n = DIGEST_SIZE;

  g_checksum_update (checksum, data, (gssize) size);
  g_checksum_get_digest (checksum, out_digest, &n);
}

static GVariant *
make_value (GBytes *value)
{
  GVariant *bytes =
      value != NULL ? g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, value, TRUE) : NULL;

  return g_variant_new_maybe (G_VARIANT_TYPE_BYTESTRING, bytes);
}

static gboolean
append (int fd, GVariant *body, goffset *at)
{
  g_autoptr (GVariant) owned G_GNUC_UNUSED = g_variant_ref_sink (body);
  gsize size = g_variant_get_size (body);
  Head head = { .size = (guint32) size, .complement = ~(guint32) size };

  digest (g_variant_get_data (body), size, head.digest);
  if (!write_fully (fd, &head, sizeof head, *at)
      || !write_fully (fd, g_variant_get_data (body), size, *at + (goffset) sizeof head))
    return FALSE;

  *at += (goffset) (sizeof head + size);
  return TRUE;
}

static void
apply (BawnJournal *self, guint64 version, const char *key, GBytes *value)
{
  if (value == NULL)
    {
      g_tree_remove (self->entries, key);
      return;
    }

  BawnJournalEntry *entry = g_new0 (BawnJournalEntry, 1);

  entry->value = g_bytes_ref (value);
  entry->version = version;
  g_tree_insert (self->entries, g_strdup (key), entry);
}

static void
apply_body (BawnJournal *self, GVariant *body)
{
  guint64 version = 0;
  g_autoptr (GVariantIter) iter = NULL;
  const char *key = NULL;
  GVariant *maybe = NULL;
  guint64 key_version = 0;

  g_variant_get (body, BODY_TYPE, &version, &iter);
  self->version = MAX (self->version, version);
  while (g_variant_iter_loop (iter, "(t&s@may)", &key_version, &key, &maybe))
    {
      g_autoptr (GVariant) bytes = g_variant_get_maybe (maybe);
      g_autoptr (GBytes) value = NULL;

      /* Not a part of the record: that would stay for as long as one of its values does. */
      if (bytes != NULL)
        value = bawn_bytes_new (g_variant_get_data (bytes), g_variant_get_size (bytes));
      apply (self, key_version, key, value);
    }
}

static gboolean
fail_damaged (BawnJournal *self, goffset at, GError **error)
{
  return bawn_fail (error, BAWN_ERROR_CORRUPT,
                    "the journal in %s is damaged at byte %" G_GOFFSET_FORMAT, self->folder, at);
}

/* Reads the record at @at, of a file that ends at @end. FALSE without an error: the file ends
 * within it. */
static gboolean
read_record (BawnJournal *self, goffset *at, goffset end, GError **error)
{
  guint8 found[DIGEST_SIZE] = { 0 };
  goffset body_at = *at + (goffset) sizeof (Head);
  Head head = { 0 };
  guint8 *data = NULL;

  if (end < body_at)
    return FALSE;
  if (!read_fully (self->fd, &head, sizeof head, *at))
    return fail_errno (self, "read", error);
  if (head.complement != ~head.size)
    return fail_damaged (self, *at, error);
  if (end < body_at + head.size)
    return FALSE;

  g_autoptr (GBytes) bytes = bawn_bytes_alloc (head.size, &data);

  if (!read_fully (self->fd, data, head.size, body_at))
    return fail_errno (self, "read", error);
  digest (data, head.size, found);

  g_autoptr (GVariant) body =
      g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (BODY_TYPE), bytes, FALSE));

  if (memcmp (found, head.digest, sizeof found) != 0 || !g_variant_is_normal_form (body))
    return fail_damaged (self, *at, error);

  apply_body (self, body);
  *at = body_at + head.size;
  return TRUE;
}

/* --- catching up; with the lock held --- */

/* Writes the magic of a new journal, or reads that of an old one. One that is shorter was being
 * made when its maker died. */
static gboolean
begin (BawnJournal *self, int fd, GError **error)
{
  guint64 magic = MAGIC;
  struct stat info;

  if (fstat (fd, &info) != 0)
    return fail_errno (self, "look at the journal", error);
  if (info.st_size < (goffset) sizeof magic
      && (!write_fully (fd, &magic, sizeof magic, 0) || fsync (fd) != 0))
    return fail_errno (self, "make the journal", error);
  if (!read_fully (fd, &magic, sizeof magic, 0) || magic != MAGIC)
    return bawn_fail (error, BAWN_ERROR_CORRUPT,
                      "the journal in %s is not one, or of another machine", self->folder);

  /* Whoever gave it its name may have died before that was on the disk. */
  return fsync (self->folder_fd) == 0 || fail_errno (self, "make the journal", error);
}

/* Begins anew, with the file that has the name now. */
static gboolean
reopen (BawnJournal *self, GError **error)
{
  int fd = openat (self->folder_fd, "journal", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0)
    return fail_errno (self, "open the journal", error);
  if (!begin (self, fd, error))
    {
      close (fd);
      return FALSE;
    }

  if (self->fd >= 0)
    close (self->fd);
  g_tree_unref (self->entries);
  self->fd = fd;
  self->entries = g_tree_new_full (compare_keys, NULL, g_free, (GDestroyNotify) entry_free);
  self->version = 0;
  self->size = sizeof (guint64);
  return TRUE;
}

/* TRUE if the file of that name is the one that is open, and is no longer than what was read of it.
 */
static gboolean
is_current (BawnJournal *self, gboolean *out_is_other)
{
  struct stat mine = { 0 };
  struct stat named = { 0 };

  *out_is_other = self->fd < 0 || fstat (self->fd, &mine) != 0
                  || fstatat (self->folder_fd, "journal", &named, 0) != 0
                  || mine.st_ino != named.st_ino || mine.st_dev != named.st_dev;
  return !*out_is_other && named.st_size == self->size;
}

static gboolean
catch_up_locked (BawnJournal *self, GError **error)
{
  gboolean is_other = FALSE;
  struct stat info = { 0 };
  GError *local = NULL;

  if (is_current (self, &is_other))
    return TRUE;
  if (is_other && !reopen (self, error))
    return FALSE;
  /* Its writer may have died between writing and this: what others are told must last. */
  if (fstat (self->fd, &info) != 0 || fdatasync (self->fd) != 0)
    return fail_errno (self, "read the journal", error);

  while (read_record (self, &self->size, info.st_size, &local))
    continue;
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }

  if (self->size < info.st_size && ftruncate (self->fd, self->size) != 0)
    return fail_errno (self, "cut the journal", error);
  return TRUE;
}

gboolean
bawn_journal_catch_up (BawnJournal *self, GCancellable *cancellable, GError **error)
{
  gboolean is_other = FALSE;

  if (self->broken)
    return bawn_fail (error, BAWN_ERROR_UPSTREAM,
                      "the journal in %s could not be written; start again", self->folder);
  /* Every commit that was acknowledged before now has made the file longer, or another one. */
  if (is_current (self, &is_other))
    return TRUE;
  if (!lock (self, cancellable, error))
    return FALSE;

  gboolean ok = catch_up_locked (self, error);

  unlock (self);
  return ok;
}

GTree *
bawn_journal_peek_entries (BawnJournal *self)
{
  return self->entries;
}

const BawnJournalEntry *
bawn_journal_lookup (BawnJournal *self, const char *key)
{
  return g_tree_lookup (self->entries, key);
}

/* --- committing; with the lock held --- */

/* All that is left, a record for each batch. */
static gboolean
write_entries (BawnJournal *self, int fd, goffset *at)
{
  GTreeNode *node = g_tree_node_first (self->entries);

  do
    {
      g_auto (GVariantBuilder) list = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a" ENTRY_TYPE));

      for (gsize bytes = 0; node != NULL && bytes < COMPACT_BATCH; node = g_tree_node_next (node))
        {
          const BawnJournalEntry *entry = g_tree_node_value (node);

          bytes += strlen (g_tree_node_key (node)) + g_bytes_get_size (entry->value);
          g_variant_builder_add (&list, "(ts@may)", entry->version, g_tree_node_key (node),
                                 make_value (entry->value));
        }
      if (!append (fd, g_variant_new ("(ta" ENTRY_TYPE ")", self->version, &list), at))
        return FALSE;
    }
  while (node != NULL);

  return TRUE;
}

/* A new journal under a name of its own, which then takes the name of the old one. If it cannot be
 * made the old one goes on; if it is not certain which of the two has the name, nothing does. */
static gboolean
compact (BawnJournal *self, GError **error)
{
  guint64 magic = MAGIC;
  goffset at = sizeof magic;
  int fd = openat (self->folder_fd, "journal.new",
                   O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0 || !write_fully (fd, &magic, sizeof magic, 0) || !write_entries (self, fd, &at)
      || fsync (fd) != 0
      || renameat (self->folder_fd, "journal.new", self->folder_fd, "journal") != 0)
    {
      if (fd >= 0)
        close (fd);
      return TRUE;
    }

  close (self->fd);
  self->fd = fd;
  self->size = at;
  self->broken = fsync (self->folder_fd) != 0;
  return !self->broken || fail_errno (self, "rename the journal", error);
}

static gboolean
check_conditions (BawnJournal *self,
                  const BawnCondition *conditions,
                  guint n_conditions,
                  GError **error)
{
  for (guint i = 0; i < n_conditions; i++)
    {
      const BawnJournalEntry *entry = bawn_journal_lookup (self, conditions[i].key);

      if (conditions[i].version != (entry != NULL ? entry->version : 0))
        return bawn_fail (error, BAWN_ERROR_CONFLICT, "%s has changed in the storage",
                          conditions[i].key);
    }
  return TRUE;
}

static GVariant *
make_body (guint64 version, const BawnWrite *writes, guint n_writes)
{
  g_auto (GVariantBuilder) list = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a" ENTRY_TYPE));

  for (guint i = 0; i < n_writes; i++)
    {
      GBytes *value = writes[i].kind == BAWN_WRITE_PUT ? writes[i].value : NULL;

      g_variant_builder_add (&list, "(ts@may)", version, writes[i].key, make_value (value));
    }
  return g_variant_new ("(ta" ENTRY_TYPE ")", version, &list);
}

/* Takes back a commit that could not be written. Only if that works is it certain that it is not
 * in: what a disk has done that reports an error nobody knows, and then this process asks it no
 * more. */
static gboolean
take_back (BawnJournal *self, GError **error)
{
  int code = errno;

  if (ftruncate (self->fd, self->size) == 0 && fsync (self->fd) == 0)
    return bawn_fail (error, BAWN_ERROR_UPSTREAM, "cannot write in %s: %s", self->folder,
                      g_strerror (code));

  self->broken = TRUE;
  return bawn_fail (error, BAWN_ERROR_UNKNOWN_OUTCOME,
                    "cannot write in %s, nor take back what was written: %s", self->folder,
                    g_strerror (code));
}

static gboolean
commit_locked (BawnJournal *self,
               const BawnWrite *writes,
               guint n_writes,
               const BawnCondition *conditions,
               guint n_conditions,
               guint64 *out_version,
               GError **error)
{
  goffset at = 0;

  if (!catch_up_locked (self, error) || !check_conditions (self, conditions, n_conditions, error))
    return FALSE;
  if (self->size > self->compact_at)
    {
      if (!compact (self, error))
        return FALSE;
      self->compact_at = MAX (self->compact_size, self->size * 2);
    }

  /* The record is longer than the file was, so that everybody sees that there is one. Memory
   * follows the disk. */
  at = self->size;
  if (!append (self->fd, make_body (self->version + 1, writes, n_writes), &at)
      || fdatasync (self->fd) != 0)
    return take_back (self, error);

  self->size = at;
  self->version++;
  for (guint i = 0; i < n_writes; i++)
    apply (self, self->version, writes[i].key,
           writes[i].kind == BAWN_WRITE_PUT ? writes[i].value : NULL);
  *out_version = self->version;
  return TRUE;
}

gboolean
bawn_journal_commit (BawnJournal *self,
                     const BawnWrite *writes,
                     guint n_writes,
                     const BawnCondition *conditions,
                     guint n_conditions,
                     guint64 *out_version,
                     GCancellable *cancellable,
                     GError **error)
{
  if (self->broken)
    return bawn_fail (error, BAWN_ERROR_UPSTREAM,
                      "the journal in %s could not be written; start again", self->folder);
  if (!lock (self, cancellable, error))
    return FALSE;

  gboolean ok =
      commit_locked (self, writes, n_writes, conditions, n_conditions, out_version, error);

  unlock (self);
  return ok;
}

/* --- opening --- */

/* With its name on the disk. */
static gboolean
make_folder (const char *folder)
{
  g_autofree char *parent = g_path_get_dirname (folder);

  if (g_mkdir (folder, 0700) != 0)
    return errno == EEXIST;

  int fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean ok = fd >= 0 && fsync (fd) == 0;

  if (fd >= 0)
    close (fd);
  return ok;
}

BawnJournal *
bawn_journal_open (const char *folder, gint64 lock_timeout_us, goffset compact_size, GError **error)
{
  g_autoptr (BawnJournal) self = g_new0 (BawnJournal, 1);

  self->folder = g_strdup (folder);
  self->lock_timeout_us = lock_timeout_us;
  self->compact_size = compact_size;
  self->compact_at = compact_size;
  self->entries = g_tree_new_full (compare_keys, NULL, g_free, (GDestroyNotify) entry_free);
  self->folder_fd = self->lock_fd = self->fd = -1;

  if (!make_folder (folder))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "cannot make the folder %s: %s", folder,
                           g_strerror (errno));

  self->folder_fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (self->folder_fd >= 0)
    self->lock_fd =
        openat (self->folder_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (self->lock_fd < 0)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "cannot open the folder %s: %s", folder,
                           g_strerror (errno));
  if (!bawn_journal_catch_up (self, NULL, error))
    return NULL;

  return g_steal_pointer (&self);
}

void
bawn_journal_close (BawnJournal *self)
{
  int fds[] = { self->fd, self->lock_fd, self->folder_fd };

  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    if (fds[i] >= 0)
      close (fds[i]);
  g_tree_unref (self->entries);
  g_free (self->folder);
  g_free (self);
}
