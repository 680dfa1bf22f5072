"""`/`: the page on which a person pastes a log and reads the verdict.

Three files, served as they are, under a policy that allows nothing else: no inline script, no third
party, no frame. The page puts text from transcripts into text nodes only.
"""

from pathlib import Path
from typing import Final

from fastapi import APIRouter
from fastapi.responses import FileResponse

router = APIRouter(include_in_schema=False)

FILES: Final = Path(__file__).parent.parent / "page"
_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-cache",
}


@router.get("/")
async def index() -> FileResponse:
    """The page."""
    return FileResponse(FILES / "index.html", headers=_HEADERS, media_type="text/html")


@router.get("/page/page.js")
async def script() -> FileResponse:
    """Its script."""
    return FileResponse(FILES / "page.js", headers=_HEADERS, media_type="text/javascript")


@router.get("/page/page.css")
async def style() -> FileResponse:
    """Its style."""
    return FileResponse(FILES / "page.css", headers=_HEADERS, media_type="text/css")
