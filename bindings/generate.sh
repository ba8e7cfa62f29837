#!/bin/sh
# Regenerates bindings/java from native/include/yangtuo.h with jextract. Run it after every change of that header and commit the result.
# The output depends on the header and on jextract alone: no dates, no paths of the machine it ran on.
#
#   bindings/generate.sh           writes bindings/java
#   bindings/generate.sh --check   writes nothing; fails if bindings/java is not what the header gives
set -eu
LC_ALL=C
export LC_ALL

package=dev.yangtuo.bindings
class=YangtuoNative
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)

jextract=${JEXTRACT:-$(command -v jextract || true)}
if [ -z "$jextract" ] || ! command -v "$jextract" > /dev/null; then
    cat >&2 <<'MESSAGE'
bindings/generate.sh: jextract was not found. Name it with the environment variable JEXTRACT, or put it on the PATH.
jextract is a tool of OpenJDK for JDK 23 or newer; bindings/README.md says how to get it or to build it from its sources.
MESSAGE
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# jextract is run inside native/include and given the bare name, so that no path of this machine can reach the output.
cd "$root/native/include"

# Everything that the header itself declares, and nothing that it includes. Opaque structs have no layout; jextract would skip each with a
# warning.
"$jextract" --dump-includes "$work/all" --output "$work/unused" yangtuo.h 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
sed -n 's/^\(--include-[a-z]* [Yy][Tt]_[A-Za-z0-9_]*\) .*yangtuo\.h$/\1/p' "$work/all" | sort > "$work/include"
sed -n 's/^typedef struct \(yt_[a-z0-9_]*\) yt_[a-z0-9_]*;$/--include-struct \1/p' yangtuo.h | sort > "$work/opaque"
comm -23 "$work/include" "$work/opaque" > "$work/arguments"
if [ ! -s "$work/arguments" ]; then
    echo "bindings/generate.sh: jextract found no yt_ symbol in native/include/yangtuo.h" >&2
    cat "$work/log" >&2
    exit 1
fi

"$jextract" --target-package "$package" --header-class-name "$class" --output "$work/java" "@$work/arguments" yangtuo.h

# int64_t is `long` on Linux and macOS but `long long` on Windows. The two have the same layout wherever `long` has 64 bits, and C_LONG does
# not even initialise on Windows, so the output says C_LONG_LONG and serves all. The header uses fixed-width types only.
# Trailing blanks go, to keep `git diff --check` quiet.
find "$work/java" -name '*.java' -exec sed -i.orig \
    -e '/ C_LONG = /d' -e 's/[[:space:]]*$//' -e 's/C_LONG\([^_]\)/C_LONG_LONG\1/g' -e 's/C_LONG$/C_LONG_LONG/' {} +
find "$work/java" -name '*.orig' -exec rm -f {} +

if grep -rlF -e "$root" -e "$work" "$work/java" >&2; then
    echo "bindings/generate.sh: the files above name paths of this machine" >&2
    exit 1
fi

if [ "${1:-}" = --check ]; then
    diff -r "$root/bindings/java" "$work/java" >&2 || { echo "bindings/java is stale: run bindings/generate.sh" >&2; exit 1; }
    exit 0
fi
rm -rf "$root/bindings/java"
mv "$work/java" "$root/bindings/java"
# mktemp made the folder private.
chmod 755 "$root/bindings/java"
