"""Sends a message with Slack's own client: slack_send.py ENDPOINT CA_FILE SECRET"""

import ssl
import sys

from slack_sdk.models.blocks import SectionBlock
from slack_sdk.webhook import WebhookClient

endpoint, authority, secret = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
client = WebhookClient(f"{endpoint}/services/{secret}", ssl=context)
answer = client.send(text="hello", blocks=[SectionBlock(text="*hello*").to_dict()])
assert (answer.status_code, answer.body) == (200, "ok"), (answer.status_code, answer.body)
