import unittest
from dataclasses import replace
from json import dumps, loads

import siemaphore_sdk as siemaphore
from componentize_py_types import Err
from siemaphore_sdk import Authentication, Product, Raw, Rejected, post_json, verdict
from siemaphore_sdk.testkit import Rejection, answer, check_laws, configure, event, follow_up
from wit_world.exports.formatter import Framing_JsonArray, Framing_Newline, Limits, Verdict_Delivered, Verdict_Standard

PRODUCT = Product(
    name="acme",
    version="1.0.0",
    vendor="Me",
    title="Acme",
    summary="All of it.",
    settings={},
    settings_example={},
    endpoint_example="https://siem.example.com",
    secret_name="key",
    authentication=[Authentication("header", {"header": "X-Key"})],
)


def made(record, framing=Framing_JsonArray(), interpreted=None):
    class Made(siemaphore.Formatter):
        product = PRODUCT

        def configure(self, settings, destination):
            return post_json("/in", framing, Limits(10, 1000, 1000))

        def format(self, event):
            return record(event)

        def interpret(self, response):
            return interpreted(response) if interpreted else super().interpret(response)

    return siemaphore.export(Made)


class FormatterTest(unittest.TestCase):
    def test_records_of_any_length_and_script_stand_one_after_the_other(self):
        documents = ["é" * 70_000, "", "😀" * 100_000, "\U0010ffff", "x"]
        formatter = configure(made(lambda event: dumps(event.document)), {})
        records = formatter.records([event(document) for document in documents])
        self.assertEqual([loads(record) for record in records], documents)

    def test_bytes_are_records_too(self):
        self.assertEqual(configure(made(lambda event: '"ß"'.encode()), {}).record(event({})), '"ß"')

    def test_only_what_is_rejected_on_purpose_is_rejected(self):
        def record(one):
            if one.id == "bad":
                raise Rejected("no time")
            return "1"

        records = configure(made(record), {}).records([event({}), event({}, id="bad"), event({})])
        self.assertEqual(records, ["1", Rejection("no time"), "1"])
        with self.assertRaises(AttributeError):
            configure(made(lambda event: event.nothing), {}).records([event({})])
        for nothing in ["", b"", None, {}]:
            with self.assertRaisesRegex((TypeError, ValueError), "format"):
                configure(made(lambda event: nothing), {}).records([event({})])

    def test_a_defect_says_where_it_is(self):
        exported = made(lambda event: event.nothing)
        exported().configure("{}", "destination-1")
        with self.assertRaises(Err) as raised:
            exported().format([event({})])
        self.assertRegex(raised.exception.value, r"^AttributeError: .*'nothing' \(test_formatter\.py, line \d+\)$")

    def test_two_configured_formatters_do_not_meet(self):
        class Named(siemaphore.Formatter):
            product = replace(PRODUCT, settings={"properties": {"name": {"type": "string"}}})

            def configure(self, settings, destination):
                self.name = settings["name"]
                return post_json("/in", Framing_JsonArray(), Limits(10, 1000, 1000))

            def format(self, event):
                return dumps(self.name)

        exported = siemaphore.export(Named)
        first, second = configure(exported, {"name": "a"}), configure(exported, {"name": "b"})
        self.assertEqual([first.record(event({})), second.record(event({}))], ['"a"', '"b"'])

    def test_a_description_has_the_schemes_parameters_and_the_whole_schema(self):
        description = made(lambda event: "1")().describe()
        self.assertEqual(description.authentication[0].parameters, '{"header": "X-Key"}')
        self.assertIs(loads(description.settings_schema)["additionalProperties"], False)

    def test_the_laws_are_checked(self):
        check_laws(made(lambda event: event.document), [event({"a": 1}), event({"b": 2})])
        seen = []
        with self.assertRaisesRegex(AssertionError, "cutting the batch at event 0"):
            check_laws(made(lambda event: seen.append(1) or str(len(seen))), [event({})])
        with self.assertRaises(ValueError):
            check_laws(made(lambda event: "{"), [event({})])
        with self.assertRaisesRegex(AssertionError, "raw newline"):
            check_laws(made(lambda event: "1\n", Framing_Newline()), [event({})])

    def test_a_document_is_spliced_in_as_it_stands(self):
        document = '{"n":18014398509481985,"n":1.0}'
        record = siemaphore.json({"a": 'é"', "left": None, "event": Raw(document)})
        self.assertEqual(record, '{"a":"é\\"","event":' + document + "}")

    def test_answers_are_read(self):
        response = answer(403, " no\nway ")
        self.assertEqual(siemaphore.reason(response), "status 403: no way")
        self.assertEqual(siemaphore.reason(answer(500)), "status 500")
        self.assertEqual(siemaphore.header(response, "content-type"), "application/json")
        self.assertIsNone(siemaphore.parsed(response))
        self.assertEqual(configure(made(lambda event: "1"), {}).interpret(answer(200)), Verdict_Standard())

    def test_a_follow_up_remembers_what_pending_was_given(self):
        def interpreted(response):
            asked = (verdict.remembered(response) or {"asked": 0})["asked"]
            return verdict.pending(1000, {"job": "7"}, state={"asked": asked + 1}) if asked < 2 else verdict.delivered()

        configured = configure(made(lambda event: "1", Framing_Newline(), interpreted), {})
        first = configured.interpret(answer(200))
        self.assertEqual((first.value.after_ms, first.value.query), (1000, [("job", "7")]))
        second = configured.interpret(follow_up(first, 200))
        self.assertEqual(configured.interpret(follow_up(second, 200)), Verdict_Delivered(None))


if __name__ == "__main__":
    unittest.main()
