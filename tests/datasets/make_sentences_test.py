"""What datasets/make_sentences.py makes of package descriptions, up to the embedding."""

import os
import sys
import types
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "datasets"))
import make_sentences  # noqa: E402

DESCRIPTIONS = """Package: first
Description-md5: d943033bedada21853d2ae54a2578a7b
Description-en: A first synopsis
 One paragraph that goes
 on in a second line.
 .
 Another paragraph:
  * with a list
 .
 tiny

Package: second
Description-en: A second synopsis
 One paragraph that goes on
 in a second line.
 .
 A first synopsis

Package: third
Description-md5: 0
Description-en: A third synopsis without more
"""


def options(**changed):
    return types.SimpleNamespace(**{"n": 20, "queries": 5, "learn_queries": 7, "seed": 7,
                                    **changed})


def texts(kind, count):
    return {f"{kind} number {i}" for i in range(count)}


class Texts(unittest.TestCase):
    def test_are_paragraphs_and_synopses_each_once(self):
        synopses, paragraphs = make_sentences.split_texts(DESCRIPTIONS)
        self.assertEqual(synopses, {"A first synopsis", "A second synopsis",
                                    "A third synopsis without more"})
        self.assertEqual(paragraphs, {"One paragraph that goes on in a second line.",
                                      "Another paragraph: * with a list"})

    def test_serve_as_base_or_as_query_or_to_learn_from(self):
        parts = make_sentences.choose(texts("synopsis", 15), texts("paragraph", 18), options())
        self.assertEqual([len(part) for part in parts], [20, 5, 7])
        self.assertEqual(len(set().union(*parts)), 32)
        base, queries, learn = parts
        self.assertFalse(any("paragraph" in text for text in queries + learn))
        self.assertTrue(any("synopsis" in text for text in base))

    def test_are_chosen_by_the_seed_whatever_else_there_is(self):
        few = make_sentences.shuffled(texts("a", 50), 7)
        more = make_sentences.shuffled(texts("a", 50) | texts("b", 50), 7)
        self.assertEqual(few, [text for text in more if text.startswith("a")])
        self.assertNotEqual(few, make_sentences.shuffled(texts("a", 50), 8))
        self.assertNotEqual(few, sorted(few))

    def test_that_are_too_few_are_told(self):
        for changed in ({"n": 22}, {"queries": 9}):
            with self.assertRaisesRegex(SystemExit, "15 synopses and 18 paragraphs are too few"):
                make_sentences.choose(texts("synopsis", 15), texts("paragraph", 18),
                                      options(**changed))

    def test_come_from_a_folder_that_has_descriptions(self):
        with self.assertRaisesRegex(SystemExit, "no Translation-en file"):
            make_sentences.read_descriptions(os.path.dirname(__file__))


if __name__ == "__main__":
    unittest.main()
