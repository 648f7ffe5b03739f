# Two images from one file: `catchment` (the daemon) and `gobgp` (the collector's BGP speaker, which hears and says nothing).
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
# Compile the decoding kernel once, here. Of the installed package, so not in the folder of its sources: numba's cache
# goes by the path of what it compiled.
WORKDIR /
ENV NUMBA_CACHE_DIR=/opt/catchment/numba
RUN /opt/catchment/bin/python -m collector.bmp.warm

FROM debian:bookworm-slim AS catchment
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/catchment /opt/catchment
ENV NUMBA_CACHE_DIR=/tmp/numba PATH=/opt/catchment/bin:$PATH PYTHONUNBUFFERED=1
RUN mkdir /data && chown 65534:65534 /data
USER 65534:65534
VOLUME /data
EXPOSE 11019 8470
# Over the Unix socket, which is there wherever the page listens.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s CMD ["python", "-c", "import http.client as h, socket as s; \
c = h.HTTPConnection('localhost'); c.sock = s.socket(s.AF_UNIX); c.sock.settimeout(4); \
c.sock.connect('/data/catchment.sock'); c.request('GET', '/readyz'); raise SystemExit(c.getresponse().status != 200)"]
# numba refuses a cache where it cannot write, and the image's file system may be read-only: a copy of the cache goes to
# /tmp, which then has to be a tmpfs. On another processor than the build's, each start compiles anew (a minute).
ENTRYPOINT ["sh", "-c", "cp -rp /opt/catchment/numba /tmp/ && exec catchment \"$@\"", "catchment"]
CMD ["run", "-c", "/etc/catchment/catchment.yaml", "--data", "/data"]

FROM debian:bookworm-slim AS gobgp
RUN apt-get update && apt-get install -y --no-install-recommends gobgpd && rm -rf /var/lib/apt/lists/*
USER 65534:65534
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["gobgp", "global"]
ENTRYPOINT ["gobgpd", "-f", "/etc/gobgp/gobgpd.toml", "--api-hosts=127.0.0.1:50051", "--pprof-disable"]
