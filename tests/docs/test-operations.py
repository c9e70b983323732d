#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""doc/operations.md explains every warning and every error that the server can log, and none that it cannot.

What differs from one to the next is `…` in the page, and a conversion of printf in the sources. Links within the documents lead
somewhere, and the commands in them are commands of bawn, with flags that these have.
"""

import glob
import os
import re
import shlex
import subprocess
import sys

SOURCE = os.environ.get("srcdir") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("builddir") or os.path.join(SOURCE, "build")
PAGE = os.path.join(SOURCE, "doc/operations.md")
LOUD = re.compile(r"\bbawn_log_(?:warn|error) \(|\bbawn_log_with \(\s*BAWN_LOG_(?:WARN|ERROR)\b|\bg_(?:message|warning|critical) \(")
ANY = re.compile(r"\bbawn_log_[a-z_]+ \(|\bg_(?:message|warning|critical) \(")


def arguments(text, start):
    """What stands between the commas of a call, of which the parenthesis is just before @start."""
    found, depth, at, begin = [], 1, start, start
    while depth:
        if text[at] == '"':
            at = re.compile(r'"(?:[^"\\]|\\.)*"').match(text, at).end()
            continue
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(text[at], 0)
        if depth == 0 or depth == 1 and text[at] == ",":
            found.append(text[begin:at])
            begin = at + 1
        at += 1
    return found


def template(function, given):
    """The format of a call, with … for what differs; None if the whole differs."""
    # Before it may stand a level, a module, and fields.
    place = 0 if function.startswith("g_") else 3 if function == "bawn_log_with" else 1
    if len(given) <= place or '"' not in given[place]:
        return None
    text = re.sub(r"\bG_G[A-Z0-9]+_FORMAT\b|\bPRI[a-z0-9]+\b", "", given[place])
    text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text)).replace('\\"', '"')
    text = re.sub(r"%[-0-9.*]*(?:z|l|ll)?[a-zA-Z]?", "…", text)
    return None if set(text) <= set("… :;") else text


def messages(pattern):
    found = {}
    for path in sorted(glob.glob(os.path.join(SOURCE, "src/**/*.c"), recursive=True)):
        if path.endswith("-generated.c"):
            continue
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for call in pattern.finditer(text):
            given = arguments(text, text.index("(", call.start()) + 1)
            found[template(call.group().partition(" ")[0], given)] = \
                "%s:%d" % (os.path.relpath(path, SOURCE), text.count("\n", 0, call.start()) + 1)
    found.pop(None, None)
    return found


def anchors(path):
    with open(path, encoding="utf-8") as f:
        titles = re.findall(r"^#+ (.*)$", f.read(), re.M)
    return {re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links():
    for path in sorted(glob.glob(os.path.join(SOURCE, "doc/*.md"))):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for name, _, anchor in re.findall(r"\]\(([^)#:]*)(#([^)]*))?\)", text):
            target = os.path.join(os.path.dirname(path), name) if name else path
            if not os.path.exists(target):
                yield "%s: no file %s" % (os.path.basename(path), name)
            elif anchor and anchor not in anchors(target):
                yield "%s: no heading %s in %s" % (os.path.basename(path), anchor, os.path.basename(target))


def ask(*words):
    return subprocess.run([os.path.join(BUILD, "src/cli/bawn"), *words], capture_output=True, text=True,
                          env={"LC_ALL": "C.UTF-8", "LANGUAGE": "C"}).stdout


def commands(*words):
    for word in ask("__complete", *words, "").split():
        yield " ".join(words + (word,))
        yield from commands(*words, word)


def command_lines():
    """Where, and the words behind bawn, in blocks of code."""
    for path in sorted(glob.glob(os.path.join(SOURCE, "doc/*.md"))) + [os.path.join(SOURCE, "README")]:
        with open(path, encoding="utf-8") as f:
            lines = f.read().splitlines()
        fenced = False
        for number, line in enumerate(lines, 1):
            fenced ^= line.startswith("```")
            found = re.search(r"(?:^|[|;({] ?|[A-Z_]+=\S+ )bawn ([^|;)>&]*)", line.strip())
            if found and (fenced or line.startswith("    ")):
                yield "%s:%d" % (os.path.basename(path), number), shlex.split(found.group(1), comments=True)


def wrong_commands():
    known = set(commands())
    helps = {}
    lines = list(command_lines())
    if len(lines) < 40:
        yield "only %d commands are found" % len(lines)
    for where, words in lines:
        names = [name for name in (" ".join(words[:n]) for n in (3, 2, 1)) if name in known]
        if not names or any(name.startswith(names[0] + " ") for name in known):
            yield "%s: no command %s" % (where, " ".join(words))
            continue
        text = helps.setdefault(names[0], ask(*names[0].split(), "-help"))
        for flag in (word.split("=")[0] for word in words if re.match("-[a-z]", word)):
            if not re.search(r"^  %s(=|$)" % re.escape(flag), text, re.M):
                yield "%s: %s has no %s" % (where, names[0], flag)


def main():
    with open(PAGE, encoding="utf-8") as f:
        text = f.read()
    rows = [row for table in re.findall(r"^\| (?:message|it says) \|.*\n((?:\|.*\n)+)", text, re.M) for row in table.splitlines()]
    explained = {message for row in rows for message in re.findall(r"`([^`]*)`", row.split(" | ")[0])}
    loud, every = messages(LOUD), messages(ANY)

    # Within the text a message may be cut short, with … at its end.
    def is_known(message):
        return message in every or message.endswith("…") and any(known.startswith(message[:-1].rstrip()) for known in every)

    checks = (
        ("messages are found in the sources", [] if len(loud) > 30 else ["only %d" % len(loud)]),
        ("every warning and error is in doc/operations.md", ["%s: %s" % (loud[m], m) for m in loud if m not in explained]),
        ("every message in doc/operations.md is in the sources", [m for m in sorted(explained) if not is_known(m)]),
        ("links between the documents lead somewhere", list(broken_links())),
        ("the commands that documents name exist, with their flags", list(wrong_commands())),
    )
    for number, (name, faults) in enumerate(checks, 1):
        for fault in faults:
            print("# " + fault)
        print("%sok %d - %s" % ("not " if faults else "", number, name))
    print("1..%d" % len(checks))
    sys.exit(1 if any(faults for _, faults in checks) else 0)


main()
