#!/usr/bin/env python3
"""A webhook for SNS: confirms the subscription and prints every notification. ./webhook.py [PORT]"""

import http.server
import json
import sys
import urllib.request


class Webhook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        if message["Type"] == "SubscriptionConfirmation":
            urllib.request.urlopen(message["SubscribeURL"]).read()
            print("subscription confirmed:", message["TopicArn"], flush=True)
        else:
            print(message.get("Subject"), "\n ", message["Message"], flush=True)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    print(f"waiting on http://127.0.0.1:{port}", flush=True)
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Webhook).serve_forever()
