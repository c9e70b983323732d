# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the tests of the API line by line say what they want: status, text of errors, shape of bodies, headers.

A row is (request, body, status, wanted[, more arguments of call]). What is wanted: a string is the one error, a list is
the errors, None is no body at all, and everything else is compared with like().
"""

import base64
import json
import re

from bawn_server import Server

ENVELOPE = ["request_id", "lease_id", "renewable", "lease_duration", "data", "wrap_info", "warnings", "auth"]
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NANO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z")
BASE62 = re.compile("[0-9A-Za-z]{24}")
TOKEN = re.compile(r"hvs\.[0-9A-Za-z_-]{24,}")
SYSTEM_TTL = 2764800
# The version whose contract is kept.
SEMVER = re.compile(r"1\.11\.\d+([-+].*)?")
MERGE = dict(headers={"Content-Type": "application/merge-patch+json"})

# The server of the test program, which starts it.
server = Server(tls=False, start=False)


class Only(dict):
    """A body with these keys and no others."""


class Optional:
    """A value that may be null."""

    def __init__(self, shape):
        self.shape = shape


class Each:
    """An object or array each of whose values looks like this."""

    def __init__(self, shape):
        self.shape = shape


def like(shape, value, where="body"):
    """What is wrong with the value, as a list of lines."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return ["%s is %r and not an object" % (where, value)]
        wrong = ["%s has no %s" % (where, k) for k in shape if k not in value]
        if isinstance(shape, Only):
            wrong += ["%s has %s too" % (where, k) for k in value if k not in shape]
        for k in shape:
            if k in value:
                wrong += like(shape[k], value[k], where + "." + k)
        return wrong
    if isinstance(shape, Optional):
        return [] if value is None else like(shape.shape, value, where)
    if isinstance(shape, Each):
        if not isinstance(value, (dict, list)):
            return ["%s is %r" % (where, value)]
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [line for k, v in items for line in like(shape.shape, v, "%s[%s]" % (where, k))]
    if isinstance(shape, re.Pattern):
        good = isinstance(value, str) and shape.fullmatch(value)
    elif isinstance(shape, type):
        good = type(value) is shape
    elif callable(shape):
        good = shape(value)
    else:
        good = value == shape and type(value) is type(shape)
    return [] if good else ["%s is %r, wanted %r" % (where, value, getattr(shape, "pattern", shape))]


def headers_of(reply, status):
    """Every answer says what it is, exactly, and is not for keeping."""
    wrong = []
    if reply.headers.get("Content-Type") != "application/json":
        wrong.append("Content-Type is %r" % reply.headers.get("Content-Type"))
    if reply.headers.get("Cache-Control") != "no-store":
        wrong.append("Cache-Control is %r" % reply.headers.get("Cache-Control"))
    if status == 204 and reply.body:
        wrong.append("204 with a body")
    return wrong


def one(row):
    request, body, status, wanted = row[:4]
    more = row[4] if len(row) > 4 else {}
    method, path = request.split(" ", 1)
    reply = server.call(method, path, body, **more)
    wrong = headers_of(reply, status)
    if reply.status != status:
        wrong = ["status %d, wanted %d" % (reply.status, status)]
    elif wanted is None:
        wrong += ["a body: %r" % reply.body] if reply.body else []
    elif not reply.body:
        wrong.append("no body")
    elif isinstance(wanted, (str, list)):
        wrong += like(Only(errors=[wanted] if isinstance(wanted, str) else wanted), reply.json)
    elif isinstance(wanted, re.Pattern):
        wrong += like(Only(errors=Each(wanted)), reply.json)
    else:
        wrong += like(wanted, reply.json)
    said = reply.body[:300] if wrong else b""
    return ["%s %s: %s (%r)" % (request, "" if body is None else json.dumps(body)[:100], line, said) for line in wrong]


def check(*rows):
    wrong = []
    for row in rows:
        wrong += one(row)
    assert not wrong, "\n" + "\n".join(wrong)


def enveloped(data, **more):
    shape = Only(request_id=UUID, lease_id="", renewable=False, lease_duration=0, data=data, wrap_info=None,
                 warnings=None, auth=None)
    shape.update(more)
    return shape


def injected(data, **more):
    """The old form: what is in data stands beside it too."""
    shape = enveloped(data, **more)
    shape.update({k: v for k, v in data.items() if k not in shape})
    return shape


def keys(*names):
    return enveloped(Only(keys=list(names)))


def has(**data):
    return enveloped(dict(data))


def warned(text, data=None):
    return enveloped(data, warnings=[text])


def good(method, path, body=None, **more):
    reply = server.call(method, path, body, **more)
    assert reply.status in (200, 204), (method, path, reply.status, reply.body)
    return reply.json


def token_with(policy=None, **fields):
    if policy is not None:
        good("PUT", "sys/policy/for-test", {"policy": policy})
        fields["policies"] = ["for-test"]
    return good("POST", "auth/token/create", fields)["auth"]["client_token"]


def raw(text, **more):
    return dict(raw=text.encode(), **more)


def by(token, **more):
    return dict(token=token, headers=more)


def b64(text):
    return base64.b64encode(text.encode()).decode()


def wrap(ttl="60"):
    return dict(headers={"X-Vault-Wrap-TTL": ttl})


def prepare():
    """An unsealed server with kv of both versions: one/ and a2/."""
    server.start()
    server.ready()
    good("POST", "sys/mounts/one", {"type": "kv", "options": {"version": "1"}})
    good("POST", "sys/mounts/a2", {"type": "kv-v2"})
