"""facelib as a service: a REST API over the project folders, its database, its jobs, and the page."""
