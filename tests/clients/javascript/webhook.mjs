// A webhook on a free port of this machine, as a subscriber of an SNS topic would write it.

import assert from "node:assert/strict";
import http from "node:http";

/** Deliveries come within milliseconds; a test that waits so long has failed. */
const PATIENCE_MS = 20_000;

export class Webhook {
  #posts = [];
  #arrived = () => {};

  static async listen() {
    const hook = new Webhook();
    hook.server = http.createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      hook.#posts.push([request.headers["x-amz-sns-message-type"], JSON.parse(Buffer.concat(chunks).toString())]);
      response.end();
      hook.#arrived();
    });
    await new Promise((listening) => hook.server.listen(0, "127.0.0.1", listening));
    hook.url = `http://127.0.0.1:${hook.server.address().port}/hook`;
    return hook;
  }

  /** The body of the next post, which must be of that kind. */
  async next(kind) {
    if (this.#posts.length === 0) {
      await new Promise((arrived, failed) => {
        const timer = setTimeout(() => failed(new Error(`no ${kind} in time`)), PATIENCE_MS);
        this.#arrived = () => {
          clearTimeout(timer);
          arrived();
        };
      });
    }
    const [found, body] = this.#posts.shift();
    assert.deepEqual([found, body.Type], [kind, kind]);
    return body;
  }

  /** Follows the link of a confirmation; the answer holds the subscription's ARN. */
  async shakeHands() {
    const answer = await fetch((await this.next("SubscriptionConfirmation")).SubscribeURL);
    assert.equal(answer.status, 200);
    return answer.text();
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }
}
