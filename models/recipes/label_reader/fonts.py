"""Fill a folder with fonts under free licences, in three pools of disjoint families.

    python fonts.py OUT_DIR

OUT_DIR/train is for training lines, OUT_DIR/calibration and OUT_DIR/second are for whole frames
(see frames/). fonts.csv names every family, its package and its pinned version. Packages come
through the ordinary clients `apt-get`, `npm` and `pip`, which must be set up; nothing is
installed on the system. Each font is checked for the characters that its kind must have.
OUT_DIR/index.json lists what came (family, kind, files), OUT_DIR/LICENCES.txt the licences;
OUT_DIR/DONE appears at the end. No font is part of this repository.
"""

from __future__ import annotations

import argparse
import csv
import fnmatch
import json
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FONTTOOLS = "fonttools==4.68.0"
FREE = {
    "Apache-2.0",
    "Arphic-1999",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "Bitstream-Vera",
    "CC-BY-SA-4.0",
    "GPL-2.0 with font exception",
    "GPL-3.0 with font exception",
    "MIT and Bitstream-Vera",
    "Misaki licence (free)",
    "OFL-1.1",
    "UFL-1.0",
    "free use (Schwarz; Norbert)",
    "public domain",
}

# Runs in the scratch environment: one line of JSON per font in, what it can draw out.
CONVERT = """
import json, sys
from fontTools.ttLib import TTCollection, TTFont
for line in sys.stdin:
    source, target, face = json.loads(line)
    if source.endswith(".ttc"):
        fonts = TTCollection(source).fonts
        named = [f for f in fonts if face and face in (f["name"].getDebugName(1) or "")]
        font = (named or fonts)[0]
    else:
        font = TTFont(source)
    font.flavor = None
    suffix = ".otf" if "CFF " in font or "CFF2" in font else ".ttf"
    font.save(target + suffix)
    print(json.dumps([target + suffix, sorted(font.getBestCmap())]), flush=True)
"""
LATIN = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-/:.()"
CHINESE = "批号生产日期有效期至数量规格条码保质期产品净含量箱瓶盒年月日"


@dataclass(frozen=True)
class Family:
    pool: str
    name: str
    kind: str
    origin: str
    package: str
    version: str
    files: tuple[str, ...]
    licence: str

    @property
    def slug(self) -> str:
        return "".join(c for c in self.name.lower().replace(" ", "-") if c.isalnum() or c == "-")

    @property
    def needs(self) -> str:
        return LATIN + (CHINESE if self.kind == "cjk" else "")


def families() -> list[Family]:
    """The table; refuses one that names a family twice or a licence that is not on our list."""
    with (Path(__file__).resolve().parent / "fonts.csv").open(
        encoding="utf-8", newline=""
    ) as table:
        found = [
            Family(
                row["pool"],
                row["family"],
                row["kind"],
                row["from"],
                row["package"],
                row["version"],
                tuple(row["files"].split()),
                row["licence"],
            )
            for row in csv.DictReader(table)
        ]
    names = [family.name for family in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise SystemExit(f"fonts.csv: families named twice: {', '.join(sorted(twice))}")
    return found


def from_debian(family: Family, scratch: Path) -> tuple[list[Path], str]:
    """The wanted files of a Debian package, unpacked beside the system, and the licence."""
    folder = scratch / family.package
    if not folder.exists():
        folder.mkdir(parents=True)
        wanted = f"{family.package}={family.version}"
        run("apt-get", "download", "-q", wanted, cwd=folder)
        run("dpkg", "-x", str(next(folder.glob("*.deb"))), str(folder), cwd=folder)
    return wanted_files(folder, family), family.licence


def from_npm(family: Family, scratch: Path) -> tuple[list[Path], str]:
    """The wanted files of an npm package, and the licence that the package declares."""
    folder = scratch / family.package.replace("/", "_")
    folder.mkdir(parents=True)
    run("npm", "pack", "--silent", f"{family.package}@{family.version}", cwd=folder)
    with tarfile.open(next(folder.glob("*.tgz"))) as packed:
        packed.extractall(folder, filter="data")
    described = json.loads((folder / "package" / "package.json").read_text(encoding="utf-8"))
    return wanted_files(folder, family), str(described["license"])


def wanted_files(folder: Path, family: Family) -> list[Path]:
    every = sorted(str(path) for path in folder.rglob("*") if path.is_file())
    found = [Path(name) for glob in family.files for name in every if fnmatch.fnmatch(name, glob)]
    if not found:
        raise SystemExit(f"{family.package} {family.version}: none of {' '.join(family.files)}")
    return found


def run(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603 -- pinned names from our own table
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()[-400:]}")


def converter(scratch: Path) -> subprocess.Popen[str]:
    """Make an environment for fontTools, which the appliance does not need."""
    home = scratch / "venv"
    venv.create(home, with_pip=True)
    python = str(home / "bin" / "python")
    run(python, "-m", "pip", "install", "-q", "--no-deps", FONTTOOLS, cwd=scratch)
    return subprocess.Popen(  # noqa: S603 -- the environment just made
        [python, "-c", CONVERT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def converted(
    worker: subprocess.Popen[str], family: Family, sources: list[Path], out: Path
) -> Iterator[str]:
    """Names of the files written; a face that lacks a needed character is left out."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    for place, source in enumerate(sources):
        target = out / family.pool / f"{family.slug}-{place}"
        face = "CJK SC" if "CJK SC" in family.name else ""
        worker.stdin.write(json.dumps([str(source), str(target), face]) + "\n")
        worker.stdin.flush()
        answer = worker.stdout.readline()
        if not answer:
            raise SystemExit(f"{family.name}: fontTools could not convert {source.name}")
        written, points = json.loads(answer)
        missing = [c for c in family.needs if ord(c) not in set(points)]
        if missing:
            Path(written).unlink()
            print(f"left out: {family.name} lacks {''.join(missing)}")
        else:
            yield Path(written).name


def main(out: Path) -> None:
    index: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as scratch_name:
        scratch = Path(scratch_name)
        worker = converter(scratch)
        table = families()
        for pool in {family.pool for family in table}:
            (out / pool).mkdir(parents=True, exist_ok=True)
        for place, family in enumerate(table, 1):
            fetch = from_debian if family.origin == "debian" else from_npm
            sources, licence = fetch(family, scratch)
            if licence not in FREE:
                raise SystemExit(f"{family.name}: licence {licence!r} is not on the list")
            files = list(converted(worker, family, sources, out))
            print(f"[{place}/{len(table)}] {family.pool}: {family.name}: {len(files)}", flush=True)
            if files:
                index.append(
                    {
                        "pool": family.pool,
                        "family": family.name,
                        "kind": family.kind,
                        "licence": licence,
                        "package": f"{family.package} {family.version}",
                        "files": files,
                    }
                )
        worker.communicate()
    lines = ["{family} | {licence} | {package} | {pool}".format(**entry) for entry in index]
    (out / "LICENCES.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = json.dumps(index, indent=1, ensure_ascii=False)
    (out / "index.json").write_text(text + "\n", encoding="utf-8")
    (out / "DONE").touch()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    arguments.add_argument("out", type=Path, help="folder to fill")
    main(arguments.parse_args(sys.argv[1:]).out)
