"""How many examples are tried of what holds for every value.

HYPOTHESIS_PROFILE=thorough tries many more, others in each run.
"""

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

# A folder that cannot be made: what is tried is kept nowhere, and nothing is left in the checkout.
set_hypothesis_home_dir(os.devnull)

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
