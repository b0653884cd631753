"""What not every system has: marks for the tests that need it."""

import sys

import pytest

_ON_WINDOWS = sys.platform == "win32"

needs_modes = pytest.mark.skipif(_ON_WINDOWS, reason="Windows has other permissions")
needs_signals = pytest.mark.skipif(_ON_WINDOWS, reason="Windows ends processes without signals")
needs_pipes = pytest.mark.skipif(_ON_WINDOWS, reason="Windows tells otherwise of a closed pipe")
needs_locks = pytest.mark.skipif(_ON_WINDOWS, reason="Windows cannot lock folders")
needs_a_shell = pytest.mark.skipif(_ON_WINDOWS, reason="Windows has no /bin/sh")
