#!/bin/sh
# deps.sh check|install PACKAGE... - are these Debian packages here?
#
# check says what is missing and fails; install installs it by apt-get, through
# sudo when not root. Where there is no dpkg the packages' names are the list
# of what is needed.
mode=$1
shift

if ! command -v dpkg-query >/dev/null 2>&1; then
    needed="libuv libcurl jansson yaml-0.1 inih"
    case " $* " in *" libcmocka-dev "*) needed="$needed cmocka" ;; esac
    # shellcheck disable=SC2086 # a list of names
    pkg-config --exists $needed 2>/dev/null && there=yes || there=
    [ "$mode" = check ] && [ "$there" ] && exit 0
    echo "This is no Debian system: please install what these packages hold" >&2
    echo "and run make again: $*" >&2
    [ "$there" ] && exit 0
    exit 1
fi

missing=
for package; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
    installed) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -z "$missing" ] && exit 0

if [ "$mode" = check ]; then
    echo "Missing packages:$missing" >&2
    echo "Run 'make deps' (apt-get, through sudo when you are not root)." >&2
    exit 1
fi

as_root=
if [ "$(id -u)" != 0 ]; then
    as_root=sudo
    if ! command -v sudo >/dev/null 2>&1; then
        echo "Missing packages, and no sudo to install them:$missing" >&2
        exit 1
    fi
fi
echo "Installing$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of names
$as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
