"""Says how many spaces the car parks of a town have left."""

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

SPACES = {"main-square": 41, "station": 7, "hospital": 0}


def health(request):
    return JSONResponse({"status": "healthy"})


def spaces(request):
    name = request.path_params["name"]
    known = name in SPACES
    return JSONResponse({"park": name, "spaces": SPACES.get(name)}, status_code=200 if known else 404)


app = Starlette(routes=[Route("/health", health), Route("/spaces/{name}", spaces)])
