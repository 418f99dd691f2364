#!/usr/bin/env bash
# Builds the compiled modules with AddressSanitizer and UndefinedBehaviorSanitizer into a folder of their own, and runs the
# fuzz corpus and the scanner's tests on them. Usage: sanitize.sh PYTHON [pytest arguments]; needs gcc.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=$1
shift
out=build/sanitized
mkdir -p "$out/ingest"
cp -r ingest/. "$out/ingest/"
cp -r migrations queries "$out/"  # found beside the package
rm -f "$out"/ingest/compiled/*.so
CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1" \
LDFLAGS="-fsanitize=address,undefined" CC=gcc \
  "$python" setup.py --quiet build_ext --force --build-lib "$out" --build-temp "$out/tmp"
preload=
for library in libasan.so libubsan.so libstdc++.so; do
  preload="$preload $(gcc -print-file-name=$library)"
done
tests=("$@")
if [ ${#tests[@]} -eq 0 ]; then
  tests=(tests/fuzz tests/unit/test_uncompiled.py tests/unit/test_formats.py tests/unit/test_reference.py
    tests/properties/test_learnt_objects.py tests/properties/test_learnt_access_lines.py
    tests/properties/test_learnt_texts.py
    tests/properties/test_against_reference.py)
fi
# every allocation by malloc, so that a read beyond any buffer is seen; -P: the package of $out, not the one beside this
LD_PRELOAD="$preload" ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
  PYTHONMALLOC=malloc ARROW_DEFAULT_MEMORY_POOL=system PYTHONPATH="$out:." \
  "$python" -P -m pytest --import-mode=append -p no:cacheprovider "${tests[@]}"
