# The image of every role and of the command line: `docker build -t selective-sync:0.1.0 .`
# Where images must be reproducible, give the base by its digest: --build-arg PYTHON_IMAGE=python@sha256:…
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY requirements-build.lock requirements-runtime.lock ./
# Wheels only, each with its hash: nothing is compiled and nothing of an index is trusted.
RUN python -m venv /build \
 && /build/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements-build.lock \
 && python -m venv --without-pip /opt/resync \
 && /build/bin/pip --python /opt/resync/bin/python install --no-cache-dir --no-compile --require-hashes \
      --only-binary :all: -r requirements-runtime.lock
COPY pyproject.toml ./
COPY processor ./processor
COPY stack ./stack
COPY schemas ./schemas
RUN /build/bin/pip wheel --no-cache-dir --no-deps --no-index --no-build-isolation --wheel-dir /wheel . \
 && /build/bin/pip --python /opt/resync/bin/python install --no-cache-dir --no-compile --no-deps --no-index /wheel/*.whl \
 && /opt/resync/bin/python -m compileall -q /opt/resync/lib

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="selective-sync" \
      org.opencontainers.image.description="Repairs named student records at a state agency from the districts' databases" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The base's own pip has no business at run time.
RUN python -m pip uninstall --yes --no-cache-dir pip setuptools wheel \
 && groupadd --gid 10001 resync \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin resync \
 && mkdir /etc/resync
COPY --from=build /opt/resync /opt/resync
# Threads of several libraries: with an arena each, what one frees stays with the process (ADR 0215).
ENV PATH=/opt/resync/bin:$PATH \
    MALLOC_ARENA_MAX=2 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp
USER 10001:10001
WORKDIR /tmp
# Orchestrators ask /livez and /readyz; a check of Docker's own would only start one more Python every few seconds.
HEALTHCHECK NONE
STOPSIGNAL SIGTERM
ENTRYPOINT ["resync"]
CMD ["--help"]
