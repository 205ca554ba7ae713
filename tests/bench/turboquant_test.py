"""bench/turboquant.py: recall of the nearest neighbour, and what its methods are called."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
from turboquant import bits_of, family_of, lines_path, mean_and_error, recall_at  # noqa: E402


class TurboQuant(unittest.TestCase):
    def test_counts_the_queries_whose_nearest_is_among_the_first_k(self):
        ids = [list(range(64)), list(range(64)), list(range(64)), list(range(64))]
        self.assertEqual(recall_at(ids, [0, 2, 63, 99]), [.25, .25, .5, .5, .5, .5, .75])

    def test_gives_the_standard_error_of_a_mean_over_rotations(self):
        means, errors = mean_and_error([[.5, 1.], [.6, 1.], [.7, 1.], [.8, 1.]])
        self.assertAlmostEqual(means[0], .65)
        self.assertAlmostEqual(errors[0], (.05 / 3) ** .5 / 2)
        self.assertEqual((means[1], errors[1]), (1., 0.))
        self.assertEqual(mean_and_error([[.5, 1.]]), ([.5, 1.], None))

    def test_groups_methods_by_family_and_bits(self):
        for method, family, bits in [("tqp4:gaussian", "tqp:gaussian", 4), ("lm2", "lm", 2),
                                     ("faiss PQ4", "faiss PQ", 4)]:
            self.assertEqual((family_of(method), bits_of(method)), (family, bits))

    def test_keeps_its_lines_beside_the_chart(self):
        self.assertEqual(lines_path("img/a.png"), "img/a.jsonl")


if __name__ == "__main__":
    unittest.main()
