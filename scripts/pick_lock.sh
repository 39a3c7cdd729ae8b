#!/bin/sh
# From a hashed lock on standard input, the entries of the packages named, hashes and all.
exec awk -v names=" $* " '
    /^[A-Za-z0-9]/ { split($0, part, "=="); take = index(names, " " part[1] " ") > 0 }
    take { print }
'
