# One image for every role (PRESCORE_ROLE): the compiled service on a base that has the C library and nothing to log in with.
#
#   docker build --tag prescore .
#
# Where denort cannot be downloaded, put one into the build context, and name a Deno whose executables it reads:
#   docker build --build-arg DENO_VERSION=2.6.8 --build-arg DENORT_BIN=tools/denort --tag prescore .

FROM node:24-bookworm-slim AS build
ARG DENO_VERSION=2.9.6
ARG DENORT_BIN=""
WORKDIR /build
RUN npm install --global "deno@$DENO_VERSION"
COPY . .
RUN if [ -z "$DENORT_BIN" ]; then unset DENORT_BIN; fi && deno task compile && mkdir data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /build/dist/prescore /usr/bin/prescore
COPY --from=build --chown=65532:65532 /build/data /data
# Others reach this address, so the service asks for keys, and does not start while there is none: give it the first with
# PRESCORE_ADMIN_KEY or PRESCORE_ADMIN_KEY_FILE (`docker run --rm prescore keys mint` makes one).
# Of traces that are exported, if any: standard output is no part of them.
ENV OTEL_DENO_CONSOLE=ignore
ENV PRESCORE_HOST=0.0.0.0 PRESCORE_PORT=8000 PRESCORE_DATABASE_URL=file:/data/prescore.db
# nonroot of the base image
USER 65532:65532
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["/usr/bin/prescore", "health"]
ENTRYPOINT ["/usr/bin/prescore"]
