import shutil

import numpy as np
import pandas as pd
import pytest

from facelib.evaluate import load_truth
from facelib.faces import iou
from facelib.gather.film_faces import accept_people, propose_people
from facelib.gather.film_people import PEOPLE_COLUMNS, PROPOSED_COLUMNS, ProposalSettings, choose_people, choose_varied
from facelib.images import encode_jpeg
from facelib.project import Project

from .test_crops import contents

THRESHOLD = 0.3


def unit(*numbers):
    return np.asarray(numbers, np.float32) / np.linalg.norm(numbers)


def make_tables(people, *, seconds=2.0):
    """Return a film's tracks and looks: one track per vector, one after the other, with four looks each."""
    tracks, looks = [], []
    for track, vector in enumerate(people):
        start = 10.0 * track
        tracks.append([track, 250 * track, 250 * track + 50, start, start + seconds, "unknown", "unknown", vector])
        for rank in range(4):
            picture = encode_jpeg(np.full((60, 60, 3), 20 * track + rank, np.uint8))
            near = unit(*(vector + 0.1 * rank * np.roll(vector, 1)))
            looks.append([track, 250 * track + rank, start, 0, 0, 80, 90, 0.8 - 0.1 * rank, near, picture])
    columns = ["track", "start_frame", "end_frame", "start", "end", "person", "known", "embedding"]
    seen = ["track", "frame", "time", "left", "top", "right", "bottom", "quality", "embedding", "picture"]
    return pd.DataFrame(tracks, columns=columns), pd.DataFrame(looks, columns=seen)


ADA, GRACE = unit(1, 0, 0, 0.1), unit(0, 1, 0, 0)


def chosen(films, **choice):
    tables = {name: tracks for name, (tracks, _) in films.items()}
    looks = {name: looks for name, (_, looks) in films.items()}
    return choose_people(tables, looks, threshold=THRESHOLD, choice=ProposalSettings(**choice))


def test_people_are_numbered_over_films_by_their_time_on_screen():
    films = {"a.mp4": make_tables([GRACE, ADA]), "b.mkv": make_tables([ADA])}
    found = chosen(films)
    assert list(found.people.columns) == PEOPLE_COLUMNS
    assert found.people["person"].tolist() == ["Person 1", "Person 2"]
    counts = found.people[["seconds", "tracks", "films", "pictures"]].to_numpy().tolist()
    assert counts == [[4, 2, 2, 4], [2, 1, 1, 4]]  # one of Ada's tracks repeats the other
    assert found.people["first_film"].tolist() == ["a.mp4", "a.mp4"]
    assert found.people["first_time"].tolist() == [10.0, 0.0]
    assert list(found.pictures.columns) == PROPOSED_COLUMNS
    assert list(found.contents) == found.pictures["picture"].tolist()
    assert found.pictures["picture"].iloc[0].startswith("Person 1/a 250-1")


def test_nobody_is_nobody():
    for films in ({"a.mp4": make_tables([])}, {"a.mp4": make_tables([ADA], seconds=0.2)}):
        found = chosen(films)
        assert found.people.empty and found.pictures.empty and found.contents == {}
        assert list(found.people.columns) == PEOPLE_COLUMNS


@pytest.mark.parametrize(
    ("choice", "people", "pictures"),
    [
        ({"most_people": 1}, 1, 4),
        ({"most_pictures": 2}, 2, 4),
        ({"least_quality": 0.75}, 2, 2),
        ({"smallest_face": 100}, 0, 0),
        ({"least_seconds": 3}, 1, 4),
    ],
)
def test_what_is_chosen_can_be_told(choice, people, pictures):
    found = chosen({"a.mp4": make_tables([GRACE, ADA, ADA])}, **choice)
    assert (len(found.people), len(found.pictures)) == (people, pictures)


@pytest.mark.parametrize("wrong", [{"most_people": 0}, {"most_pictures": 0}])
def test_bad_choices_are_refused(wrong):
    with pytest.raises(ValueError, match="of 1 or more"):
        ProposalSettings(**wrong)


def test_whose_name_was_known_is_told():
    tracks, looks = make_tables([ADA, ADA, GRACE])
    tracks["known"] = ["Ada", "unknown", "unknown"]
    tracks.loc[0, "end"] += 5
    assert chosen({"a.mp4": (tracks, looks)}).people["known_as"].tolist() == ["Ada", ""]


def test_looks_are_good_and_differ():
    vectors = [unit(1, 0, 0), unit(1, 0.01, 0), unit(1, 0.25, 0), unit(1, 0, 0.25), unit(0, 0, 1)]
    looks = pd.DataFrame({"embedding": vectors, "quality": [0.9, 0.8, 0.5, 0.6, 0.2], "picture": [b"x"] * 5})
    looks[["left", "top"]], looks[["right", "bottom"]] = 0, 90
    picked = choose_varied(looks, THRESHOLD, ProposalSettings())
    assert picked.tolist() == [0, 3, 2]  # the second repeats the first, the last is somebody else
    assert choose_varied(looks, THRESHOLD, ProposalSettings(most_pictures=1)).tolist() == [0]


@pytest.fixture(scope="session")
def filmed(shared_data, tmp_path_factory):
    """A project of two clips that share nobody but one stranger, its films looked through once."""
    folder = tmp_path_factory.mktemp("filmed")
    project = Project("clips", folder / "data", folder / "output")
    project.videos.mkdir(parents=True)
    for name in ("toby_maguire1.mp4", "jackie_chan1.mp4"):
        shutil.copy(shared_data / "film_clips" / "videos" / name, project.videos)
    (project.videos / "broken.mp4").write_bytes(b"no film")
    propose_people(project, progress=False)
    return project


@pytest.fixture
def project(filmed, tmp_path):
    """The project, in a folder of the test's own."""
    shutil.copytree(filmed.data_dir, tmp_path / "data", copy_function=shutil.copy2)
    shutil.copytree(filmed.output_dir, tmp_path / "output", copy_function=shutil.copy2)
    return Project("clips", tmp_path / "data", tmp_path / "output")


def propose(project, **options):
    return propose_people(project, progress=False, **options)


@pytest.mark.real_data
def test_proposed_folders_show_one_person_each(project, shared_data):
    found = propose(project)
    assert [problem for problem in found.problems if "broken.mp4" in problem] == found.problems != []
    whose: dict[str, set[str]] = {}
    for row in found.pictures.itertuples():
        truth = load_truth(shared_data / "film_clips" / "truth" / f"{row.film.removesuffix('.mp4')}.csv").faces
        looks = pd.read_parquet(project.film(row.film).looks)
        look = looks[(looks["track"] == row.track) & (looks["frame"] == row.frame)].iloc[0]
        there = truth[truth["frame"] == row.frame]
        sides = ["left", "top", "right", "bottom"]
        over = iou([look[sides].to_numpy(float)], there[sides].to_numpy(float))[0]
        whose.setdefault(row.person, set()).add(there["person"].iloc[int(over.argmax())] if over.max() > 0.3 else "")
    assert all(len(people) == 1 for people in whose.values())
    assert {person for people in whose.values() for person in people} >= {"Tobey Maguire", "Jackie Chan"}
    folder = project.proposed
    assert {path.parent.name for path in folder.glob("*/*.jpg")} == set(found.people["person"])
    assert pd.read_csv(folder / "people.csv")["person"].tolist() == found.people["person"].tolist()


@pytest.mark.real_data
def test_films_in_which_nobody_is_seen_well_propose_nobody(project):
    found = propose(project, choice=ProposalSettings(smallest_face=10_000))
    assert found.people.empty and found.pictures.empty
    assert list(found.pictures.columns) == PROPOSED_COLUMNS


@pytest.mark.real_data
def test_done_again_it_leaves_the_users_changes(project):
    folder = project.proposed
    first = propose(project)
    (folder / first.pictures["picture"].iloc[0]).unlink()
    (folder / "Person 2").rename(folder / "Jane Doe")
    before = contents(folder)
    again = propose(project)
    assert contents(folder) == before
    left = first.pictures.iloc[1:]
    assert again.pictures["picture"].tolist() == left.loc[left["person"] != "Person 2", "picture"].tolist()


@pytest.mark.real_data
def test_other_parameters_replace_what_is_unchanged(project):
    folder = project.proposed
    first = propose(project)
    own = folder / first.pictures["picture"].iloc[0]
    own.write_bytes(b"edited")
    (folder / "Person 2").rename(folder / "Jane Doe")
    found = propose(project, choice=ProposalSettings(most_pictures=1))
    kept = set(contents(folder))
    expected = {*found.pictures["picture"], own.relative_to(folder).as_posix(), "people.csv", "pictures.csv"}
    assert {name for name in kept if not name.startswith("Jane Doe/")} == expected
    assert own.read_bytes() == b"edited"
    assert any(name.startswith("Jane Doe/") for name in kept)


@pytest.mark.real_data
def test_killed_while_it_writes_it_goes_on(project, monkeypatch):
    folder = project.proposed
    whole = {name: content for name, content in contents(folder).items() if not name.endswith(".csv")}
    propose(project, choice=ProposalSettings(most_pictures=1))

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("facelib.gather.film_faces.remove_with_folder", end)
        with pytest.raises(KeyboardInterrupt):
            propose(project, choice=ProposalSettings(least_quality=0.99))
    propose(project)
    assert {name: content for name, content in contents(folder).items() if not name.endswith(".csv")} == whole


@pytest.mark.real_data
def test_accepted_people_become_folders_of_the_cast(project):
    found = propose(project)
    table = accept_people(project, {"Person 1": "Jackie  Chan", "Person 2": ""})
    count = int(found.people.set_index("person").loc["Person 1", "pictures"])
    assert len(table) == count and (table["reason"] == "").all()
    assert set(table["person"]) == {"Jackie Chan"}
    assert sorted(table["picture"]) == sorted(f"people/{name}" for name in contents(project.people))
    before = contents(project.people)
    assert accept_people(project, {"Person 1": "Jackie Chan"}).equals(table)
    assert contents(project.people) == before
    for name in before:
        (project.people / name).write_bytes(b"the user's own")
    accept_people(project, {"Person 1": "Jackie Chan"})
    assert all(contents(project.people)[name] == b"the user's own" for name in before)


@pytest.mark.real_data
def test_a_film_that_was_renamed_is_not_searched_again(project, monkeypatch):
    first = propose(project)
    before = project.film("toby_maguire1.mp4")
    looks = before.looks.read_bytes()
    (project.videos / "toby_maguire1.mp4").rename(project.videos / "spider.mp4")
    monkeypatch.setattr("facelib.films.index.find_tracks", None)
    found = propose(project)
    assert not before.folder.exists() and project.film("spider.mp4").looks.read_bytes() == looks
    assert found.pictures["sha256"].tolist() == first.pictures["sha256"].tolist()
    assert set(found.pictures["film"]) == {"spider.mp4", "jackie_chan1.mp4"}
    assert set(contents(project.proposed)) == {*found.pictures["picture"], "people.csv", "pictures.csv"}


@pytest.mark.real_data
def test_folders_renamed_by_hand_are_accepted_under_their_names(project):
    assert accept_people(project).empty
    (project.proposed / "Person 1").rename(project.proposed / "Jane Doe")
    assert set(accept_people(project)["person"]) == {"Jane Doe"}
    assert {name.partition("/")[0] for name in contents(project.people)} == {"Jane Doe"}


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("names", "message"),
    [({"Person 99": "Ada"}, r"got \['Person 99'\]"), ({"Person 1": "../x"}, "folder can have"),
     ({"Person 1": "unknown"}, "reserved name"), ({"Person 1": "Ada", "Person 98": "Grace"}, "Person 98")],
)  # fmt: skip
def test_names_that_cannot_be_are_refused_before_anything_is_copied(project, names, message):
    with pytest.raises(ValueError, match=message):
        accept_people(project, names)
    assert not project.people.exists()


@pytest.mark.real_data
def test_tables_that_were_made_in_another_way_stay(project):
    files = project.film("toby_maguire1.mp4")
    files.followed.write_text(files.followed.read_text().replace("bytetrack", "sort"))
    before = contents(files.folder)
    found = propose(project, films=["toby_maguire1.mp4"])
    assert contents(files.folder) == before
    assert len(found.people) >= 1


def test_a_project_without_films_is_told(tmp_path):
    project = Project("none", tmp_path / "data", tmp_path / "output")
    with pytest.raises(ValueError, match="expected at least one film"):
        propose(project)
    project.videos.mkdir(parents=True)
    (project.videos / "broken.mp4").write_bytes(b"no film")
    with pytest.raises(ValueError, match="none of the films could be read"):
        propose(project)
    with pytest.raises(ValueError, match="propose people first"):
        accept_people(project, {"Person 1": "Ada"})
