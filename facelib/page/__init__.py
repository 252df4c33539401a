"""The page of a whole project: films with names on faces, people, search; offline, in notebooks and on a server."""

from facelib.page.write import page_html, write_page, write_reports

__all__ = ["page_html", "write_page", "write_reports"]
