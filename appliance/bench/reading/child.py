"""A reader in a process of its own, for `speed`: cold start, rate with several workers, memory.

    python -m appliance.bench.reading.child FOLDER FILES THREADS [MODELS]

Reads the first of FILES (comma-separated names in FOLDER) and prints `{"rss_mb": ...}`. Then, for
each line `N` on standard input, reads N frames, round and round, and prints at each of the marks
0, 100, N/2 and N its memory and the processor time spent so far, as `{"frames": ..., "rss_mb": ...,
"cpu_s": ...}`; the last one ends the round.
"""

from __future__ import annotations

import os
import sys

# Before numpy is first imported, as in appliance.cli.main.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def main(arguments: list[str]) -> None:
    import json
    import time
    from pathlib import Path

    from appliance.bench.facts import rss_mb
    from appliance.bench.reading.lists import expected_of
    from appliance.cli.read import open_reader
    from vision.frames import decode_frame

    folder, files, threads = Path(arguments[0]), arguments[1].split(","), int(arguments[2])
    models = Path(arguments[3]) if arguments[3:] else None
    reader = open_reader(models, threads)
    expected = expected_of(folder)

    def read(number: int) -> None:
        name = files[number % len(files)]
        frame = decode_frame((folder / name).read_bytes(), name=name)
        reader.read([frame], expected, name=name)

    def say(**figures: float) -> None:
        sys.stdout.write(json.dumps(figures) + "\n")
        sys.stdout.flush()

    read(0)
    say(rss_mb=round(rss_mb(), 1))
    for line in sys.stdin:
        count = int(line)
        marks = {0, min(100, count), count // 2, count}
        for done in range(count + 1):
            if done in marks:
                say(frames=done, rss_mb=round(rss_mb(), 1), cpu_s=round(time.process_time(), 3))
            if done < count:
                read(done)


if __name__ == "__main__":
    main(sys.argv[1:])
