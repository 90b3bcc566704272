"""The process in which cases are checked, a request and an answer a line; it may crash, hang or run out of memory."""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import os
import random
import sys
import time
import warnings
from typing import Any

from fuzz.findings import Finding, describe, expect

ADDRESS_SPACE = 8 << 30  # bytes; generous, since libraries reserve much that they never use
MEMORY = 1 << 29  # bytes that a case may add to what the process has needed so far
PROCESSOR_TIME = 15.0  # seconds of all threads together
TIME_LIMIT = 45.0  # seconds of a case on a busy machine; after that it hangs, and the process says where and ends


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Make the case of a subject, seed and index (or take the one handed in), and check it."""
    subject = importlib.import_module(f"fuzz.{request['subject']}")
    case = request.get("case")
    if case is None:
        case = subject.generate(random.Random(f"{request['subject']} {request['seed']} {request['index']}"))
        case = json.loads(json.dumps(case))  # a kept case must be what was checked
    try:
        faulthandler.dump_traceback_later(TIME_LIMIT, exit=True)
        memory, begun = peak_memory(), time.process_time()
        subject.check(case)
        seconds, used = time.process_time() - begun, peak_memory() - memory
        expect(seconds < getattr(subject, "SECONDS", PROCESSOR_TIME), f"took {seconds:.0f} s of processor time")
        expect(used < MEMORY, f"took {used >> 20} MB of memory")
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return {"found": describe(error), "case": case, "known": isinstance(error, Finding)}
    finally:
        faulthandler.cancel_dump_traceback_later()
    return {"found": None}


def peak_memory() -> int:
    """The most memory that this process has held so far, in bytes; 0 where nobody knows."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def limit() -> None:
    """A limit to the memory that can be asked for, and no core files."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Answer requests until there are no more."""
    faulthandler.enable()
    warnings.simplefilter("ignore")
    limit()
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what is printed meanwhile doesn't come between the answers
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    for line in requests:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
