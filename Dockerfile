FROM python:3.12-slim
RUN useradd --create-home meetra && install -d -o meetra /data
WORKDIR /opt/meetra
COPY --chown=meetra . .
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/* \
    && chown meetra . && su meetra -c "make install"
# 1: NeMo and torch as well, for its models on a GPU (docs/engines-nemo.md).
ARG NEMO=0
RUN if [ "$NEMO" = 1 ]; then su meetra -c "make nemo"; fi
# 1: all that an NVIDIA GPU needs but its driver, the compiler of layers among it; run the image with --gpus all.
ARG GPU=0
RUN if [ "$GPU" = 1 ]; then apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/* && su meetra -c "make gpu"; fi
USER meetra
VOLUME /data
EXPOSE 8080
ENTRYPOINT [".venv/bin/meetra", "up", "--data", "/data", "--host", "0.0.0.0", "--port", "8080"]
