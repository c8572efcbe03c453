"""Uploads a log with Azure's own client: azure_upload.py ENDPOINT CA_FILE TOKEN RULE STREAM"""

import sys
import time

from azure.core.credentials import AccessToken
from azure.monitor.ingestion import LogsIngestionClient

endpoint, authority, token, rule, stream = sys.argv[1:]


class Credential:
    def get_token(self, *scopes, **_):
        assert scopes == ("https://monitor.azure.com/.default",), scopes
        return AccessToken(token, int(time.time()) + 3600)


client = LogsIngestionClient(endpoint, Credential(), connection_verify=authority)
client.upload(rule_id=rule, stream_name=stream, logs=[{"TimeGenerated": sys.stdin.read().strip(), "EventType": "official"}])
