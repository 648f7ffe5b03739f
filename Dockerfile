# Images from one file: `catchment` (the daemon, and `lab` on top of it, which brings its own network along) and `gobgp`
# (the collector's BGP speaker, which hears and says nothing). `make wheels` first: after it a build asks nobody but
# Debian for anything. The classic builder suffices.

FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv && rm -rf /var/lib/apt/lists/*
COPY wheels /wheels
RUN test -f /wheels/requirements.txt || { echo "wheels/ is empty: run make wheels first" >&2; exit 1; }
ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/catchment && /opt/catchment/bin/pip install --require-hashes -r /wheels/requirements.txt
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY anycast anycast
COPY collector collector
COPY analyzers analyzers
COPY alerts alerts
COPY store store
COPY dashboards dashboards
COPY pipeline pipeline
COPY lab lab
RUN /opt/catchment/bin/pip install --no-deps --no-build-isolation .
# Compile once, here. Of the installed package, so not in the folder of its sources: numba's cache goes by the path of
# what it compiled. What is made ahead of the entry points spares a start numba itself; it is used only where nobody but
# root, or the user who runs, could have written it.
WORKDIR /
ENV NUMBA_CACHE_DIR=/opt/catchment/numba
RUN /opt/catchment/bin/python -m collector.bmp.warm && test -f /opt/catchment/numba/ahead/kernel.o
RUN /opt/catchment/bin/pip uninstall -q -y hatchling pip setuptools && chmod -R go-w /opt/catchment

FROM debian:bookworm-slim AS catchment
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/catchment /opt/catchment
ENV NUMBA_CACHE_DIR=/tmp/numba PATH=/opt/catchment/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ENV CATCHMENT_DATA=/data
RUN mkdir -m 700 /data /backup && mkdir /provisioning && chown 65534:65534 /data /backup /provisioning
USER 65534:65534
VOLUME /data
EXPOSE 11019 8470 8471
# Over the Unix socket, which is there wherever the page listens.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s CMD ["python", "-c", "import http.client as h, socket as s; \
c = h.HTTPConnection('localhost'); c.sock = s.socket(s.AF_UNIX); c.sock.settimeout(4); \
c.sock.connect('/data/catchment.sock'); c.request('GET', '/readyz'); raise SystemExit(c.getresponse().status != 200)"]
# numba refuses a cache where it cannot write, and the image's file system may be read-only: a copy of the cache goes to
# /tmp, which then has to be a tmpfs. On another processor than the build's, each start compiles anew (a minute).
ENTRYPOINT ["sh", "-c", "umask 077 && cp -rp /opt/catchment/numba /tmp/ && exec catchment \"$@\"", "catchment"]
CMD ["run", "-c", "/etc/catchment/catchment.yaml", "--data", "/data"]

# The lab makes network namespaces, so it is root's, and its container privileged: for trying things on, and for nothing else.
FROM catchment AS lab
USER root
RUN apt-get update && python -m lab.packages --for lab --yes && rm -rf /var/lib/apt/lists/*
COPY deploy/lab.sh /usr/local/bin/catchment-lab
ENTRYPOINT ["sh", "/usr/local/bin/catchment-lab"]
CMD []

FROM debian:bookworm-slim AS gobgp
RUN apt-get update && apt-get install -y --no-install-recommends gobgpd && rm -rf /var/lib/apt/lists/*
USER 65534:65534
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["gobgp", "global"]
ENTRYPOINT ["gobgpd", "-f", "/etc/gobgp/gobgpd.toml", "--api-hosts=127.0.0.1:50051", "--pprof-disable"]
