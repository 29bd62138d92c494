"""The web console, served beside the API as its template serves it from another address."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.security import safe_join
from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response

from tools.local_stack.intrinsics import Intrinsics
from tools.local_stack.template import parsed

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "deploy" / "console.yaml"
BUILT = ROOT / "clients" / "web" / "dist"
CLIENT_ID = "console"
SCOPE = "openid offline_access"
_MEDIA_ORIGIN = "https://media.s3.local.amazonaws.com"
_YEAR_S = 365 * 24 * 3600


def built_console() -> Path | None:
    """The folder of the built console; None if it is not built."""
    return BUILT if (BUILT / "index.html").is_file() else None


@dataclass(frozen=True)
class Console:
    """Serves the files of a built console, and the ``config.json`` that fits this stack.

    Attributes
    ----------
    folder
        What ``npm run build`` made.
    media_origin
        Where signed URLs lead to.
    issuer_url
        Who gives tokens; None if none are asked for.
    """

    folder: Path
    media_origin: str
    issuer_url: str | None = None

    def answer(self, request: Request) -> Response | None:
        """The file that is asked for; None if it is none of the console's."""
        if request.method not in ("GET", "HEAD"):
            return None
        if request.path == "/config.json":
            answer = Response(json.dumps(self._config()), content_type="application/json")
            answer.cache_control.no_cache = True
        else:
            found = safe_join(str(self.folder), request.path.lstrip("/") or "index.html")
            if found is None or not Path(found).is_file():
                return None
            is_hashed = request.path.startswith("/assets/")
            answer = send_file(found, request.environ, max_age=_YEAR_S if is_hashed else None)
        answer.headers.update(self._headers(request.host_url.rstrip("/")))
        return answer

    def _config(self) -> dict[str, Any]:
        login = {"authority": self.issuer_url, "client_id": CLIENT_ID, "scope": SCOPE}
        return {"api": "", "login": None if self.issuer_url is None else login}

    def _headers(self, own_origin: str) -> dict[str, str]:
        issuer = self.issuer_url or own_origin
        values = {
            "ApiUrl": own_origin,
            "JwtIssuer": issuer,
            "LoginOrigin": issuer,
            "MediaBucketName": "media",
        }
        headers = security_headers({**values, "AWS::Region": "local", "AWS::URLSuffix": "amazonaws.com"})
        return {name: text.replace(_MEDIA_ORIGIN, self.media_origin) for name, text in headers.items()}


def security_headers(values: dict[str, str]) -> dict[str, str]:
    """The headers of ``SecurityHeaders`` of deploy/console.yaml; ``values`` are what its ``!Ref`` give."""
    template = parsed(TEMPLATE)
    properties = template["Resources"]["SecurityHeaders"]["Properties"]
    intrinsics = Intrinsics(lambda name: values.get(name, ""), template)
    config = intrinsics.compute(properties["ResponseHeadersPolicyConfig"])
    fixed = config["SecurityHeadersConfig"]
    transport = fixed["StrictTransportSecurity"]
    subdomains = "; includeSubDomains" if transport["IncludeSubdomains"] else ""
    return {
        "content-security-policy": fixed["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "x-content-type-options": "nosniff",
        "x-frame-options": fixed["FrameOptions"]["FrameOption"],
        "referrer-policy": fixed["ReferrerPolicy"]["ReferrerPolicy"],
        "strict-transport-security": f"max-age={transport['AccessControlMaxAgeSec']}{subdomains}",
        **{item["Header"]: item["Value"] for item in config["CustomHeadersConfig"]["Items"]},
    }
