# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# report.sh - how tests/run and .ci/run count and speak. Sourced.
#
#   pass NAME | fail NAME [LOGFILE] | skip NAME REASON        one check each
#   count PASSED FAILED SKIPPED                               many checks that were counted elsewhere
#   checked NAME LOGFILE COMMAND...                           one check: did the command work? Its output goes to the log
#   summary                                                   the closing line; false on a failure or when nothing ran
passed=0
failed=0
skipped=0
failures=

title() {
    printf '\n=== %s (%s)\n' "$1" "$(date -u +%H:%M:%S)"
}

pass() {
    passed=$((passed + 1))
    echo "ok    $1"
}

fail() {
    failed=$((failed + 1))
    failures="$failures
  $1"
    echo "FAIL  $1"
    [ -z "${2-}" ] || {
        echo "      the end of $2:"
        tail -n 40 "$2" | sed 's/^/      | /'
    }
}

skip() {
    skipped=$((skipped + 1))
    echo "skip  $1: $2"
}

count() {
    passed=$((passed + ${1:-0}))
    failed=$((failed + ${2:-0}))
    skipped=$((skipped + ${3:-0}))
}

checked() {
    check=$1 output=$2
    shift 2
    if "$@" >"$output" 2>&1 </dev/null; then
        pass "$check"
    else
        fail "$check" "$output"
        return 1
    fi
}

summary() {
    [ -z "$failures" ] || printf '\nFailed:%s\n' "$failures"
    echo
    if [ "$skipped" -gt 0 ]; then
        [ "${plain_summary-no}" = no ] || printf '%d skipped (named above)\n' "$skipped"
        [ "${plain_summary-no}" = yes ] || printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    fi
    if [ "$skipped" -eq 0 ] || [ "${plain_summary-no}" = yes ]; then
        printf '%d passed, %d failed\n' "$passed" "$failed"
    fi
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
