"""The calls of every service through boto3, with their answers checked: tour.py ENDPOINT query|json"""

import datetime
import json
import sys
import time
import uuid

import boto3
import botocore.config
import botocore.exceptions

from webhook import Webhook

ENDPOINT, PROTOCOL = sys.argv[1:]
# An access key of 12 digits names the account, so clients do not meet each other's resources.
ACCOUNT = {"query": "111111111111", "json": "222222222222"}[PROTOCOL]
REGION = "eu-central-1"
RUN = uuid.uuid4().hex[:12]
UTC = datetime.timezone.utc

SESSION = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="secret", region_name=REGION)


def client(service):
    # One attempt: a retry would hide what went wrong first.
    config = botocore.config.Config(retries={"total_max_attempts": 1})
    return SESSION.client(service, endpoint_url=ENDPOINT, config=config)


def refused(code, call, **arguments):
    """The call must be refused with that code."""
    try:
        answer = call(**arguments)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        return error.response["Error"].get("Message", "")
    raise AssertionError(f"expected {code}, got {answer}")


def identity():
    answer = client("sts").get_caller_identity()
    assert answer["Account"] == ACCOUNT, answer
    assert answer["Arn"] == f"arn:aws:iam::{ACCOUNT}:root", answer


def protocol():
    """This boto3 must speak to CloudWatch what it is here for."""
    seen = []
    cloudwatch = client("cloudwatch")
    cloudwatch.meta.events.register("before-send.cloudwatch", lambda request, **_: seen.append(request.headers))
    cloudwatch.list_metrics(Namespace=f"{RUN}/Nothing")
    content_type = seen[0]["Content-Type"]
    content_type = content_type.decode() if isinstance(content_type, bytes) else content_type
    expected = {"query": "application/x-www-form-urlencoded", "json": "application/x-amz-json-1.0"}[PROTOCOL]
    assert content_type.startswith(expected), content_type


def metrics():
    cloudwatch = client("cloudwatch")
    namespace = f"{RUN}/Metrics"
    dimensions = [{"Name": "Host", "Value": "a & <b>"}]
    minute = datetime.datetime.now(UTC).replace(second=0, microsecond=0) - datetime.timedelta(minutes=10)
    metric = {"MetricName": "Latency", "Dimensions": dimensions, "Unit": "Milliseconds", "Timestamp": minute}
    cloudwatch.put_metric_data(
        Namespace=namespace,
        MetricData=[
            {**metric, "Value": 1.5},
            {**metric, "Values": [2.5, 4.0], "Counts": [2, 1]},
            {**metric, "StatisticValues": {"SampleCount": 2, "Sum": 20, "Minimum": 5, "Maximum": 15}},
        ],
    )
    # Large bodies come compressed.
    many = [{"MetricName": f"Many{number}", "Value": number, "Timestamp": minute} for number in range(500)]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=many)

    found = cloudwatch.list_metrics(Namespace=namespace, MetricName="Latency")["Metrics"]
    assert found == [{"Namespace": namespace, "MetricName": "Latency", "Dimensions": dimensions}], found
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace)
    assert sum(len(page["Metrics"]) for page in pages) == 501
    assert cloudwatch.list_metrics(Namespace=f"{RUN}/Nothing")["Metrics"] == []

    span = {"StartTime": minute, "EndTime": minute + datetime.timedelta(minutes=1)}
    points = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName="Latency",
        Dimensions=dimensions,
        Period=60,
        Statistics=["Sum", "SampleCount", "Minimum", "Maximum", "Average"],
        **span,
    )
    assert points["Label"] == "Latency", points
    expected = {"Sum": 30.5, "SampleCount": 6.0, "Minimum": 1.5, "Maximum": 15.0, "Unit": "Milliseconds"}
    (point,) = points["Datapoints"]
    assert expected.items() <= point.items(), point
    assert abs(point["Average"] - 30.5 / 6) < 1e-9 and point["Timestamp"] == minute, point

    stat = {"Metric": {"Namespace": namespace, "MetricName": "Many7"}, "Period": 60, "Stat": "p50"}
    data = cloudwatch.get_metric_data(MetricDataQueries=[{"Id": "m", "MetricStat": stat}], **span)
    (result,) = data["MetricDataResults"]
    assert (result["Id"], result["Values"], result["Timestamps"]) == ("m", [7.0], [minute]), result
    assert result["StatusCode"] == "Complete", result

    uneven = {"MetricName": "m", "Values": [1, 2], "Counts": [1]}
    refused("InvalidParameterValue", cloudwatch.put_metric_data, Namespace=namespace, MetricData=[uneven])


def alarms():
    cloudwatch, sns, webhook = client("cloudwatch"), client("sns"), Webhook()
    topic = sns.create_topic(Name=f"alarms-{RUN}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=webhook.url)
    webhook.shake_hands()
    name = f"{RUN}: disk is full"
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        AlarmDescription="more than <90> %",
        Namespace=f"{RUN}/Alarms",
        MetricName="Disk",
        Dimensions=[{"Name": "Host", "Value": "a"}],
        Statistic="Average",
        Period=60,
        EvaluationPeriods=3,
        DatapointsToAlarm=2,
        Threshold=90,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
        AlarmActions=[topic],
    )
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    expected = {
        "AlarmName": name,
        "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
        "AlarmDescription": "more than <90> %",
        "ActionsEnabled": True,
        "OKActions": [],
        "AlarmActions": [topic],
        "InsufficientDataActions": [],
        "StateValue": "INSUFFICIENT_DATA",
        "Dimensions": [{"Name": "Host", "Value": "a"}],
        "Threshold": 90.0,
        "DatapointsToAlarm": 2,
        "TreatMissingData": "ignore",
    }
    assert expected.items() <= alarm.items(), alarm

    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a drill")
    body = webhook.next("Notification")
    message = json.loads(body["Message"])
    assert body["TopicArn"] == topic and body["Subject"].startswith(f'ALARM: "{name}"'), body
    assert (message["AlarmName"], message["NewStateValue"]) == (name, "ALARM"), message
    assert (message["OldStateValue"], message["NewStateReason"]) == ("INSUFFICIENT_DATA", "a drill"), message
    assert message["Trigger"]["Dimensions"] == [{"value": "a", "name": "Host"}], message

    # Missing data is ignored, so the state stays as it was set.
    (alarm,) = cloudwatch.describe_alarms(AlarmNamePrefix=f"{RUN}:", StateValue="ALARM")["MetricAlarms"]
    assert (alarm["StateValue"], alarm["StateReason"]) == ("ALARM", "a drill"), alarm

    def history(item_type):
        answer = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType=item_type)
        return [item["HistorySummary"] for item in answer["AlarmHistoryItems"]]

    assert history("ConfigurationUpdate") == [f'Alarm "{name}" created'], history("ConfigurationUpdate")
    assert "Alarm updated from INSUFFICIENT_DATA to ALARM" in history("StateUpdate"), history("StateUpdate")
    until(lambda: f"Successfully executed action {topic}" in history("Action"))

    unknown = f"{RUN}: unknown"
    refused("ResourceNotFound", cloudwatch.set_alarm_state, AlarmName=unknown, StateValue="OK", StateReason="x")
    message = refused("ValidationError", cloudwatch.set_alarm_state, AlarmName=name, StateValue="RED", StateReason="x")
    assert "Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]" in message, message

    cloudwatch.delete_alarms(AlarmNames=[name])
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


def logs():
    logs = client("logs")
    group, stream = f"/{RUN}/app", "host/a"
    logs.create_log_group(logGroupName=group)
    refused("ResourceAlreadyExistsException", logs.create_log_group, logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    (found,) = logs.describe_log_groups(logGroupNamePrefix=f"/{RUN}/")["logGroups"]
    assert found["arn"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*", found

    now = int(time.time() * 1000)
    lines = ["GET / 200", "GET /ü 500 ERROR", "POST /form 200"]
    events = [{"timestamp": now + index, "message": line} for index, line in enumerate(lines)]
    answer = logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    assert "nextSequenceToken" in answer, answer

    read = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
    got = [(event["timestamp"], event["message"]) for event in read["events"]]
    assert got == [(event["timestamp"], event["message"]) for event in events], read
    again = logs.get_log_events(logGroupName=group, logStreamName=stream, nextToken=read["nextForwardToken"])
    assert again["events"] == [], again

    (hit,) = logs.filter_log_events(logGroupName=group, filterPattern="ERROR")["events"]
    assert (hit["message"], hit["logStreamName"]) == (lines[1], stream), hit
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, PaginationConfig={"PageSize": 2})
    ids = [event["eventId"] for page in pages for event in page["events"]]
    assert len(ids) == len(set(ids)) == 3, ids

    (described,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert (described["firstEventTimestamp"], described["lastEventTimestamp"]) == (now, now + 2), described
    logs.delete_log_group(logGroupName=group)
    refused("ResourceNotFoundException", logs.get_log_events, logGroupName=group, logStreamName=stream)


def notifications():
    sns, webhook = client("sns"), Webhook()
    topic = sns.create_topic(Name=f"news-{RUN}")["TopicArn"]
    assert topic == f"arn:aws:sns:{REGION}:{ACCOUNT}:news-{RUN}", topic
    assert sns.create_topic(Name=f"news-{RUN}")["TopicArn"] == topic
    pages = sns.get_paginator("list_topics").paginate()
    assert topic in [found["TopicArn"] for page in pages for found in page["Topics"]]

    answer = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=webhook.url)
    assert answer["SubscriptionArn"] == "pending confirmation", answer
    assert f"<SubscriptionArn>{topic}:" in webhook.shake_hands()
    subscription = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=webhook.url)["SubscriptionArn"]
    assert subscription.startswith(f"{topic}:"), subscription

    published = sns.publish(TopicArn=topic, Subject="a subject", Message="grüße & <so on>")
    body = webhook.next("Notification")
    assert body["MessageId"] == published["MessageId"], body
    assert (body["Subject"], body["Message"]) == ("a subject", "grüße & <so on>"), body
    variants = json.dumps({"default": "for all", "http": "for webhooks"})
    sns.publish(TopicArn=topic, Message=variants, MessageStructure="json")
    assert webhook.next("Notification")["Message"] == "for webhooks"

    message = refused("NotFound", sns.publish, TopicArn=f"{topic}-none", Message="x")
    assert message == "Topic does not exist", message
    message = refused("InvalidParameter", sns.subscribe, TopicArn=topic, Protocol="sms", Endpoint="+49")
    assert "sms" in message, message

    sns.unsubscribe(SubscriptionArn=subscription)
    answer = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=webhook.url)
    assert answer["SubscriptionArn"] == "pending confirmation", answer


def until(condition):
    """Waits for something that a background activity does within milliseconds."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def main():
    title, failures = f"boto3 {boto3.__version__} ({PROTOCOL})", 0
    for part in [identity, protocol, metrics, alarms, logs, notifications]:
        try:
            part()
            print(f"ok   {title}: {part.__name__}", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failures += 1
            line = sys.exc_info()[2].tb_next
            print(f"FAIL {title}: {part.__name__}, line {line.tb_lineno if line else '?'}: {error!r}", flush=True)
    sys.exit(1 if failures else 0)


main()
