"""Reads the commands of a RUN well enough to say what they install, remove or hide. Runs nothing, is no shell."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from layerlab.dockerfile.model import Dockerfile, Instruction, Stage

# Each alternative begins with another character, and none gives back what it took: linear on any text.
_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r]+|(?<![^\s;&|()])\#[^\n]*)
    |(?P<joint>&&|\|\||;;|[;|\n()]|&(?!>))
    |(?P<redirect>&>>?|\d?(?:>>|>\||<<<|<<-?|[<>])&?)
    |(?P<word>(?:\\.|'[^']*+'|"(?:\\.|[^"\\])*+"|\$\((?:[^()]|\([^()]*+\))*+\)|`[^`]*+`|[^\s;&|()<>])+)""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(r"""\\(.)|'([^']*)'|"((?:\\.|[^"\\])*)\"""", re.DOTALL)
# Words of the shell's own grammar, and programs that only run another one.
_BEFORE_A_PROGRAM = frozenset(
    {"if", "then", "else", "elif", "do", "while", "until", "!", "{", "}", "exec", "sudo", "env", "time"}
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_GROUP = re.compile(r"\([^()]*\)|\{ [^{}]*\}")
_FORGIVEN = re.compile(r"\|\|\s*(?:true|:|exit 0|echo\b[^;&|]*)(?=\s|$|;|&|\))|;\s*(?:true|exit 0)\s*$")
_INSTALL = re.compile(
    r"\b(?:(?:uv\s+)?(?:pip3?|pipx)\s+(?:\S+\s+)*?install|uv\s+(?:sync|add|venv)|apt(?:-get)?\s+(?:\S+\s+)*?install|"
    r"apk\s+(?:\S+\s+)*?add|poetry\s+install|conda\s+install|make\b|gcc\b)"
)
_COMPILER = re.compile(
    r"^(?:build-essential|build-base|gcc(?:-\d+)?|g\+\+(?:-\d+)?|clang(?:-\d+)?|make|cmake|binutils|cargo|rustc|"
    r"musl-dev|libc6-dev|linux-headers|python3?-dev|.+-dev)$"
)
_REMOVAL = re.compile(
    r"^(?:rm|rmdir|unlink)\b|^find\b.*(?:-delete|-exec\s+rm)|\b(?:pip3?)\s+(?:\S+\s+)*?uninstall|"
    r"\b(?:apt-get|apt)\s+(?:\S+\s+)*?(?:purge|remove|autoremove|clean)|\bapk\s+(?:\S+\s+)*?del\b|"
    r"\b(?:pip3?|uv)\s+cache\s+(?:purge|clean)"
)
_HARMLESS = re.compile(r"^(?:set|cd|true|:|echo\s[^>]*|sync)\b[^>]*$")
_VENV = re.compile(r"(?:\s-m\s+venv|\buv\s+venv|\bvirtualenv)\b(?P<words>[^;&|]*)")


@dataclass(frozen=True)
class Installed:
    """Packages that one RUN asks for, with its line."""

    line: int
    packages: tuple[str, ...]


def script(run: Instruction) -> str:
    """Return what a RUN runs as one text, heredocs included."""
    return "\n".join([" ".join(run.arguments), *(heredoc.text for heredoc in run.heredocs)])


@dataclass(frozen=True)
class Command:
    """One simple command.

    Attributes
    ----------
    words
        Without quotes, redirections, and whatever only runs the program: ``sudo``, ``exec``, ``then``, assignments.
    written_to
        Files that its output goes to.
    joint
        What stands between it and the next command: ``&&``, ``||``, ``;``, ``|``; empty at the end.
    """

    text: str
    words: tuple[str, ...]
    written_to: tuple[str, ...] = ()
    joint: str = ""

    @property
    def program(self) -> str:
        """The program's name without its folder, or the empty string."""
        return self.words[0].rpartition("/")[2] if self.words else ""


def parsed(text: str) -> tuple[Command, ...]:
    """Take a script apart into its simple commands, in their order; quotes and substitutions are kept together.

    >>> [(one.words, one.joint) for one in parsed("cd /x && echo 'a && b' > f; true")]
    [(('cd', '/x'), '&&'), (('echo', 'a && b'), ';'), (('true',), '')]
    """
    found: list[Command] = []
    begin, words, files, into = 0, [], [], ""  # type: int, list[str], list[str], str
    # What no alternative takes is a lone quote or backslash: it is passed over.
    for match in _TOKEN.finditer(text):
        if match["joint"]:
            _close(found, text[begin : match.start()], words, files, match["joint"])
            begin, words, files, into = match.end(), [], [], ""
        elif match["redirect"]:
            into = match["redirect"]
        elif match["word"]:
            if ">" in into:
                files.append(unquoted(match["word"]))
            elif not into:
                words.append(unquoted(match["word"]))
            into = ""
    _close(found, text[begin:], words, files, "")
    return tuple(found)


def unquoted(word: str) -> str:
    """Return a word without its quotes and backslashes."""
    return _QUOTED.sub(lambda match: next(part for part in (*match.groups(), "") if part is not None), word)


def simple_commands(run: Instruction) -> tuple[Command, ...]:
    """Return the simple commands of a RUN, those of its heredocs included."""
    if run.form == "exec":
        return _of_words(run.arguments)
    return parsed(script(run))


def _of_words(words: tuple[str, ...]) -> tuple[Command, ...]:
    # ["sh", "-c", "a && b"]: the script is the third word.
    if len(words) > 2 and words[0].rpartition("/")[2] in ("sh", "bash", "ash", "dash") and words[1].endswith("c"):
        return parsed(words[2])
    return (Command(" ".join(words), words),) if words else ()


def _close(found: list[Command], text: str, words: list[str], files: list[str], joint: str) -> None:
    while words and (words[0] in _BEFORE_A_PROGRAM or _ASSIGNMENT.match(words[0])):
        del words[0]
    if words or files:
        found.append(Command(text.strip(" \t{}"), tuple(words), tuple(files), joint))
    elif found and joint not in ("(", ")"):
        # `( a && b ) || c`: what follows the bracket follows its last command.
        found[-1] = replace(found[-1], joint=joint if joint != "\n" else found[-1].joint or joint)


def commands(run: Instruction) -> tuple[str, ...]:
    """Return the single commands of a RUN as they are written, without what joins them."""
    return tuple(one.text for one in simple_commands(run))


def runs(stage: Stage) -> tuple[Instruction, ...]:
    """Return the RUNs of a stage."""
    return tuple(one for one in stage.instructions if one.keyword == "RUN")


def compilers(stage: Stage) -> tuple[Installed, ...]:
    """Return the compilers and headers that a stage's package manager is asked for."""
    found = []
    for run in runs(stage):
        asked = (command for command in commands(run) if re.match(r"(?:sudo\s+)?(?:apt-get|apt|apk)\b", command))
        packages = tuple(word for command in asked for word in command.split() if _COMPILER.match(word))
        found += [Installed(run.line, packages)] if packages else []
    return tuple(found)


def only_removes(run: Instruction) -> bool:
    """True where a RUN takes away and writes nothing: what it takes away was written by an earlier layer."""
    told = [command for command in commands(run) if not _HARMLESS.match(command)]
    return bool(told) and all(_REMOVAL.search(command) for command in told)


def forgiven(run: Instruction) -> str | None:
    """Return the part of a RUN whose failure nobody would see, if there is more to it than a lone clean-up.

    Notes
    -----
    ``A && B || true`` is ``(A && B) || true``: && and || bind alike, from the left (POSIX shell, "AND-OR lists").
    """
    text = script(run)
    while (outside := _GROUP.sub(_kept_group, text)) != text:
        text = outside
    for match in _FORGIVEN.finditer(text):
        chain = re.split(r"[;\n]", text[: match.start()])[-1].strip()
        if "&&" in chain or _INSTALL.search(chain):
            return f"{chain.split('&&')[0].strip()} … {match[0].strip()}"
    return None


def venvs(stages: tuple[Stage, ...]) -> frozenset[str]:
    """Return the folders in which these stages make virtual environments, as written there."""
    told = (match["words"].split() for stage in stages for run in runs(stage) for match in _VENV.finditer(script(run)))
    return frozenset(word.rstrip("/") for words in told for word in words if not word.startswith("-"))


def line_of(dockerfile: Dockerfile, *keywords: str) -> int | None:
    """Return the line of the last such instruction that the shipped image has, parents of its stage included."""
    stage: Stage | None = dockerfile.stages[-1]
    while stage is not None:
        lines = [one.line for one in stage.instructions if one.keyword in keywords]
        if lines:
            return lines[-1]
        stage = None if stage.base_stage is None else dockerfile.stages[stage.base_stage]
    return None


def shipped(dockerfile: Dockerfile) -> tuple[Stage, ...]:
    """Return the stages whose layers are in the image that is shipped: the last one and those it continues."""
    found = [dockerfile.stages[-1]]
    while (below := found[0].base_stage) is not None:
        found.insert(0, dockerfile.stages[below])
    return tuple(found)


def _kept_group(match: re.Match[str]) -> str:
    # What a group forgives stays within it; what it installs must still be seen.
    text = match[0][1:-1]
    return f" {text} " if _INSTALL.search(text) else " group "
