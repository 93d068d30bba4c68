# Line 3 lets one file serve two Python versions. Skip it.

ARG PY_MINOR=3.12

# Two stages, no cache, not root: the packages are installed here.
FROM python:${PY_MINOR}-slim AS builder
WORKDIR /build
COPY requirements.txt .
RUN pip install --user --no-cache-dir -r requirements.txt

# And only they are shipped.
FROM python:${PY_MINOR}-slim
WORKDIR /app
COPY --from=builder /root/.local /root/.local
ENV PATH=/root/.local/bin:$PATH \
    PYTHONUNBUFFERED=1
COPY main.py .
USER 10001
EXPOSE 8000
CMD ["uvicorn", "main:app", "--host", "127.0.0.1", "--port", "8000"]
