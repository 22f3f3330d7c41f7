#!/usr/bin/env bash
# Builds engine.wasm and tract.wasm from this workspace and records them in modules.json.
#
#   build.sh           build both modules and write modules.json
#   build.sh --check   the modules and sources must be those recorded; where the recorded compiler
#                      is at hand, a build of them in another folder must give the same bytes
#
# Why committed modules: running the service needs no Rust. Why the same bytes anywhere: paths of
# the folder, of cargo's home and of the compiler are mapped to fixed names, and versions are
# locked, that of wasm-opt too: it is Binaryen's own build for Node, from npm.
#
# The target comes from rustup. Where rustup has none, the compiler that Debian packages for the
# web builds the standard library itself:
#   apt-get install rustc-web cargo-web rust-web-src lld-19
# Known limit: those are other compilers, so their bytes differ from the recorded ones.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=wasm32-unknown-unknown
binaryen=132.0.0

fail() {
  echo "build.sh: $*" >&2
  exit 1
}

# Whether rustup has the target, or can get it.
rustup_target() {
  command -v rustup >/dev/null && rustup target add "$target" >/dev/null 2>&1
}

# build FOLDER OUTPUT: builds the workspace in FOLDER; puts the two modules into OUTPUT.
build() {
  local folder=$1 output=$2 sysroot commit cache flags=() cargo_flags=()
  cache=${CARGO_TARGET_DIR:-$output/target}
  sysroot=$(rustc --print sysroot)
  commit=$(rustc -vV | sed -n 's/^commit-hash: //p')
  # Of mappings that fit, the compiler takes the last one given.
  flags=(
    --remap-path-prefix="$folder=/prescore/wasm"
    --remap-path-prefix="$cache=/target"
    --remap-path-prefix="${CARGO_HOME:-$HOME/.cargo}=/cargo"
    --remap-path-prefix="$sysroot=/rust"
    --remap-path-prefix="$sysroot/lib/rustlib/src/rust=/rustc/$commit"
    --cfg 'getrandom_backend="unsupported"'
  )
  if ! rustup_target; then
    command -v wasm-ld-19 >/dev/null ||
      fail "no $target: it needs rustup, or rustc-web, cargo-web, rust-web-src and lld-19"
    export RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19
    cargo_flags=(-Z build-std=std,panic_abort)
  fi
  export CARGO_TARGET_DIR=$cache CARGO_ENCODED_RUSTFLAGS
  cargo_flags+=(--locked --jobs 2 --target "$target")
  CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${flags[*]}")
  (cd "$folder" && cargo build "${cargo_flags[@]}" --profile small --package prescore-tract)
  # The kernels are written for these; see engine/src/simd.rs.
  flags+=(-C target-feature=+simd128,+relaxed-simd)
  CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${flags[*]}")
  (cd "$folder" && cargo build "${cargo_flags[@]}" --profile release --package prescore-engine)
  optimise -Os "$cache/$target/release/prescore_engine.wasm" "$output/engine.wasm"
  optimise -Oz "$cache/$target/small/prescore_tract.wasm" "$output/tract.wasm"
}

# optimise LEVEL MODULE OUTPUT
optimise() {
  npx --yes --package "binaryen@$binaryen" wasm-opt "$1" "$2" --output "$3" \
    --enable-bulk-memory --enable-multivalue --enable-mutable-globals \
    --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext --enable-simd \
    --enable-relaxed-simd --enable-call-indirect-overlong --enable-bulk-memory-opt
}

# The files that go into the modules, in order.
sources() {
  (cd "$here" && find . -type f \( -name Cargo.toml -o -name Cargo.lock -o -name build.sh \
    -o -path './*/src/*.rs' \) -not -path './target/*' -not -path './fuzz/*' | sort)
}

digest() {
  sha256sum "$1" | cut -d' ' -f1
}

# One SHA-256 over the SHA-256 and the path of each source.
sources_digest() {
  (cd "$here" && sources | xargs sha256sum | sha256sum | cut -d' ' -f1)
}

# describe RUSTC: modules.json for the modules that are here, built by that compiler.
describe() {
  local name comma=,
  printf '{\n  "rustc": "%s",\n  "sourcesSha256": "%s",\n  "modules": {\n' "$1" "$(sources_digest)"
  for name in engine tract; do
    [ "$name" = tract ] && comma=
    printf '    "%s": {\n      "sha256": "%s",\n      "bytes": %s\n    }%s\n' \
      "$name" "$(digest "$here/$name.wasm")" "$(stat -c %s "$here/$name.wasm")" "$comma"
  done
  printf '  }\n}\n'
}

check() {
  local recorded name
  recorded=$(sed -n 's/^  "rustc": "\(.*\)",$/\1/p' "$here/modules.json")
  diff "$here/modules.json" <(describe "$recorded") ||
    fail "modules.json must describe the modules and sources that are here: run build.sh"
  echo "modules.json describes the modules and the sources"
  if [ "$(rustc --version 2>/dev/null)" != "$recorded" ] || ! rustup_target; then
    echo "not rebuilt: that needs $recorded with the target $target"
    return
  fi
  mkdir "$scratch/sources"
  tar -C "$here" -cf - -T <(sources) | tar -C "$scratch/sources" -xf -
  unset CARGO_TARGET_DIR
  build "$scratch/sources" "$scratch"
  for name in engine tract; do
    cmp "$here/$name.wasm" "$scratch/$name.wasm" ||
      fail "$name.wasm must be what its sources build to: run build.sh"
  done
  echo "a rebuild in another folder gives the same bytes"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
case "${1:-}" in
  "")
    build "$here" "$scratch"
    cp "$scratch/engine.wasm" "$scratch/tract.wasm" "$here/"
    describe "$(rustc --version)" >"$here/modules.json"
    cat "$here/modules.json"
    ;;
  --check) check ;;
  *) fail "usage: build.sh [--check]" ;;
esac
