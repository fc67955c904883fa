# One image for every service of the distributed host; what a container does is its command.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/huilian
WORKDIR /build
COPY requirements.lock ./
RUN /opt/huilian/bin/pip install --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md ./
COPY huilian huilian
COPY schemas schemas
COPY contracts contracts
COPY adapters adapters
COPY services services
RUN /opt/huilian/bin/pip install --no-build-isolation --no-deps .

FROM python:3.11-slim
# Numeric, so that an orchestrator can see that it is not root.
RUN groupadd --gid 10001 huilian \
    && useradd --uid 10001 --gid huilian --home-dir /var/lib/huilian --create-home --shell /usr/sbin/nologin huilian \
    && install --directory --mode=0700 --owner=huilian --group=huilian /var/lib/huilian-keys
COPY --from=build /opt/huilian /opt/huilian
ENV PATH=/opt/huilian/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HUILIAN_HOME=/var/lib/huilian
USER 10001:10001
VOLUME /var/lib/huilian /var/lib/huilian-keys
WORKDIR /var/lib/huilian
ENTRYPOINT ["huilian"]
CMD ["--help"]
