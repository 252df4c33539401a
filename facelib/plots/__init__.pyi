from .colours import GREY, Mark, colours_of, marks, project_colours, project_marks
from .dark import themed
from .evaluation import draw_confusion, draw_det, draw_reliability
from .film import draw_screen_time, draw_timeline
from .gallery import draw_gallery
from .map import draw_map
from .mistakes import show_mistakes
from .people import draw_people
from .style import escaped, template
from .tables import Table, heading, prose
from .thresholds import draw_distances, draw_outcomes
from .thumbnails import Thumbnails, contact_sheet, face_thumbnail, thumbnails

__all__ = [
    "GREY",
    "Mark",
    "Table",
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
    "heading",
    "marks",
    "project_colours",
    "project_marks",
    "prose",
    "show_mistakes",
    "template",
    "themed",
    "thumbnails",
]
