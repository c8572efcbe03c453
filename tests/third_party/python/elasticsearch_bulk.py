"""Sends documents with Elasticsearch's own client: elasticsearch_bulk.py ENDPOINT CA_FILE ENCODED_API_KEY DATA_STREAM

The second call writes the same keys again, which the server must answer as conflicts of single items.
"""

import sys

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

endpoint, authority, key, stream = sys.argv[1:]
client = Elasticsearch(endpoint, ca_certs=authority, api_key=key, http_compress=True, max_retries=0)
actions = [
    {
        "_op_type": "create",
        "_index": stream,
        "_id": f"official-{number}",
        "@timestamp": "2026-05-15T10:30:00Z",
        "event": {"kind": "event", "category": ["api"], "type": ["info"]},
        "ecs": {"version": "8.11.0"},
        "message": "hello",
    }
    for number in range(3)
]
created, problems = bulk(client, actions, raise_on_error=False)
assert (created, problems) == (3, []), (created, problems)
created, problems = bulk(client, actions, raise_on_error=False)
statuses = [problem["create"]["status"] for problem in problems]
types = {problem["create"]["error"]["type"] for problem in problems}
assert (created, statuses, types) == (0, [409] * 3, {"version_conflict_engine_exception"}), (created, problems)
