# shellcheck shell=bash
# Shared by the scripts in this folder: `source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"`.
# Everything that is meant for people goes to stderr, so that stdout stays what the caller asked for.

# shellcheck disable=SC2034  # Read by the scripts that source this file.
PACKAGE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
SCRIPT_NAME=${0##*/}

# The exit status for a command line that makes no sense (EX_USAGE of sysexits.h).
EXIT_USAGE=64

if [[ -t 2 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    BOLD=$'\e[1m' RED=$'\e[31m' YELLOW=$'\e[33m' DIM=$'\e[2m' RESET=$'\e[0m'
else
    BOLD='' RED='' YELLOW='' DIM='' RESET=''
fi

# note TEXT... : something a person should read.
note() {
    printf '%s: %s\n' "$SCRIPT_NAME" "$*" >&2
}

# progress TEXT... : what long work is doing now. Silent when QUIET is set.
progress() {
    [[ -n ${QUIET:-} ]] || printf '%s%s: %s%s\n' "$DIM" "$SCRIPT_NAME" "$*" "$RESET" >&2
}

# warn TEXT... : wrong, but the work goes on.
warn() {
    printf '%s%s: warning:%s %s\n' "$YELLOW" "$SCRIPT_NAME" "$RESET" "$*" >&2
}

# error TEXT [HINT...] : what is wrong, then one line for each thing to do about it.
error() {
    printf '%s%s: error:%s %s\n' "$RED$BOLD" "$SCRIPT_NAME" "$RESET" "$1" >&2
    shift
    local hint
    for hint in "$@"; do printf '    %s\n' "$hint" >&2; done
}

# die TEXT [HINT...] : `error`, then exit 1.
die() {
    error "$@"
    exit 1
}

# die_usage TEXT : a command line that makes no sense.
die_usage() {
    error "$1" "See: $SCRIPT_NAME --help"
    exit "$EXIT_USAGE"
}

# require_value OPTION COUNT : dies unless OPTION is followed by a value; COUNT is the caller's $#.
require_value() {
    (($2 >= 2)) || die_usage "$1 needs a value"
}

# require_integer NAME VALUE LOW HIGH : dies unless VALUE is a decimal integer from LOW to HIGH.
require_integer() {
    # Length first: bash arithmetic wraps silently.
    if [[ ! $2 =~ ^[0-9]{1,9}$ ]] || ((10#$2 < $3 || 10#$2 > $4)); then
        die_usage "$1 must be a whole number from $3 to $4, not '$2'"
    fi
}

# has_command NAME : whether NAME can be run.
has_command() {
    type -P "$1" >/dev/null
}
