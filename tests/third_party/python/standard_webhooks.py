"""The reference library of Standard Webhooks.

standard_webhooks.py sign SECRET ID      prints the headers for the body on standard input, as an object
standard_webhooks.py verify SECRET       takes {"headers": {...}, "body": "..."} on standard input
"""

import json
import sys
from datetime import datetime, timezone

from standardwebhooks.webhooks import Webhook

verb, secret, *rest = sys.argv[1:]
given = sys.stdin.read()
if verb == "sign":
    now = datetime.now(timezone.utc)
    signature = Webhook(secret).sign(rest[0], now, given)
    print(json.dumps({"webhook-id": rest[0], "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}))
else:
    request = json.loads(given)
    print(json.dumps(Webhook(secret).verify(request["body"], request["headers"])))
