#!/bin/sh
# femsim from a checkout: the first call installs what is needed, later calls just run. Try: ./femsim.sh compare
set -eu
root=$(cd "$(dirname "$0")" && pwd)
. "$root/tools/environment.sh"
prepare ""
exec "$venv/bin/femsim" "$@"
