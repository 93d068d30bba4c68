# Line 3 lets one file serve two Python versions. Skip it on a first reading.

ARG PY_MINOR=3.12

FROM python:${PY_MINOR}-slim AS builder
WORKDIR /app
COPY fetch_model.py .
RUN python fetch_model.py models/birds.model
RUN rm fetch_model.py

FROM python:${PY_MINOR}-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY --from=builder /app /app
COPY service.py .
USER 10001
EXPOSE 8000
CMD ["python", "service.py"]
