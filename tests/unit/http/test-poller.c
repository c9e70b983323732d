/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-poller.h"

#include <sys/socket.h>
#include <unistd.h>

typedef struct Ear Ear;
struct Ear
{
  BawnHttpPoller *poller;
  BawnHttpInterest interest;
  int fds[2];
  guint n_told;
  Ear *other; /* nullable: to be removed when this one is told */
};

static void
on_changed (gpointer owner)
{
  Ear *ear = owner;

  ear->n_told++;
  g_assert_true (ear->interest.readable);
  if (ear->other != NULL)
    bawn_http_poller_remove (ear->poller, &ear->other->interest, ear->other->fds[0]);
}

static void
open_ear (Ear *ear, BawnHttpPoller *poller, Ear *other)
{
  *ear = (Ear){ .poller = poller, .other = other };
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ear->fds),
                   ==, 0);
  g_assert_true (bawn_http_poller_add (poller, &ear->interest, ear->fds[0]));
  ear->interest.changed = on_changed;
  ear->interest.owner = ear;
}

static void
close_ear (Ear *ear)
{
  bawn_http_poller_remove (ear->poller, &ear->interest, ear->fds[0]);
  close (ear->fds[0]);
  close (ear->fds[1]);
}

static void
say_something (Ear *ear)
{
  g_assert_cmpint (send (ear->fds[1], "x", 1, MSG_NOSIGNAL), ==, 1);
}

static void
settle (GMainContext *context)
{
  while (g_main_context_iteration (context, FALSE))
    ;
}

static void
told_in_the_same_round (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (BawnHttpPoller) poller = bawn_http_poller_new (context);
  Ear ear = { 0 };

  open_ear (&ear, poller, NULL);
  settle (context);
  ear.n_told = 0;
  ear.interest.readable = FALSE;
  say_something (&ear);
  g_assert_true (g_main_context_iteration (context, FALSE));
  g_assert_cmpuint (ear.n_told, ==, 1);
  settle (context);
  g_assert_cmpuint (ear.n_told, ==, 1);
  close_ear (&ear);
}

/* Both are told of by one look at epoll, and each ends the other: only the first is told. */
static void
removed_before_it_is_told (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (BawnHttpPoller) poller = bawn_http_poller_new (context);
  Ear one = { 0 };
  Ear two = { 0 };

  open_ear (&one, poller, NULL);
  open_ear (&two, poller, NULL);
  settle (context);
  one.other = &two;
  two.other = &one;
  one.n_told = 0;
  two.n_told = 0;
  say_something (&one);
  say_something (&two);
  settle (context);
  g_assert_cmpuint (one.n_told + two.n_told, ==, 1);
  close_ear (&one);
  close_ear (&two);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http/poller/who-wants-it-is-told-in-the-same-round", told_in_the_same_round);
  g_test_add_func ("/http/poller/who-was-removed-is-not-told", removed_before_it_is_told);

  return g_test_run ();
}
