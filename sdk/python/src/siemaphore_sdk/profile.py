"""Starting points for the request that a formatter asks for."""

from typing import Any

from wit_world.exports import formatter as contract


def post_json(path: str, framing: contract.Framing, limits: contract.Limits, **more: Any) -> contract.RequestProfile:
    """POST of gzip-compressed JSON: what most SIEMs take. `more` sets or replaces members."""
    members: dict[str, Any] = {
        "method": contract.Method.POST,
        "path": path,
        "query": [],
        "content_type": "application/json",
        "headers": [],
        "follow_up_path": None,
        "sticky": False,
        "framing": framing,
        "limits": limits,
        "compression": [contract.Compression.GZIP],
        "probe": None,
        "replay_window": None,
    }
    return contract.RequestProfile(**(members | more))


def get_probe(path: str) -> contract.Probe:
    """A probe that is a GET without a body."""
    return contract.Probe(get=True, path=path, query=[], body=b"")
