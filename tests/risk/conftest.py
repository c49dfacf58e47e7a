"""Makes `meshes` importable beside the tests (the suite runs with importlib import mode)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
