"""A renderer with the options of the recipe's: the cartons of the sample delivery."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.appliance.bench.frames import write_set

parser = argparse.ArgumentParser()
parser.add_argument("--profile", required=True)
parser.add_argument("--count", type=int, required=True)
parser.add_argument("--seed", type=int, required=True)
parser.add_argument("--out", type=Path, required=True)
given = parser.parse_args()
given.out.mkdir(parents=True)
write_set(given.out, cartons=given.count)
