"""A webhook on a free port of this machine, as a subscriber of an SNS topic would write it."""

import http.server
import json
import queue
import threading
import urllib.request

# Deliveries come within milliseconds; a test that waits so long has failed.
PATIENCE_SECS = 20


class Webhook:
    def __init__(self):
        self.posts = queue.Queue()
        # A closed one answers that it is not available.
        self.is_open = True
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if hook.is_open:
                    hook.posts.put((self.headers["x-amz-sns-message-type"], json.loads(body)))
                self.send_response(200 if hook.is_open else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/hook"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def next(self, kind):
        """The body of the next post, which must be of that kind."""
        found, body = self.posts.get(timeout=PATIENCE_SECS)
        assert found == kind == body["Type"], (found, kind, body)
        return body

    def shake_hands(self):
        """Follows the link of a confirmation; the answer holds the subscription's ARN."""
        link = self.next("SubscriptionConfirmation")["SubscribeURL"]
        with urllib.request.urlopen(link) as answer:
            return answer.read().decode()
