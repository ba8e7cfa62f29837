#!/bin/sh
# Regenerates bindings/java from native/include/yangtuo.h with jextract. Run it after every change of that header and commit the result.
# The output depends on the header and on jextract alone: no dates, no paths of the machine it ran on.
#
#   bindings/generate.sh           writes bindings/java
#   bindings/generate.sh --check   writes nothing; fails if bindings/java is not what the header gives
set -eu

package=dev.yangtuo.bindings
class=YangtuoNative
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)

. "$root/bindings/jextract.sh"

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

make_portable
keep "$root/bindings/java" "${1:-}"
