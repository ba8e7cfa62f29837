#!/usr/bin/env python3
"""Makes the bases and cases of this folder; see README.md."""
import shutil

from bases import BASES, make_bases, train_tokenizer
from case import CASES, CASE_MAKERS, Case
import contents  # noqa: F401: registers its cases
import sources  # noqa: F401


def main():
    for folder in BASES, CASES:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    tokenizers = train_tokenizer()
    bases = make_bases(tokenizers)
    made = {}
    for maker in CASE_MAKERS:
        case = Case(maker, tokenizers, bases, made)
        maker(case)
        case.finish()
        made[case.name] = case


if __name__ == "__main__":
    main()
