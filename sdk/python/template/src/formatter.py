"""Security events for {{title}}: each becomes one JSON object, in an array or one a line."""

from typing import Any

import siemaphore_sdk as siemaphore
from siemaphore_sdk import Authentication, Product, Raw, Refused, Rejected, get_probe, post_json, problem, verdict
from wit_world.exports.formatter import Event, Framing_JsonArray, Framing_Newline, Limits
from wit_world.exports.formatter import RequestProfile, Response, Verdict

LIMITS = Limits(records=500, body_bytes=1_000_000, record_bytes=500_000)


class SiemFormatter(siemaphore.Formatter):
    product = Product(
        name="{{name}}",
        version="0.1.0",
        vendor="Example",
        title="{{title}}",
        summary="Each event arrives as one JSON object with its time, severity and document.",
        settings={
            "properties": {
                "team": {"type": "string", "minLength": 1, "description": "The team that owns these events."},
                "lines": {
                    "type": "boolean",
                    "default": False,
                    "description": "Send one object a line instead of an array.",
                },
            },
            "required": ["team"],
        },
        settings_example={"team": "soc"},
        endpoint_example="https://siem.example.com",
        secret_name="API key",
        authentication=[Authentication("bearer")],
    )

    def configure(self, settings: dict[str, Any], destination: str) -> RequestProfile:
        self.team = settings["team"]
        if len(self.team.split()) != 1:
            raise Refused(problem("/team", "has to be one word: `soc`"))
        lines = settings["lines"]
        return post_json(
            "/api/events",
            Framing_Newline() if lines else Framing_JsonArray(),
            LIMITS,
            content_type="application/x-ndjson" if lines else "application/json",
            probe=get_probe("/api/health"),
        )

    def format(self, event: Event) -> str:
        if not event.event_type:
            raise Rejected("the event has no type")
        return siemaphore.json(
            {
                "id": event.key,
                "time": event.timestamp,
                "type": event.event_type,
                "severity": event.severity.name.lower(),
                "organization": event.organization,
                "team": self.team,
                # As it stands: not parsed, so no key is lost.
                "event": Raw(event.document),
            }
        )

    def interpret(self, response: Response) -> Verdict:
        # This SIEM answers 200 even when it has refused some of the records, and lists them.
        answer = siemaphore.parsed(response) if siemaphore.is_success(response) else None
        refused = answer.get("refused") if isinstance(answer, dict) else None
        if not refused:
            return verdict.standard()
        return verdict.rejected_at((one["index"], one["reason"]) for one in refused)


Formatter = siemaphore.export(SiemFormatter)
