# All services, the simulator and the command line in one image; each container runs one of them as a non-root user.
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential meson ninja-build pkg-config python3 \
    libzmq3-dev libmsgpack-dev libjansson-dev libmodbus-dev libmicrohttpd-dev libgnutls28-dev libwslay-dev libssl-dev libcrypt-dev libsqlite3-dev libpq-dev libzstd-dev \
    libpng-dev zlib1g-dev libsuitesparse-dev && rm -rf /var/lib/apt/lists/*
COPY . /source
RUN meson setup /build /source --buildtype=release --prefix=/usr -Dtests=false && meson install -C /build --destdir /image

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libzmq5 libmsgpackc2 libjansson4 libmodbus5 \
    libmicrohttpd12 libgnutls30 libwslay1 libssl3 libcrypt1 libsqlite3-0 libpq5 postgresql-client libpng16-16 zlib1g libzstd1 libamd2 && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --groups dialout --home-dir /data gantry \
    && mkdir -p /data /run/gantry && chown gantry /data /run/gantry
COPY --from=build /image/usr/bin/ /usr/bin/
COPY web /usr/share/gantry/web
ENV GANTRY_BUS=ipc:///run/gantry GANTRY_DATA=/data GANTRY_API_GATEWAY_HOST=0.0.0.0 \
    GANTRY_API_GATEWAY_WEB_ROOT=/usr/share/gantry/web
USER gantry
VOLUME ["/data", "/run/gantry"]
EXPOSE 8000
CMD ["gantry", "--help"]
