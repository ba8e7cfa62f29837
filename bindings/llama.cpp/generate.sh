#!/bin/sh
# Regenerates bindings/llama.cpp/java from llama.cpp's public headers with jextract, filtered to what `includes` names. Run it for a new
# version of llama.cpp, put the version into VERSION and into dev.yangtuo.llamacpp.LlamaCppVersion, and commit the result.
#
#   bindings/llama.cpp/generate.sh SOURCES           writes bindings/llama.cpp/java from a checkout or an unpacked release of llama.cpp
#   bindings/llama.cpp/generate.sh SOURCES --check   writes nothing; fails if bindings/llama.cpp/java is not what the headers give
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd -P)
sources=${1:-}
if [ ! -f "$sources/include/llama.h" ] || [ ! -f "$sources/ggml/include/ggml-backend.h" ]; then
    echo "usage: $0 SOURCES [--check], SOURCES being a folder with llama.cpp's include/llama.h and ggml/include" >&2
    exit 2
fi
. "$root/bindings/jextract.sh"

# jextract is run where the headers are and given bare names, so that no path of this machine can reach the output.
cp "$sources/include/llama.h" "$sources"/ggml/include/*.h "$work"
printf '#include "llama.h"\n#include "ggml-backend.h"\n' > "$work/llama.cpp.h"
cd "$work"
"$jextract" --target-package dev.yangtuo.bindings.llamacpp --header-class-name LlamaCpp --output "$work/java" -I . \
    "@$root/bindings/llama.cpp/includes" llama.cpp.h

make_portable
keep "$root/bindings/llama.cpp/java" "${2:-}"
