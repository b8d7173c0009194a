#!/usr/bin/env python3
"""The same day of metrics in Groundwatch, Prometheus and VictoriaMetrics, in one run on one machine.

    apt-get install prometheus victoria-metrics          # or unpack the packages and pass --tools DIR
    cargo build --release && cargo build --release -p groundwatch-bench --example metric_corpus_text
    bench/compare/metrics.py [--series 10000] [--minutes 1440] [--tools DIR]

Prints a table as in BENCHMARKS.md, which says what can be compared. All servers listen on the loopback interface, on free
ports, and are ended by their process ids. Everything is written into a directory of its own, which is deleted.
"""

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(HERE, "..", "..", "target"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--minutes", type=int, default=1440)
    parser.add_argument("--tools", default="/usr/bin", help="where prometheus, promtool and victoria-metrics are")
    parser.add_argument("--bin", default=os.path.join(TARGET, "release"), help="where groundwatch is")
    options = parser.parse_args()
    # Yesterday's midnight, so that every store takes it as recent.
    options.start = int(time.time()) // 86_400 * 86_400 - 86_400
    with tempfile.TemporaryDirectory(prefix="compare-metrics-", dir=".") as directory:
        rows = [
            groundwatch(options, directory),
            victoria_metrics(options, directory),
            prometheus(options, directory),
        ]
    print_table(rows)


def groundwatch(options, directory):
    command = [os.path.join(options.bin, "groundwatch"), "bench", "metric-day", "--output", "json"]
    command += ["--series", str(options.series), "--minutes", str(options.minutes)]
    day = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=directory).stdout)
    times = {asked["question"]: asked["p50_ms"] for asked in day["questions"]}
    find = lambda beginning: next(ms for name, ms in times.items() if name.startswith(beginning))
    return {
        "store": "Groundwatch",
        "bytes": day["bytes_per_value"],
        "cpu": day["cpu_secs_per_million"],
        "resident": day["resident_mb_peak"],
        "restart": day["restart_secs"],
        "one": find("GetMetricStatistics"),
        "hundred": find("GetMetricData"),
        "average": find("AVG of SEARCH over two processors"),
        "top": find("Metrics Insights"),
        "p99": find("p99 of 1,000 series by two SEARCHes"),
    }


def victoria_metrics(options, directory):
    data = os.path.join(directory, "victoria-metrics")
    port = free_port()
    flags = [f"-storageDataPath={data}", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y"]
    # Without it the answers would come from a cache of answers.
    flags += ["-search.disableCache", "-search.maxUniqueTimeseries=1000000", "-loggerLevel=ERROR"]
    command = [os.path.join(options.tools, "victoria-metrics"), *flags]
    with Server(command, port) as server:
        before = server.cpu()
        corpus = subprocess.Popen(corpus_command(options, "ms"), stdout=subprocess.PIPE)
        # A chunk a request, cut at the ends of lines.
        rest = b""
        while chunk := corpus.stdout.read(8 << 20):
            body, _, rest_next = (rest + chunk).rpartition(b"\n")
            server.post("/api/v1/import/prometheus", body + b"\n")
            rest = rest_next
        corpus.wait()
        server.get("/internal/force_flush")
        server.get("/internal/force_merge")
        settle(lambda: size_of(os.path.join(data, "data")))
        row = {
            "store": "VictoriaMetrics " + version(command[0], "-version"),
            "bytes": (size_of(os.path.join(data, "data")) + size_of(os.path.join(data, "indexdb"))) / values(options),
            "cpu": (server.cpu() - before) / values(options) * 1e6,
            "resident": server.resident_peak_mb(),
        } | server.query_times(options)
    begun = time.monotonic()
    with Server(command, port) as server:
        server.get(question(options, "CPUUtilization", limit=True))
        row["restart"] = time.monotonic() - begun
    return row


def prometheus(options, directory):
    data = os.path.join(directory, "prometheus")
    text = os.path.join(directory, "corpus.om")
    with open(text, "wb") as out:
        subprocess.run(corpus_command(options, "s"), check=True, stdout=out)
    promtool = os.path.join(options.tools, "promtool")
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=24h", text, data]
    before = os.times().children_user + os.times().children_system
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    cpu = os.times().children_user + os.times().children_system - before
    os.remove(text)
    bytes_a_value = size_of(data) / values(options)
    port = free_port()
    flags = [f"--storage.tsdb.path={data}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    config = os.path.join(directory, "prometheus.yml")
    with open(config, "w") as out:
        out.write("global: {}\n")
    flags += [f"--config.file={config}", "--storage.tsdb.retention.time=100y", "--query.max-samples=100000000"]
    command = [os.path.join(options.tools, "prometheus"), *flags]
    begun = time.monotonic()
    with Server(command, port) as server:
        server.get(question(options, "CPUUtilization", limit=True))
        restart = time.monotonic() - begun
        return {
            "store": "Prometheus " + version(promtool, "--version"),
            "bytes": bytes_a_value,
            "cpu": cpu / values(options) * 1e6,
            "restart": restart,
        } | server.query_times(options) | {"resident": server.resident_peak_mb()}


def question(options, query, limit=False):
    step = 86_400 if limit else 300
    end = options.start + 60 * options.minutes
    asked = {"query": query, "start": options.start + 300, "end": end, "step": step}
    return "/api/v1/query_range?" + urllib.parse.urlencode(asked)


def questions(options, instances):
    """The like of what Groundwatch is asked. Averages over five minutes at every five minutes."""
    few = "|".join(instances[:25])
    return {
        "one": f'avg_over_time(CPUUtilization{{InstanceId="{instances[0]}"}}[5m])',
        "hundred": f'avg_over_time(CPUUserTime{{InstanceId=~"{few}"}}[5m])',
        "average": f'avg(avg_over_time({{__name__=~"CPUUserTime",cpu=~"cpu[01]"}}[5m]))',
        "top": "topk(10, avg by (InstanceId) (avg_over_time(CPUUserTime[5m])))",
        "p99": "avg(quantile_over_time(0.99, CPUUserTime[5m]))",
    }


class Server:
    """A server that is ended by its process id."""

    def __init__(self, command, port):
        self.port = port
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def get(self, path):
        for _ in range(200):
            self.connection.request("GET", path)
            answer = self.connection.getresponse()
            body = answer.read()
            if answer.status == 200:
                return body
            time.sleep(0.05)
        sys.exit(f"{path}: {answer.status} {body[:300]}")

    def post(self, path, body):
        self.connection.request("POST", path, body)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            sys.exit(f"{path}: {answer.status} {text[:300]}")

    def query_times(self, options):
        found = json.loads(self.get(f"/api/v1/label/InstanceId/values?start={options.start}"))
        times = {}
        for name, query in questions(options, found["data"]).items():
            path, taken = question(options, query), []
            begun = time.monotonic()
            while len(taken) < 5 or (len(taken) < 200 and time.monotonic() - begun < 6):
                sent = time.monotonic()
                answer = self.get(path)
                taken.append((time.monotonic() - sent) * 1e3)
            assert json.loads(answer)["data"]["result"], f"{query} found nothing"
            times[name] = statistics.median(taken[1:])
        return times

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_peak_mb(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            peak = next(line for line in status if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024 / 1e6


def corpus_command(options, unit):
    program = os.path.join(options.bin, "examples", "metric_corpus_text")
    return [program, str(options.series), str(options.minutes), str(options.start), unit]


def values(options):
    return options.series * options.minutes


def settle(measure):
    """Waits until a size has not changed for some seconds: merges go on in the background."""
    same, before = 0, None
    while same < 5:
        time.sleep(1)
        now = measure()
        same, before = (same + 1, before) if now == before else (0, now)


def size_of(directory):
    return sum(os.path.getsize(os.path.join(at, file)) for at, _, files in os.walk(directory) for file in files)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def version(program, flag):
    shown = subprocess.run([program, flag], capture_output=True, text=True)
    words = (shown.stdout + shown.stderr).replace(",", " ").split()
    return next((word for word in words if word.lstrip("v")[:1].isdigit() and "." in word), "?")


def print_table(rows):
    columns = {
        "bytes": ("bytes on disk for a value", "{:.3f}"),
        "cpu": ("CPU s for a million values", "{:.2f}"),
        "resident": ("resident at most, MB", "{:.0f}"),
        "restart": ("start to first answer, s", "{:.2f}"),
        "one": ("one series, ms", "{:.2f}"),
        "hundred": ("100 series, ms", "{:.2f}"),
        "average": ("average over two processors of every host (500 of 10,000 series), ms", "{:.2f}"),
        "top": ("top 10 by host (of 1,000 of 10,000 series), ms", "{:.2f}"),
        "p99": ("average of the p99 of all series of a name (1,000 of 10,000), ms", "{:.2f}"),
    }
    print("| |" + "|".join(f" {row['store']} " for row in rows) + "|")
    print("| --- |" + " --- |" * len(rows))
    for name, (title, form) in columns.items():
        print(f"| {title} |" + "|".join(f" {form.format(row[name])} " for row in rows) + "|")


if __name__ == "__main__":
    main()
