from facelib.gather.adding import take_in

from .conftest import picture_bytes


def test_a_third_picture_of_one_name_is_told(tmp_path):
    first, second = picture_bytes(1), picture_bytes(2)
    assert take_in(first, "Ada", "1.jpg", tmp_path) == ("Ada/1.jpg", "")
    other, _ = take_in(second, "Ada", "1.jpg", tmp_path)
    (tmp_path / other).write_bytes(first)
    picture, reason = take_in(second, "Ada", "1.jpg", tmp_path)
    assert (picture, reason.partition(" ")[0]) == ("", "other")
