"""Learners' answers as files: one JSON file per exercise, written whole or not at all.

Knows files, ids and JSON values; refuses to know questions, checks and whether an answer is right.
"""

from __future__ import annotations

import atexit
import errno
import json
import os
import re
import reprlib
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from layerlab.errors import AnswerError, DiskFull, LayerLabError

_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
# One half of a pair (a lone surrogate), as a text cut in the middle of an emoji has it.
_HALF = re.compile("[\ud800-\udfff]")
_OWN, _OWN_LOCK = "layerlab-solution-", "lock"
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_LOCK_SECONDS = 10.0


@dataclass(frozen=True)
class Answer:
    """A kept answer: a JSON value, and when it was kept (ISO 8601, UTC)."""

    value: Any
    kept_at: str


def work_folder(here: Path | None = None) -> Path:
    """Return the folder of learners' files: ``LAYERLAB_WORK``, else ``exercises/work`` of the checkout.

    The checkout is looked for from ``here`` upwards, by default from the current folder, because a notebook runs in
    its own folder. Outside a checkout it is ``layerlab-work`` in that folder. Nothing is created.
    """
    if named := os.environ.get("LAYERLAB_WORK"):
        return Path(named).expanduser()
    here = here or Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "pyproject.toml").is_file() and (folder / "layerlab" / "__init__.py").is_file():
            return folder / "exercises" / "work"
    return here / "layerlab-work"


@cache
def own_folder() -> Path:
    """Return a folder for answers that are no learner's: one for each process, empty when it is first asked for.

    It goes with the process; what a killed process left goes when the next one asks.
    """
    home = Path(tempfile.mkdtemp(prefix=_OWN))
    for left in home.parent.glob(f"{_OWN}*"):
        _remove_left(left, home)
    lock = FileLock(home / _OWN_LOCK)
    lock.acquire()
    # The lock is held as long as this function is registered, and so as long as the process lives.
    atexit.register(_remove, home, lock)
    work = home / "work"
    work.mkdir()
    return work


def _remove_left(left: Path, ours: Path) -> None:
    """Remove a folder of a process of the same user that is no more."""
    with suppress(OSError):  # it goes meanwhile, or its lock is held
        found = left.lstat()
        # Without a folder for answers its process may be about to take the lock.
        if stat.S_ISDIR(found.st_mode) and found.st_uid == ours.stat().st_uid and (left / "work").is_dir():
            with FileLock(left / _OWN_LOCK, timeout=0):
                shutil.rmtree(left)


def _remove(home: Path, lock: FileLock) -> None:
    shutil.rmtree(home, ignore_errors=True)
    lock.release()


def is_id(text: str) -> bool:
    """True where a folder, a kind or an answer can be called so."""
    return bool(_ID.fullmatch(text))


def is_file_name(text: str) -> bool:
    """True where `Answers.keep_file` takes this name."""
    return bool(_FILE_NAME.fullmatch(text))


def is_text(value: Any) -> bool:
    """True for a text that a file can hold: one without half a character."""
    return isinstance(value, str) and not _HALF.search(value)


class Answers:
    """The answers of one exercise or notebook, in ``<work>/<name>/<kind>.json``.

    Every read looks at the file, so two kernels see each other's answers. A value that could not be
    written (disk full) stays in memory, is returned by `get`, and is written with the next `keep`.
    """

    def __init__(self, folder: Path, kind: str = "answers") -> None:
        self.folder = folder
        self.path = folder / f"{_valid_id(kind)}.json"
        self._unwritten: dict[str, Answer] = {}

    @classmethod
    def open(cls, name: str, *, kind: str = "answers", work: Path | None = None) -> Answers:
        """Open the answers of ``name`` ("01_naive"). No file is made before the first answer is kept.

        Parameters
        ----------
        kind
            Which file: ``answers``, ``predictions`` or ``attempts``.
        work
            The folder of learners' files; `work_folder` where None.
        """
        return cls((work or work_folder()) / _valid_id(name), kind)

    def get(self, id: str) -> Any:
        """Return the kept value, or None. Raises AnswerError where the file is damaged."""
        answer = self.all().get(_valid_id(id))
        return None if answer is None else answer.value

    def all(self) -> dict[str, Answer]:
        """Return every kept answer by its id, those that wait for room on the disk included."""
        return {**self._read(), **self._unwritten}

    def keep(self, id: str, value: Any) -> Answer:
        """Write an answer and return it.

        Raises
        ------
        AnswerError
            The id or value is none, the folder cannot be written, or the file is damaged.
        DiskFull
            No room; the answer stays in memory until the next `keep` finds some.
        """
        answer = Answer(_valid_value(id, value), datetime.now(UTC).isoformat(timespec="seconds"))
        self._unwritten[_valid_id(id)] = answer
        with self._locked():
            # Read under the lock: another kernel may have written since we last looked.
            self._write({**self._read(), **self._unwritten})
        self._unwritten.clear()
        return answer

    def keep_first(self, id: str, value: Any) -> Answer:
        """Write an answer unless one is kept already; return the one that is kept then. Raises as `keep` does."""
        # Looked up before the lock is taken: a cell that is run again writes nothing.
        return self.all().get(_valid_id(id)) or self.keep(id, value)

    def change(self, how: Callable[[dict[str, Answer]], Mapping[str, Answer]]) -> None:
        """Replace all answers by what ``how`` makes of them, times included, while nobody else writes.

        Raises AnswerError or DiskFull as `keep` does; the file is then as it was.
        """
        with self._locked():
            kept = self._read()
            changed = dict(how(dict(kept)))
            if changed != kept:
                self._write(changed)

    def clear(self, id: str) -> None:
        """Forget an answer. Clearing what was never kept is no error."""
        self._unwritten.pop(_valid_id(id), None)
        if id not in self._read():
            return
        with self._locked():
            kept = self._read()
            kept.pop(id, None)
            self._write(kept)

    def keep_file(self, name: str, text: str, *, look: Callable[[], None] = lambda: None) -> Path:
        """Write a plain file (a Dockerfile) beside the answers and return its path.

        Parameters
        ----------
        look
            Called while nobody else writes, and raises where the file must stay as it is.
        """
        path = self._file(name)
        with self._locked():
            look()
            write_whole(path, text)
        return path

    def replace_file(self, name: str, text: str, *, is_worth: Callable[[], bool] = lambda: True) -> Path | None:
        """Write a plain file as `keep_file` does, after copying what is there; return the copy, if one was made.

        The file is never missing: whatever moment this ends at, its name leads to the old text or to the new one.

        Parameters
        ----------
        is_worth
            Asked while nobody else writes: whether what is there is worth a copy.
        """
        path = self._file(name)
        with self._locked():
            backup = _copied(path) if path.exists() and is_worth() else None
            try:
                write_whole(path, text)
            except LayerLabError:
                if backup:
                    backup.unlink(missing_ok=True)  # of a file that stays as it is
                raise
        return backup

    def keep_beside(self, name: str, text: str) -> Path:
        """Write a plain file as a backup of another one, under a free name, and return its path."""
        path = self._file(name)
        with self._locked():
            # Chosen under the lock: a second kernel would choose the same name and write over this text.
            backup = _free_name(path, "backup")
            write_whole(backup, text)
        return backup

    def _file(self, name: str) -> Path:
        if not is_file_name(name):
            raise AnswerError(f"{name!r} cannot be a file name here. Use letters, digits, '.', '-' and '_'.")
        return self.folder / name

    def _read(self) -> dict[str, Answer]:
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise _unwritable(self.path, error) from error
        try:
            return _parse(text)
        except ValueError as error:
            raise self._set_aside(error) from error

    def _set_aside(self, fault: ValueError) -> AnswerError:
        aside = _free_name(self.path, "damaged")
        try:
            self.path.rename(aside)
        except OSError as error:
            return AnswerError(
                f"{self.path} is damaged ({fault}) and cannot be renamed ({error.strerror}). "
                "Move it away yourself, then run the cell again."
            )
        return AnswerError(
            f"{self.path} was damaged ({fault}); nothing is lost, it is now called {aside.name}. "
            "Run the cell again to go on with an empty file, or mend that one and rename it back."
        )

    def _write(self, kept: dict[str, Answer]) -> None:
        body = {id: {"value": answer.value, "kept_at": answer.kept_at} for id, answer in sorted(kept.items())}
        write_whole(self.path, json_text({"version": 1, "answers": body}))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".lock", timeout=_LOCK_SECONDS)
            lock.acquire()
        except Timeout as error:
            raise AnswerError(
                f"Another notebook has been writing to {self.folder} for {_LOCK_SECONDS:.0f} s. "
                "Close the other one, or wait, and keep the answer again."
            ) from error
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        try:
            yield
        finally:
            lock.release()


def _parse(text: bytes) -> dict[str, Answer]:
    body = json.loads(text.decode("utf-8"))
    kept = body.get("answers") if isinstance(body, dict) else None
    if not isinstance(kept, dict):
        raise ValueError("it holds no answers")
    answers = {}
    for id, entry in kept.items():
        if not isinstance(entry, dict) or "value" not in entry:
            raise ValueError(f"{id!r} holds no value")
        answers[id] = Answer(entry["value"], str(entry.get("kept_at", "")))
    return answers


def write_whole(path: Path, text: str) -> None:
    """Write a text as UTF-8, its line endings as they are, whole or not at all. Raises AnswerError, DiskFull."""
    content = encoded(text)
    with _whole(path) as file:
        file.write(content)


def json_text(body: Any) -> str:
    """Return a value as JSON in the form of all our files: as it is read by people, and never what no file can hold."""
    # Half of a pair (a lone surrogate) that a file brought along stays an escape, as it was there.
    text = json.dumps(body, indent=1, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def encoded(text: str) -> bytes:
    """Return a text as UTF-8. Raises AnswerError where a character is none: half of a pair (a lone surrogate)."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise AnswerError(
            f"Character {error.start + 1} cannot be written as UTF-8. Remove it, then save again."
        ) from error


def _copied(path: Path) -> Path:
    """Copy a file beside itself, whatever it holds, and return the copy: flushed, and as old as the original."""
    backup = _free_name(path, "backup")
    try:
        with path.open("rb") as source:
            found = os.fstat(source.fileno())
            with _whole(backup) as file:
                shutil.copyfileobj(source, file)
        os.utime(backup, ns=(found.st_atime_ns, found.st_mtime_ns))
    except OSError as error:
        raise _unwritable(path, error) from error
    return backup


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write to, which takes the name ``path`` once all of it is on the disk."""
    # Written beside it, flushed, then renamed: a crash leaves the old file or the new one, never half.
    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        if temporary:
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from error
        raise


def _unwritable(path: Path, error: OSError) -> AnswerError | DiskFull:
    if error.errno in _NO_SPACE:
        return DiskFull(
            f"No space is left to write {path}. Your answer is kept in memory: make room, "
            "then keep it again before you close the notebook."
        )
    return AnswerError(
        f"{path} cannot be read or written ({error.strerror or error}). "
        "Make the folder writable, or name another one in LAYERLAB_WORK."
    )


def _free_name(path: Path, what: str) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.{what}-{number}")).exists():
        number += 1
    return aside


def _valid_id(id: str) -> str:
    if not isinstance(id, str) or not is_id(id):
        raise AnswerError(f"{id!r} cannot be an id. Use lower-case letters, digits, '-' and '_'.")
    return id


def _valid_value(id: str, value: Any) -> Any:
    if value is None:
        raise AnswerError(f"{id} has no answer yet. Choose or write one, then keep it.")
    try:
        # Through JSON and back: what is returned now is what a later kernel will read.
        read = json.loads(json.dumps(value, allow_nan=False))
        text = json.dumps(read, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise AnswerError(
            f"{reprlib.repr(value)} cannot be saved as the answer to {id} ({error}). "
            "Use text, numbers, or lists of them."
        ) from error
    _refuse_half_characters(id, text)
    return read


def _refuse_half_characters(id: str, text: str) -> None:
    # A file could hold it as an escape, but no page could show the answer again.
    if half := _HALF.search(text):
        before = text[: half.start()].rpartition('"')[2][-20:]
        where = f" after “{before}”" if before else ""
        raise AnswerError(
            f"The answer to {id} holds half a character{where} (U+{ord(half[0]):04X}), which cannot be saved. "
            "Remove it, then save the answer again."
        )
