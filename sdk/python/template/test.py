"""Runs the tests in src/ natively: `python3 test.py`."""

import sys
import unittest
from pathlib import Path

FOLDER = Path(__file__).parent
SDK = FOLDER / "siemaphore/sdk/python"
sys.path[:0] = [str(SDK / "src"), str(SDK / "bindings")]
sys.dont_write_bytecode = True
unittest.main(module=None, argv=["test.py", "discover", "--start-directory", str(FOLDER / "src")])
