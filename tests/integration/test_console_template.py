"""deploy/console.yaml keeps its files private and its page safe; docs/console.md is true of it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.pages import Page, table_rows
from tools.local_stack.console import security_headers
from tools.local_stack.template import parsed

ROOT = Path(__file__).parents[2]
WEB = ROOT / "clients" / "web"
CONSOLE: Mapping[str, Any] = parsed(ROOT / "deploy" / "console.yaml")
PAGE = Page(ROOT / "docs" / "console.md")
API, ISSUER, LOGIN = "https://api.example.com", "https://issuer.example.com/pool", "https://login.example.com"
VALUES = {
    "ApiUrl": API,
    "JwtIssuer": ISSUER,
    "LoginOrigin": LOGIN,
    "MediaBucketName": "media",
    "AWS::Region": "eu-west-1",
    "AWS::URLSuffix": "amazonaws.com",
}
MEDIA = "https://media.s3.eu-west-1.amazonaws.com"


def properties(name: str) -> Any:
    return CONSOLE["Resources"][name]["Properties"]


def policy() -> dict[str, set[str]]:
    """The directives of the Content-Security-Policy, each with its sources."""
    parts = security_headers(VALUES)["content-security-policy"].split(";")
    return {name: set(sources) for name, *sources in (part.split() for part in parts)}


def test_the_bucket_is_read_by_this_distribution_only() -> None:
    assert set(properties("Files")["PublicAccessBlockConfiguration"].values()) == {True}
    allowed, denied = properties("FilesPolicy")["PolicyDocument"]["Statement"]
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert allowed["Action"] == "s3:GetObject"
    assert "distribution/${Distribution}" in allowed["Condition"]["StringEquals"]["AWS:SourceArn"]["Fn::Sub"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": False}}
    (origin,) = properties("Distribution")["DistributionConfig"]["Origins"]
    assert origin["OriginAccessControlId"] == {"Fn::GetAtt": ["AccessToFiles", "Id"]}


def test_the_page_runs_only_its_own_files_and_calls_only_what_it_needs() -> None:
    directives = policy()
    assert directives["default-src"] == directives["base-uri"] == directives["form-action"] == {"'none'"}
    assert directives["frame-ancestors"] == {"'none'"}
    assert directives["script-src"] == directives["style-src"] == {"'self'"}
    assert directives["connect-src"] == {"'self'", API, MEDIA, f"{ISSUER}/", LOGIN}
    assert directives["media-src"] == {"blob:", MEDIA}
    assert not any("unsafe" in source or "*" in source for all_ in directives.values() for source in all_)


def test_the_other_security_headers_are_sent() -> None:
    headers = security_headers(VALUES)
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    behaviour = properties("Distribution")["DistributionConfig"]["DefaultCacheBehavior"]
    assert behaviour["ResponseHeadersPolicyId"] == {"Ref": "SecurityHeaders"}
    assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"
    fixed = properties("SecurityHeaders")["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    assert all(header["Override"] for header in fixed.values())


def test_people_log_in_with_a_code_and_come_back_to_the_console() -> None:
    client = properties("ConsoleClient")
    assert client["GenerateSecret"] is False
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["UserPoolId"] == {"Ref": "UserPoolId"}
    for addresses in (client["CallbackURLs"], client["LogoutURLs"]):
        assert "https://${Distribution.DomainName}/" in addresses["Fn::Split"][1]["Fn::Sub"][0]


def test_the_configuration_of_the_outputs_is_what_the_console_reads() -> None:
    text = CONSOLE["Outputs"]["ConsoleConfig"]["Value"]["Fn::Sub"]
    config = json.loads(re.sub(r"\$\{(\w+)\}", r"\1", text))
    assert config["api"] == "ApiUrl"
    assert config["login"]["client_id"] == "ConsoleClient"
    told = {name.removeprefix("login.") for name, *_ in _rows("Deployment") if "`login." in name}
    assert set(config["login"]) == {name.strip("`").removeprefix("login.") for name in told}
    shown = [json.loads(block.content) for block in PAGE.blocks() if block.language == "json"]
    assert [set(one) for one in shown] == [{"api", "login"}]


def _rows(title: str) -> list[list[str]]:
    return table_rows(PAGE.section(title))


def test_the_page_names_parameters_and_outputs_that_exist() -> None:
    (command,) = [block.content for block in PAGE.blocks() if "--parameter-overrides" in block.content]
    given = set(re.findall(r"(\w+)=", command))
    parameters = CONSOLE["Parameters"]
    needed = {name for name, spec in parameters.items() if "Default" not in spec}
    assert needed <= given <= set(parameters)
    outputs = set(CONSOLE["Outputs"])
    assert {"ConsoleOrigin", "ConsoleClientId", "ConsoleConfig", "ConsoleUrl", "FilesBucketName"} <= outputs
    for name in re.findall(r"`(Console\w+|FilesBucketName)`", PAGE.prose):
        assert name in outputs
    for name in ("AllowedOrigins", "JwtAudience"):
        assert f"`{name}`" in PAGE.text
        assert name in parsed()["Parameters"]


def test_the_page_lists_the_licences_of_the_lock_file() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    packages = {path.rpartition("node_modules/")[2]: one for path, one in lock.items() if path}
    built_in, tools, optional = set(), defaultdict(set), set()
    for name, one in packages.items():
        if not one.get("dev"):
            built_in.add((f"`{name}`", one["version"], one["license"]))
        elif one.get("optional"):
            optional.add(one["license"])
        else:
            tools[one["license"]].add(f"`{name}`")
    rows = _rows("Licences")
    assert {tuple(row) for row in rows if len(row) == 3} == built_in
    assert {row[0]: set(row[1].split(", ")) for row in rows if len(row) == 2} == tools
    (sentence,) = re.findall(r"have the licences ([^.]+(?:\.0[^.]*)*)\.\n", PAGE.section("Licences"))
    assert optional == set(re.split(r", | or ", sentence.replace("\n", " ")))


def test_the_lock_file_names_no_host() -> None:
    text = (WEB / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
