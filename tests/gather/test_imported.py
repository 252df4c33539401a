from facelib.gather.adding import take_in

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
