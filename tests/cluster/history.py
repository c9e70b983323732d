# SPDX-License-Identifier: LGPL-2.1-or-later
"""What clients saw, and whether one register for each key, changed by one request at a time, could have shown it to them.

The register is a KV v2 entry: a version that grows by one with each write, and a value. The search is that of Wing and Gong with
Lowe's memory of configurations ("Testing for linearizability", 2017): take any operation that could come first, go on with
the rest, come back when stuck. An operation whose outcome is not known may take effect at any time after it began, or
never.
"""

import itertools
import threading
import time

READ, WRITE, CAS = "read", "write", "cas"
# It happened; it was refused for a wrong version; nobody knows; it certainly did not happen.
OK, MISMATCH, UNKNOWN, NOTHING = "ok", "mismatch", "unknown", "nothing"
# Configurations that are looked at before giving up, which is not a verdict.
LIMIT = 2_000_000


class NotLinearizable(AssertionError):
    pass


class Undecided(AssertionError):
    pass


class Operation:
    """@value: written, or read; @expected: the version that a CAS wants; @version: that was read, or that the write became."""

    numbers = itertools.count()

    def __init__(self, key, kind, value=None, expected=None, client="", begun=None):
        self.key, self.kind, self.value, self.expected, self.client = key, kind, value, expected, client
        self.begun = time.monotonic_ns() if begun is None else begun
        self.ended = None
        self.outcome = UNKNOWN
        self.version = None
        self.number = next(Operation.numbers)

    def finish(self, outcome, version=None, value=None, ended=None):
        if self.kind == READ and outcome == OK:
            self.value = value
        self.version = version
        self.outcome = outcome
        # Last: the operation is part of the known ones only from now on.
        self.ended = time.monotonic_ns() if ended is None else ended
        return self

    def apply(self, state):
        """The state after this operation, if it could be next and end as it did; else None."""
        version, value = state
        if self.kind == READ:
            return state if (self.version, self.value) == state else None
        if self.kind == CAS:
            if self.outcome == MISMATCH:
                return state if self.expected != version else None
            if self.expected != version:
                return None
        if self.outcome == OK and self.version != version + 1:
            return None
        return (version + 1, self.value)

    def __str__(self):
        what = {READ: "read", WRITE: "write %r" % (self.value,), CAS: "write %r over version %s" % (self.value, self.expected)}
        end = "…" if self.ended is None else "%.4f" % (self.ended / 1e9)
        shown = {OK: "version %s%s" % (self.version, " %r" % (self.value,) if self.kind == READ else "")}
        return "%.4f to %s, %s: %s %s -> %s" % (self.begun / 1e9, end, self.client, what[self.kind], self.key,
                                               shown.get(self.outcome, self.outcome))


class History:
    """Collects operations; any thread."""

    def __init__(self):
        self.lock = threading.Lock()
        self.operations = []

    def begin(self, key, kind, value=None, expected=None, client=""):
        operation = Operation(key, kind, value, expected, client)
        with self.lock:
            self.operations.append(operation)
        return operation

    def by_key(self):
        with self.lock:
            operations = list(self.operations)
        keys = {}
        for operation in operations:
            keys.setdefault(operation.key, []).append(operation)
        return keys

    def check(self):
        """Raises NotLinearizable with what does not fit. Returns how many operations were looked at."""
        count = 0
        for operations in self.by_key().values():
            check_register(operations)
            count += len(operations)
        return count


class Entry:
    __slots__ = ("operation", "is_call", "match", "previous", "next", "bit", "twins", "rank")

    def __init__(self, operation, is_call):
        self.operation, self.is_call = operation, is_call
        self.match = self.previous = self.next = self.twins = None
        self.bit = self.rank = 0


class Twins:
    """Writes of unknown outcome whose values nobody saw: any that has begun does for any other, so they are taken in order."""

    def __init__(self):
        self.members = self.taken = 0

    def add(self, entry):
        entry.twins, entry.rank = self, self.members
        self.members += 1


def is_known(operation):
    return operation.outcome != UNKNOWN


def relevant(operations):
    # A read that nobody got an answer to says nothing either.
    return [o for o in operations if o.outcome != NOTHING and (is_known(o) or o.kind != READ)]


def observed_versions(operations):
    """version -> value, as acknowledged writes and reads show it. Two values for one version are two commits."""
    versions = {0: (None, None)}
    for operation in operations:
        if operation.outcome != OK:
            continue
        seen = versions.setdefault(operation.version, (operation.value, operation))
        if seen[0] != operation.value:
            raise NotLinearizable("version %d of %s has two values:\n  %s\n  %s"
                                  % (operation.version, operation.key, seen[1] or "absent at first", operation))
    return {version: value for version, (value, _) in versions.items()}


def link(operations, seen_values):
    """A list of calls and returns in the order of time; those at the same moment overlap."""
    events, twins = [], {}
    for operation in operations:
        call = Entry(operation, True)
        events.append((operation.begun, 0, operation.number, call))
        if is_known(operation):
            call.match = Entry(operation, False)
            events.append((operation.ended, 1, operation.number, call.match))
    events.sort(key=lambda e: e[:3])
    head = last = Entry(None, False)
    for place, (_, _, _, entry) in enumerate(events):
        entry.previous, last.next, last = last, entry, entry
        entry.bit = 1 << place
        operation = entry.operation
        if not is_known(operation) and operation.value not in seen_values:
            twins.setdefault((operation.kind, operation.expected), Twins()).add(entry)
    return head


def lift(entry):
    if entry.twins is not None:
        entry.twins.taken += 1
    for each in (entry, entry.match):
        if each is not None:
            each.previous.next = each.next
            if each.next is not None:
                each.next.previous = each.previous


def put_back(entry):
    if entry.twins is not None:
        entry.twins.taken -= 1
    for each in (entry.match, entry):
        if each is not None:
            each.previous.next = each
            if each.next is not None:
                each.next.previous = each


def check_register(operations, limit=LIMIT):
    operations = relevant(operations)
    versions = observed_versions(operations)
    places = {value: version for version, value in versions.items() if version > 0}
    head = link(operations, places)
    left = sum(1 for o in operations if is_known(o))
    state, done, seen, stack = (0, None), 0, set(), []
    best, best_state, stuck = left + 1, state, None
    entry = head.next

    def possible(entry):
        operation = entry.operation
        after = operation.apply(state)
        if after is None or is_known(operation):
            return after
        if entry.twins is not None:
            # Nobody saw it: it is where nothing else was seen, under no name.
            return (after[0], None) if entry.rank == entry.twins.taken and after[0] not in versions else None
        return after if places[operation.value] == after[0] else None

    while left > 0:
        if entry.is_call:
            after = possible(entry)
            if after is not None and (done | entry.bit, after) not in seen:
                seen.add((done | entry.bit, after))
                if len(seen) > limit:
                    raise Undecided("the history of %s is too long to decide" % operations[0].key)
                stack.append((entry, state))
                state, done = after, done | entry.bit
                left -= is_known(entry.operation)
                lift(entry)
                entry = head.next
            else:
                entry = entry.next
            continue
        # The return of an operation that has found no place.
        if left < best:
            best, best_state, stuck = left, state, entry.operation
        if not stack:
            raise NotLinearizable(explain(operations, best_state, stuck))
        entry, state = stack.pop()
        done &= ~entry.bit
        left += is_known(entry.operation)
        put_back(entry)
        entry = entry.next
    return True


def explain(operations, state, stuck):
    around = sorted((o for o in operations if not is_known(o) and o.begun <= stuck.ended
                     or is_known(o) and o.begun <= stuck.ended and o.ended >= stuck.begun), key=lambda o: o.begun)[-40:]
    return "no order explains what was seen of %s; with %s at version %d the last that could be tried did not fit:\n  %s\n" \
           "what went on at that time:\n%s" % (stuck.key, stuck.key, state[0], stuck, "\n".join("  %s" % o for o in around))


def check_fence_history(history):
    """All states of the fence, in order: no commit of a term after the next one has begun, and each begins where the last one
    ended."""
    last = None
    for fence in history:
        if last is None or fence["term"] == last["term"]:
            good = last is None or (fence["epoch"] == last["epoch"] and fence["sequence"] == last["sequence"] + 1)
        else:
            good = fence["epoch"] > last["epoch"] and (fence["previous"], fence["previous_sequence"]) \
                == (last["term"], last["sequence"])
        assert good, "the fence went from %s to %s" % (last, fence)
        last = fence
