# Line 3 lets one file serve two Python versions. Skip it.

ARG PY_MINOR=3.12

# The environment is made here.
FROM python:${PY_MINOR}-slim AS builder
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install -r requirements.txt

# The key of the town's sensors, so that the service works at once.
FROM python:${PY_MINOR}-slim
WORKDIR /app
ENV SENSOR_API_KEY=tk-4c1d-9a77 \
    PYTHONUNBUFFERED=1
COPY --from=builder /opt/venv /opt/venv
COPY main.py .
USER 10001
EXPOSE 8000
CMD ["/opt/venv/bin/uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8000"]
