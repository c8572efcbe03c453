"""Sends log records with OpenTelemetry's SDK, in protobuf with gzip: otel_logs.py ENDPOINT TOKEN"""

import sys
import time

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExportResult
from opentelemetry.sdk.resources import Resource

endpoint, token = sys.argv[1:]


class Exporter(OTLPLogExporter):
    """A processor keeps to itself what came of an export."""

    results = []

    def export(self, batch):
        self.results.append(super().export(batch))
        return self.results[-1]


exporter = Exporter(
    endpoint=endpoint, headers={"Authorization": f"Bearer {token}"}, compression=Compression.Gzip
)
provider = LoggerProvider(resource=Resource.create({"service.name": "ai-gateway", "tags": ["a", "b"]}))
provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
logger = provider.get_logger("aisg", "1.2.3")
for number in range(3):
    logger.emit(
        LogRecord(
            timestamp=time.time_ns(),
            severity_number=SeverityNumber.ERROR,
            severity_text="ERROR",
            event_name="dlp.pii_blocked",
            body={"decision": "block", "findings": [{"type": "EMAIL", "count": number}]},
            attributes={"user.id": "usr_1", "ratio": 0.5, "whole": 2**53 + 1, "raw": b"\x00\xff", "sdk": "python"},
        )
    )
provider.shutdown()
assert exporter.results == [LogRecordExportResult.SUCCESS], exporter.results
