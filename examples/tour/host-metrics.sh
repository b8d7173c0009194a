#!/usr/bin/env bash
# Pushes this machine's CPU and network figures every second, at 1-second resolution, with the plain AWS CLI.
# One sample a second is taken whatever happens; what gathered while a push was under way goes with the next one.
set -euo pipefail
host=$(hostname)
samples=$(mktemp)
trap 'kill %1 2>/dev/null; rm -f "$samples" "$samples.sending"' EXIT

cpu_ticks() { awk '/^cpu /{ idle = $5 + $6; for (i = 2; i <= 9; i++) all += $i; printf "%.0f %.0f\n", all, idle }' /proc/stat; }
net_bytes() { awk 'NR > 2 { sub(":", " "); rx += $2; tx += $10 } END { printf "%.0f %.0f\n", rx, tx }' /proc/net/dev; }

sample() {
    read -r all0 idle0 < <(cpu_ticks)
    read -r rx0 tx0 < <(net_bytes)
    while sleep 1; do
        read -r all idle < <(cpu_ticks)
        read -r rx tx < <(net_bytes)
        now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
        cpu=$(awk -v all=$((all - all0)) -v idle=$((idle - idle0)) 'BEGIN { printf "%.2f", all ? 100 * (all - idle) / all : 0 }')
        {
            echo "CPUUtilization Percent $cpu $now"
            echo "NetworkIn Bytes/Second $((rx - rx0)) $now"
            echo "NetworkOut Bytes/Second $((tx - tx0)) $now"
        } >> "$samples"
        all0=$all idle0=$idle rx0=$rx tx0=$tx
    done
}
sample &

echo "pushing CPU and network of $host to namespace Tour every second; Ctrl-C ends it"
while sleep 1; do
    [ -s "$samples" ] || continue
    mv "$samples" "$samples.sending" && touch "$samples"
    data=()
    while read -r name unit value time; do
        data+=("MetricName=$name,Unit=$unit,Value=$value,Timestamp=$time,StorageResolution=1,Dimensions=[{Name=Host,Value=$host}]")
    done < "$samples.sending"
    aws cloudwatch put-metric-data --namespace Tour --metric-data "${data[@]}"
done
