import unittest
from json import dumps

from siemaphore_sdk import Refused
from siemaphore_sdk.settings import checked

SETTINGS = {
    "properties": {
        "index": {"type": "string", "minLength": 2},
        "size": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
        "mode": {"enum": ["a", "b"], "default": "a"},
        "tags": {"type": "array", "items": {"type": "string"}, "default": []},
        "a/b~c": {"type": ["object", "null"]},
    },
    "required": ["index"],
}


def problems(value):
    try:
        checked(SETTINGS, value if isinstance(value, str) else dumps(value))
    except Refused as refused:
        return [f"{one.pointer} {one.message}" for one in refused.problems]
    return []


class SettingsTest(unittest.TestCase):
    def test_defaults_are_filled_in_and_not_shared(self):
        first = checked(SETTINGS, '{"index":"main"}')
        self.assertEqual(first, {"index": "main", "size": 3, "mode": "a", "tags": []})
        first["tags"].append("x")
        self.assertEqual(checked(SETTINGS, '{"index":"main"}')["tags"], [])

    def test_each_problem_points_at_the_member_that_caused_it(self):
        for value, expected in [
            ({}, ["/index is missing"]),
            ({"index": 7}, ["/index has to be string, not integer"]),
            (
                {"index": "x", "size": 10, "mode": "c"},
                [
                    "/index has to have at least 2 characters",
                    "/size has to be at most 9",
                    '/mode has to be one of "a", "b"',
                ],
            ),
            ({"index": "main", "size": True}, ["/size has to be integer, not boolean"]),
            ({"index": "main", "size": 1.5}, ["/size has to be integer, not number"]),
            ({"index": "main", "size": 2.0}, []),
            ({"index": "main", "tags": ["x", None]}, ["/tags/1 has to be string, not null"]),
            ({"index": "main", "a/b~c": 1}, ["/a~1b~0c has to be object or null, not integer"]),
            ({"index": "main", "a/b~c": {"open": 1}}, []),
            ({"index": "main", "indx": 1}, ["/indx is not a setting; there is index, size, mode, tags, a/b~c"]),
            ([], [" has to be object, not array"]),
        ]:
            with self.subTest(value=value):
                self.assertEqual(problems(value), expected)
        self.assertRegex(problems("{")[0], "^ settings have to be a JSON object: ")


if __name__ == "__main__":
    unittest.main()
