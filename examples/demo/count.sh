#!/bin/sh
# Prints how many words a file has, and its longest one.
set -eu
tr -cs '[:alpha:]' '\n' <"$1" | awk '
    $0 != "" { n++; if (length($0) > length(longest)) longest = $0 }
    END { printf "%d words, longest: %s\n", n, longest }'
