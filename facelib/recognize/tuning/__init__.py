"""From a gallery to a recognizer: trials, the threshold, its error rates, and the saved file."""

from facelib.recognize.tuning.choice import Saved, ThresholdChoice, choose_threshold, save_choice, threshold_by_hand
from facelib.recognize.tuning.compare import compare, describe_comparison
from facelib.recognize.tuning.setting import STRANGER, Counts, MistakeKind, Setting
from facelib.recognize.tuning.svm import svm_trials
from facelib.recognize.tuning.tune import tune, tune_again
from facelib.recognize.tuning.tuning import Tuning, figures

__all__ = [
    "STRANGER",
    "Counts",
    "MistakeKind",
    "Saved",
    "Setting",
    "ThresholdChoice",
    "Tuning",
    "choose_threshold",
    "compare",
    "describe_comparison",
    "figures",
    "save_choice",
    "svm_trials",
    "threshold_by_hand",
    "tune",
    "tune_again",
]
