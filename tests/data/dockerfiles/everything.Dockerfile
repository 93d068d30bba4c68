FROM --platform=linux/amd64 debian:12-slim AS Base
maintainer Somebody <s@example.org>
LABEL one="a b" \
      # two is next
      two='c'

ENV OLD form of a value
ENV A=1 B="x y" C=z\ z
ARG WITH=default WITHOUT
RUN --network=none \
    --mount=type=cache,target=/var/cache/apt,sharing=locked \
    apt-get update \

    && apt-get install -y --no-install-recommends gcc
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.org/linux.tar.xz /src/
COPY ["with blank.txt", "/data/"]
VOLUME /data /log
EXPOSE 80 443/tcp
WORKDIR /srv
USER nobody
STOPSIGNAL SIGTERM
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ONBUILD COPY . /srv
HEALTHCHECK --interval=5s --retries=2 CMD curl -f http://localhost/ || exit 1
ENTRYPOINT ["/bin/server"]
CMD ["--help"]
FROM base
HEALTHCHECK NONE
