# ttsq with its compiled scanner and what deploy/requirements.lock names (of x86-64; on other machines run deploy/lock.py first); runs as a user of its own, who owns nothing but /var/lib/ttsq.
FROM python:3.11.13-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY deploy/requirements.lock deploy/requirements.lock
RUN python -m venv /opt/ttsq && /opt/ttsq/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r deploy/requirements.lock
COPY pyproject.toml setup.py MANIFEST.in README.md LICENSE ./
COPY docs/man docs/man
COPY ingest ingest
COPY ttsq ttsq
COPY queries queries
COPY profiles profiles
COPY migrations migrations
RUN /opt/ttsq/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11.13-slim-bookworm
RUN useradd --uid 10001 --user-group --create-home --home-dir /var/lib/ttsq --shell /usr/sbin/nologin ttsq
COPY --from=build /opt/ttsq /opt/ttsq
COPY --chmod=755 deploy/compose/every /usr/local/bin/every
ENV PATH=/opt/ttsq/bin:$PATH
USER 10001:10001
WORKDIR /var/lib/ttsq
ENTRYPOINT ["ttsq"]
CMD ["--help"]
