"""Faults that let somebody take what is not theirs, or do what they should not. Each rule yields findings."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from layerlab.context.sources import normal_path
from layerlab.dockerfile.shell import script
from layerlab.review import pricing
from layerlab.review.commands import server
from layerlab.review.finding import UNKNOWN, Finding, quoted
from layerlab.review.python import start_command
from layerlab.review.subject import Step, Subject

_SECRET = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_KEY|SECRET_KEY|PRIVATE_KEY|CREDENTIALS?)$",
    re.IGNORECASE,
)
# Special words of language models, and settings that only speak of secrets.
_NO_SECRET = re.compile(r"(?:PAD|EOS|BOS|UNK|SEP|CLS|MASK|MAX|MIN|NUM)_TOKEN$", re.IGNORECASE)
_CREDENTIALS_IN_URL = re.compile(r"\b[a-z+]+://[^\s/:@$'\"]*:([^\s/@$'\"{}]+)@")
_SECRET_FILE = re.compile(
    r"\.env(?:\.(?!example|sample|template|dist)\w+)?|id_(?:rsa|ed25519|ecdsa)|\.netrc|\.pypirc|\.git-credentials|"
    r"service-account.*\.json"
)
# What lies beside sources and belongs in no image, most harmful first.
_NOT_TO_SHIP = (
    ".env",
    ".git",
    ".aws",
    ".ssh",
    ".netrc",
    ".venv",
    "venv",
    "node_modules",
    "__pycache__",
    ".pytest_cache",
)
_DROPS_PRIVILEGES = re.compile(r"\b(?:gosu|su-exec|setpriv|runuser|chroot)\b")


def root(subject: Subject) -> Iterator[Finding]:
    """An image whose service runs as root."""
    user = subject.config.user
    name = (user or "").partition(":")[0]
    users = list(subject.of("USER", shipped=True))
    if user is None:
        if subject.base.starts_as_root is not True or _drops_privileges(subject):
            return
        line, what = subject.first_line(), "No USER: the service runs as root."
    elif name in ("root", "0"):
        line, what = users[-1].line, f"USER {quoted(user)}: the service runs as root."
    else:
        return
    yield Finding(
        "root", "leaks", (line,), what,
        "Who breaks into the service may do anything in the container, and is root on the machine if they get out.",
        "Add USER with a number, such as USER 10001, below the last line that installs or copies.",
    )  # fmt: skip


def secret(subject: Subject) -> Iterator[Finding]:
    """A secret in ARG, ENV, an address or a copied file: everybody who has the image can read it."""
    named: dict[str, list[tuple[int, bool]]] = {}
    for step in subject.of("ARG", "ENV"):
        for name, value in step.one.pairs:
            if is_secret(name, value, step.one.keyword):
                named.setdefault(name, []).append((step.line, step.stage in subject.shipped))
    for one in subject.dockerfile.global_args:
        for name, value in one.pairs:
            if value and is_secret(name, value, "ARG"):
                named.setdefault(name, []).append((one.line, False))
    for name, places in named.items():
        ships = any(is_shipped for _, is_shipped in places)
        yield _secret(tuple(sorted({line for line, _ in places})), f"{quoted(name)} is set by ARG or ENV.", ships=ships)
    for step in subject.of("RUN", "ENV", "ARG"):
        text = script(step.one) if step.one.keyword == "RUN" else step.one.logical
        if _CREDENTIALS_IN_URL.search(text):
            yield _secret((step.line,), "An address with a password in it.", ships=step.stage in subject.shipped)
    for step in subject.of("COPY", "ADD"):
        found = [one for one in step.one.sources if _SECRET_FILE.fullmatch(posixpath.basename(normal_path(one)))]
        if found and subject.reaches_image(step.stage, step.target):
            yield _secret((step.line,), f"It copies {quoted(', '.join(found))} into the image.", ships=True)


def whole_context(subject: Subject) -> Iterator[Finding]:
    """A COPY of the whole context with nothing that keeps files out of it."""
    context = subject.context
    if context is None:
        return
    there = {entry.path.partition("/")[0] for entry in context.entries}
    stray = [name for name in _NOT_TO_SHIP if name in there]
    for step in subject.of("COPY", "ADD"):
        takes_all = any(normal_path(source) in ("", "*") for source in step.one.sources)
        if not takes_all or not subject.reaches_image(step.stage, step.target):
            continue
        if context.ignore_text is None or stray:
            total = sum(one.size_bytes for one in context.files if one.path.partition("/")[0] in stray)
            missing = "and there is no .dockerignore" if context.ignore_text is None else "and .dockerignore lets pass"
            seen = f": {quoted(', '.join(stray))}" if stray else ""
            yield Finding(
                "whole-context", "leaks", (step.line,),
                f"It copies the whole folder, {missing}{seen}.",
                "Whatever lies in the folder one day goes along: .env, .git with all its past, a virtual environment.",
                "Copy files by name, or write a .dockerignore that begins with * and lets in what is needed.",
                pricing.known(total),
            )  # fmt: skip


def add_url(subject: Subject) -> Iterator[Finding]:
    """An ADD that fetches from the network what nobody checks."""
    for step in subject.of("ADD"):
        urls = [one for one in step.one.arguments[:-1] if one.startswith(("http://", "https://"))]
        if urls and step.one.flag("checksum") is None and subject.reaches_image(step.stage, step.target):
            yield Finding(
                "add-url", "leaks", (step.line,),
                f"ADD fetches {quoted(urls[0])} without a checksum.",
                "Whoever controls that address decides what your image holds at its next build.",
                "Use ADD --checksum=sha256:…, or fetch it in a builder and compare its checksum there.",
                UNKNOWN,
            )  # fmt: skip


def debugger(subject: Subject) -> Iterator[Finding]:
    """A debugger that runs code for whoever asks."""
    line, command = start_command(subject)
    name, arguments = server(command)
    env = dict(subject.config.env)
    if name == "flask" and line is not None and ("--debug" in arguments or env.get("FLASK_DEBUG") == "1"):
        yield Finding(
            "debugger", "leaks", (line,),
            "Flask starts with its debugger.",
            "The page it shows after an error runs any Python that a visitor types.",
            "Leave --debug and FLASK_DEBUG to your own machine, and start a production server.",
        )  # fmt: skip


def is_secret(name: str, value: str | None, keyword: str) -> bool:
    """True for a name that says secret, with a value that could be one."""
    if not _SECRET.search(name) or _NO_SECRET.search(name):
        return False
    if keyword == "ENV":
        # Empty, or told by a file or number: nothing is given away.
        return bool(value) and not str(value).isdecimal() and not str(value).startswith("/run/secrets")
    return True


def _secret(lines: tuple[int, ...], what: str, *, ships: bool) -> Finding:
    return Finding(
        "secret", "leaks", lines, what,
        "`docker history` and `docker inspect` show it to everybody who can pull the image."
        if ships
        else "It does not reach the image, but the build cache keeps it, and so do the build's records.",
        "Use RUN --mount=type=secret for the build, and give the running service its secrets at start.",
    )  # fmt: skip


def _drops_privileges(subject: Subject) -> bool:
    told = " ".join((*(subject.config.entrypoint or ()), *(subject.config.cmd or ())))
    texts = [told, *(_text(step) for step in subject.of("RUN", shipped=True))]
    return any(_DROPS_PRIVILEGES.search(text) for text in texts)


def _text(step: Step) -> str:
    return script(step.one)


RULES = (root, secret, whole_context, add_url, debugger)
