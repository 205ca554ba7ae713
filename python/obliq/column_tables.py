"""Tables of columns, as callers have them: a dict, or a table of pyarrow, pandas, polars or others
that hand theirs over in the form of Arrow."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Tuple

from obliq.arguments import shown


def library_of(values: Any) -> str:
    """The name of the library that an object is of."""
    return type(values).__module__.partition(".")[0]


def named_columns(columns: Any) -> Iterator[Tuple[Any, Any]]:
    """Names and values, those as values_of takes them. Raises TypeError for what is no table."""
    if isinstance(columns, Mapping):
        yield from columns.items()
        return
    library = library_of(columns)
    if library == "pyarrow" and hasattr(columns, "column_names"):
        yield from zip(columns.column_names, columns.columns)
    elif library == "pandas" and hasattr(columns, "dtypes") and hasattr(columns, "columns"):
        for place, name in enumerate(columns.columns):
            yield name, columns.iloc[:, place]
    elif library == "polars" and hasattr(columns, "get_columns"):
        for series in columns.get_columns():
            yield series.name, series
    elif hasattr(columns, "__arrow_c_stream__") or hasattr(columns, "__arrow_c_array__"):
        table = _table_of(columns)
        yield from zip(table.column_names, table.columns)
    else:
        raise TypeError("columns must be a dict of names and values, as {'year': [2020, None]}, or "
                        f"a table of pyarrow, pandas or polars, not {shown(columns)}")


def _table_of(columns: Any) -> Any:
    try:
        import pyarrow
    except ModuleNotFoundError:
        raise TypeError(f"columns of {type(columns).__name__} need pyarrow, which is not there: "
                        "pip install obliq[dataframe], or give a dict of arrays") from None
    try:
        return pyarrow.table(columns)
    except (TypeError, ValueError, pyarrow.ArrowInvalid) as error:
        raise TypeError(f"columns must be a table: {error}") from None
