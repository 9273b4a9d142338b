"""Swift-Hyperband from Python: a study, its plan and its search, and the results of any search.

`swift_hyperband.Study` and `swift_hyperband.Results` are the names that users import. What they return is described by
the classes of the modules here; docs/python.md has examples.
"""

from swift_hyperband.python_api.results import Results
from swift_hyperband.python_api.study import Study

__all__ = ["Results", "Study"]
