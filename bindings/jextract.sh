# To be sourced by the scripts that make bindings: finds jextract, and makes its output fit to be committed.
#
# Needs root, the checkout. Sets jextract and work, a folder that is deleted at the end.
LC_ALL=C
export LC_ALL

jextract=${JEXTRACT:-$(command -v jextract || true)}
if [ -z "$jextract" ] || ! command -v "$jextract" > /dev/null; then
    cat >&2 <<'MESSAGE'
jextract was not found. Name it with the environment variable JEXTRACT, or put it on the PATH.
jextract is a tool of OpenJDK for JDK 23 or newer; bindings/README.md says how to get it or to build it from its sources.
MESSAGE
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# int64_t is `long` on Linux and macOS but `long long` on Windows. The two have the same layout wherever `long` has 64 bits, and C_LONG does
# not even initialise on Windows, so the output says C_LONG_LONG and serves all. The headers use fixed-width types and size_t only.
# Trailing blanks go, to keep `git diff --check` quiet.
make_portable() {
    find "$work/java" -name '*.java' -exec sed -i.orig \
        -e '/ C_LONG = /d' -e 's/[[:space:]]*$//' -e 's/C_LONG\([^_]\)/C_LONG_LONG\1/g' -e 's/C_LONG$/C_LONG_LONG/' {} +
    find "$work/java" -name '*.orig' -exec rm -f {} +
    if grep -rlF -e "$root" -e "$work" "$work/java" >&2; then
        echo "the files above name paths of this machine" >&2
        exit 1
    fi
}

# Compares the output with what is committed in a folder ($2 = --check), or puts it there.
keep() {
    if [ "${2:-}" = --check ]; then
        diff -r "$1" "$work/java" >&2 || { echo "$1 is stale: run $0" >&2; exit 1; }
        exit 0
    fi
    rm -rf "$1"
    mv "$work/java" "$1"
    # mktemp made the folder private.
    chmod 755 "$1"
}
