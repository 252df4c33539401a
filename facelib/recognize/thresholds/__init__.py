"""The threshold of an open-set recognizer: trials on the gallery itself, error rates, a wanted error.

Two kinds of trials. Genuine: each face against the gallery without that face, and without the faces that come of the
same source. Impostor: each face against the gallery without any face of its person, which makes the person a stranger,
and pictures of strangers against all of it. FPIR (false positive identification rate) is the fraction of impostor
trials that end with a name, FNIR (false negative identification rate) the fraction of genuine trials that do not end
with the right name (ISO/IEC 19795-1; Grother et al., NIST IR 8271).
"""

from facelib.embed.neighbours import near_duplicate_groups
from facelib.recognize.thresholds.evidence import FEWEST_PEOPLE, pictures_to_add, trials_needed
from facelib.recognize.thresholds.fitting import Fitted, Interval, confidence_model, fit_threshold, measure_threshold
from facelib.recognize.thresholds.look_alikes import find_look_alikes
from facelib.recognize.thresholds.lookups import Lookups
from facelib.recognize.thresholds.people import OwnThresholds, fit_offsets, fit_per_person
from facelib.recognize.thresholds.rates import curve, leave_one_out
from facelib.recognize.thresholds.trials import Offsets, Trials, trials

__all__ = [
    "FEWEST_PEOPLE",
    "Fitted",
    "Interval",
    "Lookups",
    "Offsets",
    "OwnThresholds",
    "Trials",
    "confidence_model",
    "curve",
    "find_look_alikes",
    "fit_offsets",
    "fit_per_person",
    "fit_threshold",
    "leave_one_out",
    "measure_threshold",
    "near_duplicate_groups",
    "pictures_to_add",
    "trials",
    "trials_needed",
]
