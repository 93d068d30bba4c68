"""The exercise panel: a Dockerfile on disk, its editor, and what a judge says of it. Loads no ipywidgets."""

from __future__ import annotations

from layerlab.widgets.dockerfile_panel.attempt import Judging
from layerlab.widgets.dockerfile_panel.panel import DockerfilePanel

__all__ = ["DockerfilePanel", "Judging"]
