/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-arena.h"

#include "util/bawn-error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(data, size) ((void) (data), (void) (size))
#define ASAN_UNPOISON_MEMORY_REGION(data, size) ((void) (data), (void) (size))
#endif

/* Small secrets share chunks, one slot size a chunk. A chunk is small, so that the eight slot sizes
 * together take little of a locked-memory limit of 8 MiB, and yet holds 512 keys of 32 bytes. */
#define CHUNK_SIZE (16 * 1024)
#define SLOT_MIN 16
#define N_SLOT_SIZES 8
#define SLOT_MAX (SLOT_MIN << (N_SLOT_SIZES - 1))

/* What must be lockable at start: enough for the keyring, sealing and some thousand keys. */
#define LOCK_RESERVE (512 * 1024)

/**
 * BawnArenaChunk:
 *
 * Pages between two guard pages. @slot_size 0: the chunk belongs to one large secret, which ends
 * where the rear guard page begins. The bookkeeping is outside of these pages.
 */
struct _BawnArenaChunk
{
  guint8 *region;
  gsize region_size;
  guint8 *body;
  gsize body_size;
  gboolean locked;
  gsize slot_size;
  guint n_slots;
  guint n_used;
  BawnArenaChunk *prev;
  BawnArenaChunk *next;
  guint64 used[];
};

/* Process-wide, since the limit on locked memory is. */
static struct
{
  GMutex lock;
  gboolean require_lock;
  gboolean no_memfd_secret;
  gsize locked;
  gsize unlocked;
  BawnArenaChunk *partial[N_SLOT_SIZES]; /* chunks with free slots */
} arena;

static gsize
page_size (void)
{
  return (gsize) sysconf (_SC_PAGESIZE);
}

static gsize
round_up (gsize size, gsize unit)
{
  return (size + unit - 1) / unit * unit;
}

static guint8 *
reserve_region (gsize size)
{
  void *region = mmap (NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  return region == MAP_FAILED ? NULL : region;
}

/* Pages which even the kernel's own direct map lacks (since Linux 5.14); they count as locked. While
 * there are any the system does not hibernate, which would write them to the disk. */
static int
open_memfd_secret (gsize size)
{
#ifdef SYS_memfd_secret
  if (arena.no_memfd_secret)
    return -1;

  int fd = (int) syscall (SYS_memfd_secret, (unsigned int) O_CLOEXEC);
  if (fd >= 0 && ftruncate (fd, (off_t) size) == 0)
    return fd;
  if (fd >= 0)
    close (fd);
  arena.no_memfd_secret = TRUE;
#endif
  return -1;
}

/* A mapping with MAP_FIXED that failed may have left a hole where another thread maps something of
 * its own: then only the guard pages are still certainly ours, and the body is not touched again.
 */
static guint8 *
map_memfd_secret (gsize guard, gsize size)
{
  int fd = open_memfd_secret (size);
  if (fd < 0)
    return NULL;

  guint8 *region = reserve_region (size + 2 * guard);
  if (region != NULL
      && mmap (region + guard, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0)
             == MAP_FAILED)
    {
      munmap (region, guard);
      munmap (region + guard + size, guard);
      region = NULL;
    }
  close (fd);

  return region;
}

/* The system call itself, for the sanitizers make the function do nothing. */
static gboolean
lock_pages (guint8 *data, gsize size)
{
  return syscall (SYS_mlock, data, size) == 0;
}

/* NULL leaves errno. */
static guint8 *
map_guarded (gsize guard, gsize size, gboolean *out_locked)
{
  gboolean locked = TRUE;
  guint8 *region = map_memfd_secret (guard, size);

  if (region == NULL)
    {
      region = reserve_region (size + 2 * guard);
      if (region == NULL)
        return NULL;
      gboolean usable = mprotect (region + guard, size, PROT_READ | PROT_WRITE) == 0;
      locked = usable && lock_pages (region + guard, size);
      if (!usable || (!locked && arena.require_lock))
        {
          int reason = errno;
          munmap (region, size + 2 * guard);
          errno = reason;
          return NULL;
        }
    }
  if (madvise (region + guard, size, MADV_DONTDUMP) != 0
      || madvise (region + guard, size, MADV_DONTFORK) != 0)
    {
      int reason = errno;
      munmap (region, size + 2 * guard);
      errno = reason;
      return NULL;
    }

  *out_locked = locked;
  return region;
}

static char *
describe_lock_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_MEMLOCK, &limit) != 0)
    return g_strdup ("unknown");
  if (limit.rlim_cur == RLIM_INFINITY)
    return g_strdup ("unlimited");

  return g_strdup_printf ("%" G_GUINT64_FORMAT " bytes", (guint64) limit.rlim_cur);
}

static gboolean
fail_lock (gsize size, int reason, GError **error)
{
  g_autofree char *limit = describe_lock_limit ();

  return bawn_fail (error, BAWN_ERROR_LIMITED,
                    "cannot lock %" G_GSIZE_FORMAT " more bytes of memory for keys (%s): the limit "
                    "on locked memory, RLIMIT_MEMLOCK, is %s. Raise it: under systemd by "
                    "LimitMEMLOCK=infinity in the unit, in a shell by \"ulimit -l\". Or set "
                    "disable-mlock=true in [server], and keep keys from reaching the disk by other "
                    "means, such as encrypted swap or none",
                    size, g_strerror (reason), limit);
}

static BawnArenaChunk *
chunk_new_locked (gsize body_size, gsize slot_size, GError **error)
{
  gsize guard = page_size ();
  gboolean locked = FALSE;
  guint8 *region = map_guarded (guard, body_size, &locked);
  if (region == NULL)
    {
      fail_lock (body_size, errno, error);
      return NULL;
    }

  guint n_slots = slot_size > 0 ? (guint) (body_size / slot_size) : 1;
  gsize words = (n_slots + 63) / 64;
  BawnArenaChunk *chunk = g_malloc0 (sizeof (BawnArenaChunk) + words * sizeof (guint64));
  chunk->region = region;
  chunk->region_size = body_size + 2 * guard;
  chunk->body = region + guard;
  chunk->body_size = body_size;
  chunk->locked = locked;
  chunk->slot_size = slot_size;
  chunk->n_slots = n_slots;
  *(locked ? &arena.locked : &arena.unlocked) += body_size;
  ASAN_POISON_MEMORY_REGION (chunk->body, body_size);

  return chunk;
}

static void
chunk_free_locked (BawnArenaChunk *chunk)
{
  *(chunk->locked ? &arena.locked : &arena.unlocked) -= chunk->body_size;
  ASAN_UNPOISON_MEMORY_REGION (chunk->body, chunk->body_size);
  munmap (chunk->region, chunk->region_size);
  g_free (chunk);
}

static void
link_partial_locked (BawnArenaChunk **head, BawnArenaChunk *chunk)
{
  chunk->prev = NULL;
  chunk->next = *head;
  if (*head != NULL)
    (*head)->prev = chunk;
  *head = chunk;
}

static void
unlink_partial_locked (BawnArenaChunk **head, BawnArenaChunk *chunk)
{
  if (chunk->prev != NULL)
    chunk->prev->next = chunk->next;
  else
    *head = chunk->next;
  if (chunk->next != NULL)
    chunk->next->prev = chunk->prev;
  chunk->prev = NULL;
  chunk->next = NULL;
}

static guint8 *
chunk_take_slot_locked (BawnArenaChunk *chunk)
{
  for (guint i = 0; i < chunk->n_slots; i += 64)
    {
      guint64 idle = ~chunk->used[i / 64];
      if (idle == 0)
        continue;
      guint slot = i + (guint) __builtin_ctzll (idle);
      if (slot >= chunk->n_slots)
        break;
      chunk->used[i / 64] |= G_GUINT64_CONSTANT (1) << (slot - i);
      chunk->n_used++;
      return chunk->body + slot * chunk->slot_size;
    }

  g_assert_not_reached ();
}

static guint
slot_index (gsize size)
{
  guint index = 0;

  while (((gsize) SLOT_MIN << index) < size)
    index++;

  return index;
}

/**
 * bawn_arena_open:
 * @require_lock: whether memory that cannot be locked is an error
 * @error: (out) (optional): where to put the error
 *
 * Sets what holds for all later allocations, and finds out by trying whether enough memory can be
 * locked.
 *
 * Returns: %FALSE with words for an operator if it is required and cannot be had
 */
gboolean
bawn_arena_open (gboolean require_lock, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&arena.lock);

  arena.require_lock = require_lock;
  if (!require_lock)
    return TRUE;
  if (arena.unlocked > 0)
    return bawn_fail (error, BAWN_ERROR_INTERNAL,
                      "keys are in memory already that could not be locked");

  BawnArenaChunk *probe = chunk_new_locked (round_up (LOCK_RESERVE, page_size ()), 0, error);
  if (probe == NULL)
    return FALSE;
  chunk_free_locked (probe);

  return TRUE;
}

/**
 * bawn_arena_alloc:
 * @size: how many bytes
 * @out_chunk: (out): what to hand back to bawn_arena_free()
 * @error: (out) (optional): where to put the error
 *
 * Returns: (nullable): zeroed bytes, aligned to 16 if small; %NULL if no more memory can be had as
 * it should be
 */
guint8 *
bawn_arena_alloc (gsize size, BawnArenaChunk **out_chunk, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&arena.lock);

  if (size > G_MAXSSIZE - 4 * page_size ())
    return bawn_fail_null (error, BAWN_ERROR_TOO_LARGE, "a secret is too large");
  if (size > SLOT_MAX)
    {
      BawnArenaChunk *own = chunk_new_locked (round_up (size, page_size ()), 0, error);
      if (own == NULL)
        return NULL;
      guint8 *end_aligned = own->body + own->body_size - size;
      ASAN_UNPOISON_MEMORY_REGION (end_aligned, size);
      *out_chunk = own;
      return end_aligned;
    }

  guint index = slot_index (size);
  BawnArenaChunk **head = &arena.partial[index];
  if (*head == NULL)
    {
      BawnArenaChunk *fresh =
          chunk_new_locked (round_up (CHUNK_SIZE, page_size ()), (gsize) SLOT_MIN << index, error);
      if (fresh == NULL)
        return NULL;
      link_partial_locked (head, fresh);
    }

  BawnArenaChunk *chunk = *head;
  guint8 *data = chunk_take_slot_locked (chunk);
  if (chunk->n_used == chunk->n_slots)
    unlink_partial_locked (head, chunk);
  ASAN_UNPOISON_MEMORY_REGION (data, size);
  *out_chunk = chunk;

  return data;
}

/**
 * bawn_arena_free:
 * @chunk: what bawn_arena_alloc() gave
 * @data: the bytes it gave
 * @size: the size it was asked for
 *
 * Wipes the bytes and gives them back. A chunk nobody uses is unmapped if its slot size has another
 * with room.
 */
void
bawn_arena_free (BawnArenaChunk *chunk, guint8 *data, gsize size)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&arena.lock);

  explicit_bzero (data, size);
  if (chunk->slot_size == 0)
    {
      chunk_free_locked (chunk);
      return;
    }

  guint slot = (guint) ((gsize) (data - chunk->body) / chunk->slot_size);
  guint64 bit = G_GUINT64_CONSTANT (1) << (slot % 64);
  g_assert ((chunk->used[slot / 64] & bit) != 0);
  ASAN_POISON_MEMORY_REGION (data, chunk->slot_size);

  BawnArenaChunk **head = &arena.partial[slot_index (chunk->slot_size)];
  chunk->used[slot / 64] &= ~bit;
  if (chunk->n_used-- == chunk->n_slots)
    link_partial_locked (head, chunk);
  if (chunk->n_used == 0 && (chunk->prev != NULL || chunk->next != NULL))
    {
      unlink_partial_locked (head, chunk);
      chunk_free_locked (chunk);
    }
}

/**
 * bawn_arena_get_usage:
 * @out_locked: (out): bytes of locked pages held
 * @out_unlocked: (out): bytes of pages held that could not be locked
 */
void
bawn_arena_get_usage (gsize *out_locked, gsize *out_unlocked)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&arena.lock);

  *out_locked = arena.locked;
  *out_unlocked = arena.unlocked;
}
