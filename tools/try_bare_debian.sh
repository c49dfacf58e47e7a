#!/bin/sh
# Tries the README's two commands as a new user would: on a bare Debian 12 with nothing but python3 and its venv module.
#
#   sudo tools/try_bare_debian.sh [FOLDER [PYTEST ARGUMENT...]]
#
# FOLDER is made, used as a chroot, and removed at the end. The committed state is tried, with an empty environment.
# Needs root and debootstrap. DEBIAN_MIRROR names another mirror; KEEP=1 keeps the folder.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
[ "$(id -u)" = 0 ] || { echo "error: run this as root; a chroot needs it." >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "error: apt-get install debootstrap first." >&2; exit 2; }
folder=${1:-$(mktemp -d)/bare}
[ $# -eq 0 ] || shift
[ ! -e "$folder" ] || { echo "error: $folder exists; name a new folder." >&2; exit 2; }

clean() {
    umount "$folder/proc" 2>/dev/null || true
    [ -n "${KEEP:-}" ] || rm -rf --one-file-system "$folder"
}
trap clean EXIT
trap 'exit 130' INT TERM

debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$folder" ${DEBIAN_MIRROR:-}
mount -t proc proc "$folder/proc" 2>/dev/null || echo "note: /proc could not be mounted"
# the host's way to the network, nothing else of it
cp /etc/resolv.conf "$folder/etc/resolv.conf" 2>/dev/null || true
for file in /etc/pip.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
    [ ! -f "$file" ] || cp "$file" "$folder$file"
done
for file in /etc/apt/apt.conf.d/*proxy*; do
    [ ! -f "$file" ] || cp "$file" "$folder/etc/apt/apt.conf.d/"
done
mkdir "$folder/srv/femsim"
git -C "$root" archive HEAD | tar -x -C "$folder/srv/femsim"

inside() {
    echo "== $*"
    start=$(date +%s)
    chroot "$folder" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        ${https_proxy:+"https_proxy=$https_proxy"} ${http_proxy:+"http_proxy=$http_proxy"} \
        sh -c 'cd /srv/femsim && exec "$@"' sh "$@"
    echo "   $(($(date +%s) - start)) s"
}
inside ./femsim.sh compare -o out
inside ls -R out
inside test -s out/figures/setup.png # drawing needs libraries that a bare system lacks; a run without figures succeeds too
inside ./femsim.sh compare -o out # again: everything is installed and compiled
inside ./test.sh "$@"
