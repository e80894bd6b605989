#!/bin/sh
# tree.sh FOLDER - a copy of this tree to build a package from.
#
# What git has or would have, as it stands here; without git everything but
# build. All of it is as old as the last commit, or as $SOURCE_DATE_EPOCH says,
# or as the last entry of the changelog: a package tells of nothing else.
# Prints that time, in seconds.
set -eu

mkdir -p "$1"
to=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
has_git=$(git ls-files 2>/dev/null | head -n 1)
if [ -n "$has_git" ]; then
    git ls-files -z --cached --others --exclude-standard |
        tar --null --files-from=- --ignore-failed-read -cf - 2>/dev/null | tar -C "$to" -xf -
    made=$(git log -1 --format=%ct)
else
    tar --exclude='./build*' -cf - . | tar -C "$to" -xf -
    made=$(sed -n 's/^ -- .*>  //p' systemd/deb/changelog | head -n 1)
    made=$(date -d "$made" +%s)
fi
made=${SOURCE_DATE_EPOCH:-$made}
find "$to" -exec touch -h -d "@$made" {} +
echo "$made"
