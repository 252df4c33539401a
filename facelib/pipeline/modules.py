"""What kernels and jobs import, in the process from which they are forked; see `facelib.project.fork_server`."""

KERNEL = ("facelib.pipeline.stopping", "ipykernel.debugger", "ipykernel.kernelapp", "ipykernel.zmqshell")
"""What a kernel imports before its first cell."""

REPORT = "facelib.pipeline.report:get_ready"
"""What makes the report of a notebook ready to be written."""

LIBRARY = (
    *KERNEL,
    "cleanlab.rank",
    "facelib.archive.cluster.films",
    "facelib.detect.centerface",
    "facelib.detect.landmarks",
    "facelib.detect.mtcnn",
    "facelib.evaluate",
    "facelib.films.annotate",
    "facelib.films.exports",
    "facelib.films.identify",
    "facelib.films.index",
    "facelib.films.present",
    "facelib.films.reel",
    "facelib.gallery.map",
    "facelib.gallery.strangers",
    "facelib.gather.datasets",
    "facelib.gather.film_faces",
    "facelib.gather.pictures",
    "facelib.gather.prepare",
    "facelib.gather.sources.media",
    "facelib.pipeline.choosing",
    "facelib.pipeline.parameters",
    "facelib.pipeline.showing",
    "facelib.plots.dark",
    "facelib.plots.film",
    "facelib.plots.gallery",
    "facelib.plots.mistakes",
    "facelib.plots.people",
    "facelib.plots.tables",
    "facelib.recognize.quick_skops",
    "facelib.recognize.tuning",
    "facelib.review",
    "facelib.widgets.alias_board",
    "facelib.widgets.drawn_films",
    "facelib.widgets.embedding_map",
    "facelib.widgets.project_page",
    "facelib.widgets.proposals",
    "facelib.widgets.review",
    "facelib.widgets.threshold",
    "facelib.widgets.threshold_mistakes",
    "imagehash",
    "narwhals._pandas_like.namespace",
    "openTSNE",
    "pi_heif",
    "plotly.graph_objs",
    "pyarrow.dataset",
)
"""What the notebooks import, at their beginning or on the way."""
