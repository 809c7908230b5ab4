FROM python:3.11-slim-bookworm AS build
WORKDIR /app
RUN ["python", "-m", "venv", "--without-pip", "/venv"]
COPY requirements.txt ./
RUN ["python", "-m", "pip", "--python", "/venv/bin/python", "install", "--no-cache-dir", "--require-hashes", "-r", "requirements.txt"]
COPY pyproject.toml LICENSE ./
COPY routing routing
COPY models models
COPY service service
# Compiled here, because the file system of a running container is read-only.
RUN ["python", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "routing", "models", "service"]

FROM python:3.11-slim-bookworm
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    JUMPA_HOST=0.0.0.0 \
    JUMPA_PORT=8000 \
    JUMPA_DATA_DIR=/data
RUN ["install", "--directory", "--owner=10001", "--group=10001", "--mode=0700", "/data"]
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
EXPOSE 8000
# http.client, for it heeds no proxy settings.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, sys, http.client as http; site = http.HTTPConnection('127.0.0.1', int(os.environ['JUMPA_PORT']), timeout=3); site.request('GET', '/healthz'); sys.exit(site.getresponse().status != 200)"]
ENTRYPOINT ["python", "-m", "service.cli"]
CMD ["serve"]
