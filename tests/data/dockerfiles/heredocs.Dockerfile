# syntax=docker/dockerfile:1
# A service whose whole source stands in its Dockerfile.
ARG PY_MINOR=3.12
FROM python:${PY_MINOR}-slim AS build

RUN <<-SETUP
	set -eu
	# this comment belongs to the script
	python -m venv /venv

	/venv/bin/pip install "fastapi==0.115.0"
SETUP

COPY --chmod=644 <<main.py <<"settings.ini" /app/
print("$PY_MINOR")
main.py
[paths]
home = $HOME
settings.ini

FROM python:${PY_MINOR}-slim
COPY --from=build --link /venv /venv
COPY --from=build /app /app
USER 65532:65532
CMD ["/venv/bin/python", "/app/main.py"]
