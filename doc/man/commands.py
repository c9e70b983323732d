#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the manual pages of bawn's commands, doc/man/bawn-COMMAND.1.scd, out of what the program says of itself.

  doc/man/commands.py BAWN [FOLDER]

There is one page for each first word of its table of commands, with all commands of a family on one page. `make update-man` runs
it; a test compares what it writes with what is there.
"""

import os
import re
import subprocess
import sys
import textwrap

WIDTH = 128
# What is said of flags that many commands have, here and in bawn(1) at length.
SHARED = {"Output", "Connection", "Common"}


def ask(bawn, *words):
    done = subprocess.run([bawn, *words], capture_output=True, text=True, check=True,
                          env={"LC_ALL": "C.UTF-8", "LANGUAGE": "C"})
    return done.stdout


class Help:
    """The help of one command, taken apart."""

    def __init__(self, bawn, name):
        self.name = name
        text = ask(bawn, *name.split(), "-help")
        usage, _, rest = text.partition("\n\n")
        self.usage = usage.partition(": bawn ")[2]
        self.sections = {}
        title, lines = "", []
        for line in rest.split("\n") + [":"]:
            if line.endswith(":") and not line.startswith(" "):
                self.sections[title] = "\n".join(lines)
                title, lines = line[:-1], []
            else:
                lines.append(line)
        paragraphs = self.paragraphs(self.sections[""])
        self.summary, self.text = paragraphs[0], paragraphs[1:]
        self.is_family = "Commands" in self.sections
        if self.is_family:
            self.text = [p for p in self.text if not p.startswith("“bawn COMMAND -help”")]

    @staticmethod
    def paragraphs(text):
        return [" ".join(p.split()) for p in re.split(r"\n\s*\n", text) if p.strip()]

    @property
    def examples(self):
        return [line.strip()[2:] for line in self.sections.get("Examples", "").splitlines() if line.strip()]

    def flags(self, section="Flags"):
        """(flag, metavar, text)"""
        found = []
        for line in self.sections.get(section, "").splitlines():
            if re.match(r"  -", line):
                flag, equals, metavar = line.strip().partition("=")
                found.append((flag, metavar if equals else None, []))
            elif line.strip():
                found[-1][2].append(line.strip())
        return [(flag, metavar, " ".join(lines)) for flag, metavar, lines in found]


def escaped(text):
    return re.sub(r"([\\*_])", r"\\\1", text)


def prose(text, indent=""):
    lines = textwrap.wrap(escaped(text), WIDTH - 8 * len(indent), break_on_hyphens=False, break_long_words=False)
    return "\n".join(indent + re.sub(r"^([-#.|\[\];~`])", r"\\\1", line) for line in lines)


def usage_line(usage):
    """Commands in bold, what stands for something else underlined."""
    words = []
    for word in usage.split(" "):
        core = re.fullmatch(r"(\[?)([A-Z=_/-]+…?)(\]?)", word)
        if core:
            words.append("%s_%s_%s" % (escaped(core.group(1)), core.group(2), core.group(3)))
        elif re.fullmatch(r"[a-z-]+", word):
            words.append("*%s*" % word)
        else:
            words.append(escaped(word))
    return "*bawn* " + " ".join(words)


def render(command):
    out = ["", "## bawn " + escaped(command.name), "", usage_line(command.usage), "", prose(command.summary + "."), ""]
    for paragraph in command.text:
        out += [prose(paragraph), ""]
    for flag, metavar, text in command.flags():
        out += ["*%s*%s" % (escaped(flag), "" if metavar is None else "=_%s_" % metavar), prose(text, "\t"), ""]
    if command.examples:
        out += ["Examples:", ""] + literal(command.examples)
    return out[:-1]


def literal(lines):
    return ["```"] + lines + ["```", ""]


def page(bawn, first, names):
    head = Help(bawn, first)
    commands = [Help(bawn, name) for name in names]
    commands = [command for command in commands if not command.is_family]
    title = "bawn-" + first
    usages = [usage_line(command.usage) for command in commands]
    out = ["%s(1)" % title, "", "; SPDX-License-Identifier: LGPL-2.1-or-later", "; Made by commands.py: change the texts in src/cli.", "",
           "# NAME", "", "%s - %s" % (title, escaped(head.summary[0].lower() + head.summary[1:])), "", "# SYNOPSIS", ""]
    out += ["++\n".join(usages), ""]
    if head.is_family and head.text:
        out += ["# DESCRIPTION", ""] + [prose(p) + "\n" for p in head.text]
    out += ["# COMMANDS" if head.is_family else "# DESCRIPTION"]
    if head.is_family:
        for command in commands:
            out += render(command)
    else:
        single = commands[0]
        examples = single.sections.pop("Examples", "")
        if first == "status":
            status, single.text = single.text, []
        out += render(single)[4:]
        single.sections["Examples"] = examples
    out += ["", "# FLAGS OF MANY COMMANDS", "",
            "What these do, and the variables that stand for them, is in *bawn*(1).", ""]
    for section in ("Output", "Connection", "Common"):
        flags = []
        for command in commands:
            flags += [flag for flag, _, _ in command.flags(section) if flag not in flags]
        if flags:
            out += ["%s: %s." % (section, ", ".join("*%s*" % flag for flag in flags)), ""]
    out += ["# EXIT STATUS", "", "0 if it is done; 1 if something on this side is wrong; 2 if the server refused or could not be reached.", ""]
    if first == "status":
        out[-2:] = [prose(status[0]), ""]
    if not head.is_family and single.examples:
        out += ["# EXAMPLES", ""] + literal(single.examples)
    out += ["# SEE ALSO", "", "*bawn*(1), *bawnd*(8)"]
    return "\n".join(out) + "\n"


def names_below(bawn, *words):
    found = []
    for word in ask(bawn, "__complete", *words, "").split():
        if not word.startswith("-"):
            found.append(" ".join(words + (word,)))
            found += names_below(bawn, *words, word)
    return found


def main():
    bawn = os.path.abspath(sys.argv[1])
    folder = sys.argv[2] if len(sys.argv) > 2 else os.path.dirname(os.path.abspath(__file__))
    pages = {}
    for name in names_below(bawn):
        pages.setdefault(name.split()[0], []).append(name)
    for first, names in pages.items():
        with open(os.path.join(folder, "bawn-%s.1.scd" % first), "w") as out:
            out.write(page(bawn, first, names))


main()
