# Mirra for everybody who has no Space: docker build -t mirra . && docker run -p 7860:7860 mirra
# The steps are those of .ci/run and .ci/space, which run where there is no Docker.
FROM python:3.12-slim

# hadolint ignore=DL3008
RUN --mount=type=bind,source=packages.txt,target=/tmp/packages.txt \
    apt-get update -qq \
    && xargs -r apt-get install -y -qq --no-install-recommends < /tmp/packages.txt \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /srv/mirra
COPY . .
# Without a GPU, --build-arg TORCH_INDEX=<PyTorch's index of CPU builds> saves some gigabytes.
ARG TORCH_INDEX=""
# hadolint ignore=DL3013
RUN pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "torch>=2.8,<2.14" \
    && pip install --no-cache-dir -e .

RUN useradd --create-home --uid 1000 mirra
USER 1000
# Weights that are fetched (FLUX only) are kept in a volume mounted here.
ENV MIRRA_HOST=0.0.0.0 HF_HOME=/home/mirra/weights
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/health')"]
# SIGTERM: Mirra finishes what it began. `docker stop --time 40` gives it the time.
STOPSIGNAL SIGTERM
CMD ["mirra", "serve"]
