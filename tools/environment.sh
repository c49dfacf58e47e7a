# Sourced by femsim.sh, test.sh and .ci/run: makes the environment, and does nothing when it is there already.
#
#   prepare EXTRAS    system libraries, then a virtual environment with femsim and EXTRAS ("" or "test" or "dev")
#
# FEMSIM_VENV names the environment's folder (default: .venv in the checkout). POSIX sh.

libraries="libGL.so.1 libGLU.so.1 libXcursor.so.1 libXft.so.2 libXinerama.so.1 libfontconfig.so.1 libgomp.so.1"
packages="libgl1 libglu1-mesa libxcursor1 libxft2 libxinerama1 libfontconfig1 libgomp1"

stop() {
    printf 'error: %s\n  %s\n  %s\n' "$1" "$2" "$3" >&2
    exit 2
}

find_python() {
    for python in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        [ -n "$python" ] && command -v "$python" >/dev/null 2>&1 || continue
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' && return
    done
    stop "No Python 3.11 or newer was found." "femsim needs one." "Install it, or name it: PYTHON=/path/to/python3 $0"
}

# gmsh is linked against these; without them its import fails with the name of one library only.
missing_libraries() {
    [ "$(uname -s)" = Linux ] || return 0
    "$python" - $libraries <<'PY'
import ctypes, sys
for name in sys.argv[1:]:
    try:
        ctypes.CDLL(name)
    except OSError:
        print(name, end=" ")
PY
}

system_libraries() {
    missing=$(missing_libraries)
    [ -z "$missing" ] && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing system libraries: $packages" >&2
        apt-get update -qq >&2 &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >&2 ||
            stop "The system libraries could not be installed." "apt-get failed; its message is above." \
                "Run: apt-get install $packages"
    elif command -v apt-get >/dev/null 2>&1; then
        stop "System libraries are missing: $missing" "The mesher (gmsh) cannot be loaded without them." \
            "Run: sudo apt-get install $packages"
    else
        stop "System libraries are missing: $missing" "The mesher (gmsh) cannot be loaded without them." \
            "Install them with your system's package manager, then run this again."
    fi
}

prepare() {
    find_python
    system_libraries
    venv=${FEMSIM_VENV:-$root/.venv}
    # made again when the dependencies change, or when an earlier attempt was interrupted
    stamp="$venv/.femsim-${1:-run}"
    if [ ! -f "$stamp" ] || ! cmp -s "$root/pyproject.toml" "$stamp"; then
        echo "Installing femsim and what it needs into $venv (once; needs the network)" >&2
        [ -x "$venv/bin/python" ] && "$venv/bin/python" -m pip --version >/dev/null 2>&1 ||
            "$python" -m venv --clear "$venv" >&2 ||
            stop "The virtual environment $venv could not be made." "Its message is above." \
                "On Debian and Ubuntu: apt-get install python3-venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -e "$root${1:+[$1]}" >&2 ||
            stop "femsim could not be installed." "pip's message is above." "Check the network and run this again."
        cp "$root/pyproject.toml" "$stamp"
    fi
}
