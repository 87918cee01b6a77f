# SPDX-License-Identifier: MIT
"""Performs every transcript beside this file. How a .t file reads is told at the head of tests/lib/transcript.py.

The cases mostly wait (for a timeout, for a dripping server), so several run at a time: a pool performs the selected ones in
the order of collection, and each test only asks for its result.
"""
import concurrent.futures
import glob
import os
import tempfile

import pytest

import transcript

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = sorted(os.path.basename(path)[:-2] for path in glob.glob(HERE + "/*.t"))
WORKERS = int(os.environ.get("MAILHAUL_JOBS", "6"))


def perform(name):
    with tempfile.TemporaryDirectory(prefix="mh-script-") as directory:
        play = transcript.Play(transcript.Transcript(os.path.join(HERE, name + ".t")), directory)
        play.perform()
        return play, play.report() if play.problems else ""


@pytest.fixture(scope="session")
def performances(request):
    selected = [item.callspec.params["name"] for item in request.session.items
                if getattr(item, "originalname", "") == "test_transcript"]
    if "PYTEST_XDIST_WORKER" in os.environ:  # each worker sees all the items, but is given only some
        yield None
        return
    pool = concurrent.futures.ThreadPoolExecutor(WORKERS)
    yield {name: pool.submit(perform, name) for name in selected}
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", NAMES)
def test_transcript(name, performances):
    play, report = performances[name].result() if performances else perform(name)
    breakage = play.t.settings.get("known-breakage")
    if breakage and play.problems:
        pytest.xfail(breakage)
    assert not breakage, "%s is marked @known-breakage but passes now: take the mark away" % name
    assert not play.problems, "\n" + report


def test_every_transcript_says_why():
    for name in NAMES:
        with open(os.path.join(HERE, name + ".t"), encoding="utf-8") as f:
            assert f.readline().startswith("# ") and f.readline().startswith("#"), name + ".t needs a head"


def test_there_are_enough():
    assert len(NAMES) >= 65
