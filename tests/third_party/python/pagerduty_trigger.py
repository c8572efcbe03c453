"""Triggers alerts with PagerDuty's own client: pagerduty_trigger.py ENDPOINT CA_FILE ROUTING_KEY"""

import os
import sys

endpoint, authority, key = sys.argv[1:]
os.environ["SSL_CERT_FILE"] = os.environ["REQUESTS_CA_BUNDLE"] = authority

from pagerduty import EventsApiV2Client  # noqa: E402

client = EventsApiV2Client(key, base_url=endpoint)
for severity in ["critical", "error", "warning", "info"]:
    deduplicated_by = client.trigger(
        "hello", "gateway", dedup_key=f"official-{severity}", severity=severity, custom_details={"number": 1}
    )
    assert deduplicated_by == f"official-{severity}", deduplicated_by
