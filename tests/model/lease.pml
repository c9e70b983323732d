/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lease and fence of doc/high-availability.md, for spin: every order of events of N nodes, a storage that does one thing at
 * a time, messages that are late or lost, clocks that tick together but for what the margin allows, and nodes that may stand
 * still between any two steps for as long as they like.
 *
 * A read is one step. What makes it take time in reality, a node that learns late of what the storage has said, is a node that
 * stands still behind it; and silence then counts from earlier than in reality, which is the harder case. For the same reason
 * a fence is sent as soon as the lease is there, and commits of an epoch may get there whenever its node has begun to serve: a
 * message sent later is one that is late.
 *
 * Each mistake that can be planted with -D must make pan find an error; check.sh sees to that:
 *   NO_MARGIN      the holder trusts its lease for the whole ttl
 *   FROM_ANSWER    a lease counts from when the answer came
 *   FROM_SENT      silence counts from when the read was sent
 *   NO_FENCE       a commit is not refused for its epoch
 *   NO_CONDITION   a take overwrites whatever stands there
 *   RELEASE_FIRST  the lease is released before the node stops serving
 *   SAME_EPOCH     a take that was given up is repeated in the same epoch
 */

#ifndef N
#define N 2
#endif
/* So many lease records and epochs are looked at: takes, renewals, releases, and late copies of all. */
#ifndef MAX_VERSION
#define MAX_VERSION 4
#endif
#ifndef MAX_EPOCH
#define MAX_EPOCH 2
#endif

/* In ticks. The holder's clock may miss one of them in a lease: that is what the margin is for. */
#define TTL 2
#ifdef NO_MARGIN
#define LEASE TTL
#else
#define LEASE (TTL - 1)
#endif

mtype = { STANDBY, TAKING, FENCING, ACTIVE, LEAVING };
mtype = { NONE, TAKE, RENEW, RELEASE };

/* The storage: what was written to the record of the lease, by version, and the fence. Nodes are 1 to N here. */
byte version;
byte epoch_of[MAX_VERSION + 1];
byte holder_of[MAX_VERSION + 1];   /* 0: free */
byte fence_epoch, fence_owner;

/* Who has taken the fence of an epoch, and so may commit in it. */
byte writer[MAX_EPOCH + 1];

typedef Node {
  mtype state = STANDBY;
  bool serving;           /* it has the fence, and was not told to withdraw */
  byte epoch, held;       /* of the lease it has or tries to take; the record's version */
  byte tried;             /* the epoch of its last take: no two are of the same */
  bool doubt;             /* the record must be read before anything else is sent */

  bool known;             /* the record was read: */
  byte seen;              /* its version */
  byte silence;           /* ticks until it has been silent for the ttl */

  byte valid;             /* ticks for which the lease is trusted */
  byte pending, first;    /* the same, if the call on its way gets in; if one that was given up did */
  bool has_first;         /* even if its time is over */
  bool valid_late, pending_late, first_late;   /* whether that clock has missed its tick */

  mtype call = NONE;      /* for the lease */
  byte call_version;      /* its condition */
  byte written;           /* what it has become, if it got there; the answer is on its way */

  mtype late = NONE;      /* a call that was given up and is still on its way */
  byte late_version, late_epoch;

  bool fencing[MAX_EPOCH + 1];   /* whether a fence of that epoch is on its way */
  bool served[MAX_EPOCH + 1];    /* whether commits of that epoch may be */
#ifdef FROM_SENT
  bool reading;
  byte read_silence;
#endif
};
Node n[N];

#define me n[id]
#define my_name (id + 1)

#ifdef NO_CONDITION
#define CONDITION(a_call, a_version) ((a_version == version || a_call == TAKE) && version < MAX_VERSION)
#else
#define CONDITION(a_call, a_version) (a_version == version && version < MAX_VERSION)
#endif

inline write_lock (a_call, an_epoch)
{
  version++;
  epoch_of[version] = an_epoch;
  holder_of[version] = (a_call == RELEASE -> 0 : my_name)
}

inline send_call (a_call, a_version)
{
  me.call = a_call;
  me.call_version = a_version
}

/* The lease that a call will have made counts from when it is sent. */
inline send_lease (a_call, a_version)
{
  send_call (a_call, a_version);
  me.pending = LEASE;
  me.pending_late = false
}

inline end_call ()
{
  me.call = NONE;
  me.call_version = 0;
  me.written = 0;
  me.pending = 0;
  me.pending_late = false
}

inline forget_first ()
{
  me.has_first = false;
  me.first = 0;
  me.first_late = false
}

/* It may be in, or get in later: then it counts from the first time it was sent. */
inline note_doubt ()
{
  if
  :: me.has_first
  :: else -> me.has_first = true; me.first = me.pending; me.first_late = me.pending_late
  fi;
  me.doubt = true
}

inline trust (a_timer, is_late)
{
#ifdef FROM_ANSWER
  me.valid = LEASE;
  me.valid_late = false;
#else
  me.valid = a_timer;
  me.valid_late = is_late;
#endif
  forget_first ()
}

inline forget_lease ()
{
  me.valid = 0;
  me.valid_late = false;
  forget_first ();
  me.doubt = false;
  me.epoch = 0;
  me.held = 0;
  me.serving = false;
  me.state = STANDBY
}

#define FREE (holder_of[me.seen] == 0 || holder_of[me.seen] == my_name || me.silence == 0)
#define OURS (holder_of[version] == my_name && epoch_of[version] == me.epoch)

/* One who is in doubt has read the record. */
inline settle ()
{
  if
  :: !OURS -> forget_lease ()
  :: OURS && me.state == TAKING ->
     me.state = FENCING;
     me.fencing[me.epoch] = true;
     me.held = version;
     me.doubt = false;
     trust (me.first, me.first_late)
  :: OURS && me.state != TAKING && version != me.held ->
     me.held = version;
     me.doubt = false;
     if
     :: me.state == LEAVING -> forget_first ()
     :: else -> trust (me.first, me.first_late)
     fi
  /* Not in, or not yet: it is sent again under the same condition. */
  :: OURS && me.state != TAKING && version == me.held -> me.doubt = false
  fi
}

#if MAX_EPOCH > 2
#define ANY_EPOCH(a_set) (me.a_set[1] || me.a_set[2] || me.a_set[3])
#define SOME_EPOCH(a_set) if :: me.a_set[1] -> some = 1 :: me.a_set[2] -> some = 2 :: me.a_set[3] -> some = 3 fi
#else
#define ANY_EPOCH(a_set) (me.a_set[1] || me.a_set[2])
#define SOME_EPOCH(a_set) if :: me.a_set[1] -> some = 1 :: me.a_set[2] -> some = 2 fi
#endif

proctype node (byte id)
{
  byte larger;
  byte some;

  do
  /* Watching: silence counts from the first read that returned this record. */
#ifdef FROM_SENT
  :: atomic { me.state == STANDBY && !me.reading -> me.reading = true; me.read_silence = TTL }
  :: atomic { me.state == STANDBY && me.reading ->
              if
              :: me.known && me.seen == version
              :: else -> me.known = true; me.seen = version; me.silence = me.read_silence
              fi;
              me.reading = false;
              me.read_silence = 0 }
#else
  :: atomic { me.state == STANDBY && !(me.known && me.seen == version) ->
              me.known = true;
              me.seen = version;
              me.silence = (holder_of[version] == 0 || holder_of[version] == my_name -> 0 : TTL) }
#endif

  /* Nodes are alike: let it be the first that takes the first lease. */
  :: atomic { me.state == STANDBY && me.known && FREE && version < MAX_VERSION &&
              (version > 0 || id == 0) ->
              larger = (epoch_of[me.seen] > fence_epoch -> epoch_of[me.seen] : fence_epoch);
#ifndef SAME_EPOCH
              larger = (larger > me.tried -> larger : me.tried);
#endif
              if
              :: larger < MAX_EPOCH ->
                 me.state = TAKING;
                 me.epoch = larger + 1;
#ifndef SAME_EPOCH
                 me.tried = larger + 1;
#endif
                 send_lease (TAKE, me.seen)
              :: else
              fi;
              me.known = false;
              me.seen = 0;
              me.silence = 0;
              larger = 0 }

  /* Holding. */
  :: atomic { me.call == NONE && (me.state == FENCING || me.state == ACTIVE) && !me.doubt &&
              version < MAX_VERSION ->
              send_lease (RENEW, me.held) }
  :: atomic { me.call == NONE && me.doubt -> settle () }

  /* The call gets there. Refused, it is in doubt: a copy of it may have got in. */
  :: atomic { me.call != NONE && me.written == 0 ->
              if
              :: CONDITION (me.call, me.call_version) ->
                 write_lock (me.call, me.epoch);
                 me.written = version
              :: else -> note_doubt (); end_call ()
              fi }
  /* Its answer is here. */
  :: atomic { me.written != 0 ->
              if
              :: me.call == TAKE -> me.state = FENCING; me.fencing[me.epoch] = true; me.held = me.written; trust (me.pending, me.pending_late)
              :: me.call == RENEW && me.state != LEAVING -> me.held = me.written; trust (me.pending, me.pending_late)
              :: me.call == RENEW && me.state == LEAVING -> me.held = me.written
              :: me.call == RELEASE -> forget_lease ()
              fi;
              end_call () }
  /* Or it is given up, before or after it got there. */
  :: atomic { me.call != NONE && me.late == NONE ->
              if
              :: me.written == 0 ->
                 me.late = me.call;
                 me.late_version = me.call_version;
                 me.late_epoch = me.epoch
              :: else
              fi;
              note_doubt ();
              end_call () }
  /* What was given up gets there, or is lost. */
  :: atomic { me.late != NONE ->
              if
              :: CONDITION (me.late, me.late_version) -> write_lock (me.late, me.late_epoch)
              :: true
              fi;
              me.late = NONE;
              me.late_version = 0;
              me.late_epoch = 0 }

#ifdef IDLE_STEP
  /* Planted too: it never happens, and check.sh must notice. */
  :: atomic { me.serving && me.state == STANDBY -> me.doubt = true }
#endif

  /* A fence gets there. */
  :: atomic { ANY_EPOCH (fencing) ->
              SOME_EPOCH (fencing);
              me.fencing[some] = false;
              if
              :: fence_epoch < some ->
                 assert (writer[some] == 0);
                 fence_epoch = some;
                 fence_owner = my_name;
                 writer[some] = my_name;
                 if
                 :: me.state == FENCING && me.epoch == some ->
                    me.state = ACTIVE;
                    me.serving = true;
                    me.served[some] = true
                 :: else
                 fi
              :: else
              fi;
              some = 0 }

  /* A commit gets there. None of an older epoch gets in after a newer fence, and one node at most has written in an epoch. */
  :: atomic { ANY_EPOCH (served) ->
              SOME_EPOCH (served);
              if
#ifdef NO_FENCE
              :: true ->
#else
              :: fence_epoch == some && fence_owner == my_name ->
#endif
                 assert (some == fence_epoch && writer[some] == my_name)
#ifndef NO_FENCE
              :: else
#endif
              fi;
              some = 0 }

  /* It answers a read from memory: nobody can have committed after it. */
  :: atomic { me.serving && me.valid > 0 && !(fence_epoch == me.epoch && fence_owner == my_name) ->
              assert (false) }

  /* It steps down: stops serving, then lets go, or lets it expire. */
  :: atomic { me.state == ACTIVE ->
              me.state = LEAVING;
#ifndef RELEASE_FIRST
              me.serving = false;
              me.valid = 0;
              me.valid_late = false;
#endif
              forget_first () }
  :: atomic { me.state == LEAVING && me.call == NONE && !me.doubt && version < MAX_VERSION ->
              send_call (RELEASE, me.held) }
  :: atomic { me.state == LEAVING && me.call == NONE -> forget_lease () }
  od
}

#define RUNS(a_node) (a_node.valid > 0 || a_node.pending > 0 || a_node.first > 0)
#define HAS_MISSED(a_node) (a_node.valid_late || a_node.pending_late || a_node.first_late)

inline count_down (a_timer, is_late)
{
  if
  :: a_timer > 0 -> a_timer--
  :: else
  fi;
  if
  :: a_timer == 0 -> is_late = false
  :: else
  fi
}

/* All clocks tick; that of a holder may miss a tick, once in a lease. */
proctype clock ()
{
  byte i;

  do
  :: atomic {
       i = 0;
       do
       :: i < N ->
          if
          :: true ->
             count_down (n[i].valid, n[i].valid_late);
             count_down (n[i].pending, n[i].pending_late);
             count_down (n[i].first, n[i].first_late)
          :: RUNS (n[i]) && !HAS_MISSED (n[i]) ->
             n[i].valid_late = (n[i].valid > 0);
             n[i].pending_late = (n[i].pending > 0);
             n[i].first_late = (n[i].first > 0)
          fi;
          if :: n[i].silence > 0 -> n[i].silence-- :: else fi;
#ifdef FROM_SENT
          if :: n[i].read_silence > 0 -> n[i].read_silence-- :: else fi;
#endif
          i++
       :: else -> break
       od;
       i = 0 }
  od
}

init
{
  byte i;

  atomic {
    do
    :: i < N -> run node (i); i++
    :: else -> break
    od;
    run clock ();
    i = 0
  }
}
