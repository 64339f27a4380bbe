# Built by docker-compose.yaml. Needs BuildKit (the default since Docker 23).

FROM rust:1.95.0-bookworm AS build
RUN rustup target add wasm32-unknown-unknown
WORKDIR /src
COPY . .
# The same commands as outside; caches outlive the layer, so what is needed of target/ is copied out of it.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    make wasm cli && mkdir /out && cp target/model_router.wasm target/release/model-router /out/

# The providers. The same Debian as in the build stage, so that the C library is the same.
FROM debian:bookworm-slim AS cli
COPY --from=build /out/model-router /usr/local/bin/model-router
USER nobody
ENTRYPOINT ["model-router"]

# The filter alone, as meshes fetch it: `docker build --target wasm`; docs/MESH.md. One layer with one file of this name is
# what Istio and Envoy Gateway expect of an image in Docker's or OCI's standard format ("compat").
FROM scratch AS wasm
COPY --from=build /out/model_router.wasm /plugin.wasm

# Envoy with the filter. envoy.yaml names both relative to the working directory.
FROM envoyproxy/envoy:v1.40.0 AS envoy
WORKDIR /model-router
COPY envoy envoy
COPY --from=build /out/model_router.wasm target/model_router.wasm
CMD ["envoy", "--config-path", "envoy/envoy.yaml"]
