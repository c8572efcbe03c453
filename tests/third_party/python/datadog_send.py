"""Sends a log with Datadog's own client: datadog_send.py ENDPOINT CA_FILE API_KEY"""

import sys

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.logs_api import LogsApi
from datadog_api_client.v2.model.content_encoding import ContentEncoding
from datadog_api_client.v2.model.http_log import HTTPLog
from datadog_api_client.v2.model.http_log_item import HTTPLogItem

endpoint, authority, key = sys.argv[1:]
configuration = Configuration()
# The second of this operation's servers is one of the caller's own.
configuration.server_operation_index["submit_log"] = 1
configuration.server_operation_variables["submit_log"] = {"name": endpoint.removeprefix("https://")}
configuration.ssl_ca_cert = authority
configuration.api_key["apiKeyAuth"] = key
log = HTTPLog([HTTPLogItem(ddsource="official", ddtags="env:test", hostname="host", message="hello", service="client")])
with ApiClient(configuration) as client:
    for encoding in [ContentEncoding.IDENTITY, ContentEncoding.GZIP, ContentEncoding.DEFLATE]:
        answer = LogsApi(client).submit_log(body=log, content_encoding=encoding)
        assert answer == {}, answer
