#!/bin/sh
# All tests, in the same environment as femsim.sh. What is written behind goes to pytest: ./test.sh -k mesh
set -eu
root=$(cd "$(dirname "$0")" && pwd)
. "$root/tools/environment.sh"
prepare test
cd "$root"
exec "$venv/bin/python" -m pytest "$@"
