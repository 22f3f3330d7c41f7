#!/usr/bin/env bash
# Runs the compiled service in a root that holds nothing but it, the shared libraries that `ldd` names, /proc, /tmp and /data:
# no shell, no Deno, no Node, no repository. Needs root. The environment and the signals reach the service.
#
#   empty_root.sh ROOT BINARY [ARGUMENT...]     ROOT is filled at its first use; ROOT/data is kept
set -euo pipefail
root=$1 binary=$2
shift 2

if [ ! -e "$root/prescore" ]; then
  mkdir -p "$root/proc" "$root/tmp" "$root/data"
  ldd "$binary" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp --dereference "$library" "$root$library"
  done
  cp "$binary" "$root/prescore"
fi

# The mount is this process's own and ends with it.
exec unshare --mount bash -c 'mount -t proc proc "$0/proc" && exec chroot "$0" /prescore "$@"' "$root" "$@"
