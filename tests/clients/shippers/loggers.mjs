// Loggers for JavaScript, unmodified: loggers.mjs ENDPOINT winston|pino
//
// Each ships lines, found again with the SDK that winston-cloudwatch brings along.
import { createRequire } from 'node:module';
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

const [endpoint, name] = process.argv.slice(2);
const region = 'us-east-1';
const credentials = { accessKeyId: '000000000000', secretAccessKey: 'secret' };
const run = randomUUID().slice(0, 12);
const group = `/shippers/${name}/${run}`;
const lines = Array.from({ length: 200 }, (_, number) => `line ${String(number).padStart(3, '0')} of ${run}: häuser "quoted"`);

const require = createRequire(import.meta.url);
const version = (module) => `${module} ${require(`${module}/package.json`).version}`;

const { CloudWatchLogs } = require('@aws-sdk/client-cloudwatch-logs');
const logs = new CloudWatchLogs({ endpoint, region, credentials });

async function stored() {
  const messages = [];
  try {
    for (let nextToken; ; ) {
      const page = await logs.filterLogEvents({ logGroupName: group, nextToken });
      messages.push(...page.events.map((event) => event.message));
      nextToken = page.nextToken;
      if (!nextToken) return messages;
    }
  } catch (error) {
    if (error.name === 'ResourceNotFoundException') return messages;
    throw error;
  }
}

async function arrive(read) {
  let found = [];
  for (let tries = 0; tries < 150 && found.length < lines.length; tries += 1) {
    await wait(200);
    found = read(await stored());
  }
  if (JSON.stringify(found) !== JSON.stringify(lines)) {
    throw new Error(`${found.length} of ${lines.length} lines: ${found.slice(0, 3)}`);
  }
}

const loggers = {
  // Creates its group and stream, and ships every two seconds.
  async winston() {
    const winston = require('winston');
    const WinstonCloudWatch = require('winston-cloudwatch');
    const options = { logGroupName: group, logStreamName: 's', awsRegion: region, uploadRate: 500 };
    const transport = new WinstonCloudWatch({ ...options, awsOptions: { endpoint, credentials }, messageFormatter: ({ message }) => message });
    const logger = winston.createLogger({ transports: [transport] });
    lines.forEach((line) => logger.info(line));
    // It sorts lines of one millisecond in any order before it sends them.
    await arrive((messages) => messages.sort());
    await new Promise((done) => transport.kthxbye(done));
    return version('winston-cloudwatch');
  },

  // A stream of lines, through version 2 of the SDK with sequence tokens.
  async pino() {
    const pino = require('pino');
    const cloudwatch = require('pino-cloudwatch');
    // It has no option for the endpoint; its SDK has.
    createRequire(require.resolve('pino-cloudwatch'))('aws-sdk').config.update({ endpoint });
    const options = { group, stream: 's', aws_region: region, interval: 500 };
    const stream = cloudwatch({ ...options, aws_access_key_id: credentials.accessKeyId, aws_secret_access_key: credentials.secretAccessKey });
    const logger = pino({}, stream);
    lines.forEach((line) => logger.info(line));
    await arrive((messages) => messages.map((message) => JSON.parse(message).msg));
    return version('pino-cloudwatch');
  },
};

console.log(`ok ${name}: ${await loggers[name]()}`);
process.exit(0);
