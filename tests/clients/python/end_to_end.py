"""From a breach to a webhook, a queue and a mailbox, by the real clock and through SIGKILLs: end_to_end.py BINARY KILLS

Starts the server BINARY itself, since it ends it too. First an alarm of ten seconds breaches, and all three subscribers must hear
of it before the next evaluation. Then, KILLS times, the server is killed right after a transition was acknowledged, while webhook
and mail server refuse everything: started again, it must still tell everybody of every transition.
"""

import email
import email.policy
import json
import random
import re
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import boto3
import botocore.config

from webhook import Webhook

BINARY, KILLS = sys.argv[1], int(sys.argv[2])
ACCOUNT, REGION = "333333333333", "eu-central-1"

# An alarm of ten seconds is evaluated every ten seconds.
EVALUATION_SECS = 10
# Retries of mail begin after ten seconds and grow; a notification that takes longer counts as lost.
PATIENCE_SECS = 90


class MailServer:
    """Enough of SMTP for a client that sends plain mails; keeps them all."""

    def __init__(self):
        self.letters = []
        self.is_open = True
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                if not sink.is_open:
                    self.reply("421 closed")
                    return
                self.reply("220 sink")
                for line in self.rfile:
                    word = line[:4].upper()
                    if word == b"DATA":
                        self.reply("354 go on")
                        sink.letters.append(self.letter())
                        self.reply("250 taken")
                    elif word == b"QUIT":
                        self.reply("221 bye")
                        return
                    else:
                        self.reply("250 sink")

            def reply(self, text):
                self.wfile.write(f"{text}\r\n".encode())

            def letter(self):
                lines = []
                for line in self.rfile:
                    if line == b".\r\n":
                        break
                    lines.append(line[1:] if line.startswith(b"..") else line)
                return email.message_from_bytes(b"".join(lines), policy=email.policy.default)

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.url = f"smtp://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def texts(self):
        return [letter.get_content() for letter in self.letters]


class Server:
    """The server under test, on one directory for all its lives."""

    def __init__(self, mail):
        self.directory = tempfile.TemporaryDirectory()
        self.flags = ["--data-dir", self.directory.name, "--smtp-url", mail.url, "--log", "error"]
        self.start("127.0.0.1:0")

    def start(self, listen):
        command = [BINARY, "serve", "--listen", listen, *self.flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.url = re.search(r"http://\S+", line)[0]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restart(self):
        # On the same port: links and clients stay valid.
        self.start(self.url.removeprefix("http://"))


def wait_for(what, condition, patience=PATIENCE_SECS):
    """When `condition` first holds; what does not come in time has failed."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, f"no {what} within {patience} s"
        time.sleep(0.02)
    return time.time()


MAIL, HOOK = MailServer(), Webhook()
SERVER = Server(MAIL)
SESSION = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="secret", region_name=REGION)


def client(service):
    config = botocore.config.Config(retries={"total_max_attempts": 1})
    return SESSION.client(service, endpoint_url=SERVER.url, config=config)


CLOUDWATCH, SNS, SQS = client("cloudwatch"), client("sns"), client("sqs")
# What each subscriber has heard: the reasons of all notifications, in order.
HEARD = {"webhook": [], "queue": [], "mail": []}


def subscribe():
    topic = SNS.create_topic(Name="alerts")["TopicArn"]
    SNS.subscribe(TopicArn=topic, Protocol="http", Endpoint=HOOK.url)
    HOOK.shake_hands()
    queue = SQS.create_queue(QueueName="alerts")["QueueUrl"]
    arn = SQS.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    SNS.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    SNS.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.com")
    wait_for("mail that asks to confirm", lambda: MAIL.letters)
    link = re.search(r"http://\S+ConfirmSubscription\S+", MAIL.texts()[0])[0]
    urllib.request.urlopen(link).close()
    return topic, queue


def listen(queue):
    """Takes in what has come to each subscriber."""
    while not HOOK.posts.empty():
        HEARD["webhook"].append(json.loads(HOOK.next("Notification")["Message"]))
    answer = SQS.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    for message in answer.get("Messages", []):
        HEARD["queue"].append(json.loads(json.loads(message["Body"])["Message"]))
        SQS.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    HEARD["mail"] = [json.loads(found[0]) for text in MAIL.texts() if (found := re.search(r'\{"AlarmName".*\}', text))]


def has_heard(subscriber, queue, fits):
    listen(queue)
    return any(fits(message) for message in HEARD[subscriber])


def put_alarm(topic, name, **more):
    CLOUDWATCH.put_metric_alarm(
        AlarmName=name,
        Namespace="EndToEnd",
        MetricName="Load",
        Statistic="Maximum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=90,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic],
        **more,
    )


def put_load(value):
    datum = {"MetricName": "Load", "Value": value, "StorageResolution": 1}
    CLOUDWATCH.put_metric_data(Namespace="EndToEnd", MetricData=[datum])


def breach(topic, queue):
    """By the real clock: a breach is heard of by everybody before the next evaluation."""
    put_alarm(topic, "hot")
    put_load(10)
    put_load(99)
    breached = time.time()
    for subscriber in HEARD:
        heard = wait_for(subscriber, lambda: has_heard(subscriber, queue, lambda message: message["AlarmName"] == "hot"))
        (alarm,) = CLOUDWATCH.describe_alarms(AlarmNames=["hot"])["MetricAlarms"]
        transitioned = alarm["StateTransitionedTimestamp"].timestamp()
        print(
            f"{subscriber}: heard {heard - breached:.2f} s after the breach, {heard - transitioned:.2f} s after the transition"
        )
        assert heard - transitioned < EVALUATION_SECS, f"{subscriber} heard after the next evaluation"
        # A period that has just begun, its evaluation, and the delivery.
        assert heard - breached < 2 * EVALUATION_SECS + 2, f"{subscriber} heard too late"


def survive(topic, queue):
    """Through SIGKILLs between transition and delivery nobody misses a transition."""
    # Without samples of its own, its state stays as it is set.
    put_alarm(topic, "drill", TreatMissingData="ignore", Dimensions=[{"Name": "Of", "Value": "nothing"}])
    chance = random.Random(1)
    for kill in range(KILLS):
        HOOK.is_open = MAIL.is_open = False
        CLOUDWATCH.set_alarm_state(AlarmName="drill", StateValue="OK", StateReason="calm")
        CLOUDWATCH.set_alarm_state(AlarmName="drill", StateValue="ALARM", StateReason=f"drill {kill}")
        time.sleep(chance.choice([0, 0, 0.001, 0.003, 0.01, 0.03]))
        SERVER.kill()
        HOOK.is_open = MAIL.is_open = True
        SERVER.restart()
        for subscriber in HEARD:
            reason = f"drill {kill}"
            wait_for(
                f"{reason} by {subscriber}",
                lambda: has_heard(subscriber, queue, lambda message: message["NewStateReason"] == reason),
            )
    listen(queue)
    for subscriber, messages in HEARD.items():
        drills = [message["NewStateReason"] for message in messages if message["AlarmName"] == "drill"]
        print(f"{subscriber}: {KILLS} kills, {len(set(drills))} drills heard, {len(drills) - len(set(drills))} repeats")
        assert len(set(drills)) == KILLS, drills


try:
    TOPIC, QUEUE = subscribe()
    breach(TOPIC, QUEUE)
    survive(TOPIC, QUEUE)
finally:
    SERVER.kill()
