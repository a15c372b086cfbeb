"""The image's health check: exits with 0 when the process in the container is ready.

Usage: health.py [PORT [PATH]]; without them, the port of ORDERMESH_METRICS and /readyz. Needs
nothing but Python.
"""

import os
import sys
import urllib.error
import urllib.request

_LIMIT = 3.0


def main() -> int:
    """0 when the path answers 200, else 1 with the reason on standard output."""
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ["ORDERMESH_METRICS"]
    path = sys.argv[2] if len(sys.argv) > 2 else "/readyz"
    port = int(given.rpartition(":")[2])
    # A proxy of the environment is not for oneself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=_LIMIT) as response:
            response.read()
    except urllib.error.HTTPError as error:
        print(error.read(500).decode(errors="replace"))
        return 1
    except OSError as error:
        print(f"no answer on port {port}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
