"""Each line of standard input is an OCSF event that both published sets of models must take."""

import json
import sys

from ocsf.events.application.api import APIActivity
from ocsf.events.findings.detection import DetectionFinding
from py_ocsf_models.events.findings.detection_finding import DetectionFinding as ProwlerDetectionFinding
from pydantic import ValidationError

MODELS = {2004: [DetectionFinding, ProwlerDetectionFinding], 6003: [APIActivity]}


def known(problem):
    """py-ocsf-models wants `service.version`, which the schema, and its own docstring, call optional."""
    return problem["type"] == "missing" and problem["loc"][-2:] == ("service", "version")


problems = []
for line in sys.stdin:
    event = json.loads(line)
    for model in MODELS[event["class_uid"]]:
        try:
            model.model_validate(event)
        except ValidationError as error:
            found = [problem for problem in error.errors() if not known(problem)]
            problems += [f"{model.__module__}: {problem['loc']}: {problem['msg']}" for problem in found]
    print(event["class_uid"])
sys.exit("\n".join(problems) or 0)
