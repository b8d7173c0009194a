"""Log shippers and readers, unmodified: shippers.py ENDPOINT NAME [SYSLOG]

Each ships lines and finds them again through boto3, once each and in order. A tool that is not installed is skipped: exit code 77.
"""

import contextlib
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import uuid

import boto3

ENDPOINT, NAME = sys.argv[1:3]
SYSLOG = sys.argv[3] if len(sys.argv) > 3 else None
# Syslog is of the account of unsigned requests; all are, so that one reader finds everything.
ACCOUNT, REGION = "000000000000", "us-east-1"
RUN = uuid.uuid4().hex[:12]
GROUP = f"/shippers/{NAME}/{RUN}"
LINES = [f"line {number:03} of {RUN}: häuser \"quoted\"" for number in range(200)]
PATIENCE_SECS = 30

ENVIRONMENT = {
    **os.environ,
    "AWS_ACCESS_KEY_ID": ACCOUNT,
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_PAGER": "",
}
SESSION = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="secret", region_name=REGION)
LOGS = SESSION.client("logs", endpoint_url=ENDPOINT)


class Skip(Exception):
    pass


def tool(name):
    path = os.environ.get(name.upper().replace("-", "_")) or shutil.which(name)
    if not path:
        raise Skip(f"there is no {name}")
    return path


def stored(group=GROUP):
    try:
        pages = LOGS.get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"]]
    except LOGS.exceptions.ResourceNotFoundException:
        return []


def arrive(expected, read=stored):
    """Waits until as many lines are there, and a moment more, in which none may come twice."""
    end = time.monotonic() + PATIENCE_SECS
    while len(read()) < len(expected) and time.monotonic() < end:
        time.sleep(0.2)
    time.sleep(0.5)
    found = read()
    assert found == expected, f"{len(found)} of {len(expected)} lines: {found[:3]} instead of {expected[:3]}"


def create():
    LOGS.create_log_group(logGroupName=GROUP)
    LOGS.create_log_stream(logGroupName=GROUP, logStreamName="s")


def put(lines):
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line} for line in lines]
    LOGS.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=events)


def logger():
    log = logging.getLogger(RUN)
    log.propagate = False
    log.setLevel(logging.INFO)
    return log


def watchtower():
    """A handler for Python's logging: creates its group and stream, and batches."""
    import watchtower as package

    handler = package.CloudWatchLogHandler(boto3_client=LOGS, log_group_name=GROUP, log_stream_name="s", send_interval=1)
    log = logger()
    log.addHandler(handler)
    for line in LINES:
        log.info(line)
    handler.close()
    arrive(LINES)
    return f"watchtower {package.__version__ if hasattr(package, '__version__') else version('watchtower')}"


def version(package):
    import importlib.metadata

    return importlib.metadata.version(package)


def opentelemetry():
    """OpenTelemetry's exporter of logs: OTLP over HTTP, protobuf, gzip."""
    import json

    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource

    create()
    place = {"x-aws-log-group": GROUP, "x-aws-log-stream": "s"}
    exporter = OTLPLogExporter(endpoint=f"{ENDPOINT}/v1/logs", compression=Compression.Gzip, headers=place)
    provider = LoggerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    log = logger()
    log.addHandler(LoggingHandler(logger_provider=provider))
    for line in LINES:
        log.warning(line)
    provider.shutdown()
    arrive(LINES, lambda: [json.loads(message)["body"] for message in stored()])
    event = json.loads(stored()[0])
    assert event["resource"]["attributes"]["service.name"] == "shop" and event["severityText"].startswith("WARN"), event
    return f"opentelemetry-exporter-otlp-proto-http {version('opentelemetry-exporter-otlp-proto-http')}"


def awslogs():
    """A reader that relies on unique event ids."""
    create()
    put(LINES)
    program = os.path.join(os.path.dirname(sys.executable), "awslogs")
    command = [program, "get", GROUP, "ALL", "--start", "5m", "--no-group", "--no-stream", "--aws-endpoint-url", ENDPOINT]
    output = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert output.stdout.splitlines() == LINES, output.stdout[:300] + output.stderr[-300:]
    return f"awslogs {version('awslogs')}"


@contextlib.contextmanager
def running(command, **more):
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def aws_tail():
    """`aws logs tail --follow`, which only version 2 of the AWS CLI has: each line once, in order, old and new."""
    aws = next((path for path in [os.environ.get("AWS_CLI"), shutil.which("aws"), "/usr/bin/aws"] if path and is_version_2(path)), None)
    if not aws:
        raise Skip("there is no AWS CLI version 2")
    create()
    put(LINES[:100])
    command = [aws, "--endpoint-url", ENDPOINT, "logs", "tail", GROUP, "--follow", "--format", "short", "--since", "5m"]
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=out, stderr=subprocess.STDOUT, text=True)

        def shown():
            # Short lines are a time, a blank and the message.
            out.seek(0)
            return [line.split(" ", 1)[1] for line in out.read().splitlines() if " " in line]

        try:
            arrive(LINES[:100], shown)
            for start in range(100, 200, 50):
                put(LINES[start : start + 50])
                arrive(LINES[: start + 50], shown)
        finally:
            process.terminate()
            process.wait(timeout=20)
    return subprocess.run([aws, "--version"], capture_output=True, text=True).stdout.split()[0].replace("/", " ")


def is_version_2(path):
    output = subprocess.run([path, "--version"], env=ENVIRONMENT, capture_output=True, text=True)
    return output.stdout.startswith("aws-cli/2.")


def fluent_bit():
    """Tails a file and ships it, over TLS: this output speaks nothing else."""
    program = tool("fluent-bit")
    address = urllib.parse.urlsplit(ENDPOINT)
    with tempfile.TemporaryDirectory() as directory:
        with open(f"{directory}/app.log", "w") as log:
            log.writelines(f"{line}\n" for line in LINES)
        inputs = ["-i", "tail", "-p", f"path={directory}/app.log", "-p", "read_from_head=on", "-p", "tag=app"]
        place = {"region": REGION, "endpoint": address.hostname, "port": address.port, "log_group_name": GROUP}
        options = {**place, "log_stream_name": "s", "auto_create_group": "on", "log_key": "log", "tls.verify": "off", "match": "*"}
        outputs = ["-o", "cloudwatch_logs"] + [word for key, value in options.items() for word in ("-p", f"{key}={value}")]
        with running([program, "-f", "1", *inputs, *outputs]):
            arrive(LINES)
    shown = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    return shown


def syslog_address():
    if not SYSLOG:
        raise Skip("the server's syslog address was not given")
    host, port = SYSLOG.rsplit(":", 1)
    return host, port


def of_run():
    return [message for message in stored("syslog") if RUN in message]


def arrive_by_syslog(expected):
    """In any order: the times of RFC 3164 are whole seconds, those of RFC 5424 are not."""
    arrive(expected, lambda: sorted(message[message.index("line ") :] for message in of_run()))


def util_linux_logger():
    """`logger`, over TCP with counted frames and as lines, and over UDP."""
    program = tool("logger")
    host, port = syslog_address()
    ways = [["--tcp", "--rfc5424", "--octet-count"], ["--tcp", "--rfc3164"], ["--udp", "--rfc5424"], ["--udp", "--rfc3164"]]
    for number, way in enumerate(ways):
        command = [program, "--server", host, "--port", port, *way, "--tag", "check", LINES[number]]
        subprocess.run(command, check=True, timeout=20)
        arrive_by_syslog(LINES[: number + 1])
    return subprocess.run([program, "--version"], capture_output=True, text=True).stdout.strip()


def rsyslog():
    """rsyslog, with its own forwarding over TCP."""
    program = tool("rsyslogd") if shutil.which("rsyslogd") else "/usr/sbin/rsyslogd"
    if not os.path.exists(program):
        raise Skip("there is no rsyslogd")
    host, port = syslog_address()
    with tempfile.TemporaryDirectory() as directory:
        entrance = f"{directory}/log"
        with open(f"{directory}/rsyslog.conf", "w") as config:
            config.write(f'module(load="imuxsock" SysSock.Use="off")\ninput(type="imuxsock" Socket="{entrance}")\n')
            config.write(f'action(type="omfwd" target="{host}" port="{port}" protocol="tcp" template="RSYSLOG_SyslogProtocol23Format")\n')
        with running([program, "-n", "-f", f"{directory}/rsyslog.conf", "-i", f"{directory}/pid"]):
            end = time.monotonic() + PATIENCE_SECS
            while not os.path.exists(entrance) and time.monotonic() < end:
                time.sleep(0.1)
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.connect(entrance)
                # What it does with letters beyond ASCII is its own business.
                lines = [line.replace("ä", "ae") for line in LINES[:50]]
                for line in lines:
                    sender.send(f"<13>check: {line}".encode())
            arrive_by_syslog(lines)
    return subprocess.run([program, "-v"], capture_output=True, text=True).stdout.split("(")[0].strip()


CHECKS = {
    "watchtower": watchtower,
    "opentelemetry": opentelemetry,
    "awslogs": awslogs,
    "aws-logs-tail": aws_tail,
    "fluent-bit": fluent_bit,
    "logger": util_linux_logger,
    "rsyslog": rsyslog,
}

if __name__ == "__main__":
    try:
        print(f"ok {NAME}: {CHECKS[NAME]()}")
    except Skip as reason:
        print(f"skip {NAME}: {reason}")
        sys.exit(77)
