"""Dockerfiles that were built for the tape of `taped_engine`, and the files beside them."""

from __future__ import annotations

from pathlib import Path

from layerlab.context import BuildContext
from layerlab.engine.protocol import BuildRequest

BASE = "python:3.11-slim"
FILES = {"requirements.txt": "fastapi\n"}
STAGES = f"""\
ARG BASE={BASE}
FROM ${{BASE}} AS Builder
WORKDIR /src
COPY requirements.txt .
ENV MODE=prod
RUN echo compiled $MODE > /src/out && sleep 0.3
FROM ${{BASE}} AS assets
RUN <<EOT
echo one
echo two > /assets.txt
sleep 0.5
EOT
FROM ${{BASE}} AS unused
RUN echo never
FROM ${{BASE}}
LABEL layerlab.x=1
COPY --from=builder /src/out /app/out
COPY --link --from=assets /assets.txt /app/
RUN --mount=type=secret,id=token cat /run/secrets/token | wc -c > /app/length
WORKDIR /
EXPOSE 8000
CMD ["python3"]
"""
MOUNT = f"""\
FROM {BASE}
RUN --mount=type=cache,target=/c ls /c | wc -l; touch /c/x
COPY requirements.txt /
"""
TEXTS = {
    "stages": STAGES,
    "other label": STAGES.replace("layerlab.x=1", "layerlab.x=2").replace("8000", "9000"),
    "other builder": STAGES.replace("echo compiled", "echo compiled again"),
    "mount": MOUNT,
    "mount filled": MOUNT.replace("touch /c/x", "touch /c/y"),
    "no names": f"FROM {BASE}\nRUN echo 1 > /one\nFROM {BASE}\nWORKDIR /a\nCOPY --from=0 /one .\nUSER 1000\n",
    "from scratch": f"FROM {BASE} AS b\nRUN echo s > /s\nFROM scratch\nCOPY --from=b /s /s\n",
    "only a base": f"FROM {BASE}\n",
    "failing": f"FROM {BASE} AS a\nRUN sleep 0.3; echo a > /a\nFROM {BASE}\nCOPY --from=a /a /a\nRUN echo no; exit 3\n",
    "no such file": f"FROM {BASE}\nCOPY --from={BASE} /etc/nothing /x\n",
    "refused": f"FROM {BASE}\nEXPOSE http\n",
}


def asked(folder: Path, name: str, **more: object) -> BuildRequest:
    """Ask for one of the texts, with the secret that it needs."""
    text = TEXTS.get(name, name)
    context = BuildContext.open(folder, dockerfile_text=text)
    secrets = {"token": "s"} if "id=token" in text else {}
    tag = f"layerlab/taped:{name.replace(' ', '-')}" if name in TEXTS else None
    return BuildRequest(context=context, tag=tag, builder="buildkit", secrets=secrets, **more)  # type: ignore[arg-type]
