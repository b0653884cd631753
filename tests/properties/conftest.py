"""How many examples are tried of what holds for every value.

HYPOTHESIS_PROFILE=thorough tries many more, others in each run.
"""

import os
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

# What every process would find out for itself, of characters and of the constants in our modules,
# is kept beside what pytest keeps; the profiles below keep nothing of what is tried.
set_hypothesis_home_dir(Path(__file__).parents[2] / ".pytest_cache/hypothesis")

# Without a codec: what UTF-8 can write takes two seconds to find out.
CHARACTERS = st.characters(exclude_categories=["Cs"])

settings.register_profile(
    "usual",
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "thorough", settings.get_profile("usual"), max_examples=4_000, derandomize=False
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))
