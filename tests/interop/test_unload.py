"""
Programs load the library and let it go: plug-ins, language bindings. What waits for a KDC that does not answer still runs in it then.
"""

import os
import subprocess

PROGRAM = os.path.join(os.environ["OPENSSPI_BUILD"], "tests", "interop", "unload")


def test_code_stays():
    subprocess.run([PROGRAM, os.environ["OPENSSPI_LIB"]], check=True, timeout=60)
