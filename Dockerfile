# The HTTP service: two stages, no torch, no root, no shell needed at run time.
#   docker build -t transcript-behavior-classifier .
#   docker run --read-only -p 127.0.0.1:8321:8321 transcript-behavior-classifier
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY classifier classifier
COPY serving serving
COPY training training
RUN python -m venv /opt/tbc \
 && /opt/tbc/bin/pip install --no-cache-dir -c constraints.txt '.[serve]'

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home tbc
COPY --from=build /opt/tbc /opt/tbc
USER 10001
# Inside a container only the port that is published is reached; publish it on loopback or behind a
# proxy that authenticates.
ENV TBC_HOST=0.0.0.0 TBC_ALLOW_ANONYMOUS=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
EXPOSE 8321
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["/opt/tbc/bin/python", "-c", \
  "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8321/health/ready', timeout=2)"]
ENTRYPOINT ["/opt/tbc/bin/tbc-serve"]
