"""Tables as they are found in the world, and what a user may expect of each.

A `Case` names the files that it writes, what stands after `chainrule train` (run in the folder of the files), and what
must come of it. A test that is run over `CASES` does this for each:

    case.write(folder)
    ...  # in folder: chainrule train *case.arguments, with case.input on standard input
    ...  # and what came of it is held against case.expected

Columns are taken for `target`, `numeric`, `categorical`, `date` or `dropped`. The cases know what is promised, not the
code: where they assume a spelling (`--date "when=%d/%m/%Y"`, `column_1` for the first column without a header), it
stands in the case.
"""

from .case import Case, Expected
from .columns import COLUMNS
from .dates import DATES
from .encodings import ENCODINGS
from .flags import FLAGS
from .formats import FORMATS
from .missing import MISSING
from .quantities import QUANTITIES
from .shapes import SHAPES

CASES: list[Case] = [*QUANTITIES, *MISSING, *DATES, *ENCODINGS, *FORMATS, *SHAPES, *COLUMNS, *FLAGS]

__all__ = ["CASES", "Case", "Expected"]
