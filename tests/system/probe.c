/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Takes the place of bawnd in its unit, tries what the unit should forbid, and what it must not, and prints a line about each:
 * "denied NAME: reason" or "allowed NAME". test-system.py says which is right.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* These numbers are the same on every architecture. */
#define NR_IO_URING_SETUP 425
#define NR_MEMFD_SECRET 447
#define PAGE 4096

static const char *own_folder;

static void
report (const char *name, bool done)
{
  if (done)
    printf ("allowed %s\n", name);
  else
    printf ("denied %s: %s\n", name, strerror (errno));
}

static bool
opens (const char *path, int flags)
{
  int fd = open (path, flags, 0600);

  if (fd < 0)
    return false;
  close (fd);
  return true;
}

static bool
makes (const char *folder)
{
  char path[256] = "";

  snprintf (path, sizeof path, "%s/bawn-probe", folder);
  if (!opens (path, O_WRONLY | O_CREAT))
    return false;
  unlink (path);
  return true;
}

static bool
opens_socket (int family, int type, int protocol)
{
  int fd = socket (family, type, protocol);

  if (fd < 0)
    return false;
  close (fd);
  return true;
}

static bool
maps (int protection)
{
  return mmap (NULL, PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool
makes_executable (void)
{
  void *page = mmap (NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  return page != MAP_FAILED && mprotect (page, PAGE, PROT_READ | PROT_EXEC) == 0;
}

/* Processes of others, as far as /proc shows any. */
static bool
sees_others (void)
{
  DIR *proc = opendir ("/proc");
  unsigned n = 0;

  for (const struct dirent *entry = proc != NULL ? readdir (proc) : NULL; entry != NULL; entry = readdir (proc))
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
      n++;
  if (proc != NULL)
    closedir (proc);
  errno = ENOENT;
  return n > 1;
}

static bool
signals_init (void)
{
  return kill (1, 0) == 0;
}

static bool
makes_set_user_id (void)
{
  char path[256] = "";

  snprintf (path, sizeof path, "%s/bawn-probe-suid", own_folder);
  if (!opens (path, O_WRONLY | O_CREAT))
    return false;
  bool done = chmod (path, 04755) == 0;
  int reason = errno;
  unlink (path);
  errno = reason;
  return done;
}

/* What a program with set-user-ID would do; here there is none that may be run either. */
static bool
becomes_root (void)
{
  return setuid (0) == 0 && geteuid () == 0;
}

static bool
has_capability (void)
{
  for (unsigned long i = 0; i < 64; i++)
    if (prctl (PR_CAPBSET_READ, i, 0, 0, 0) == 1)
      return true;

  errno = EPERM;
  return false;
}

static bool
may_gain_privileges (void)
{
  errno = EPERM;
  return prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
}

static bool
runs_shell (void)
{
  pid_t child = fork ();
  int status = 0;

  if (child == 0)
    {
      execl ("/bin/sh", "sh", "-c", "exit 0", (char *) NULL);
      _exit (errno == EACCES || errno == EPERM ? 126 : 127);
    }
  errno = EACCES;
  return child > 0 && waitpid (child, &status, 0) == child && WIFEXITED (status) && WEXITSTATUS (status) == 0;
}

static bool
is_real_time (void)
{
  const struct sched_param param = { .sched_priority = 1 };

  return sched_setscheduler (0, SCHED_FIFO, &param) == 0;
}

static bool
leaves_core (void)
{
  struct rlimit limit = { 0 };

  errno = EPERM;
  return getrlimit (RLIMIT_CORE, &limit) == 0 && limit.rlim_max != 0;
}

static bool
locks (void)
{
  void *page = mmap (NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  return page != MAP_FAILED && mlock (page, 16 * PAGE) == 0;
}

static void
try_memory (void)
{
  report ("memory that is written and run", maps (PROT_READ | PROT_WRITE | PROT_EXEC));
  report ("making written memory run", makes_executable ());
  report ("core dumps", leaves_core ());
  report ("locking memory", locks ());
  report ("memfd_secret", syscall (NR_MEMFD_SECRET, 0) >= 0 || errno == ENOSYS);
}

static void
try_kernel (void)
{
  report ("io_uring", syscall (NR_IO_URING_SETUP, 1, NULL) >= 0 || (errno != EPERM && errno != ENOSYS));
  report ("adding a key to a keyring", syscall (SYS_add_key, "user", "bawn", "x", 1, -3) >= 0);
  report ("keyctl", syscall (SYS_keyctl, 0, -3, 1) >= 0);
  report ("bpf", syscall (SYS_bpf, 0, NULL, 0) >= 0 || errno != EPERM);
  report ("another personality", personality (ADDR_NO_RANDOMIZE) >= 0);
  report ("a user namespace", unshare (CLONE_NEWUSER) == 0);
  report ("a mount namespace", unshare (CLONE_NEWNS) == 0);
  report ("a network namespace", unshare (CLONE_NEWNET) == 0);
  report ("the host's name", sethostname ("bawn", 4) == 0);
  report ("the kernel's settings", opens ("/proc/sys/kernel/domainname", O_WRONLY));
  report ("control groups", opens ("/sys/fs/cgroup/cgroup.procs", O_WRONLY));
  report ("real-time scheduling", is_real_time ());
  report ("a higher priority", setpriority (PRIO_PROCESS, 0, -5) == 0);
}

static void
try_privileges (void)
{
  report ("becoming root", becomes_root ());
  report ("any capability", has_capability ());
  report ("gaining privileges by exec", may_gain_privileges ());
  report ("set-user-ID files", makes_set_user_id ());
  report ("running a shell", runs_shell ());
  report ("seeing other processes", sees_others ());
  report ("signals to the init process", signals_init ());
  report ("tracing the init process", ptrace (PTRACE_SEIZE, 1, NULL, NULL) == 0);
}

static void
try_files (const char *config)
{
  static const char *const folders[] = { "/etc", "/usr", "/var", "/var/lib", "/root", "/run", "/boot", "/dev", NULL };
  static const char *const secrets[] = { "/etc/shadow", "/root/.profile", "/proc/1/environ", "/proc/kcore", "/dev/mem",
                                         "/proc/meminfo", "/dev/kmsg", NULL };
  char name[300] = "";

  for (int i = 0; folders[i] != NULL; i++)
    {
      snprintf (name, sizeof name, "writing in %s", folders[i]);
      report (name, makes (folders[i]));
    }
  for (int i = 0; secrets[i] != NULL; i++)
    {
      snprintf (name, sizeof name, "reading %s", secrets[i]);
      report (name, opens (secrets[i], O_RDONLY));
    }
  report ("writing the configuration", opens (config, O_WRONLY));
  report ("reading the configuration", opens (config, O_RDONLY));
  report ("writing in its own folder", makes (own_folder));
  report ("writing in /tmp", makes ("/tmp"));
  report ("reading /dev/urandom", opens ("/dev/urandom", O_RDONLY));
}

static void
try_network (void)
{
  report ("packet sockets", opens_socket (AF_PACKET, SOCK_RAW, 0));
  report ("raw IP sockets", opens_socket (AF_INET, SOCK_RAW, IPPROTO_ICMP));
  report ("vsock", opens_socket (AF_VSOCK, SOCK_STREAM, 0));
  report ("IPv4", opens_socket (AF_INET, SOCK_STREAM, 0));
  report ("Unix sockets", opens_socket (AF_UNIX, SOCK_STREAM, 0));
  report ("asking for routes", opens_socket (AF_NETLINK, SOCK_RAW, 0));
}

int
main (int argc, char **argv)
{
  own_folder = getenv ("STATE_DIRECTORY");
  if (own_folder == NULL)
    own_folder = "/nonexistent";
  setvbuf (stdout, NULL, _IOLBF, 0);
  try_memory ();
  try_kernel ();
  try_privileges ();
  try_files (argc > 2 ? argv[2] : "/etc/bawn/bawn.conf");
  try_network ();
  printf ("the end\n");

  return EXIT_SUCCESS;
}
