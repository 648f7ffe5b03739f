# Two images from one file: `catchment` (the daemon) and `gobgp` (the collector's passive BGP speaker).
# Classic builder only: no RUN --mount, no heredoc.

FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN python3 -m venv /opt/catchment && /opt/catchment/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY anycast anycast
COPY collector collector
COPY analyzers analyzers
COPY alerts alerts
COPY store store
COPY dashboards dashboards
COPY pipeline pipeline
COPY lab lab
RUN /opt/catchment/bin/pip install --no-cache-dir --no-deps --no-build-isolation .
# Compile the decoding kernel once, here: the running image's file system is read-only.
ENV NUMBA_CACHE_DIR=/opt/catchment/numba
RUN /opt/catchment/bin/python -m collector.bmp.warm

FROM debian:bookworm-slim AS catchment
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/catchment /opt/catchment
ENV NUMBA_CACHE_DIR=/opt/catchment/numba PATH=/opt/catchment/bin:$PATH PYTHONUNBUFFERED=1
RUN mkdir /data && chown 65534:65534 /data
USER 65534:65534
VOLUME /data
EXPOSE 11019 8470
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8470/readyz', timeout=4)"]
ENTRYPOINT ["catchment"]
CMD ["run", "-c", "/etc/catchment/catchment.yaml", "--data", "/data"]

FROM debian:bookworm-slim AS gobgp
RUN apt-get update && apt-get install -y --no-install-recommends gobgpd && rm -rf /var/lib/apt/lists/*
USER 65534:65534
EXPOSE 1790
ENTRYPOINT ["gobgpd", "-f", "/etc/gobgp/gobgpd.toml", "--api-hosts=127.0.0.1:50051"]
