# The service's images by BuildKit, where compilers have to run in containers. `cargo xtask bd --engine buildkit` feeds the
# arguments from rust-toolchain.toml and config/pipeline.toml; their defaults here are the same, so that
# `docker buildx build .` works too.
#
#   chef -> planner -> common -> cook -> build-layers    dependencies are layers, for builders that come and go
#   chef ------------------------------> build-mounts    target folder and incremental state stay on one builder
#                                        prebuilt        what `cargo xtask build` has compiled is only copied
#              one of them -> binary -> runtime-*        the images
#
# There is no `# syntax` line: it would have every cold machine pull a frontend, and fail offline.
ARG RUST_VERSION=1.95.0
ARG CHEF_VERSION=0.1.78
ARG DEBIAN_RELEASE=bookworm
ARG ALPINE_VERSION=3.22
ARG BUSYBOX_VERSION=1.37-musl
# template: if media
ARG FFMPEG_VERSION=7.1
ARG PYTHON_VERSION=3.13
# template: end
# Where dependencies are kept: `layers` or `mounts`.
ARG CACHE=layers
# Where binaries come from: `container` or `prebuilt`.
ARG PACKAGING=container

# Compilers run on the builder's own platform and cross-compile: nothing is emulated.
FROM --platform=$BUILDPLATFORM lukemathwalker/cargo-chef:${CHEF_VERSION}-rust-${RUST_VERSION}-${DEBIAN_RELEASE} AS chef
ARG RUST_VERSION
ARG ZIG_VERSION=0.15.2
ARG ZIGBUILD_VERSION=0.24.0
ARG SCCACHE_VERSION=0.16.0
# hadolint ignore=DL3008
RUN apt-get update && \
    apt-get install --yes --no-install-recommends binutils-multiarch python3-pip && \
    rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir --break-system-packages \
        "ziglang==${ZIG_VERSION}" "cargo-zigbuild==${ZIGBUILD_VERSION}" "sccache==${SCCACHE_VERSION}"
COPY config/cargo-config.toml /usr/local/cargo/config.toml
ARG CRATES_MIRROR
RUN if [ -n "$CRATES_MIRROR" ]; then \
        printf '[source]\ncrates-io.replace-with = "mirror"\nmirror.registry = "%s"\n' "$CRATES_MIRROR" \
            >>/usr/local/cargo/config.toml; \
    fi
# Over rust-toolchain.toml, whose further components no build needs.
ENV RUSTUP_TOOLCHAIN=${RUST_VERSION}
# zig compiles a target's C library when something is first linked against it.
RUN rustup target add x86_64-unknown-linux-musl aarch64-unknown-linux-musl && \
    cargo new --quiet --vcs none /tmp/first && \
    cargo zigbuild --quiet --release --manifest-path /tmp/first/Cargo.toml \
        --target x86_64-unknown-linux-musl --target aarch64-unknown-linux-musl && \
    rm -r /tmp/first
WORKDIR /src
COPY --chmod=0755 <<'EOF' /usr/local/bin/with-secrets
#!/bin/sh -eu
# with-secrets COMMAND...: gives a command the secrets, which are files and there in this step only.
credentials=/usr/local/cargo/credentials.toml
if [ -f /run/secrets/cargo-credentials ]; then
    trap 'rm -f "$credentials"' EXIT
    ln -s /run/secrets/cargo-credentials "$credentials"
fi
for secret in SCCACHE_REDIS_PASSWORD AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY; do
    [ ! -f "/run/secrets/$secret" ] || export "$secret=$(cat "/run/secrets/$secret")"
done
"$@"
EOF

COPY --chmod=0755 <<'EOF' /usr/local/bin/compile
#!/bin/sh -eu
# compile CARGO-SUBCOMMAND...: with what cook and build must have in common, or cargo would compile everything twice.
if [ -n "${SCCACHE_REDIS_ENDPOINT:-}${SCCACHE_BUCKET:-}" ]; then
    if sccache --start-server >/dev/null; then
        export RUSTC_WRAPPER=sccache
    else
        echo "warning: compiling without the cache ${SCCACHE_REDIS_ENDPOINT:-$SCCACHE_BUCKET}" >&2
    fi
fi
profile=CARGO_PROFILE_$(echo "$PROFILE" | tr a-z- A-Z_)
export "${profile}_STRIP=$STRIP" "${profile}_DEBUG=$DEBUG_INFO"
set -- "$@" --locked --profile "$PROFILE" --package "$PACKAGE"
for target in $TARGETS; do
    variable=CARGO_TARGET_$(echo "$target" | tr a-z- A-Z_)_RUSTFLAGS
    export "$variable=--remap-path-prefix=/usr/local/cargo=/cargo -C link-arg=-Wl,--build-id=sha1"
    set -- "$@" --target "$target"
done
cargo "$@"
EOF

COPY --chmod=0755 <<'EOF' /usr/local/bin/cook
#!/bin/sh -eu
# cook ARG...: compiles dependencies. What an earlier run compiled comes from the cache mount /seed, so that a change of
# Cargo.lock costs what it changes; what there is in the end is in the layer, and in the mount for the next run.
mkdir -p target
[ "$(du -sm /seed | cut -f1)" -lt "$SEED_LIMIT_MB" ] || rm -rf /seed/*
cp -a --no-clobber /seed/. target/
CARGO_INCREMENTAL=0 compile chef cook --recipe-path /plan/recipe.json --zigbuild "$@"
cp -a --no-clobber target/. /seed/
EOF

# template: if adopted
# template: add ARG PACKAGE={package}
# template: add ARG BINARIES={program}
# template: else
ARG PACKAGE=app
ARG BINARIES=app
# template: end
ARG PROFILE=release
ARG STRIP=symbols
ARG DEBUG_INFO=none
ARG TARGETS="x86_64-unknown-linux-musl aarch64-unknown-linux-musl"
# A compiler cache on other machines; its secrets are mounts.
ARG SCCACHE_REDIS_ENDPOINT
ARG SCCACHE_BUCKET
ARG SCCACHE_REGION
ARG SCCACHE_ENDPOINT
ARG BUILDPLATFORM

# What a stage hands on is in a folder of its own: BuildKit reads all of the folder that a copied file is in.

# What has to be compiled for the service. The workspace is reduced to it, and Cargo.lock to what it needs, so that a
# change of the pipeline changes nothing here.
FROM chef AS planner
# template: if adopted
# template: add COPY . .
# template: else
COPY Cargo.toml Cargo.lock ./
COPY app app
RUN perl -0pi -e 's/^members\s*=\s*\[.*?\]/members = ["$ENV{PACKAGE}"]/ms' Cargo.toml
# template: end
RUN --mount=type=cache,id=cargo-registry-$BUILDPLATFORM,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=cargo-git-$BUILDPLATFORM,target=/usr/local/cargo/git,sharing=locked \
    --mount=type=ssh --mount=type=secret,id=cargo-credentials \
    mkdir /plan && \
    with-secrets cargo chef prepare --bin "${BINARIES%% *}" --recipe-path /plan/recipe.json

# The dependencies that every backend has. Only a change of the recipe has them compiled again.
FROM chef AS common
ARG SEED_LIMIT_MB=4096
COPY --from=planner /plan/recipe.json /plan/
RUN --mount=type=cache,id=cargo-registry-$BUILDPLATFORM,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=cargo-git-$BUILDPLATFORM,target=/usr/local/cargo/git,sharing=locked \
    --mount=type=cache,id=cook-common-$BUILDPLATFORM,target=/seed,sharing=locked \
    --mount=type=ssh --mount=type=secret,id=cargo-credentials \
    --mount=type=secret,id=SCCACHE_REDIS_PASSWORD \
    --mount=type=secret,id=AWS_ACCESS_KEY_ID --mount=type=secret,id=AWS_SECRET_ACCESS_KEY \
    with-secrets cook --no-default-features

# Those of one backend besides.
FROM common AS cook
# template: line ARG BACKEND={backend}
ARG BACKEND=sqlite
# template: if adopted
# template: add ARG FEATURES="{features}"
# template: else
ARG FEATURES="--no-default-features --features db_$BACKEND"
# template: end
# hadolint ignore=SC2086
RUN --mount=type=cache,id=cargo-registry-$BUILDPLATFORM,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=cargo-git-$BUILDPLATFORM,target=/usr/local/cargo/git,sharing=locked \
    --mount=type=cache,id=cook-$BACKEND-$BUILDPLATFORM,target=/seed,sharing=locked \
    --mount=type=ssh --mount=type=secret,id=cargo-credentials \
    --mount=type=secret,id=SCCACHE_REDIS_PASSWORD \
    --mount=type=secret,id=AWS_ACCESS_KEY_ID --mount=type=secret,id=AWS_SECRET_ACCESS_KEY \
    with-secrets cook $FEATURES

# Lists of what programs are compiled from, for scanners: xtask hands over a folder that has them instead.
FROM scratch AS packages

# Apart, so that a change of it leaves cook's layers alone.
FROM scratch AS scripts
COPY --chmod=0755 <<'EOF' /build
#!/bin/sh -eu
# build: compiles the service, and puts its programs into /artifact/out. What /packages has of a program goes into it.
if [ -n "${APP_COMMIT:-}" ]; then
    export APP_COMMIT
fi
# Flags, which are words.
# shellcheck disable=SC2086
set -- zigbuild $FEATURES
for program in $BINARIES; do
    set -- "$@" --bin "$program"
done
compile "$@"
for target in $TARGETS; do
    case $target in x86_64-*) architecture=amd64 ;; *) architecture=arm64 ;; esac
    for program in $BINARIES; do
        name=$program-$BACKEND-linux-$architecture${SUFFIX:-}
        install -D "target/$target/$PROFILE/$program" "/artifact/out/$name"
        if [ -f "/packages/$name" ]; then
            objcopy --add-section ".dep-v0=/packages/$name" "/artifact/out/$name"
        fi
    done
done
EOF

# No mount covers what cook made; those here hold what lets rustc compile a crate again by parts.
FROM cook AS build-layers
COPY --from=scripts /build /usr/local/bin/
# template: if adopted
# template: add COPY . .
# template: else
COPY --from=planner /src/Cargo.toml /src/Cargo.lock ./
COPY app app
# template: end
ARG APP_COMMIT
ARG SUFFIX
RUN --mount=type=cache,id=cargo-registry-$BUILDPLATFORM,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=cargo-git-$BUILDPLATFORM,target=/usr/local/cargo/git,sharing=locked \
    --mount=type=cache,id=incremental-$BACKEND-$PROFILE-$BUILDPLATFORM,target=/src/target/x86_64-unknown-linux-musl/$PROFILE/incremental,sharing=locked \
    --mount=type=cache,id=incremental-arm64-$BACKEND-$PROFILE-$BUILDPLATFORM,target=/src/target/aarch64-unknown-linux-musl/$PROFILE/incremental,sharing=locked \
    --mount=type=ssh --mount=type=secret,id=cargo-credentials \
    --mount=type=secret,id=SCCACHE_REDIS_PASSWORD \
    --mount=type=secret,id=AWS_ACCESS_KEY_ID --mount=type=secret,id=AWS_SECRET_ACCESS_KEY \
    --mount=type=bind,from=packages,target=/packages \
    with-secrets build

FROM chef AS build-mounts
# template: line ARG BACKEND={backend}
ARG BACKEND=sqlite
# template: if adopted
# template: add ARG FEATURES="{features}"
# template: else
ARG FEATURES="--no-default-features --features db_$BACKEND"
# template: end
COPY --from=scripts /build /usr/local/bin/
# template: if adopted
# template: add COPY . .
# template: else
COPY --from=planner /src/Cargo.toml /src/Cargo.lock ./
COPY app app
# template: end
ARG APP_COMMIT
ARG SUFFIX
RUN --mount=type=cache,id=cargo-registry-$BUILDPLATFORM,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=cargo-git-$BUILDPLATFORM,target=/usr/local/cargo/git,sharing=locked \
    --mount=type=cache,id=target-$BUILDPLATFORM,target=/src/target,sharing=locked \
    --mount=type=ssh --mount=type=secret,id=cargo-credentials \
    --mount=type=secret,id=SCCACHE_REDIS_PASSWORD \
    --mount=type=secret,id=AWS_ACCESS_KEY_ID --mount=type=secret,id=AWS_SECRET_ACCESS_KEY \
    --mount=type=bind,from=packages,target=/packages \
    with-secrets build

# hadolint ignore=DL3006
FROM build-${CACHE} AS build

# Just the binaries: `--target artifact --output target/dist` takes them out.
FROM scratch AS artifact
COPY --from=build /artifact/out /

FROM artifact AS container

FROM scratch AS prebuilt
# template: if adopted
# template: add COPY target/dist/{program}-* /
# template: else
COPY target/dist/app-* /
# template: end

# hadolint ignore=DL3006
FROM ${PACKAGING} AS binary

# template: if !adopted
# What every image has on its base.
FROM scratch AS service
# template: line ARG BACKEND={backend}
ARG BACKEND=sqlite
ARG SUFFIX
ARG TARGETARCH
WORKDIR /app
COPY config/app.toml config/app.production.toml config/
COPY --from=binary --chmod=0755 /app-${BACKEND}-linux-${TARGETARCH}${SUFFIX} app
USER 65532:65532
WORKDIR /app/data

# template: if media
FROM mwader/static-ffmpeg:${FFMPEG_VERSION} AS ffmpeg

# Pure Python, so that it need not be made on the platform that it runs on.
FROM --platform=$BUILDPLATFORM python:${PYTHON_VERSION}-slim-${DEBIAN_RELEASE} AS python-builder
ARG YT_DLP_VERSION=2026.10.26
RUN python3 -m venv /opt/venv && \
    /opt/venv/bin/pip install --no-cache-dir --no-compile "yt-dlp==${YT_DLP_VERSION}" && \
    rm -rf /opt/venv/bin/pip* /opt/venv/lib/python3*/site-packages/pip*

# template: end

# template: end
FROM busybox:${BUSYBOX_VERSION} AS busybox

FROM --platform=$BUILDPLATFORM alpine:${ALPINE_VERSION} AS shell
COPY --from=busybox /bin/busybox /busybox/busybox
RUN for applet in awk cat cp cut date df du env find free grep head id kill less ls mkdir mv nc netstat nslookup ping ps \
        pwd rm sed sh sleep stat tail top vi wget xargs; do ln -s busybox "/busybox/$applet"; done

# template: if adopted
# template: add # What a build without xtask makes: `cargo xtask` makes the image from config/pipeline.toml.
# template: add FROM gcr.io/distroless/static-debian12:nonroot AS runtime-static
# template: add ARG BACKEND={backend}
# template: add ARG SUFFIX
# template: add ARG TARGETARCH
# template: add COPY --from=binary --chmod=0755 /{program}-${BACKEND}-linux-${TARGETARCH}${SUFFIX} /app/{program}
# template: add {copies}
# template: add WORKDIR /app
# template: add USER 65532:65532
# template: add EXPOSE {exposed}
# template: add STOPSIGNAL SIGTERM
# template: add ENTRYPOINT ["/app/{program}"]
# template: else
# For what needs a C library.
FROM gcr.io/distroless/cc-debian12:nonroot AS runtime-cc
COPY --link --from=service /app /app
WORKDIR /app
USER 65532:65532
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/app"]

FROM alpine:${ALPINE_VERSION} AS runtime-alpine
COPY --link --from=service /app /app
WORKDIR /app
USER 65532:65532
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/app"]

# template: if media
# With ffmpeg, ffprobe and yt-dlp.
FROM python:${PYTHON_VERSION}-slim-${DEBIAN_RELEASE} AS runtime-media
COPY --link --from=ffmpeg /ffmpeg /ffprobe /usr/local/bin/
COPY --link --from=python-builder /opt/venv /opt/venv
COPY --link --from=service /app /app
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /app
USER 65532:65532
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/app"]

# template: end
# With a shell: `docker run --entrypoint /busybox/sh`.
FROM gcr.io/distroless/static-debian12:nonroot AS runtime-debug
COPY --link --from=shell /busybox /busybox
COPY --link --from=service /app /app
WORKDIR /app
USER 65532:65532
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/app"]

# The last one is what a build without a target makes.
FROM gcr.io/distroless/static-debian12:nonroot AS runtime-static
COPY --link --from=service /app /app
WORKDIR /app
USER 65532:65532
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/app"]
# template: end
