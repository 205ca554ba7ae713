"""Says the result as ctest does as well, which ./dev test adds up."""

import os
import warnings

import pytest

os.environ.setdefault("SCIPY_ARRAY_API", "1")  # read at import; some of scikit-learn's checks ask
os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")


def pytest_configure(config: pytest.Config) -> None:
    config.option.asyncio_mode = "auto"  # of pytest-asyncio, where it is there
    warnings.filterwarnings("ignore", 'The configuration option "asyncio_default')


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts = {kind: len(terminalreporter.getreports(kind))
              for kind in ("passed", "failed", "error", "skipped", "xfailed")}
    failed = counts["failed"] + counts["error"]
    total = failed + counts["passed"] + counts["skipped"] + counts["xfailed"]
    for _ in range(counts["skipped"]):
        terminalreporter.write_line("***Skipped")
    share = 100 * (total - failed) // max(total, 1)
    terminalreporter.write_line(f"{share}% tests passed, {failed} tests failed out of {total}")
