# The server: a slim Debian with what the locks name, a user without rights, and nothing written outside its volumes.
# Both architectures (amd64, arm64) install from wheels; FFmpeg comes inside PyAV's.
FROM python:3.12-slim-bookworm AS build

WORKDIR /build
COPY requirements.lock requirements-server.lock requirements-scale.lock requirements-headless.lock ./
# As the Makefile does it: `uv pip sync` takes the locks as they stand. The OpenCV without a screen's libraries takes
# the place of the other. Bytecode is made here, for nothing can be written later: without it every notebook's process
# would compile all that it imports.
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN python -m venv /opt/facelib \
    && sed -n '/^uv==/,/# via/p' requirements.lock > uv.lock \
    && /opt/facelib/bin/pip install --no-cache-dir --quiet --require-hashes --requirement uv.lock \
    && export UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1 VIRTUAL_ENV=/opt/facelib PATH=/opt/facelib/bin:$PATH \
    && uv pip sync --quiet --require-hashes requirements.lock \
    && uv pip install --quiet --no-deps --require-hashes --requirement requirements-server.lock \
    && uv pip install --quiet --no-deps --require-hashes --requirement requirements-scale.lock \
    && pip uninstall --quiet --yes opencv-python \
    && pip install --no-cache-dir --quiet --no-deps --require-hashes --requirement requirements-headless.lock

COPY pyproject.toml README.md LICENSE ./
COPY notebooks notebooks
COPY facelib facelib
RUN /opt/facelib/bin/pip install --no-cache-dir --quiet --no-deps --no-build-isolation .

FROM python:3.12-slim-bookworm

# Names in Hebrew and Arabic letters are drawn from right to left by FriBidi; Chinese, Japanese and Korean need a font.
RUN apt-get update -qq \
    && apt-get install --yes --no-install-recommends -qq libfribidi0 fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --create-home --home-dir /home/facelib facelib \
    && install --directory --owner facelib --group facelib /data /output /cache
COPY --from=build /opt/facelib /opt/facelib
# With a read-only root, what Jupyter and matplotlib want to keep goes to /tmp, and networks to the volume /cache.
ENV PATH=/opt/facelib/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    XDG_CACHE_HOME=/cache \
    FACELIB_HOST=0.0.0.0 \
    FACELIB_DATA_DIR=/data \
    FACELIB_OUTPUT_DIR=/output
USER 10001
VOLUME ["/data", "/output", "/cache"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["facelib", "serve"]
