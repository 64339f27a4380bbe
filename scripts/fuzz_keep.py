#!/usr/bin/env python3
"""Keeps what a fuzz target has found: copies into its corpus the few inputs that show the most that the corpus lacks.

    fuzz_keep.py CONTROL_FILE CORPUS MOST

CONTROL_FILE is what libFuzzer's merge leaves behind: paths, then for each the features it has.
"""

import pathlib
import shutil
import sys


def main():
    control, corpus, most = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
    lines = control.read_text().splitlines()
    count = int(lines[0])
    paths = [pathlib.Path(line) for line in lines[2 : 2 + count]]
    features = {}
    for line in lines[2 + count :]:
        kind, number, *values = line.split()
        if kind == "FT":
            features[paths[int(number)]] = set(values)
    # What is there has been named by somebody, or been kept before.
    known = set().union(*(of for path, of in features.items() if path.parent.samefile(corpus)))
    found = {path: of for path, of in features.items() if not path.parent.samefile(corpus)}
    kept = sum(1 for _ in corpus.iterdir())
    while kept < most and found:
        best = max(found, key=lambda path: (len(found[path] - known), -path.stat().st_size))
        new = found.pop(best) - known
        if not new:
            break
        known |= new
        shutil.copy(best, corpus / best.name)
        kept += 1
    print(f"{corpus.name}: {kept} inputs, {len(known)} of {len(set().union(known, *found.values()))} features")


if __name__ == "__main__":
    main()
