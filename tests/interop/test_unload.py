"""
Programs load the library and let it go: plug-ins, language bindings. What waits for a KDC that does not answer still runs in it then.
"""

import os
import subprocess
import sys

CODE = """
import _ctypes, ctypes, os, sys
library = ctypes.CDLL(sys.argv[1])
library.OpenSspiVersion()
_ctypes.dlclose(library._handle)
path = os.path.realpath(sys.argv[1])
assert any(line.rstrip().endswith(path) for line in open("/proc/self/maps")), "its code is gone"
"""


def test_code_stays():
    subprocess.run([sys.executable, "-c", CODE, os.environ["OPENSSPI_LIB"]], check=True, timeout=60)
