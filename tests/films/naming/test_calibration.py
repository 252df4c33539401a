"""The answer unknown is sure where the face tells enough, and not where it was hidden from the camera."""

import numpy as np

from facelib.films.naming.calibration import stranger_confidence


def test_a_straight_face_far_from_all_is_surely_a_strangers_and_a_profile_is_not():
    straight, profile = stranger_confidence(np.array([0.9999, 0.5], np.float32), np.array([0.0, 1.0], np.float32))
    assert straight > 0.95
    assert 0.2 < profile < 0.4


def test_the_likelier_nobody_is_the_surer():
    nobody = np.array([0.0, 0.1, 0.5, 0.9, 1.0], np.float32)
    sure = stranger_confidence(nobody, np.zeros(5, np.float32))
    assert (np.diff(sure) > 0).all()
    assert ((sure > 0) & (sure < 1)).all()
    assert stranger_confidence(np.empty(0, np.float32), np.empty(0, np.float32)).shape == (0,)
