"""Write a Siemaphore formatter in Python. README.md says how; `wit_world.exports.formatter` has the contract's types."""

from . import verdict
from .formatter import Authentication, Formatter, Product, Rejected, export
from .json_text import Raw, json
from .profile import get_probe, post_json
from .response import header, is_success, parsed, reason, text
from .settings import Refused, problem

__all__ = [
    "Authentication",
    "Formatter",
    "Product",
    "Raw",
    "Refused",
    "Rejected",
    "export",
    "get_probe",
    "header",
    "is_success",
    "json",
    "parsed",
    "post_json",
    "problem",
    "reason",
    "text",
    "verdict",
]
