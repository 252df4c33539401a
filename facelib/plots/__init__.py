"""Plotly figures and pages of pictures, used by the notebooks and by the web page alike."""

from facelib.plots.dark import themed
from facelib.plots.evaluation import draw_confusion, draw_det, draw_reliability
from facelib.plots.film import draw_screen_time, draw_timeline
from facelib.plots.gallery import draw_gallery
from facelib.plots.map import draw_map
from facelib.plots.mistakes import show_mistakes
from facelib.plots.people import draw_people
from facelib.plots.project_marks import project_colours, project_marks
from facelib.plots.style import GREY, Mark, colours_of, escaped, marks, template
from facelib.plots.thresholds import draw_distances, draw_outcomes
from facelib.plots.thumbnails import Thumbnails, contact_sheet, face_thumbnail, thumbnails

__all__ = [
    "GREY",
    "Mark",
    "Thumbnails",
    "colours_of",
    "contact_sheet",
    "draw_confusion",
    "draw_det",
    "draw_distances",
    "draw_gallery",
    "draw_map",
    "draw_outcomes",
    "draw_people",
    "draw_reliability",
    "draw_screen_time",
    "draw_timeline",
    "escaped",
    "face_thumbnail",
    "marks",
    "project_colours",
    "project_marks",
    "show_mistakes",
    "template",
    "themed",
    "thumbnails",
]
