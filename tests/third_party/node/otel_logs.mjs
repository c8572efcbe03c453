// Sends log records with OpenTelemetry's SDK, in JSON: otel_logs.mjs ENDPOINT TOKEN
import assert from "node:assert/strict";

import { SeverityNumber } from "@opentelemetry/api-logs";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";

const [url, token] = process.argv.slice(2);

// A processor keeps to itself what came of an export.
const results = [];
class Exporter extends OTLPLogExporter {
  export(records, done) {
    super.export(records, (result) => {
      results.push(result);
      done(result);
    });
  }
}

const exporter = new Exporter({ url, headers: { Authorization: `Bearer ${token}` }, compression: "gzip" });
const provider = new LoggerProvider({
  resource: resourceFromAttributes({ "service.name": "ai-gateway", tags: ["a", "b"] }),
  processors: [new BatchLogRecordProcessor({ exporter })],
});
const logger = provider.getLogger("aisg", "1.2.3");
for (let number = 0; number < 3; number += 1) {
  logger.emit({
    timestamp: Date.now(),
    severityNumber: SeverityNumber.ERROR,
    severityText: "ERROR",
    eventName: "dlp.pii_blocked",
    body: { decision: "block", findings: [{ type: "EMAIL", count: number }] },
    attributes: { "user.id": "usr_1", ratio: 0.5, whole: 7, raw: new Uint8Array([0, 255]), sdk: "javascript" },
  });
}
await provider.shutdown();
assert.deepEqual(results, [{ code: 0 }]);
