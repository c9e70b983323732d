/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-fdstore.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/bawn-notify.h"
#include "util/bawn-error.h"
#include "util/bawn-handed.h"

#define MAGIC "bawn-kept-1"
/* Keys are 32 bytes; what claims to be longer was not written here. */
#define MAX_SIZE 256
/* The manager takes longer ones, but why should it. */
#define MAX_NAME 64

/* One page of memory, as it is kept. */
typedef struct
{
  char magic[sizeof MAGIC];
  guint32 size;
  guint8 data[MAX_SIZE];
} Kept;

static gsize
page_size (void)
{
  return (gsize) sysconf (_SC_PAGESIZE);
}

static Kept *
map_page (int fd, int protection)
{
  void *page = mmap (NULL, page_size (), protection, MAP_SHARED, fd, 0);

  return page != MAP_FAILED ? page : NULL;
}

static int
open_page (gboolean *out_named)
{
#ifdef SYS_memfd_secret
  int secret = (int) syscall (SYS_memfd_secret, (unsigned int) O_CLOEXEC);

  *out_named = FALSE;
  if (secret >= 0 && ftruncate (secret, (off_t) page_size ()) == 0)
    return secret;
  if (secret >= 0)
    close (secret);
#endif
  int fd = memfd_create ("bawn-kept", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  *out_named = TRUE;
  if (fd >= 0 && ftruncate (fd, (off_t) page_size ()) == 0)
    return fd;
  if (fd >= 0)
    close (fd);

  return -1;
}

/**
 * bawn_fdstore_take:
 * @name: what it was kept as
 *
 * Returns: (transfer full) (nullable): the secret
 */
BawnSecret *
bawn_fdstore_take (const char *name)
{
  struct stat info = { 0 };
  int fd = bawn_handed_take (name);

  if (fd < 0)
    return NULL;

  /* A shorter file would end the process when it is read. */
  gboolean whole = fstat (fd, &info) == 0 && info.st_size == (off_t) page_size ();
  Kept *kept = whole ? map_page (fd, PROT_READ) : NULL;
  BawnSecret *secret = NULL;
  close (fd);
  if (kept == NULL)
    return NULL;

  guint32 size = kept->size;
  if (memcmp (kept->magic, MAGIC, sizeof MAGIC) == 0 && size > 0 && size <= MAX_SIZE)
    secret = bawn_secret_new_copy (kept->data, size);
  munmap (kept, page_size ());

  return secret;
}

/* Nobody can change it any more, the manager included. */
static void
seal_page (int fd)
{
  (void) fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
}

static gboolean
fill_page (int fd, const BawnSecret *secret)
{
  Kept *kept = map_page (fd, PROT_READ | PROT_WRITE);

  if (kept == NULL)
    return FALSE;
  memcpy (kept->magic, MAGIC, sizeof MAGIC);
  kept->size = (guint32) bawn_secret_size (secret);
  memcpy (kept->data, bawn_secret_data (secret), kept->size);
  munmap (kept, page_size ());

  return TRUE;
}

/**
 * bawn_fdstore_keep:
 * @name: what to keep it as: BAWN_HANDED_STORED and a word
 * @secret: what to keep, of at most 256 bytes
 * @error: return location
 *
 * Returns: whether the service manager was given it
 */
gboolean
bawn_fdstore_keep (const char *name, const BawnSecret *secret, GError **error)
{
  gboolean named = FALSE;

  g_return_val_if_fail (strlen (name) <= MAX_NAME && bawn_secret_size (secret) <= MAX_SIZE, FALSE);

  int fd = open_page (&named);
  if (fd < 0)
    return bawn_fail (error, BAWN_ERROR_INTERNAL, "no memory can be had that the service manager could keep: %s",
                      g_strerror (errno));
  if (!fill_page (fd, secret))
    {
      int reason = errno;
      close (fd);
      return bawn_fail (error, BAWN_ERROR_INTERNAL, "memory that the service manager could keep cannot be used: %s",
                        g_strerror (reason));
    }
  if (named)
    seal_page (fd);

  g_autofree char *text = g_strconcat ("FDSTORE=1\nFDNAME=", name, "\nFDPOLL=0", NULL);
  bawn_fdstore_forget (name);
  gboolean sent = bawn_notify_with_fd (fd, text);
  close (fd);

  return sent || bawn_fail (error, BAWN_ERROR_UNSUPPORTED, "there is no service manager that keeps anything");
}

void
bawn_fdstore_forget (const char *name)
{
  bawn_notify ("FDSTOREREMOVE=1\nFDNAME=%s", name);
}
