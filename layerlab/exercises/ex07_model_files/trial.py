"""A trial whose containers get a folder of models, one without any, or an empty one. Judges nothing."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from layerlab.exercises.kit.trial import Trial
from layerlab.probe import Start

TARGET = "/app/models:ro"
MODEL = "birds.model"


class MountedTrial(Trial):
    """See `layerlab.exercises.kit.trial.Trial`; `probe` and `before` are asked with the models mounted."""

    @property
    def mounts(self) -> Mapping[str, str]:
        """The folder with the model, read-only, where the service looks for it."""
        return {str(self.model.parent): TARGET}

    @property
    def model(self) -> Path:
        """The model on this machine, fetched as the service's own recipe fetches it."""
        return fetched(self.bench.folder(self.task.app) / "fetch_model.py")

    @property
    def without(self) -> Start:
        """What becomes of a container that nothing is mounted into; asked for a bird, since /health needs no model."""
        return self._ask("without", "ends at start", lambda: self.bench.starts(self.image, self.task.paths[-1]))

    @property
    def with_empty(self) -> Start:
        """The same with an empty folder mounted, as a misspelt path gives one."""

        def started() -> Start:
            mounts = {str(self.model.parents[1] / "empty"): TARGET}
            return self.bench.starts(self.image, self.task.paths[-1], mounts=mounts)

        return self._ask("with empty", "empty folder", started)


@cache
def fetched(script: Path) -> Path:
    """Fetch a model into a folder that goes with this process, and return its path.

    The folders' and the file's modes let anybody read, for the service does not run as whoever owns them.
    """
    folder = Path(_folder().name)
    for one in (folder, folder / "models", folder / "empty"):
        one.mkdir(exist_ok=True)
        one.chmod(0o755)
    model = folder / "models" / MODEL
    subprocess.run([sys.executable, "-B", str(script), str(model)], check=True)
    model.chmod(0o644)
    return model


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="layerlab-models-")
