#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# usage: embed.py FILE NAME OUTPUT: FILE as a C string
import sys

path, name, output = sys.argv[1:]
with open(path, encoding="utf-8") as f, open(output, "w", encoding="utf-8") as out:
    out.write(f"/* made from {path.rsplit('/', 1)[-1]} */\n#include \"app/control/controls.h\"\n\nconst char {name}[] =\n")
    for line in f:
        text = line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        out.write(f'\t"{text}"\n')
    out.write("\t;\n")
