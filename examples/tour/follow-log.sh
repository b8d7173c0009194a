#!/usr/bin/env bash
# Follows a log file into a log group with the plain AWS CLI: ./follow-log.sh FILE GROUP STREAM
set -euo pipefail
file=$1 group=$2 stream=$3
aws logs create-log-group --log-group-name "$group" 2>/dev/null || true
aws logs create-log-stream --log-group-name "$group" --log-stream-name "$stream" 2>/dev/null || true

# Every line gets the time when it was read; what arrived within a second goes in one batch.
tail -n 100 -F "$file" | python3 -u -c '
import json, os, select, subprocess, sys, time
group, stream = sys.argv[1:]
pending, rest = [], b""
while True:
    ready, _, _ = select.select([0], [], [], 1)
    if ready:
        data = os.read(0, 65536)
        if not data:
            break
        *lines, rest = (rest + data).split(b"\n")
        now = int(time.time() * 1000)
        pending += [{"timestamp": now, "message": line.decode("utf-8", "replace")} for line in lines if line.strip()]
    if pending and (not ready or len(pending) > 500):
        events = json.dumps(pending[:1000])
        subprocess.run(["aws", "logs", "put-log-events", "--log-group-name", group, "--log-stream-name", stream,
                        "--log-events", events], check=True, stdout=subprocess.DEVNULL)
        del pending[:1000]
' "$group" "$stream"
