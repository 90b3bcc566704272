#!/usr/bin/env bash
# Everything that tests the core by itself, warnings being errors: its own tests with every instruction set that this
# machine has, as it is installed and under AddressSanitizer and UndefinedBehaviorSanitizer; then the Python tests of the
# engines over a module that was built under the sanitizers. Needs cmake, ninja and nanobind: pip install '.[core,test]'.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python}
build=${BUILD:-build/core}

configure() {  # folder, more options
    cmake -S native -B "$1" -G Ninja -DCHAINRULE_TESTS=ON -DPython_EXECUTABLE="$(command -v "$python")" "${@:2}" >/dev/null
    cmake --build "$1" | tail -n 1
}

every_set() {  # folder with tests
    for set in $("$1"/tests/instruction_sets); do
        echo "-- $set"
        CHAINRULE_ISA=$set ctest --test-dir "$1" --output-on-failure --no-tests=error | tail -n 4
    done
}

echo "the core's tests, as installed"
configure "$build/plain" -DCHAINRULE_MODULE=ON
every_set "$build/plain"

echo "the core's tests, under the sanitizers"
configure "$build/sanitized" -DCHAINRULE_SANITIZE=ON -DCHAINRULE_MODULE=ON -DCMAKE_CXX_FLAGS_RELEASE="-O1 -DNDEBUG"
export UBSAN_OPTIONS=print_stacktrace=1
every_set "$build/sanitized"

echo "the engines' Python tests, under the sanitizers"
package=$build/package
rm -rf "$package" && mkdir -p "$package"
cp -r src/chainrule "$package/chainrule"
cp "$build"/sanitized/_native*.so "$package/chainrule/"
compiler=$(grep -m1 '^CMAKE_CXX_COMPILER:' "$build/sanitized/CMakeCache.txt" | cut -d= -f2)
# Python itself leaks at its end; a test asks for more memory than there is; an editable install would come before the package of the path.
ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 LD_PRELOAD="$("$compiler" -print-file-name=libasan.so) $("$compiler" -print-file-name=libstdc++.so)" \
    PACKAGE="$package" "$python" - "$@" <<'PYTHON'
import os, sys

sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in type(finder).__module__]
sys.path.insert(0, os.path.abspath(os.environ["PACKAGE"]))
import chainrule._native as native

assert native.__file__.startswith(sys.path[0]), native.__file__
import pytest

sys.exit(pytest.main(["-q", "-s", "-p", "no:cacheprovider", "tests/engines", *sys.argv[1:]]))
PYTHON
