"""A process that generates text ends with exit code 0 and silence, whatever is still going on."""

import subprocess
import sys
from textwrap import dedent

import pytest
from support.models import smollm2_gguf

START = """
    import threading, time
    import mlxrs

    model, tokenizer = mlxrs.load(r"{path}")
    session = mlxrs.ChatSession(model, tokenizer)
"""

PROGRAMS = {
    "live stream": """
        stream = session.stream_respond("Count to twenty.")
        next(stream)
    """,
    "stream never begun": """
        stream = session.stream_respond("Hello")
    """,
    "suspended generator": """
        steps = mlxrs.generate_step(model, [1, 2, 3], params=mlxrs.GenConfig(max_tokens=50))
        next(steps)
    """,
    "daemon thread generating": """
        started = threading.Event()

        def talk():
            while True:
                for response in session.stream_respond("Tell me a story."):
                    started.set()

        threading.Thread(target=talk, daemon=True).start()
        started.wait()
        time.sleep(0.1)
    """,
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_exit_is_clean(program):
    code = dedent(START).format(path=smollm2_gguf()) + dedent(program)

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)

    assert (done.returncode, done.stderr) == (0, "")
