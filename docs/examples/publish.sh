#!/usr/bin/env bash
# Publish the shortest valid request by kcat and wait for its end: publish.sh DISTRICT OBJECT KEY...
set -euo pipefail
export LC_ALL=C # lengths are bytes
(($# > 2)) || { echo "usage: publish.sh DISTRICT OBJECT KEY..." >&2; exit 2; }
requests=${RESYNC_TOPIC_REQUESTS:-resync.requests} history=${RESYNC_TOPIC_HISTORY:-resync.history}
request_id=$(cat /proc/sys/kernel/random/uuid) district=$1 object=$2
shift 2

# kcat sends bytes and knows no Avro to write, so they are made here, by hand, for one released schema.
number() { # a length or a count: twice the number, seven bits a byte, the lowest first
  local left=$(($1 * 2))
  for (( ; left > 127; left >>= 7)); do printf "\\x$(printf %x $((left & 127 | 128)))"; done
  printf "\\x$(printf %x "$left")"
}
string() { number ${#1}; printf %s "$1"; }
request() {
  printf '\xc3\x01\xae\x62\x42\x8b\x00\x72\x95\xfc' # single-object encoding, and the schema's fingerprint
  string "$request_id"; string "$district"; string "$object"
  printf '\x00'; number $#; for key; do string "$key"; done; printf '\x00' # selection: Keys
  string example                                                           # requested_by
  printf '\x02\x02\x02\x02\x02' # mode SYNC, dependencies NONE, on_state_only REPORT, report ALL, requested_from DISTRICT
  printf '\x00\x00\x00\x00'     # no requested_at, school_year, reason, run_id
}

value=$(mktemp)
trap 'rm -f "$value"' EXIT
request "$@" >"$value"
since=$((($(date +%s) - 60) * 1000)) # a minute for clocks that differ
kcat -P -b "$RESYNC_BOOTSTRAP_SERVERS" -t "$requests" -k "$district" \
  -X acks=all -X enable.idempotence=true -X topic.partitioner=murmur2_random "$value"

# RequestEnd has the key <request_id>/~end and tells the state in a header, so nothing has to be decoded.
for ((look = 0; look < 60; look++)); do
  state=$(kcat -C -q -e -b "$RESYNC_BOOTSTRAP_SERVERS" -t "$history" -o "s@$since" -X isolation.level=read_committed \
    -f '%k %h\n' | sed -n "s|^$request_id/~end .*status=\([A-Z_]*\).*|\1|p" | tail -n 1)
  if [ -n "$state" ]; then echo "$request_id $state"; exit; fi
  sleep 1
done
echo "no end came within 60 looks: do the processor and the store run?" >&2
exit 1
