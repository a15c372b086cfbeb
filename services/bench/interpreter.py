"""Which Python is worth having: half of the engine's time is the interpreter itself.

``python interpreter.py fast`` ends with 0 where this one can run Ordermesh and was built for speed,
``python interpreter.py any`` where it can run it; ``make setup`` asks so before anything is
installed, so nothing but the standard library is in here.
"""

import sys
import sysconfig
from importlib.util import find_spec


def can_run() -> bool:
    """Whether it is new enough and can make virtual environments."""
    # Debian has ensurepip, which venv needs, in a package of its own.
    return sys.version_info >= (3, 11) and find_spec("ensurepip") is not None


def built_for_speed() -> bool:
    """Whether it was built with profile-guided optimisation, or at least with the interpreter in
    the program instead of in a shared library, as distributions build it. One that is neither
    carries a fifth less orders."""
    if "--enable-optimizations" in str(sysconfig.get_config_var("CONFIG_ARGS")):
        return True
    try:
        with open("/proc/self/maps") as maps:
            return "/libpython" not in maps.read()
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(not (can_run() and (sys.argv[1] == "any" or built_for_speed())))
