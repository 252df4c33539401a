import cv2
import numpy as np
import pytest

from facelib.gather.adding import take_in
from facelib.images import read_image

from .conftest import picture_bytes


def test_a_third_picture_of_one_name_is_told(tmp_path):
    first, second = picture_bytes(1), picture_bytes(2)
    assert take_in(first, "Ada", "1.jpg", tmp_path) == ("Ada/1.jpg", "")
    other, _ = take_in(second, "Ada", "1.jpg", tmp_path)
    (tmp_path / other).write_bytes(first)
    picture, reason = take_in(second, "Ada", "1.jpg", tmp_path)
    assert (picture, reason.partition(" ")[0]) == ("", "other")


def test_names_as_long_as_file_systems_allow_and_longer_are_taken(tmp_path):
    name = "x" * 251 + ".jpg"
    assert take_in(picture_bytes(1), "Ada", name, tmp_path) == (f"Ada/{name}", "")
    other, reason = take_in(picture_bytes(2), "Ada", name, tmp_path)
    assert (tmp_path / other).read_bytes() == picture_bytes(2) and not reason
    longer, _ = take_in(picture_bytes(3), "Ada", f"y{name}", tmp_path)  # as an archive may hold
    assert (tmp_path / longer).read_bytes() == picture_bytes(3)
    assert take_in(picture_bytes(3), "Ada", f"y{name}", tmp_path) == (longer, "")


@pytest.mark.parametrize("kind", ["large", "floating point", "lacks its end"])
def test_whatever_can_be_read_from_a_folder_is_taken(kind, tmp_path):
    content, name = picture_bytes(1, size=(400, 300))[:-20], "1.jpg"
    if kind == "large":  # 49 million pixels, as of telephones
        content, name = cv2.imencode(".png", np.zeros((7000, 7000), np.uint8))[1].tobytes(), "1.png"
    elif kind == "floating point":
        content, name = cv2.imencode(".tiff", np.full((60, 80, 3), 0.5, np.float32))[1].tobytes(), "1.tif"
    assert take_in(content, "Ada", name, tmp_path) == (f"Ada/{name}", "")
    assert read_image(tmp_path / "Ada" / name).ndim == 3
