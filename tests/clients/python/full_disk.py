"""A disk that is full again and again: full_disk.py BINARY DIRECTORY ROUNDS

DIRECTORY is on a small file system of its own (see tests/clients/full_disk). Starts the server BINARY there itself, with so little
patience that it flushes and merges all the time, and fills the disk with log events, metrics, messages and groups. While nothing
fits, the server must say so in AWS's words and go on reading, also after a SIGKILL. When a file of ballast is deleted, it must
take writes again by itself. At last each acknowledged thing must be there exactly once, before and after a restart.
"""

import base64
import collections
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time

import boto3
import botocore.config
import botocore.exceptions

BINARY, DIRECTORY, ROUNDS = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
FLAGS = "--logs-memory-mib 16 --logs-flush-secs 0 --metrics-memory-mib 8 --metrics-flush-secs 0".split()
# One file of it is deleted in every round.
BALLAST = [DIRECTORY / f"ballast-{number}" for number in range(ROUNDS)]
BALLAST_BYTES = 48 << 20
WRITERS = 4
EVENTS = 40
# So long every batch of events has to fail for the disk to count as full: there may be room for a metric.
FULL_SECS = 3
# The server rests ten seconds after a failed flush, and thirty after a failed merge.
PATIENCE_SECS = 60
# What a service says when it cannot store anything: SDKs come again.
FULL_CODES = {
    "logs": {"ServiceUnavailableException", "ThrottlingException"},
    "cloudwatch": {"ServiceUnavailable", "ThrottlingException"},
    "sqs": {"ServiceUnavailable", "ThrottlingException", "RequestThrottled"},
}


class Server:
    """The server under test, on one directory for all its lives."""

    def __init__(self):
        self.log = open(DIRECTORY.parent / f"{DIRECTORY.name}.log", "ab")
        self.listen = "127.0.0.1:0"
        self.start()

    def start(self):
        command = [BINARY, "serve", "--listen", self.listen, "--data-dir", str(DIRECTORY / "data"), *FLAGS]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.url = re.search(r"http://\S+", self.process.stdout.readline())[0]
        # On the same port from now on: clients stay valid.
        self.listen = self.url.removeprefix("http://")

    def restart(self, how):
        self.process.send_signal(how)
        self.process.wait()
        self.start()


for file in BALLAST:
    file.write_bytes(os.urandom(BALLAST_BYTES))
SERVER = Server()
SESSION = boto3.Session(aws_access_key_id="1", aws_secret_access_key="1", region_name="us-east-1")


def client(service):
    config = botocore.config.Config(retries={"total_max_attempts": 1}, max_pool_connections=WRITERS)
    return SESSION.client(service, endpoint_url=SERVER.url, config=config)


LOGS, CLOUDWATCH, SQS = client("logs"), client("cloudwatch"), client("sqs")
QUEUE = SQS.create_queue(QueueName="q")["QueueUrl"]


class Written:
    """What was acknowledged, and what nobody knows of."""

    def __init__(self):
        self.acknowledged, self.unknown = set(), set()

    def check(self, what, found):
        lost = [item for item in self.acknowledged if found[item] == 0]
        twice = [item for item, times in found.items() if times > 1]
        invented = [item for item in found if item not in self.acknowledged | self.unknown]
        assert not (lost or twice or invented), f"{what}: lost {lost[:5]}, twice {twice[:5]}, refused {invented[:5]}"
        return len(self.acknowledged)


class Writer(threading.Thread):
    """Writes batches of log events to a stream of its own, and now and then a metric, a message, a group."""

    def __init__(self, number):
        super().__init__(daemon=True)
        self.stream, self.random = f"s{number}", random.Random(number)
        self.events, self.groups, self.messages, self.samples = Written(), Written(), Written(), Written()
        self.errors, self.last_success, self.ends = collections.Counter(), time.monotonic(), False
        LOGS.create_log_group(logGroupName=f"g{number}")
        LOGS.create_log_stream(logGroupName=f"g{number}", logStreamName=self.stream)

    def run(self):
        for number in range(1 << 30):
            if self.ends:
                return
            self.put_events(number)
            if number % 8 == 0:
                self.put_others(number)

    def attempt(self, service, written, item, call):
        try:
            call()
            written.acknowledged.add(item)
            if written is self.events:
                self.last_success = time.monotonic()
        except botocore.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            self.errors[f"{service} {code}"] += 1
            assert code in FULL_CODES[service], error
            # The journal's disk may hold what it could not acknowledge: it is there once at most.
            written.unknown.add(item)
            time.sleep(0.05)
        except (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError):
            written.unknown.add(item)
            time.sleep(0.05)

    def put_events(self, number):
        # Nothing that would become much smaller in files.
        texts = [base64.b64encode(self.random.randbytes(3000)).decode() for _ in range(EVENTS)]
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": f"{number}/{event} {text}"} for event, text in enumerate(texts)]
        group = self.stream.replace("s", "g")
        put = lambda: LOGS.put_log_events(logGroupName=group, logStreamName=self.stream, logEvents=events)
        self.attempt("logs", self.events, number, put)

    def put_others(self, number):
        name = f"{self.stream}-{number}"
        self.attempt("logs", self.groups, name, lambda: LOGS.create_log_group(logGroupName=name))
        send = lambda: SQS.send_message(QueueUrl=QUEUE, MessageBody=name)
        self.attempt("sqs", self.messages, name, send)
        datum = {"MetricName": name, "Value": 1.0}
        put = lambda: CLOUDWATCH.put_metric_data(Namespace=self.stream, MetricData=[datum])
        self.attempt("cloudwatch", self.samples, name, put)

    def check(self):
        return [
            self.events.check(f"events of {self.stream}", self.found_events()),
            self.groups.check("groups", self.found_groups()),
            self.samples.check("metrics", self.found_metrics()),
        ]

    def found_events(self):
        parts, token = collections.Counter(), {}
        group = self.stream.replace("s", "g")
        while True:
            page = LOGS.get_log_events(logGroupName=group, logStreamName=self.stream, startFromHead=True, **token)
            parts.update(event["message"].split()[0] for event in page["events"])
            if token == {"nextToken": page["nextForwardToken"]}:
                break
            token = {"nextToken": page["nextForwardToken"]}
        found = collections.Counter(int(part.split("/")[0]) for part in parts)
        torn = [number for number, events in found.items() if events != EVENTS]
        assert not torn, f"batches of {self.stream} in parts: {torn[:5]}"
        return collections.Counter({number: max(parts[f"{number}/{event}"] for event in range(EVENTS)) for number in found})

    def found_groups(self):
        pages = LOGS.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=f"{self.stream}-")
        return collections.Counter(group["logGroupName"] for page in pages for group in page["logGroups"])

    def found_metrics(self):
        pages = CLOUDWATCH.get_paginator("list_metrics").paginate(Namespace=self.stream)
        return collections.Counter(metric["MetricName"] for page in pages for metric in page["Metrics"])


def found_messages():
    """Takes all messages out of the queue."""
    found = collections.Counter()
    while messages := SQS.receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10).get("Messages"):
        found.update(message["Body"] for message in messages)
        entries = [{"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(messages)]
        SQS.delete_message_batch(QueueUrl=QUEUE, Entries=entries)
    return found


def check_messages():
    written = Written()
    for writer in CREW:
        written.acknowledged |= writer.messages.acknowledged
        written.unknown |= writer.messages.unknown
    return written.check("messages", found_messages())


def writing():
    """Whether anybody had success lately."""
    return time.monotonic() - max(writer.last_success for writer in CREW) < FULL_SECS


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE_SECS
    while not condition():
        assert all(writer.is_alive() for writer in CREW), "an answer was none of a full disk"
        assert time.monotonic() < end, f"no {what} within {PATIENCE_SECS} s"
        time.sleep(0.1)


def one_round(number):
    wait_for("full disk", lambda: not writing())
    # What is stored can be read, also by a server that is started now.
    if number % 2:
        SERVER.restart(signal.SIGKILL)
    LOGS.get_log_events(logGroupName="g0", logStreamName="s0", limit=1)
    BALLAST[number].unlink()
    began = time.monotonic()
    wait_for("recovery", lambda: max(writer.last_success for writer in CREW) > began)
    print(f"round {number}: taken again {time.monotonic() - began:.1f} s after there was room", flush=True)


def main():
    [writer.start() for writer in CREW]
    for number in range(ROUNDS):
        one_round(number)
    for writer in CREW:
        writer.ends = True
        writer.join()
    for how in (None, signal.SIGKILL, signal.SIGTERM):
        if how:
            SERVER.restart(how)
        batches, groups, samples = map(sum, zip(*(writer.check() for writer in CREW)))
    messages = check_messages()
    print("answers of a full disk:", dict(sum((writer.errors for writer in CREW), collections.Counter())))
    print(f"ok: {batches} batches of {EVENTS} events, {groups} groups, {samples} metrics, {messages} messages are there, once each")


CREW = [Writer(number) for number in range(WRITERS)]
try:
    main()
finally:
    SERVER.process.kill()
