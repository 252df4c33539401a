"""A gallery is examined: what is wrong is proposed, what is right is not, and nothing is changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import facelib
from facelib.detect import Detector
from facelib.embed import Embedder
from facelib.gallery import PROPOSAL_COLUMNS, PROPOSAL_KINDS, Gallery, accept, build_gallery, curate, examine
from facelib.project import Project


def test_an_empty_gallery_is_examined_too(project: Project, gallery_of: Callable[..., pd.DataFrame]) -> None:
    found = examine(gallery_of(), project, threshold=0.48, progress=False)
    assert list(found.proposals.columns) == PROPOSAL_COLUMNS and found.proposals.empty
    assert found.balance.empty and found.coverage.empty and found.confusable.empty and found.advice == []


def test_a_pure_gallery_has_no_proposals(
    project: Project, make_table: Callable[..., pd.DataFrame], put_pictures: Callable[[pd.DataFrame], None]
) -> None:
    table = make_table({"Ada": 60, "Grace": 55}, scatter=0.5)
    put_pictures(table)
    before = table.copy(deep=True)
    found = examine(table, project, threshold=0.6, progress=False)
    assert found.proposals.empty
    assert found.balance["missing"].to_list() == [0, 0]
    assert not any("50 usable" in text for text in found.advice)
    pd.testing.assert_frame_equal(table, before)
    assert not project.disabled.exists()


def test_each_fault_is_proposed_once_under_its_kind(
    project: Project, make_table: Callable[..., pd.DataFrame], put_pictures: Callable[[pd.DataFrame], None]
) -> None:
    table = make_table({"Ada": 20, "Grace": 20}, scatter=0.5)
    side = np.array([30, 40, 70, 40, 29, 60, 35, 80, 65, 80], np.float32)
    table.loc[1, "sharpness"] = 10.0
    table.loc[2, ["right", "bottom"]] = [40.0, 40.0]
    table.at[3, "landmarks"] = side
    table.loc[4, "sha256"] = table.loc[5, "sha256"] = "same"
    table.at[5, "embedding"] = table.at[4, "embedding"]
    table.at[6, "embedding"] = table.at[30, "embedding"] + 0.01  # Grace, in Ada's folder
    table = pd.concat([table, table.iloc[[8]].assign(face=1, used=False, embedding=[np.ones(32, np.float32)])])
    nothing = {"face": -1, "used": False, "embedding": [np.full(32, np.nan, np.float32)], "left": np.nan}
    for reason in ("no face", "unreadable"):
        table = pd.concat(
            [table, table.iloc[[0]].assign(picture=f"people/Ada/{reason}.jpg", sha256=reason, **nothing, reason=reason)]
        )
    table = curate(table.sort_values(["picture", "face"], ignore_index=True), threshold=0.6)
    put_pictures(table[table["face"] >= 0])
    found = examine(table, project, threshold=0.6, progress=False).proposals
    assert found[["picture", "face", "kind", "fits", "used"]].values.tolist() == [
        ["people/Ada/06.jpg", 0, "wrong person", "Grace", False],
        ["people/Ada/08.jpg", 1, "several faces", "", False],
        ["people/Ada/05.jpg", 0, "duplicate", "", False],
        ["people/Ada/01.jpg", 0, "blurred", "", True],
        ["people/Ada/02.jpg", 0, "tiny", "", True],
        ["people/Ada/03.jpg", 0, "profile", "", True],
        ["people/Ada/no face.jpg", -1, "no face", "", False],
        ["people/Ada/unreadable.jpg", -1, "unreadable", "", False],
    ]
    assert found["score"].between(0, 1).all() and (found["detail"] != "").all()
    assert found["kind"].map(PROPOSAL_KINDS.index).is_monotonic_increasing


def test_a_misfiled_picture_in_use_is_proposed_without_a_threshold_as_well(
    project: Project, make_table: Callable[..., pd.DataFrame], put_pictures: Callable[[pd.DataFrame], None]
) -> None:
    table = make_table({"Ada": 20, "Grace": 20}, scatter=0.5)
    table.at[6, "embedding"] = table.at[30, "embedding"] + 0.01
    put_pictures(table)
    found = examine(table, project, threshold=math.nan, progress=False).proposals
    assert found[["picture", "kind", "fits", "used"]].values.tolist() == [
        ["people/Ada/06.jpg", "wrong person", "Grace", True]
    ]
    accept(project, found)
    again = curate(table, threshold=math.nan, disabled=set(found["picture"]))
    assert examine(again, project, progress=False).proposals.empty


def test_a_file_in_two_folders_is_told_for_both(
    project: Project, make_table: Callable[..., pd.DataFrame], put_pictures: Callable[[pd.DataFrame], None]
) -> None:
    table = make_table({"Ada": 6, "Grace": 6}, scatter=0.5)
    table.loc[[0, 6], "sha256"] = "same"
    put_pictures(table)
    found = examine(curate(table, threshold=0.6), project, threshold=0.6, progress=False).proposals
    assert found["detail"].to_list() == [
        "the same file is filed under Grace too, so neither is used",
        "the same file is filed under Ada too, so neither is used",
    ]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return facelib.load_detector("centerface", smallest_face=40.0, provider="cpu")


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return facelib.load_embedder("dlib", provider="cpu")


def test_the_demos_planted_faults_are_all_found(
    copy_demo: Callable[..., Project], tmp_path: Path, detector: Detector, embedder: Embedder
) -> None:
    project = copy_demo(tmp_path, 0.4)
    table = build_gallery(project, detector, embedder, progress=False)
    found = examine(table, project, threshold=embedder.threshold, progress=False)
    rows = {(Path(row.picture).name, row.kind): row for row in found.proposals.itertuples()}
    assert rows["eileen_collins_05_copy.jpg", "duplicate"].detail == "the same file as eileen_collins_05.jpg"
    assert rows["two_people.jpg", "several faces"].fits == "Grace Hopper"
    assert ("broken_download.jpg", "unreadable") in rows and ("no_face.jpg", "no face") in rows
    assert set(found.proposals["kind"]) <= {"duplicate", "several faces", "unreadable", "no face", "near duplicate"}
    # All its pictures are made of one portrait each; that they are all alike is no reason to leave them all out.
    assert (found.proposals["kind"] == "near duplicate").sum() <= 6
    assert any(text.startswith("Fewer than 50 usable pictures of Eileen Collins (25)") for text in found.advice)
    assert "Nobody is shown in profile." in found.advice


@pytest.fixture(scope="module")
def himym(
    shared_data: Path, known_faces: Callable[[str], Gallery], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, pd.DataFrame]:
    """The cast of a sitcom, with its faces."""
    return linked(shared_data / "himym", tmp_path_factory.mktemp("himym")), known_faces("himym").table


def linked(source: Path, folder: Path) -> Project:
    project = Project("linked", folder / "data", folder / "output")
    project.data.mkdir(parents=True)
    project.people.symlink_to(source / "people")
    return project


@pytest.mark.real_data
@pytest.mark.parametrize("seed", range(5))
def test_pictures_in_a_wrong_folder_are_found_and_few_others(
    himym: tuple[Project, pd.DataFrame], embedder: Embedder, seed: int
) -> None:
    project, table = himym
    random = np.random.default_rng(seed)
    owners = table.drop_duplicates("picture").set_index("picture")["person"]
    wrong = set(random.choice(owners.index, round(0.1 * len(owners)), replace=False))
    people = sorted(set(owners))
    filed = {
        picture: random.choice([name for name in people if name != person]) if picture in wrong else person
        for picture, person in owners.items()
    }
    misfiled = curate(table.assign(person=table["picture"].map(filed)), threshold=embedder.threshold)
    found = examine(misfiled, project, threshold=embedder.threshold, progress=False).proposals
    whose = found[found["kind"].isin(["wrong person", "several faces"])]
    proposed = set(whose.loc[whose["used"], "picture"]) | (
        set(misfiled["picture"]) - set(misfiled.loc[misfiled["used"], "picture"])
    )
    assert len(proposed & wrong) >= 0.9 * len(wrong)
    assert len(proposed - wrong) <= 0.03 * (len(owners) - len(wrong))
    named = whose[whose["picture"].isin(wrong) & (whose["kind"] == "wrong person") & (whose["fits"] != "")]
    assert len(named) >= 0.7 * len(wrong)
    assert (named["fits"] == named["picture"].map(owners)).mean() >= 0.95


@pytest.mark.real_data
def test_the_trap_among_the_clips_cast_is_found(
    shared_data: Path, known_faces: Callable[[str], Gallery], tmp_path: Path, embedder: Embedder
) -> None:
    project, table = linked(shared_data / "film_clips", tmp_path), known_faces("film_clips").table
    found = examine(table, project, threshold=embedder.threshold, progress=False).proposals
    trap = "people/Linus Sebastian/Linus-Tech-Tips-Gift-To-HasanAbi.jpg"
    row = found[found["picture"] == trap].iloc[0]
    assert (row["kind"], row["used"], row["fits"]) == ("several faces", False, "")
    used = table[(table["picture"] == trap) & table["used"]]
    assert used["left"].item() > 400  # the right one of the two
    assert not (found["kind"] == "wrong person").any()
