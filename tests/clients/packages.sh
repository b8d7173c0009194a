# For the scripts beside it: other people's clients, installed under the target directory. Sourced with `here` set.
cache=${CARGO_TARGET_DIR:-$here/../../target}/clients
failed=0

skip() {
    echo "skip $1: $2"
    [ -z "${CLIENTS_REQUIRED:-}" ] || failed=1
}

# installed DIR MANIFEST: whether DIR holds what MANIFEST asks for.
installed() { cmp -s "$2" "$1/.installed"; }

# python_packages NAME: a virtual environment with what python/NAME.txt pins; fails, and says so, if it cannot be had.
python_packages() {
    local name=$1 venv=$cache/$1 requirements=$here/python/$1.txt
    command -v python3 >/dev/null || { skip "$name" 'there is no python3'; return 1; }
    installed "$venv" "$requirements" && return
    rm -rf "$venv"
    python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --requirement "$requirements" >&2 \
        || { skip "$name" 'its packages cannot be installed'; return 1; }
    cp "$requirements" "$venv/.installed"
}
