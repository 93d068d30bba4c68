"""ARG and ENV expansion held against the engine: what `resolve` predicts is what the built image carries."""

from __future__ import annotations

import random

import pytest
from asking import asked

from layerlab import build
from layerlab.context import BuildContext
from layerlab.dockerfile import resolve
from layerlab.errors import BuildFailed, DockerfileError

# Every form of replacement, and the quoting that switches it off, in any combination.
WORDS = (
    "$A", "${B}", "${C:-d$A}", "${A:+x}", "'$A'", '"$B  y"', r"\$A", "/p", "z${B:-'q r'}", "$UNSET", "${A}b", "k=v",
    "${PATH}", '"it\'s"', r"a\ b", "${NULL:-m}", r"\\$A", '"\\n$C"', "$1x", "$.",
)  # fmt: skip
NAMES = ("A", "B", "C", "NULL", "D")
SEEDS = range(16)


class Writer:
    """Writes Dockerfiles on `scratch` that change configuration only, so that no step runs a program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def word(self) -> str:
        return "".join(self.random.choice(WORDS) for _ in range(self.random.randint(1, 3)))

    def instruction(self) -> str:
        name, pick = self.random.choice(NAMES), self.random.choice
        return pick(
            (
                f"ENV {name}={self.word()} {pick('EFG')}={self.word()}",
                f"ENV {name}  {self.word()} {self.word()}",
                f"LABEL l{name}={self.word()}",
                # BuildKit looks a name up for the next WORKDIR, and on `scratch` nobody has one.
                f"USER {pick(('${X:-1000}', '10${A:+00}'))}",
                f"WORKDIR {self.word()}/x",
                f"ARG {name}",
                f"ARG {name}={self.word()}",
                f"ARG {name}=",
                f"CMD echo   {self.word()}",
                'CMD ["a", "$A"]',
                f"ENTRYPOINT run {self.word()}",
                "EXPOSE 80 90",
                "EXPOSE ${PORT:-81}/udp",
                'SHELL ["/bin/bash", "-c"]',
            )
        )

    def stage(self, base: str) -> list[str]:
        return [f"FROM {base}", *(self.instruction() for _ in range(self.random.randint(1, 6))), "ENV ZZ=1"]

    def dockerfile(self) -> str:
        lines = ["ARG C=global", *self.stage("scratch AS one")]
        if self.random.random() < 0.5:
            lines += ["ONBUILD ENV T=$A", *self.stage("one")]
        return "\n".join(lines) + "\n"

    def arguments(self) -> dict[str, str]:
        return {name: value for name, value in (("A", "arg a"), ("B", "argb")) if self.random.random() < 0.5}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_image_carries_what_was_predicted(engine, tmp_path, seed):
    if engine.info.builder != "buildkit":
        pytest.skip("the prediction is for BuildKit's rules")
    writer = Writer(seed)
    text, arguments = writer.dockerfile(), writer.arguments()
    context = BuildContext.open(tmp_path, dockerfile_text=text)
    try:
        expected = resolve(context.dockerfile, build_args=arguments).target().config
    except DockerfileError:
        with pytest.raises((BuildFailed, DockerfileError)):
            build.build(engine, asked(context, args=arguments))
        return
    config = build.build(engine, asked(context, args=arguments)).image.config
    assert dict(entry.split("=", 1) for entry in config.env) == dict(expected.env)
    assert config.user == (expected.user or "")
    assert (config.workdir or "/") == expected.workdir
    assert config.cmd == (expected.cmd or ())
    assert config.entrypoint == (expected.entrypoint or ())
    assert dict(config.labels) == dict(expected.labels)
    assert set(config.exposed_ports) == {port if "/" in port else f"{port}/tcp" for port in expected.exposed}
