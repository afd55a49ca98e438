# SPDX-License-Identifier: GPL-2.0-or-later
# patchgen with all programs that it can use. docs/install.md says how to run it.

FROM debian:bookworm AS build
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        build-essential ca-certificates debhelper dh-python git python3-venv
COPY . /src/patchgen
WORKDIR /src/patchgen
RUN dpkg-buildpackage --unsigned-changes --build=binary

FROM debian:bookworm-slim
COPY --from=build /src/*.deb /tmp/
# The second line has what mails and OCaml scripts need, the third what `patchgen verify` needs.
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        /tmp/*.deb bash-completion less man-db \
        b4 ca-certificates libauthen-sasl-perl libio-socket-ssl-perl ocaml-nox \
        bc binutils bison flex gcc libc6-dev libelf-dev libssl-dev make qemu-system-x86 sparse xz-utils \
 && rm -rf /tmp/*.deb /var/lib/apt/lists/*
WORKDIR /tree
ENTRYPOINT ["patchgen"]
CMD ["--help"]
