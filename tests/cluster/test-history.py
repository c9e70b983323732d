#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The checker of histories accepts what one register could have shown, and nothing else."""

import itertools
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../api")]

from bawn_server import run_all  # noqa: E402
from history import (CAS, MISMATCH, OK, READ, UNKNOWN, WRITE, NotLinearizable, Operation, check_fence_history,  # noqa: E402
                     check_register, is_known, relevant)


def op(begun, ended, kind, value=None, version=None, expected=None, outcome=OK):
    operation = Operation("k", kind, value, expected, "client", begun)
    return operation.finish(outcome, version, value, ended) if outcome != UNKNOWN else operation


def accepts(*operations):
    check_register(list(operations))


def rejects(*operations):
    try:
        check_register(list(operations))
    except NotLinearizable:
        return
    raise AssertionError("accepted:\n" + "\n".join(str(o) for o in operations))


def test_an_empty_history_is_fine():
    accepts()


def test_one_after_the_other_is_fine():
    accepts(op(1, 2, READ, None, 0), op(3, 4, WRITE, "a", 1), op(5, 6, READ, "a", 1), op(7, 8, CAS, "b", 2, 1),
            op(9, 10, CAS, "c", None, 1, MISMATCH), op(11, 12, READ, "b", 2))


def test_a_stale_read_is_not():
    rejects(op(1, 2, WRITE, "a", 1), op(3, 4, WRITE, "b", 2), op(5, 6, READ, "a", 1))


def test_a_read_of_the_past_while_a_write_is_on_its_way_is_fine():
    accepts(op(1, 2, WRITE, "a", 1), op(3, 9, WRITE, "b", 2), op(5, 6, READ, "a", 1), op(7, 8, READ, "b", 2))


def test_going_back_while_a_write_is_on_its_way_is_not():
    rejects(op(1, 2, WRITE, "a", 1), op(3, 9, WRITE, "b", 2), op(4, 5, READ, "b", 2), op(6, 7, READ, "a", 1))


def test_a_lost_write_is_not_fine():
    rejects(op(1, 2, WRITE, "a", 1), op(3, 4, READ, None, 0))


def test_two_writes_of_one_version_are_two_commits():
    rejects(op(1, 5, WRITE, "a", 1), op(2, 6, WRITE, "b", 1))


def test_a_version_that_was_left_out_is_not_fine():
    rejects(op(1, 2, WRITE, "a", 1), op(3, 4, WRITE, "b", 3))


def test_a_version_left_out_for_an_unknown_write_is_fine():
    accepts(op(1, 2, WRITE, "a", 1), op(2, None, WRITE, "x", outcome=UNKNOWN), op(3, 4, WRITE, "b", 3))


def test_an_unknown_write_may_never_happen():
    accepts(op(1, 2, WRITE, "a", 1), op(3, None, WRITE, "x", outcome=UNKNOWN), op(5, 6, READ, "a", 1))


def test_an_unknown_write_may_happen_late():
    accepts(op(1, 2, WRITE, "a", 1), op(3, None, WRITE, "x", outcome=UNKNOWN), op(5, 6, READ, "a", 1), op(7, 8, READ, "x", 2))


def test_an_unknown_write_does_not_happen_before_it_began():
    rejects(op(1, 2, READ, "x", 1), op(3, None, WRITE, "x", outcome=UNKNOWN))


def test_an_unknown_write_does_not_happen_twice():
    rejects(op(1, None, WRITE, "x", outcome=UNKNOWN), op(2, 3, READ, "x", 1), op(4, 5, WRITE, "a", 2), op(6, 7, READ, "x", 3))


def test_a_value_out_of_nowhere_is_not_fine():
    rejects(op(1, 2, READ, "a", 1))


def test_of_two_with_the_same_expectation_one_wins():
    accepts(op(1, 9, CAS, "a", 1, 0), op(2, 8, CAS, "b", None, 0, MISMATCH))
    rejects(op(1, 9, CAS, "a", 1, 0), op(2, 8, CAS, "b", 2, 0))


def test_a_mismatch_needs_a_reason():
    rejects(op(1, 2, WRITE, "a", 1), op(3, 4, CAS, "b", None, 1, MISMATCH))
    accepts(op(1, 2, WRITE, "a", 1), op(1, None, WRITE, "x", outcome=UNKNOWN), op(3, 4, CAS, "b", None, 1, MISMATCH))


def test_an_unknown_cas_keeps_to_its_expectation():
    rejects(op(1, 2, WRITE, "a", 1), op(3, None, CAS, "x", expected=0, outcome=UNKNOWN), op(5, 6, READ, "x", 2))
    accepts(op(1, 2, WRITE, "a", 1), op(3, None, CAS, "x", expected=1, outcome=UNKNOWN), op(5, 6, READ, "x", 2))


def test_many_unknown_writes_can_be_decided():
    lost = [op(1 + i, None, WRITE, "x%d" % i, outcome=UNKNOWN) for i in range(60)]
    known = [op(1000 + 10 * i, 1005 + 10 * i, WRITE, "a%d" % i, i + 31) for i in range(200)]
    accepts(*lost, *known)
    rejects(*lost, *known, op(9000, 9001, READ, "a3", 34))


def simulate(rng, clients, steps):
    """A true register, asked by several clients at a time; some answers are lost."""
    clock, version, value, made, history = 0, 0, None, itertools.count(), []
    waiting = [None] * clients
    for _ in range(steps):
        clock += 1
        who = rng.randrange(clients)
        now = waiting[who]
        if now is None:
            kind = rng.choice((READ, READ, WRITE, CAS))
            expected = max(0, version - rng.randrange(2)) if kind == CAS else None
            waiting[who] = [Operation("k", kind, None if kind == READ else "v%d" % next(made), expected, who, clock), False]
            history.append(waiting[who][0])
        elif not now[1]:
            # It takes effect, somewhere between its two ends.
            operation = now[0]
            if operation.kind == READ:
                now[1] = (OK, version, value)
            elif operation.kind == CAS and operation.expected != version:
                now[1] = (MISMATCH, None, None)
            else:
                version, value = version + 1, operation.value
                now[1] = (OK, version, None)
        else:
            if rng.random() > 0.1:
                now[0].finish(*now[1], ended=clock)
            waiting[who] = None
    return history


def brute_force(operations):
    """All orders, for what is short enough."""
    operations = relevant(operations)
    known = [o for o in operations if is_known(o)]

    def go(state, left):
        if not any(is_known(o) for o in left):
            return True
        first = min([o.ended for o in left if is_known(o)])
        for o in left:
            after = o.apply(state) if o.begun <= first else None
            if after is not None and go(after, [x for x in left if x is not o]):
                return True
        return False

    return not known or go((0, None), operations)


def test_what_a_register_showed_is_accepted():
    for seed in range(200):
        rng = random.Random(seed)
        accepts(*simulate(rng, rng.randrange(1, 7), 300))


def spoil(rng, history):
    """Changes one answer."""
    known = [o for o in history if is_known(o)]
    if not known:
        return False
    victim = rng.choice(known)
    if victim.outcome == MISMATCH:
        victim.finish(OK, victim.expected + 1, ended=victim.ended)
    elif victim.kind == READ:
        others = [o for o in known if o.outcome == OK and o.version != victim.version]
        if not others:
            return False
        other = rng.choice(others)
        victim.finish(OK, other.version, other.value, victim.ended)
    else:
        victim.finish(OK, victim.version + rng.choice((-1, 1)), ended=victim.ended)
    return True


def test_the_search_agrees_with_trying_everything():
    verdicts = set()
    for seed in range(600):
        rng = random.Random(seed)
        history = simulate(rng, rng.randrange(2, 5), 24)
        if rng.random() < 0.7:
            spoil(rng, history)
        expected = brute_force(history)
        verdicts.add(expected)
        (accepts if expected else rejects)(*history)
    assert verdicts == {True, False}


def test_a_changed_answer_is_found_in_a_long_history():
    found = tried = 0
    for seed in range(60):
        rng = random.Random(seed)
        history = simulate(rng, 3, 400)
        if spoil(rng, history):
            tried += 1
            try:
                check_register(history)
            except NotLinearizable:
                found += 1
    # A read that overlaps with the write of another version may well have seen that.
    assert found > tried * 0.8, (found, tried)


def fence(epoch, sequence, previous="", previous_sequence=0):
    return {"epoch": epoch, "term": "t%d" % epoch, "sequence": sequence, "previous": previous,
            "previous_sequence": previous_sequence}


def refuses_fence(*history):
    try:
        check_fence_history(history)
    except AssertionError:
        return
    raise AssertionError("accepted: %s" % (history,))


def test_a_fence_goes_forward_and_on_from_where_it_was():
    check_fence_history([fence(1, 0), fence(1, 1), fence(1, 2), fence(4, 0, "t1", 2), fence(4, 1, "t1", 2)])


def test_a_fence_does_not_jump_return_or_forget():
    refuses_fence(fence(1, 0), fence(1, 2))
    refuses_fence(fence(1, 0), fence(1, 1), fence(1, 1))
    refuses_fence(fence(2, 0), fence(1, 0, "t2", 0))
    refuses_fence(fence(1, 0), fence(2, 0, "t1", 0), fence(1, 1))
    refuses_fence(fence(1, 0), fence(1, 1), fence(2, 0, "t1", 0))
    refuses_fence(fence(1, 0), fence(3, 0, "t2", 0))


run_all(globals())
