"""A station that keeps examples until it is killed, saying which are on disk.

Started by test_dataset.py as `python writer_process.py FOLDER`.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from appliance.learning.dataset import Dataset
from appliance.learning.example import us_of
from appliance.learning.retention import Limits
from tests.appliance.learning.cartons import NOW, example

if __name__ == "__main__":
    dataset = Dataset(Path(sys.argv[1]), Limits(1 << 30, 90))
    for number in count():
        name = dataset.add(example(f"c-{number}", size=200_000), now_us=us_of(NOW))
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()
