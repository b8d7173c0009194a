"""Every paginator and waiter of boto3 for what is served, and its resources API: listings.py ENDPOINT"""

import datetime
import json
import sys
import time
import uuid

import boto3
import botocore.config

ENDPOINT = sys.argv[1]
REGION = "eu-central-1"
# An account of this run's own: what is listed is then exactly what was made.
ACCOUNT = str(uuid.uuid4().int)[:12]
SESSION = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="secret", region_name=REGION)
CONFIG = botocore.config.Config(retries={"total_max_attempts": 1})
NAMES = ["a", "b", "c"]
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
MILLIS = int(time.time() * 1000)


def client(service):
    return SESSION.client(service, endpoint_url=ENDPOINT, config=CONFIG)


def resource(service):
    return SESSION.resource(service, endpoint_url=ENDPOINT, config=CONFIG)


cloudwatch, logs, sns, sqs = (client(service) for service in ("cloudwatch", "logs", "sns", "sqs"))


def arn(service, rest):
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


def listed(service, operation, key, expected, page_size=1, **arguments):
    """Pages must hold each of `expected` items once, and none more than `page_size`; None where it cannot be asked for."""
    config = {"PageSize": page_size} if page_size else {}
    pages = service.get_paginator(operation).paginate(**arguments, PaginationConfig=config)
    found = []
    for page in pages:
        items = page.get(key, [])
        assert not page_size or len(items) <= page_size, (operation, items)
        found += items
    assert len(found) == expected, (operation, len(found), found)
    assert len({json.dumps(item, default=str, sort_keys=True) for item in found}) == expected, (operation, "twice", found)


def alarm(name, **more):
    cloudwatch.put_metric_alarm(
        AlarmName=name, Namespace="Listed", MetricName="M", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold", **more
    )


def pages_of_cloudwatch():
    for name in NAMES:
        alarm(f"alarm-{name}")
        body = json.dumps({"widgets": [{"type": "text", "properties": {"markdown": name}}]})
        cloudwatch.put_dashboard(DashboardName=f"board-{name}", DashboardBody=body)
        cloudwatch.put_anomaly_detector(
            SingleMetricAnomalyDetector={"Namespace": "Listed", "MetricName": name, "Stat": "Sum"}
        )
        cloudwatch.put_alarm_mute_rule(
            Name=f"mute-{name}", Rule={"Schedule": {"Expression": "cron(0 3 * * *)", "Duration": "PT1H"}}
        )
    # A waiter asks until it is there.
    cloudwatch.get_waiter("alarm_exists").wait(AlarmNames=["alarm-a"], WaiterConfig={"Delay": 1, "MaxAttempts": 3})
    cloudwatch.put_composite_alarm(AlarmName="composite", AlarmRule='ALARM("alarm-a")')
    waiter = cloudwatch.get_waiter("composite_alarm_exists")
    waiter.wait(AlarmNames=["composite"], AlarmTypes=["CompositeAlarm"], WaiterConfig={"Delay": 1, "MaxAttempts": 3})
    waiter = cloudwatch.get_waiter("alarm_mute_rule_exists")
    waiter.wait(AlarmMuteRuleName="mute-a", WaiterConfig={"Delay": 1, "MaxAttempts": 3})
    listed(cloudwatch, "describe_alarms", "MetricAlarms", 3)
    listed(cloudwatch, "describe_alarms", "CompositeAlarms", 1, AlarmTypes=["CompositeAlarm"])
    listed(cloudwatch, "describe_alarm_history", "AlarmHistoryItems", 3, HistoryItemType="ConfigurationUpdate",
           AlarmTypes=["MetricAlarm"])
    listed(cloudwatch, "list_dashboards", "DashboardEntries", 3, None)
    listed(cloudwatch, "describe_anomaly_detectors", "AnomalyDetectors", 3)
    listed(cloudwatch, "list_alarm_mute_rules", "AlarmMuteRuleSummaries", 3)
    data = [{"MetricName": name, "Value": number, "Timestamp": NOW} for number, name in enumerate(NAMES)]
    cloudwatch.put_metric_data(Namespace="Listed", MetricData=data)
    listed(cloudwatch, "list_metrics", "Metrics", 3, None, Namespace="Listed")
    queries = [
        {"Id": name, "MetricStat": {"Metric": {"Namespace": "Listed", "MetricName": name}, "Period": 60, "Stat": "Sum"}}
        for name in NAMES
    ]
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=NOW - datetime.timedelta(hours=1), EndTime=NOW + datetime.timedelta(minutes=1),
        PaginationConfig={"PageSize": 1},
    )
    values = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            values.setdefault(result["Id"], []).extend(result["Values"])
    assert values == {"a": [0.0], "b": [1.0], "c": [2.0]}, values


def pages_of_logs():
    queue = sqs.create_queue(QueueName="receiver")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for name in NAMES:
        logs.create_log_group(logGroupName=f"group-{name}")
        logs.create_log_stream(logGroupName="group-a", logStreamName=name)
        events = [{"timestamp": MILLIS + number, "message": f"{name} {number}"} for number in range(4)]
        logs.put_log_events(logGroupName="group-a", logStreamName=name, logEvents=events)
        transformation = {"metricName": "m", "metricNamespace": "Listed", "metricValue": "1"}
        logs.put_metric_filter(
            logGroupName="group-a", filterName=name, filterPattern="", metricTransformations=[transformation]
        )
        logs.put_delivery_destination(
            name=name, deliveryDestinationConfiguration={"destinationResourceArn": arn("logs", f"log-group:group-{name}")}
        )
        knowledge_base = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:knowledge-base/ABCDEFGHI{name.upper()}"
        logs.put_delivery_source(name=name, resourceArn=knowledge_base, logType="APPLICATION_LOGS")
        destination = arn("logs", f"delivery-destination:{name}")
        logs.create_delivery(deliverySourceName=name, deliveryDestinationArn=destination)
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "logs:*", "Resource": "*"}]}
        logs.put_resource_policy(policyName=name, policyDocument=json.dumps(policy))
        logs.create_log_anomaly_detector(logGroupArnList=[arn("logs", f"log-group:group-{name}")], detectorName=name)
        logs.put_query_definition(name=name, queryString="fields @message")
    for name in NAMES[:2]:
        logs.put_subscription_filter(logGroupName="group-a", filterName=name, filterPattern="no such word", destinationArn=queue_arn)
    listed(logs, "describe_log_groups", "logGroups", 3)
    listed(logs, "describe_log_streams", "logStreams", 3, logGroupName="group-a")
    listed(logs, "describe_log_streams", "logStreams", 3, logGroupName="group-a", orderBy="LastEventTime", descending=True)
    listed(logs, "describe_metric_filters", "metricFilters", 3, logGroupName="group-a")
    listed(logs, "describe_subscription_filters", "subscriptionFilters", 2, logGroupName="group-a")
    listed(logs, "describe_resource_policies", "resourcePolicies", 3)
    listed(logs, "describe_deliveries", "deliveries", 3)
    listed(logs, "describe_delivery_destinations", "deliveryDestinations", 3)
    listed(logs, "describe_delivery_sources", "deliverySources", 3)
    listed(logs, "describe_destinations", "destinations", 0)
    listed(logs, "describe_export_tasks", "exportTasks", 0)
    listed(logs, "list_log_anomaly_detectors", "anomalyDetectors", 3)
    listed(logs, "list_anomalies", "anomalies", 0)
    for page_size in (1, 5, 100):
        listed(logs, "filter_log_events", "events", 12, page_size, logGroupName="group-a")
        listed(logs, "filter_log_events", "events", 3, page_size, logGroupName="group-a", filterPattern='"2"')
    # GetLogEvents has no paginator: its tokens stay the same at the end.
    token, messages = {}, []
    while True:
        page = logs.get_log_events(logGroupName="group-a", logStreamName="b", startFromHead=True, limit=3, **token)
        messages += [event["message"] for event in page["events"]]
        if token.get("nextToken") == page["nextForwardToken"]:
            break
        token = {"nextToken": page["nextForwardToken"]}
    assert messages == ["b 0", "b 1", "b 2", "b 3"], messages


def pages_of_sns_and_sqs():
    topics = [sns.create_topic(Name=f"topic-{number:03}")["TopicArn"] for number in range(101)]
    pages = list(sns.get_paginator("list_topics").paginate())
    assert [len(page["Topics"]) for page in pages] == [100, 1], [len(page["Topics"]) for page in pages]
    assert {topic["TopicArn"] for page in pages for topic in page["Topics"]} == set(topics)
    for name in NAMES:
        url = sqs.create_queue(QueueName=f"queue-{name}")["QueueUrl"]
        sns.subscribe(TopicArn=topics[0], Protocol="sqs", Endpoint=arn("sqs", f"queue-{name}"))
        redrive = {"deadLetterTargetArn": arn("sqs", "queue-a"), "maxReceiveCount": 3}
        if name != "a":
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(redrive)})
    listed(sns, "list_subscriptions", "Subscriptions", 3, None)
    listed(sns, "list_subscriptions_by_topic", "Subscriptions", 3, None, TopicArn=topics[0])
    listed(sqs, "list_queues", "QueueUrls", 3, QueueNamePrefix="queue-")
    dead_letters = sqs.get_queue_url(QueueName="queue-a")["QueueUrl"]
    listed(sqs, "list_dead_letter_source_queues", "queueUrls", 2, QueueUrl=dead_letters)


def resources():
    watch, notification, queues = resource("cloudwatch"), resource("sns"), resource("sqs")
    metric = watch.Metric("Resources", "M")
    metric.put_data(MetricData=[{"MetricName": "M", "Value": 2, "Timestamp": NOW}])
    assert [found.name for found in watch.metrics.filter(Namespace="Resources")] == ["M"]
    points = metric.get_statistics(
        StartTime=NOW - datetime.timedelta(hours=1), EndTime=NOW + datetime.timedelta(hours=1), Period=60, Statistics=["Sum"]
    )["Datapoints"]
    assert [point["Sum"] for point in points] == [2.0], points
    made = metric.put_alarm(
        AlarmName="by-resource", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    made.set_state(StateValue="ALARM", StateReason="a test")
    made.reload()
    assert made.state_value == "ALARM" and [found.name for found in metric.alarms.all()] == ["by-resource"], made
    made.disable_actions()
    made.reload()
    assert not made.actions_enabled
    made.delete()
    assert [found.name for found in watch.alarms.filter(AlarmNames=["by-resource"])] == []

    queue = queues.create_queue(QueueName="by-resource", Attributes={"VisibilityTimeout": "7"})
    assert queue.attributes["VisibilityTimeout"] == "7", queue.attributes
    topic = notification.create_topic(Name="by-resource")
    subscription = topic.subscribe(Protocol="sqs", Endpoint=queue.attributes["QueueArn"], ReturnSubscriptionArn=True)
    subscription.set_attributes(AttributeName="RawMessageDelivery", AttributeValue="true")
    topic.publish(Message="hello", MessageAttributes={"k": {"DataType": "String", "StringValue": "v"}})
    (message,) = queue.receive_messages(WaitTimeSeconds=10, MessageAttributeNames=["All"])
    assert message.body == "hello" and message.message_attributes["k"]["StringValue"] == "v", message
    message.change_visibility(VisibilityTimeout=0)
    (message,) = queue.receive_messages(WaitTimeSeconds=10)
    message.delete()
    assert [found.url for found in queues.queues.filter(QueueNamePrefix="by-res")] == [queue.url]
    subscription.delete()
    topic.delete()
    queue.delete()


for part in (pages_of_cloudwatch, pages_of_logs, pages_of_sns_and_sqs, resources):
    part()
    print(f"ok boto3 {part.__name__}", flush=True)
