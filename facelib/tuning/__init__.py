"""From a gallery to a recognizer: trials, the threshold, its error rates, and the saved file."""

from facelib.tuning.compare import compare
from facelib.tuning.setting import STRANGER, Counts, MistakeKind, Setting
from facelib.tuning.svm import svm_trials
from facelib.tuning.tune import tune
from facelib.tuning.tuning import Tuning, figures

__all__ = ["STRANGER", "Counts", "MistakeKind", "Setting", "Tuning", "compare", "figures", "svm_trials", "tune"]
