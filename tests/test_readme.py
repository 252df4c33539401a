"""What the README shows in Python runs as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import facelib

README = Path(__file__).parents[1] / "README.md"


def examples() -> list[str]:
    """Return the README's blocks of Python."""
    return re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_examples_run_as_they_stand(tmp_path, copy_demo):
    project = copy_demo(tmp_path, 0.4)
    (project.videos / "demo_vfr.mp4").unlink()
    pictures, films = examples()
    for program in (pictures, films):
        command = [sys.executable, "-W", "error", "-c", program]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        if program == pictures:
            assert sorted(re.findall(r"'(.+?)'", done.stdout)) == ["Grace Hopper", "unknown"]
    files = project.film(project.videos / "demo.mp4")
    assert files.annotated.stat().st_size > 10_000
    assert {"Eileen Collins", "Grace Hopper"} <= set(pd.read_parquet(files.tracks)["person"])


@pytest.mark.parametrize(("former", "new"), [("detector", "load_detector"), ("embedder", "load_embedder")])
def test_the_former_names_work_and_warn(former, new):
    with pytest.warns(DeprecationWarning, match=f"facelib.{former} is called facelib.{new} now"):
        found = getattr(facelib, former)
    assert found is getattr(facelib, new)
    assert former not in facelib.__all__


def test_a_name_that_never_was_is_refused():
    with pytest.raises(AttributeError, match="nobody"):
        _ = facelib.nobody


def test_facelib_offers_what_does_the_main_job():
    main = """read_image load_detector load_embedder build_gallery tune OpenSetKNN OpenSetSVM load_recognizer
        identify_films annotate_film Project Faces"""
    assert set(main.split()) <= set(facelib.__all__)
    assert all(callable(getattr(facelib, name)) for name in main.split())
    assert Path(facelib.__file__).with_name("py.typed").is_file()
