"""The command line: each command reads its options, calls one service and prints.

main registers the commands; options are the parameters that several share; session opens the hub; output prints; exits
says what the exit codes mean.
"""

import gc
from typing import Final

COLLECTED_AFTER: Final = gc.get_threshold()
"""How often Python looks for garbage; `main` goes back to it once a command runs."""

# To build more than a hundred commands makes many objects and no garbage: 8 of the 155 ms of `mdm --help`.
gc.set_threshold(50_000)
