// The calls of every service through the AWS SDK for JavaScript, with their answers checked: tour.mjs ENDPOINT
// CloudWatch is toured twice: with the protocol that the SDK chooses, which is JSON, and with CBOR.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import { AwsSmithyRpcV2CborProtocol } from "@aws-sdk/core/protocols";
import * as cloudwatch from "@aws-sdk/client-cloudwatch";
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as sns from "@aws-sdk/client-sns";
import * as sqs from "@aws-sdk/client-sqs";
import * as sts from "@aws-sdk/client-sts";

import { Webhook } from "./webhook.mjs";

const [, , endpoint] = process.argv;
// An access key of 12 digits names the account, so clients do not meet each other's resources.
const account = "333333333333";
const region = "eu-central-1";
// One attempt: a retry would hide what went wrong first.
const settings = {
  endpoint,
  region,
  credentials: { accessKeyId: account, secretAccessKey: "secret" },
  maxAttempts: 1,
};

/** The call must be refused with that error, whose name is the shape's and whose `Code` is the old one. */
async function refused(name, code, call) {
  const error = await call.then(
    (answer) => assert.fail(`expected ${name}, got ${JSON.stringify(answer)}`),
    (error) => error,
  );
  assert.equal(error.name, name, `${error}`);
  if (code) assert.equal(error.Error?.Code ?? error.Code, code, `${error}`);
  return error.message;
}

async function identity() {
  const answer = await new sts.STS(settings).getCallerIdentity({});
  assert.deepEqual([answer.Account, answer.Arn], [account, `arn:aws:iam::${account}:root`]);
}

/** A CloudWatch client that notes the content type of what it sends. */
function cloudWatchClient(protocol) {
  const client = new cloudwatch.CloudWatch({ ...settings, ...protocol.settings });
  client.middlewareStack.add(
    (next) => (args) => {
      assert.equal(args.request.headers["content-type"], protocol.contentType);
      return next(args);
    },
    { step: "finalizeRequest", name: "contentType" },
  );
  return client;
}

async function metrics(protocol) {
  const client = cloudWatchClient(protocol);
  const run = randomUUID().slice(0, 8);
  const Namespace = `${run}/Metrics`;
  const Dimensions = [{ Name: "Host", Value: "a & <b>" }];
  const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 600_000);
  const metric = { MetricName: "Latency", Dimensions, Unit: "Milliseconds", Timestamp: minute };
  await client.putMetricData({
    Namespace,
    MetricData: [
      { ...metric, Value: 1.5 },
      { ...metric, Values: [2.5, 4], Counts: [2, 1] },
      { ...metric, StatisticValues: { SampleCount: 2, Sum: 20, Minimum: 5, Maximum: 15 } },
    ],
  });
  // Over JSON, large bodies come compressed.
  const many = Array.from({ length: 500 }, (_, Value) => ({ MetricName: `Many${Value}`, Value, Timestamp: minute }));
  await client.putMetricData({ Namespace, MetricData: many });

  const found = await client.listMetrics({ Namespace, MetricName: "Latency" });
  assert.deepEqual(found.Metrics, [{ Namespace, MetricName: "Latency", Dimensions }]);
  assert.deepEqual((await client.listMetrics({ Namespace: `${run}/Nothing` })).Metrics, []);

  const span = { StartTime: minute, EndTime: new Date(minute.getTime() + 60_000) };
  const statistics = await client.getMetricStatistics({
    Namespace,
    MetricName: "Latency",
    Dimensions,
    Period: 60,
    Statistics: ["Sum", "SampleCount", "Minimum", "Maximum"],
    ...span,
  });
  const point = { Timestamp: minute, Sum: 30.5, SampleCount: 6, Minimum: 1.5, Maximum: 15, Unit: "Milliseconds" };
  assert.deepEqual(statistics.Datapoints, [point]);

  const MetricStat = { Metric: { Namespace, MetricName: "Many7" }, Period: 60, Stat: "p50" };
  const data = await client.getMetricData({ MetricDataQueries: [{ Id: "m", MetricStat }], ...span });
  const [{ Id, Values, Timestamps, StatusCode }] = data.MetricDataResults;
  assert.deepEqual([Id, Values, Timestamps, StatusCode], ["m", [7], [minute], "Complete"]);

  const uneven = { MetricName: "m", Values: [1, 2], Counts: [1] };
  const call = client.putMetricData({ Namespace, MetricData: [uneven] });
  await refused("InvalidParameterValueException", "InvalidParameterValue", call);
}

async function alarms(protocol) {
  const client = cloudWatchClient(protocol);
  const topics = new sns.SNS(settings);
  const webhook = await Webhook.listen();
  const run = randomUUID().slice(0, 8);
  const { TopicArn } = await topics.createTopic({ Name: `alarms-${run}` });
  await topics.subscribe({ TopicArn, Protocol: "http", Endpoint: webhook.url });
  await webhook.shakeHands();

  const AlarmName = `${run}: disk is full`;
  const definition = {
    AlarmName,
    Namespace: `${run}/Alarms`,
    MetricName: "Disk",
    Dimensions: [{ Name: "Host", Value: "a" }],
    Statistic: "Average",
    Period: 60,
    EvaluationPeriods: 3,
    DatapointsToAlarm: 2,
    Threshold: 90,
    ComparisonOperator: "GreaterThanThreshold",
    TreatMissingData: "ignore",
    AlarmActions: [TopicArn],
  };
  await client.putMetricAlarm(definition);
  const described = await client.describeAlarms({ AlarmNames: [AlarmName] });
  const [alarm] = described.MetricAlarms;
  assert.deepEqual({ ...alarm, ...definition }, alarm);
  assert.equal(alarm.AlarmArn, `arn:aws:cloudwatch:${region}:${account}:alarm:${AlarmName}`);
  assert.equal(alarm.StateValue, "INSUFFICIENT_DATA");
  assert.deepEqual([alarm.OKActions, alarm.InsufficientDataActions, alarm.ActionsEnabled], [[], [], true]);

  await client.setAlarmState({ AlarmName, StateValue: "ALARM", StateReason: "a drill" });
  const message = JSON.parse((await webhook.next("Notification")).Message);
  assert.deepEqual(
    [message.AlarmName, message.OldStateValue, message.NewStateValue, message.NewStateReason],
    [AlarmName, "INSUFFICIENT_DATA", "ALARM", "a drill"],
  );
  // Missing data is ignored, so the state stays as it was set.
  const inAlarm = await client.describeAlarms({ AlarmNamePrefix: `${run}:`, StateValue: "ALARM" });
  assert.deepEqual(inAlarm.MetricAlarms.map(({ StateReason }) => StateReason), ["a drill"]);

  const history = await client.describeAlarmHistory({ AlarmName, HistoryItemType: "StateUpdate" });
  const summaries = history.AlarmHistoryItems.map((item) => item.HistorySummary);
  assert.ok(summaries.includes("Alarm updated from INSUFFICIENT_DATA to ALARM"), `${summaries}`);
  assert.ok(history.AlarmHistoryItems[0].Timestamp instanceof Date);

  const unknown = { AlarmName: `${run}: unknown`, StateValue: "OK", StateReason: "x" };
  await refused("ResourceNotFound", "ResourceNotFound", client.setAlarmState(unknown));
  await client.deleteAlarms({ AlarmNames: [AlarmName] });
  assert.deepEqual((await client.describeAlarms({ AlarmNames: [AlarmName] })).MetricAlarms, []);
  webhook.close();
}

async function logging() {
  const client = new logs.CloudWatchLogs(settings);
  const logGroupName = `/${randomUUID().slice(0, 8)}/app`;
  const logStreamName = "host/a";
  await client.createLogGroup({ logGroupName });
  await refused("ResourceAlreadyExistsException", null, client.createLogGroup({ logGroupName }));
  await client.createLogStream({ logGroupName, logStreamName });
  const groups = await client.describeLogGroups({ logGroupNamePrefix: logGroupName });
  assert.deepEqual(
    groups.logGroups.map(({ arn }) => arn),
    [`arn:aws:logs:${region}:${account}:log-group:${logGroupName}:*`],
  );

  const now = Date.now();
  const lines = ["GET / 200", "GET /ü 500 ERROR", "POST /form 200"];
  const logEvents = lines.map((message, index) => ({ timestamp: now + index, message }));
  await client.putLogEvents({ logGroupName, logStreamName, logEvents });
  const read = await client.getLogEvents({ logGroupName, logStreamName, startFromHead: true });
  assert.deepEqual(read.events.map(({ timestamp, message }) => ({ timestamp, message })), logEvents);
  const hits = await client.filterLogEvents({ logGroupName, filterPattern: "ERROR" });
  assert.deepEqual(hits.events.map(({ message }) => message), [lines[1]]);
  const all = await client.filterLogEvents({ logGroupName });
  assert.equal(new Set(all.events.map(({ eventId }) => eventId)).size, 3);

  const streams = await client.describeLogStreams({ logGroupName });
  assert.deepEqual(streams.logStreams.map((stream) => stream.lastEventTimestamp), [now + 2]);
  await client.deleteLogGroup({ logGroupName });
  await refused("ResourceNotFoundException", null, client.getLogEvents({ logGroupName, logStreamName }));
}

async function liveTail() {
  const client = new logs.CloudWatchLogs({ ...settings, disableHostPrefix: true });
  const logGroupName = `tail-${randomUUID().slice(0, 8)}`;
  await client.createLogGroup({ logGroupName });
  await client.createLogStream({ logGroupName, logStreamName: "s" });
  const logGroupIdentifiers = [`arn:aws:logs:${region}:${account}:log-group:${logGroupName}`];
  const { responseStream } = await client.startLiveTail({ logGroupIdentifiers, logEventFilterPattern: "seen" });
  const kinds = [];
  for await (const event of responseStream) {
    kinds.push(Object.keys(event)[0]);
    if (event.sessionStart) {
      const logEvents = ["seen 1", "passed over", "seen 2"].map((message) => ({ timestamp: Date.now(), message }));
      await client.putLogEvents({ logGroupName, logStreamName: "s", logEvents });
    } else if (event.sessionUpdate.sessionResults.length > 0) {
      assert.deepEqual(event.sessionUpdate.sessionResults.map((result) => result.message), ["seen 1", "seen 2"]);
      break;
    }
  }
  assert.equal(kinds[0], "sessionStart");
  await client.deleteLogGroup({ logGroupName });
}

async function queues() {
  const client = new sqs.SQS(settings);
  const QueueName = `jobs-${randomUUID().slice(0, 8)}.fifo`;
  const Attributes = { FifoQueue: "true", ContentBasedDeduplication: "true", VisibilityTimeout: "30" };
  const { QueueUrl } = await client.createQueue({ QueueName, Attributes, tags: { team: "a" } });
  const read = await client.getQueueAttributes({ QueueUrl, AttributeNames: ["All"] });
  assert.equal(read.Attributes.QueueArn, `arn:aws:sqs:${region}:${account}:${QueueName}`);
  assert.deepEqual((await client.listQueueTags({ QueueUrl })).Tags, { team: "a" });
  const entry = (Id, MessageBody) => ({ Id, MessageBody, MessageGroupId: "g" });
  const Entries = [entry("1", "grüße"), entry("2", "<so> & on"), { ...entry("3", "bad"), DelaySeconds: 5 }];
  const sent = await client.sendMessageBatch({ QueueUrl, Entries });
  assert.deepEqual(sent.Successful.map((one) => one.Id), ["1", "2"]);
  assert.deepEqual(sent.Failed.map((one) => [one.Id, one.Code, one.SenderFault]), [["3", "InvalidParameterValue", true]]);
  // The SDK itself compares the checksums of what it sends and receives.
  const MessageAttributes = { n: { DataType: "Number", StringValue: "1" }, b: { DataType: "Binary", BinaryValue: Buffer.from([0, 255]) } };
  await client.sendMessage({ QueueUrl, MessageBody: "third", MessageGroupId: "g", MessageAttributes });
  const wish = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 10, MessageAttributeNames: ["All"] };
  const { Messages } = await client.receiveMessage(wish);
  assert.deepEqual(Messages.map((message) => message.Body), ["grüße", "<so> & on", "third"]);
  assert.deepEqual([...Messages[2].MessageAttributes.b.BinaryValue], [0, 255]);
  const { ReceiptHandle } = Messages[0];
  await client.changeMessageVisibility({ QueueUrl, ReceiptHandle, VisibilityTimeout: 60 });
  for (const message of Messages) await client.deleteMessage({ QueueUrl, ReceiptHandle: message.ReceiptHandle });
  await client.deleteQueue({ QueueUrl });
  const gone = client.getQueueUrl({ QueueName });
  await refused("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", gone);
}

async function notifications() {
  const client = new sns.SNS(settings);
  const webhook = await Webhook.listen();
  const Name = `news-${randomUUID().slice(0, 8)}`;
  const { TopicArn } = await client.createTopic({ Name });
  assert.equal(TopicArn, `arn:aws:sns:${region}:${account}:${Name}`);
  const listed = [];
  for await (const page of sns.paginateListTopics({ client }, {})) listed.push(...page.Topics);
  assert.ok(listed.some((topic) => topic.TopicArn === TopicArn));

  const subscription = { TopicArn, Protocol: "http", Endpoint: webhook.url };
  assert.equal((await client.subscribe(subscription)).SubscriptionArn, "pending confirmation");
  assert.ok((await webhook.shakeHands()).includes(`<SubscriptionArn>${TopicArn}:`));
  const { SubscriptionArn } = await client.subscribe(subscription);
  assert.ok(SubscriptionArn.startsWith(`${TopicArn}:`), SubscriptionArn);

  const { MessageId } = await client.publish({ TopicArn, Subject: "a subject", Message: "grüße & <so on>" });
  const body = await webhook.next("Notification");
  assert.deepEqual([body.MessageId, body.Subject, body.Message], [MessageId, "a subject", "grüße & <so on>"]);
  await refused("NotFoundException", "NotFound", client.publish({ TopicArn: `${TopicArn}-none`, Message: "x" }));
  const text = { TopicArn, Protocol: "sms", Endpoint: "+49" };
  await refused("InvalidParameterException", "InvalidParameter", client.subscribe(text));

  await client.unsubscribe({ SubscriptionArn });
  assert.equal((await client.subscribe(subscription)).SubscriptionArn, "pending confirmation");
  webhook.close();
}

const json = { contentType: "application/x-amz-json-1.0", settings: {} };
// This SDK compresses a CBOR body and goes on announcing the length that it had before (3.1164), which no server can read.
const uncompressed = { disableRequestCompression: true };
const cbor = {
  contentType: "application/cbor",
  settings: { protocol: AwsSmithyRpcV2CborProtocol, ...uncompressed },
};
const parts = {
  identity,
  "metrics (JSON)": () => metrics(json),
  "metrics (CBOR)": () => metrics(cbor),
  "alarms (JSON)": () => alarms(json),
  "alarms (CBOR)": () => alarms(cbor),
  logs: logging,
  "live tail": liveTail,
  notifications,
  queues,
};
let failures = 0;
for (const [name, part] of Object.entries(parts)) {
  try {
    await part();
    console.log(`ok   JavaScript SDK: ${name}`);
  } catch (error) {
    failures += 1;
    console.log(`FAIL JavaScript SDK: ${name}: ${error.stack ?? error}`);
  }
}
process.exit(failures === 0 ? 0 : 1);
