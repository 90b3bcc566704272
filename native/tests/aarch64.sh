#!/usr/bin/env bash
# The core's own tests for AArch64 (NEON) on another machine: cross-compiled, run by an emulator. Needs cmake, ninja and, on
# Debian, apt install g++-aarch64-linux-gnu qemu-user.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build/core}/aarch64
cmake -S native -B "$build" -G Ninja -DCHAINRULE_TESTS=ON -DCHAINRULE_MODULE=OFF -DCMAKE_SYSTEM_NAME=Linux \
    -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
    -DCMAKE_CROSSCOMPILING_EMULATOR="qemu-aarch64;-L;/usr/aarch64-linux-gnu" >/dev/null
cmake --build "$build" | tail -n 1
ctest --test-dir "$build" --output-on-failure --no-tests=error | tail -n 8
