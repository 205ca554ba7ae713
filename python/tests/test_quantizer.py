"""obliq.Quantizer from Python."""

import pickle

import numpy as np
import pytest

import obliq

RNG = np.random.default_rng(3)
X = RNG.normal(size=(400, 96)).astype(np.float32)
Q = RNG.normal(size=(5, 96)).astype(np.float32)


@pytest.mark.parametrize("spec", ["sq8", "lm4", "tq4", "tqp4", "e8q14"])
def test_codes_come_back_as_the_vectors_they_stand_for(spec: str) -> None:
    quantizer = obliq.Quantizer(spec, 96)
    codes = quantizer.encode(X)
    assert codes.codes.shape == (400, quantizer.code_bytes) and codes.codes.dtype == np.uint8
    assert codes.factors.shape == (400, quantizer.factors)
    decoded = quantizer.decode(codes)
    cosine = (decoded * X).sum(1) / np.linalg.norm(decoded, axis=1) / np.linalg.norm(X, axis=1)
    assert cosine.min() > 0.98
    expected = Q @ decoded.T
    scale = np.linalg.norm(Q, axis=1, keepdims=True) * np.linalg.norm(decoded, axis=1)
    assert (np.abs(quantizer.estimate(codes, Q) - expected) < 2e-3 * scale).all()


def test_rescaled_codes_are_unbiased_along_the_vector() -> None:
    quantizer = obliq.Quantizer("lm2", 96)
    decoded = quantizer.decode(quantizer.encode(X))
    np.testing.assert_allclose((decoded * X).sum(1), (X * X).sum(1), rtol=1e-4)


def test_one_vector_and_other_types() -> None:
    quantizer = obliq.Quantizer("lm4", 96, seed=5)
    np.testing.assert_array_equal(quantizer.encode(X[0]).codes, quantizer.encode(X[:1]).codes)
    np.testing.assert_array_equal(quantizer.encode(X.astype(np.float64)).codes,
                                  quantizer.encode(X).codes)
    assert (obliq.Quantizer("lm4", 96, seed=6).encode(X).codes != quantizer.encode(X).codes).any()


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="pq4"):
        obliq.Quantizer("pq4", 96)
    quantizer = obliq.Quantizer("lm4", 96)
    with pytest.raises(ValueError, match="95"):
        quantizer.encode(X[:, :95])
    bad = X[:4].copy()
    bad[2, 7] = np.nan
    with pytest.raises(ValueError, match="vector 2"):
        quantizer.encode(bad)
    codes = quantizer.encode(X[:2])
    with pytest.raises(ValueError, match="codes"):
        quantizer.decode(obliq.Codes(codes.codes[:, :5], codes.factors))
    with pytest.raises(ValueError, match="learns nothing"):
        quantizer.train(X)
    with pytest.raises(ValueError, match="too long"):
        quantizer.encode(np.full((1, 96), 1e30, "f4"))
    with pytest.raises(TypeError, match="int64"):
        quantizer.decode(obliq.Codes(codes.codes.astype("i8"), codes.factors))
    with pytest.raises(ValueError, match="dim"):
        obliq.Quantizer("lm4", -4)


def test_a_trained_quantizer_is_pickled_and_made_again_from_its_state() -> None:
    trained = obliq.Quantizer("wf4", 96, seed=3).train(X * np.linspace(1, 3, 96, dtype="f4"), Q)
    codes = trained.encode(X)
    again = obliq.Quantizer(trained.spec, 96, seed=3, state=trained.state)
    for other in (again, pickle.loads(pickle.dumps(trained))):
        np.testing.assert_array_equal(other.decode(codes), trained.decode(codes))
        np.testing.assert_array_equal(other.estimate(codes, Q), trained.estimate(codes, Q))
    with pytest.raises(ValueError):
        obliq.Quantizer("wf4", 96, seed=3, state=trained.state[:-1])


def test_the_lists_of_specs_are_there() -> None:
    assert "sq8" in obliq.quantizer_specs()
    assert any(line.startswith("lm{1..8}") for line in obliq.quantizer_grammar())
