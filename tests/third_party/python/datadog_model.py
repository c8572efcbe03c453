"""Each line of standard input is a log that Datadog's own client must take as it is."""

import json
import sys

from datadog_api_client.v2.model.http_log import HTTPLog
from datadog_api_client.v2.model.http_log_item import HTTPLogItem

for line in sys.stdin:
    log = json.loads(line)
    # The client checks the types of the reserved attributes when an item is made, and serialises it again.
    item = HTTPLogItem(**log)
    HTTPLog([item])
    same = {name: value for name, value in item.to_dict().items()}
    assert json.loads(json.dumps(same, default=str)).keys() == log.keys(), log
    print(log["message"])
