import unittest

from formatter import Formatter
from siemaphore_sdk import Refused
from siemaphore_sdk.testkit import Rejection, answer, check_laws, configure, event
from wit_world.exports.formatter import Fate_Rejected, Framing_Newline, Run, Verdict_Standard


class FormatterTest(unittest.TestCase):
    def test_an_event_becomes_one_json_object_with_its_document_as_it_stands(self):
        record = configure(Formatter, {"team": "soc"}).record(event('{"tokens":18014398509481985}'))
        self.assertEqual(
            record,
            '{"id":"00112233445566778899aabbccddeeff","time":"2026-06-08T20:15:30Z","type":"dlp.pii_blocked",'
            '"severity":"high","organization":"acme","team":"soc","event":{"tokens":18014398509481985}}',
        )

    def test_settings_that_cannot_be_used_say_what_to_write_instead(self):
        with self.assertRaisesRegex(Refused, "/team: is missing"):
            configure(Formatter, {})
        with self.assertRaisesRegex(Refused, "/team: has to be one word"):
            configure(Formatter, {"team": "two words"})

    def test_lines_are_sent_as_lines(self):
        profile = configure(Formatter, {"team": "soc", "lines": True}).profile
        self.assertEqual((profile.framing, profile.content_type), (Framing_Newline(), "application/x-ndjson"))

    def test_an_event_without_a_type_is_rejected_and_only_that_one(self):
        first, second = configure(Formatter, {"team": "soc"}).records([event({}, event_type=""), event({})])
        self.assertEqual(first, Rejection("the event has no type"))
        self.assertIsInstance(second, str)

    def test_records_that_the_siem_lists_as_refused_are_not_taken_for_delivered(self):
        formatter = configure(Formatter, {"team": "soc"})
        verdict = formatter.interpret(answer(200, {"refused": [{"index": 3, "reason": "too old"}]}))
        self.assertEqual(verdict.value.runs, [Run(3, 1, Fate_Rejected("too old"))])
        self.assertEqual(formatter.interpret(answer(200, {"refused": []})), Verdict_Standard())

    def test_the_laws_hold(self):
        check_laws(Formatter, [event({"a": 1}), event({}, event_type=""), event({"text": "line\nbreak"})])


if __name__ == "__main__":
    unittest.main()
