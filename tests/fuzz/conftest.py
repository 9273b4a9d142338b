"""How many inputs the fuzzers try: few, always the same, or as many as FUZZ_EXAMPLES says, others each time.

A fuzzer takes these settings as `@settings.get_profile("fuzz")` above its `@given`; `make fuzz` runs them long.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "fuzz",
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "60")),
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
