#!/bin/sh
# Prints how many words a file has, and its longest one.
set -eu
tr -cs '[:alpha:]' '\n' <"$1" | awk 'length { n++; if (length > length(longest)) longest = $0 }
    END { printf "%d words, longest: %s\n", n, longest }'
