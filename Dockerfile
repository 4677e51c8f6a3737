FROM python:3.12-slim
RUN useradd --create-home meetra && install -d -o meetra /data
WORKDIR /opt/meetra
COPY --chown=meetra . .
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/* \
    && chown meetra . && su meetra -c "make install"
USER meetra
VOLUME /data
EXPOSE 8080
ENTRYPOINT [".venv/bin/meetra", "up", "--data", "/data", "--host", "0.0.0.0", "--port", "8080"]
