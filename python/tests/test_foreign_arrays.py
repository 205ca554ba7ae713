"""Vectors that ml_dtypes, torch, Arrow, pandas and polars hold: the same index as of NumPy's, from
the same memory where that is possible."""

from typing import Any

import numpy as np
import pytest

import obliq
from obliq.arrays import as_array, as_base, as_matrix

RNG = np.random.default_rng(5)
BASE = RNG.normal(size=(1500, 12)).astype(np.float32)


def bytes_of(vectors: Any, **options: Any) -> bytes:
    return obliq.Index.build(vectors, threads=1, **options).to_bytes()


def is_view(given: Any, owner: Any) -> bool:
    return np.shares_memory(as_array(given, "vectors"), owner)


class TestBfloat16:
    types = pytest.importorskip("ml_dtypes")
    half = BASE.astype(types.bfloat16)

    def test_makes_the_index_of_its_values(self) -> None:
        wanted = bytes_of(self.half.astype(np.float32))
        assert wanted == bytes_of(self.half) and wanted != bytes_of(BASE)
        assert wanted == bytes_of(np.asfortranarray(self.half))
        assert wanted == bytes_of(np.repeat(self.half, 2, axis=1)[:, ::2])
        assert wanted == bytes_of(self.half[::-1].copy()[::-1])

    def test_is_read_where_it_lies(self) -> None:
        assert is_view(self.half, self.half) and np.shares_memory(as_base(self.half), self.half)
        strided = self.half[::3, ::2]
        assert np.shares_memory(as_base(strided), self.half)

    def test_is_taken_wherever_vectors_are(self, tmp_path: Any) -> None:
        floats, ids = self.half[:20].astype(np.float32), np.arange(20)
        index = obliq.Index.build(BASE)
        np.testing.assert_array_equal(index.search(self.half[:20]).ids, index.search(floats).ids)
        np.testing.assert_array_equal(index.search(self.half[7]).ids, index.search(floats[7]).ids)
        index.tune(self.half[:300])
        with obliq.Collection(dim=12) as things:
            things.add(self.half[:20], ids)
            np.testing.assert_array_equal(things.get(ids), floats)
        quantizer = obliq.Quantizer("sq8", 12)
        np.testing.assert_array_equal(quantizer.encode(self.half[:20]).codes,
                                      quantizer.encode(floats).codes)
        obliq.Model.train(self.half).encode(self.half, tmp_path / "part")
        np.testing.assert_array_equal(as_matrix(list(self.half[:20]), "vectors"), floats)

    def test_values_are_exact(self) -> None:
        bits = np.arange(1 << 16, dtype=np.uint16)
        floats = as_matrix(bits.view(self.types.bfloat16), "vectors")[0]
        np.testing.assert_array_equal(floats.view(np.uint32), bits.astype(np.uint32) << 16)

    def test_other_small_types_are_refused(self) -> None:
        for name in ("float8_e4m3fn", "int4"):
            with pytest.raises(TypeError, match="bfloat16.*" + name):
                obliq.Index.build(BASE.astype(getattr(self.types, name)))
        with pytest.raises(TypeError, match="not uint16"):
            obliq.Index.build(self.half.view(np.uint16))
        with pytest.raises(ValueError, match="vector 1 holds NaN"):
            obliq.Index.build(np.array([[1, 2], [np.nan, 1]], self.types.bfloat16))


class TestTorch:
    """Of a CPU build; nothing of it is needed for obliq."""

    @pytest.fixture
    def torch(self) -> Any:
        return pytest.importorskip("torch")

    def test_tensors_make_the_index_of_their_values(self, torch: Any) -> None:
        for name in ("float32", "float64", "float16", "bfloat16"):
            tensor = torch.from_numpy(BASE).to(getattr(torch, name))
            wanted = bytes_of(tensor.to(torch.float32).numpy())
            wide = torch.repeat_interleave(tensor, 2, dim=1)[:, ::2]
            assert not wide.is_contiguous() and not tensor.T.contiguous().T.is_contiguous()
            for given in (tensor, wide, tensor.T.contiguous().T):
                assert bytes_of(given) == wanted, name

    def test_they_are_read_where_they_lie(self, torch: Any) -> None:
        tensor = torch.from_numpy(BASE.copy())
        assert is_view(tensor, tensor.numpy()) and is_view(tensor[::2, 1:], tensor.numpy())
        half = tensor.to(torch.bfloat16)
        assert is_view(half[:, ::2], half.view(torch.int16).numpy())

    def test_queries_may_be_tensors(self, torch: Any) -> None:
        index, query = obliq.Index.build(BASE), torch.from_numpy(BASE[3])
        np.testing.assert_array_equal(index.search(query).ids, index.search(BASE[3]).ids)
        assert index.search(query.to(torch.bfloat16)).ids[0] == 3
        assert index.search(torch.stack([query, query])).ids.shape == (2, 10)

    def test_what_ends_a_gradient_is_refused(self, torch: Any) -> None:
        tensor = torch.from_numpy(BASE.copy()).requires_grad_()
        with pytest.raises(ValueError, match=r"requires grad.*vectors\.detach\(\)"):
            obliq.Index.build(tensor)
        assert bytes_of(tensor.detach()) == bytes_of(BASE)

    def test_other_tensors_are_refused(self, torch: Any) -> None:
        with pytest.raises(ValueError, match=r"on meta: give vectors\.cpu\(\)"):
            obliq.Index.build(torch.empty(3, 4, device="meta"))
        with pytest.raises(ValueError, match=r"to_dense\(\)"):
            obliq.Index.build(torch.eye(3).to_sparse())
        with pytest.raises(TypeError, match="not int64"):
            obliq.Index.build(torch.zeros(3, 4, dtype=torch.int64))


class TestArrow:
    arrow = pytest.importorskip("pyarrow")

    def fixed(self, values: Any) -> Any:
        return self.arrow.FixedSizeListArray.from_arrays(values.ravel(), values.shape[1])

    @pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int8", "uint8"])
    def test_lists_of_one_size_are_read_where_they_lie(self, dtype: str) -> None:
        values = (40 * BASE).astype(dtype)
        array = self.fixed(values)
        assert is_view(array, values) and bytes_of(array) == bytes_of(values)
        assert is_view(array.slice(100, 50), values)
        np.testing.assert_array_equal(as_array(array.slice(100, 50), "vectors"), values[100:150])

    def test_lists_of_any_size_are_where_they_are_of_one(self) -> None:
        for kind in (self.arrow.list_, self.arrow.large_list):
            array = self.arrow.array(BASE.tolist(), kind(self.arrow.float32()))
            np.testing.assert_array_equal(as_array(array.slice(3, 9), "vectors"), BASE[3:12])
            assert is_view(array, array.flatten().to_numpy())
        with pytest.raises(ValueError, match="different lengths, 2 in row 0 and 1 in row 2"):
            as_array(self.arrow.array([[1.0, 2.0], [3.0, 4.0], [5.0]]), "vectors")

    def test_chunks_are_joined(self) -> None:
        chunks = self.arrow.chunked_array([self.fixed(BASE[:700]), self.fixed(BASE[700:])])
        assert bytes_of(chunks) == bytes_of(BASE)
        assert is_view(self.arrow.chunked_array([self.fixed(BASE)]), BASE)
        parts = self.arrow.chunked_array([[[1.0]], [[1.0, 2.0]]])
        with pytest.raises(ValueError, match="different lengths, 1 in row 0 and 2 in row 1"):
            as_array(parts, "vectors")
        assert as_array(chunks.slice(0, 0), "vectors").shape == (0, 12)

    def test_tensors_of_a_fixed_shape_are_lists(self) -> None:
        tensors = self.arrow.FixedShapeTensorArray.from_numpy_ndarray(BASE)
        assert is_view(tensors, BASE) and as_array(tensors, "vectors").shape == BASE.shape

    def test_what_is_missing_is_refused(self) -> None:
        with pytest.raises(ValueError, match="none in row 1"):
            as_array(self.arrow.array([[1.0], None]), "vectors")
        with pytest.raises(ValueError, match="NULL among their numbers"):
            as_array(self.arrow.array([[1.0], [None]]), "vectors")
        with pytest.raises(TypeError, match="not Arrow's string"):
            as_array(self.arrow.array([["a"]]), "vectors")

    def test_parquet_is_two_lines_away(self, tmp_path: Any) -> None:
        parquet = pytest.importorskip("pyarrow.parquet")
        table = self.arrow.table({"embedding": self.fixed(BASE), "year": np.arange(1500)})
        parquet.write_table(table, tmp_path / "set.parquet", row_group_size=400)
        read = parquet.read_table(tmp_path / "set.parquet")
        index = obliq.Index.build(read["embedding"], columns=read.select(["year"]))
        assert index.to_bytes() == bytes_of(BASE, columns={"year": np.arange(1500)})


class TestFrames:
    @pytest.mark.parametrize("rows", [list(BASE[:40]), BASE[:40].tolist(),
                                      [tuple(row) for row in BASE[:40].tolist()]])
    def test_series_of_lists_are_vectors(self, rows: Any) -> None:
        pandas = pytest.importorskip("pandas")
        series = pandas.Series(rows, index=np.arange(40) * 2)
        np.testing.assert_array_equal(as_matrix(series, "vectors"), BASE[:40])
        frame = pandas.DataFrame({"id": range(40), "embedding": rows})
        np.testing.assert_array_equal(as_matrix(frame["embedding"], "vectors"), BASE[:40])

    def test_frames_of_numbers_are_vectors_and_series_one(self) -> None:
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame(BASE)
        assert bytes_of(frame) == bytes_of(BASE)
        index = obliq.Index.build(frame)
        np.testing.assert_array_equal(index.search(frame.iloc[3]).ids, index.search(BASE[3]).ids)

    def test_series_of_arrow_are_read_where_they_lie(self) -> None:
        pandas, arrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
        array = arrow.FixedSizeListArray.from_arrays(BASE.ravel(), 12)
        series = pandas.Series(array, dtype=pandas.ArrowDtype(array.type))
        assert is_view(series, BASE) and bytes_of(series) == bytes_of(BASE)

    @pytest.mark.parametrize("missing", [None, float("nan")])
    def test_missing_rows_are_refused(self, missing: Any) -> None:
        pandas = pytest.importorskip("pandas")
        for none in (missing, pandas.NA):
            with pytest.raises(ValueError, match="none in row 1, it is missing"):
                obliq.Index.build(pandas.Series([[1.0, 2.0], none, [3.0, 4.0]]))
        with pytest.raises(ValueError, match="different lengths, 2 in row 0 and 1 in row 1"):
            obliq.Index.build(pandas.Series([[1.0, 2.0], [3.0]]))

    def test_series_of_polars_are_vectors(self) -> None:
        polars = pytest.importorskip("polars")
        for kind in (polars.List(polars.Float32), polars.Array(polars.Float32, 12)):
            series = polars.Series("x", BASE[:40].tolist(), dtype=kind)
            np.testing.assert_array_equal(as_matrix(series, "vectors"), BASE[:40])
        with pytest.raises(ValueError, match="none in row 1, it is missing"):
            obliq.Index.build(polars.Series([[1.0, 2.0], None]))
