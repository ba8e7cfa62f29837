#!/bin/sh
# keep.sh COMPILER ARGUMENT...: runs nvcc, and keeps beside the object file what native/test/cuda/instructions.c reads: in OBJECT.kept the machine code for each
# architecture, in OBJECT.ptxas what ptxas reports of it.
set -eu
object=
previous=
for argument; do
    [ "$previous" != -o ] || object=$argument
    previous=$argument
done
kept=$object.kept
report=$object.ptxas
rm -rf "$kept"
mkdir -p "$kept"
"$@" -keep -keep-dir "$kept" -Xptxas -v 2> "$report" || {
    cat "$report" >&2
    exit 1
}
find "$kept" -type f ! -name '*.cubin' -exec rm -f {} +
# Warnings are for everyone to see.
grep -v -e '^ptxas info' -e 'bytes stack frame' -e '^$' "$report" >&2 || true
