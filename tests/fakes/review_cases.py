"""For each rule of a review: texts that have the fault, and texts that only look like it."""

# ruff: noqa: E501  # one case a line reads better than one in five
from __future__ import annotations

SLIM = "FROM python:3.12-slim\n"
BUILDER = "FROM python:3.12-slim AS builder\n"
END = 'USER 10001\nCMD ["uvicorn", "main:app", "--host", "0.0.0.0"]\n'
VENV = "RUN python -m venv /opt/venv\nENV PATH=/opt/venv/bin:$PATH\n"
COPY_VENV = "COPY --from=builder /opt/venv /opt/venv\nENV PATH=/opt/venv/bin:$PATH\n"

# Rule → texts that have the fault, texts that look like it and have not.
CASES: dict[str, tuple[list[str], list[str]]] = {
    "hidden-failure": (
        [
            SLIM + "RUN pip install --no-cache-dir x==1 && rm -rf /tmp/x || true\n" + END,
            SLIM + "RUN pip install --no-cache-dir x==1; rm -rf /tmp/x\n" + END,
            SLIM + "RUN <<EOF\npip install --no-cache-dir x==1\nrm -rf /tmp/x\nEOF\n" + END,
            BUILDER + VENV + "RUN pip install x==1 || echo failed\n" + SLIM + COPY_VENV + END,
        ],
        [
            SLIM + "RUN pip install --no-cache-dir x==1 && (rm -rf /tmp/x || true)\n" + END,
            SLIM + "RUN set -e; pip install --no-cache-dir x==1; rm -rf /tmp/x\n" + END,
            SLIM + "RUN <<EOF\nset -eux\npip install --no-cache-dir x==1\nrm -rf /tmp/x\nEOF\n" + END,
            SLIM + "RUN if [ -f x ]; then pip install --no-cache-dir x==1; fi\n" + END,
            SLIM + "RUN rm -rf /tmp/x || true\n" + END,
            SLIM + "RUN python -c 'import x; x.install()'\n" + END,
            # Nothing is taken from that stage.
            BUILDER + "RUN pip install x==1 || true\n" + SLIM + END,
        ],
    ),
    "no-such-base": (
        [
            "FROM python:3.12-distroless\n",
            "FROM python:3.12-slim-alpine\n",
            "FROM python:3.12-slim-buster\n",
            "FROM gcr.io/distroless/python3.12\n",
            "FROM distroless/python3.12\n",
            "FROM gcr.io/distroless/python3-debian12\n",
            SLIM + "COPY --from=gcr.io/distroless/python3-debian13:3.13 /usr /usr\n",
        ],
        [
            SLIM,
            "FROM python:3.9-slim-buster\n",
            "FROM python:3.13.1-slim-bookworm@sha256:0123456789abcdef\n",
            "FROM python:3.14-rc-alpine3.22\n",
            "FROM docker.io/library/python:3.12-alpine\n",
            "FROM gcr.io/distroless/python3-debian13:debug-nonroot\n",
            "FROM registry.example.com:5000/python:3.12-distroless\n",
            "ARG TAG\nFROM python:${TAG}\n",
            "ARG TAG=3.12-slim\nFROM python:${TAG}\n",
        ],
    ),
    "unknown-stage": (
        [
            BUILDER + SLIM + "COPY --from=bulider /x /x\n",
            SLIM + "COPY --from=builder /x /x\n",
            SLIM + "COPY --from=late /x /x\nFROM python:3.12-slim AS late\nRUN true\nFROM python:3.12-slim\nCOPY --from=late /x /x\n"
            "COPY --from=build /y /y\n",
        ],
        [
            BUILDER + SLIM + "COPY --from=BUILDER /x /x\n",
            SLIM + "COPY --from=nginx /etc/nginx/nginx.conf /x\n",
            SLIM + "COPY --from=busybox:1.36 /bin/sh /x\n",
            BUILDER + SLIM + "COPY --from=0 /x /x\n",
        ],
    ),
    "environment-file": (
        [
            SLIM + 'RUN echo "X=1" >> /etc/environment\n',
            SLIM + "RUN echo X=1 | tee -a /etc/environment\n",
            SLIM + "RUN export X=1\n",
        ],
        [
            SLIM + "ENV X=1\n",
            SLIM + "RUN export X=1 && python setup.py\n",
            SLIM + "RUN cat /etc/environment\n",
            BUILDER + 'RUN echo "X=1" >> /etc/environment\n' + SLIM + "COPY --from=builder /x /x\n",
        ],
    ),
    "command-not-found": (
        [
            BUILDER + "RUN pip install x==1\n" + SLIM
            + "COPY --from=builder /usr/local/lib/python3.12/site-packages /usr/local/lib/python3.12/site-packages\n" + END,
            BUILDER + VENV + SLIM + "COPY --from=builder /opt/venv /opt/venv\n" + END,
            BUILDER + "RUN pip install --target=/deps x==1\n" + SLIM + "COPY --from=builder /deps /deps\n" + END,
        ],
        [
            BUILDER + VENV + SLIM + COPY_VENV + END,
            BUILDER + VENV + SLIM + 'COPY --from=builder /opt/venv /opt/venv\nCMD ["/opt/venv/bin/uvicorn", "main:app"]\n',
            BUILDER + "RUN pip install --prefix=/install x==1\n" + SLIM + "COPY --from=builder /install /usr/local\n" + END,
            BUILDER + VENV + SLIM + 'COPY --from=builder /opt/venv /opt/venv\nCMD ["/opt/venv/bin/python", "-m", "uvicorn"]\n',
            BUILDER + "RUN pip install x==1\n" + SLIM
            + "COPY --from=builder /usr/local/lib/python3.12/site-packages /usr/local/lib/python3.12/site-packages\n"
            + "COPY --from=builder /usr/local/bin/uvicorn /usr/local/bin/\n" + END,
            "FROM example.com/base:1\n" + END,
        ],
    ),
    "moved-environment": (
        [
            BUILDER + "WORKDIR /build\nRUN uv venv\n" + SLIM + "COPY --from=builder /build/.venv /app/.venv\n" + END,
            BUILDER + "RUN python -m venv /venv\n" + SLIM + "COPY --from=builder /venv /opt/venv\n" + END,
            BUILDER + "WORKDIR /src\nRUN uv sync --frozen\n" + SLIM + "COPY --from=builder /src /app\n" + END,
        ],
        [
            BUILDER + "WORKDIR /app\nRUN uv sync --frozen\n" + SLIM + "COPY --from=builder /app/.venv /app/.venv\n" + END,
            BUILDER + "RUN uv venv --relocatable /venv\n" + SLIM + "COPY --from=builder /venv /opt/venv\n" + END,
            BUILDER + "RUN python -m venv /venv\n" + SLIM + "COPY --from=builder /venv /v\n" + 'CMD ["/v/bin/python", "main.py"]\n',
        ],
    ),
    "mismatched-stages": (
        [
            BUILDER + VENV + "FROM python:3.12-alpine\n" + COPY_VENV + END,
            "FROM python:3.11-slim AS builder\n" + VENV + SLIM + COPY_VENV + END,
            BUILDER + "RUN pip install --target /p x==1\nFROM gcr.io/distroless/python3-debian13\nCOPY --from=builder /p /p\n",
        ],
        [
            BUILDER + VENV + SLIM + COPY_VENV + END,
            "FROM python:3.12 AS builder\n" + VENV + SLIM + COPY_VENV + END,
            "FROM node:22-alpine AS builder\nRUN npm run build\n" + SLIM + "COPY --from=builder /site /site\n" + END,
            "FROM python:3.13-slim AS builder\nRUN pip install --target /p x==1\n"
            "FROM gcr.io/distroless/python3-debian13\nCOPY --from=builder /p /p\n",
        ],
    ),
    "interpreter-entrypoint": (
        ['FROM gcr.io/distroless/python3-debian13\nCMD ["uvicorn", "main:app"]\n',
         'FROM gcr.io/distroless/python3-debian13\nCMD ["python3", "main.py"]\n'],
        ['FROM gcr.io/distroless/python3-debian13\nCMD ["-m", "uvicorn"]\n',
         'FROM gcr.io/distroless/python3-debian13\nCMD ["main.py"]\n',
         'FROM gcr.io/distroless/python3-debian13\nENTRYPOINT ["/usr/bin/python3"]\nCMD ["main.py"]\n'],
    ),
    "no-shell": (
        ["FROM gcr.io/distroless/python3-debian13\nRUN mkdir /x\n", "FROM scratch\nCOPY x /x\nCMD /x\n"],
        ["FROM gcr.io/distroless/python3-debian13:debug\nRUN mkdir /x\n",
         'FROM scratch\nCOPY x /x\nCMD ["/x"]\n', "FROM scratch\nADD rootfs.tar /\nCOPY root /\nRUN true\n"],
    ),
    "loopback": (
        [
            SLIM + 'CMD ["uvicorn", "main:app", "--host", "127.0.0.1"]\n',
            SLIM + 'CMD ["uvicorn", "main:app"]\n',
            SLIM + "CMD python -m uvicorn main:app --host=localhost\n",
            SLIM + 'CMD ["gunicorn", "-b", "127.0.0.1:8000", "main:app"]\n',
        ],
        [
            SLIM + 'CMD ["uvicorn", "main:app", "--host", "0.0.0.0"]\n',
            SLIM + 'CMD ["uvicorn", "main:app", "--host", "::"]\n',
            SLIM + 'CMD ["uvicorn", "main:app", "--uds", "/run/app.sock"]\n',
            SLIM + 'ENV UVICORN_HOST=0.0.0.0\nCMD ["uvicorn", "main:app"]\n',
            SLIM + 'CMD ["gunicorn", "-c", "gunicorn.conf.py", "main:app"]\n',
            SLIM + 'ENTRYPOINT ["uvicorn", "main:app"]\nCMD ["--host", "0.0.0.0"]\n',
            SLIM + 'CMD ["python", "main.py"]\n',
        ],
    ),
    "closed-home": (
        [
            BUILDER + "RUN pip install --user x==1\n" + SLIM + "COPY --from=builder /root/.local /root/.local\n" + END,
            SLIM + "RUN pip install --user --no-cache-dir x==1\n" + END,
        ],
        [
            BUILDER + "RUN pip install --user x==1\n" + SLIM + "COPY --from=builder /root/.local /root/.local\n",
            BUILDER + "RUN pip install --user x==1\n" + SLIM + "COPY --from=builder /root/.local /home/app/.local\n" + END,
            SLIM + "USER 10001\nRUN pip install --user --no-cache-dir x==1\n",
        ],
    ),
    "root": (
        [SLIM, SLIM + "USER root\n", SLIM + "USER 10001\nUSER 0:0\n", "FROM gcr.io/distroless/python3-debian13\n"],
        [
            SLIM + "USER 10001\n", SLIM + "USER app\n", "ARG UID=10001\n" + SLIM + "ARG UID\nUSER ${UID}\n",
            SLIM + "ARG UID\nUSER ${UID}\n", "FROM gcr.io/distroless/python3-debian13:nonroot\n",
            "FROM example.com/base:1\n", BUILDER + "USER 10001\nFROM builder\n",
            SLIM + 'RUN apk add --no-cache su-exec\nENTRYPOINT ["/entry.sh"]\n',
        ],
    ),
    "secret": (
        [
            SLIM + "ARG PIP_TOKEN\n", SLIM + "ENV DB_PASSWORD=hunter2\n", "ARG API_KEY=x\n" + SLIM,
            SLIM + "RUN pip install --index-url https://me:pw@example.com/simple x==1\n", SLIM + "COPY .env .\n",
        ],
        [
            SLIM + "ENV DB_PASSWORD=\n", SLIM + "ENV MAX_TOKENS=4096 PAD_TOKEN=x TOKENIZERS_PARALLELISM=false\n",
            SLIM + "ENV API_KEY=/run/secrets/key\n", SLIM + "ENV TOKEN_URL=https://example.com\n",
            SLIM + "RUN --mount=type=secret,id=token pip install x==1\n", SLIM + "COPY .env.example .\n",
            SLIM + "RUN git clone https://example.com/x:y/@z\n",
        ],
    ),
    "add-url": (
        [SLIM + "ADD https://example.com/x.tar.gz /x\n"],
        [
            SLIM + "ADD --checksum=sha256:0123 https://example.com/x /x\n", SLIM + "ADD x.tar.gz /x\n",
            BUILDER + "ADD https://example.com/x /x\n" + SLIM + "COPY --from=builder /y /y\n",
        ],
    ),
    "debugger": (
        [SLIM + 'CMD ["flask", "run", "--debug"]\n', SLIM + 'ENV FLASK_DEBUG=1\nCMD ["flask", "run"]\n'],
        [SLIM + 'CMD ["flask", "run"]\n', SLIM + 'ENV FLASK_DEBUG=0\nCMD ["flask", "run"]\n'],
    ),
    "installer-shipped": (
        [
            SLIM + "RUN pip install --no-cache-dir uv==0.5.1\n",
            SLIM + "COPY --from=ghcr.io/astral-sh/uv:0.5.1 /uv /uvx /bin/\n",
            BUILDER + "RUN pip install uv==0.5.1\n" + SLIM + "COPY --from=builder /usr/local/bin /usr/local/bin\n",
            BUILDER + SLIM + "COPY --from=builder /usr/local/lib/python3.12/site-packages /usr/local/lib/python3.12/site-packages\n",
            SLIM + "RUN pip install --no-cache-dir --upgrade pip\n",
            SLIM + "RUN curl -LsSf https://astral.sh/uv/install.sh | sh\n",
        ],
        [
            BUILDER + "RUN pip install uv==0.5.1\n" + VENV + SLIM + COPY_VENV,
            BUILDER + "RUN pip install x==1\n" + SLIM + "COPY --from=builder /usr/local/bin/uvicorn /usr/local/bin/\n",
            SLIM + "RUN --mount=from=ghcr.io/astral-sh/uv:0.5.1,source=/uv,target=/bin/uv uv pip install --system --no-cache x==1\n",
            BUILDER + "COPY --from=ghcr.io/astral-sh/uv:0.5.1 /uv /bin/\n" + VENV + SLIM + COPY_VENV,
            "FROM node:22 AS builder\n" + SLIM + "COPY --from=builder /usr/local/bin/node /usr/local/bin/\n",
        ],
    ),
    "compiler-shipped": (
        [SLIM + "RUN apt-get update && apt-get install -y gcc\n", SLIM + "RUN apk add --no-cache build-base\n",
         "FROM python:3.12-slim AS base\nRUN apt-get update && apt-get install -y libpq-dev\nFROM base\n"],
        [
            SLIM + "RUN apk add --no-cache --virtual .d gcc musl-dev && pip install x==1 && apk del .d\n",
            SLIM + "RUN apt-get update && apt-get install -y gcc && make && apt-get purge -y --auto-remove gcc\n",
            BUILDER + "RUN apt-get install -y gcc\n" + SLIM, SLIM + "RUN apt-get install -y libpq5 curl\n",
            SLIM + "RUN echo 'apt-get install gcc'\n",
        ],
    ),
    "full-base": (
        ["FROM python:3.12\n", "FROM python:3.12-bookworm\n", "FROM python\n"],
        [SLIM, "FROM python:3.12-slim-bookworm\n", "FROM python:3.12-alpine3.20\n", "FROM python:3.12 AS b\n" + SLIM],
    ),
    "pip-cache": (
        [SLIM + "RUN pip install x==1\n", SLIM + "RUN python3 -m pip install -r r.txt\n", SLIM + "RUN uv pip install --system x==1\n",
         SLIM + "ENV PIP_NO_CACHE_DIR=0\nRUN pip install x==1\n"],
        [
            SLIM + "RUN pip install --no-cache-dir x==1\n", SLIM + "ENV PIP_NO_CACHE_DIR=1\nRUN pip install x==1\n",
            SLIM + "ARG PIP_NO_CACHE_DIR=1\nRUN pip install x==1\n",
            SLIM + "RUN --mount=type=cache,target=/root/.cache/pip pip install x==1\n",
            SLIM + "RUN --mount=type=cache,target=/root/.cache pip install x==1\n",
            SLIM + "RUN pip install x==1 && rm -rf /root/.cache\n", SLIM + "RUN pip install x==1 && pip cache purge\n",
            BUILDER + "RUN pip install x==1\n" + SLIM + "COPY --from=builder /x /x\n",
            SLIM + "RUN pip --version\n",
        ],
    ),
    "package-lists": (
        [SLIM + "RUN apt-get update && apt-get install -y --no-install-recommends curl\n",
         SLIM + "RUN apk update && apk add curl\n"],
        [
            SLIM + "RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n",
            SLIM + "RUN --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install -y curl\n",
            SLIM + "RUN apk add --no-cache curl\n", BUILDER + "RUN apt-get update\n" + SLIM,
        ],
    ),
    "recommends": (
        [SLIM + "RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n"],
        [SLIM + "RUN apt-get install -y --no-install-recommends curl\n", BUILDER + "RUN apt-get install -y curl\n" + SLIM,
         SLIM + "RUN apt-get -o APT::Install-Recommends=false install -y curl\n"],
    ),
    "late-removal": (
        [
            SLIM + "COPY big.bin /tmp/\nRUN rm /tmp/big.bin\n", SLIM + "RUN pip install x==1\nRUN rm -rf /root/.cache\n",
            SLIM + "RUN curl -o /tmp/x.tgz https://example.com/x.tgz\nRUN rm /tmp/x.tgz\n",
            SLIM + "RUN apt-get update\nRUN rm -rf /var/lib/apt/lists/*\n",
            SLIM + "RUN apk add --no-cache gcc\nRUN apk del gcc\n",
        ],
        [
            SLIM + "RUN curl -o /tmp/x.tgz https://example.com/x.tgz && rm /tmp/x.tgz\n",
            "FROM nginx:1.27\nRUN rm /etc/nginx/conf.d/default.conf\n",
            BUILDER + "COPY big.bin /tmp/\nRUN rm /tmp/big.bin\n" + SLIM + "COPY --from=builder /x /x\n",
            SLIM + "COPY main.py /app/\nRUN rm -rf /tmp/other\n",
        ],
    ),
    "copied-twice": (
        [BUILDER + VENV + SLIM + "COPY --from=builder /opt/venv /opt/venv\nRUN chown -R 10001 /opt/venv\n"],
        [BUILDER + VENV + SLIM + "COPY --from=builder --chown=10001 /opt/venv /opt/venv\n",
         SLIM + "COPY main.py /app/\nRUN chown -R 10001 /app\n",
         BUILDER + VENV + SLIM + "COPY --from=builder /opt/venv /opt/venv\nRUN chown -R 10001 /data\n"],
    ),
    "whole-stage": (
        [BUILDER + SLIM + "COPY --from=builder / /\n", BUILDER + SLIM + "COPY --from=builder /usr/local /usr/local\n"],
        [BUILDER + SLIM + "COPY --from=builder /usr/local/share/x /x\n", "FROM scratch AS files\n" + SLIM + "COPY --from=files / /\n",
         BUILDER + "FROM scratch\nCOPY --from=builder / /\n"],
    ),
    "model-baked": (
        [SLIM + "COPY model.onnx .\n", SLIM + "COPY models/ /models/\n", SLIM + "ADD weights.safetensors /\n",
         SLIM + "RUN huggingface-cli download x\n", SLIM + "RUN wget https://example.com/m.gguf\n",
         BUILDER + "COPY m.pt /m/\n" + SLIM + "COPY --from=builder /m /m\n"],
        [BUILDER + "COPY m.pt /m/\n" + SLIM + "COPY --from=builder /x /x\n", SLIM + "COPY app/models.py .\n", SLIM + "COPY src ./src\n"],
    ),
    "slow-rebuild": (
        [SLIM + "COPY . .\nRUN pip install -r requirements.txt\n", SLIM + "COPY main.py requirements.txt ./\nRUN pip install -r requirements.txt\n",
         BUILDER + "COPY . .\nRUN uv sync\n" + SLIM + "COPY --from=builder /x /x\n"],
        [
            SLIM + "COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n",
            SLIM + "COPY . .\nRUN pip install .\n", SLIM + "COPY . .\nRUN pip install -e .\n",
            SLIM + "COPY pyproject.toml uv.lock ./\nRUN uv sync --no-install-project\nCOPY . .\nRUN uv sync\n",
            SLIM + "COPY . .\nRUN python manage.py collectstatic\n",
            BUILDER + "COPY . .\nRUN pip install -r requirements.txt\n" + SLIM,
        ],
    ),
    "unpinned": (
        ["FROM python\n", "FROM python:latest\n", "FROM python:3-slim\n", "FROM alpine\n", SLIM + "RUN pip install fastapi uvicorn\n",
         SLIM + "COPY --from=ghcr.io/astral-sh/uv:latest /uv /bin/\n"],
        [SLIM, "FROM python@sha256:0123456789abcdef\n", "FROM gcr.io/distroless/python3-debian13\n", "FROM scratch\n",
         SLIM + "RUN pip install -r requirements.txt\n", SLIM + "RUN pip install 'fastapi>=0.100,<1' ./wheels/x.whl\n",
         SLIM + "RUN pip install --upgrade pip\n", "ARG BASE\nFROM ${BASE}\n", SLIM + "RUN pip install .[dev]\n"],
    ),
    "named-user": ([SLIM + "USER app\n", SLIM + "USER app:app\n"], [SLIM + "USER 10001\n", SLIM + "ARG U\nUSER $U\n", SLIM]),
    "shell-form": (
        [SLIM + "CMD uvicorn main:app\n", SLIM + "ENTRYPOINT python main.py\n"],
        [SLIM + 'CMD ["python", "main.py"]\n', SLIM + "CMD exec uvicorn main:app --port $PORT\n",
         SLIM + 'CMD uvicorn old\nCMD ["python", "main.py"]\n', BUILDER + "CMD python x\n" + SLIM],
    ),
    "reload": ([SLIM + 'CMD ["uvicorn", "main:app", "--reload"]\n', SLIM + 'CMD ["fastapi", "dev", "main.py"]\n'],
               [SLIM + 'CMD ["fastapi", "run", "main.py"]\n', SLIM + 'CMD ["nodemon", "--reload"]\n']),
    "port-mismatch": (
        [SLIM + 'EXPOSE 80\nCMD ["uvicorn", "main:app", "--port", "8000"]\n', SLIM + 'EXPOSE 5000\nCMD ["uvicorn", "main:app"]\n'],
        [SLIM + 'EXPOSE 8000/tcp\nCMD ["uvicorn", "main:app"]\n', SLIM + 'EXPOSE 80 8000\nCMD ["uvicorn", "main:app"]\n',
         SLIM + 'CMD ["uvicorn", "main:app"]\n', SLIM + 'EXPOSE 9000\nCMD ["python", "main.py"]\n',
         SLIM + 'ENV PORT=80\nEXPOSE $PORT\nCMD exec uvicorn main:app --port $PORT\n',
         SLIM + 'EXPOSE 9000\nCMD ["gunicorn", "--bind", "0.0.0.0:9000", "main:app"]\n'],
    ),
    "update-alone": (
        [SLIM + "RUN apt-get update\nRUN apt-get install -y curl\n"],
        [SLIM + "RUN apt-get update && apt-get install -y curl\n", SLIM + "RUN apt-get update && apt-get upgrade -y\n", SLIM + "RUN apt-get update\n"],
    ),
    "unused-stage": (
        [BUILDER + SLIM], [BUILDER + SLIM + "COPY --from=builder /x /x\n", "FROM python:3.12-slim AS test\n" + SLIM,
                           "FROM python:3.12-slim AS base\nFROM base AS dev\nFROM base\n"],
    ),
}  # fmt: skip
