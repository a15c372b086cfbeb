# One image for everything: `ordermesh run SERVICE`, `ordermesh api`, `ordermesh topics ...`.
# The minor version of Python is the one that the tests run with.
ARG PYTHON_IMAGE=python:3.11.14-slim-trixie

FROM ${PYTHON_IMAGE} AS build

# tini is linked statically: nothing of Debian's package manager goes into the image with it.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /build

# What changes rarely comes first. Everything is a wheel whose hash is in a lock: nothing is
# compiled, and nothing is resolved.
COPY requirements-build.lock requirements-runtime.lock ./
RUN python -m venv tools \
    && tools/bin/python -m pip install --quiet --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary=:all: -r requirements-build.lock
RUN python -m venv --without-pip /opt/ordermesh \
    && tools/bin/python -m pip --python /opt/ordermesh/bin/python install --quiet --no-cache-dir \
        --disable-pip-version-check --require-hashes --only-binary=:all: \
        -r requirements-runtime.lock

COPY pyproject.toml README.md LICENSE ./
COPY services services
COPY shared shared
RUN tools/bin/python -m pip wheel --quiet --no-cache-dir --disable-pip-version-check --no-deps \
        --no-index --no-build-isolation --wheel-dir wheels . \
    && tools/bin/python -m pip --python /opt/ordermesh/bin/python install --quiet --no-cache-dir \
        --disable-pip-version-check --no-deps --no-index wheels/*.whl
COPY container/health.py /opt/ordermesh/health.py

FROM ${PYTHON_IMAGE}

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Ordermesh" \
      org.opencontainers.image.description="An order fulfillment engine on Kafka and MongoDB" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# Who gets in cannot install anything: neither pip nor a compiler is left.
RUN python -m pip uninstall --yes --quiet --root-user-action=ignore setuptools wheel pip \
    && rm -rf /usr/local/lib/python*/ensurepip \
    && groupadd --gid 10001 ordermesh \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin ordermesh

COPY --from=build /usr/bin/tini-static /usr/bin/tini
COPY --from=build /opt/ordermesh /opt/ordermesh

# Numeric, so that Kubernetes can see that it is not root.
USER 10001:10001
WORKDIR /opt/ordermesh
ENV PATH=/opt/ordermesh/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ORDERMESH_LOG_FORMAT=json \
    ORDERMESH_METRICS=0.0.0.0:9464
EXPOSE 9464 8080

# Docker starts nothing again because of this; it is what others wait for (depends_on).
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 \
    CMD ["python", "-I", "/opt/ordermesh/health.py"]

# The kernel drops signals for process 1 that it has no handler for, and a service has none until
# it runs; under tini SIGTERM ends it at any time.
ENTRYPOINT ["/usr/bin/tini", "--", "ordermesh"]
CMD ["--help"]
