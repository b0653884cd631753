"""One day for every process that has this folder in its PYTHONPATH; its hours pass as usual.

For what is compared with a file: the sandbox invents other people each day. The day is past, so
that no file of today's looks old.
"""

import datetime as dt

import time_machine

time_machine.travel(dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)).start()
