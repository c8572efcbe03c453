"""Each line of standard input is a message that the models in Slack's own client must take and give back."""

import json
import sys

from slack_sdk.models.attachments import BlockAttachment
from slack_sdk.models.blocks import Block

for line in sys.stdin:
    message = json.loads(line)
    lists = [message.get("blocks", [])] + [attachment.get("blocks", []) for attachment in message.get("attachments", [])]
    for blocks in lists:
        parsed = Block.parse_all(blocks)
        assert len(parsed) == len(blocks), blocks
        # Serialising is when the models check lengths and required members.
        assert [block.to_dict() for block in parsed] == blocks, blocks
    for attachment in message.get("attachments", []):
        BlockAttachment(blocks=Block.parse_all(attachment.get("blocks", [])), color=attachment.get("color")).to_dict()
    print(message["text"])
