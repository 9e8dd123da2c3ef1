# syntax=docker/dockerfile:1
#
#     docker build .                             for NVIDIA's GPUs; x86-64
#     docker build --build-arg VARIANT=cpu .     without; x86-64 and arm64
#
# scripts/check_image takes the second one's steps without a container engine.
ARG VARIANT=gpu

# CUDA 12 and cuDNN 9, which onnxruntime-gpu 1.26 wants. Its wheel is built with CUDA 12.8;
# what has 12.4 is not tried on a GPU, and where it does not do the service takes the CPU.
FROM nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04 AS base-gpu
# Ubuntu 22.04's own Python 3.11 is a release candidate. This one is python.org's release,
# built by Astral; the digest is that of their index (docs/adr, "Where Python comes from").
ARG PYTHON=https://github.com/astral-sh/python-build-standalone/releases/download/20260814/cpython-3.13.15%2B20260814-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz
ARG PYTHON_SHA256=aaca2af2ab4d7b68a712660d1334c0cfd5ec13c0312ccd30c29122d8d0342320
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    ca-certificates curl ffmpeg tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && curl --fail --silent --show-error --location --output /tmp/python.tar.gz "$PYTHON" \
 && echo "$PYTHON_SHA256  /tmp/python.tar.gz" | sha256sum --check --quiet \
 && tar --extract --file /tmp/python.tar.gz --directory /opt \
 && rm -r /tmp/python.tar.gz /opt/python/bin/pip* /opt/python/lib/python3.*/site-packages/pip*
ENV PATH=/opt/python/bin:$PATH

FROM debian:trixie-slim AS base-cpu
# hadolint ignore=DL3008
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    ca-certificates curl ffmpeg python3 python3-venv tzdata \
 && rm -rf /var/lib/apt/lists/*

FROM base-gpu AS packages-gpu
COPY requirements.lock /tmp/packages.lock

FROM base-cpu AS packages-cpu
COPY requirements-cpu.lock /tmp/packages.lock

# Every package is there as a wheel, so nothing is compiled; no pip stays.
# hadolint ignore=DL3006
FROM packages-${VARIANT} AS packages
RUN python3 -m venv /opt/venv \
 && /opt/venv/bin/python -m pip install --no-cache-dir --no-input --no-deps \
    --only-binary :all: --require-hashes --requirement /tmp/packages.lock \
 && /opt/venv/bin/python -m pip uninstall --yes pip

# hadolint ignore=DL3006
FROM base-${VARIANT}
# A read-only root needs no place of its own for what packages keep in a home folder.
ENV PATH=/opt/venv/bin:$PATH \
    DATA_DIR=/data \
    PORT=5000 \
    PUID=99 \
    PGID=100 \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib \
    ORT_DISABLE_TELEMETRY=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY LICENSE gunicorn.conf.py manage.py requirements.lock supervisord.conf ./
COPY --chmod=755 deploy/manage /usr/local/bin/manage
COPY demo demo
COPY stashsense stashsense
COPY dbupdates dbupdates
COPY recognition recognition
COPY recommendations recommendations
RUN python -m compileall -q . \
 && install --directory --owner=99 --group=100 /data
VOLUME /data
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 \
    CMD ["sh", "-c", "curl --fail --silent --output /dev/null http://127.0.0.1:$PORT/health"]
# It begins as root, takes over /data, and goes on as PUID and PGID.
ENTRYPOINT ["python", "-m", "stashsense.container"]
