"""A learner's text file on disk: loaded, saved whole, never overwritten unseen. Knows no panel and no verdict.

The file is the truth, because every editor can change it. So each object remembers what it last read or wrote.
"""

from __future__ import annotations

import re
from collections import Counter
from hashlib import sha256
from itertools import takewhile
from pathlib import Path

from layerlab.errors import AnswerError
from layerlab.units import size
from layerlab.work.answers import Answers, encoded

# The course's own Dockerfiles have 1 to 3 kB; a text of this size is still judged while it is typed.
MOST_BYTES = 100_000

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_ENDING = re.compile(r"\r\n|\r|\n")


class WorkFile:
    """A file that starts as ``starter`` and is made by the first `save`; reading creates nothing.

    Attributes
    ----------
    path, starter
        Where the file is, and what stands for it while it is not there.
    """

    def __init__(self, path: Path, starter: str) -> None:
        self.path = path
        self.starter = starter
        self._seen = self._fingerprint()

    @property
    def exists(self) -> bool:
        """True where the file is on the disk."""
        return self.path.exists()

    @property
    def text(self) -> str:
        """What is on the disk now, line endings as they are; the starter where there is no file.

        Raises AnswerError where it is no text, too large or cannot be read. The file is left alone.
        """
        content = self._content()
        return self.starter if content is None else content

    @property
    def is_untouched(self) -> bool:
        """True where the file is missing or says what the starter says."""
        try:
            return same_lines(self.text, self.starter)
        except AnswerError:
            return False

    @property
    def changed_on_disk(self) -> bool:
        """True where the file is not what this object last read or wrote; a deleted one is changed too."""
        return self._fingerprint() != self._seen

    def load(self) -> str:
        """Return `text` and remember it as seen. Raises AnswerError as `text` does."""
        fingerprint = self._fingerprint()
        text = self.text
        self._seen = fingerprint
        return text

    @property
    def complaint(self) -> str:
        """Why `save` would refuse, as two sentences: another hand changed the file, or it is no text; else empty."""
        try:
            self._content()
        except AnswerError as error:
            return str(error)
        if not self.changed_on_disk:
            return ""
        if not self.exists:
            return (
                f"{self.path.name} was deleted or renamed on disk since it was last read here. "
                "Keep your text, or load the starter."
            )
        return (
            f"{self.path.name} was changed on disk since it was last read here. "
            "Load it, or keep your text: what is in the file then becomes a backup."
        )

    def as_saved(self, text: str) -> str:
        r"""Return the text as `save` would write it.

        Notes
        -----
        A browser hands back every line ending as \n (HTML standard, "API value" of a textarea). So lines that
        did not change keep the ending they have in the file, and new ones take the one the file has most.
        A text that brings line endings of its own is written as it is.
        """
        try:
            old = _LINE.findall(self.text)
        except AnswerError:
            return text
        if "\r" in text or not any("\r" in line for line in old):
            return text
        return _with_endings(_LINE.findall(text), old)

    def save(self, text: str, *, over: bool = False) -> Path | None:
        """Write the text whole or not at all.

        Parameters
        ----------
        over
            Also over a file that changed since it was last seen; what is there is then kept as a backup.

        Returns
        -------
        The backup, where one was made.

        Raises
        ------
        AnswerError
            The file changed or cannot be shown as text (and not ``over``), or the text cannot be a file.
        DiskFull
            No room. The old file is unharmed, and the caller still has the text.
        """
        whole = self.as_saved(text)
        _require_writable(whole)
        if self._holds(whole):
            self._seen = self._fingerprint()
            return None
        # What is there is copied, not moved: a writer that is killed on the way leaves a file all the same.
        folder, backup = self._folder(), None
        if over:
            backup = folder.replace_file(self.path.name, whole)
        else:
            self._refuse_changed()  # before a folder is made
            folder.keep_file(self.path.name, whole, look=self._refuse_changed)
        self._seen = sha256(whole.encode()).hexdigest()
        return backup

    def reset(self) -> Path | None:
        """Go back to the starter; return the backup of what was there, None where that was the starter."""
        backup = self._folder().replace_file(self.path.name, self.starter, is_worth=lambda: not self.is_untouched)
        self._seen = sha256(self.starter.encode()).hexdigest()
        return backup

    def keep_aside(self, text: str) -> Path:
        """Write a text beside the file, under a free name, and return where. Raises AnswerError, DiskFull."""
        _require_writable(text)
        return self._folder().keep_beside(self.path.name, text)

    # --- the file --------------------------------------------------------------------------------

    def _folder(self) -> Answers:
        return Answers(self.path.parent)

    def _content(self) -> str | None:
        try:
            if (found := self.path.stat().st_size) > MOST_BYTES:
                raise AnswerError(
                    f"{self.path} has {size(found)}; at most {size(MOST_BYTES)} fit into the editor. "
                    "The file is left as it is. Shorten it in another editor, or reset it: it is then kept as a backup."
                )
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise AnswerError(
                f"{self.path} cannot be read ({error.strerror or error}). Make it a file that you may read and write."
            ) from error
        return _decoded(content, self.path)

    def _fingerprint(self) -> str:
        """What the file is now, without raising: a hash, or what stands for one that is not read."""
        try:
            found = self.path.stat()
            if found.st_size > MOST_BYTES:
                return f"{found.st_size} bytes of {found.st_mtime_ns}"
            return sha256(self.path.read_bytes()).hexdigest()
        except FileNotFoundError:
            return "missing"
        except OSError as error:
            return f"unreadable: {error.errno}"

    def _holds(self, text: str) -> bool:
        return self._fingerprint() == sha256(text.encode()).hexdigest()

    def _refuse_changed(self) -> None:
        if complaint := self.complaint:
            raise AnswerError(complaint)


def plain(text: str) -> str:
    r"""Return the text with every line ending as \n, as a browser's text field has it."""
    return _ENDING.sub("\n", text)


def same_lines(one: str, other: str) -> bool:
    """True where two texts differ in line endings at most."""
    return plain(one) == plain(other)


def _with_endings(new: list[str], old: list[str]) -> str:
    """Give new lines the endings of the old ones: the same head and tail keep theirs, between them the commonest."""
    bare_new, bare_old = [_bare(line) for line in new], [_bare(line) for line in old]
    head = _alike(bare_new, bare_old)
    tail = _alike(bare_new[head:][::-1], bare_old[head:][::-1])
    endings = [line[len(_bare(line)) :] for line in old]
    # The last line may have no ending; one that follows it needs one.
    commonest = Counter(ending for ending in endings if ending).most_common(1)[0][0]
    kept = [*endings[:head], *[""] * (len(new) - head - tail), *endings[len(old) - tail :]]
    whole = _joined(new, kept, commonest)
    # A bare \r of one line and the \n of an empty one after it would be read as one ending: then all get the same.
    return whole if same_lines(whole, "".join(new)) else _joined(new, [commonest] * len(new), commonest)


def _joined(lines: list[str], endings: list[str], otherwise: str) -> str:
    pairs = ((line, _bare(line), ending) for line, ending in zip(lines, endings, strict=True))
    return "".join(bare + ((ending or otherwise) if line != bare else "") for line, bare, ending in pairs)


def _bare(line: str) -> str:
    return line.rstrip("\r\n")


def _alike(one: list[str], other: list[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _decoded(content: bytes, path: Path) -> str:
    try:
        text = content.decode("utf-8")
        fault = f"byte {text.index(chr(0)) + 1} is zero" if "\0" in text else ""
    except UnicodeDecodeError as error:
        fault = f"byte {error.start + 1} is no UTF-8"
    if fault:
        raise AnswerError(
            f"{path} is no text ({fault}). The file is left as it is. "
            "Save it as UTF-8 in another editor, or reset it: it is then kept as a backup."
        )
    return text


def _require_writable(text: str) -> None:
    if "\0" in text:
        raise AnswerError("The text holds a character with the number 0. Remove it, then save again.")
    if (found := len(encoded(text))) > MOST_BYTES:
        raise AnswerError(
            f"The text has {size(found)}; a file here may have {size(MOST_BYTES)}. Shorten it, then save again."
        )


def fingerprint(text: str) -> str:
    """Return what tells one text from another: 16 hex digits of its SHA-256."""
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
